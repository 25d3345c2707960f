//! The virtual Vega card: queues, packet processors, the copy engine, signals, faults.

mod config;
mod notify;

pub use config::{CardConfig, QueueConfig, QueueError, QueueId, QueueKind, QueueUpdate};
pub use notify::{MemoryFault, Notify};
