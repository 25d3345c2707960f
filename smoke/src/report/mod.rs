//! A report and its formats.

pub mod compare;
pub mod junit;
pub mod table;
pub mod tap;

use serde::{Deserialize, Serialize};

use crate::cli::Format;
use crate::fingerprint::Fingerprint;
use crate::verdict::{Outcome, Verdict};

/// Everything that one run found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Version of this program.
    pub version: String,
    /// What the stack consists of.
    pub fingerprint: Fingerprint,
    /// What programs ran on.
    pub device: String,
    /// Verdicts by number.
    pub verdicts: Vec<Verdict>,
}

impl Report {
    /// How many checks ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.verdicts.iter().filter(|verdict| verdict.outcome == outcome).count()
    }

    /// One line for people.
    pub fn summary(&self) -> String {
        let counts = [Outcome::Pass, Outcome::Warn, Outcome::Fail, Outcome::Error, Outcome::Skip];
        let parts: Vec<String> = counts
            .into_iter()
            .filter(|outcome| self.count(*outcome) > 0)
            .map(|outcome| format!("{} {}", self.count(outcome), outcome.word()))
            .collect();
        if parts.is_empty() { "nothing was checked".to_owned() } else { parts.join(", ") }
    }

    /// The report in a format.
    ///
    /// # Errors
    /// When a format's own writer fails.
    pub fn render(&self, format: Format, colour: bool, verbose: bool) -> anyhow::Result<String> {
        Ok(match format {
            Format::Table => table::render(self, colour, verbose),
            Format::Json => serde_json::to_string_pretty(self)? + "\n",
            Format::Junit => junit::render(self)?,
            Format::Tap => tap::render(self),
        })
    }
}
