//! What a check found: findings, each with the file and package it is about, and the verdict over them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How a finding or a check ended, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// There was nothing to judge, for the reason given.
    Skip,
    /// It is as it should be.
    Pass,
    /// A defect of the stack from which users have little to fear; `--strict` makes it a failure.
    Warn,
    /// It could not be judged: the machine around the stack is in the way.
    Error,
    /// The stack is at fault.
    Fail,
}

impl Outcome {
    /// The word that every format uses.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Skip => "skip",
            Outcome::Pass => "pass",
            Outcome::Warn => "warn",
            Outcome::Error => "error",
            Outcome::Fail => "fail",
        }
    }
}

/// One thing that a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How it is.
    pub outcome: Outcome,
    /// What was looked at, and what was wrong with it.
    pub what: String,
    /// The file it is about, as the stack names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The package that owns the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// What it means for users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meaning: Option<String>,
    /// The fix, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    /// The file it is about; its package is looked up at the end.
    pub fn file(&mut self, path: impl Into<PathBuf>) -> &mut Self {
        self.file = Some(path.into());
        self
    }

    /// What it means for users.
    pub fn means(&mut self, text: impl Into<String>) -> &mut Self {
        self.meaning = Some(text.into());
        self
    }

    /// The fix, in one line.
    pub fn fix(&mut self, text: impl Into<String>) -> &mut Self {
        self.fix = Some(text.into());
        self
    }
}

/// The findings of one check, while it runs.
#[derive(Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, outcome: Outcome, what: impl Into<String>) -> &mut Finding {
        let what = what.into();
        self.0.push(Finding { outcome, what, file: None, package: None, meaning: None, fix: None });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// It is as it should be.
    pub fn pass(&mut self, what: impl Into<String>) -> &mut Finding {
        self.add(Outcome::Pass, what)
    }

    /// There was nothing to judge.
    pub fn skip(&mut self, why: impl Into<String>) -> &mut Finding {
        self.add(Outcome::Skip, why)
    }

    /// A defect from which users have little to fear.
    pub fn warn(&mut self, what: impl Into<String>) -> &mut Finding {
        self.add(Outcome::Warn, what)
    }

    /// The stack is at fault.
    pub fn fail(&mut self, what: impl Into<String>) -> &mut Finding {
        self.add(Outcome::Fail, what)
    }

    /// It could not be judged.
    pub fn error(&mut self, why: impl Into<String>) -> &mut Finding {
        self.add(Outcome::Error, why)
    }

    /// Whether anything failed so far.
    pub fn any_failed(&self) -> bool {
        self.0.iter().any(|finding| finding.outcome == Outcome::Fail)
    }

    /// The findings, in the order in which they were made.
    pub fn into_inner(self) -> Vec<Finding> {
        self.0
    }
}

/// How one check ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The check's number.
    pub number: u8,
    /// The check's name.
    pub check: String,
    /// What it checks, in a few words.
    pub title: String,
    /// The layer of the stack that it belongs to.
    pub layer: String,
    /// The worst of its findings.
    pub outcome: Outcome,
    /// How long it took, in seconds of this machine.
    pub seconds: f64,
    /// What it found.
    pub findings: Vec<Finding>,
}

impl Verdict {
    /// The worst finding decides; a check that found nothing did not judge anything.
    pub fn outcome_of(findings: &[Finding]) -> Outcome {
        findings.iter().map(|finding| finding.outcome).max().unwrap_or(Outcome::Error)
    }

    /// The findings that made it what it is.
    pub fn decisive(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.outcome == self.outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_finding_decides() {
        let mut findings = Findings::default();
        assert_eq!(Verdict::outcome_of(&[]), Outcome::Error, "nothing found is nothing judged");
        findings.skip("no such library");
        assert_eq!(Verdict::outcome_of(&findings.0), Outcome::Skip);
        findings.pass("a");
        assert_eq!(Verdict::outcome_of(&findings.0), Outcome::Pass);
        findings.error("no permission");
        assert_eq!(Verdict::outcome_of(&findings.0), Outcome::Error);
        findings.fail("b");
        findings.pass("c");
        assert_eq!(Verdict::outcome_of(&findings.0), Outcome::Fail);
    }
}
