//! The command line, and the file itself.

use std::collections::BTreeSet;
use std::process::{Command, Output};

use object::{Object, ObjectSymbol};

const VEGA: &str = env!("CARGO_BIN_EXE_vega");
/// The newest glibc whose symbols the file may need.
const GLIBC: (u32, u32) = (2, 34);

fn vega(arguments: &[&str]) -> Output {
    Command::new(VEGA).args(arguments).env_remove("LD_PRELOAD").output().expect("vega runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn exit_statuses_are_those_of_env() {
    assert_eq!(vega(&["run", "--", "sh", "-c", "exit 7"]).status.code(), Some(7));
    assert_eq!(vega(&["run", "no-such-program"]).status.code(), Some(127));
    assert_eq!(vega(&["run", "--", "/etc/passwd"]).status.code(), Some(126));
    assert_eq!(vega(&["run"]).status.code(), Some(2), "an error of usage");
}

#[test]
fn signals_pass_through() {
    use std::os::unix::process::ExitStatusExt;
    let killed = vega(&["run", "--", "sh", "-c", "kill -SEGV $$"]);
    assert_eq!(killed.status.signal(), Some(libc::SIGSEGV));
}

#[test]
fn the_file_comes_first_in_ld_preload_and_once() {
    let output = Command::new(VEGA)
        .args(["run", "--", VEGA, "run", "--", "sh", "-c", "echo $LD_PRELOAD"])
        .env("LD_PRELOAD", "/lib/no-such-library.so")
        .output()
        .expect("vega runs");
    let own = std::fs::canonicalize(VEGA).expect("it exists");
    assert_eq!(stdout(&output).trim(), format!("{}:/lib/no-such-library.so", own.display()));
}

#[test]
fn options_reach_the_program() {
    let output = vega(&[
        "run",
        "--gpus",
        "3",
        "--large-bar",
        "--threads",
        "2",
        "--engine",
        "interpreter",
        "--",
        "env",
    ]);
    let text = stdout(&output);
    for line in ["VEGA_GPUS=3", "VEGA_LARGE_BAR=1", "VEGA_THREADS=2", "VEGA_ENGINE=interpreter"] {
        assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    }
}

#[test]
fn what_is_observed_reaches_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let trace = folder.path().join("a trace");
    std::fs::write(&trace, "of an earlier run").expect("a file");
    let path = trace.to_str().expect("a plain name");
    #[rustfmt::skip]
    let output = vega(&[
        "run", "--watchdog", "2.5", "--check", "lds", "--schedule", "random:7", "--stats", "--trace", path,
        "--trace-kernel", "k", "--trace-workgroups", "0-3", "--trace-waves", "1,2", "--trace-lanes", "0",
        "--trace-mib", "1", "--", "env",
    ]);
    let text = stdout(&output);
    let lines = [
        "VEGA_WATCHDOG=2.5",
        "VEGA_CHECK=lds",
        "VEGA_SCHEDULE=random:7",
        "VEGA_STATS=1",
        "VEGA_TRACE_KERNEL=k",
        "VEGA_TRACE_WORKGROUPS=0-3",
        "VEGA_TRACE_WAVES=1,2",
        "VEGA_TRACE_LANES=0",
        "VEGA_TRACE_MIB=1",
    ];
    for line in lines {
        assert!(text.lines().any(|l| l == line), "{line} is not in\n{text}");
    }
    let named = std::fs::canonicalize(&trace).expect("it exists");
    assert!(text.lines().any(|line| line == format!("VEGA_TRACE={}", named.display())), "{text}");
    assert_eq!(std::fs::read(&trace).expect("it exists"), b"", "a trace begins empty");
}

#[test]
fn what_means_nothing_is_refused() {
    for (option, value) in [
        ("--watchdog", "0"),
        ("--watchdog", "soon"),
        ("--check", "everything"),
        ("--schedule", "sometimes"),
        ("--schedule", "random:x"),
    ] {
        assert_eq!(vega(&["run", option, value, "--", "true"]).status.code(), Some(2), "{option} {value}");
    }
    let alone = vega(&["run", "--trace-kernel", "k", "--", "true"]);
    assert_eq!(alone.status.code(), Some(2), "without --trace it would do nothing");
    let nowhere = vega(&["run", "--trace", "/no-such-folder/t", "--", "true"]);
    assert_eq!(nowhere.status.code(), Some(125));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("/no-such-folder/t"));
    // In the environment it is ignored, and said so.
    let output = Command::new(VEGA)
        .args(["run", "--", "true"])
        .env("VEGA_SCHEDULE", "sometimes")
        .output()
        .expect("vega runs");
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("VEGA_SCHEDULE is ignored") && text.contains("sometimes"), "{text}");
}

