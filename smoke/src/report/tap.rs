//! TAP, version 14 (testanything.org): a line for each check, findings as YAML.

use std::fmt::Write as _;

use super::Report;
use crate::verdict::Outcome;

/// The whole report.
pub fn render(report: &Report) -> String {
    let mut text = format!("TAP version 14\n1..{}\n", report.verdicts.len());
    for (at, verdict) in report.verdicts.iter().enumerate() {
        let ok = if matches!(verdict.outcome, Outcome::Fail | Outcome::Error) { "not ok" } else { "ok" };
        let _ = write!(text, "{ok} {} - {}: {}", at + 1, verdict.check, verdict.title);
        if verdict.outcome == Outcome::Skip {
            let why = verdict.findings.first().map_or("", |finding| &finding.what);
            let _ = write!(text, " # SKIP {}", why.replace('\n', " ").replace('#', "\\#"));
        }
        text.push('\n');
        let shown: Vec<_> =
            verdict.findings.iter().filter(|finding| finding.outcome > Outcome::Pass).collect();
        if !shown.is_empty() {
            text.push_str("  ---\n  findings:\n");
            for finding in shown {
                // A JSON string is a YAML string.
                let quoted = |value: &str| serde_json::Value::from(value).to_string();
                let _ = writeln!(text, "    - outcome: {}", finding.outcome.word());
                let _ = writeln!(text, "      what: {}", quoted(&finding.what));
                if let Some(file) = &finding.file {
                    let _ = writeln!(text, "      file: {}", quoted(&file.to_string_lossy()));
                }
                for (name, value) in
                    [("package", &finding.package), ("means", &finding.meaning), ("fix", &finding.fix)]
                {
                    if let Some(value) = value {
                        let _ = writeln!(text, "      {name}: {}", quoted(value));
                    }
                }
            }
            text.push_str("  ...\n");
        }
    }
    text
}
