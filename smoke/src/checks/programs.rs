//! Test programs, compiled by the stack under test and run on the device.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{End, Finished};
use crate::stack::{Device, LIMIT, Stack, file_name};
use crate::verdict::Findings;

/// What the HIP programs include, as text: hipcc compiles one file.
const CHECK_H: &str = include_str!("../../programs/check.h");

/// A program of the checks.
struct Program {
    /// Its name: of the file, and for people.
    name: &'static str,
    source: &'static str,
    /// Its cases, each a first argument; empty for a program without arguments.
    cases: &'static [&'static str],
}

const KERNELS: Program = Program {
    name: "kernels",
    source: include_str!("../../programs/kernels.hip"),
    cases: &["saxpy", "lds", "atomics", "printf", "shuffle", "doubles", "half", "streams", "graph"],
};

const MEMORY: Program =
    Program { name: "memory", source: include_str!("../../programs/memory.hip"), cases: &[""] };

impl Program {
    fn compile(&self, stack: &Stack, out: &mut Findings) -> Option<PathBuf> {
        match stack.compile(self.name, &with_header(self.source), &[]) {
            Ok(program) => Some(program),
            Err(why) if stack.program("hipcc").is_none() => {
                out.skip(why);
                None
            }
            Err(why) => {
                out.fail(format!("{} does not compile: {why}", self.name)).means("see the check `compilers`");
                None
            }
        }
    }
}

/// The source with the header that the programs share in its place.
pub fn with_header(source: &str) -> String {
    source.replace("#include \"check.h\"", CHECK_H)
}

/// The library that a failing HIP program points to.
fn hip_library(stack: &Stack) -> PathBuf {
    stack.named("libamdhip64.so").next().map(|library| library.file.clone()).unwrap_or_default()
}

fn judge(stack: &Stack, out: &mut Findings, what: &str, done: &Finished) {
    if done.success() {
        out.pass(format!("{what}: right"));
    } else {
        out.fail(format!("{what}: {}", done.story()))
            .file(hip_library(stack))
            .means("programs that do this give wrong results or fail")
            .fix("run it by itself with AMD_LOG_LEVEL=3; compare with another release (--compare)");
    }
}

/// Check 24: ROCr.
pub fn rocr(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(library) = stack.named("libhsa-runtime64.so").next() else {
        out.skip("libhsa-runtime64 is not installed");
        return Ok(());
    };
    if stack.header("hsa/hsa.h").is_none() && stack.header("hsa.h").is_none() {
        out.skip("ROCr's headers are not installed (libhsa-runtime-dev on Debian)");
        return Ok(());
    }
    let Some(clang) = stack.clang("clang").or_else(|| stack.program("cc")) else {
        out.skip("there is no C compiler for the test program");
        return Ok(());
    };
    let source = stack.write("rocr.c", include_str!("../../programs/rocr.c"))?;
    let program = stack.work().join("rocr");
    let mut command = stack.command(&clang);
    command.arg("-O1").args(include_options(stack)).arg(&source).arg("-o").arg(&program).arg(&library.file);
    let done = stack.run(&mut command)?;
    if !done.success() {
        out.fail(format!("a program with ROCr's headers does not compile: {}", done.story()))
            .file(&library.file);
        return Ok(());
    }
    let done = stack.run(&mut stack.on_device(&program))?;
    if done.success() {
        out.pass("ROCr: queue, signals, copies, second process: right");
    } else {
        out.fail(format!("ROCr: {}", done.story()))
            .file(&library.file)
            .means("nothing above it works")
            .fix("ROCr and the thunk must be of releases that fit each other");
    }
    Ok(())
}

fn include_options(stack: &Stack) -> Vec<String> {
    stack.roots.iter().map(|root| format!("-I{}", root.join("include").display())).collect()
}

/// Check 25: copies and fills.
pub fn memory(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(program) = MEMORY.compile(stack, out) else { return Ok(()) };
    let done = stack.run(&mut stack.on_device(&program))?;
    judge(stack, out, "copies and fills", &done);
    Ok(())
}

