//! What a check is, and how checks are run.

use std::time::Instant;

use crate::stack::{Device, Stack};
use crate::verdict::{Findings, Outcome, Verdict};

/// One check: a row of [`crate::checks::CHECKS`].
pub struct Check {
    /// Its number, stable over releases.
    pub number: u8,
    /// Its name on the command line and in reports.
    pub name: &'static str,
    /// The component of the stack that it is about.
    pub layer: &'static str,
    /// What it checks, in a few words.
    pub title: &'static str,
    /// Whether it needs a device.
    pub device: bool,
    /// Left out by `--quick`.
    pub slow: bool,
    /// The long form, for `--explain`.
    pub explain: &'static str,
    /// Carries it out. An error says why it could not be carried out.
    pub run: fn(&Stack, &mut Findings) -> anyhow::Result<()>,
}

impl Check {
    /// Carries the check out and judges it.
    pub fn verdict(&self, stack: &Stack, strict: bool) -> Verdict {
        let start = Instant::now();
        let mut findings = Findings::default();
        match &stack.device {
            Device::Absent(why) if self.device => {
                findings.skip(format!("needs a device: {why}"));
            }
            _ => {
                if let Err(error) = (self.run)(stack, &mut findings) {
                    findings.error(format!("{error:#}"));
                }
            }
        }
        let mut findings = findings.into_inner();
        for finding in &mut findings {
            if strict && finding.outcome == Outcome::Warn {
                finding.outcome = Outcome::Fail;
            }
            finding.package =
                finding.file.as_ref().and_then(|file| stack.packages.owner(file)).map(str::to_owned);
        }
        Verdict {
            number: self.number,
            check: self.name.to_owned(),
            title: self.title.to_owned(),
            layer: self.layer.to_owned(),
            outcome: Verdict::outcome_of(&findings),
            seconds: start.elapsed().as_secs_f64(),
            findings,
        }
    }

    /// Whether a word of the command line means this check: its name or number.
    pub fn is_called(&self, word: &str) -> bool {
        self.name == word || word.parse() == Ok(self.number)
    }
}
