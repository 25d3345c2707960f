//! For people: a line for each check, then what is not as it should be.

use std::fmt::Write as _;

use super::Report;
use crate::verdict::{Finding, Outcome, Verdict};

/// A word in its colour.
fn coloured(outcome: Outcome, colour: bool) -> String {
    let word = format!("{:<5}", outcome.word());
    let code = match outcome {
        Outcome::Pass => "32",
        Outcome::Warn => "33",
        Outcome::Fail => "1;31",
        Outcome::Error => "35",
        Outcome::Skip => "2",
    };
    if colour { format!("\x1b[{code}m{word}\x1b[0m") } else { word }
}

/// The line of one check.
pub fn line(verdict: &Verdict, colour: bool) -> String {
    format!(
        "{:>2} {} {:<20} {:<18} {:>6.1} s  {}",
        verdict.number,
        coloured(verdict.outcome, colour),
        verdict.check,
        verdict.layer,
        verdict.seconds,
        verdict.title
    )
}

fn finding(text: &mut String, finding: &Finding, colour: bool) {
    let _ = writeln!(text, "   {} {}", coloured(finding.outcome, colour), indented(&finding.what));
    let mut row = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "         {name:<8} {value}");
        }
    };
    row("file", &finding.file.as_ref().map(|file| file.display().to_string()));
    row("package", &finding.package);
    row("means", &finding.meaning);
    row("fix", &finding.fix);
}

/// Further lines stand below the first one.
fn indented(text: &str) -> String {
    text.replace('\n', "\n         ")
}

/// The whole report.
pub fn render(report: &Report, colour: bool, verbose: bool) -> String {
    let mut text = String::new();
    let fingerprint = &report.fingerprint;
    let _ = writeln!(
        text,
        "{}; {}; {}",
        fingerprint.system,
        fingerprint.llvm.as_deref().unwrap_or("no clang"),
        report.device
    );
    for verdict in &report.verdicts {
        let _ = writeln!(text, "{}", line(verdict, colour));
    }
    for verdict in &report.verdicts {
        let shown: Vec<_> =
            verdict.findings.iter().filter(|f| verbose || f.outcome != Outcome::Pass).collect();
        if !shown.is_empty() {
            let _ = writeln!(text, "\n{} {} ({})", verdict.number, verdict.check, verdict.layer);
            shown.into_iter().for_each(|one| finding(&mut text, one, colour));
        }
    }
    let _ = writeln!(text, "\n{}", report.summary());
    text
}