/// Check 26: kernels and the objects around them.
pub fn kernels(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(program) = KERNELS.compile(stack, out) else { return Ok(()) };
    for case in KERNELS.cases {
        let done = stack.run(stack.on_device(&program).arg(case))?;
        if *case == "printf" && done.success() {
            // What the device printed must be there, twice.
            let lines = done.output.lines().filter(|line| line.starts_with("smoke 42 from thread")).count();
            if lines != 2 {
                out.fail(format!("printf from a kernel of 2 threads printed {lines} lines"))
                    .file(hip_library(stack))
                    .means("device printf is lost");
                continue;
            }
        }
        judge(stack, out, case, &done);
    }
    module(stack, &program, out)?;
    trap(stack, &program, out)
}

fn module(stack: &Stack, program: &Path, out: &mut Findings) -> anyhow::Result<()> {
    let Some(hipcc) = stack.program("hipcc") else { return Ok(()) };
    let source = stack.write("language.hip", include_str!("../../programs/language.hip"))?;
    let object = stack.work().join("language.co");
    let mut command = stack.command(&hipcc);
    command
        .arg(format!("--offload-arch={}", stack.target()))
        .args(["--genco", "-O2", "-std=c++17"])
        .arg(&source)
        .arg("-o")
        .arg(&object);
    let done = stack.run(&mut command)?;
    if !done.success() {
        out.fail(format!("a code object does not compile: {}", done.story())).file(&hipcc);
        return Ok(());
    }
    let done = stack.run(stack.on_device(program).arg("module").arg(&object))?;
    judge(stack, out, "module", &done);
    Ok(())
}

/// A trap must end the program by a signal or an error, never let it go on.
fn trap(stack: &Stack, program: &Path, out: &mut Findings) -> anyhow::Result<()> {
    let done = stack.run(stack.on_device(program).arg("trap"))?;
    match done.end {
        End::Exited(0) => {
            out.fail("a trap in a kernel goes unnoticed")
                .file(hip_library(stack))
                .means("failed assertions on the device are lost");
        }
        End::TimedOut => {
            out.fail(format!("a trap in a kernel hangs the program ({} s)", LIMIT.as_secs()))
                .file(hip_library(stack))
                .means("failed assertions on the device hang");
        }
        end => {
            out.pass(format!("a trap in a kernel ends the program ({end})"));
        }
    }
    Ok(())
}

/// Check 19: stripped and compressed fat binaries.
pub fn fat_binaries(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(program) = KERNELS.compile(stack, out) else { return Ok(()) };
    let stripped = stack.work().join("stripped");
    let strip = stack.clang("llvm-strip").or_else(|| stack.program("strip"));
    match strip {
        Some(strip) => {
            let done =
                stack.run(stack.command(&strip).arg("--strip-all").arg(&program).arg("-o").arg(&stripped))?;
            if done.success() {
                let done = stack.run(stack.on_device(&stripped).arg("saxpy"))?;
                judge(stack, out, "a stripped program", &done);
            } else {
                out.fail(format!("{} fails on a fat binary: {}", file_name(&strip), done.story()))
                    .file(&strip);
            }
        }
        None => {
            out.skip("strip is not installed");
        }
    }
    match stack.compile("compressed", &with_header(KERNELS.source), &["--offload-compress"]) {
        Ok(program) => {
            let done = stack.run(stack.on_device(&program).arg("saxpy"))?;
            judge(stack, out, "a compressed program", &done);
        }
        Err(why) if why.contains("offload-compress") => {
            out.skip("this hipcc does not compress device code");
        }
        Err(why) => {
            out.fail(format!("a compressed program does not compile: {why}"));
        }
    }
    Ok(())
}

/// A library's test: component, a header that it needs, source, libraries to link.
struct LibraryTest {
    component: &'static str,
    header: &'static str,
    source: &'static str,
    link: &'static [&'static str],
}

