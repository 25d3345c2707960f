//! `cargo xtask distros`: `vega run` on the packaged stacks of three Debian suites, in clean chroots.

use std::path::PathBuf;
use std::time::Duration;

use crate::card::{Profile, build_vega};
use crate::cargo::{build, root, target_folder};
use crate::chroots::{Chroot, SUITES};
use crate::process::{self, Finished, tail};
use crate::report::{Report, Verdict};

/// What each chroot holds beside apt itself: the same names in all three suites.
const PACKAGES: &[&str] = &["rocminfo", "hipcc", "libamdhip64-dev", "file", "kmod"];

/// The longest that a check may take.
const LIMIT: Duration = Duration::from_secs(180);

/// What is run in each chroot.
struct Check {
    name: &'static str,
    /// In the chroot, with `INSIDE` as working folder.
    command: &'static [&'static str],
    /// What its output must contain.
    expect: &'static [&'static str],
    /// What its output must not contain.
    refuse: &'static [&'static str],
    /// Whether it must exit with 0.
    succeeds: bool,
    /// The suites whose stack can do it; none: all of them.
    suites: &'static [&'static str],
}

/// Programs that the device's own tests run here, too; they share `check.h`.
const PROGRAMS: &[&str] = &["ipc", "ipc_dmabuf", "ipc_event", "ipc_signal", "fault", "faulty"];

/// Compiles them, all but those that need a newer ROCm than there is.
const COMPILE: &str = "for source in ipc*.hip fault*.hip; do
    [ $source = ipc_dmabuf.hip ] && ! grep -q portable_export_dmabuf /usr/include/hsa/hsa_ext_amd.h && continue
    hipcc --offload-arch=gfx900 -O2 -g -gz -pthread $source -o ${source%.hip} || exit 1
done
echo compiled";

