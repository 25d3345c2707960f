//! How a program did, kept as JSON so that an interrupted run goes on.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// What a run showed in which the program must fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// The program fails, as it must.
    Fails,
    /// It passes: it proves nothing.
    Passes,
    /// It was ended at its limit before any case had failed.
    Undecided,
}

/// How one program did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// Debian's suite.
    pub suite: String,
    /// The package.
    pub package: String,
    /// The package's version.
    pub version: String,
    /// The program.
    pub program: String,
    /// How many cases it lists.
    pub cases: usize,
    /// The cases that did not pass, and how they ended.
    pub failed: Vec<(String, String)>,
    /// How the program ended.
    pub end: String,
    /// Whether it exited with 0.
    pub success: bool,
    /// How long it ran.
    pub seconds: f64,
    /// The run without a device.
    pub without_device: Control,
    /// The run on a card that completes dispatches without executing them.
    pub without_execution: Control,
    /// The build of `vega`.
    pub build: String,
}

impl Outcome {
    /// Whether every listed case ran and passed.
    pub fn passes(&self) -> bool {
        self.success && self.cases > 0 && self.failed.is_empty()
    }

    /// How many cases passed.
    pub fn passed(&self) -> usize {
        self.cases.saturating_sub(self.failed.len())
    }

    /// Whether a pass proves that kernels were executed.
    pub fn proves(&self) -> bool {
        (self.without_device, self.without_execution) == (Control::Fails, Control::Fails)
    }

    /// What the two control runs showed, in a few words.
    pub fn control(&self) -> &'static str {
        use Control::{Fails, Passes, Undecided};
        match (self.without_device, self.without_execution) {
            (Fails, Fails) => "fails",
            (Passes, _) => "passes without a device",
            (_, Passes) => "passes if nothing executes",
            (Undecided, _) | (_, Undecided) => "undecided",
        }
    }

    /// One line for people.
    pub fn line(&self) -> String {
        let word = if self.passes() { "ok    " } else { "FAILED" };
        let (passed, cases) = (self.passed(), self.cases);
        let mut line =
            format!("{word} {passed:>5} of {cases:>5}  {:>7.1} s  control: {}", self.seconds, self.control());
        if !self.success {
            line += &format!("  ({})", self.end);
        }
        line
    }

    /// Reads what an earlier run wrote; `None` if there is nothing that can be read.
    pub fn read(file: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(file).ok()?).ok()
    }

    /// Keeps it: whole or not at all.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        let unfinished = file.with_extension("unfinished");
        fs::write(&unfinished, serde_json::to_string_pretty(self)?)?;
        fs::rename(&unfinished, file).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// A name for this build of a file: equal for equal contents.
pub fn build_of(file: &Path) -> anyhow::Result<String> {
    let mut hasher = DefaultHasher::new();
    hasher.write(&fs::read(file).with_context(|| format!("cannot read {}", file.display()))?);
    Ok(format!("{:016x}", hasher.finish()))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn outcome() -> Outcome {
        Outcome {
            suite: "sid".into(),
            package: "librocrand1-tests".into(),
            version: "6.4.3-1".into(),
            program: "test_a".into(),
            cases: 3,
            failed: Vec::new(),
            end: "exit status 0".into(),
            success: true,
            seconds: 1.25,
            without_device: Control::Fails,
            without_execution: Control::Fails,
            build: "0".into(),
        }
    }

    #[test]
    fn passes_only_if_every_case_did_and_the_program_too() {
        let good = outcome();
        assert!(good.passes() && good.proves());
        assert!(!Outcome { cases: 0, ..good.clone() }.passes());
        assert!(!Outcome { success: false, ..good.clone() }.passes());
        assert!(!Outcome { failed: vec![("a".into(), "skipped".into())], ..good.clone() }.passes());
        assert!(!Outcome { without_device: Control::Undecided, ..good.clone() }.proves());
        assert!(!Outcome { without_execution: Control::Passes, ..good }.proves());
    }

    #[test]
    fn comes_back_from_its_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("test_a.json");
        assert_eq!(Outcome::read(&file), None);
        outcome().write(&file).expect("it is written");
        assert_eq!(Outcome::read(&file), Some(outcome()));
    }
}
