//! Two reports side by side: what changed between the stacks, and which verdicts changed with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;

use super::Report;
use crate::fingerprint;
use crate::verdict::Outcome;

/// Reads a JSON report.
///
/// # Errors
/// When the file cannot be read or is no report of this program.
pub fn read(path: &Path) -> anyhow::Result<Report> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is no report of `hip-smoke --format json`", path.display()))
}

/// What changed; and whether a check that did not fail in the first report fails in the second.
pub fn compare(before: &Report, after: &Report) -> (String, bool) {
    let mut text = String::new();
    let (a, b) = (&before.fingerprint, &after.fingerprint);
    changed(&mut text, "system", &a.system, &b.system);
    changed(&mut text, "device", &before.device, &after.device);
    let llvm = |report: &Report| report.fingerprint.llvm.clone().unwrap_or_else(|| "none".to_owned());
    changed(&mut text, "LLVM", &llvm(before), &llvm(after));
    packages(&mut text, &a.packages, &b.packages);
    maps(&mut text, "library", &a.sonames, &b.sonames);
    let mut worse = false;
    for now in &after.verdicts {
        let was = before.verdicts.iter().find(|verdict| verdict.check == now.check);
        let (old, new) = (was.map(|verdict| verdict.outcome), now.outcome);
        if old == Some(new) {
            continue;
        }
        worse |= new == Outcome::Fail;
        let old = old.map_or("not run", Outcome::word);
        let _ = writeln!(text, "check {} {}: {old} -> {}", now.number, now.check, new.word());
        for finding in now.decisive().filter(|_| new != Outcome::Pass) {
            let _ = writeln!(text, "  {}", finding.what.replace('\n', "\n  "));
        }
    }
    if text.is_empty() {
        text.push_str("no difference\n");
    }
    (text, worse)
}

fn changed(text: &mut String, name: &str, before: &str, after: &str) {
    if before != after {
        let _ = writeln!(text, "{name}: {before} -> {after}");
    }
}

/// Packages of the stack by name, of the others only how many changed.
fn packages(text: &mut String, before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    let of_stack = |all: &BTreeMap<String, String>| {
        all.iter()
            .filter(|(name, _)| fingerprint::of_stack(name))
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect()
    };
    maps(text, "package", &of_stack(before), &of_stack(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let others = names.into_iter().filter(|name| !fingerprint::of_stack(name));
    let others = others.filter(|name| before.get(*name) != after.get(*name)).count();
    if others > 0 {
        let _ = writeln!(text, "packages outside the stack: {others} differ");
    }
}

fn maps(text: &mut String, what: &str, before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let value =
            |map: &BTreeMap<String, String>| map.get(name).cloned().unwrap_or_else(|| "none".to_owned());
        changed(text, &format!("{what} {name}"), &value(before), &value(after));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fingerprint::Fingerprint;
    use crate::verdict::{Findings, Verdict};

    fn report(version: &str, outcome: Outcome) -> Report {
        let mut findings = Findings::default();
        match outcome {
            Outcome::Fail => findings.fail("copies are wrong"),
            _ => findings.pass("copies"),
        };
        let packages = [("libamdhip64-5".to_owned(), version.to_owned())].into();
        Report {
            version: "0".into(),
            fingerprint: Fingerprint { packages, ..Fingerprint::default() },
            device: "virtual".into(),
            verdicts: vec![Verdict {
                number: 25,
                check: "memory".into(),
                title: String::new(),
                layer: String::new(),
                outcome,
                seconds: 0.0,
                findings: findings.into_inner(),
            }],
        }
    }

    #[test]
    fn shows_what_changed_and_what_got_worse() {
        let (text, worse) = compare(&report("5.2.3-8", Outcome::Pass), &report("5.7.1-5", Outcome::Fail));
        assert_eq!(
            text,
            "package libamdhip64-5: 5.2.3-8 -> 5.7.1-5\ncheck 25 memory: pass -> fail\n  copies are wrong\n"
        );
        assert!(worse);
        let (text, worse) = compare(&report("1", Outcome::Fail), &report("1", Outcome::Fail));
        assert_eq!((text.as_str(), worse), ("no difference\n", false));
    }

    #[test]
    fn json_is_read_as_it_was_written() {
        let written = report("1", Outcome::Fail);
        let text = written.render(crate::cli::Format::Json, false, false).expect("JSON");
        assert_eq!(serde_json::from_str::<Report>(&text).expect("a report"), written);
    }
}
