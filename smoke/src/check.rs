//! What a check is, and how checks are run.

use std::fs::File;
use std::io::ErrorKind;
use std::time::Instant;

use crate::stack::{Device, Stack};
use crate::verdict::{Finding, Findings, Outcome, Verdict};

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
    /// What a finding means for users, where the finding itself does not say it more exactly.
    pub means: &'static str,
    /// The fix in one line, where the finding itself does not say it more exactly.
    pub fix: &'static str,
    /// Carries it out. An error says why it could not be carried out.
    pub run: fn(&Stack, &mut Findings) -> anyhow::Result<()>,
}

/// What of this machine was in the way, where a finding seems to be about the stack: a file that this user may not
/// read, or a disk with no room for what the check writes.
fn obstacle(stack: &Stack, finding: &Finding) -> Option<String> {
    if finding.outcome == Outcome::Pass {
        return None;
    }
    // Who may open a device file is what a check is about.
    let file = finding.file.as_ref().filter(|file| !file.starts_with("/dev"));
    let denied = file.and_then(|file| {
        let error = File::open(file).err().filter(|error| error.kind() == ErrorKind::PermissionDenied)?;
        Some(format!("{} cannot be read: {error}", file.display()))
    });
    denied.or_else(|| stack.no_room().map(|why| format!("{} has no room: {why}", stack.work().display())))
}

impl Check {
    /// Carries the check out and judges it.
    pub fn verdict(&self, stack: &Stack, strict: bool) -> Verdict {
        let start = Instant::now();
        let mut findings = Findings::default();
        stack.forget_work();
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
            if let Some(obstacle) = obstacle(stack, finding) {
                finding.outcome = Outcome::Error;
                finding.what = format!("{obstacle} ({})", finding.what);
                (finding.meaning, finding.fix) = (None, None);
            }
            if strict && finding.outcome == Outcome::Warn {
                finding.outcome = Outcome::Fail;
            }
            let default = match finding.outcome {
                Outcome::Skip | Outcome::Pass => None,
                Outcome::Error => {
                    Some(("nothing was judged here", "clear what is in the way, and run the check again"))
                }
                Outcome::Warn | Outcome::Fail => Some((self.means, self.fix)),
            };
            if let Some((means, fix)) = default {
                finding.meaning.get_or_insert_with(|| means.to_owned());
                finding.fix.get_or_insert_with(|| fix.to_owned());
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
