//! Package databases that the real pacman and rpm have written, in small roots: every owner and every version that
//! `hip-smoke` reports is compared with what these tools answer. Whole systems of Arch and Fedora were not at hand.

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::{SMOKE, bare_root, done, has, is_root, possible, report, snapshot, stderr};

/// A package of the small root.
struct Package {
    name: &'static str,
    version: &'static str,
    release: &'static str,
    /// Its files, below the folder of libraries: none of them is a library, so the check `links` names each.
    files: &'static [&'static str],
}

const PACKAGES: &[Package] = &[
    Package {
        name: "hip-runtime-amd",
        version: "6.4.3",
        release: "1",
        files: &["libamdhip64.so.6", "libhiprtc.so.6"],
    },
    Package { name: "hsa-rocr", version: "6.4.1", release: "2", files: &["libhsa-runtime64.so.1"] },
    Package {
        name: "comgr",
        version: "6.4.0",
        release: "3.1",
        files: &["libamd_comgr.so.3", "amd_comgr.txt"],
    },
    Package { name: "rocm-meta", version: "6.4.3", release: "1", files: &[] },
];

/// What a tool says: owner of each file, version of each package.
type Answers = (BTreeMap<String, String>, BTreeMap<String, String>);

/// What `hip-smoke` says about the libraries below `folder` of the root.
fn reported(root: &Path) -> Answers {
    let before = snapshot(root);
    let output = Command::new(SMOKE)
        .args(["--only", "links", "--format", "json", "--real", "--root"])
        .arg(root)
        .output()
        .expect("it runs");
    let report = report(&output);
    assert_eq!(output.status.code(), Some(1), "{report:#}");
    assert_eq!(stderr(&output), "", "nothing is wrong with the database");
    assert_eq!(snapshot(root), before, "the root is as it was");
    let findings = report["verdicts"][0]["findings"].as_array().expect("findings").clone();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("nobody").to_owned();
    let owners = findings.iter().map(|finding| (text(&finding["file"]), text(&finding["package"])));
    let versions = report["fingerprint"]["packages"].as_object().expect("packages").iter();
    (owners.collect(), versions.map(|(name, version)| (name.clone(), text(version))).collect())
}

/// The paths of the libraries that some package owns.
fn libraries(folder: &str) -> Vec<String> {
    let files = PACKAGES.iter().flat_map(|package| package.files);
    files.filter(|file| file.contains(".so.")).map(|file| format!("{folder}/{file}")).collect()
}

/// `name version` lines as a map.
fn pairs(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(name, version)| (name.to_owned(), version.to_owned())).collect()
}

#[test]
fn pacman_and_this_program_agree() {
    if !possible(&[(is_root(), "root"), (has("pacman"), "pacman")]) {
        return;
    }
    let (root, work) = (bare_root(), tempfile::tempdir().expect("a folder"));
    fs::create_dir_all(root.path().join("var/lib/pacman")).expect("made");
    let configuration = work.path().join("pacman.conf");
    fs::write(&configuration, "[options]\nArchitecture = auto\n").expect("written");
    let pacman = |arguments: &[&str]| {
        let mut command = Command::new("pacman");
        command.arg("--config").arg(&configuration).arg("--root").arg(root.path());
        command.arg("--dbpath").arg(root.path().join("var/lib/pacman"));
        command.arg("--cachedir").arg(work.path()).arg("--gpgdir").arg(work.path());
        command.arg("--logfile").arg(work.path().join("log")).arg("--hookdir").arg(work.path());
        command.env("LC_ALL", "C").args(arguments);
        command
    };
    for Package { name, version, release, files } in PACKAGES {
        let folder = work.path().join(name);
        fs::create_dir_all(folder.join("opt/rocm/lib")).expect("made");
        for file in *files {
            fs::write(folder.join("opt/rocm/lib").join(file), "no library").expect("written");
        }
        let info = format!(
            "pkgname = {name}\npkgver = {version}-{release}\npkgdesc = a test\narch = any\nsize = 1\n"
        );
        fs::write(folder.join(".PKGINFO"), info).expect("written");
        let archive = work.path().join(format!("{name}-{version}-{release}-any.pkg.tar.gz"));
        done(Command::new("tar").arg("-C").arg(&folder).arg("-czf").arg(&archive).args([".PKGINFO", "opt"]));
        let archive = archive.to_str().expect("a path");
        done(&mut pacman(&["--noconfirm", "--noscriptlet", "--noprogressbar", "-U", archive]));
    }
    let owner = |file: &String| {
        let path = root.path().join(file.trim_start_matches('/'));
        let owner = done(&mut pacman(&["-Qqo", path.to_str().expect("a path")]));
        (file.clone(), owner.trim().to_owned())
    };
    let owners: BTreeMap<_, _> = libraries("/opt/rocm/lib").iter().map(owner).collect();
    let versions = pairs(&done(&mut pacman(&["-Q"])));
    assert_eq!((owners.len(), versions.len()), (4, PACKAGES.len()));
    assert_eq!(reported(root.path()), (owners, versions));
}

