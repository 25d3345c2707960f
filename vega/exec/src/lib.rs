//! Executes gfx900 machine code: waves, workgroups, guest memory.
//!
//! | module | what it holds |
//! |---|---|
//! | [`memory`] | a card's page table, every access to guest memory, recovery when host memory vanishes |
//! | [`dispatch`] | what one kernel launch needs: [`Dispatch`] |
//! | [`engine`] | the pool that runs dispatches: [`Engine`] |
//! | [`cancel`] | stops dispatches, or holds them for a while: [`CancelToken`] |
//! | [`report`] | how a dispatch ended: [`Outcome`], [`FaultReport`] |
//! | [`numeric`] | arithmetic of one lane, bit for bit as the vector unit does it |
//! | [`semantics`] | the meaning of every lane-local instruction, one lane at a time |
//! | [`image`] | image descriptors, texel formats, filtering |
//! | [`observe`] | schedules, traces, statistics, checks |
//! | [`host`] | what a wave can ask of the device around it: [`Host`] |
//! | [`gws`] | barriers and semaphores between all waves of a card |
//!
//! A command processor fills a [`Dispatch`] and calls [`Engine::run`], which blocks until the grid has
//! ended, was cancelled or has faulted. Several threads may do so at once; none waits for another.

#[cfg(target_endian = "big")]
compile_error!("gfx900 is little-endian, and guest memory is shared with the host as it is");

pub mod cancel;
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod compile;
pub mod dispatch;
pub mod engine;
pub mod gws;
pub mod host;
pub mod image;
mod interp;
pub mod memory;
pub mod numeric;
pub mod observe;
pub mod report;
mod sched;
pub mod semantics;

pub use cancel::CancelToken;
pub use dispatch::{Apertures, ComputeUnits, Dispatch, KernelProperties, Scratch};
pub use engine::{Engine, EngineConfig, EngineError, EngineKind, UnknownEngine};
pub use host::{Host, NoHost};
pub use interp::lower::refusal;
pub use memory::{
    Access, AddressSpace, AtomicOp, FaultReason, GuestFault, MapError, Mapping, Rights, on_host_fault,
};
pub use report::{FaultKind, FaultReport, Outcome, Position, RegisterValues, WaveState};
