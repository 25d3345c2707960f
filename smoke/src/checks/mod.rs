//! The checks: the table that everything else reads.
//!
//! | file | checks |
//! |---|---|
//! | `links` | what the dynamic linker sees: 1 to 3 |
//! | `paths` | places that programs and variables name: 4, 5, 20 |
//! | `compiler` | clang and its files: 6 to 8 |
//! | `compiling` | what hipcc makes: 9 to 11 |
//! | `runtime_compiler` | comgr and hiprtc: 12, 13 |
//! | `coexistence` | several LLVMs in one process: 14 |
//! | `development` | CMake packages and headers: 15, 16 |
//! | `device_code` | code objects in libraries: 17 to 19 |
//! | `nodes` | the device, as the kernel and its lowest users show it: 21 to 23 |
//! | `programs` | test programs on the device: 24 to 29 |
//! | `abi` | numbers, sizes and symbols: 30 |

mod abi;
mod coexistence;
mod compiler;
mod compiling;
mod development;
mod device_code;
mod links;
mod nodes;
mod paths;
mod programs;
mod runtime_compiler;

pub use compiler::bitcode_folder;

use crate::check::Check;

/// A check that needs nothing but the files.
const FILES: Check = Check {
    number: 0,
    name: "",
    layer: "",
    title: "",
    device: false,
    slow: false,
    explain: "",
    means: "",
    fix: "",
    run: |_, _| Ok(()),
};
/// The same, left out by `--quick`.
const SLOW: Check = Check { slow: true, ..FILES };
/// A check that needs a device.
const DEVICE: Check = Check { device: true, ..FILES };

