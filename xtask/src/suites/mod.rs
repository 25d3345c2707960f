//! `cargo xtask distros --suites`: AMD's own test programs, precompiled by Debian, on the virtual card.
//!
//! | file | what it holds |
//! |---|---|
//! | `chosen` | the packages, and which of their programs run |
//! | `gtest` | reads what a GoogleTest program prints |
//! | `outcome` | how a program did, kept as JSON so that an interrupted run goes on |
//! | `program` | runs one program, and the two runs in which it must fail |
//! | `table` | all outcomes, for people and as Markdown |

mod chosen;
mod gtest;
mod outcome;
mod program;
mod table;

use std::collections::VecDeque;
use std::fs;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use clap::Args;

use crate::card::{Profile, build_vega};
use crate::cargo::target_folder;
use crate::chroots::{Chroot, SUITES};
use crate::report::spinner;

use chosen::{PACKAGES, Package};
use outcome::Outcome;
use program::Program;

/// What to run, and for how long.
#[derive(Args)]
pub struct Options {
    /// Run AMD's precompiled test programs of trixie and sid instead
    #[arg(long)]
    pub suites: bool,
    /// Only this package of test programs; may be given several times
    #[arg(long, requires = "suites", value_parser = clap::builder::PossibleValuesParser::new(chosen::names()))]
    package: Vec<String>,
    /// Only programs whose names contain this, also those that are otherwise left out; may be given several times
    #[arg(long, requires = "suites", value_name = "TEXT")]
    program: Vec<String>,
    /// How many programs run at once: each uses every processor
    #[arg(long, requires = "suites", value_name = "N", default_value_t = 1)]
    jobs: usize,
    /// Seconds after which a program is ended; what it has not run counts as failed
    #[arg(long, requires = "suites", value_name = "SECONDS", default_value_t = 1800)]
    limit: u64,
    /// Run all again, also what an earlier run finished
    #[arg(long, requires = "suites")]
    fresh: bool,
}

/// Runs the programs; says whether every case of every program passed.
pub fn run(wanted: &[String], rebuild: bool, options: &Options) -> anyhow::Result<bool> {
    let vega = build_vega(Profile::Release)?;
    let folder = target_folder()?.join("suites");
    let build = outcome::build_of(&vega)?;
    let mut programs = VecDeque::new();
    for suite in SUITES {
        let packages: Vec<&Package> =
            PACKAGES.iter().filter(|package| package.suite == suite.name && options.wants(package)).collect();
        if packages.is_empty() || (!wanted.is_empty() && !wanted.iter().any(|name| name == suite.name)) {
            continue;
        }
        let chroot = Chroot::of(suite, &format!("{}-tests", suite.name))?;
        let progress = spinner(&format!("building a chroot of {}", suite.name));
        // All of the suite's packages, whichever are wanted now: one chroot serves every choice.
        let names = PACKAGES.iter().filter(|package| package.suite == suite.name).map(|package| package.name);
        chroot.make(&names.chain(["rocminfo"]).collect::<Vec<_>>(), rebuild)?;
        chroot.fill(std::slice::from_ref(&vega))?;
        progress.finish_and_clear();
        let chroot = Arc::new(chroot);
        for package in packages {
            for name in package.programs(&chroot)? {
                if package.runs(&name, &options.program) {
                    programs.push_back(Program::new(package, name, chroot.clone(), &folder, &build)?);
                }
            }
        }
    }
    let outcomes = run_all(programs, options)?;
    let table = table::Table::new(&outcomes, &build);
    let markdown = folder.join("table.md");
    fs::write(&markdown, table.markdown()).context("cannot write the table")?;
    print!("\n{table}\nAs Markdown: {}\n", markdown.display());
    Ok(!outcomes.is_empty() && outcomes.iter().all(Outcome::passes))
}

/// Runs the programs on as many threads as there are jobs, and keeps their order.
fn run_all(programs: VecDeque<Program>, options: &Options) -> anyhow::Result<Vec<Outcome>> {
    let total = programs.len();
    let width = programs.iter().map(|program| program.title().len()).max().unwrap_or(0);
    let limit = Duration::from_secs(options.limit);
    let queue = Mutex::new(programs.into_iter().enumerate().collect::<VecDeque<_>>());
    let done = Mutex::new(Vec::new());
    let work = || -> anyhow::Result<()> {
        loop {
            let next = queue.lock().ok().and_then(|mut queue| queue.pop_front());
            let Some((number, program)) = next else { return Ok(()) };
            let progress = spinner(&format!("[{}/{total}] {}", number + 1, program.title()));
            let outcome = match program.earlier().filter(|_| !options.fresh) {
                Some(outcome) => outcome,
                None => program.run(limit)?,
            };
            progress.finish_and_clear();
            println!("[{}/{total}] {:<width$} {}", number + 1, program.title(), outcome.line());
            if let Ok(mut done) = done.lock() {
                done.push((number, outcome));
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..options.jobs.max(1)).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| match worker.join() {
            Ok(done) => done,
            Err(_) => anyhow::bail!("a thread that runs programs panicked"),
        })
    })?;
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(number, _)| *number);
    Ok(done.into_iter().map(|(_, outcome)| outcome).collect())
}

impl Options {
    fn wants(&self, package: &Package) -> bool {
        self.package.is_empty() || self.package.iter().any(|name| name == package.name)
    }
}
