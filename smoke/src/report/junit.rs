//! JUnit XML: a test case for each check.

use std::time::Duration;

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::Report;
use crate::verdict::{Outcome, Verdict};

fn story(verdict: &Verdict) -> String {
    let mut lines = Vec::new();
    for finding in verdict.decisive() {
        lines.push(finding.what.clone());
        lines.extend(finding.file.as_ref().map(|file| format!("file: {}", file.display())));
        let named = [("package", &finding.package), ("means", &finding.meaning), ("fix", &finding.fix)];
        lines.extend(
            named.into_iter().filter_map(|(name, value)| Some(format!("{name}: {}", value.as_ref()?))),
        );
    }
    lines.join("\n")
}

fn status(verdict: &Verdict) -> TestCaseStatus {
    let mut status = match verdict.outcome {
        Outcome::Pass | Outcome::Warn => return TestCaseStatus::success(),
        Outcome::Skip => TestCaseStatus::skipped(),
        Outcome::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Outcome::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let message = verdict.decisive().next().map(|finding| finding.what.clone()).unwrap_or_default();
    status.set_message(message).set_description(story(verdict));
    status
}

/// The whole report.
///
/// # Errors
/// When the XML cannot be written.
pub fn render(report: &Report) -> anyhow::Result<String> {
    let mut suite = TestSuite::new("hip-smoke");
    for verdict in &report.verdicts {
        let mut case = TestCase::new(&verdict.check, status(verdict));
        case.set_classname(format!("hip-smoke.{}", verdict.layer));
        case.set_time(Duration::from_secs_f64(verdict.seconds.max(0.0)));
        if verdict.outcome == Outcome::Warn {
            case.set_system_out(story(verdict));
        }
        suite.add_test_case(case);
    }
    let mut all = quick_junit::Report::new("hip-smoke");
    all.add_test_suite(suite);
    Ok(all.to_string()?)
}
