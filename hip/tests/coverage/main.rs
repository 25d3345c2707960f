//! Every function of HIP has a safe counterpart or a reason why not: compares the function table with the sources.

use hip::left_out::LEFT_OUT;
use hip::sys::FUNCTIONS;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What nobody has written yet. Shrinks to nothing.
const PENDING: [&str; 2] = [include_str!("pending-memory.txt"), include_str!("pending-launch.txt")];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The C names that stand in `doc(alias = "…")`, with the files that have them. `None` where there are no sources.
fn aliases() -> Option<BTreeMap<String, Vec<PathBuf>>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    if !folder.is_dir() {
        eprintln!("skipped: the sources are not at {}", folder.display());
        return None;
    }
    let (mut files, mut aliases) = (Vec::new(), BTreeMap::<String, Vec<PathBuf>>::new());
    sources(&folder, &mut files);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for rest in text.split("doc(alias = \"").skip(1) {
            let name = rest.split('"').next().unwrap_or_default();
            aliases.entry(name.to_owned()).or_default().push(file.clone());
        }
    }
    Some(aliases)
}

#[test]
fn every_function_has_a_safe_name_or_a_reason() {
    let Some(aliases) = aliases() else { return };
    let left_out: BTreeSet<&str> = LEFT_OUT.iter().flat_map(|group| group.functions).copied().collect();
    let pending: BTreeSet<&str> = PENDING.iter().flat_map(|list| list.lines()).collect();
    let mut problems = Vec::new();
    for name in FUNCTIONS.iter().map(|row| row.name) {
        let places =
            [aliases.contains_key(name), left_out.contains(name), pending.contains(name)].map(usize::from);
        match places.iter().sum::<usize>() {
            1 => {}
            0 => problems.push(format!("{name} has neither a doc(alias) nor a reason in left_out.rs")),
            _ => problems.push(format!("{name}: alias, left out, pending: {places:?}, but only one can be")),
        }
    }
    let known = |name: &&str| !FUNCTIONS.iter().any(|row| row.name == *name);
    problems.extend(
        left_out.union(&pending).filter(|name| known(name)).map(|name| format!("no function {name}")),
    );
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
