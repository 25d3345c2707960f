//! What developers build with: CMake packages and headers.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::compiler;
use crate::component::COMPONENTS;
use crate::stack::Stack;
use crate::verdict::Findings;

/// Folders below a prefix where CMake looks for packages.
const CMAKE_FOLDERS: &[&str] =
    &["lib/cmake", "lib64/cmake", "lib/x86_64-linux-gnu/cmake", "share/cmake", "share"];

/// The file with which CMake finds a package, and its folder.
fn config_file(stack: &Stack, name: &str) -> Option<PathBuf> {
    let lower = name.to_lowercase();
    let files =
        [format!("{name}Config.cmake"), format!("{name}-config.cmake"), format!("{lower}-config.cmake")];
    let folders =
        stack.roots.iter().flat_map(|root| CMAKE_FOLDERS.iter().map(move |folder| root.join(folder)));
    folders
        .flat_map(|folder| [folder.join(name), folder.join(&lower), folder.join(name).join("cmake")])
        .flat_map(|folder| files.clone().map(|file| folder.join(file)))
        .find(|file| file.is_file())
}

/// Targets that projects link to, by package: finding it must define them.
const TARGETS: &[(&str, &str)] = &[
    ("hip", "hip::host"),
    ("hip", "hip::device"),
    ("hsa-runtime64", "hsa-runtime64::hsa-runtime64"),
    ("amd_comgr", "amd_comgr"),
    ("AMDDeviceLibs", "ocml"),
    ("rocblas", "roc::rocblas"),
    ("rocsparse", "roc::rocsparse"),
    ("rocrand", "roc::rocrand"),
    ("rocfft", "roc::rocfft"),
    ("rocprim", "roc::rocprim"),
    ("rocthrust", "roc::rocthrust"),
];

/// Check 15: CMake packages.
pub fn cmake(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let mut cmake = stack.program("cmake");
    if let Some(program) = &cmake
        && let Some(why) = compiler::cmake_by_itself(stack, program)?
    {
        out.skip(format!("CMake configures no project at all here: {why}"));
        cmake = None;
    }
    let mut found = 0;
    for (component, name) in COMPONENTS.iter().flat_map(|row| row.cmake.iter().map(move |name| (row, *name)))
    {
        let Some(config) = config_file(stack, name) else { continue };
        found += 1;
        if fs::metadata(&config).map_or(0, |data| data.len()) == 0 {
            out.fail(format!("CMake package {name}: {} is empty", config.display()))
                .file(&config)
                .means(format!("find_package({name}) succeeds and defines nothing"))
                .fix("install the package again");
            continue;
        }
        let folder = config.parent().unwrap_or(Path::new("/"));
        let missing = missing_targets(folder);
        for file in &missing {
            out.fail(format!(
                "CMake package {name}: a target names {}, which does not exist",
                file.display()
            ))
            .file(&config)
            .means(format!("find_package({name}) stops every project that uses it"))
            .fix("ship the file in the package that has the CMake files, or depend on the one that has it");
        }
        let Some(cmake) = &cmake else { continue };
        if !missing.is_empty() {
            continue;
        }
        let project = stack.work().join(format!("find-{name}"));
        fs::create_dir_all(&project)?;
        let mut text = format!(
            "cmake_minimum_required(VERSION 3.16)\nproject(probe LANGUAGES CXX)\nfind_package({name} CONFIG REQUIRED)\n"
        );
        for (_, target) in TARGETS.iter().filter(|(package, _)| *package == name) {
            let _ = writeln!(
                text,
                "if(NOT TARGET {target})\nmessage(FATAL_ERROR \"no target {target}\")\nendif()"
            );
        }
        fs::write(project.join("CMakeLists.txt"), text)?;
        let mut command = stack.command(cmake);
        command.arg("-S").arg(&project).arg("-B").arg(project.join("build"));
        let roots = stack.roots.iter().map(|root| root.display().to_string()).collect::<Vec<_>>().join(";");
        command
            .arg(format!("-DCMAKE_PREFIX_PATH={roots}"))
            .arg(format!("-DAMDGPU_TARGETS={}", stack.target()));
        if name == "hip-lang" {
            // It is only for CMake itself, when it enables the language: see the check `compilers`.
            continue;
        }
        let done = stack.run(&mut command)?;
        if !done.success() {
            out.fail(format!("find_package({name}) fails: {}", done.story()))
                .file(&config)
                .means(format!("projects that use {} do not configure", component.name))
                .fix("read the first error: a package that it needs, or a path of the build machine");
        }
    }
    match (found, out.any_failed()) {
        (0, _) => {
            out.skip("no CMake package of ROCm is installed");
        }
        (n, false) => {
            let how = if cmake.is_some() { "found by CMake" } else { "read; not tried with CMake" };
            out.pass(format!("{n} CMake packages, {how}"));
        }
        _ => {}
    }
    Ok(())
}