impl LibraryTest {
    /// What a finding points to: the library, or the header where there is nothing but headers.
    fn file(&self, stack: &Stack) -> PathBuf {
        let library = stack.libraries.iter().find(|library| library.component.name == self.component);
        library.map(|library| library.file.clone()).or_else(|| stack.header(self.header)).unwrap_or_default()
    }
}

const LIBRARIES: &[LibraryTest] = &[
    LibraryTest {
        component: "rocrand",
        header: "rocrand/rocrand.h",
        source: include_str!("../../programs/rocrand.hip"),
        link: &["-lrocrand"],
    },
    LibraryTest {
        component: "rocprim",
        header: "rocprim/rocprim.hpp",
        source: include_str!("../../programs/rocprim.hip"),
        link: &[],
    },
    LibraryTest {
        component: "rocblas",
        header: "rocblas/rocblas.h",
        source: include_str!("../../programs/rocblas.hip"),
        link: &["-lrocblas"],
    },
    LibraryTest {
        component: "rocsparse",
        header: "rocsparse/rocsparse.h",
        source: include_str!("../../programs/rocsparse.hip"),
        link: &["-lrocsparse"],
    },
    LibraryTest {
        component: "rocfft",
        header: "rocfft/rocfft.h",
        source: include_str!("../../programs/rocfft.hip"),
        link: &["-lrocfft"],
    },
    LibraryTest {
        component: "rocthrust",
        header: "thrust/sort.h",
        source: include_str!("../../programs/rocthrust.hip"),
        link: &[],
    },
];

/// Check 27: libraries.
pub fn libraries(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let mut installed = 0;
    for test in LIBRARIES {
        if stack.header(test.header).is_none() {
            continue;
        }
        installed += 1;
        let program = match stack.compile(test.component, &with_header(test.source), test.link) {
            Ok(program) => program,
            Err(why) => {
                out.fail(format!("a program with {} does not compile: {why}", test.component))
                    .file(test.file(stack))
                    .means("programs that use it do not build")
                    .fix("install the headers of exactly this release of the library, and what they include");
                continue;
            }
        };
        let done = stack.run(&mut stack.on_device(&program))?;
        if done.success() {
            out.pass(format!("{}: {}", test.component, done.output.lines().last().unwrap_or_default()));
        } else {
            let finding = out.fail(format!("{}: {}", test.component, done.story()));
            finding.means("it gives wrong results or fails").file(test.file(stack));
        }
    }
    if installed == 0 {
        out.skip("no library above HIP is installed with its headers");
    }
    Ok(())
}

/// Check 28: a program without code for this card.
pub fn no_binary(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let other = if stack.target() == "gfx906" { "gfx900" } else { "gfx906" };
    let Some(hipcc) = stack.program("hipcc") else {
        out.skip("hipcc is not installed");
        return Ok(());
    };
    let source = stack.write("other.hip", &with_header(KERNELS.source))?;
    let program = stack.work().join("other");
    let mut command = stack.command(&hipcc);
    command
        .arg(format!("--offload-arch={other}"))
        .args(["-O1", "-std=c++17"])
        .arg(&source)
        .arg("-o")
        .arg(&program);
    let done = stack.run(&mut command)?;
    if !done.success() {
        out.fail(format!("hipcc does not compile for {other}: {}", done.story())).file(&hipcc);
        return Ok(());
    }
    let done = stack.run(stack.on_device(&program).arg("saxpy"))?;
    let told = ["NoBinaryForGpu", "no kernel image", "Unable to find code object"]
        .iter()
        .any(|text| done.output.contains(text));
    match (done.end, told) {
        (End::Exited(0), _) => {
            out.fail(format!("a program for {other} runs here and exits with 0"))
                .file(hip_library(stack))
                .means("wrong results are not noticed");
        }
        (End::Exited(_), true) => {
            out.pass(format!("a program for {other} is told that there is no code for this card"));
        }
        (End::Signaled(signal), true) => {
            out.warn(format!("a program for {other} is told that there is no code for this card, and then aborted (signal {signal})"))
                .file(hip_library(stack))
                .means("programs cannot fall back to the CPU")
                .fix("newer runtimes return hipErrorNoBinaryForGpu");
        }
        (End::Exited(_), false) if done.output.contains("invalid device function") => {
            out.warn(format!("a program for {other} is told only that a device function is invalid"))
                .file(hip_library(stack))
                .means("users do not learn that their card is missing from the package")
                .fix("other releases return hipErrorNoBinaryForGpu");
        }
        _ => {
            out.fail(format!("a program for {other} fails without saying why: {}", done.story()))
                .file(hip_library(stack))
                .means("users do not learn that their card is missing from the package");
        }
    }
    Ok(())
}

