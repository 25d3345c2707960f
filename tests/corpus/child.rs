//! One process per group: what a kernel does to its process, an abort or a hang, is that kernel's failure alone.
//!
//! The child prints a line before and after each case. When it ends early, the case that was running has failed, and another
//! child goes on with the next one.
//!
//! # Safety
//! The only unsafe call is one of C's library, without memory of ours.

use crate::PENDING;
use crate::case::Case;
use crate::run::Session;
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Which case the child begins with: set in children only.
const FIRST: &str = "CORPUS_FIRST";

/// The beginning of the lines that the parent reads.
const MARK: &str = "corpus> ";

/// The longest that one child may take; all cases of a group take a few seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// The child's part: runs the cases from the one it was told. `None` in a process that is no child.
pub fn play(cases: &[Case], code: impl FnOnce() -> Vec<u8>) -> Option<()> {
    let first: usize = std::env::var(FIRST).ok()?.parse().expect("a number");
    let stream = hip::Device::first().and_then(hip::Device::stream).expect("a stream");
    let session = Session::new(stream, &code()).expect("the group's kernels");
    let tested: Vec<&str> = cases.iter().map(|case| case.kernel).collect();
    for kernel in session.module.kernel_names().filter(|name| !tested.contains(name)) {
        println!("{MARK}failed {kernel}: it has no case");
    }
    for case in &cases[first..] {
        println!("\n{MARK}begin {}", case.name());
        let outcome = session.run(case);
        // The runtime prints through C's library, which keeps lines back from a file; a later abort would lose them.
        // SAFETY: null stands for all streams.
        unsafe { libc::fflush(std::ptr::null_mut()) };
        match outcome {
            Ok(()) => println!("\n{MARK}passed {}", case.name()),
            Err(error) => println!("\n{MARK}failed {}: {}", case.name(), error.replace('\n', " ")),
        }
    }
    drop(session);
    println!("\n{MARK}end");
    Some(())
}

/// Runs all cases of `test` in children and panics with what failed.
pub fn parent(test: &str, cases: &[Case]) {
    let mut failures = BTreeMap::new();
    let mut passed = Vec::new();
    let mut first = 0;
    while first < cases.len() {
        let (status, output) = run(test, first, &[]);
        let marked: Vec<&str> = output.lines().filter_map(|line| line.strip_prefix(MARK)).collect();
        for line in &marked {
            if let Some(name) = line.strip_prefix("passed ") {
                passed.push(name.to_owned());
            } else if let Some((name, error)) = line.strip_prefix("failed ").and_then(|l| l.split_once(": "))
            {
                failures.insert(name.to_owned(), error.to_owned());
            }
        }
        let begun = begun(&output);
        for case in &cases[first..first + begun] {
            for line in case.says.iter().filter(|line| !output.contains(*line)) {
                failures.insert(case.name(), format!("it does not say {line:?}: {}", tail(&output)));
            }
        }
        if marked.last() == Some(&"end") && status.is_some_and(|status| status.success()) {
            break;
        }
        assert!(begun > 0, "the child ended before the first case: {status:?}\n{output}");
        let case = &cases[first + begun - 1];
        let aborted = status.is_some_and(|status| status.signal() == Some(libc::SIGABRT));
        if case.aborts && aborted {
            passed.push(case.name());
        } else {
            let how =
                status.map_or("was killed after a minute".into(), |status| format!("ended with {status}"));
            failures.insert(case.name(), format!("its process {how}: {}", tail(&output)));
        }
        first += begun;
    }
    judge(test, cases, &passed, failures);
}

/// Panics unless exactly the pending cases failed.
fn judge(test: &str, cases: &[Case], passed: &[String], mut failures: BTreeMap<String, String>) {
    for case in cases {
        let name = case.name();
        let done = passed.contains(&name);
        match PENDING.iter().find(|(pending, _)| *pending == name) {
            Some((_, reason)) => {
                let failure = failures.remove(&name).unwrap_or_else(|| "it passes".into());
                if !failure.contains(reason) {
                    failures
                        .insert(name, format!("is not pending because of {reason:?} any more: {failure}"));
                }
            }
            None if !done => {
                failures.entry(name).or_insert_with(|| "did not run".into());
            }
            _ => {}
        }
    }
    let list: Vec<String> = failures.iter().map(|(name, error)| format!("  {name}: {error}")).collect();
    println!("{test}: {} cases, {} failures", cases.len(), list.len());
    assert!(list.is_empty(), "{} of {} cases fail:\n{}", list.len(), cases.len(), list.join("\n"));
}

/// How many cases a child has begun.
pub fn begun(output: &str) -> usize {
    output
        .lines()
        .filter(|line| line.strip_prefix(MARK).is_some_and(|line| line.starts_with("begin ")))
        .count()
}

/// Runs a child from case `first`, with these variables; its status, unless it had to be killed, and all that it printed.
pub fn run(test: &str, first: usize, variables: &[(&str, &str)]) -> (Option<ExitStatus>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("output");
    let file = std::fs::File::create(&path).expect("a file");
    let mut child = Command::new(std::env::current_exe().expect("the path of this program"))
        .args([test, "--exact", "--nocapture", "--test-threads", "1"])
        .env(FIRST, first.to_string())
        .envs(variables.iter().copied())
        // Where a core file of the runtime's abort goes.
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(file.try_clone().expect("a second handle"))
        .stderr(file)
        .spawn()
        .expect("the child starts");
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().expect("the child can be waited for") {
            return (Some(status), text(&path));
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return (None, text(&path));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

/// The end of what a child printed, on one line.
fn tail(output: &str) -> String {
    let lines: Vec<&str> = output.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(12)..].join(" | ")
}
