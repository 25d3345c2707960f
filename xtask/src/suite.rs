//! `cargo xtask test`: every test, each program under its own limit, and the runs that must fail.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use crate::card::{Card, Profile, build_vega};
use crate::cargo::{Artifact, build, cargo, target_folder};
use crate::process::{self, End, Finished, tail};
use crate::report::{Counts, Report, Verdict, spinner};
use crate::{glibc, stress};

/// Tests that need a device, HIP's headers or its runtime fail without one when these are set: nothing passes by
/// skipping.
const REQUIRED: [(&str, &str); 3] =
    [("HIP_TEST_REQUIRE_DEVICE", "1"), ("HIP_SYS_REQUIRE_HEADERS", "1"), ("HIP_SYS_REQUIRE_RUNTIME", "1")];

/// The longest that a test program may take. ROCr spins for ever when a completion is lost, so each has an end.
const LIMIT: Duration = Duration::from_secs(600);

/// A control run needs no patience: it only has to fail.
const CONTROL_LIMIT: Duration = Duration::from_secs(120);

/// Where a test program runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Anywhere.
    Host,
    /// On a card.
    Device,
    /// An example of the root package, on a card.
    Example,
}

impl Place {
    fn of(artifact: &Artifact) -> Option<Self> {
        match (artifact.package.as_str(), artifact.kind.as_str()) {
            ("hip-vega", "test") => Some(Place::Device),
            ("hip", "test") if artifact.target.starts_with("device") => Some(Place::Device),
            ("hip-vega", "example") if !artifact.test => Some(Place::Example),
            _ if artifact.test => Some(Place::Host),
            _ => None,
        }
    }
}

/// Examples that show more on several cards, and how many they get where cards are virtual.
const CARDS: [(&str, u32); 1] = [("10_multi_gpu", 2)];

/// The features of `hip`, each of which is tested alone.
const FEATURES: [&str; 6] = ["futures", "half", "ndarray", "num-complex", "serde", "tracing"];

/// A run in which the device tests must fail: what it is called, the environment that breaks the device, and whether
/// not even one test may pass.
struct Control {
    group: &'static str,
    environment: (&'static str, &'static str),
    none_passes: bool,
    needs_virtual: bool,
}

const CONTROLS: &[Control] = &[
    Control {
        group: "control: device hidden",
        environment: ("HIP_VISIBLE_DEVICES", "-1"),
        none_passes: true,
        needs_virtual: false,
    },
    Control {
        group: "control: nothing executed",
        environment: ("VEGA_CONTROL", "skip-dispatch"),
        none_passes: false,
        needs_virtual: true,
    },
];

/// The programs of a run, and where their output goes.
struct Suite {
    card: Card,
    vega: PathBuf,
    logs: PathBuf,
    report: Report,
}

/// Runs every test; says whether all of them passed.
pub fn run() -> anyhow::Result<bool> {
    let target = target_folder()?;
    let progress = spinner("building the virtual Vega");
    let built = build_vega(Profile::Dev)?;
    progress.set_message("building the tests");
    let all = build("test", &["--workspace", "--no-run"])?;
    progress.finish_and_clear();
    let place = |wanted: Place| all.iter().filter(move |artifact| Place::of(artifact) == Some(wanted));

    let card = Card::detect(&built);
    println!("Device tests run on {}.\n", card.describe());
    let mut suite = Suite { card, vega: built, logs: target.join("test-logs"), report: Report::new() };
    for artifact in place(Place::Host) {
        suite.test("host tests", artifact, Command::new(&artifact.executable));
    }
    suite.doc_tests();
    FEATURES.iter().for_each(|feature| suite.feature_alone(feature));
    let mut devices = 0;
    for artifact in place(Place::Device) {
        let command = suite.card.command(&artifact.executable);
        suite.test("device tests", artifact, command);
        devices += 1;
    }
    for artifact in place(Place::Example) {
        suite.example(artifact);
    }
    let is_virtual = suite.card.is_virtual();
    for control in CONTROLS.iter().filter(|control| is_virtual || !control.needs_virtual) {
        for artifact in place(Place::Device) {
            suite.control(control, artifact);
        }
    }
    suite.report.step("device tests", "there are some", || match devices {
        0 => Ok(Verdict::Failed("no device test was built".into())),
        number => Ok(Verdict::Passed(format!("{number} programs"))),
    });
    let saxpy = place(Place::Example).find(|artifact| artifact.target == stress::EXAMPLE);
    suite.report.step("stress", "100 runs, half of them beside busy threads", || {
        let program = saxpy.with_context(|| format!("the example {} was not built", stress::EXAMPLE))?;
        stress::run(&suite.card, &program.executable, 100).map(Verdict::Passed)
    });
    suite.report.step("glibc", "vega", || {
        let glibc::Version(major, minor) = glibc::check(&suite.vega)?;
        Ok(Verdict::Passed(format!("needs {major}.{minor}")))
    });
    Ok(suite.report.finish())
}

impl Suite {
    /// Runs a program of `artifact` in that package's folder, as cargo would.
    fn execute(
        logs: &Path,
        vega: &Path,
        group: &str,
        artifact: &Artifact,
        mut command: Command,
        limit: Duration,
    ) -> anyhow::Result<Finished> {
        let name = format!("{}.{}.{}.log", group.replace([' ', ':'], "-"), artifact.package, artifact.target);
        command
            .current_dir(&artifact.folder)
            .env("CARGO_MANIFEST_DIR", &artifact.folder)
            .env("CARGO_PKG_NAME", &artifact.package)
            .env("VEGA", vega)
            .envs(REQUIRED);
        process::run(&mut command, limit, &logs.join(name))
            .with_context(|| format!("cannot run {}", artifact.executable.display()))
    }

