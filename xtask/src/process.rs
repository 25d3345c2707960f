//! Child processes that cannot outlive their limit.
//!
//! # Safety
//! Two libc calls, neither of which touches this program's memory: `prctl` in the freshly forked child (it is
//! async-signal-safe) and `kill` on the process group that the child leads.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited by itself with this status.
    Exited(i32),
    /// This signal ended it.
    Signaled(i32),
    /// It was still running at its limit and was killed with its whole process group.
    TimedOut,
}

impl End {
    /// Whether it exited with status 0.
    pub fn success(self) -> bool {
        self == End::Exited(0)
    }

    fn of(status: ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => End::Exited(code),
            (None, Some(signal)) => End::Signaled(signal),
            (None, None) => End::Exited(-1),
        }
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Exited(code) => write!(f, "exit status {code}"),
            End::Signaled(signal) => write!(f, "signal {signal}"),
            End::TimedOut => f.write_str("still running at its limit, killed"),
        }
    }
}

/// A finished child: how it ended and what it printed.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How it ended.
    pub end: End,
    /// Its standard output and standard error, in the order written.
    pub output: String,
    /// Whether a process of its group was still there after it had ended.
    pub left_processes: bool,
}

/// Runs `command` for at most `limit`; both output streams go to the file `log`.
///
/// The child leads a process group of its own. Whatever is left of that group when the child ends, or when its time
/// is up, is killed: nothing that a test started survives it.
pub fn run(command: &mut Command, limit: Duration, log: &Path) -> io::Result<Finished> {
    if let Some(folder) = log.parent() {
        fs::create_dir_all(folder)?;
    }
    let out = File::create(log)?;
    command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).process_group(0);
    let mut child = die_with_parent(command).spawn()?;
    let end = wait(&mut child, Instant::now() + limit)?;
    let left_processes = kill_group(child.id());
    if end == End::TimedOut {
        child.wait()?;
    }
    let output = String::from_utf8_lossy(&fs::read(log)?).into_owned();
    Ok(Finished { end, output, left_processes })
}

/// Waits for the child until `deadline`, with sleeps that start short and grow to 20 ms.
fn wait(child: &mut Child, deadline: Instant) -> io::Result<End> {
    let mut nap = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(End::of(status));
        }
        if Instant::now() >= deadline {
            return Ok(End::TimedOut);
        }
        std::thread::sleep(nap);
        nap = (nap * 2).min(Duration::from_millis(20));
    }
}

/// Lets the kernel end the child when the thread that started it ends, so that Ctrl-C here leaves nothing behind.
pub fn die_with_parent(command: &mut Command) -> &mut Command {
    // SAFETY: between fork and exec the closure makes one async-signal-safe system call and touches no memory.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        })
    }
}

/// Kills the process group that the child led; says whether a process of it was still there.
fn kill_group(leader: u32) -> bool {
    let Ok(group) = i32::try_from(leader) else { return false };
    // SAFETY: a system call on process ids. The group's id was the child's own, so it names no other group: the
    // kernel does not hand out an id that still names a process group.
    unsafe { libc::kill(-group, libc::SIGKILL) == 0 }
}

/// Whether a program of this name is in `PATH`.
pub fn in_path(name: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()))
}

/// The last `lines` lines of a text.
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Finished {
        let folder = tempfile::tempdir().expect("a temporary folder");
        run(Command::new("sh").arg("-c").arg(script), limit, &folder.path().join("log")).expect("sh runs")
    }

    #[test]
    fn tells_exit_status_signal_and_output() {
        let done = shell("echo out; echo err >&2; exit 3", Duration::from_secs(60));
        assert_eq!((done.end, done.output.as_str()), (End::Exited(3), "out\nerr\n"));
        assert_eq!(shell("kill -ABRT $$", Duration::from_secs(60)).end, End::Signaled(libc::SIGABRT));
    }

    #[test]
    fn ends_what_outlives_its_limit() {
        let done = shell("sleep 1000 & sleep 1000", Duration::from_millis(300));
        assert_eq!(done.end, End::TimedOut);
    }

    #[test]
    fn sees_a_process_left_behind() {
        assert!(shell("sleep 1000 & exit 0", Duration::from_secs(60)).left_processes);
        assert!(!shell("exit 0", Duration::from_secs(60)).left_processes);
    }

    #[test]
    fn tail_keeps_the_end() {
        assert_eq!(tail("a\nb\nc\n", 2), "b\nc");
        assert_eq!(tail("a", 2), "a");
    }
}
