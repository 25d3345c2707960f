//! Reads what a GoogleTest program prints.

use std::collections::{BTreeMap, BTreeSet};

/// The cases that `--gtest_list_tests` names, as "suite.case".
pub fn listed(output: &str) -> BTreeSet<String> {
    let mut suite = "";
    let mut cases = BTreeSet::new();
    for line in output.lines() {
        // Behind it stands the parameter, which may hold anything.
        let name = line.split("  # ").next().unwrap_or_default().trim_end();
        match name.strip_prefix("  ") {
            Some(case) if !suite.is_empty() && !case.contains(' ') => {
                cases.insert(format!("{suite}{case}"));
            }
            _ if name.ends_with('.') && !name.contains(' ') => suite = name,
            _ => {}
        }
    }
    cases
}

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    Passed,
    Failed,
    Skipped,
}

const MARKS: [(&str, Case); 3] =
    [("[       OK ] ", Case::Passed), ("[  FAILED  ] ", Case::Failed), ("[  SKIPPED ] ", Case::Skipped)];

/// How the cases ended that have ended. A mark may stand behind what the case itself printed without a line's end.
pub fn ended(output: &str) -> BTreeMap<&str, Case> {
    let mut cases = BTreeMap::new();
    for line in output.lines() {
        for (mark, how) in MARKS {
            let Some(at) = line.find(mark) else { continue };
            let rest = &line[at + mark.len()..];
            let name = rest.split([' ', ',']).next().unwrap_or_default();
            // A case that both passed and failed has failed: failures are listed again at the end.
            let case = cases.entry(name).or_insert(how);
            if how != Case::Passed {
                *case = how;
            }
        }
    }
    cases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_plain_typed_and_parametrised_cases() {
        let output = "Running main() from ./googletest/src/gtest_main.cc\n\
            plain.\n  one\n  DISABLED_two\n\
            all/typed/0.  # TypeParam = params<int,  # odd.\n  Sum\n\
            all/valued.\n  int_test/0  # GetParam() = 404\n";
        let cases: Vec<String> = listed(output).into_iter().collect();
        assert_eq!(cases, ["all/typed/0.Sum", "all/valued.int_test/0", "plain.DISABLED_two", "plain.one"]);
    }

    #[test]
    fn reads_how_cases_ended() {
        let output = "[ RUN      ] a.one\nnoise[       OK ] a.one (3 ms)\n\
            [  FAILED  ] a.two, where GetParam() = 404 (7 ms)\n\
            [ RUN      ] a.three\n[  SKIPPED ] a.three (0 ms)\n[ RUN      ] a.four\n\
            [  FAILED  ] 1 test, listed below:\n[  FAILED  ] a.two, where GetParam() = 404\n";
        let cases = ended(output);
        assert_eq!(cases.get("a.one"), Some(&Case::Passed));
        assert_eq!(cases.get("a.two"), Some(&Case::Failed));
        assert_eq!(cases.get("a.three"), Some(&Case::Skipped));
        assert_eq!(cases.get("a.four"), None);
    }
}