/// The thirty checks, by number.
pub static CHECKS: &[Check] = &[
    Check {
        number: 1,
        name: "links",
        layer: "all",
        title: "every ROCm library and program finds what it links to",
        explain: "Reads DT_NEEDED and DT_RUNPATH of each library and program of the stack and looks for every \
                  library as the dynamic linker would; so for the libraries of others that are loaded with them, down \
                  to the C library. A RUNPATH into a folder that does not exist is usually the \
                  build tree: it works on the builder's machine only.",
        means: "programs that need it do not start",
        fix: "install the package with the library, or declare the dependency",
        run: links::needed,
        ..FILES
    },
    Check {
        number: 2,
        name: "sonames",
        layer: "all",
        title: "sonames, links and symbol versions fit together",
        explain: "Each library must be found under its own DT_SONAME, links must lead to the library of their \
                  name, one soname must have one provider in the linker's folders, and the symbol versions that one library of \
                  the stack wants of another must be defined there.",
        means: "programs link to one library and load another",
        fix: "build the package again with a soname, its link and one provider",
        run: links::sonames,
        ..FILES
    },
    Check {
        number: 3,
        name: "dlopen",
        layer: "all",
        title: "libraries that are opened at run time are there",
        explain: "HIP opens comgr and the built-ins of hiprtc with dlopen(), ROCr the profiler's helper. No tool that \
                  follows DT_NEEDED sees them, so packages forget the dependency; a program then fails at its first \
                  copy or fill. The names are read from the libraries that open them.",
        means: "programs start and fail at the first call that needs it",
        fix: "depend on the package that has the library",
        run: links::opened,
        ..FILES
    },
    Check {
        number: 4,
        name: "hipconfig",
        layer: "hip-runtime-amd",
        title: "every path that hipconfig prints exists",
        explain: "Build systems take the output of hipconfig as it is. A path that does not exist is harmless as an \
                  include folder and fatal as HIP_PATH or HIP_CLANG_PATH. The release that it names must be that of \
                  the headers.",
        means: "build systems take a dead path and stop",
        fix: "build hipcc with this distribution's own folders",
        run: paths::hipconfig,
        ..FILES
    },
    Check {
        number: 5,
        name: "environment",
        layer: "hip-runtime-amd",
        title: "hipcc survives the environment: unset, set, and set to dead places",
        explain: "ROCM_PATH, HIP_PATH, HSA_PATH, HIP_CLANG_PATH and DEVICE_LIB_PATH are left over from other \
                  installations. Set in this environment they must name existing folders; without them hipcc must \
                  work; with each of them dead it must work or fail, never write a wrong file with success: device code for the target must be in it.",
        means: "builds depend on what the user's shell has set",
        fix: "unset the variable; build hipcc with this distribution's own folders",
        run: paths::environment,
        ..FILES
    },
    Check {
        number: 6,
        name: "compilers",
        layer: "rocm-llvm",
        title: "hipcc, clang++ -x hip, clang -x cl and CMake each find headers and device libraries",
        explain: "Each way compiles one small kernel for the first target. hipcc must work; the others are used by \
                  build systems and are reported when they do not.",
        means: "programs cannot be compiled",
        fix: "read the first line: headers, device libraries or the linker are missing",
        run: compiler::ways,
        ..FILES
    },
    Check {
        number: 7,
        name: "resources",
        layer: "rocm-llvm",
        title: "clang's resource folder is complete",
        explain: "clang's own headers (stddef.h, the HIP wrappers) live in a folder with its version in the name: a \
                  compiler and a resource folder of different packages drift apart.",
        means: "nothing compiles: clang's own headers are not found",
        fix: "install clang and its headers from one build",
        run: compiler::resources,
        ..FILES
    },
    Check {
        number: 8,
        name: "bitcode",
        layer: "rocm-device-libs",
        title: "the device libraries are there and hipcc's LLVM can read them",
        explain: "ockl, ocml, opencl and the switches oclc_* are LLVM bitcode. They must exist for every target, be \
                  whole, and not be newer than the compiler that reads them.",
        means: "kernels that call mathematical functions do not compile",
        fix: "build the device libraries with the LLVM that reads them",
        run: compiler::bitcode,
        ..FILES
    },
    Check {
        number: 9,
        name: "default-target",
        layer: "hip-runtime-amd",
        title: "what hipcc compiles for when nobody says",
        explain: "Without --offload-arch hipcc asks the machine for its card. Where there is none (every build server), \
                  some releases silently compile for gfx803. The target that was really emitted is reported.",
        means: "programs are compiled for a card that the user does not have",
        fix: "give --offload-arch, or set HCC_AMDGPU_TARGET",
        run: compiling::default_target,
        ..FILES
    },
    Check {
        number: 10,
        name: "distribution-flags",
        layer: "hip-runtime-amd",
        title: "the distribution's own compiler flags pass through hipcc",
        explain: "Package builds set CXXFLAGS; flags for x86 (-fcf-protection) are errors for the device. Each flag \
                  that hipcc rejects is named; -Xarch_host passes it to the host's part alone.",
        means: "packages that set these flags do not build",
        fix: "pass the flag to the host alone with -Xarch_host",
        run: compiling::flags,
        ..FILES
    },
    Check {
        number: 11,
        name: "corpus",
        layer: "rocm-llvm",
        title: "a corpus of kernels compiles in every mode",
        explain: "Kernels with LDS, atomics, printf, virtual calls, half and double precision, textures and recursion \
                  are compiled with -O0 to -O3, -g, -fgpu-rdc, as a shared library and as a code object.",
        means: "programs that are compiled so do not build",
        fix: "report it with the command to the package of the compiler",
        run: compiling::corpus,
        ..SLOW
    },
    Check {
        number: 12,
        name: "comgr",
        layer: "comgr",
        title: "comgr knows the targets and compiles OpenCL",
        explain: "The code object manager compiles HIP's own copy and fill kernels at run time. It must list the \
                  target and turn a line of OpenCL into an executable for it.",
        means: "HIP cannot compile its own kernels; OpenCL compiles nothing",
        fix: "build comgr with the LLVM and device libraries that are installed",
        run: runtime_compiler::comgr,
        ..FILES
    },
    Check {
        number: 13,
        name: "hiprtc",
        layer: "hip-runtime-amd",
        title: "hiprtc compiles, finds kernels by name and explains errors",
        explain: "A template kernel is compiled at run time, its lowered name is looked up, and a wrong source must \
                  give a log that names the line. No device is needed.",
        means: "programs that compile kernels at run time fail",
        fix: "comgr and hiprtc's built-ins must be of one release",
        run: runtime_compiler::hiprtc,
        ..FILES
    },
    Check {
        number: 14,
        name: "coexistence",
        layer: "comgr",
        title: "HIP, comgr and the system's LLVM live in one process",
        explain: "Two LLVMs that share symbols abort a process when the second one registers its options. HIP's \
                  libraries are loaded together with Mesa's, PoCL's and plain LLVM, in both orders.",
        means: "programs that use HIP beside OpenGL, OpenCL or another LLVM abort at start",
        fix: "link comgr to LLVM's shared library, or hide LLVM's symbols in it",
        run: coexistence::one_process,
        ..FILES
    },
    Check {
        number: 15,
        name: "cmake",
        layer: "all",
        title: "CMake packages name files that exist",
        explain: "Every <name>-config.cmake of the stack is read for files of its imported targets. With CMake \
                  installed, find_package() is run for each, and must define the targets that projects link to.",
        means: "projects that use CMake do not configure",
        fix: "ship the file that the CMake package names, or build the package again",
        run: development::cmake,
        ..FILES
    },
    Check {
        number: 16,
        name: "headers",
        layer: "all",
        title: "public headers compile alone",
        explain: "Each header that users include first is compiled by itself, as C where it is one and as C++.",
        means: "programs that include it first do not compile",
        fix: "depend on the package with the header that it includes",
        run: development::headers,
        ..SLOW
    },
    Check {
        number: 17,
        name: "targets",
        layer: "all",
        title: "every library with device code has code for every target",
        explain: "A library that was built for fewer cards than the rest fails at its first call, on some users' \
                  machines only. So does a folder of kernels (.co, .hsaco) beside it. --target says which processors the \
                  distribution builds for.",
        means: "its first kernel fails on those cards",
        fix: "build it with the distribution's whole list of targets",
        run: device_code::targets,
        ..SLOW
    },
    Check {
        number: 18,
        name: "code-objects",
        layer: "all",
        title: "code objects are what their bundles say, and the runtime knows their version",
        explain: "The target in a bundle's table must be the one in the code object's header, its metadata must \
                  parse, and its ABI version must be one that the installed ROCr loads.",
        means: "the runtime refuses the kernel, or runs code for another card",
        fix: "build it again with the installed compiler",
        run: device_code::objects,
        ..SLOW
    },
    Check {
        number: 19,
        name: "fat-binaries",
        layer: "hip-runtime-amd",
        title: "stripped and compressed fat binaries still register",
        explain: "Packages strip their programs; newer compilers compress device code. Both are made of one small \
                  program and run.",
        means: "installed programs find no kernel",
        fix: "strip with the compiler's own llvm-strip, or not at all",
        run: programs::fat_binaries,
        ..DEVICE
    },
    Check {
        number: 20,
        name: "registrations",
        layer: "all",
        title: "names, ICDs, linker and profile snippets, and device rules lead somewhere",
        explain: "amdgpu.ids gives the card its name; OpenCL finds its implementation by a .icd file; ld.so.conf.d and \
                  profile.d may name folders of a release that is gone; a udev rule gives a group that must exist access to /dev/kfd.",
        means: "the name or file that is registered leads nowhere",
        fix: "remove the file, or install what it names",
        run: paths::registrations,
        ..FILES
    },
    Check {
        number: 21,
        name: "device-nodes",
        layer: "kernel",
        title: "/dev/kfd and the render node open",
        explain: "Mode, group and errno of the device files, explained: no file, no permission, no memory and a \
                  disabled device have different cures.",
        means: "no program sees the card",
        fix: "load amdgpu, and let the user open the device files",
        run: nodes::device_files,
        ..DEVICE
    },
    Check {
        number: 22,
        name: "thunk",
        layer: "hsakmt-roct",
        title: "the thunk talks to the driver and sees a GPU node",
        explain: "Opens the driver, asks for its version and counts nodes. Where the thunk is linked into ROCr it is \
                  checked through ROCr.",
        means: "nothing above it sees a card",
        fix: "the thunk must be of a release that knows this driver's interface",
        run: nodes::thunk,
        ..DEVICE
    },
    Check {
        number: 23,
        name: "agents",
        layer: "rocminfo",
        title: "rocminfo and rocm_agent_enumerator list the GPU",
        explain: "Both must exit with 0 and name the processor; the first needs kmod, the second Python.",
        means: "users cannot see whether their card works",
        fix: "rocminfo needs lsmod (kmod) and ROCr; rocm_agent_enumerator needs Python",
        run: nodes::agents,
        ..DEVICE
    },
    Check {
        number: 24,
        name: "rocr",
        layer: "hsa-rocr",
        title: "ROCr: queues, signals, copies, a second process",
        explain: "A program on ROCr alone submits barrier packets around its ring twice, waits for signals, copies \
                  memory both ways, and does the same again in a second process.",
        means: "nothing above it works",
        fix: "ROCr and the thunk must be of releases that fit each other",
        run: programs::rocr,
        ..DEVICE
    },
    Check {
        number: 25,
        name: "memory",
        layer: "hip-runtime-amd",
        title: "HIP: every kind of copy and fill",
        explain: "Copies between pageable, pinned, managed and device memory, in one and two dimensions, and fills of \
                  8, 16 and 32 bits. They force the runtime to compile its own kernels: a missing comgr shows here.",
        means: "programs that copy or fill memory give wrong results or fail",
        fix: "run it by itself with AMD_LOG_LEVEL=3; compare with another release (--compare)",
        run: programs::memory,
        ..DEVICE
    },
    Check {
        number: 26,
        name: "kernels",
        layer: "hip-runtime-amd",
        title: "HIP: kernels, streams, events, modules, graphs",
        explain: "SAXPY, LDS with barriers, atomics, printf, shuffles, double and half precision, device malloc, \
                  streams and events, a module, a graph, and an assertion that must abort. Results are compared with \
                  the CPU's, every return code is checked.",
        means: "programs that do this give wrong results or fail",
        fix: "run it by itself with AMD_LOG_LEVEL=3; compare with another release (--compare)",
        run: programs::kernels,
        ..DEVICE
    },
    Check {
        number: 27,
        name: "libraries",
        layer: "all",
        title: "each installed library computes something, exactly and statistically",
        explain: "Where a library and its headers are installed, a small program with a fixed seed is compiled and \
                  its result compared with the CPU's.",
        means: "programs that use the library give wrong results or fail",
        fix: "build the library with the installed compiler and runtime, for every target",
        run: programs::libraries,
        ..DEVICE
    },
    Check {
        number: 28,
        name: "no-binary",
        layer: "hip-runtime-amd",
        title: "a program for another card fails with hipErrorNoBinaryForGpu",
        explain: "A program that has code for gfx906 only must be told so; newer runtimes return the error, older ones \
                  print it and abort. Wrong results or silence are failures.",
        means: "users do not learn that their card is missing from a package",
        fix: "use a runtime that returns hipErrorNoBinaryForGpu",
        run: programs::no_binary,
        ..DEVICE
    },
    Check {
        number: 29,
        name: "false-pass",
        layer: "all",
        title: "no test program passes without a device, or on one that does nothing",
        explain: "The programs of the other checks are run again with the device hidden, and on the virtual card also \
                  with dispatches completed but not executed. One that passes proves nothing where it passes else.",
        means: "its passes elsewhere prove nothing: do not trust this report",
        fix: "report it to the authors of this program, with the JSON report",
        run: programs::false_pass,
        ..DEVICE
    },
    Check {
        number: 30,
        name: "abi",
        layer: "hip-runtime-amd",
        title: "the library exports what its headers declare",
        explain: "The functions that the headers of this release declare are looked up in libamdhip64 and libhiprtc; \
                  sizes of structures and numbers of enums that moved between releases are compiled and compared with the \
                  bindings of this project.",
        means: "programs in other languages, and those that link to it, do not start or pass wrong structures",
        fix: "headers and library must be of one release",
        run: abi::symbols,
        ..FILES
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_thirty_numbered_in_order_with_names_of_their_own() {
        assert_eq!(CHECKS.len(), 30);
        for (at, check) in CHECKS.iter().enumerate() {
            assert_eq!(usize::from(check.number), at + 1);
            assert!(CHECKS[..at].iter().all(|other| other.name != check.name), "{}", check.name);
            assert!(!check.title.is_empty() && check.explain.len() > 60, "{}", check.name);
            assert!(check.means.len() > 20 && check.fix.len() > 20, "{}", check.name);
            assert!(!check.fix.contains('\n'), "the fix is one line");
        }
    }
}
