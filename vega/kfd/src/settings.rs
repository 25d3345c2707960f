//! What the environment asks to be observed, read once, when the library is loaded.
//!
//! A mistake in a variable is told on stderr and the variable ignored: the program may not know of it.

use std::ffi::{CStr, OsStr};
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use vega_exec::EngineConfig;
pub use vega_exec::EngineKind;
use vega_exec::observe::{Compiling, Observe, Stats, Trace, TraceOptions};
pub use vega_exec::observe::{Schedule, Selection};

use crate::config::{self, text};

/// What executes kernels: `interpreter`, or another engine of this host; unset: the fastest one.
pub const ENGINE: &CStr = c"VEGA_ENGINE";
/// 1: kernels are compiled before they run for the first time, rather than when they run often.
pub const EAGER: &CStr = c"VEGA_EAGER";
/// Seconds after which a dispatch is ended; unset: never.
pub const WATCHDOG: &CStr = c"VEGA_WATCHDOG";
/// `fixed`, `random:SEED`, or `random` for a seed that the time gives.
pub const SCHEDULE: &CStr = c"VEGA_SCHEDULE";
/// `lds`: accesses beyond LDS are faults.
pub const CHECK: &CStr = c"VEGA_CHECK";
/// 1: statistics are printed when the program ends.
pub const STATS: &CStr = c"VEGA_STATS";
/// The file that a trace is appended to.
pub const TRACE: &CStr = c"VEGA_TRACE";
/// A part of the name of the kernels that are traced.
pub const TRACE_KERNEL: &CStr = c"VEGA_TRACE_KERNEL";
/// Which workgroups are traced.
pub const TRACE_WORKGROUPS: &CStr = c"VEGA_TRACE_WORKGROUPS";
/// Which waves of a workgroup are traced.
pub const TRACE_WAVES: &CStr = c"VEGA_TRACE_WAVES";
/// Which lanes' registers the trace shows.
pub const TRACE_LANES: &CStr = c"VEGA_TRACE_LANES";
/// The greatest size of the trace in MiB.
pub const TRACE_MIB: &CStr = c"VEGA_TRACE_MIB";

/// What the environment asks for.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What executes kernels.
    pub engine: EngineKind,
    /// Kernels are compiled before they run for the first time.
    pub eager: bool,
    /// Ends what runs for longer.
    pub watchdog: Option<Duration>,
    /// The order of execution.
    pub schedule: Option<Schedule>,
    /// Accesses beyond LDS are faults.
    pub check_lds: bool,
    /// Statistics are printed at the end.
    pub stats: bool,
    /// Where a trace goes, and what it holds.
    pub trace: Option<(PathBuf, TraceOptions)>,
}

/// A schedule; `random` alone takes its seed from the clock.
///
/// # Errors
/// The text names no schedule.
pub fn schedule(text: &str) -> Result<Schedule, String> {
    if text == "random" {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        return Ok(Schedule::Random(u64::from(now.subsec_nanos()) ^ now.as_secs().rotate_left(20)));
    }
    text.parse().map_err(|error| format!("{error}"))
}

/// An engine by its name.
///
/// # Errors
/// The text names no engine of this host.
pub fn engine(text: &str) -> Result<EngineKind, String> {
    text.trim().parse().map_err(|error| format!("{error}"))
}

/// Seconds as a duration: more than none.
///
/// # Errors
/// The text is no such number.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.trim().parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|s| !s.is_zero()).ok_or_else(|| format!("{text:?} is no number of seconds above 0"))
}

/// Which check: `lds` is the only one.
///
/// # Errors
/// Any other text.
pub fn check(text: &str) -> Result<(), String> {
    if text == "lds" { Ok(()) } else { Err(format!("{text:?} is no check; there is one, lds")) }
}

/// Reads a variable; complains if it does not mean anything.
fn read<T>(name: &CStr, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
    let value = String::from_utf8_lossy(text(name)?);
    if value.is_empty() {
        return None;
    }
    parse(&value).map_err(|error| eprintln!("vega: {} is ignored: {error}", name.to_string_lossy())).ok()
}

fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.trim().parse().map_err(|error| format!("{text:?}: {error}"))
}

impl Settings {
    fn from_environment() -> Settings {
        let path =
            text(TRACE).filter(|path| !path.is_empty()).map(|path| PathBuf::from(OsStr::from_bytes(path)));
        let default = TraceOptions::default();
        let options = || TraceOptions {
            kernel: read(TRACE_KERNEL, |name| Ok(name.to_owned())),
            workgroups: read(TRACE_WORKGROUPS, parsed),
            waves: read(TRACE_WAVES, parsed),
            lanes: read(TRACE_LANES, parsed).unwrap_or(default.lanes),
            bytes: read(TRACE_MIB, parsed::<u32>).map_or(default.bytes, |mib| u64::from(mib) << 20),
        };
        Settings {
            engine: read(ENGINE, engine).unwrap_or_default(),
            eager: read(EAGER, parsed::<u32>).is_some_and(|on| on != 0),
            watchdog: read(WATCHDOG, seconds),
            schedule: read(SCHEDULE, schedule),
            check_lds: read(CHECK, check).is_some(),
            stats: read(STATS, parsed::<u32>).is_some_and(|on| on != 0),
            trace: path.map(|path| (path, options())),
        }
    }

    /// How the engine of this process is set up.
    pub fn engine(&self) -> EngineConfig {
        let trace = self.trace.as_ref().and_then(|(path, options)| {
            let opened =
                append(path).map_err(|error| eprintln!("vega: no trace in {}: {error}", path.display()));
            Some(Trace::new(options.clone(), Box::new(opened.ok()?)))
        });
        EngineConfig {
            kind: self.engine,
            eager: self.eager,
            threads: config::get().threads,
            watchdog: self.watchdog,
            observe: Observe {
                schedule: self.schedule,
                stats: self.stats.then(Stats::new),
                trace,
                check_lds: self.check_lds,
            },
        }
    }
}

/// Opens a file whose end each write goes to: several processes may trace to one file.
fn append(path: &Path) -> io::Result<std::fs::File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// What a program's end has to say: statistics, and the seed with which it can be repeated.
pub(crate) fn epilogue(observe: &Observe) -> Option<String> {
    let random = observe.schedule.filter(|schedule| matches!(schedule, Schedule::Random(_)));
    let seed =
        random.map(|schedule| format!("vega: schedule {schedule}: VEGA_SCHEDULE={schedule} repeats it\n"));
    let stats = observe.stats.as_ref().map(|stats| {
        let totals = stats.totals();
        let compiling = Compiling::so_far();
        let compiled =
            if compiling.instructions == 0 { String::new() } else { format!("vega: {compiling}\n") };
        let process = std::process::id();
        format!("{compiled}vega: what the virtual card executed, by kernel (process {process})\n{totals}")
    });
    let text = [seed, stats].into_iter().flatten().collect::<String>();
    (!text.is_empty()).then_some(text)
}

/// The settings of this process. The library's constructor calls this first.
pub fn get() -> &'static Settings {
    static SETTINGS: OnceLock<Settings> = OnceLock::new();
    SETTINGS.get_or_init(Settings::from_environment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_seconds_are_above_none() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "x", "", "inf", "nan"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_random_schedule_always_has_a_seed() {
        assert_eq!(schedule("random:5"), Ok(Schedule::Random(5)));
        assert!(matches!(schedule("random"), Ok(Schedule::Random(_))));
        assert_eq!(schedule("fixed"), Ok(Schedule::Fixed));
        assert!(schedule("sometimes").is_err());
    }

    #[test]
    fn the_epilogue_names_the_seed_and_the_kernels() {
        assert_eq!(epilogue(&Observe::default()), None);
        let observe = Observe { schedule: Some(Schedule::Random(9)), ..Observe::default() };
        assert!(epilogue(&observe).is_some_and(|text| text.contains("VEGA_SCHEDULE=random:9")));
        let observe = Observe { stats: Some(Stats::new()), ..Observe::default() };
        assert!(epilogue(&observe).is_some_and(|text| text.contains("by kernel")));
    }
}
