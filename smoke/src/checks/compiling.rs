//! What hipcc makes of programs.

use std::path::{Path, PathBuf};

use code_object::Image;

use super::paths::KERNEL;
use super::programs::with_header;
use crate::elf;
use crate::stack::Stack;
use crate::verdict::Findings;

/// Check 9: the target that hipcc takes when nobody says one.
pub fn default_target(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(hipcc) = stack.program("hipcc") else {
        out.skip("hipcc is not installed");
        return Ok(());
    };
    let source = stack.write("default.hip", KERNEL)?;
    let file = stack.work().join("default.co");
    let genco = |more: &[&str]| {
        let _ = std::fs::remove_file(&file);
        stack.run(stack.command(&hipcc).arg("--genco").args(more).arg(&source).arg("-o").arg(&file))
    };
    let done = genco(&[])?;
    if !done.success() {
        // To refuse is right only where it works when the target is said.
        let told = genco(&[&format!("--offload-arch={}", stack.target())])?;
        if told.success() && wrong(&file, stack.target()).is_none() {
            out.pass(format!("without --offload-arch and without a card, hipcc fails: {}", done.story()));
        } else {
            out.fail(format!("hipcc compiles nothing, with or without --offload-arch: {}", told.story()))
                .file(&hipcc)
                .means("see the check `compilers`");
        }
        return Ok(());
    }
    let targets = device_targets(&file).unwrap_or_default();
    if targets.is_empty() {
        out.fail("without --offload-arch hipcc exits with 0 and writes no device code")
            .file(&hipcc)
            .means("programs start and find no kernel")
            .fix("always give --offload-arch in packages");
        return Ok(());
    }
    let dead = targets.iter().any(|target| target == "gfx803");
    let targets = targets.join(", ");
    if dead {
        out.warn(format!("without --offload-arch hipcc exits with 0 and has compiled for {targets}"))
            .file(&hipcc)
            .means("programs built on a machine without a card run on no card that is still supported")
            .fix("always give --offload-arch in packages");
    } else {
        out.pass(format!("without --offload-arch hipcc compiles for {targets}"));
    }
    Ok(())
}

/// The distribution's own way to tell its flags: program and arguments.
const FLAG_SOURCES: &[(&str, &[&str])] = &[
    ("dpkg-buildflags", &["--get", "CXXFLAGS"]),
    ("rpm", &["--eval", "%{optflags}"]),
    ("bash", &["-c", "source /etc/makepkg.conf 2>/dev/null && printf %s \"$CXXFLAGS\""]),
];

/// What distributions set where none of their tools is installed.
const USUAL_FLAGS: &str = "-g -O2 -fstack-protector-strong -fstack-clash-protection -Wformat -Werror=format-security -fcf-protection";

/// Check 10: the distribution's flags.
pub fn flags(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(hipcc) = stack.program("hipcc") else {
        out.skip("hipcc is not installed");
        return Ok(());
    };
    let mut flags = USUAL_FLAGS.to_owned();
    let mut whose = "usual";
    for (name, arguments) in FLAG_SOURCES {
        let Some(program) = stack.program(name) else { continue };
        let done = stack.run(stack.command(&program).args(*arguments))?;
        if done.success() && done.output.trim_start().starts_with('-') {
            (flags, whose) = (done.output.trim().to_owned(), name);
            break;
        }
    }
    // Flags are rejected before any header is read: without HIP's own it goes ten times as fast.
    let source = stack.write("flags.hip", "__attribute__((device)) int f(int x) { return x + 1; }\n")?;
    let object = stack.work().join("flags.o");
    let compiles = |flags: &[&str]| -> anyhow::Result<bool> {
        let _ = std::fs::remove_file(&object);
        let mut command = stack.command(&hipcc);
        command
            .arg(format!("--offload-arch={}", stack.target()))
            .args(["-nogpuinc", "-nogpulib"])
            .args(flags)
            .arg("-c")
            .arg(&source)
            .arg("-o")
            .arg(&object);
        Ok(stack.run(&mut command)?.success() && object.is_file())
    };
    let words: Vec<&str> = flags.split_whitespace().collect();
    if compiles(&words)? {
        out.pass(format!("hipcc accepts all of {flags} ({whose})"));
        return Ok(());
    }
    if !compiles(&[])? {
        out.fail("hipcc compiles nothing, with or without flags")
            .file(&hipcc)
            .means("see the check `compilers`");
        return Ok(());
    }
    let mut guilty = Vec::new();
    for word in &words {
        if !compiles(&[word])? {
            guilty.push(*word);
        }
    }
    let names = if guilty.is_empty() { "their combination".to_owned() } else { guilty.join(" ") };
    let fix = guilty.iter().map(|flag| format!("-Xarch_host {flag}")).collect::<Vec<_>>().join(" ");
    out.warn(format!("of the distribution's flags ({whose}) hipcc rejects {names}"))
        .file(&hipcc)
        .means("packages that use HIP do not build with the distribution's flags")
        .fix(if fix.is_empty() {
            "leave them out for HIP sources".to_owned()
        } else {
            format!("use {fix} for HIP sources")
        });
    Ok(())
}

