//! `cargo xtask stress`: one small program, many times over. No hang, no wrong byte, nothing left behind.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::card::Card;
use crate::process::{self, tail};

/// The program: it compares its result with the host's, element by element, and exits with 1 on a difference.
pub const EXAMPLE: &str = "02_saxpy";

/// How many elements it computes: enough for several workgroups and a partial one.
const ELEMENTS: &str = "5000";

/// One run takes well under a second; far beyond that it hangs.
const LIMIT: Duration = Duration::from_secs(60);

/// Where programs leave things behind, beside their own temporary folder.
const SHARED: &str = "/dev/shm";

/// Runs the program `runs` times, the second half of them beside as many busy threads as there are processors.
/// Says what was done.
pub fn run(card: &Card, program: &Path, runs: u32) -> anyhow::Result<String> {
    let quiet = runs.div_ceil(2);
    repeat(card, program, 0..quiet)?;
    let busy = AtomicBool::new(true);
    let processors = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..processors {
            scope.spawn(|| {
                while busy.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let done = repeat(card, program, quiet..runs);
        busy.store(false, Ordering::Relaxed);
        done
    })?;
    Ok(format!("{runs} runs, {} of them beside {processors} busy threads", runs - quiet))
}

fn repeat(card: &Card, program: &Path, numbers: std::ops::Range<u32>) -> anyhow::Result<()> {
    for number in numbers {
        once(card, program).with_context(|| format!("run {}", number + 1))?;
    }
    Ok(())
}

fn once(card: &Card, program: &Path) -> anyhow::Result<()> {
    let logs = tempfile::tempdir()?;
    let private = tempfile::tempdir()?;
    let before = names(Path::new(SHARED));
    let mut command = card.command(program);
    command.args(["--elements", ELEMENTS, "--repeat", "1"]).env("TMPDIR", private.path());
    let done = process::run(&mut command, LIMIT, &logs.path().join("log"))?;
    ensure!(done.end.success(), "{}\n{}", done.end, tail(&done.output, 40));
    ensure!(!done.left_processes, "it left a process behind");
    let left = names(private.path());
    ensure!(left.is_empty(), "it left files behind: {left:?}");
    let shared: Vec<String> = names(Path::new(SHARED)).difference(&before).cloned().collect();
    ensure!(shared.is_empty(), "it left shared memory behind: {shared:?}");
    Ok(())
}

/// The names in a folder; none if it cannot be read.
fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
