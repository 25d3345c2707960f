//! The command line: exit statuses, formats, hidden devices, damaged roots, places that cannot be written.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SMOKE: &str = env!("CARGO_BIN_EXE_hip-smoke");

fn smoke(arguments: &[&str]) -> Output {
    Command::new(SMOKE).args(arguments).output().expect("hip-smoke runs")
}

fn status(output: &Output) -> Option<i32> {
    output.status.code()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn report(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

/// Names of the checks that `--list` says need a device.
fn device_checks() -> Vec<String> {
    let list = String::from_utf8(smoke(&["--list"]).stdout).expect("text");
    let rows = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    rows.filter(|words| words.get(3) == Some(&"device")).map(|words| words[1].to_owned()).collect()
}

#[test]
fn wrong_command_lines_exit_with_2() {
    for arguments in [
        &["--nonsense"][..],
        &["--only", "nothing-like-that"],
        &["--explain", "99"],
        &["--virtual", "--real"],
        &["--only", "1", "--skip", "links"],
        &["--format", "prose"],
    ] {
        assert_eq!(status(&smoke(arguments)), Some(2), "{arguments:?}");
    }
}

#[test]
fn every_check_is_listed_and_explained() {
    let list = smoke(&["--list"]);
    assert_eq!(status(&list), Some(0));
    assert_eq!(String::from_utf8_lossy(&list.stdout).lines().count(), 30);
    for number in 1..=30 {
        let explained = smoke(&["--explain", &number.to_string()]);
        assert_eq!(status(&explained), Some(0));
        assert!(explained.stdout.len() > 100, "{number}");
    }
}

#[test]
fn the_manual_and_the_completions_name_every_option() {
    let text = |arguments: &[&str]| String::from_utf8(smoke(arguments).stdout).expect("text");
    let manual = text(&["man"]).replace("\\-", "-");
    let scripts = ["bash", "zsh", "fish"].map(|shell| text(&["completions", shell]));
    for command in [&["--help"][..], &["chroot", "--help"]] {
        let help = text(command);
        let words =
            help.lines().filter(|line| line.trim_start().starts_with('-')).flat_map(str::split_whitespace);
        let options: Vec<&str> = words.filter(|word| word.starts_with("--") && word.len() > 2).collect();
        assert!(options.len() > 10, "{options:?}");
        for option in options {
            assert!(manual.contains(option), "the manual lacks {option}");
            for script in &scripts {
                assert!(script.contains(option.trim_start_matches('-')), "completions lack {option}");
            }
        }
    }
}

#[test]
fn without_a_device_the_checks_that_need_one_are_skipped_and_the_status_is_77_or_3() {
    if Path::new("/dev/kfd").exists() {
        eprintln!("skipped: this machine has a card");
        return;
    }
    let only = device_checks().join(",");
    let run = |only: &str, device: &str| {
        let mut command = Command::new(SMOKE);
        command.args([device, "--format", "json", "--only", only]);
        // No file vega either.
        command.env("PATH", "/usr/bin:/bin").arg("--vega").arg("/nonexistent/vega").output().expect("it runs")
    };
    for device in ["--real", "--virtual", "--auto"] {
        // Nothing was judged at all.
        let done = run(&only, device);
        assert_eq!(status(&done), Some(3), "{}", stderr(&done));
        let verdicts = report(&done)["verdicts"].as_array().expect("verdicts").clone();
        assert_eq!(verdicts.len(), device_checks().len());
        for verdict in verdicts {
            assert_eq!(verdict["outcome"], "skip", "{verdict:#}");
        }
    }
    // Something was.
    let done = run(&format!("links,{only}"), "--real");
    let links = report(&done)["verdicts"][0]["outcome"].clone();
    let expected = if links == "pass" {
        77
    } else if links == "fail" {
        1
    } else {
        3
    };
    assert_eq!(status(&done), Some(expected), "{links} {}", stderr(&done));
}

#[test]
fn without_vega_the_checks_that_need_a_device_are_skipped() {
    let folder = tempfile::tempdir().expect("a folder");
    let alone = folder.path().join("hip-smoke");
    std::fs::copy(SMOKE, &alone).expect("copied");
    let done = Command::new(&alone)
        .args(["--virtual", "--only", "agents", "--format", "json"])
        .env("PATH", "/usr/bin:/bin")
        .output()
        .expect("it runs");
    assert_eq!(status(&done), Some(3), "{}", stderr(&done));
    assert_eq!(report(&done)["verdicts"][0]["outcome"], "skip");
}

#[test]
fn formats_say_the_same() {
    let of = |format: &str| {
        let done = smoke(&["--only", "registrations,links", "--format", format]);
        (status(&done), String::from_utf8(done.stdout).expect("text"))
    };
    let (code, json) = of("json");
    let report: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    let verdicts = report["verdicts"].as_array().expect("verdicts");
    assert_eq!(verdicts.len(), 2);
    let (tap_code, tap) = of("tap");
    assert!(tap.starts_with("TAP version 14\n1..2\n"), "{tap}");
    let (junit_code, junit) = of("junit");
    assert!(junit.contains("<testsuite") && junit.matches("<testcase").count() == 2, "{junit}");
    let (table_code, table) = of("table");
    assert!(!table.contains('\x1b'), "colours only on a terminal");
    assert!([tap_code, junit_code, table_code].iter().all(|other| *other == code));
    for verdict in verdicts {
        let name = verdict["check"].as_str().expect("a name");
        assert!(tap.contains(name) && junit.contains(name) && table.contains(name));
    }
}

#[test]
fn damaged_roots_exit_with_3_and_say_what_is_missing() {
    let root = tempfile::tempdir().expect("a folder");
    let path = root.path().to_str().expect("a path");
    let done = smoke(&["--root", path, "--only", "links"]);
    assert_eq!(status(&done), Some(3));
    assert!(stderr(&done).contains("damaged"), "{}", stderr(&done));
    for folder in ["dev", "proc", "sys", "tmp", "usr", "etc"] {
        std::fs::create_dir(root.path().join(folder)).expect("made");
    }
    let done = smoke(&["--root", path, "--only", "links"]);
    assert_eq!(status(&done), Some(3));
    assert!(stderr(&done).contains("C library"), "{}", stderr(&done));
    let done = smoke(&["--root", "/nonexistent", "--only", "links"]);
    assert_eq!(status(&done), Some(3));
    assert_eq!(names(root.path()).len(), 6, "nothing is left in the root");
}

#[test]
fn places_that_cannot_be_written_are_named() {
    let done = smoke(&["--only", "registrations", "--output", "/nonexistent/report"]);
    assert_eq!(status(&done), Some(3));
    assert!(stderr(&done).contains("/nonexistent/report"), "{}", stderr(&done));
    let done = smoke(&["--only", "registrations", "--output", "/dev/full"]);
    assert_eq!(status(&done), Some(3), "{}", stderr(&done));
    assert!(stderr(&done).contains("/dev/full"), "{}", stderr(&done));
    let done = Command::new(SMOKE)
        .args(["--only", "registrations"])
        .env("TMPDIR", "/nonexistent")
        .output()
        .expect("it runs");
    assert_eq!(status(&done), Some(3));
    assert!(stderr(&done).contains("TMPDIR"), "{}", stderr(&done));
}

#[test]
fn nothing_is_left_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let done = Command::new(SMOKE)
        .args(["--only", "links,sonames,registrations"])
        .env("TMPDIR", folder.path())
        .output()
        .expect("it runs");
    assert!(status(&done).is_some());
    assert_eq!(names(folder.path()), Vec::<PathBuf>::new());
}

#[test]
fn reports_that_are_none_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("report.json");
    std::fs::write(&file, "{}").expect("written");
    let path = file.to_str().expect("a path");
    let done = smoke(&["--compare", path, path]);
    assert_eq!(status(&done), Some(3));
    assert!(stderr(&done).contains("is no report"), "{}", stderr(&done));
}

fn names(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect()
}
