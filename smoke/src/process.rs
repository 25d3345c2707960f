//! Programs of the stack, run under a limit: ROCr spins for ever when a completion is lost.
//!
//! # Safety
//! Two libc calls that touch no memory of this program: `prctl` in the freshly forked child (it is
//! async-signal-safe) and `kill` on the process group that the child leads.
#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// The most output that is read: a program that prints without end fills no memory.
const OUTPUT: u64 = 4 << 20;

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It exited by itself with this status.
    Exited(i32),
    /// This signal ended it.
    Signaled(i32),
    /// It was still running at its limit, and was killed with its process group.
    TimedOut,
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            End::Exited(code) => write!(f, "exit status {code}"),
            End::Signaled(signal) => write!(f, "ended by signal {signal}"),
            End::TimedOut => f.write_str("did not end, killed"),
        }
    }
}

/// A program that has ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// How.
    pub end: End,
    /// What it printed, both streams as they came.
    pub output: String,
}

impl Finished {
    /// Whether it exited with status 0.
    pub fn success(&self) -> bool {
        self.end == End::Exited(0)
    }

    /// How it ended, and the last lines of what it printed.
    pub fn story(&self) -> String {
        let lines: Vec<&str> = self.output.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(6)..].join("\n");
        if last.is_empty() { self.end.to_string() } else { format!("{}: {last}", self.end) }
    }
}

/// Runs the command for at most `limit`; its output passes through a file in `folder`, so that nothing it leaves
/// running can hold a pipe open.
///
/// # Errors
/// When it cannot be started, or the file cannot be written.
pub fn run(command: &mut Command, limit: Duration, folder: &Path) -> io::Result<Finished> {
    let file = tempfile::NamedTempFile::new_in(folder)?;
    let out: File = file.reopen()?;
    command.stdin(Stdio::null()).stdout(out.try_clone()?).stderr(out).process_group(0);
    // SAFETY: between fork and exec the closure makes one async-signal-safe system call and touches no memory.
    unsafe {
        command.pre_exec(|| match libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        });
    }
    let mut child = command.spawn()?;
    let end = wait(&mut child, Instant::now() + limit)?;
    kill_group(child.id());
    if end == End::TimedOut {
        child.wait()?;
    }
    let mut bytes = Vec::new();
    fs::File::open(file.path())?.take(OUTPUT).read_to_end(&mut bytes)?;
    Ok(Finished { end, output: String::from_utf8_lossy(&bytes).into_owned() })
}

fn wait(child: &mut Child, deadline: Instant) -> io::Result<End> {
    let mut nap = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(of(status));
        }
        if Instant::now() >= deadline {
            return Ok(End::TimedOut);
        }
        std::thread::sleep(nap);
        nap = (nap * 2).min(Duration::from_millis(20));
    }
}

fn of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, Some(signal)) => End::Signaled(signal),
        (None, None) => End::Exited(-1),
    }
}

/// Kills what is left of the process group that the child led.
fn kill_group(leader: u32) {
    if let Ok(group) = i32::try_from(leader) {
        // SAFETY: a system call on process ids; the group's id was the child's own, so it names no other group.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Finished {
        let folder = tempfile::tempdir().expect("a temporary folder");
        run(Command::new("sh").arg("-c").arg(script), limit, folder.path()).expect("sh runs")
    }

    #[test]
    fn tells_how_it_ended_and_what_it_printed() {
        let done = shell("echo out; echo err >&2; exit 3", Duration::from_secs(60));
        assert_eq!((done.end, done.output.as_str()), (End::Exited(3), "out\nerr\n"));
        assert_eq!(shell("kill -ABRT $$", Duration::from_secs(60)).end, End::Signaled(libc::SIGABRT));
        assert_eq!(shell("sleep 1000 & sleep 1000", Duration::from_millis(200)).end, End::TimedOut);
    }

    #[test]
    fn output_without_end_fills_no_memory() {
        let done = shell("yes", Duration::from_millis(300));
        assert_eq!(done.end, End::TimedOut);
        assert!(done.output.len() as u64 <= OUTPUT);
    }
}