const CHECKS: &[Check] = &[
    Check {
        name: "rocminfo",
        command: &["./vega", "run", "--", "rocminfo"],
        expect: &[
            "gfx900",
            "Vega 56",
            "virtual",
            "Compute Unit:            56",
            "Wavefront Size:          64(0x40)",
        ],
        refuse: &[],
        succeeds: true,
        suites: &[],
    },
    Check {
        name: "hipcc compiles",
        command: &["hipcc", "--offload-arch=gfx900", "-O2", "saxpy.hip", "-o", "saxpy"],
        expect: &[],
        refuse: &["error"],
        succeeds: true,
        suites: &[],
    },
    Check {
        name: "HIP C++ SAXPY",
        command: &["./vega", "run", "--", "./saxpy"],
        expect: &["virtual", "SAXPY", "error 0\n"],
        refuse: &[],
        succeeds: true,
        suites: &[],
    },
    Check {
        name: "device hidden",
        command: &["env", "HIP_VISIBLE_DEVICES=-1", "./vega", "run", "--", "./saxpy"],
        expect: &["hipGetDeviceCount"],
        refuse: &["error 0\n"],
        succeeds: false,
        suites: &[],
    },
    Check {
        name: "two cards",
        command: &["./vega", "run", "--gpus", "2", "--", "./saxpy"],
        expect: &["device 1", "error 0\n"],
        refuse: &[],
        succeeds: true,
        suites: &[],
    },
    Check {
        name: "nothing executed",
        command: &["env", "VEGA_CONTROL=skip-dispatch", "./vega", "run", "--", "./saxpy"],
        expect: &[],
        refuse: &["error 0\n"],
        succeeds: false,
        suites: &[],
    },
    Check {
        name: "Rust 02_saxpy",
        command: &["./vega", "run", "--", "./02_saxpy"],
        expect: &["virtual", "error 0\n"],
        refuse: &[],
        succeeds: true,
        suites: &[],
    },
    Check {
        name: "Rust 03_gemm",
        command: &["./vega", "run", "--", "./03_gemm", "--size", "128"],
        expect: &["virtual"],
        refuse: &[],
        succeeds: true,
        suites: &[],
    },
    Check {
        name: "Rust 08_graphs",
        command: &["./vega", "run", "--", "./08_graphs"],
        expect: &["virtual", "captured graph of 5 nodes: correct"],
        refuse: &[],
        succeeds: true,
        suites: &[],
    },
    Check {
        name: "device programs compile",
        command: &["sh", "-c", COMPILE],
        expect: &["compiled"],
        refuse: &["error"],
        succeeds: true,
        suites: &[],
    },
    Check {
        name: "memory of two processes",
        command: &["./vega", "run", "--", "./ipc"],
        expect: &["ipc is right"],
        refuse: &[],
        succeeds: true,
        suites: &[],
    },
    Check {
        name: "the same by dmabuf",
        command: &["env", "HSA_ENABLE_IPC_MODE_LEGACY=0", "./vega", "run", "--", "./ipc"],
        expect: &["ipc is right"],
        refuse: &[],
        succeeds: true,
        // Earlier runtimes do not know the variable.
        suites: &["sid"],
    },
    Check {
        name: "a signal of two processes",
        command: &["./vega", "run", "--", "./ipc_signal"],
        expect: &["ipc signals are right"],
        refuse: &[],
        succeeds: true,
        suites: &[],
    },
    Check {
        name: "an event of two processes",
        command: &["./vega", "run", "--", "./ipc_event"],
        expect: &["ipc events are right"],
        refuse: &[],
        succeeds: true,
        suites: &[],
    },
    Check {
        name: "a buffer sent as a dmabuf",
        command: &["./vega", "run", "--", "./ipc_dmabuf"],
        expect: &["dmabufs are right"],
        refuse: &[],
        succeeds: true,
        suites: &["trixie", "sid"],
    },
    Check {
        name: "the same, nothing executed",
        command: &["env", "VEGA_CONTROL=skip-dispatch", "./vega", "run", "--", "./ipc_dmabuf"],
        expect: &["does not hold"],
        refuse: &["dmabufs are right"],
        succeeds: false,
        suites: &["trixie", "sid"],
    },
    Check {
        name: "a memory fault",
        command: &["./vega", "run", "--", "./faulty", "store"],
        expect: &[
            "memory fault in a kernel",
            "void store<double>(double*, unsigned long)",
            "in void put<double>(double*, double)",
            "*where = value;",
            "Memory access fault by GPU",
        ],
        refuse: &[],
        succeeds: false,
        suites: &[],
    },
    Check {
        name: "a trap",
        command: &["./vega", "run", "--", "./fault", "trap"],
        expect: &["stop", "=> 0x"],
        refuse: &[],
        succeeds: false,
        suites: &[],
    },
    // Compiled here, where the sources are: the tests decide at run time what the stack can do.
    Check {
        name: "device tests of hip",
        command: &["env", "HIP_TEST_REQUIRE_DEVICE=1", "./vega", "run", "--", "./hip-device-tests"],
        expect: &["test result: ok"],
        refuse: &["SKIPPED"],
        succeeds: true,
        suites: &["bookworm", "trixie"],
    },
    // HIP 6.4 crashes now and then where a graph with branches is launched while another thread uses HIP.
    Check {
        name: "device tests of hip, one by one",
        command: &[
            "env",
            "HIP_TEST_REQUIRE_DEVICE=1",
            "RUST_TEST_THREADS=1",
            "./vega",
            "run",
            "--",
            "./hip-device-tests",
        ],
        expect: &["test result: ok"],
        refuse: &["SKIPPED"],
        succeeds: true,
        suites: &["sid"],
    },
    Check {
        name: "simulated runtime of hip",
        command: &["./hip-fault-tests"],
        expect: &["test result: ok"],
        refuse: &[],
        succeeds: true,
        suites: &[],
    },
];

