//! `cargo xtask distros`: `vega run` on the packaged stacks of three Debian suites, in clean chroots.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use crate::card::{Profile, build_vega};
use crate::cargo::{build, root, target_folder};
use crate::process::{self, Finished, tail};
use crate::report::{Report, Verdict};
use crate::setup::is_root;

/// A suite of Debian, and what was found in it when this was written.
struct Suite {
    name: &'static str,
    stack: &'static str,
    /// Options for apt. A mirror that is a snapshot serves unstable's index beyond its date of expiry.
    apt: &'static [&'static str],
}

const SUITES: &[Suite] = &[
    Suite { name: "bookworm", stack: "HIP 5.2.3", apt: &[] },
    Suite { name: "trixie", stack: "HIP 5.7.1", apt: &[] },
    Suite { name: "sid", stack: "HIP 6.4.3", apt: &["Acquire::Check-Valid-Until \"false\""] },
];

/// The names of the suites, for the command line.
pub fn suite_names() -> impl Iterator<Item = &'static str> {
    SUITES.iter().map(|suite| suite.name)
}

/// What each chroot holds beside apt itself: the same names in all three suites.
const PACKAGES: &str = "rocminfo,hipcc,libamdhip64-dev,file,kmod";

/// What a chroot does not need: a third of its size.
const LEFT_OUT: &[&str] = &["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*"];

/// Where things are put inside a chroot.
const INSIDE: &str = "/opt/vega";

/// What is run in each chroot.
struct Check {
    name: &'static str,
    /// In the chroot, with `INSIDE` as working folder.
    command: &'static [&'static str],
    /// What its output must contain.
    expect: &'static [&'static str],
    /// What its output must not contain.
    refuse: &'static [&'static str],
    /// Whether it must exit with 0.
    succeeds: bool,
}

const CHECKS: &[Check] = &[
    Check {
        name: "rocminfo",
        command: &["./vega", "run", "--", "rocminfo"],
        expect: &[
            "gfx900",
            "Vega 56",
            "virtual",
            "Compute Unit:            56",
            "Wavefront Size:          64(0x40)",
        ],
        refuse: &[],
        succeeds: true,
    },
    Check {
        name: "hipcc compiles",
        command: &["hipcc", "--offload-arch=gfx900", "-O2", "saxpy.hip", "-o", "saxpy"],
        expect: &[],
        refuse: &["error"],
        succeeds: true,
    },
    Check {
        name: "HIP C++ SAXPY",
        command: &["./vega", "run", "--", "./saxpy"],
        expect: &["virtual", "SAXPY", "error 0\n"],
        refuse: &[],
        succeeds: true,
    },
    Check {
        name: "device hidden",
        command: &["env", "HIP_VISIBLE_DEVICES=-1", "./vega", "run", "--", "./saxpy"],
        expect: &["hipGetDeviceCount"],
        refuse: &["error 0\n"],
        succeeds: false,
    },
    Check {
        name: "two cards",
        command: &["./vega", "run", "--gpus", "2", "--", "./saxpy"],
        expect: &["device 1", "error 0\n"],
        refuse: &[],
        succeeds: true,
    },
    Check {
        name: "nothing executed",
        command: &["env", "VEGA_CONTROL=skip-dispatch", "./vega", "run", "--", "./saxpy"],
        expect: &[],
        refuse: &["error 0\n"],
        succeeds: false,
    },
    Check {
        name: "Rust 02_saxpy",
        command: &["./vega", "run", "--", "./02_saxpy"],
        expect: &["virtual", "error 0\n"],
        refuse: &[],
        succeeds: true,
    },
    Check {
        name: "Rust 03_gemm",
        command: &["./vega", "run", "--", "./03_gemm", "--size", "128"],
        expect: &["virtual"],
        refuse: &[],
        succeeds: true,
    },
];

/// Builds the chroots that are not there yet and runs the checks in each; says whether all passed.
pub fn run(wanted: &[String], rebuild: bool) -> anyhow::Result<bool> {
    ensure!(is_root(), "chroots need root: run it as root");
    let target = target_folder()?;
    let folder = target.join("chroots");
    let logs = target.join("chroot-logs");
    fs::create_dir_all(&folder)?;
    let files = files_to_copy()?;
    let mut report = Report::new();
    for suite in
        SUITES.iter().filter(|suite| wanted.is_empty() || wanted.iter().any(|name| name == suite.name))
    {
        let chroot = folder.join(suite.name);
        if rebuild && chroot.exists() {
            fs::remove_dir_all(&chroot)?;
        }
        let built = report.step(suite.name, "chroot", || {
            make(suite, &chroot, &logs)?;
            fill(&chroot, &files)?;
            Ok(Verdict::Passed(versions(&chroot)?))
        });
        for check in CHECKS.iter().filter(|_| built) {
            report.step(suite.name, check.name, || check.run(suite, &chroot, &logs));
        }
    }
    Ok(report.finish())
}

/// Every file that goes into the chroots: the one `vega` file, a program to compile there, and examples compiled here.
fn files_to_copy() -> anyhow::Result<Vec<PathBuf>> {
    let mut files = vec![build_vega(Profile::Release)?, root().join("xtask/src/saxpy.hip")];
    let arguments = ["--package", "hip-vega", "--examples", "--release"];
    files.extend(build("build", &arguments)?.into_iter().map(|artifact| artifact.executable));
    Ok(files)
}

