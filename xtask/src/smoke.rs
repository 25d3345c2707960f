//! `cargo xtask smoke`: `hip-smoke` in clean chroots of three suites: the minimal packages of HIP, quickly and whole,
//! then the libraries above them, whole and with each of them broken.
//!
//! What is known to be wrong in a release stands in a table: everything else must pass, and what stands there must be
//! found.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::cargo::{build, target_folder};
use crate::chroots::{Chroot, SUITES, Suite};
use crate::process::{self, tail};
use crate::report::{Report, Verdict};

/// The longest that one run may take, on a machine that does other things.
const LIMIT: Duration = Duration::from_secs(1800);

/// The minimal packages of HIP: the same names in all three suites.
const MINIMAL: &[&str] = &["rocminfo", "hipcc", "libamdhip64-dev", "file", "kmod"];

/// Libraries above them, with the suites that have them.
const LIBRARIES: &[(&str, &[&str])] = &[
    ("librocrand-dev", &["bookworm", "trixie", "sid"]),
    ("librocsparse-dev", &["bookworm", "trixie", "sid"]),
    ("librocprim-dev", &["bookworm", "trixie", "sid"]),
    ("librocthrust-dev", &["trixie", "sid"]),
];

/// What find_package() is tried with, in the same chroots.
const TOOLS: &[&str] = &["cmake", "make", "g++"];

/// Checks of libraries.
const OF_LIBRARIES: &str = "links,sonames,cmake,targets,code-objects,libraries,false-pass";

/// How many checks there are: all, those that `--quick` leaves, those of libraries.
const COUNTS: &[(&str, usize)] = &[("full", 30), ("quick", 26), ("libraries", 7)];

/// What a run of a suite ends with beside `pass`: suite, check, outcome, and a part of what it says.
type Known = (&'static str, &'static str, &'static str, &'static str);

/// Real defects of these releases.
const KNOWN: &[Known] = &[
    ("bookworm", "hipconfig", "warn", "/usr/hsa, which does not exist"),
    ("bookworm", "compilers", "warn", "cannot find ROCm device library"),
    ("bookworm", "default-target", "warn", "has compiled for gfx803"),
    ("bookworm", "distribution-flags", "warn", "-fcf-protection"),
    ("bookworm", "coexistence", "warn", "registered more than once"),
    ("bookworm", "no-binary", "warn", "and then aborted"),
    ("trixie", "distribution-flags", "warn", "-fcf-protection"),
    ("trixie", "coexistence", "warn", "registered more than once"),
    ("trixie", "no-binary", "warn", "a device function is invalid"),
    ("sid", "hipconfig", "warn", "-I /include, which does not exist"),
    ("sid", "distribution-flags", "warn", "-fcf-protection"),
    ("sid", "coexistence", "warn", "registered more than once"),
    ("sid", "thunk", "skip", "there is no libhsakmt"),
    ("sid", "no-binary", "warn", "a device function is invalid"),
];

/// What the minimal packages leave nothing to judge of: no library with device code is among them.
const NOTHING_TO_JUDGE: &[&str] = &["targets", "code-objects", "libraries"];

/// A way to break a library: what, the check that must fail, the package that it must name (a part of its name), and
/// shell commands, `$R` being the root, `$L` its folder of libraries.
struct Damage {
    name: &'static str,
    needs: &'static str,
    check: &'static str,
    package: &'static str,
    script: &'static str,
}

/// A library that has the functions of the real one, each of which returns 0 and does nothing.
const IDLE: &str = r#"idle() {
    file=$(readlink -f $L/$1.so)
    soname=$(objdump -p $file | awk '/SONAME/ { print $2 }')
    nm -D --defined-only $file | awk -v p="^$2" '$2 == "T" { sub("@.*", "", $3) } $2 == "T" && $3 ~ p { print "int " $3 "(void) { return 0; }" }' > $W/idle.c
    test -s $W/idle.c && gcc -fPIC -shared -Wl,-soname,$soname $W/idle.c -o $W/idle.so && cp $W/idle.so $file
}
other() {
    file=$(readlink -f $L/$1.so)
    soname=$(objdump -p $file | awk '/SONAME/ { print $2 }')
    printf '#include <hip/hip_runtime.h>\n__global__ void f(int *x) { *x = 1; }\n' > $W/k.hip
    hipcc --offload-arch=$2 -shared -fPIC -Wl,-soname,$soname $W/k.hip -o $W/other.so && cp $W/other.so $file
}"#;

