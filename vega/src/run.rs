//! `vega run`: replaces itself with the program, with this file in front of `LD_PRELOAD`.
//!
//! # Safety
//! `getauxval(AT_EXECFN)` is a C string in the process's stack area, which lasts as long as the process.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use vega_kfd::{config, settings};

use crate::cli::{Failure, RunOptions};

/// Runs the program. Returns only when that fails.
pub fn run(options: &RunOptions) -> Result<ExitCode, Failure> {
    let [program, arguments @ ..] = options.command.as_slice() else {
        return Err(Failure::Run("no command".to_owned()));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    if !(options.if_no_gpu && has_real_card()) {
        warnings().iter().for_each(|warning| eprintln!("vega: {warning}"));
        command.env("LD_PRELOAD", preload(&own_path()?)?);
        for (name, value) in variables(options)? {
            command.env(OsStr::from_bytes(name.to_bytes()), value);
        }
    }
    let error = command.exec();
    let text = format!("cannot run {}: {error}", program.to_string_lossy());
    Err(match error.kind() {
        ErrorKind::NotFound => Failure::NotFound(text),
        _ => Failure::NotExecutable(text),
    })
}

/// Whether the machine has a `/dev/kfd`; asked past the hooks, which would say yes in a process that is
/// itself run by `vega run`.
fn has_real_card() -> bool {
    let path = c"/dev/kfd";
    // SAFETY: `path` is a C string.
    unsafe { libc::syscall(libc::SYS_faccessat, libc::AT_FDCWD, path.as_ptr(), libc::F_OK) == 0 }
}

/// What the program will miss here, before it fails with a message that does not say so.
fn warnings() -> Vec<String> {
    let mut warnings = Vec::new();
    if !Path::new("/proc/self/maps").exists() {
        warnings.push("/proc is not mounted here; what ROCm reads there will be missing".to_owned());
    }
    // Where LLVM's getTempDirEnvVar looks, and so the compiler inside HIP.
    let variables = ["TMPDIR", "TMP", "TEMP", "TEMPDIR"];
    let temporary = variables.iter().find_map(std::env::var_os).unwrap_or_else(|| "/tmp".into());
    if !is_writable(&temporary) {
        warnings.push(format!(
            "{} cannot be written; HIP compiles its own kernels there and crashes otherwise: \
             set TMPDIR to a writable place",
            temporary.to_string_lossy()
        ));
    }
    warnings
}

fn is_writable(folder: &OsStr) -> bool {
    let Ok(path) = CString::new(folder.as_bytes()) else { return false };
    // SAFETY: `path` is a C string.
    unsafe { libc::access(path.as_ptr(), libc::W_OK | libc::X_OK) == 0 }
}

/// What the options mean as variables for the program.
fn variables(options: &RunOptions) -> Result<Vec<(&'static CStr, OsString)>, Failure> {
    fn text<T: ToString>(name: &'static CStr, value: Option<&T>) -> Option<(&'static CStr, OsString)> {
        value.map(|value| (name, value.to_string().into()))
    }
    let flag = |name, on: bool| on.then(|| (name, OsString::from("1")));
    let seconds = options.watchdog.map(|limit| limit.as_secs_f64());
    let trace = options.trace.as_deref().map(new_file).transpose()?;
    Ok([
        text(config::GPUS, options.gpus.as_ref()),
        flag(config::LARGE_BAR, options.large_bar),
        text(config::THREADS, options.threads.as_ref()),
        text(settings::ENGINE, options.engine.as_ref()),
        text(settings::WATCHDOG, seconds.as_ref()),
        text(settings::CHECK, options.check.as_ref()),
        text(settings::SCHEDULE, options.schedule.as_ref()),
        flag(settings::STATS, options.stats),
        trace.map(|path| (settings::TRACE, path)),
        text(settings::TRACE_KERNEL, options.trace_kernel.as_ref()),
        text(settings::TRACE_WORKGROUPS, options.trace_workgroups.as_ref()),
        text(settings::TRACE_WAVES, options.trace_waves.as_ref()),
        text(settings::TRACE_LANES, options.trace_lanes.as_ref()),
        text(settings::TRACE_MIB, options.trace_mib.as_ref()),
    ]
    .into_iter()
    .flatten()
    .collect())
}

/// Empties a file, and names it so that the program finds it wherever it goes.
fn new_file(path: &Path) -> Result<OsString, Failure> {
    let cannot = |error| Failure::Run(format!("cannot write the trace to {}: {error}", path.display()));
    std::fs::File::create(path).map_err(cannot)?;
    path.canonicalize().map(PathBuf::into_os_string).map_err(cannot)
}

/// This file's absolute path.
fn own_path() -> Result<PathBuf, Failure> {
    // Without /proc the kernel still says how the program was named.
    let named = || {
        // SAFETY: takes a number.
        let name = unsafe { libc::getauxval(libc::AT_EXECFN) } as *const libc::c_char;
        // SAFETY: null or a C string, see the module's documentation.
        let name = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })?;
        std::fs::canonicalize(OsStr::from_bytes(name.to_bytes())).ok()
    };
    std::env::current_exe()
        .ok()
        .or_else(named)
        .ok_or_else(|| Failure::Run("cannot find out where this file is: /proc is not mounted".to_owned()))
}

/// The value for `LD_PRELOAD`: this file first, whatever is there already behind it.
fn preload(own: &Path) -> Result<OsString, Failure> {
    let splits = |byte: &u8| *byte == b':' || byte.is_ascii_whitespace();
    if own.as_os_str().as_bytes().iter().any(splits) {
        return Err(Failure::Run(format!(
            "LD_PRELOAD cannot name {}: the dynamic linker splits names at blanks and colons; \
             copy the file to another place",
            own.display()
        )));
    }
    let mut value = own.as_os_str().to_owned();
    if let Some(others) = std::env::var_os("LD_PRELOAD") {
        for other in others.as_bytes().split(splits) {
            if !other.is_empty() && other != own.as_os_str().as_bytes() {
                value.push(":");
                value.push(OsStr::from_bytes(other));
            }
        }
    }
    Ok(value)
}