#[test]
fn rpm_and_this_program_agree() {
    if !possible(&[(is_root(), "root"), (has("rpm"), "rpm"), (has("rpmbuild"), "rpmbuild")]) {
        return;
    }
    let work = tempfile::tempdir().expect("a folder");
    for Package { name, version, release, files } in PACKAGES {
        let mut spec = format!(
            "Name: {name}\nVersion: {version}\nRelease: {release}\nSummary: a test\nLicense: MIT\nBuildArch: noarch\n\
             %description\na test\n%install\nmkdir -p %{{buildroot}}/usr/lib64\n"
        );
        for file in *files {
            let _ = writeln!(spec, "echo no library > %{{buildroot}}/usr/lib64/{file}");
        }
        spec.push_str("%files\n");
        for file in *files {
            let _ = writeln!(spec, "/usr/lib64/{file}");
        }
        let path = work.path().join(format!("{name}.spec"));
        fs::write(&path, spec).expect("written");
        let top = format!("_topdir {}", work.path().join("build").display());
        done(Command::new("rpmbuild").args(["--quiet", "--define", &top, "-bb"]).arg(&path));
    }
    let built = work.path().join("build/RPMS/noarch");
    let built: Vec<_> = fs::read_dir(built).expect("packages").map(|e| e.expect("an entry").path()).collect();
    // The old place of the database, and the new one.
    for place in ["/var/lib/rpm", "/usr/lib/sysimage/rpm"] {
        let root = bare_root();
        let rpm = |arguments: &[&str]| {
            let mut command = Command::new("rpm");
            command.arg("--root").arg(root.path()).args(["--dbpath", place]).args(arguments);
            command
        };
        done(&mut rpm(&["--initdb"]));
        done(rpm(&["--install", "--nodeps", "--noscripts", "--nosignature"]).args(&built));
        let owner = |file: &String| (file.clone(), done(&mut rpm(&["-qf", "--qf", "%{NAME}", file])));
        let owners: BTreeMap<_, _> = libraries("/usr/lib64").iter().map(owner).collect();
        let versions = pairs(&done(&mut rpm(&["-qa", "--qf", "%{NAME} %{EVR}\\n"])));
        assert_eq!((owners.len(), versions.len()), (4, PACKAGES.len()));
        assert_eq!(reported(root.path()), (owners, versions), "{place}");
    }
}

#[test]
fn a_database_that_cannot_be_read_is_named() {
    if !possible(&[(is_root(), "root"), (has("rpm"), "rpm")]) {
        return;
    }
    let root = bare_root();
    fs::write(root.path().join("usr/lib64/libamdhip64.so.6"), "no library").expect("written");
    let run = || {
        let mut command = Command::new(SMOKE);
        command.args(["--only", "links", "--format", "json", "--real", "--root"]).arg(root.path());
        let output = command.output().expect("it runs");
        // What can be judged without it is.
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        let report = report(&output);
        assert!(report["verdicts"][0]["findings"][0]["package"].is_null(), "{report:#}");
        (stderr(&output), report["fingerprint"]["manager"].as_str().expect("a text").to_owned())
    };
    let (note, manager) = run();
    assert!(note.contains("no package database"), "{note}");
    assert!(manager.contains("no package database"), "{manager}");
    fs::create_dir_all(root.path().join("var/lib/rpm")).expect("made");
    fs::write(root.path().join("var/lib/rpm/rpmdb.sqlite"), "damaged").expect("written");
    let (note, _) = run();
    assert!(note.contains("rpm"), "{note}");
    fs::remove_dir_all(root.path().join("var/lib/rpm")).expect("removed");
    fs::create_dir_all(root.path().join("var/lib/dpkg/status")).expect("made: a folder is no file");
    let (note, _) = run();
    assert!(note.contains("dpkg/status"), "{note}");
}