/// Builds the chroot, unless it is there.
fn make(suite: &Suite, chroot: &Path, logs: &Path) -> anyhow::Result<()> {
    if chroot.is_dir() {
        return Ok(());
    }
    let unfinished = chroot.with_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    let mut command = Command::new("mmdebstrap");
    command.arg("--variant=apt").arg(format!("--include={PACKAGES}"));
    for option in ["APT::Install-Recommends \"false\"", "Acquire::Languages \"none\""].iter().chain(suite.apt)
    {
        command.arg(format!("--aptopt={option}"));
    }
    command.arg("--dpkgopt=force-unsafe-io");
    for path in LEFT_OUT {
        command.arg(format!("--dpkgopt=path-exclude={path}"));
    }
    command.arg(suite.name).arg(&unfinished).arg(mirror()?);
    let log = logs.join(format!("{}.mmdebstrap.log", suite.name));
    let done = process::run(&mut command, Duration::from_secs(1800), &log)?;
    ensure!(done.end.success(), "mmdebstrap: {}\n{}", done.end, tail(&done.output, 30));
    fs::rename(&unfinished, chroot).context("cannot rename the finished chroot")
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

/// Puts the files into the chroot.
fn fill(chroot: &Path, files: &[PathBuf]) -> anyhow::Result<()> {
    let inside = chroot.join(INSIDE.trim_start_matches('/'));
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

/// The versions of the stack's packages in the chroot.
fn versions(chroot: &Path) -> anyhow::Result<String> {
    let output = Command::new("chroot")
        .arg(chroot)
        .args(["dpkg-query", "-W", "-f", "${Package} ${Version}\n"])
        .output()
        .context("cannot run chroot")?;
    let stack = ["libamdhip64-", "libhsa-runtime64-", "rocminfo "];
    let text = String::from_utf8_lossy(&output.stdout);
    let lines =
        text.lines().filter(|line| stack.iter().any(|s| line.starts_with(s)) && !line.contains("-dev"));
    Ok(lines.collect::<Vec<_>>().join(", "))
}

/// Runs a command in the chroot. /proc is mounted in a mount namespace of its own, which ends with the command: nothing
/// stays mounted, however it ends.
fn inside(chroot: &Path, command: &[&str], log: &Path) -> anyhow::Result<Finished> {
    let script = r#"mount -t proc proc "$1/proc" && cd / && exec chroot "$1" sh -c 'cd "$1" && shift && exec "$@"' sh "${@:2}""#;
    let mut unshare = Command::new("unshare");
    unshare.args(["--mount", "bash", "-c", script, "bash"]).arg(chroot).arg(INSIDE).args(command);
    // The chroot's own, not this machine's.
    unshare
        .env_clear()
        .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
        .env("HOME", "/root")
        .env("LC_ALL", "C.UTF-8");
    Ok(process::run(&mut unshare, Duration::from_secs(180), log)?)
}

impl Check {
    fn run(&self, suite: &Suite, chroot: &Path, logs: &Path) -> anyhow::Result<Verdict> {
        let log = logs.join(format!("{}.{}.log", suite.name, self.name.replace(' ', "-")));
        let done = inside(chroot, self.command, &log)?;
        let why = self.wrong(&done);
        Ok(match why {
            Some(why) => Verdict::Failed(format!("{why}\n{}", tail(&done.output, 40))),
            None => Verdict::Passed(suite.stack.to_owned()),
        })
    }

    /// What is wrong with the run, if anything.
    fn wrong(&self, done: &Finished) -> Option<String> {
        if done.end.success() != self.succeeds || matches!(done.end, process::End::TimedOut) {
            return Some(format!("{} ({})", done.end, self.command.join(" ")));
        }
        let has = |text: &&&str| done.output.contains(**text);
        if let Some(text) = self.expect.iter().find(|text| !has(text)) {
            return Some(format!("its output lacks {text:?}"));
        }
        self.refuse.iter().find(has).map(|text| format!("its output has {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::End;

    #[test]
    fn takes_the_mirror_of_the_main_archive() {
        let targets = "Debian-Security http://a.example/debian-security/\nDebian http://b.example/debian/\n";
        assert_eq!(mirror_of(targets).as_deref(), Some("http://b.example/debian/"));
        assert_eq!(mirror_of("Node Source http://c.example/\n"), None);
    }

    #[test]
    fn a_check_can_fail_in_every_way() {
        let finished = |end, output: &str| Finished { end, output: output.to_owned(), left_processes: false };
        let saxpy = &CHECKS[2];
        assert_eq!(saxpy.wrong(&finished(End::Exited(0), "x (virtual)\nSAXPY error 0\n")), None);
        assert!(saxpy.wrong(&finished(End::Exited(0), "x (virtual)\nSAXPY error 1\n")).is_some());
        assert!(saxpy.wrong(&finished(End::Exited(1), "x (virtual)\nSAXPY error 0\n")).is_some());
        let hidden = &CHECKS[3];
        assert_eq!(hidden.wrong(&finished(End::Exited(1), "hipGetDeviceCount: no device\n")), None);
        assert!(hidden.wrong(&finished(End::Exited(0), "hipGetDeviceCount: no device\n")).is_some());
        assert!(hidden.wrong(&finished(End::TimedOut, "hipGetDeviceCount: no device\n")).is_some());
    }
}
