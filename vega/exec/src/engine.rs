//! The pool that runs dispatches.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use vega_isa::Table;

use crate::cancel::CancelToken;
use crate::dispatch::Dispatch;
use crate::host::Host;
use crate::interp::DEFAULT_MODE;
use crate::interp::code::{CodeCache, Compiling, Making};
use crate::interp::level::Level;
use crate::memory::AddressSpace;
use crate::observe::Observe;
use crate::report::Outcome;
use crate::sched::job::{Job, Limits, References, Scheduled};
use crate::sched::launch::initial_mode;
use crate::sched::pool::Shared;

/// What executes code. All kinds give the same results, bit for bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EngineKind {
    /// The interpreter alone: every host has it.
    Interpreter,
    /// Code is compiled to AVX2 when it is executed often; the interpreter does the rest.
    Avx2,
    /// Code is compiled to AVX-512 when it is executed often; the interpreter does the rest.
    Avx512,
}

impl EngineKind {
    /// The kinds that this host can run, the fastest last.
    pub fn available() -> &'static [Self] {
        static AVAILABLE: LazyLock<Vec<EngineKind>> = LazyLock::new(|| {
            let all = [EngineKind::Interpreter, EngineKind::Avx2, EngineKind::Avx512];
            all.into_iter().filter(|kind| kind.is_supported()).collect()
        });
        &AVAILABLE
    }

    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    fn is_supported(self) -> bool {
        crate::compile::Target::of(self).is_none_or(crate::compile::Target::is_supported)
    }

    #[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
    fn is_supported(self) -> bool {
        self == Self::Interpreter
    }

    /// The fastest kind of this host.
    pub fn best() -> Self {
        Self::available().last().copied().unwrap_or(Self::Interpreter)
    }
}

impl Default for EngineKind {
    fn default() -> Self {
        Self::best()
    }
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Interpreter => "interpreter",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        })
    }
}

/// A name that is no engine, or one that this host cannot run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no engine {name:?} here; this host has: {}", names())]
pub struct UnknownEngine {
    /// The name.
    pub name: String,
}

fn names() -> String {
    EngineKind::available().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl FromStr for EngineKind {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        let known = Self::available().iter().find(|kind| kind.to_string() == name);
        known.copied().ok_or_else(|| UnknownEngine { name: name.to_owned() })
    }
}

/// A program is compiled when it is about to be executed by this many waves.
const WARM: u64 = 32;

/// How an [`Engine`] is set up.
#[derive(Clone, Debug, Default)]
pub struct EngineConfig {
    /// What executes code.
    pub kind: EngineKind,
    /// Code is compiled before it is executed for the first time, rather than when it is executed often.
    pub eager: bool,
    /// Host threads that execute one dispatch, the caller of [`Engine::run`] included; 0 means one per
    /// CPU of this process.
    pub threads: usize,
    /// Ends a dispatch that runs for longer, with a fault; `None` lets it run.
    pub watchdog: Option<Duration>,
    /// What is observed.
    pub observe: Observe,
}

/// Why an engine could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A worker thread could not be started.
    #[error("cannot start a worker thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Executes dispatches: a pool of threads for all cards of the process.
pub struct Engine {
    shared: Arc<Shared>,
    threads: usize,
    watchdog: Option<Duration>,
    observe: Observe,
    /// Workgroups whose waves began together, and in line.
    together: [AtomicU64; 2],
    /// With a schedule: whose turn it is, and the clock.
    scheduled: Option<Arc<Scheduled>>,
}

