//! What ran, whether it passed, and how long it took: lines while it runs, a table at the end.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How a step ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should; with a few words, such as the number of tests.
    Passed(String),
    /// Not as it should, and why.
    Failed(String),
}

/// One step.
struct Row {
    group: &'static str,
    name: String,
    verdict: Verdict,
    time: Duration,
}

/// Collects the steps of a run.
pub struct Report {
    rows: Vec<Row>,
    start: Instant,
}

impl Report {
    /// An empty report; the clock starts.
    pub fn new() -> Self {
        Self { rows: Vec::new(), start: Instant::now() }
    }

    /// Runs one step, with a spinner on a terminal, and prints its line.
    pub fn step(
        &mut self,
        group: &'static str,
        name: &str,
        step: impl FnOnce() -> anyhow::Result<Verdict>,
    ) -> bool {
        let spinner = spinner(&format!("{group}: {name}"));
        let start = Instant::now();
        let verdict = step().unwrap_or_else(|error| Verdict::Failed(format!("{error:#}")));
        spinner.finish_and_clear();
        let row = Row { group, name: name.to_owned(), verdict, time: start.elapsed() };
        println!("{}", row.line());
        let passed = matches!(row.verdict, Verdict::Passed(_));
        self.rows.push(row);
        passed
    }

    /// Prints the table of the groups and the failures; says whether everything passed and anything ran.
    pub fn finish(self) -> bool {
        println!("\n{:<28} {:>6} {:>7} {:>7} {:>9}", "group", "steps", "passed", "failed", "seconds");
        let mut groups: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !groups.contains(&row.group) {
                groups.push(row.group);
            }
        }
        for group in groups {
            let rows: Vec<&Row> = self.rows.iter().filter(|row| row.group == group).collect();
            println!("{}", totals(group, &rows, rows.iter().map(|row| row.time).sum()));
        }
        println!("{}", totals("all", &self.rows.iter().collect::<Vec<_>>(), self.start.elapsed()));
        let failed: Vec<&Row> = self.rows.iter().filter(|row| row.failed().is_some()).collect();
        for row in &failed {
            println!("\nFAILED {}: {}\n{}", row.group, row.name, row.failed().unwrap_or_default());
        }
        failed.is_empty() && !self.rows.is_empty()
    }
}

fn totals(name: &str, rows: &[&Row], time: Duration) -> String {
    let failed = rows.iter().filter(|row| row.failed().is_some()).count();
    let passed = rows.len() - failed;
    format!("{name:<28} {:>6} {passed:>7} {failed:>7} {:>9.1}", rows.len(), time.as_secs_f64())
}

impl Row {
    fn failed(&self) -> Option<&str> {
        match &self.verdict {
            Verdict::Failed(why) => Some(why),
            Verdict::Passed(_) => None,
        }
    }

    fn line(&self) -> String {
        let (word, note) = match &self.verdict {
            Verdict::Passed(note) => ("ok", note.as_str()),
            Verdict::Failed(why) => ("FAILED", why.lines().next().unwrap_or_default()),
        };
        let seconds = self.time.as_secs_f64();
        format!("{:<6} {:<24} {:<32} {seconds:>7.1} s  {note}", word, self.group, self.name)
    }
}

/// A spinner on a terminal, nothing elsewhere.
pub fn spinner(message: &str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(message.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// How many tests passed and failed, by libtest's `test result:` lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: u32,
    /// Tests that failed.
    pub failed: u32,
}

impl Counts {
    /// Reads the output of one test program: its last such line, as those before it are of children that it started.
    /// `None` if there is no such line.
    pub fn of_program(output: &str) -> Option<Self> {
        Self::each(output).last()
    }

    /// Adds up the lines of several programs.
    pub fn of_programs(output: &str) -> Self {
        let sum = |a: Self, b: Self| Self { passed: a.passed + b.passed, failed: a.failed + b.failed };
        Self::each(output).fold(Self::default(), sum)
    }

    fn each(output: &str) -> impl Iterator<Item = Self> {
        output.lines().filter_map(|line| line.trim().strip_prefix("test result:")).map(|line| {
            let number = |what: &str| {
                line.split([';', '.'])
                    .find_map(|part| part.trim().strip_suffix(what))
                    .and_then(|number| number.trim().parse().ok())
                    .unwrap_or(0)
            };
            Self { passed: number("passed"), failed: number("failed") }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_libtest_results() {
        let output = "running 3 tests\n\
            test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.02s\n\
            test result: FAILED. 10 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.02s\n";
        assert_eq!(Counts::of_programs(output), Counts { passed: 13, failed: 2 });
        assert_eq!(Counts::of_program(output), Some(Counts { passed: 10, failed: 2 }));
        assert_eq!(Counts::of_program("Segmentation fault\n"), None);
    }

    #[test]
    fn a_run_of_nothing_does_not_pass() {
        assert!(!Report::new().finish());
    }

    #[test]
    fn one_failure_fails_the_run() {
        let mut report = Report::new();
        assert!(report.step("a", "good", || Ok(Verdict::Passed(String::new()))));
        assert!(!report.step("a", "bad", || anyhow::bail!("why")));
        assert!(!report.finish());
    }
}