    fn test(&mut self, group: &'static str, artifact: &Artifact, command: Command) {
        let Self { vega, logs, report, .. } = self;
        report.step(group, &title(artifact), || {
            let done = Self::execute(logs, vega, group, artifact, command, LIMIT)?;
            let counts = Counts::of_program(&done.output);
            Ok(match (done.end.success(), counts) {
                (true, Some(counts)) => Verdict::Passed(format!("{} tests", counts.passed)),
                (true, None) => Verdict::Passed(String::new()),
                (false, _) => Verdict::Failed(explain(&done)),
            })
        });
    }

    fn doc_tests(&mut self) {
        let Self { logs, report, .. } = self;
        report.step("doc tests", "all packages", || {
            let mut command = cargo();
            command.args(["test", "--doc", "--workspace", "--quiet"]);
            let done = process::run(&mut command, LIMIT, &logs.join("doc-tests.log"))?;
            let counts = Counts::of_programs(&done.output);
            Ok(match done.end.success() {
                true => Verdict::Passed(format!("{} tests", counts.passed)),
                false => Verdict::Failed(explain(&done)),
            })
        });
    }

    /// Builds `hip` with that feature and `fault` only, and tests it.
    fn feature_alone(&mut self, feature: &'static str) {
        let Self { logs, report, .. } = self;
        report.step("one feature of hip alone", feature, || {
            let mut command = cargo();
            command.args(["test", "--quiet", "--package", "hip-feature-tests", "--features", feature]);
            let done = process::run(&mut command, LIMIT, &logs.join(format!("feature-{feature}.log")))?;
            let counts = Counts::of_programs(&done.output);
            Ok(match (done.end.success(), counts.passed) {
                (true, 0) => Verdict::Failed("no test was run".into()),
                (true, passed) => Verdict::Passed(format!("{passed} tests")),
                (false, _) => Verdict::Failed(explain(&done)),
            })
        });
    }

    fn example(&mut self, artifact: &Artifact) {
        let Self { card, vega, logs, report, .. } = self;
        report.step("examples", &artifact.target, || {
            let cards =
                CARDS.iter().find(|(name, _)| *name == artifact.target).map_or(1, |&(_, cards)| cards);
            let command = card.command_with(cards, &artifact.executable);
            let done = Self::execute(logs, vega, "examples", artifact, command, LIMIT)?;
            // The name of the virtual card says so, and every program that prints it shows it.
            let says_virtual = done.output.contains("virtual");
            Ok(match done.end.success() {
                true if card.is_virtual() && !says_virtual => {
                    Verdict::Failed("it does not say that the card is virtual".into())
                }
                true => Verdict::Passed(String::new()),
                false => Verdict::Failed(explain(&done)),
            })
        });
    }

    /// A run that must fail: else its tests would pass on a card that does nothing.
    fn control(&mut self, control: &Control, artifact: &Artifact) {
        let Self { card, vega, logs, report, .. } = self;
        report.step(control.group, &title(artifact), || {
            let mut command = card.command(&artifact.executable);
            command.env(control.environment.0, control.environment.1);
            let done = Self::execute(logs, vega, control.group, artifact, command, CONTROL_LIMIT)?;
            let (key, value) = control.environment;
            let counts = Counts::of_program(&done.output).unwrap_or_default();
            if done.end.success() {
                return Ok(Verdict::Failed(format!("it passes with {key}={value}: it proves nothing")));
            }
            if control.none_passes && counts.passed > 0 {
                let names = passed_tests(&done.output).join(", ");
                return Ok(Verdict::Failed(format!("with {key}={value} these pass: {names}")));
            }
            let all = counts.passed + counts.failed;
            Ok(Verdict::Passed(match done.end {
                End::Exited(_) => format!("{} of {all} tests fail, as they must", counts.failed),
                end => format!("{end}, as it must not pass"),
            }))
        });
    }
}

fn title(artifact: &Artifact) -> String {
    match artifact.kind.as_str() {
        "lib" | "cdylib" | "rlib" => artifact.package.clone(),
        _ => format!("{}/{}", artifact.package, artifact.target),
    }
}

/// How a program ended, and the end of its output.
fn explain(done: &Finished) -> String {
    format!("{}\n{}", done.end, tail(&done.output, 60))
}

/// The names of the tests that libtest printed as `ok`.
fn passed_tests(output: &str) -> Vec<&str> {
    output.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix(" ... ok")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(package: &str, target: &str, kind: &str, test: bool) -> Artifact {
        let folder = PathBuf::from("/p");
        let [package, target, kind] = [package, target, kind].map(str::to_owned);
        Artifact { package, folder, target, kind, test, executable: PathBuf::from("/p/x") }
    }

    #[test]
    fn knows_where_each_program_runs() {
        let place = |artifact: &Artifact| Place::of(artifact).map(|place| place as u8);
        assert_eq!(place(&artifact("hip", "hip", "lib", true)), Some(Place::Host as u8));
        assert_eq!(place(&artifact("hip", "device", "test", true)), Some(Place::Device as u8));
        assert_eq!(place(&artifact("hip", "faults", "test", true)), Some(Place::Host as u8));
        assert_eq!(place(&artifact("hip-vega", "saxpy", "test", true)), Some(Place::Device as u8));
        assert_eq!(place(&artifact("hip-vega", "02_saxpy", "example", false)), Some(Place::Example as u8));
        assert_eq!(place(&artifact("vega", "vega", "bin", false)), None);
    }

    #[test]
    fn lists_the_tests_that_passed() {
        assert_eq!(passed_tests("test a::b ... ok\ntest c ... FAILED\nnoise\n"), ["a::b"]);
    }
}
