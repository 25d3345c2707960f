//! `hip-smoke`: is this packaged ROCm stack good? Answered without a GPU.
//!
//! | module | what it holds |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`checks`] | the thirty checks, a table |
//! | [`check`], [`verdict`] | what a check is, and what it finds |
//! | [`stack`] | the stack under test: libraries, programs, device |
//! | [`component`], [`packages`], [`loader`], [`elf`] | how the stack's files are found and read |
//! | [`process`] | programs under a limit |
//! | [`root`], [`chroot`] | entering another system, and building one |
//! | [`report`], [`fingerprint`] | what is written |
//! | [`exit`] | the exit status |
#![deny(unsafe_code)]

mod check;
mod checks;
mod chroot;
mod cli;
mod component;
mod elf;
mod exit;
mod fingerprint;
mod loader;
mod packages;
mod process;
mod report;
mod root;
mod stack;
mod verdict;

use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{CommandFactory, Parser};

use check::Check;
use checks::CHECKS;
use cli::{Cli, Command, Options};
use fingerprint::Fingerprint;
use packages::Packages;
use report::Report;
use stack::{Device, Stack};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Some(Command::Completions { shell }) => {
            clap_complete::generate(shell, &mut Cli::command(), "hip-smoke", &mut io::stdout());
            Ok(0)
        }
        Some(Command::Man) => manual(),
        Some(Command::Chroot(options)) => chroot::prepare(&options)
            .and_then(|root| run(&Options { root: Some(root), ..options.options.clone() })),
        None => run(&cli.options),
    };
    match result {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("hip-smoke: {error:#}");
            let usage = error.downcast_ref::<Usage>().is_some();
            ExitCode::from(if usage { exit::USAGE } else { exit::UNJUDGED })
        }
    }
}

/// The command line asks for something that does not exist.
#[derive(Debug)]
struct Usage(String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// Prints the manual page, with the options of every command.
fn manual() -> anyhow::Result<u8> {
    let mut out = io::stdout();
    clap_mangen::Man::new(Cli::command()).render(&mut out)?;
    for command in Cli::command().get_subcommands().filter(|command| !command.is_hide_set()) {
        let name: &'static str = format!("hip-smoke {}", command.get_name()).leak();
        let man = clap_mangen::Man::new(command.clone().name(name));
        man.render_synopsis_section(&mut out)?;
        man.render_options_section(&mut out)?;
    }
    Ok(0)
}

/// The check of a word.
fn named(word: &str) -> anyhow::Result<&'static Check> {
    let found = CHECKS.iter().find(|check| check.is_called(word));
    found.ok_or_else(|| Usage(format!("there is no check {word:?}; --list shows them")).into())
}

