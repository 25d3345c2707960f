//! The exit status: one table, the first line that matches wins.

use crate::verdict::{Outcome, Verdict};

/// The command line is wrong (clap's own status, too).
pub const USAGE: u8 = 2;
/// A check failed.
pub const FAILED: u8 = 1;
/// Nothing could be judged, something that should have been could not, or the root is damaged.
pub const UNJUDGED: u8 = 3;
/// A device is required and absent, and nothing failed (autopkgtest and automake read 77 as "skipped").
pub const NO_DEVICE: u8 = 77;

/// The status of a run. `device_missing`: checks that need a device were asked for and there was none.
pub fn status(verdicts: &[Verdict], device_missing: bool) -> u8 {
    let any = |outcome| verdicts.iter().any(|verdict| verdict.outcome == outcome);
    let nothing = [Outcome::Pass, Outcome::Warn, Outcome::Fail].into_iter().all(|outcome| !any(outcome));
    if nothing {
        UNJUDGED
    } else if any(Outcome::Fail) {
        FAILED
    } else if device_missing {
        NO_DEVICE
    } else if any(Outcome::Error) {
        UNJUDGED
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(outcome: Outcome) -> Verdict {
        Verdict {
            number: 1,
            check: String::new(),
            title: String::new(),
            layer: String::new(),
            outcome,
            seconds: 0.0,
            findings: Vec::new(),
        }
    }

    #[test]
    fn the_first_line_that_matches_wins() {
        use Outcome::{Error, Fail, Pass, Skip, Warn};
        let cases: &[(&[Outcome], bool, u8)] = &[
            (&[], false, UNJUDGED),
            (&[Skip, Skip], false, UNJUDGED),
            (&[Error], false, UNJUDGED),
            (&[Pass, Skip], false, 0),
            (&[Pass, Warn], false, 0),
            (&[Pass, Error], false, UNJUDGED),
            (&[Pass, Fail, Error], false, FAILED),
            (&[Pass, Fail], true, FAILED),
            (&[Pass, Skip], true, NO_DEVICE),
            (&[Skip], true, UNJUDGED),
            (&[Pass, Skip, Error], true, NO_DEVICE),
            (&[Fail], true, FAILED),
        ];
        for (outcomes, missing, expected) in cases {
            let verdicts: Vec<_> = outcomes.iter().copied().map(verdict).collect();
            assert_eq!(status(&verdicts, *missing), *expected, "{outcomes:?} {missing}");
        }
    }
}