/// The programs of the corpus: name and source.
const CORPUS: &[(&str, &str)] = &[
    ("kernels", include_str!("../../programs/kernels.hip")),
    ("language", include_str!("../../programs/language.hip")),
];

/// Ways to compile each: what it is called, and the arguments.
const MODES: &[(&str, &[&str])] = &[
    ("-O0", &["-O0", "-c"]),
    ("-O1", &["-O1", "-c"]),
    ("-O2", &["-O2", "-c"]),
    ("-O3", &["-O3", "-c"]),
    ("-g", &["-g", "-O1", "-c"]),
    ("-fgpu-rdc", &["-O2", "-fgpu-rdc", "-c"]),
    ("shared library", &["-O2", "-fPIC", "-shared"]),
    ("--genco", &["-O2", "--genco"]),
];

/// Check 11: a corpus in every mode.
pub fn corpus(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(hipcc) = stack.program("hipcc") else {
        out.skip("hipcc is not installed");
        return Ok(());
    };
    for (name, text) in CORPUS {
        let source = stack.write(&format!("corpus-{name}.hip"), &with_header(text))?;
        let mut worked = Vec::new();
        for (mode, arguments) in MODES {
            match compile(stack, &hipcc, &source, arguments)? {
                Ok(()) => worked.push(*mode),
                Err(story) => {
                    out.fail(format!("{name} does not compile with {mode}: {story}"))
                        .file(&hipcc)
                        .means("programs that need this do not build")
                        .fix("compile it by hand with -v: the first program that fails is at fault");
                }
            }
        }
        if worked.len() == MODES.len() {
            out.pass(format!("{name} compiles with {}", worked.join(", ")));
        }
    }
    Ok(())
}

fn compile(
    stack: &Stack,
    hipcc: &Path,
    source: &Path,
    arguments: &[&str],
) -> anyhow::Result<Result<(), String>> {
    let output: PathBuf = stack.work().join("corpus.out");
    let _ = std::fs::remove_file(&output);
    let mut command = stack.command(hipcc);
    command
        .arg(format!("--offload-arch={}", stack.target()))
        .arg("-std=c++17")
        .args(arguments)
        .arg(source)
        .arg("-o")
        .arg(&output);
    let done = stack.run(&mut command)?;
    Ok(if done.success() { wrong(&output, stack.target()).map_or(Ok(()), Err) } else { Err(done.story()) })
}

/// The processors for which a file that a compiler wrote has device code.
fn device_targets(file: &Path) -> anyhow::Result<Vec<String>> {
    let bytes = elf::read(file)?;
    let image = Image::parse(&bytes)?;
    Ok(image.targets().iter().map(|target| target.processor().to_owned()).collect())
}

/// What is wrong with a file that a compiler claims to have written for the target, if anything.
pub fn wrong(file: &Path, target: &str) -> Option<String> {
    let processor = target.split(':').next().unwrap_or(target);
    let Ok(bytes) = elf::read(file) else { return Some("it exits with 0 and writes nothing".to_owned()) };
    match device_targets(file) {
        Ok(targets) if targets.iter().any(|other| other == processor) => None,
        // With -fgpu-rdc device code is linked later: until then it lies in sections that are named for the target.
        _ if bytes.starts_with(b"\x7fELF")
            && [LATER, processor.as_bytes()].iter().all(|part| elf::position(&bytes, part).is_some()) =>
        {
            None
        }
        Ok(targets) => Some(format!("it exits with 0 and has compiled for [{}]", targets.join(", "))),
        Err(error) => Some(format!("it exits with 0, and what it wrote has no device code: {error}")),
    }
}

/// Part of the sections' names.
const LATER: &[u8] = b"amdgcn-amd-amdhsa";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_device_code_are_wrong() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("out");
        let judged = || wrong(&file, "gfx900");
        assert!(judged().is_some_and(|why| why.contains("writes nothing")));
        for bytes in [&b""[..], b"text", b"\x7fELF and no more", b"__CLANG_OFFLOAD_BUNDLE__"] {
            std::fs::write(&file, bytes).expect("written");
            assert!(judged().is_some_and(|why| why.contains("no device code")), "{bytes:?}");
        }
        let own = std::fs::read(std::env::current_exe().expect("a path")).expect("readable");
        let host: Vec<u8> = own.into_iter().take(4096).collect();
        std::fs::write(&file, host).expect("written");
        assert!(judged().is_some(), "a host program");
        std::fs::write(&file, b"\x7fELF __CLANG_OFFLOAD_BUNDLE__hipv4-amdgcn-amd-amdhsa--gfx900")
            .expect("written");
        assert_eq!(judged(), None, "device code that is linked later");
        assert!(wrong(&file, "gfx906").is_some());
    }
}
