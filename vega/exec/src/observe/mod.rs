//! What can be watched and steered of running kernels: schedules, traces, statistics, checks.
//!
//! | file | what it holds |
//! |---|---|
//! | `schedule` | a reproducible order of everything: [`Schedule`] |
//! | `stats` | what was executed, by kernel: [`Stats`] |
//! | `compiling` | what compiling costs: [`Compiling`] |
//! | `trace` | which waves are written down, and where to: [`Trace`] |
//! | `tracer` | the lines of a trace |
//! | `check` | accesses to LDS that the card lets pass |
//! | `observer` | all of these in the thread that runs a dispatch |
//!
//! Waves that are observed run in a loop of their own (`interp::observed`), so that the others pay nothing.

pub(crate) mod check;
mod compiling;
pub(crate) mod observer;
pub(crate) mod schedule;
pub(crate) mod stats;
mod trace;
mod tracer;

use std::sync::Arc;

pub use compiling::Compiling;
pub use schedule::{ParseScheduleError, Schedule};
pub use stats::{ClassCounts, KernelStats, Stats, Totals};
pub use trace::{Selection, Trace, TraceOptions};

/// What an engine observes. By default nothing.
#[derive(Clone, Debug, Default)]
pub struct Observe {
    /// One worker, and an order of workgroups, waves and yields that is the same every time.
    pub schedule: Option<Schedule>,
    /// Counts what is executed.
    pub stats: Option<Arc<Stats>>,
    /// Writes down the instructions of some waves.
    pub trace: Option<Arc<Trace>>,
    /// Accesses beyond the workgroup's LDS, which the card lets pass, are faults.
    pub check_lds: bool,
}

impl Observe {
    /// Whether anything is observed that tells kernels apart by their name.
    pub fn wants_names(&self) -> bool {
        self.stats.is_some() || self.trace.is_some() || self.schedule.is_some()
    }

    /// Whether anything is observed at all.
    pub(crate) fn is_on(&self) -> bool {
        self.wants_names() || self.check_lds
    }
}
