//! The project's own commands: `cargo xtask --help`.

#[cfg(feature = "bindgen")]
mod bindgen;
mod card;
mod cargo;
mod chroots;
mod compare;
mod demo;
mod distro;
mod distros;
mod glibc;
mod install;
mod needs;
mod packaging;
mod process;
mod report;
mod setup;
mod smoke;
mod snippets;
mod stress;
mod suite;
mod suites;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use card::{Card, Profile, build_vega};
use needs::Stage;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run SAXPY and GEMM on the card there is, or on the virtual one
    Demo(Install),
    /// Run every test
    Test(Install),
    /// Install the packages that demo and test need
    Setup(Install),
    /// Build clean chroots of Debian suites and run the virtual Vega on their packages
    Distros {
        #[command(flatten)]
        install: Install,
        /// Only this suite; may be given several times
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(chroots::suite_names()))]
        suite: Vec<String>,
        /// Build the chroots again even if they are there
        #[arg(long)]
        rebuild: bool,
        #[command(flatten)]
        options: suites::Options,
    },
    /// Run one small HIP program many times: no hang, no wrong byte, nothing left behind
    Stress {
        /// How often
        #[arg(long, default_value_t = 1000)]
        runs: u32,
    },
    /// Compare the virtual Vega with PoCL, Rust and OpenBLAS on the same kernels
    Bench {
        #[command(flatten)]
        install: Install,
        #[command(flatten)]
        options: compare::Options,
    },
    /// Check that the `vega` file needs no newer glibc symbols than old chroots have
    GlibcCheck {
        /// The file; without it, a release build
        file: Option<PathBuf>,
    },
    /// Install vega and hip-smoke with manual pages and completions
    Install(install::Options),
    /// Run hip-smoke in clean chroots of Debian suites: minimal packages, libraries, and each library broken
    Smoke {
        #[command(flatten)]
        install: Install,
        /// Only this suite; may be given several times
        #[arg(long, value_parser = clap::builder::PossibleValuesParser::new(chroots::suite_names()))]
        suite: Vec<String>,
        /// Only this part; may be given several times
        #[arg(long)]
        part: Vec<smoke::Part>,
        /// Build the chroots again even if they are there
        #[arg(long)]
        rebuild: bool,
    },
    /// Build and install as distributions do (as nobody, offline, vendored), and run the snippets with their own tools
    Packaging(Install),
    /// Regenerate hip-sys from the HIP headers
    #[command(disable_help_flag = true)]
    Bindgen {
        /// Passed on: `cargo xtask bindgen --help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<OsString>,
    },
}

#[derive(Args)]
struct Install {
    /// Never install packages: fail, with the command that would install what is missing
    #[arg(long)]
    no_install: bool,
}

impl Install {
    fn ensure(&self, stages: &[Stage]) -> anyhow::Result<()> {
        setup::ensure_installed(stages, !self.no_install)
    }
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one command; says whether what it checked holds.
fn run(task: Task) -> anyhow::Result<bool> {
    match task {
        Task::Demo(install) => {
            install.ensure(&[Stage::Demo])?;
            demo::run()?;
        }
        Task::Test(install) => {
            install.ensure(&[Stage::Test])?;
            return suite::run();
        }
        Task::Setup(install) => install.ensure(&[Stage::Test])?,
        Task::Distros { install, suite, rebuild, options } if options.suites => {
            install.ensure(&[Stage::Distros])?;
            return suites::run(&suite, rebuild, &options);
        }
        Task::Distros { install, suite, rebuild, .. } => {
            install.ensure(&[Stage::Demo, Stage::Distros])?;
            return distros::run(&suite, rebuild);
        }
        Task::Stress { runs } => {
            let card = Card::detect(&build_vega(Profile::Release)?);
            let built =
                cargo::build("build", &["--package", "hip-vega", "--release", "--example", stress::EXAMPLE])?;
            let example = built.first().context("cargo built no example")?;
            println!("{}", stress::run(&card, &example.executable, runs)?);
        }
        Task::Bench { install, options } => {
            install.ensure(&[Stage::Demo, Stage::Bench])?;
            return compare::run(&options);
        }
        Task::GlibcCheck { file } => {
            let file = file.map_or_else(|| build_vega(Profile::Release), Ok)?;
            let glibc::Version(major, minor) = glibc::check(&file)?;
            println!("{} needs glibc {major}.{minor}", file.display());
        }
        Task::Smoke { install, suite, part, rebuild } => {
            install.ensure(&[Stage::Demo, Stage::Distros])?;
            return smoke::run(&suite, &part, rebuild);
        }
        Task::Packaging(install) => {
            install.ensure(&[Stage::Test, Stage::Packaging, Stage::Distros])?;
            return packaging::run();
        }
        Task::Install(options) => install::run(&options)?,
        Task::Bindgen { rest } => bindgen_command(rest)?,
    }
    Ok(true)
}

/// Generates the bindings, in a build of this program that has bindgen in it.
#[cfg(feature = "bindgen")]
fn bindgen_command(rest: Vec<OsString>) -> anyhow::Result<()> {
    let name = OsString::from("cargo xtask bindgen");
    bindgen::run(&bindgen::Options::parse_from(std::iter::once(name).chain(rest)))
}

/// Builds this program again, with bindgen, and hands the command over to it.
#[cfg(not(feature = "bindgen"))]
fn bindgen_command(rest: Vec<OsString>) -> anyhow::Result<()> {
    let status = cargo::cargo()
        .args(["run", "--quiet", "--package", "xtask", "--features", "bindgen", "--", "bindgen"])
        .args(rest)
        .status()
        .context("cannot run cargo")?;
    anyhow::ensure!(status.success(), "the bindings were not generated ({status})");
    Ok(())
}
