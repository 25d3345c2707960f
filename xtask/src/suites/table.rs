//! All outcomes, for people and as Markdown.

use std::fmt;

use super::outcome::Outcome;

/// The outcomes of a run.
pub struct Table<'a> {
    outcomes: &'a [Outcome],
    build: &'a str,
}

/// The sums of a package.
struct Sum<'a> {
    name: String,
    outcomes: Vec<&'a Outcome>,
}

impl<'a> Table<'a> {
    /// A table of these, seen by a run with this build of `vega`.
    pub fn new(outcomes: &'a [Outcome], build: &'a str) -> Self {
        Self { outcomes, build }
    }

    fn sums(&self) -> Vec<Sum<'a>> {
        let mut sums: Vec<Sum> = Vec::new();
        for outcome in self.outcomes {
            let name = format!("{} {} {}", outcome.suite, outcome.package, outcome.version);
            match sums.iter_mut().find(|sum| sum.name == name) {
                Some(sum) => sum.outcomes.push(outcome),
                None => sums.push(Sum { name, outcomes: vec![outcome] }),
            }
        }
        sums
    }

    /// The same as Markdown: a table of the packages, then one of the programs of each.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "| package | programs | pass | of which prove execution | cases | passed | failed | seconds |\n\
             |---|---:|---:|---:|---:|---:|---:|---:|\n",
        );
        for sum in self.sums() {
            let [programs, pass, prove, cases, passed] = sum.numbers();
            text += &format!(
                "| {} | {programs} | {pass} | {prove} | {cases} | {passed} | {} | {:.0} |\n",
                sum.name,
                cases - passed,
                sum.seconds(),
            );
        }
        for sum in self.sums() {
            text += &format!(
                "\n### {}\n\n| program | cases | passed | failed | seconds | control |\n|---|---:|---:|---:|---:|---|\n",
                sum.name
            );
            for outcome in sum.outcomes {
                let (cases, passed) = (outcome.cases, outcome.passed());
                text += &format!(
                    "| {} | {cases} | {passed} | {} | {:.1} | {} |\n",
                    outcome.program,
                    cases - passed,
                    outcome.seconds,
                    outcome.control(),
                );
            }
        }
        text
    }
}

impl Sum<'_> {
    /// Programs, those that pass, those of them that prove execution; cases, and those that passed.
    fn numbers(&self) -> [usize; 5] {
        let count = |which: &dyn Fn(&Outcome) -> bool| self.outcomes.iter().filter(|o| which(o)).count();
        let total = |number: &dyn Fn(&Outcome) -> usize| self.outcomes.iter().map(|o| number(o)).sum();
        [
            self.outcomes.len(),
            count(&Outcome::passes),
            count(&|outcome| outcome.passes() && outcome.proves()),
            total(&|outcome| outcome.cases),
            total(&Outcome::passed),
        ]
    }

    fn seconds(&self) -> f64 {
        self.outcomes.iter().map(|outcome| outcome.seconds).sum()
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.outcomes.iter().map(|outcome| outcome.program.len()).max().unwrap_or(0);
        for sum in self.sums() {
            writeln!(f, "{}", sum.name)?;
            writeln!(
                f,
                "  {:<width$} {:>6} {:>6} {:>6} {:>8}  control",
                "program", "cases", "passed", "failed", "seconds"
            )?;
            for outcome in &sum.outcomes {
                let (cases, passed) = (outcome.cases, outcome.passed());
                writeln!(
                    f,
                    "  {:<width$} {cases:>6} {passed:>6} {:>6} {:>8.1}  {}",
                    outcome.program,
                    cases - passed,
                    outcome.seconds,
                    outcome.control(),
                )?;
            }
            let [programs, pass, prove, cases, passed] = sum.numbers();
            writeln!(
                f,
                "  {pass} of {programs} programs pass, {prove} of them prove execution; {passed} of {cases} cases\n"
            )?;
        }
        for outcome in self.outcomes.iter().filter(|outcome| !outcome.passes()) {
            writeln!(f, "FAILED {} {} ({})", outcome.suite, outcome.program, outcome.end)?;
            for (case, how) in outcome.failed.iter().take(10) {
                writeln!(f, "  {case}: {how}")?;
            }
            if outcome.failed.len() > 10 {
                writeln!(f, "  and {} more", outcome.failed.len() - 10)?;
            }
        }
        let others = self.outcomes.iter().filter(|outcome| outcome.build != self.build).count();
        if others > 0 {
            writeln!(f, "{others} results are of earlier builds of vega: --fresh runs all again.")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suites::outcome::Control;
    use crate::suites::outcome::tests::outcome;

    #[test]
    fn tells_what_passed_and_what_that_proves() {
        let proof = outcome();
        let empty = Outcome {
            program: "test_b".into(),
            without_execution: Control::Passes,
            build: "1".into(),
            ..outcome()
        };
        let bad = Outcome {
            program: "test_c".into(),
            failed: vec![("a.one".into(), "failed".into())],
            success: false,
            ..outcome()
        };
        let outcomes = [proof, empty, bad];
        let table = Table::new(&outcomes, "0");
        let markdown = table.markdown();
        assert!(
            markdown.contains("| sid librocrand1-tests 6.4.3-1 | 3 | 2 | 1 | 9 | 8 | 1 | 4 |\n"),
            "{markdown}"
        );
        assert!(
            markdown.contains("| test_b | 3 | 3 | 0 | 1.2 | passes if nothing executes |\n"),
            "{markdown}"
        );
        let text = table.to_string();
        assert!(text.contains("2 of 3 programs pass, 1 of them prove execution; 8 of 9 cases"), "{text}");
        assert!(text.contains("a.one: failed"), "{text}");
        assert!(text.contains("1 results are of earlier builds"), "{text}");
    }
}
