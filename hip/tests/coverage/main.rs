//! Every function of HIP has a safe counterpart or a reason why not: compares the function table with the sources.
//!
//! The table in `src/functions.md` is generated here. When it is out of date, the test writes the new one and fails.

mod scan;

use hip::left_out::LEFT_OUT;
use hip::sys::{FUNCTIONS, RELEASES};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// `None` where there are no sources, as where a compiled test is run elsewhere.
fn sources() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    if !folder.is_dir() {
        eprintln!("skipped: the sources are not at {}", folder.display());
        return None;
    }
    Some(folder)
}

/// The public items that have each C name as `doc(alias)`.
fn aliases() -> Option<BTreeMap<String, Vec<String>>> {
    sources().map(|folder| scan::aliases(&folder))
}

#[test]
fn every_public_type_has_an_example() {
    let Some(folder) = sources() else { return };
    let types = scan::types(&folder);
    for known in ["DeviceBuffer", "Region", "RegionMut", "IpcMemoryHandle", "IpcEventHandle"] {
        assert!(types.iter().any(|(name, _)| name == known), "{known} is not found");
    }
    assert!(types.len() > 100, "{}", types.len());
    let without: Vec<_> = types.into_iter().filter(|(_, example)| !example).map(|(name, _)| name).collect();
    assert!(without.is_empty(), "no example in the documentation of {without:?}");
}

/// One line more is `cargo add`.
#[test]
fn the_first_program_has_at_most_14_lines_and_is_that_of_the_readme() {
    let Some(folder) = sources() else { return };
    let program = folder.join("../../examples/00_first_program.rs");
    let text = std::fs::read_to_string(&program).unwrap();
    let is_code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    let code = text.lines().filter(is_code).count();
    assert!((10..=14).contains(&code), "{code} lines in {}", program.display());
    let readme = std::fs::read_to_string(folder.join("../../README.md")).unwrap();
    let (_, program) = text.split_once("\n\n").unwrap();
    assert!(readme.contains(program), "README.md does not have the first program as it is");
}

/// Nobody waits for more than 16 crates to compile (`cargo build -p hip`, without features).
#[test]
fn few_crates_are_built_for_a_user() {
    let Some(folder) = sources() else { return };
    let output = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--package", "hip", "--edges", "normal,build", "--prefix", "none", "--offline"])
        .arg("--format={p}")
        .current_dir(folder)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let crates: BTreeSet<_> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!((4..=16).contains(&crates.len()), "{} crates: {crates:?}", crates.len());
}

#[test]
fn every_function_has_a_safe_name_or_a_reason() {
    let Some(aliases) = aliases() else { return };
    let left_out: BTreeSet<&str> = LEFT_OUT.iter().flat_map(|group| group.functions).copied().collect();
    let mut problems = Vec::new();
    for name in FUNCTIONS.iter().map(|row| row.name) {
        match (aliases.contains_key(name), left_out.contains(name)) {
            (true, false) | (false, true) => {}
            (false, false) => problems.push(format!(
                "{name} has neither a doc(alias) of a public item nor a reason in left_out.rs"
            )),
            (true, true) => problems.push(format!("{name} has a doc(alias) and a reason in left_out.rs")),
        }
    }
    let unknown = |name: &&str| !FUNCTIONS.iter().any(|row| row.name == *name);
    problems.extend(left_out.iter().filter(|name| unknown(name)).map(|name| format!("no function {name}")));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn reasons_are_given_once() {
    let mut seen = BTreeSet::new();
    for group in LEFT_OUT {
        assert!(group.reason.ends_with('.') && !group.functions.is_empty(), "{}", group.reason);
        for name in group.functions {
            assert!(seen.insert(name), "{name} stands twice");
        }
    }
}

#[test]
fn the_table_is_up_to_date() {
    let Some(aliases) = aliases() else { return };
    let mut table = String::from("| C function | HIP | here |\n| --- | --- | --- |\n");
    for row in &FUNCTIONS {
        let releases =
            if row.releases.iter().eq(RELEASES) { "all".to_owned() } else { row.releases.to_string() };
        let here = match aliases.get(row.name) {
            Some(items) => items.iter().map(|item| scan::link(item)).collect::<Vec<_>>().join(", "),
            None => match LEFT_OUT.iter().find(|group| group.functions.contains(&row.name)) {
                Some(group) => format!("*left out*: {}", group.reason),
                None => "*missing*".to_owned(),
            },
        };
        let _ = writeln!(table, "| `{}` | {releases} | {here} |", row.name);
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/functions.md");
    if std::fs::read_to_string(&path).is_ok_and(|old| old == table) {
        return;
    }
    std::fs::write(&path, table).unwrap();
    panic!("{} was out of date and is written anew: commit it", path.display());
}
