//! The virtual Vega card: queues, packet processors, the copy engine, signals, faults.
//!
//! A driver creates a [`Card`], maps memory into its [`space`](Card::space), creates queues in that
//! memory and calls [`ring`](Card::ring) when user space has rung a doorbell. The card processes the
//! packets and tells the driver through [`Notify`]. Nothing here knows what a kernel does: every dispatch
//! is executed, instruction by instruction, by [`vega_exec`].
//!
//! | file | what it holds |
//! |---|---|
//! | `card`, `queue`, `worker` | the card, its queues, their threads |
//! | `config`, `notify` | what the driver says and hears |
//! | `format` | packet formats as data; `aql/packet`, `pm4/packet` and `sdma/packet` are the tables |
//! | `aql`, `pm4`, `sdma` | the packet processors |
//! | `layout`, `signal`, `hub` | structures shared with the runtime, signals, waiting for them |
//! | `stop`, `pending` | what happens when something goes wrong |
//! | `report`, `listing`, `names`, `source` | what the user reads then |
//! | `clock` | the card's constant clock |

mod aql;
mod atomic;
mod card;
pub mod clock;
mod compare;
mod config;
mod format;
mod hub;
mod layout;
mod listing;
mod names;
mod notify;
mod pending;
mod pm4;
mod processor;
mod queue;
mod report;
mod sdma;
mod signal;
mod source;
mod stop;
mod worker;

pub use card::Card;
pub use config::{CardConfig, QueueConfig, QueueError, QueueId, QueueKind, QueueUpdate};
pub use notify::{LoadedCode, MemoryFault, Notify};
