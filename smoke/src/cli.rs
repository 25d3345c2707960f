//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// Is this packaged ROCm stack good? Thirty checks of what is installed: some need nothing but the files, the others
/// run on the card there is, or on the virtual Vega.
#[derive(Debug, Parser)]
#[command(name = "hip-smoke", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
#[command(after_help = "Exit status, the first line that matches:\n  \
    2   the command line is wrong\n  \
    3   nothing could be judged, or the root is damaged\n  \
    1   a check failed\n  \
    77  a device is required and absent, and nothing failed\n  \
    3   a check could not be carried out\n  \
    0   at least one check passed and none failed")]
pub struct Cli {
    /// What to do instead of checking this system.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to check.
    #[command(flatten)]
    pub options: Options,
}

/// Commands beside checking.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Build a clean chroot with mmdebstrap (or take a folder that is one) and check the stack in it
    Chroot(Box<Chroot>),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

/// `hip-smoke chroot`.
#[derive(Debug, Args)]
pub struct Chroot {
    /// A suite of Debian or Ubuntu (trixie, sid, noble, …), or a folder that holds a system
    pub suite: String,
    /// Packages to install
    #[arg(long, value_delimiter = ',', default_value = "rocminfo,hipcc,libamdhip64-dev,file,kmod")]
    pub packages: Vec<String>,
    /// Where packages come from (default: mmdebstrap's)
    #[arg(long)]
    pub mirror: Option<String>,
    /// An option for apt; may be given several times
    #[arg(long)]
    pub aptopt: Vec<String>,
    /// Where chroots are kept for the next run (default: the user's cache folder)
    #[arg(long)]
    pub cache: Option<PathBuf>,
    /// Build the chroot again even if it is there
    #[arg(long)]
    pub rebuild: bool,
    /// How to check.
    #[command(flatten)]
    pub options: Options,
}

/// How to check.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Use the virtual Vega
    #[arg(long, group = "device", help_heading = "Device")]
    pub r#virtual: bool,
    /// Use the card of this machine
    #[arg(long, group = "device", help_heading = "Device")]
    pub real: bool,
    /// Use the card of this machine if there is one, else the virtual Vega (the default)
    #[arg(long, group = "device", help_heading = "Device")]
    pub auto: bool,
    /// The file `vega` (default: beside this program, then in PATH)
    #[arg(long, value_name = "FILE", help_heading = "Device")]
    pub vega: Option<PathBuf>,
    /// Processors that the distribution builds for; test programs are compiled for the first one
    #[arg(
        long = "target",
        value_name = "GFX",
        value_delimiter = ',',
        default_value = "gfx900",
        help_heading = "Device"
    )]
    pub targets: Vec<String>,
    /// Check the system below this folder, in a mount namespace of its own
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Only these checks, by name or number
    #[arg(long, value_delimiter = ',', value_name = "CHECK", help_heading = "Checks")]
    pub only: Vec<String>,
    /// Not these checks
    #[arg(long, value_delimiter = ',', value_name = "CHECK", help_heading = "Checks")]
    pub skip: Vec<String>,
    /// Leave out the slow checks: the compile corpus, every header, every fat binary
    #[arg(long, help_heading = "Checks")]
    pub quick: bool,
    /// Defects with little consequence are failures, too
    #[arg(long, help_heading = "Checks")]
    pub strict: bool,
    /// List the checks
    #[arg(long, help_heading = "Checks")]
    pub list: bool,
    /// Explain a check
    #[arg(long, value_name = "CHECK", help_heading = "Checks")]
    pub explain: Option<String>,
    /// How the report is written
    #[arg(long, value_enum, default_value = "table", help_heading = "Report")]
    pub format: Format,
    /// Write the report here instead of to standard output
    #[arg(long, short, value_name = "FILE", help_heading = "Report")]
    pub output: Option<PathBuf>,
    /// Show what passed, too
    #[arg(long, short, help_heading = "Report")]
    pub verbose: bool,
    /// Compare two JSON reports: what changed between the stacks, and which verdicts changed with it
    #[arg(long, num_args = 2, value_names = ["A.json", "B.json"], help_heading = "Report")]
    pub compare: Option<Vec<PathBuf>>,
}

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// Everything, for --compare and other programs
    Json,
    /// JUnit XML
    Junit,
    /// TAP, version 14
    Tap,
}