/// Files that imported targets name and that do not exist. Paths with ${_IMPORT_PREFIX} begin some folders above.
fn missing_targets(folder: &Path) -> Vec<PathBuf> {
    let mut missing = Vec::new();
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    for file in files.filter(|path| path.extension().is_some_and(|e| e == "cmake")) {
        let text = fs::read_to_string(&file).unwrap_or_default();
        for line in text.lines().filter(|line| line.trim_start().starts_with("IMPORTED_LOCATION")) {
            let Some(path) = line.split('"').nth(1) else { continue };
            let exists = match path.strip_prefix("${_IMPORT_PREFIX}/") {
                Some(rest) => folder.ancestors().any(|prefix| prefix.join(rest).exists()),
                None => path.contains('$') || Path::new(path).exists(),
            };
            if !exists {
                missing.push(PathBuf::from(path.replace("${_IMPORT_PREFIX}/", "")));
            }
        }
    }
    missing
}

/// Headers that users include first, and whether they are C.
const HEADERS: &[(&str, bool)] = &[
    ("hip/hip_runtime.h", false),
    ("hip/hip_runtime_api.h", true),
    ("hip/hip_fp16.h", false),
    ("hip/hip_complex.h", false),
    ("hip/hip_vector_types.h", false),
    ("hip/hip_ext.h", false),
    ("hip/hiprtc.h", true),
    ("hip/hip_version.h", true),
    ("hsa/hsa.h", true),
    ("hsa/hsa_ext_amd.h", true),
    ("hsa/amd_hsa_queue.h", true),
    ("hsakmt/hsakmt.h", true),
    ("hsakmt.h", true),
    ("amd_comgr/amd_comgr.h", true),
    ("amd_comgr.h", true),
    ("rocblas/rocblas.h", true),
    ("hipblas/hipblas.h", true),
    ("rocsparse/rocsparse.h", true),
    ("hipsparse/hipsparse.h", true),
    ("rocrand/rocrand.h", true),
    ("hiprand/hiprand.h", true),
    ("rocfft/rocfft.h", true),
    ("hipfft/hipfft.h", true),
    ("rocsolver/rocsolver.h", true),
    ("rocprim/rocprim.hpp", false),
    ("hipcub/hipcub.hpp", false),
    ("thrust/version.h", false),
    ("rccl/rccl.h", false),
    ("miopen/miopen.h", true),
    ("rocm_smi/rocm_smi.h", true),
];

/// Check 16: headers, each alone.
pub fn headers(stack: &Stack, out: &mut Findings) -> anyhow::Result<()> {
    let (Some(hipcc), clang) = (stack.program("hipcc"), stack.clang("clang")) else {
        out.skip("hipcc is not installed");
        return Ok(());
    };
    let mut good = 0;
    for (name, is_c) in HEADERS {
        let Some(header) = stack.header(name) else { continue };
        let text = format!("#include <{name}>\n");
        let cxx = stack.write("header.hip", &text)?;
        let done = stack.run(
            stack
                .command(&hipcc)
                .arg(format!("--offload-arch={}", stack.target()))
                .args(["-std=c++17", "-fsyntax-only"])
                .arg(&cxx),
        )?;
        if done.success() {
            good += 1;
        } else {
            out.fail(format!("<{name}> does not compile by itself with hipcc: {}", done.story()))
                .file(&header)
                .means("programs that include it first do not compile")
                .fix("the header's package must depend on those whose headers it includes");
        }
        let (Some(clang), true) = (&clang, is_c) else { continue };
        let c = stack.write("header.c", &text)?;
        let include = header
            .ancestors()
            .nth(name.split('/').count())
            .unwrap_or(Path::new("/usr/include"))
            .to_path_buf();
        let done = stack.run(
            stack
                .command(clang)
                .args(["-std=c11", "-D__HIP_PLATFORM_AMD__", "-fsyntax-only", "-I"])
                .arg(include)
                .arg(&c),
        )?;
        if !done.success() {
            out.warn(format!("<{name}> does not compile as C: {}", done.story()))
                .file(&header)
                .means("C programs and binding generators cannot read it")
                .fix("report it upstream");
        }
    }
    match good {
        0 if !out.any_failed() => out.skip("no header of ROCm is installed"),
        n => out.pass(format!("{n} headers compile by themselves")),
    };
    Ok(())
}