const DAMAGES: &[Damage] = &[
    Damage {
        name: "rocRAND does nothing",
        needs: "librocrand-dev",
        check: "libraries",
        package: "librocrand1",
        script: "idle librocrand rocrand_",
    },
    Damage {
        name: "rocRAND for another card",
        needs: "librocrand-dev",
        check: "targets",
        package: "librocrand1",
        script: "other librocrand gfx906",
    },
    Damage {
        name: "rocRAND cut in half",
        needs: "librocrand-dev",
        check: "links",
        package: "librocrand1",
        script: "truncate -s 2000000 $(readlink -f $L/librocrand.so)",
    },
    Damage {
        name: "rocRAND with a broken header",
        needs: "librocrand-dev",
        check: "libraries",
        package: "librocrand",
        script: "echo broken >> $(readlink -f $R/usr/include/rocrand/rocrand.h)",
    },
    Damage {
        name: "rocSPARSE does nothing",
        needs: "librocsparse-dev",
        check: "libraries",
        package: "librocsparse",
        script: "idle librocsparse rocsparse_",
    },
    Damage {
        name: "rocSPARSE whose bundle lies",
        needs: "librocsparse-dev",
        check: "code-objects",
        package: "librocsparse",
        script: "other librocsparse gfx900; sed -i 's/hipv4-amdgcn-amd-amdhsa--gfx900/hipv4-amdgcn-amd-amdhsa--gfx906/' $file",
    },
    Damage {
        name: "rocSPARSE stripped of its code",
        needs: "librocsparse-dev",
        check: "targets",
        package: "librocsparse",
        script: "other librocsparse gfx900; objcopy -R .hip_fatbin $file",
    },
    Damage {
        name: "rocPRIM that subtracts",
        needs: "librocprim-dev",
        check: "libraries",
        package: "librocprim-dev",
        script: "sed -i 's/return a + b;/return a - b;/' $R/usr/include/rocprim/functional.hpp $R/usr/include/rocprim/*/functional.hpp 2>/dev/null || true",
    },
    Damage {
        name: "rocPRIM with a header missing",
        needs: "librocprim-dev",
        check: "libraries",
        package: "librocprim-dev",
        script: "rm $R/usr/include/rocprim/block/block_scan.hpp",
    },
    Damage {
        name: "rocThrust with a header missing",
        needs: "librocthrust-dev",
        check: "libraries",
        package: "librocthrust-dev",
        script: "rm $R/usr/include/thrust/detail/reduce.inl",
    },
];

/// The chroot below an overlay that only this command's mount namespace has: it stays clean.
const FRAME: &str = r#"
set -e
mount -t tmpfs tmpfs "$2"
mkdir "$2/upper" "$2/work" "$2/root" "$2/files"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
R="$2/root" L="$2/root/usr/lib/x86_64-linux-gnu" W="$2/files"
eval "$3"
shift 3
exec "$@" --root "$R"
"#;

/// A part of the command's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// The quick checks of the minimal packages
    Quick,
    /// Every check of the minimal packages
    Full,
    /// The libraries above them
    Libraries,
    /// Each library broken
    Damages,
}

/// The programs and where reports go.
struct Smoke {
    program: PathBuf,
    folder: PathBuf,
}

/// Runs everything for the suites; says whether all of it is as it must be.
pub fn run(wanted: &[String], parts: &[Part], rebuild: bool) -> anyhow::Result<bool> {
    let has = |part| parts.is_empty() || parts.contains(&part);
    let built = build("build", &["--release", "--package", "hip-smoke", "--package", "vega"])?;
    let program =
        built.into_iter().find(|artifact| artifact.target == "hip-smoke").context("no hip-smoke")?;
    let smoke = Smoke { program: program.executable, folder: target_folder()?.join("smoke") };
    let mut report = Report::new();
    for suite in
        SUITES.iter().filter(|suite| wanted.is_empty() || wanted.iter().any(|name| name == suite.name))
    {
        let minimal = Chroot::of(suite, suite.name)?;
        let of_minimal = [(Part::Quick, "quick", &["--quick"][..]), (Part::Full, "full", &[])];
        let of_minimal: Vec<_> = of_minimal.into_iter().filter(|row| has(row.0)).collect();
        if !of_minimal.is_empty() && report.step(suite.name, "chroot", || made(&minimal, MINIMAL, rebuild)) {
            for (_, name, options) in of_minimal {
                report.step(suite.name, name, || smoke.judged(suite, name, &minimal, options));
            }
        }
        if !has(Part::Libraries) && !has(Part::Damages) {
            continue;
        }
        let libraries: Vec<&str> = LIBRARIES
            .iter()
            .filter(|(_, suites)| suites.contains(&suite.name))
            .map(|(package, _)| *package)
            .collect();
        let packages = [MINIMAL, TOOLS, libraries.as_slice()].concat();
        let with_libraries = Chroot::of(suite, &format!("{}-libraries", suite.name))?;
        if !report.step(suite.name, "chroot with libraries", || made(&with_libraries, &packages, rebuild)) {
            continue;
        }
        let only = ["--only", OF_LIBRARIES];
        let whole = || smoke.judged(suite, "libraries", &with_libraries, &only);
        if has(Part::Libraries) {
            report.step(suite.name, "libraries", whole);
        }
        if !has(Part::Damages) {
            continue;
        }
        for damage in DAMAGES.iter().filter(|damage| libraries.contains(&damage.needs)) {
            report.step(suite.name, damage.name, || smoke.noticed(suite, &with_libraries, damage));
        }
    }
    Ok(report.finish())
}

