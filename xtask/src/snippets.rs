//! The snippets for packagers, run for real by the tools that they are written for: makepkg, rpmbuild,
//! nix-instantiate, autopkgtest. Each checks this machine's stack, or a clean chroot's, with the programs that were
//! just installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::cargo::root;
use crate::chroots::{Chroot, SUITES};
use crate::packaging::{Place, judge};
use crate::process::{End, in_path};
use crate::report::{Report, Verdict};

/// A snippet that a build tool runs: its file, what the tool calls the file made of it, the text before and after it,
/// and the commands.
struct Snippet {
    file: &'static str,
    made: &'static str,
    before: &'static str,
    after: &'static str,
    script: &'static str,
}

/// In each, `hip-smoke` comes from the image that was installed, and writes its report where the snippet says.
const SNIPPETS: &[Snippet] = &[
    Snippet {
        file: "PKGBUILD.check",
        made: "arch/PKGBUILD",
        before: "pkgname=probe\npkgver=1\npkgrel=1\npkgdesc='a probe'\narch=(any)\nlicense=(MIT)\n",
        after: "\npackage() { install -D \"$srcdir/hip-smoke.xml\" \"$pkgdir/usr/share/probe/hip-smoke.xml\"; }\n",
        script: "cd $W/snippets/arch && makepkg --nodeps --check && tar -tf probe-1-1-any.pkg.tar* | grep hip-smoke.xml",
    },
    Snippet {
        file: "check.spec",
        made: "fedora/probe.spec",
        before: "Name: probe\nVersion: 1\nRelease: 1\nSummary: a probe\nLicense: MIT\nBuildArch: noarch\n",
        after: "\n%description\na probe\n%files\n",
        script: "cd $W/snippets/fedora && rpmbuild --nodeps --define \"_topdir $PWD\" -bb probe.spec && \
                 grep -c '<testcase' BUILD/hip-smoke.xml",
    },
    Snippet {
        file: "ebuild.check",
        made: "gentoo/probe.ebuild",
        before: "die() { echo \"$*\"; exit 1; }\newarn() { echo \"$*\"; }\nT=$PWD\n",
        after: "\nsrc_test\n",
        script: "cd $W/snippets/gentoo && bash probe.ebuild && grep -c '^ok' hip-smoke.tap",
    },
    Snippet {
        file: "passthru-tests.nix",
        made: "nix/tests.nix",
        before: "",
        after: "",
        script: "cd $W/snippets/nix && nix-instantiate --parse --store dummy:// tests.nix > parsed && \
                 echo 'import ./tests.nix { runCommand = name: attributes: script: script; hip-smoke = null; clr = \
                 \"/usr\"; rocminfo = null; hipcc = null; }' > probe.nix && \
                 nix-instantiate --eval --json --store dummy:// probe.nix | \
                 python3 -c 'import json, sys; print(json.load(sys.stdin))' > build.sh && \
                 out=$PWD/out bash -e build.sh && grep -c '<testcase' out/hip-smoke.xml",
    },
];

/// Runs each.
pub fn run(place: &Place, report: &mut Report) -> anyhow::Result<()> {
    let folder = place.path("snippets");
    for snippet in SNIPPETS {
        let text = fs::read_to_string(source(snippet.file))?;
        let file = folder.join(snippet.made);
        fs::create_dir_all(file.parent().context("a file without a folder")?)?;
        fs::write(&file, format!("{}{text}{}", snippet.before, snippet.after))?;
    }
    place.give_away("snippets")?;
    for snippet in SNIPPETS {
        report.step("snippets", snippet.file, || Ok(judge(&place.nobody(snippet.file, snippet.script)?)));
    }
    if in_path("actionlint") {
        report.step("snippets", "rocm-smoke.yml", || {
            let mut command = Command::new("actionlint");
            Ok(judge(&place.run("actionlint", command.arg(source("github/rocm-smoke.yml")))?))
        });
    }
    report.step("snippets", "debian/tests in a clean chroot", || autopkgtest(place, "whole", "true", 0));
    // A test that cannot fail proves nothing: the same chroot without comgr.
    let damage = "rm $T/usr/lib/x86_64-linux-gnu/libamd_comgr.so.*";
    report.step("snippets", "debian/tests without comgr fails", || autopkgtest(place, "broken", damage, 4));
    Ok(())
}