/// Builds the chroots that are not there yet and runs the checks in each; says whether all passed.
pub fn run(wanted: &[String], rebuild: bool) -> anyhow::Result<bool> {
    let logs = target_folder()?.join("chroot-logs");
    let files = files_to_copy()?;
    let mut report = Report::new();
    for suite in
        SUITES.iter().filter(|suite| wanted.is_empty() || wanted.iter().any(|name| name == suite.name))
    {
        let chroot = Chroot::of(suite, suite.name)?;
        let built = report.step(suite.name, "chroot", || {
            chroot.make(PACKAGES, rebuild)?;
            chroot.fill(&files)?;
            Ok(Verdict::Passed(versions(&chroot)?))
        });
        let is_for = |check: &&Check| check.suites.is_empty() || check.suites.contains(&suite.name);
        for check in CHECKS.iter().filter(|_| built).filter(is_for) {
            report.step(suite.name, check.name, || {
                let log = logs.join(format!("{}.{}.log", suite.name, check.name.replace(' ', "-")));
                let done = process::run(&mut chroot.command(check.command), LIMIT, &log)?;
                Ok(match check.wrong(&done) {
                    Some(why) => Verdict::Failed(format!("{why}\n{}", tail(&done.output, 40))),
                    None => Verdict::Passed(suite.stack.to_owned()),
                })
            });
        }
    }
    Ok(report.finish())
}

/// Every file that goes into the chroots: the one `vega` file, a program to compile there, and examples compiled here.
fn files_to_copy() -> anyhow::Result<Vec<PathBuf>> {
    let mut files = vec![build_vega(Profile::Release)?, root().join("xtask/src/saxpy.hip")];
    let programs = root().join("vega/tests/programs");
    files.push(programs.join("check.h"));
    files.extend(PROGRAMS.iter().map(|name| programs.join(name).with_extension("hip")));
    let arguments = ["--package", "hip-vega", "--examples", "--release"];
    files.extend(build("build", &arguments)?.into_iter().map(|artifact| artifact.executable));
    let arguments = ["--package", "hip", "--test", "device", "--test", "fault", "--no-run"];
    for artifact in build("test", &arguments)? {
        // Cargo's name for it has a hash.
        let named = target_folder()?.join(format!("hip-{}-tests", artifact.target));
        std::fs::copy(&artifact.executable, &named)?;
        files.push(named);
    }
    Ok(files)
}

/// The versions of the stack's packages in the chroot.
fn versions(chroot: &Chroot) -> anyhow::Result<String> {
    let stack = ["libamdhip64-", "libhsa-runtime64-", "rocminfo "];
    let all = chroot.packages()?;
    let lines = all.iter().filter(|line| stack.iter().any(|s| line.starts_with(s)) && !line.contains("-dev"));
    Ok(lines.map(String::as_str).collect::<Vec<_>>().join(", "))
}

impl Check {
    /// What is wrong with the run, if anything.
    fn wrong(&self, done: &Finished) -> Option<String> {
        if done.end.success() != self.succeeds || matches!(done.end, process::End::TimedOut) {
            return Some(format!("{} ({})", done.end, self.command.join(" ")));
        }
        let has = |text: &&&str| done.output.contains(**text);
        if let Some(text) = self.expect.iter().find(|text| !has(text)) {
            return Some(format!("its output lacks {text:?}"));
        }
        self.refuse.iter().find(has).map(|text| format!("its output has {text:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::End;

    #[test]
    fn checks_are_of_known_suites_and_programs_that_are_there() {
        let names = CHECKS.iter().flat_map(|check| check.suites);
        assert!(names.into_iter().all(|name| SUITES.iter().any(|suite| suite.name == *name)));
        let programs = root().join("vega/tests/programs");
        assert!(PROGRAMS.iter().all(|name| programs.join(name).with_extension("hip").exists()));
    }

    #[test]
    fn a_check_can_fail_in_every_way() {
        let finished = |end, output: &str| Finished { end, output: output.to_owned(), left_processes: false };
        let saxpy = &CHECKS[2];
        assert_eq!(saxpy.wrong(&finished(End::Exited(0), "x (virtual)\nSAXPY error 0\n")), None);
        assert!(saxpy.wrong(&finished(End::Exited(0), "x (virtual)\nSAXPY error 1\n")).is_some());
        assert!(saxpy.wrong(&finished(End::Exited(1), "x (virtual)\nSAXPY error 0\n")).is_some());
        let hidden = &CHECKS[3];
        assert_eq!(hidden.wrong(&finished(End::Exited(1), "hipGetDeviceCount: no device\n")), None);
        assert!(hidden.wrong(&finished(End::Exited(0), "hipGetDeviceCount: no device\n")).is_some());
        assert!(hidden.wrong(&finished(End::TimedOut, "hipGetDeviceCount: no device\n")).is_some());
    }
}
