//! Clean chroots of Debian's suites.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::cargo::target_folder;
use crate::process::{self, tail};
use crate::setup::is_root;

/// A suite of Debian, and what was found in it when this was written.
pub struct Suite {
    /// Its name.
    pub name: &'static str,
    /// The runtime that it has.
    pub stack: &'static str,
    /// Options for apt. A mirror that is a snapshot serves unstable's index beyond its date of expiry.
    apt: &'static [&'static str],
}

/// The suites.
pub const SUITES: &[Suite] = &[
    Suite { name: "bookworm", stack: "HIP 5.2.3", apt: &[] },
    Suite { name: "trixie", stack: "HIP 5.7.1", apt: &[] },
    Suite { name: "sid", stack: "HIP 6.4.3", apt: &["Acquire::Check-Valid-Until \"false\""] },
];

/// The names of the suites, for the command line.
pub fn suite_names() -> impl Iterator<Item = &'static str> {
    SUITES.iter().map(|suite| suite.name)
}

/// What a chroot does not need: a third of its size.
const LEFT_OUT: &[&str] = &["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"];

/// Where things are put inside a chroot.
const INSIDE: &str = "/opt/vega";

/// A chroot, built or not.
pub struct Chroot {
    suite: &'static Suite,
    folder: PathBuf,
}

impl Chroot {
    /// The chroot of this name in the target folder.
    pub fn of(suite: &'static Suite, name: &str) -> anyhow::Result<Self> {
        ensure!(is_root(), "chroots need root: run it as root");
        Ok(Self { suite, folder: target_folder()?.join("chroots").join(name) })
    }

    /// Builds it with these packages, unless it is there and has them.
    pub fn make(&self, packages: &[&str], rebuild: bool) -> anyhow::Result<()> {
        if self.folder.exists() {
            if !rebuild && self.has(packages)? {
                return Ok(());
            }
            fs::remove_dir_all(&self.folder)?;
        }
        let unfinished = self.folder.with_extension("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        fs::create_dir_all(&unfinished)?;
        let mut command = Command::new("mmdebstrap");
        command.arg("--variant=apt").arg(format!("--include={}", packages.join(",")));
        let options = ["APT::Install-Recommends \"false\"", "Acquire::Languages \"none\""];
        for option in options.iter().chain(self.suite.apt) {
            command.arg(format!("--aptopt={option}"));
        }
        command.arg("--dpkgopt=force-unsafe-io");
        for path in LEFT_OUT {
            command.arg(format!("--dpkgopt=path-exclude={path}"));
        }
        command.arg(self.suite.name).arg(&unfinished).arg(mirror()?);
        let log = self.folder.with_extension("mmdebstrap.log");
        let done = process::run(&mut command, Duration::from_secs(1800), &log)?;
        ensure!(done.end.success(), "mmdebstrap: {}\n{}", done.end, tail(&done.output, 30));
        fs::rename(&unfinished, &self.folder).context("cannot rename the finished chroot")
    }

    fn has(&self, packages: &[&str]) -> anyhow::Result<bool> {
        let there = self.packages()?;
        let has = |name: &&str| there.iter().any(|line| line.split(' ').next() == Some(name));
        Ok(packages.iter().all(has))
    }

    /// Puts the files into the folder where commands run.
    pub fn fill(&self, files: &[PathBuf]) -> anyhow::Result<()> {
        let inside = self.path(INSIDE);
        if inside.exists() {
            fs::remove_dir_all(&inside)?;
        }
        fs::create_dir_all(&inside)?;
        for file in files {
            let name = file.file_name().with_context(|| format!("{} has no name", file.display()))?;
            fs::copy(file, inside.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
        }
        Ok(())
    }

    /// Where a path of the chroot is outside.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.folder.join(inside.trim_start_matches('/'))
    }

    /// Its packages, each as "name version".
    pub fn packages(&self) -> anyhow::Result<Vec<String>> {
        let output = Command::new("chroot")
            .arg(&self.folder)
            .args(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\n"])
            .output()
            .context("cannot run chroot")?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().filter_map(|line| line.strip_prefix("installed ")).map(str::to_owned).collect())
    }

    /// A command in the chroot, with the files' folder as working folder. /proc is mounted in a mount namespace of its
    /// own, which ends with the command: nothing stays mounted, however it ends. The environment is the chroot's own,
    /// not this machine's.
    pub fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a &'a str>) -> Command {
        let script = r#"mount -t proc proc "$1/proc" && cd / && exec chroot "$1" sh -c 'cd "$1" && shift && exec "$@"' sh "${@:2}""#;
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "bash", "-c", script, "bash"]).arg(&self.folder).arg(INSIDE).args(arguments);
        unshare
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("HOME", "/root")
            .env("LC_ALL", "C.UTF-8");
        unshare
    }
}

/// The Debian mirror that this machine's apt is configured for.
pub fn mirror() -> anyhow::Result<String> {
    let output = Command::new("apt-get")
        .args(["indextargets", "--format", "$(LABEL) $(REPO_URI)", "Created-By: Packages"])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run apt-get: the chroots need a Debian machine")?;
    match mirror_of(&String::from_utf8_lossy(&output.stdout)) {
        Some(mirror) => Ok(mirror),
        None => bail!("apt on this machine has no Debian mirror; run apt-get update once"),
    }
}

fn mirror_of(targets: &str) -> Option<String> {
    targets.lines().find_map(|line| line.strip_prefix("Debian ")).map(|uri| uri.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_mirror_of_the_main_archive() {
        let targets = "Debian-Security http://a.example/debian-security/\nDebian http://b.example/debian/\n";
        assert_eq!(mirror_of(targets).as_deref(), Some("http://b.example/debian/"));
        assert_eq!(mirror_of("Node Source http://c.example/\n"), None);
    }
}
