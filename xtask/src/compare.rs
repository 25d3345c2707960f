//! `cargo xtask bench`: the virtual Vega against PoCL, the same kernels, one thread each, in turns.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::card::{Card, Profile, build_vega};
use crate::cargo::{build, target_folder};
use crate::process::{self, tail};

/// How often each side is measured.
const ROUNDS: usize = 3;

/// What each kernel must reach of PoCL's speed.
const REQUIRED: &[(&str, f64)] = &[("saxpy", 0.05), ("gemm_tile16", 0.5), ("gemm_block64", 0.45)];

/// One thread each.
const ONE_THREAD: &[(&str, &str)] =
    &[("VEGA_THREADS", "1"), ("POCL_MAX_PTHREAD_COUNT", "1"), ("POCL_CPU_MAX_CU_COUNT", "1")];

/// Seconds per launch, by kernel.
type Times = BTreeMap<String, f64>;

/// Measures both sides; says whether every kernel is as fast as it must be.
pub fn run() -> anyhow::Result<bool> {
    let card = Card::detect(&build_vega(Profile::Release)?);
    let built = build("bench", &["--package", "hip-benches", "--bench", "compare", "--no-run"])?;
    let program = &built.first().context("cargo built no bench")?.executable;
    let log = target_folder()?.join("bench-logs");
    let side = |name: &str, mut command: Command| -> anyhow::Result<Times> {
        command.arg(name).envs(ONE_THREAD.iter().copied());
        let done = process::run(&mut command, Duration::from_secs(300), &log.join(format!("{name}.log")))?;
        ensure!(done.end.success(), "{name}: {}\n{}", done.end, tail(&done.output, 30));
        Ok(times(&done.output))
    };
    let (mut hip, mut opencl) = (Times::new(), Times::new());
    for _ in 0..ROUNDS {
        keep_best(&mut hip, side("hip", card.command(program))?);
        keep_best(&mut opencl, side("opencl", Command::new(program))?);
    }
    println!("HIP on {}, one thread each:", card.describe());
    println!("{:<14} {:>12} {:>12} {:>8} {:>9}", "kernel", "HIP", "PoCL", "ratio", "required");
    let mut all = true;
    for (kernel, required) in REQUIRED {
        let time =
            |times: &Times| times.get(*kernel).copied().with_context(|| format!("{kernel} was not measured"));
        let (hip, opencl) = (time(&hip)?, time(&opencl)?);
        let ratio = opencl / hip;
        let verdict = if ratio >= *required { "" } else { "  too slow" };
        all &= ratio >= *required;
        println!(
            "{kernel:<14} {:>9.3} ms {:>9.3} ms {ratio:>8.3} {required:>9}{verdict}",
            hip * 1e3,
            opencl * 1e3
        );
    }
    Ok(all)
}

/// Reads lines `kernel seconds`.
fn times(output: &str) -> Times {
    let pair = |line: &str| {
        let (kernel, seconds) = line.split_once(' ')?;
        Some((kernel.to_owned(), seconds.trim().parse().ok()?))
    };
    output.lines().filter_map(pair).collect()
}

fn keep_best(best: &mut Times, new: Times) {
    for (kernel, seconds) in new {
        let entry = best.entry(kernel).or_insert(seconds);
        *entry = entry.min(seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_best_of_all_rounds() {
        let mut best = times("OpenCL: pthread-x\nsaxpy 2e-3\ngemm_tile16 0.5\n");
        keep_best(&mut best, times("saxpy 1e-3\ngemm_tile16 0.75\n"));
        assert_eq!(best, times("saxpy 1e-3\ngemm_tile16 0.5\n"));
        assert_eq!(best.len(), 2);
    }
}
