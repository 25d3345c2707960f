//! The command `vega`: runs programs on a virtual AMD Vega.
//!
//! One file is both the command and the library that it preloads into programs:
//!
//! | module | what it holds |
//! |---|---|
//! | [`start`] | what makes a shared object a program: interpreter and entry point |
//! | [`preload`] | the functions that stand in front of libc's and libdrm's in a preloaded process |
//! | [`cli`] | the command line |
//! | [`run`] | `vega run` |
//! | [`info`] | `vega info` |
//! | [`disasm`] | `vega disasm` |

mod cli;
mod disasm;
mod info;
mod preload;
mod run;
mod start;
mod style;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Run(options) => run::run(&options),
        Command::Info => info::info(),
        Command::Disasm(options) => disasm::disasm(&options),
        Command::Completions { shell } => cli::completions(shell),
        Command::Man => cli::manual(),
    };
    result.unwrap_or_else(|failure| {
        eprintln!("vega: {failure}");
        failure.code()
    })
}
