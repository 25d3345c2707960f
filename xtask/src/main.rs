//! The project's own commands: `cargo xtask --help`.

#[cfg(feature = "bindgen")]
mod bindgen;

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use anyhow::Context;
use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Regenerate hip-sys from the HIP headers
    #[command(disable_help_flag = true)]
    Bindgen {
        /// Passed on: `cargo xtask bindgen --help` lists them
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        rest: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Task::Bindgen { rest } => bindgen_command(rest),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
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
    let status = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "xtask", "--features", "bindgen", "--", "bindgen"])
        .args(rest)
        .status()
        .context("cannot run cargo")?;
    anyhow::ensure!(status.success(), "the bindings were not generated ({status})");
    Ok(())
}
