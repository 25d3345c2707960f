//! Runs one program, and the two runs in which it must fail.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::chosen::Package;
use super::gtest::{self, Case};
use super::outcome::{Control, Outcome};
use crate::chroots::Chroot;
use crate::process::{self, End, Finished};

/// What programs ask before they run all of their cases: rocRAND skips what takes minutes.
const EVERY_CASE: (&str, &str) = ("RUN_SLOW_TESTS", "1");

/// Listing its cases needs no card and no time.
const LIST_LIMIT: Duration = Duration::from_secs(120);

/// A program of a package, in its chroot.
pub struct Program {
    package: &'static Package,
    name: String,
    chroot: Arc<Chroot>,
    results: PathBuf,
    build: String,
}

impl Program {
    /// The program; its results and output are kept in `folder`.
    pub fn new(
        package: &'static Package,
        name: String,
        chroot: Arc<Chroot>,
        folder: &Path,
        build: &str,
    ) -> anyhow::Result<Self> {
        let results = folder.join(package.suite).join(package.name);
        fs::create_dir_all(&results)?;
        Ok(Self { package, name, chroot, results, build: build.to_owned() })
    }

    /// Its suite and name.
    pub fn title(&self) -> String {
        format!("{} {}", self.package.suite, self.name)
    }

    /// What an earlier run found. A failure counts only for the build of `vega` that it was seen with, and not at all
    /// if the program was ended at its limit.
    pub fn earlier(&self) -> Option<Outcome> {
        let ended = |outcome: &Outcome| outcome.end != End::TimedOut.to_string();
        Outcome::read(&self.file("json"))
            .filter(|outcome| outcome.passes() || (outcome.build == self.build && ended(outcome)))
    }

    /// Runs it and keeps the outcome.
    pub fn run(&self, limit: Duration) -> anyhow::Result<Outcome> {
        let list = self.execute(&[], &["--gtest_list_tests"], &[], LIST_LIMIT, "list.log")?;
        ensure!(list.end.success(), "{} does not list its cases: {}", self.name, list.end);
        let cases = gtest::listed(&list.output);
        let on_card = ["./vega", "run", "--"];
        let start = Instant::now();
        // Cases that the program itself switches off are listed like any other.
        let all = ["--gtest_also_run_disabled_tests"];
        let done = self.execute(&on_card, &all, &[], limit, "log")?;
        let seconds = start.elapsed().as_secs_f64();
        // One failure settles a control run.
        let first = ["--gtest_also_run_disabled_tests", "--gtest_fail_fast"];
        let hidden = self.execute(&[], &first, &[], limit, "without-device.log")?;
        let skip = ("VEGA_CONTROL", "skip-dispatch");
        let skipped = self.execute(&on_card, &first, &[skip], limit, "without-execution.log")?;
        let outcome = Outcome {
            suite: self.package.suite.to_owned(),
            package: self.package.name.to_owned(),
            version: self.version()?,
            program: self.name.clone(),
            cases: cases.len(),
            failed: not_passed(&cases, &done.output),
            end: done.end.to_string(),
            success: done.end.success(),
            seconds,
            without_device: control(&hidden),
            without_execution: control(&skipped),
            build: self.build.clone(),
        };
        outcome.write(&self.file("json"))?;
        Ok(outcome)
    }

    fn file(&self, extension: &str) -> PathBuf {
        self.results.join(format!("{}.{extension}", self.name))
    }

    fn version(&self) -> anyhow::Result<String> {
        let packages = self.chroot.packages()?;
        let versions = packages.iter().filter_map(|line| line.strip_prefix(self.package.name));
        let version = versions.filter_map(|rest| rest.strip_prefix(' ')).next();
        Ok(version.with_context(|| format!("{} is not installed", self.package.name))?.to_owned())
    }

    fn execute(
        &self,
        before: &[&str],
        options: &[&str],
        environment: &[(&str, &str)],
        limit: Duration,
        log: &str,
    ) -> anyhow::Result<Finished> {
        let path = format!("{}/{}", self.package.folder(), self.name);
        let words: Vec<&str> = before.iter().chain([&path.as_str()]).chain(options).copied().collect();
        let mut command = self.chroot.command(&words);
        command.envs(environment.iter().copied().chain([EVERY_CASE]));
        process::run(&mut command, limit, &self.file(log))
            .with_context(|| format!("cannot run {}", self.name))
    }
}

/// The cases that did not pass, and how they ended.
fn not_passed(cases: &BTreeSet<String>, output: &str) -> Vec<(String, String)> {
    let ended = gtest::ended(output);
    let how = |name: &str| match ended.get(name) {
        Some(Case::Passed) => None,
        Some(Case::Failed) => Some("failed"),
        Some(Case::Skipped) => Some("skipped"),
        None => Some("did not end"),
    };
    cases.iter().filter_map(|name| Some((name.clone(), how(name)?.to_owned()))).collect()
}

/// What a run showed that must fail.
fn control(done: &Finished) -> Control {
    let fails = gtest::ended(&done.output).values().any(|case| *case == Case::Failed);
    match done.end {
        End::Exited(0) => Control::Passes,
        End::TimedOut if !fails => Control::Undecided,
        _ => Control::Fails,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_without_a_result_has_not_passed() {
        let cases = ["a.one", "a.two", "a.three"].map(str::to_owned).into();
        let output = "[       OK ] a.one (3 ms)\n[  SKIPPED ] a.two (0 ms)\n[ RUN      ] a.three\n";
        let failed = not_passed(&cases, output);
        let failed: Vec<(&str, &str)> =
            failed.iter().map(|(name, how)| (name.as_str(), how.as_str())).collect();
        assert_eq!(failed, [("a.three", "did not end"), ("a.two", "skipped")]);
    }

    #[test]
    fn a_control_run_must_show_a_failure() {
        let run =
            |end, output: &str| control(&Finished { end, output: output.into(), left_processes: false });
        assert_eq!(run(End::Exited(0), ""), Control::Passes);
        assert_eq!(run(End::Exited(1), ""), Control::Fails);
        assert_eq!(run(End::Signaled(6), ""), Control::Fails);
        assert_eq!(run(End::TimedOut, "[       OK ] a.one (3 ms)"), Control::Undecided);
        assert_eq!(run(End::TimedOut, "[  FAILED  ] a.one (3 ms)"), Control::Fails);
    }
}