#[test]
fn the_topology_is_there_for_every_program() {
    let nodes = "/sys/class/kfd/kfd/topology/nodes";
    assert_eq!(stdout(&vega(&["run", "--gpus", "2", "--", "ls", nodes])), "0\n1\n2\n");
    let id = format!("{nodes}/1/gpu_id");
    assert_eq!(stdout(&vega(&["run", "--", "cat", &id])), "6699\n");
    assert!(vega(&["run", "--", "test", "-c", "/dev/kfd"]).status.success());
    assert!(!vega(&["run", "--gpus", "0", "--", "test", "-e", "/dev/kfd"]).status.success());
    assert!(!vega(&["run", "--", "cat", "/sys/class/kfd/kfd/topology/nodes/9/gpu_id"]).status.success());
}

#[test]
fn a_missing_writable_place_is_named() {
    let output = Command::new(VEGA)
        .args(["run", "--", "true"])
        .env("TMPDIR", "/no-such-folder")
        .output()
        .expect("vega runs");
    assert!(output.status.success());
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("/no-such-folder") && text.contains("TMPDIR"), "{text}");
    assert!(vega(&["run", "--", "true"]).stderr.is_empty());
}

#[test]
fn info_names_the_card() {
    let text = stdout(&vega(&["info"]));
    assert!(text.contains("(virtual)") && text.contains("gfx900"), "{text}");
    assert!(!text.contains('\x1b'), "colours only on a terminal");
    let output = Command::new(VEGA)
        .arg("info")
        .envs([
            ("VEGA_SCHEDULE", "random:3"),
            ("VEGA_WATCHDOG", "5"),
            ("VEGA_STATS", "1"),
            ("VEGA_CHECK", "lds"),
        ])
        .output()
        .expect("vega runs");
    let text = stdout(&output);
    for (key, value) in
        [("schedule", "random:3"), ("watchdog", "5 s"), ("observed", "statistics"), ("checks", "lds")]
    {
        assert!(
            text.lines().any(|l| l.starts_with(key) && l.ends_with(value)),
            "{key} {value} is not in\n{text}"
        );
    }
}

#[test]
fn completions_are_for_vega() {
    assert!(stdout(&vega(&["completions", "bash"])).contains("_vega()"));
}

#[test]
fn disasm_refuses_what_holds_no_kernels() {
    let output = vega(&["disasm", "/etc/passwd"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/etc/passwd"));
}

/// Code for other processors is encoded otherwise: it is not shown as if it were gfx900's.
#[test]
fn disasm_shows_code_of_the_card_only() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../code-object/tests/fixtures/empty-multi.hsaco");
    let listed = stdout(&vega(&["disasm", file]));
    let targets = listed.matches("--gfx").count();
    assert!(targets > listed.matches("--gfx900").count(), "{listed}");
    let shown = stdout(&vega(&["disasm", file, "all"]));
    assert_eq!(shown.matches(">:").count(), listed.matches("--gfx900").count(), "{shown}");
    assert!(shown.contains("s_endpgm"), "{shown}");
}

/// Exports are exactly those of the version script: a hook that is missing would be a hole in the card.
#[test]
fn the_file_exports_every_hook() {
    let map = include_str!("../exports.map");
    let list = map.split_once("global:").and_then(|(_, rest)| rest.split_once("local:")).expect("a list").0;
    let wanted: BTreeSet<&str> = list.split(';').map(str::trim).filter(|name| !name.is_empty()).collect();
    let bytes = std::fs::read(VEGA).expect("the file");
    let file = object::File::parse(&*bytes).expect("an ELF file");
    let exported: BTreeSet<&str> = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition())
        .map(|symbol| symbol.name().expect("a name"))
        .collect();
    assert_eq!(exported, wanted);
}

/// The file runs in a chroot of any distribution with this glibc.
#[test]
fn the_file_needs_no_newer_glibc() {
    use object::read::elf::{FileHeader, SectionHeader};
    let bytes = std::fs::read(VEGA).expect("the file");
    let header = object::elf::FileHeader64::<object::Endianness>::parse(&*bytes).expect("an ELF file");
    let endian = header.endian().expect("an endianness");
    let sections = header.sections(endian, &*bytes).expect("sections");
    let (mut needs, link) = sections
        .iter()
        .find_map(|section| section.gnu_verneed(endian, &*bytes).expect("a table"))
        .expect("it needs glibc");
    let strings = sections.strings(endian, &*bytes, link).expect("names");
    let mut seen = 0;
    while let Some((_, mut versions)) = needs.next().expect("a table") {
        while let Some(version) = versions.next().expect("a table") {
            let name = String::from_utf8_lossy(version.name(endian, strings).expect("a name"));
            let Some(number) = name.strip_prefix("GLIBC_") else { continue };
            let mut parts = number.split('.').map(|part| part.parse::<u32>().expect("a number"));
            let version = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
            assert!(version <= GLIBC, "{name} is newer than {GLIBC:?}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}
