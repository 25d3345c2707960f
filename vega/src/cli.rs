//! The command line.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

/// Runs programs on a virtual AMD Vega: the kernel driver's interface and a gfx900 that executes machine
/// code, below an unmodified ROCm.
#[derive(Debug, Parser)]
#[command(name = "vega", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a program that finds a virtual Vega.
    Run(RunOptions),
    /// Say what the virtual card is and how it works on this machine.
    Info,
    /// List the kernels of a file, or disassemble them.
    Disasm(DisasmOptions),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// `vega run`.
#[derive(Debug, Args)]
#[command(after_help = "The exit status is the program's: 127 if it does not exist, 126 if it cannot be \
    executed, 125 if vega itself fails.\n\nHIP_VISIBLE_DEVICES=-1 hides the card, as it hides a real one.\n\n\
    Environment, also for programs that run with this file in LD_PRELOAD:\n  \
    VEGA_GPUS=N            number of cards\n  \
    VEGA_LARGE_BAR=1       the CPU can access all of VRAM\n  \
    VEGA_THREADS=N         host threads that execute kernels\n  \
    VEGA_VRAM_MIB=N        VRAM of each card\n  \
    VEGA_DOORBELL=WAY      how doorbells are noticed: uffd, trap or poll\n  \
    VEGA_TRACE_IOCTL=1     print every ioctl of the runtime")]
pub struct RunOptions {
    /// Use the real card if there is a /dev/kfd.
    #[arg(long)]
    pub if_no_gpu: bool,
    /// Number of virtual cards.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=16))]
    pub gpus: Option<u32>,
    /// Let the CPU access all of VRAM (resizable BAR).
    #[arg(long)]
    pub large_bar: bool,
    /// Host threads that execute kernels [default: one per CPU].
    #[arg(long, value_name = "N")]
    pub threads: Option<u32>,
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// `vega disasm`.
#[derive(Debug, Args)]
pub struct DisasmOptions {
    /// A code object, an offload bundle, or a program or library that holds one.
    pub file: PathBuf,
    /// Disassemble this kernel; `all` for all of them. Without it the kernels are listed.
    pub kernel: Option<String>,
}

/// Prints a completion script.
pub fn completions(shell: Shell) -> Result<ExitCode, Failure> {
    clap_complete::generate(shell, &mut Cli::command(), "vega", &mut io::stdout());
    Ok(ExitCode::SUCCESS)
}

/// Why the command failed.
#[derive(Debug)]
pub enum Failure {
    /// The program to run does not exist.
    NotFound(String),
    /// It exists and cannot be executed.
    NotExecutable(String),
    /// `vega run` cannot do its work.
    Run(String),
    /// Any other command cannot.
    Other(String),
}

impl Failure {
    /// The exit status, with the meanings that env(1) has.
    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Failure::NotFound(_) => 127,
            Failure::NotExecutable(_) => 126,
            Failure::Run(_) => 125,
            Failure::Other(_) => 1,
        })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NotFound(text)
            | Failure::NotExecutable(text)
            | Failure::Run(text)
            | Failure::Other(text) => f.write_str(text),
        }
    }
}
