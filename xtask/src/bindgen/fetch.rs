//! Downloading header packages with the machine's own clients: apt with a configuration of its own, and pip.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::sets::{Package, Release};

/// Where Debian keeps the keys of its archive.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Brings a release's headers to `headers/NAME/include`.
pub fn fetch(release: &Release, headers: &Path) -> Result<()> {
    let work = headers.join("download").join(release.name);
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(&work)?;
    let unpacked = match release.package {
        Package::Debian { suite, name } => debian(suite, name, &work)?,
        Package::Wheel { requirement, folder } => wheel(requirement, folder, &work)?,
    };
    let home = headers.join(release.name);
    if home.exists() {
        fs::remove_dir_all(&home)?;
    }
    fs::create_dir_all(&home)?;
    fs::rename(&unpacked, home.join("include")).context("cannot move the headers")?;
    fs::remove_dir_all(&work)?;
    ensure!(
        release.present(headers).is_some(),
        "the package that should have the headers of HIP {} has another version now",
        release.name
    );
    Ok(())
}

/// Downloads and unpacks a package of a suite that this machine need not have configured.
fn debian(suite: &str, name: &str, work: &Path) -> Result<PathBuf> {
    let apt = work.join("apt");
    for folder in
        ["etc/apt.conf.d", "etc/preferences.d", "etc/sources.list.d", "state/lists/partial", "cache"]
    {
        fs::create_dir_all(apt.join(folder))?;
    }
    fs::create_dir_all(apt.join("cache/archives/partial"))?;
    fs::write(apt.join("status"), "")?;
    let mirror = crate::chroots::mirror()?;
    let signed = if Path::new(KEYRING).is_file() { format!("[signed-by={KEYRING}] ") } else { String::new() };
    fs::write(apt.join("etc/sources.list"), format!("deb {signed}{mirror} {suite} main\n"))?;
    let options: Vec<String> = [
        ("Dir::Etc", "etc"),
        ("Dir::State", "state"),
        ("Dir::Cache", "cache"),
        ("Dir::State::status", "status"),
    ]
    .iter()
    .map(|(key, folder)| format!("{key}={}", apt.join(folder).display()))
    .chain(["Acquire::Languages=none".to_owned(), "APT::Sandbox::User=".to_owned()])
    .collect();
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.current_dir(work).arg("-qq");
        for option in &options {
            command.args(["-o", option]);
        }
        run(command.args(arguments))
    };
    apt_get(&["update"])?;
    apt_get(&["download", name])?;
    let package = only_file(work, "deb")?;
    let root = work.join("root");
    run(Command::new("dpkg-deb").arg("-x").arg(package).arg(&root))?;
    Ok(root.join("usr/include"))
}

/// Downloads a wheel and unpacks one folder of it.
fn wheel(requirement: &str, folder: &str, work: &Path) -> Result<PathBuf> {
    const UNPACK: &str = "import sys, zipfile\n\
        wheel = zipfile.ZipFile(sys.argv[1])\n\
        wheel.extractall(sys.argv[2], [n for n in wheel.namelist() if n.startswith(sys.argv[3] + '/')])";
    run(Command::new("python3")
        .args(["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest"])
        .arg(work)
        .arg(requirement))?;
    let package = only_file(work, "whl")?;
    let root = work.join("root");
    run(Command::new("python3").args(["-c", UNPACK]).arg(package).arg(&root).arg(folder))?;
    Ok(root.join(folder))
}

/// The one file with this extension.
fn only_file(folder: &Path, extension: &str) -> Result<PathBuf> {
    let found = fs::read_dir(folder)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|found| found == extension));
    found.with_context(|| format!("no .{extension} file came"))
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {:?}", command.get_program()))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}
