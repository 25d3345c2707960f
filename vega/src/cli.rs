//! The command line.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use vega_kfd::settings::{self, EngineKind, Schedule, Selection};

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
    /// Print the manual page.
    #[command(hide = true)]
    Man,
}

/// `vega run`.
#[derive(Debug, Args)]
#[command(after_help = "The exit status is the program's: 127 if it does not exist, 126 if it cannot be \
    executed, 125 if vega itself fails.\n\nHIP_VISIBLE_DEVICES=-1 hides the card, as it hides a real one.\n\n\
    Environment, also for programs that run with this file in LD_PRELOAD:\n  \
    VEGA_GPUS=N              --gpus\n  \
    VEGA_LARGE_BAR=1         --large-bar\n  \
    VEGA_ENGINE=ENGINE       --engine\n  \
    VEGA_EAGER=1             kernels are compiled before they run for the first time\n  \
    VEGA_THREADS=N           --threads\n  \
    VEGA_VRAM_MIB=N          VRAM of each card\n  \
    VEGA_DOORBELL=WAY        how doorbells are noticed: uffd, trap or poll\n  \
    VEGA_SPIN=1              HIP's waits spin, as beside a card, instead of sleeping\n  \
    VEGA_WATCHDOG=SECONDS    --watchdog\n  \
    VEGA_CHECK=lds           --check\n  \
    VEGA_SCHEDULE=ORDER      --schedule\n  \
    VEGA_STATS=1             --stats\n  \
    VEGA_TRACE=FILE          --trace; VEGA_TRACE_KERNEL, _WORKGROUPS, _WAVES, _LANES and _MIB choose\n  \
    VEGA_TRACE_IOCTL=1       print every ioctl of the runtime")]
pub struct RunOptions {
    /// Use the real card if there is a /dev/kfd.
    #[arg(long, help_heading = CARDS)]
    pub if_no_gpu: bool,
    /// Number of virtual cards.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=16), help_heading = CARDS)]
    pub gpus: Option<u32>,
    /// Let the CPU access all of VRAM (resizable BAR).
    #[arg(long, help_heading = CARDS)]
    pub large_bar: bool,
    /// What executes kernels: interpreter, avx2 or avx512, if this host has it [default: the last of these that it has].
    #[arg(long, value_name = "ENGINE", value_parser = settings::engine, help_heading = CARDS)]
    pub engine: Option<EngineKind>,
    /// Host threads that execute kernels [default: one per CPU].
    #[arg(long, value_name = "N", help_heading = CARDS)]
    pub threads: Option<u32>,
    /// End a kernel that runs for longer, and report where it is.
    #[arg(long, value_name = "SECONDS", value_parser = settings::seconds, help_heading = FAULTS)]
    pub watchdog: Option<Duration>,
    /// Report what a card lets pass: lds, accesses beyond the workgroup's LDS.
    #[arg(long, value_name = "WHAT", value_parser = check, help_heading = FAULTS)]
    pub check: Option<String>,
    /// Execute in an order that can be repeated: fixed, random or random:SEED. One worker; clocks count
    /// instructions. Random orders show races.
    #[arg(long, value_name = "ORDER", value_parser = settings::schedule, help_heading = FAULTS)]
    pub schedule: Option<Schedule>,
    /// Print what was executed when the program ends: instructions by kernel, class and opcode, and
    /// how many of them ran in compiled code.
    #[arg(long, help_heading = OBSERVATION)]
    pub stats: bool,
    /// Write the executed instructions of waves to a file, and what each wrote to registers.
    #[arg(long, value_name = "FILE", help_heading = OBSERVATION)]
    pub trace: Option<PathBuf>,
    /// Only kernels whose name contains this.
    #[arg(long, value_name = "NAME", requires = "trace", help_heading = OBSERVATION)]
    pub trace_kernel: Option<String>,
    /// Only these workgroups, numbered along x, then y, then z: 0,2,8-11.
    #[arg(long, value_name = "LIST", requires = "trace", help_heading = OBSERVATION)]
    pub trace_workgroups: Option<Selection>,
    /// Only these waves of a workgroup.
    #[arg(long, value_name = "LIST", requires = "trace", help_heading = OBSERVATION)]
    pub trace_waves: Option<Selection>,
    /// Lanes whose vector registers are shown [default: 0].
    #[arg(long, value_name = "LIST", requires = "trace", help_heading = OBSERVATION)]
    pub trace_lanes: Option<Selection>,
    /// The trace's greatest size [default: 64].
    #[arg(long, value_name = "MIB", requires = "trace", help_heading = OBSERVATION)]
    pub trace_mib: Option<u32>,
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// Headings of `vega run --help`.
const CARDS: &str = "Cards";
const FAULTS: &str = "Finding faults";
const OBSERVATION: &str = "Observation";

fn check(text: &str) -> Result<String, String> {
    settings::check(text).map(|()| text.to_owned())
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

/// Prints the manual page, with every subcommand's options.
pub fn manual() -> Result<ExitCode, Failure> {
    let failed = |error: io::Error| Failure::Other(format!("cannot write the manual page: {error}"));
    let mut out = io::stdout();
    clap_mangen::Man::new(Cli::command()).render(&mut out).map_err(failed)?;
    for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
        let name: &'static str = format!("vega {}", command.get_name()).leak();
        let man = clap_mangen::Man::new(command.clone().name(name));
        man.render_synopsis_section(&mut out).map_err(failed)?;
        man.render_options_section(&mut out).map_err(failed)?;
    }
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
