//! clang and the files that it reads.

use std::path::{Path, PathBuf};

use super::compiling;
use super::paths::KERNEL;
use crate::elf;
use crate::stack::Stack;
use crate::verdict::Findings;

/// A kernel in OpenCL C that needs a device library.
const OPENCL: &str = "kernel void f(global float *x) { x[get_global_id(0)] = sin(x[get_global_id(0)]); }\n";

/// A CMake project with CMake's own HIP language.
const CMAKE: &str = "cmake_minimum_required(VERSION 3.21)\nproject(probe LANGUAGES HIP)\nadd_library(probe OBJECT probe.hip)\n";

/// A CMake project with nothing in it.
const EMPTY: &str = "cmake_minimum_required(VERSION 3.16)\nproject(empty LANGUAGES CXX)\n";

/// Check 6: four ways to compile a kernel.
pub fn ways(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(hipcc) = stack.program("hipcc") else {
        out.skip("hipcc is not installed");
        return Ok(());
    };
    let hip = stack.write("ways.hip", KERNEL)?;
    let target = stack.target().to_owned();
    let done = stack.run(
        stack
            .command(&hipcc)
            .arg(format!("--offload-arch={target}"))
            .arg("-c")
            .arg(&hip)
            .args(["-o", "ways.o"]),
    )?;
    let wrong = |object: &str| compiling::wrong(&stack.work().join(object), &target);
    match if done.success() { wrong("ways.o") } else { Some(done.story()) } {
        None => {
            out.pass("hipcc compiles a kernel");
        }
        Some(why) => {
            out.fail(format!("hipcc does not compile a kernel: {why}"))
                .file(&hipcc)
                .means("nobody can compile HIP programs")
                .fix("read the first line: headers, device libraries or the linker are missing");
        }
    }
    let Some(clang) = stack.clang("clang++") else {
        out.fail("there is no clang++ where hipconfig says")
            .file(&hipcc)
            .means("hipcc has nothing to run")
            .fix("the package with hipcc must depend on the clang that it was built for");
        return Ok(());
    };
    let arguments = ["-x", "hip", &format!("--offload-arch={target}"), "-c", "-o", "alone.o"];
    let done = stack.run(stack.command(&clang).args(arguments).arg(&hip))?;
    let why = if done.success() { wrong("alone.o") } else { Some(done.story()) };
    let fix = "give --rocm-path and -isystem, or use hipcc";
    optional(out, &clang, "clang++ -x hip by itself", why, fix);
    let opencl = stack.write("ways.cl", OPENCL)?;
    let arguments = [
        "-x",
        "cl",
        "-cl-std=CL2.0",
        "--target=amdgcn-amd-amdhsa",
        &format!("-mcpu={target}"),
        "-c",
        "-o",
        "cl.o",
    ];
    let done = stack.run(stack.command(&clang).args(arguments).arg(&opencl))?;
    let written = elf::is_elf(&stack.work().join("cl.o"));
    let why = if done.success() && written { None } else { Some(done.story()) };
    optional(out, &clang, "clang -x cl by itself", why, "give --rocm-path");
    cmake(stack, &clang, out)
}

fn optional(out: &mut Findings, file: &Path, what: &str, broken: Option<String>, fix: &str) {
    match broken {
        None => {
            out.pass(format!("{what} compiles a kernel"));
        }
        Some(story) => {
            out.warn(format!("{what} does not compile a kernel: {story}"))
                .file(file)
                .means("build systems that do not use hipcc must be told where things are")
                .fix(fix);
        }
    }
}

fn cmake(stack: &Stack, clang: &Path, out: &mut Findings) -> anyhow::Result<()> {
    let Some(cmake) = stack.program("cmake") else {
        out.skip("CMake is not installed: its HIP language is not tried");
        return Ok(());
    };
    if let Some(why) = cmake_by_itself(stack, &cmake)? {
        out.skip(format!("CMake configures no project at all here: {why}"));
        return Ok(());
    }
    let folder = stack.work().join("cmake-language");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("CMakeLists.txt"), CMAKE)?;
    std::fs::write(folder.join("probe.hip"), KERNEL)?;
    let mut configure = stack.command(&cmake);
    configure.arg("-S").arg(&folder).arg("-B").arg(folder.join("build"));
    configure
        .arg(format!("-DCMAKE_HIP_COMPILER={}", clang.display()))
        .arg(format!("-DCMAKE_HIP_ARCHITECTURES={}", stack.target()));
    let mut done = stack.run(&mut configure)?;
    if done.success() {
        done = stack.run(stack.command(&cmake).arg("--build").arg(folder.join("build")))?;
    }
    let why = if done.success() { None } else { Some(done.story()) };
    optional(out, &cmake, "CMake's HIP language", why, "ship hip-lang-config.cmake where CMake looks");
    Ok(())
}

/// What makes CMake stop at an empty project, if anything: no make, no C++ compiler. That is no defect of the stack.
pub fn cmake_by_itself(stack: &Stack, cmake: &Path) -> anyhow::Result<Option<String>> {
    let folder = stack.work().join("cmake-empty");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("CMakeLists.txt"), EMPTY)?;
    let mut command = stack.command(cmake);
    command.arg("-S").arg(&folder).arg("-B").arg(folder.join("build"));
    let done = stack.run(&mut command)?;
    Ok(if done.success() { None } else { Some(done.story()) })
}

