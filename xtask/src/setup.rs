//! Installs what is missing: prints the exact command first, asks on a terminal, goes ahead without one.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::distro::{Distro, Family};
use crate::needs::{Libraries, NEEDS, Need, Stage};
use crate::process::in_path;

/// Makes sure that what `stages` need is there. With `install` false it only looks, and fails with the command that
/// would have been run.
pub fn ensure_installed(stages: &[Stage], install: bool) -> anyhow::Result<()> {
    let libraries = Libraries::here();
    let missing: Vec<&Need> = NEEDS
        .iter()
        .filter(|need| stages.iter().any(|stage| need.of(*stage)) && !need.met(&libraries))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let distro = Distro::here();
    println!("Missing on {}:", distro.name);
    for need in &missing {
        println!("  {}", need.what);
    }
    let Some(manager) = distro.manager() else {
        bail!(
            "{}: the packages of this distribution are not known; install these things by hand",
            distro.name
        );
    };
    let packages = packages(&missing, manager.family);
    let update = manager.update.filter(|_| !packages.iter().all(|package| known(manager.family, package)));
    let commands: Vec<Vec<&str>> = update
        .map(<[&str]>::to_vec)
        .into_iter()
        .chain([manager.install.iter().chain(&packages).copied().collect()])
        .map(|command| as_root(is_root(), command))
        .collect();
    let note = if distro.tested() { "" } else { "   (untested on this distribution)" };
    println!("The command that installs them{note}:");
    for command in &commands {
        println!("  {}", command.join(" "));
    }
    ensure!(install, "not installed, as --no-install asks");
    ensure!(is_root() || in_path("sudo"), "neither root nor sudo: run the command above as root");
    if !agreed()? {
        bail!("not installed");
    }
    for command in commands {
        run(&command)?;
    }
    let libraries = Libraries::here();
    let still: Vec<&str> =
        missing.iter().filter(|need| !need.met(&libraries)).map(|need| need.what).collect();
    ensure!(
        still.is_empty(),
        "the packages are installed, but these are still missing: {}",
        still.join(", ")
    );
    Ok(())
}

/// The packages for these needs, each once, in the table's order.
fn packages(missing: &[&Need], family: Family) -> Vec<&'static str> {
    let mut all = Vec::new();
    for package in missing.iter().flat_map(|need| need.packages(family)) {
        if !all.contains(package) {
            all.push(*package);
        }
    }
    all
}

/// Whether the package lists of this machine know the package (a fresh container has no lists).
fn known(family: Family, package: &str) -> bool {
    family != Family::Debian
        || Command::new("apt-cache")
            .args(["show", "--no-all-versions", package])
            .output()
            .is_ok_and(|output| output.status.success() && !output.stdout.is_empty())
}

/// The command, through sudo for those who are not root.
fn as_root(root: bool, command: Vec<&str>) -> Vec<&str> {
    if root { command } else { std::iter::once("sudo").chain(command).collect() }
}

/// Whether this process may install: root's own user id in /proc/self/status.
pub fn is_root() -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        status
            .lines()
            .find_map(|line| line.strip_prefix("Uid:"))
            .and_then(|ids| ids.split_whitespace().nth(1))
            .is_some_and(|effective| effective == "0")
    })
}

/// Asks on a terminal; without one the answer is yes.
fn agreed() -> anyhow::Result<bool> {
    if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        return Ok(true);
    }
    print!("Go ahead? [Y/n] ");
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "" | "y" | "Y" | "yes"))
}

fn run(command: &[&str]) -> anyhow::Result<()> {
    let (program, arguments) = command.split_first().context("an empty command")?;
    let status =
        Command::new(program).args(arguments).status().with_context(|| format!("cannot run {program}"))?;
    ensure!(status.success(), "{}: {status}", command.join(" "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_each_package_once() {
        let demo: Vec<&Need> = NEEDS.iter().filter(|need| need.of(Stage::Demo)).collect();
        assert_eq!(packages(&demo, Family::Debian), ["libamdhip64-dev", "hipcc", "file", "rocminfo"]);
        assert_eq!(packages(&demo, Family::Arch), ["hip-runtime-amd", "file", "rocminfo"]);
    }

    #[test]
    fn goes_through_sudo_only_for_those_who_are_not_root() {
        assert_eq!(as_root(true, vec!["apt-get", "update"]), ["apt-get", "update"]);
        assert_eq!(as_root(false, vec!["apt-get", "update"]), ["sudo", "apt-get", "update"]);
    }
}
