//! `cargo xtask bench`: the virtual Vega against PoCL, Rust and OpenBLAS, the same kernels, in turns.
//!
//! | module | what it holds |
//! |---|---|
//! | `table` | ratios, bounds, and how they are printed |
//! | `plot` | pictures of them |

mod plot;
mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;

use crate::card::{Card, Profile, build_vega};
use crate::cargo::{build, root, target_folder};
use crate::process::{self, tail};

/// What is measured, and where the result goes.
#[derive(Args)]
pub struct Options {
    /// Fewer sizes, shorter, once
    #[arg(long)]
    quick: bool,
    /// How often each side is measured [default: 3, or 1 with --quick]
    #[arg(long)]
    rounds: Option<usize>,
    /// Only rows whose name begins so, as gemm_tile16/f32
    #[arg(long)]
    only: Option<String>,
    /// Put the table into README.md and the plots into docs/bench/
    #[arg(long)]
    write: bool,
}

/// Seconds by row.
type Times = BTreeMap<String, f64>;

/// Seconds by side and row.
pub type Measured = BTreeMap<&'static str, Times>;

/// Who runs the kernels.
struct Side {
    name: &'static str,
    /// The argument of the program that measures.
    argument: &'static str,
    /// Only these rows.
    rows: Option<&'static str>,
    /// In the first round only.
    once: bool,
    environment: &'static [(&'static str, &'static str)],
}

impl Side {
    const fn new(
        name: &'static str,
        argument: &'static str,
        environment: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { name, argument, rows: None, once: false, environment }
    }
}

/// All sides, in the order of a round.
const SIDES: &[Side] = &[
    Side::new("vega-1", "hip", &[("VEGA_THREADS", "1")]),
    Side::new("pocl-1", "opencl", &[("POCL_MAX_PTHREAD_COUNT", "1"), ("POCL_CPU_MAX_CU_COUNT", "1")]),
    Side::new("vega-2", "hip", &[("VEGA_THREADS", "2")]),
    Side::new("pocl-2", "opencl", &[("POCL_MAX_PTHREAD_COUNT", "2"), ("POCL_CPU_MAX_CU_COUNT", "2")]),
    Side { once: true, ..Side::new("rust-1", "native", &[]) },
    Side { once: true, ..Side::new("blas-1", "blas", &[("OPENBLAS_NUM_THREADS", "1")]) },
    Side {
        once: true,
        rows: Some("--interpreted"),
        ..Side::new("interpreter-1", "hip", &[("VEGA_THREADS", "1"), ("VEGA_ENGINE", "interpreter")])
    },
    Side {
        once: true,
        rows: Some("gemm"),
        ..Side::new("avx2-1", "hip", &[("VEGA_THREADS", "1"), ("VEGA_ENGINE", "avx2")])
    },
];

/// What a side says whose engine this host does not have.
const NO_ENGINE: &str = "VEGA_ENGINE is ignored";

/// Measures all sides; says whether everything is as fast as it must be.
pub fn run(options: &Options) -> anyhow::Result<bool> {
    let card = Card::detect(&build_vega(Profile::Release)?);
    let built = build("bench", &["--package", "hip-benches", "--bench", "compare", "--no-run"])?;
    let program = &built.first().context("cargo built no bench")?.executable;
    let rounds = options.rounds.unwrap_or(if options.quick { 1 } else { 3 });
    let mut measured = Measured::new();
    for round in 0..rounds {
        for side in SIDES.iter().filter(|side| round == 0 || !side.once) {
            eprintln!("round {} of {rounds}: {}", round + 1, side.name);
            let times = measure(side, options, &card, program)?;
            keep_best(measured.entry(side.name).or_default(), times);
        }
    }
    let table = table::Table::new(&measured);
    println!("{}\n{}", headline(&card, rounds), table.text());
    let (text, holds) = table::bounds(&measured);
    println!("{text}");
    if options.write {
        let text = format!("{}\n\n{}", headline(&card, rounds), table.markdown());
        write(&text, &measured)?;
    }
    Ok(holds)
}

fn measure(side: &Side, options: &Options, card: &Card, program: &Path) -> anyhow::Result<Times> {
    let mut command = if side.argument == "hip" { card.command(program) } else { Command::new(program) };
    // OpenBLAS chooses its fastest kernels when nobody tells it which.
    command.arg(side.argument).envs(side.environment.iter().copied()).env_remove("OPENBLAS_CORETYPE");
    if options.quick {
        command.arg("--quick");
    }
    command.args(side.rows).args(options.only.as_ref().filter(|_| side.rows != Some("gemm")));
    let log = target_folder()?.join("bench-logs").join(format!("{}.log", side.name));
    let done = process::run(&mut command, Duration::from_secs(1200), &log)?;
    ensure!(done.end.success(), "{}: {}\n{}", side.name, done.end, tail(&done.output, 30));
    if done.output.contains(NO_ENGINE) {
        return Ok(Times::new());
    }
    Ok(times(&done.output))
}

/// What was measured, on what: seconds of the virtual card are the host's.
fn headline(card: &Card, rounds: usize) -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        cpu.lines().find_map(|line| line.strip_prefix(name)?.trim().strip_prefix(':')).map(str::trim)
    };
    let wide = field("flags").is_some_and(|flags| flags.contains("avx512f"));
    let time = if card.is_virtual() { "*virtual* time: how fast the card is emulated" } else { "time" };
    format!(
        "{time}; {}{}, {} processors; the shortest of {rounds} {}",
        field("model name").unwrap_or("a CPU"),
        if wide { " with AVX-512" } else { "" },
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        if rounds == 1 { "round" } else { "rounds in turns" },
    )
}

/// Reads lines `row seconds`.
fn times(output: &str) -> Times {
    let pair = |line: &str| {
        let (row, seconds) = line.split_once(' ')?;
        Some((row.to_owned(), seconds.trim().parse().ok()?)).filter(|_| row.contains('/'))
    };
    output.lines().filter_map(pair).collect()
}

fn keep_best(best: &mut Times, new: Times) {
    for (row, seconds) in new {
        let entry = best.entry(row).or_insert(seconds);
        *entry = entry.min(seconds);
    }
}

/// Around the table in README.md.
const MARKS: [&str; 2] = ["<!-- cargo xtask bench --write -->\n", "<!-- end of the table -->\n"];

fn write(text: &str, measured: &Measured) -> anyhow::Result<()> {
    let readme = root().join("README.md");
    let old = fs::read_to_string(&readme)?;
    let (before, rest) = old.split_once(MARKS[0]).context("README.md has no place for the table")?;
    let (_, after) = rest.split_once(MARKS[1]).context("README.md has no place for the table")?;
    let folder = root().join("docs/bench");
    fs::create_dir_all(&folder)?;
    let mut text = text.to_owned();
    for (name, picture) in plot::all(measured) {
        fs::write(folder.join(name), picture)?;
        text += &format!("\n![{name}](docs/bench/{name})\n");
    }
    fs::write(&readme, format!("{before}{}{text}\n{}{after}", MARKS[0], MARKS[1]))?;
    println!("README.md and {} are written", folder.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_best_of_all_rounds() {
        let mut best = times("OpenCL: pthread-x\nsaxpy/f32/16 2e-3\ngemm/f32/16 0.5\n");
        keep_best(&mut best, times("saxpy/f32/16 1e-3\ngemm/f32/16 0.75\n"));
        assert_eq!(best, times("saxpy/f32/16 1e-3\ngemm/f32/16 0.5\n"));
        assert_eq!(best.len(), 2);
    }
}