/// Headers of clang itself, without which no HIP program compiles.
const RESOURCES: &[&str] = &["stddef.h", "stdarg.h", "__clang_hip_runtime_wrapper.h", "__clang_hip_math.h"];

/// Check 7: clang's resource folder.
pub fn resources(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(clang) = stack.clang("clang") else {
        out.skip("there is no clang where hipconfig says");
        return Ok(());
    };
    let done = stack.run(stack.command(&clang).arg("-print-resource-dir"))?;
    let folder = PathBuf::from(done.output.trim());
    if !done.success() || !folder.is_dir() {
        out.fail(format!("clang's resource folder does not exist: {}", done.output.trim()))
            .file(&clang)
            .means("nothing compiles: stddef.h is not found")
            .fix("install the clang package's headers of exactly this version");
        return Ok(());
    }
    for name in RESOURCES {
        let file = folder.join("include").join(name);
        if std::fs::metadata(&file).map_or(0, |data| data.len()) == 0 {
            out.fail(format!("{} is missing or empty", file.display()))
                .file(&folder)
                .means("HIP programs do not compile")
                .fix("install the clang package's headers again");
        }
    }
    if !out.any_failed() {
        out.pass(format!("{} is complete", folder.display()));
    }
    Ok(())
}

/// The device libraries that every HIP program may need, without `.bc`.
const BITCODE: &[&str] = &[
    "ocml",
    "ockl",
    "opencl",
    "oclc_daz_opt_off",
    "oclc_daz_opt_on",
    "oclc_unsafe_math_off",
    "oclc_finite_only_off",
    "oclc_correctly_rounded_sqrt_on",
    "oclc_wavefrontsize64_on",
];

/// Where device libraries may lie below a prefix.
const PLACES: &[&str] =
    &["amdgcn/bitcode", "lib/x86_64-linux-gnu/amdgcn/bitcode", "lib64/amdgcn/bitcode", "lib/amdgcn/bitcode"];

/// The first folder with device libraries: where hipcc would find them.
///
/// # Errors
/// When clang cannot be run.
pub fn bitcode_folder(stack: &Stack) -> anyhow::Result<Option<PathBuf>> {
    let mut candidates: Vec<PathBuf> = Vec::new();
    if let Some(clang) = stack.clang("clang") {
        let done = stack.run(stack.command(&clang).arg("-print-resource-dir"))?;
        let resources = PathBuf::from(done.output.trim());
        candidates.extend(PLACES.iter().map(|place| resources.join(place)));
    }
    candidates.extend(stack.roots.iter().flat_map(|root| PLACES.iter().map(move |place| root.join(place))));
    Ok(candidates.into_iter().find(|folder| folder.is_dir()))
}

/// Whether the file begins like bitcode, bare or in the wrapper (LLVM Bitcode File Format); clang takes an empty file for
/// an empty module.
fn is_bitcode(file: &Path) -> bool {
    use std::io::Read;
    let mut magic = [0; 4];
    let read = std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && (&magic == b"BC\xc0\xde" || magic == 0x0b17_c0de_u32.to_le_bytes())
}

/// Check 8: the device libraries.
pub fn bitcode(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let Some(folder) = bitcode_folder(stack)? else {
        if stack.program("hipcc").is_some() {
            out.fail("there is no folder with device libraries (amdgcn/bitcode)")
                .means("nothing compiles for a device")
                .fix("install rocm-device-libs");
        } else {
            out.skip("neither hipcc nor device libraries are installed");
        }
        return Ok(());
    };
    let isa = |target: &String| {
        let processor = target.split(':').next().unwrap_or(target);
        format!("oclc_isa_version_{}", processor.trim_start_matches("gfx"))
    };
    let of_targets: Vec<String> = stack.targets.iter().map(isa).collect();
    let mut files = Vec::new();
    for name in BITCODE.iter().copied().chain(of_targets.iter().map(String::as_str)) {
        let file = folder.join(name).with_extension("bc");
        if file.is_file() && !is_bitcode(&file) {
            out.fail(format!("{} is no LLVM bitcode", file.display()))
                .file(&file)
                .means("programs that need it do not compile")
                .fix("install rocm-device-libs again");
        } else if file.is_file() {
            files.push(file);
        } else {
            out.fail(format!("{} is missing", file.display()))
                .file(folder.join("ocml.bc"))
                .means("programs that need it do not compile")
                .fix("install rocm-device-libs again, built for every target");
        }
    }
    let Some(clang) = stack.clang("clang") else {
        out.skip("there is no clang to read the device libraries with");
        return Ok(());
    };
    let mut read = 0;
    for file in files {
        let mut command = stack.command(&clang);
        command.args(["--target=amdgcn-amd-amdhsa", &format!("-mcpu={}", stack.target()), "-nogpulib"]);
        command.args(["-x", "ir", "-emit-llvm", "-c", "-o", "bitcode.bc"]).arg(&file);
        let done = stack.run(&mut command)?;
        if done.success() {
            read += 1;
        } else {
            out.fail(format!("hipcc's clang cannot read {}: {}", file.display(), done.story()))
                .file(&file)
                .means("programs that need it do not compile")
                .fix("build rocm-device-libs with the LLVM that hipcc uses, or an older one");
        }
    }
    if read > 0 {
        out.pass(format!("{read} device libraries in {} can be read", folder.display()));
    }
    Ok(())
}