/// Does what the options say; the exit status.
fn run(options: &Options) -> anyhow::Result<u8> {
    if options.list {
        for check in CHECKS {
            let needs = if check.device { "device" } else { "files" };
            let slow = if check.slow { "slow" } else { "" };
            println!(
                "{:>2} {:<20} {:<18} {needs:<7} {slow:<5} {}",
                check.number, check.name, check.layer, check.title
            );
        }
        return Ok(0);
    }
    if let Some(word) = &options.explain {
        let check = named(word)?;
        println!("{} {} ({})\n{}\n\n{}", check.number, check.name, check.layer, check.title, check.explain);
        return Ok(0);
    }
    if let Some([before, after]) = options.compare.as_deref() {
        let (text, worse) =
            report::compare::compare(&report::compare::read(before)?, &report::compare::read(after)?);
        print!("{text}");
        return Ok(if worse { exit::FAILED } else { 0 });
    }
    let selected = select(options)?;
    // Before the root changes: a file of the caller's.
    let output: Option<(File, &Path)> = match &options.output {
        Some(path) => {
            Some((File::create(path).with_context(|| format!("cannot write {}", path.display()))?, path))
        }
        None => None,
    };
    let mut vega = find_vega(options);
    let real = fs::metadata("/dev/kfd").is_ok();
    let mut foreign = None;
    if let Some(root) = &options.root {
        root::check(root)?;
        // With this machine's rpm: the root may have none of its own.
        foreign = Some(Packages::read(root, &std::env::temp_dir()));
        let file = vega
            .as_ref()
            .map(|path| fs::read(path).with_context(|| format!("cannot read {}", path.display())));
        let file = file.transpose()?;
        root::enter(root, options.real || (real && !options.r#virtual))?;
        vega = file.map(|bytes| place_vega(&bytes)).transpose()?;
    }
    let device = device(options, real, vega);
    let described = describe(&device);
    let absent = matches!(device, Device::Absent(_));
    let environment = if options.root.is_some() { root::environment() } else { Vec::new() };
    let mut stack = Stack::find(device, options.targets.clone(), environment)?;
    if let Some(packages) = foreign
        && stack.packages.versions.len() < packages.versions.len()
    {
        stack.packages = packages;
    }
    if let Some(problem) = &stack.packages.problem {
        eprintln!("hip-smoke: note: {problem}");
    }
    let verdicts = carry_out(&selected, &stack, options.strict);
    let report = Report {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        fingerprint: Fingerprint::of(&stack),
        device: described,
        verdicts,
    };
    let colour = output.is_none()
        && io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let text = report.render(options.format, colour, options.verbose)?;
    match output {
        Some((mut file, path)) => {
            file.write_all(text.as_bytes())
                .and_then(|()| file.sync_all())
                .with_context(|| format!("cannot write {}", path.display()))?;
            eprintln!("hip-smoke: {}", report.summary());
        }
        None => io::stdout().write_all(text.as_bytes()).context("cannot write the report")?,
    }
    let wanted_device = selected.iter().any(|check| check.device);
    Ok(exit::status(&report.verdicts, absent && wanted_device))
}

/// The checks that the options name.
fn select(options: &Options) -> anyhow::Result<Vec<&'static Check>> {
    let only = options.only.iter().map(|word| named(word)).collect::<anyhow::Result<Vec<_>>>()?;
    let skip = options.skip.iter().map(|word| named(word)).collect::<anyhow::Result<Vec<_>>>()?;
    let is_in = |list: &[&Check], check: &Check| list.iter().any(|other| other.number == check.number);
    let selected: Vec<_> = CHECKS
        .iter()
        .filter(|check| only.is_empty() || is_in(&only, check))
        .filter(|check| !is_in(&skip, check))
        .filter(|check| !(options.quick && check.slow && only.is_empty()))
        .collect();
    if selected.is_empty() {
        bail!(Usage("no check is left to carry out".to_owned()));
    }
    Ok(selected)
}

/// The file `vega`: named, beside this program, in PATH.
fn find_vega(options: &Options) -> Option<PathBuf> {
    if let Some(vega) = &options.vega {
        return Some(vega.canonicalize().unwrap_or_else(|_| vega.clone()));
    }
    let own = std::env::current_exe().ok().and_then(|path| Some(path.parent()?.join("vega")));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let beside = own.into_iter();
    let found = beside
        .chain(std::env::split_paths(&path).map(|folder| folder.join("vega")))
        .find(|file| stack::is_executable(file));
    found.and_then(|file| file.canonicalize().ok())
}

/// Puts `vega` into the root's private /tmp.
fn place_vega(bytes: &[u8]) -> anyhow::Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let path = PathBuf::from("/tmp/vega");
    fs::write(&path, bytes).context("cannot write vega into the root's /tmp")?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

fn device(options: &Options, real: bool, vega: Option<PathBuf>) -> Device {
    if options.real || (real && !options.r#virtual) {
        if real { Device::Real } else { Device::Absent("this machine has no /dev/kfd".to_owned()) }
    } else {
        match vega.map(|vega| starts(&vega).map(|()| vega)) {
            Some(Ok(vega)) => Device::Virtual(vega),
            Some(Err(why)) => Device::Absent(why),
            None => Device::Absent(
                "the file vega is neither beside hip-smoke nor in PATH; give --vega".to_owned(),
            ),
        }
    }
}

/// Whether `vega` starts in this root. Unlike this program it is loaded by the root's C library.
fn starts(vega: &Path) -> Result<(), String> {
    let output = std::process::Command::new(vega).arg("--version").output();
    let why = match output {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    Err(format!("{} does not start in this root, it needs glibc 2.34 there: {why}", vega.display()))
}

fn describe(device: &Device) -> String {
    match device {
        Device::Real => "the card of this machine".to_owned(),
        Device::Virtual(_) => "a virtual Vega (gfx900)".to_owned(),
        Device::Absent(why) => format!("no device: {why}"),
    }
}

/// Carries the checks out, with progress on a terminal.
fn carry_out(selected: &[&'static Check], stack: &Stack, strict: bool) -> Vec<verdict::Verdict> {
    let bar = indicatif::ProgressBar::new(selected.len() as u64);
    bar.set_style(
        indicatif::ProgressStyle::with_template("{spinner} {pos}/{len} {msg} ({elapsed})")
            .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar()),
    );
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    let verdicts = selected
        .iter()
        .map(|check| {
            bar.set_message(check.title);
            let verdict = check.verdict(stack, strict);
            bar.inc(1);
            verdict
        })
        .collect();
    bar.finish_and_clear();
    verdicts
}