fn made(chroot: &Chroot, packages: &[&str], rebuild: bool) -> anyhow::Result<Verdict> {
    chroot.make(packages, rebuild)?;
    Ok(Verdict::Passed(String::new()))
}

impl Smoke {
    /// Runs the command in a root, damaged before; its JSON report. The log of times is a line for each check.
    fn report(
        &self,
        suite: &Suite,
        name: &str,
        root: &Path,
        damage: &str,
        options: &[&str],
    ) -> anyhow::Result<Value> {
        let name = format!("{}-{}", suite.name, name.replace(' ', "-"));
        let json = self.folder.join(format!("{name}.json"));
        let overlay = tempfile::tempdir()?;
        std::fs::create_dir_all(&self.folder)?;
        let mut command = Command::new("unshare");
        command.args(["--mount", "bash", "-c", FRAME, "bash"]).arg(root).arg(overlay.path()).arg(damage);
        command
            .arg(&self.program)
            .args(["--virtual", "--format", "json", "--output"])
            .arg(&json)
            .args(options);
        let done = process::run(&mut command, LIMIT, &self.folder.join(format!("{name}.log")))?;
        ensure!(
            matches!(done.end, process::End::Exited(0 | 1)),
            "{}: {}\n{}",
            name,
            done.end,
            tail(&done.output, 20)
        );
        let text = std::fs::read_to_string(&json).with_context(|| format!("no {}", json.display()))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Everything passes but what is known, and that is found.
    fn judged(
        &self,
        suite: &Suite,
        name: &str,
        chroot: &Chroot,
        options: &[&str],
    ) -> anyhow::Result<Verdict> {
        let before = processor_seconds();
        let report = self.report(suite, name, &chroot.path("/"), "true", options)?;
        let processor = processor_seconds() - before;
        let mut wrong = Vec::new();
        let mut seconds: Vec<(f64, &str)> = Vec::new();
        let count = COUNTS.iter().find(|(of, _)| *of == name).map_or(0, |(_, count)| *count);
        if verdicts(&report).len() != count {
            wrong.push(format!("{} verdicts, {count} were expected", verdicts(&report).len()));
        }
        for verdict in verdicts(&report) {
            let (check, outcome) = (text(&verdict["check"]), text(&verdict["outcome"]));
            seconds.push((verdict["seconds"].as_f64().unwrap_or(0.0), check));
            let known = KNOWN.iter().find(|known| known.0 == suite.name && known.1 == check);
            let skipped = name != "libraries" && NOTHING_TO_JUDGE.contains(&check);
            let expected = known.map_or(if skipped { "skip" } else { "pass" }, |known| known.2);
            let says = known.map_or("", |known| known.3);
            if outcome != expected || !verdict["findings"].to_string().contains(says) {
                wrong.push(format!(
                    "{check}: {outcome}, {expected} {says:?} was expected: {}",
                    verdict["findings"]
                ));
            }
        }
        let all: f64 = seconds.iter().map(|(time, _)| time).sum();
        seconds.sort_by(|one, other| other.0.total_cmp(&one.0));
        let slowest =
            seconds.iter().take(5).map(|(time, check)| format!("{check} {time:.0} s")).collect::<Vec<_>>();
        Ok(match wrong.is_empty() {
            true => Verdict::Passed(format!(
                "{count} checks in {all:.0} s, {processor:.0} s of processors; slowest: {}",
                slowest.join(", ")
            )),
            false => Verdict::Failed(wrong.join("\n")),
        })
    }

    /// The check fails and names the package.
    fn noticed(&self, suite: &Suite, chroot: &Chroot, damage: &Damage) -> anyhow::Result<Verdict> {
        let script = format!("{IDLE}\n{}", damage.script);
        let report =
            self.report(suite, damage.name, &chroot.path("/"), &script, &["--only", damage.check])?;
        let verdicts = verdicts(&report);
        let failed: Vec<&Value> = verdicts
            .iter()
            .flat_map(|verdict| verdict["findings"].as_array().into_iter().flatten())
            .filter(|finding| finding["outcome"] == "fail")
            .collect();
        let named = failed.iter().find(|finding| text(&finding["package"]).starts_with(damage.package));
        Ok(match named {
            Some(finding) => Verdict::Passed(text(&finding["package"]).to_owned()),
            None => Verdict::Failed(format!("{} did not name {}: {report:#}", damage.check, damage.package)),
        })
    }
}

/// What the children that have ended took of the processors: /proc counts hundredths of seconds.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    // proc_pid_stat(5): cutime and cstime are the 16th and the 17th, and the name was the 2nd.
    fields.skip(13).take(2).filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn verdicts(report: &Value) -> &[Value] {
    report["verdicts"].as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