impl Engine {
    /// Starts the pool. Its threads sleep until there is work, and end when the engine is dropped.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn new(config: EngineConfig) -> Result<Arc<Self>, EngineError> {
        Self::with_table(config, Table::gfx900())
    }

    /// The same with another opcode table: tests corrupt rows of it to see that they notice.
    ///
    /// # Errors
    /// When a thread cannot be started.
    pub fn with_table(config: EngineConfig, table: &'static Table) -> Result<Arc<Self>, EngineError> {
        let cpus = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let scheduled = config.observe.schedule.map(|_| Arc::default());
        let threads = match (&scheduled, config.threads) {
            (Some(_), _) => 1,
            (None, 0) => cpus(),
            (None, threads) => threads,
        };
        let after = if config.eager { 1 } else { WARM };
        let counted = config.observe.stats.is_some();
        let compile = (config.kind != EngineKind::Interpreter).then_some(Compiling {
            after,
            kind: config.kind,
            counted,
        });
        let code = CodeCache::new(Making { level: Level::detect(), table, compile });
        let shared = Shared::new(Arc::new(code), threads);
        let engine = Arc::new(Self {
            shared,
            threads,
            watchdog: config.watchdog,
            observe: config.observe,
            together: Default::default(),
            scheduled,
        });
        for number in 1..threads {
            engine.shared.spawn(number)?;
        }
        Ok(engine)
    }

    /// Runs a whole grid and returns when every workgroup has ended, or when it was cancelled or faulted.
    ///
    /// The calling thread takes part in the work, so a dispatch never waits for a thread to wake, and
    /// dispatches of different callers progress side by side. The caller's floating-point environment is
    /// saved and restored; it should be a thread of its own with asynchronous signals blocked, and SIGSEGV
    /// and SIGBUS must reach [`on_host_fault`](crate::memory::on_host_fault).
    pub fn run(
        &self,
        space: &Arc<AddressSpace>,
        dispatch: &Dispatch,
        host: &Arc<dyn Host>,
        cancel: &CancelToken,
    ) -> Outcome {
        let strict = initial_mode(dispatch.rsrc1) != DEFAULT_MODE;
        let program = self.shared.code.program(space, dispatch.entry_va, strict);
        let groups = dispatch.workgroups().iter().map(|n| u64::from(*n)).fold(1, u64::saturating_mul);
        program.warm(groups.saturating_mul(dispatch.waves_per_workgroup().into()));
        let limits = Limits {
            watchdog: self.watchdog,
            observe: self.observe.clone(),
            scheduled: self.scheduled.clone(),
        };
        let mut job = self.shared.job();
        let renewed = match Arc::get_mut(&mut job) {
            Some(job) => {
                let (space, host) = (Arc::clone(space), Arc::clone(host));
                let references = References { space, host, program, cancel: cancel.clone() };
                job.renew(dispatch, references, self.threads, limits)
            }
            None => Err("a job of the engine is in use"),
        };
        if renewed.is_ok() && !cancel.is_canceled() {
            self.shared.run(&job, self.threads > 1);
        }
        let fault = job.take_fault();
        for (count, more) in self.together.iter().zip(job.together()) {
            count.fetch_add(more, Ordering::Relaxed);
        }
        self.shared.give_back(job);
        if let Err(reason) = renewed {
            return Outcome::Fault(Job::refusal(dispatch, reason));
        }
        match fault {
            Some(report) => Outcome::Fault(report),
            None if cancel.is_canceled() => Outcome::Canceled,
            None => Outcome::Done,
        }
    }

    /// How many workgroups have begun with their waves together, in compiled code that does once for all of them what is
    /// the same in all.
    pub fn lockstep_workgroups(&self) -> u64 {
        self.together[0].load(Ordering::Relaxed)
    }

    /// How many of them had work-items in a line, and ran like one wide wave up to where their waves part.
    pub fn workgroups_in_line(&self) -> u64 {
        self.together[1].load(Ordering::Relaxed)
    }

    /// What the engine observes.
    pub fn observe(&self) -> &Observe {
        &self.observe
    }

    /// Forgets predecoded code of `space` in `[va, va + len)`: after PM4 cache flushes, unmapping and
    /// freeing. Every dispatch also compares the code that it starts with the cached bytes, so a missed
    /// call cannot run stale code from the beginning of a later dispatch.
    pub fn invalidate_code(&self, space: &AddressSpace, va: u64, len: u64) {
        self.shared.code.invalidate(space, va, len);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.close();
    }
}