fn source(name: &str) -> PathBuf {
    root().join("smoke/snippets").join(name)
}

/// autopkgtest's chroot runner, on an overlay that only this command's mount namespace has: the chroot stays clean.
const FRAME: &str = r#"
set -e
mount -t tmpfs tmpfs "$2/overlay"
mkdir "$2/overlay/upper" "$2/overlay/work" "$2/overlay/root"
T="$2/overlay/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/overlay/upper,workdir=$2/overlay/work" "$T"
mount -t proc proc "$T/proc"
mount --rbind /dev "$T/dev"
cp /etc/resolv.conf "$T/etc/resolv.conf"
eval "$4"
status=0
autopkgtest --output-dir "$3" --setup-commands "apt-get update" "$2/hip-smoke.deb" "$2/package" -- chroot "$T" || status=$?
exit $status
"#;

/// Runs `debian/tests` with the package in a chroot that has nothing but the test's dependencies.
fn autopkgtest(place: &Place, name: &str, damage: &str, expected: i32) -> anyhow::Result<Verdict> {
    let folder = place.path(&format!("debian-{name}"));
    for sub in ["overlay", "package/debian"] {
        fs::create_dir_all(folder.join(sub))?;
    }
    let control = fs::read_to_string(source("debian/tests/control"))?;
    let depends = control.lines().find_map(|line| line.strip_prefix("Depends: ")).context("no Depends")?;
    let depends: Vec<&str> = depends.split(", ").filter(|name| *name != "hip-smoke").collect();
    let suite = &SUITES[0];
    let chroot = Chroot::of(suite, suite.name)?;
    chroot.make(&depends, false)?;
    package(place, &folder)?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "bash", "-c", FRAME, "bash"]).arg(chroot.path("/")).arg(&folder);
    command.arg(folder.join("results")).arg(damage);
    let done = place.run(&format!("autopkgtest {name}"), &mut command)?;
    let summary = fs::read_to_string(folder.join("results/summary")).unwrap_or_default();
    if done.end == End::Exited(expected) && summary.starts_with("smoke") {
        return Ok(Verdict::Passed(summary.trim().to_owned()));
    }
    let mut verdict = judge(&done);
    if let Verdict::Passed(text) = &verdict {
        verdict = Verdict::Failed(format!("exit status 0, {expected} was expected: {text}"));
    }
    Ok(verdict)
}

/// A binary package of the image, and a source package with the snippet in it.
fn package(place: &Place, folder: &Path) -> anyhow::Result<()> {
    let script = r#"
        cp -r "$1/image" "$2/deb"
        mkdir -p "$2/deb/DEBIAN"
        printf 'Package: hip-smoke\nVersion: 1\nArchitecture: amd64\nMaintainer: nobody <nobody@localhost>\nDescription: checks of a packaged ROCm stack\n' > "$2/deb/DEBIAN/control"
        dpkg-deb --root-owner-group -Znone --build "$2/deb" "$2/hip-smoke.deb"
        cp -r "$3" "$2/package/debian/tests"
        printf 'Source: probe\nMaintainer: nobody <nobody@localhost>\n\nPackage: probe\nArchitecture: all\nDescription: a probe\n' > "$2/package/debian/control"
        printf 'probe (1) unstable; urgency=low\n\n  * A probe.\n\n -- nobody <nobody@localhost>  Thu, 01 Jan 1970 00:00:00 +0000\n' > "$2/package/debian/changelog"
    "#;
    let mut command = Command::new("bash");
    command.args(["-ec", script, "bash"]).arg(place.path("")).arg(folder).arg(source("debian/tests"));
    let done = place.run("dpkg-deb", &mut command)?;
    ensure!(done.end.success(), "dpkg-deb: {}\n{}", done.end, done.output);
    Ok(())
}