/// A way to take the device away: what it is called, and the command.
type Hidden = (&'static str, fn(&Stack, &Path) -> Command);

/// Check 29: the programs must fail where there is no device, or one that does nothing.
pub fn false_pass(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    // Where nothing passes on the device, failing without it proves nothing.
    let Some(probe) = KERNELS.compile(stack, out) else { return Ok(()) };
    let done = stack.run(stack.on_device(&probe).arg("saxpy"))?;
    if !done.success() {
        out.skip(format!("the test programs fail on the device, too: {}", done.story()));
        return Ok(());
    }
    let mut runs: Vec<(String, PathBuf, Vec<String>)> = Vec::new();
    for program in [&KERNELS, &MEMORY] {
        if let Some(path) = program.compile(stack, out) {
            // printf and the trap have no result to compare; the others must notice.
            let cases = program.cases.iter().filter(|case| **case != "printf");
            let run =
                |case: &&str| (format!("{} {case}", program.name), path.clone(), vec![(*case).to_owned()]);
            runs.extend(cases.map(run));
        }
    }
    let object = stack.work().join("language.co");
    if object.is_file() {
        runs.push(("module".to_owned(), probe, vec!["module".to_owned(), object.display().to_string()]));
    }
    for test in LIBRARIES.iter().filter(|test| stack.header(test.header).is_some()) {
        // What does not compile is judged by the check `libraries`.
        if let Ok(program) = stack.compile(test.component, &with_header(test.source), test.link) {
            runs.push((test.component.to_owned(), program, Vec::new()));
        }
    }
    let own_card = matches!(stack.device, Device::Virtual(_)) && Path::new("/dev/kfd").exists();
    if own_card {
        out.skip("this machine has a /dev/kfd of its own beside the virtual one: it cannot be taken away");
    }
    let mut hidden: Vec<Hidden> = match &stack.device {
        Device::Virtual(_) => vec![
            ("with the device hidden", |stack, program| {
                let mut command = stack.on_device(program);
                command.env("HIP_VISIBLE_DEVICES", "-1");
                command
            }),
            ("on a device that executes nothing", |stack, program| {
                let mut command = stack.on_device(program);
                command.env("VEGA_CONTROL", "skip-dispatch");
                command
            }),
        ],
        _ => vec![("with the device hidden", |stack, program| {
            let mut command = stack.command(program);
            command.env("HIP_VISIBLE_DEVICES", "-1").env("ROCR_VISIBLE_DEVICES", "-1");
            command
        })],
    };
    if matches!(stack.device, Device::Virtual(_)) && !own_card {
        hidden.push(("without a device", |stack, program| stack.command(program)));
    }
    for (how, command) in hidden {
        let mut noticed = 0;
        for (name, program, arguments) in &runs {
            let done = stack.run(command(stack, program).args(arguments))?;
            if done.success() {
                out.fail(format!("{name} passes {how}"))
                    .means("its passes elsewhere prove nothing: do not trust this report");
            } else {
                noticed += 1;
            }
        }
        out.pass(format!("{noticed} of {} test programs fail {how}, as they should", runs.len()));
    }
    Ok(())
}
