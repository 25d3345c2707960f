//! Breaks a stack in more than thirty ways, one at a time: the right check must fail each time, and all of them must
//! stay green on the unbroken one.
//!
//! The stack is this machine's own, below an overlay that only a mount namespace of the test has: nothing of the
//! machine is written to. It needs root and Debian's packages of HIP.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// One way to break a stack.
struct Breakage {
    /// What is broken.
    name: &'static str,
    /// Shell commands; `$R` is the root, `$L` its library folder.
    script: &'static str,
    /// The check that must fail.
    check: &'static str,
    /// The package that its report must name; empty where the file belongs to none.
    package: &'static str,
}

macro_rules! breakages {
    ($($name:literal, $check:literal, $package:literal, $script:literal;)*) => {
        &[$(Breakage { name: $name, check: $check, package: $package, script: $script }),*]
    };
}

/// Libraries that nobody has installed are made of nothing but what is wrong with them.
const BREAKAGES: &[Breakage] = breakages! {
    "no comgr", "dlopen", "libamdhip64-5", "rm $L/libamd_comgr.so.2*";
    "no libelf", "links", "libhsa-runtime64-1", "rm $L/libelf.so.1 $L/libelf-*";
    "no ROCr", "links", "libamdhip64-5", "rm $L/libhsa-runtime64.so.1*";
    "no thunk", "links", "libhsa-runtime64-1", "rm $L/libhsakmt.so.1*";
    "no libnuma", "links", "libhsakmt1", "rm $L/libnuma.so.1*";
    "no libdrm", "links", "libhsakmt1", "rm $L/libdrm_amdgpu.so.1*";
    "HIP cut in half", "links", "libamdhip64-5", "truncate -s 5000000 $(readlink -f $L/libamdhip64.so.5)";
    "ROCr empty", "links", "libhsa-runtime64-1", "truncate -s 0 $(readlink -f $L/libhsa-runtime64.so.1)";
    "comgr is a text", "links", "libamd-comgr2", "echo none > $(readlink -f $L/libamd_comgr.so.2)";
    "RUNPATH into a build tree", "links", "", "echo 'int f;' | gcc -x c - -fPIC -shared -Wl,-soname,librocrand.so.1 -Wl,-rpath,/build/rocrand-9/obj -o $L/librocrand.so.1";
    "needs a library of another release", "links", "", "echo 'int f;' | gcc -x c - -fPIC -shared -Wl,-soname,libamd_old.so.4 -o $W/libamd_old.so.4 && echo 'extern int f; int g(void) { return f; }' | gcc -x c - -fPIC -shared -Wl,-soname,librocblas.so.0 -x none $W/libamd_old.so.4 -o $L/librocblas.so.0";
    "a soname without its link", "sonames", "libamdhip64-5", "mv $L/libamdhip64.so.5 $L/other && mv $L/other $L/libamdhip64.so.old";
    "a development link to nowhere", "sonames", "libamdhip64-dev", "ln -sf libamdhip64.so.4 $L/libamdhip64.so";
    "two thunks", "sonames", "", "cp $(readlink -f $L/libhsakmt.so.1) $R/usr/local/lib/libhsakmt.so.1";
    "a library without soname", "sonames", "", "echo 'int f;' | gcc -x c - -fPIC -shared -o $L/librocfft.so.0";
    "a symbol version that nobody defines", "sonames", "", "echo 'V_9 { f; };' > $W/map && echo 'int f;' | gcc -x c - -fPIC -shared -Wl,-soname,libhsakmt.so.1 -Wl,--version-script=$W/map -o $W/libhsakmt.so.1 && echo 'extern int f; int g(void) { return f; }' | gcc -x c - -fPIC -shared -Wl,-soname,librocsparse.so.0 -x none $W/libhsakmt.so.1 -o $L/librocsparse.so.0";
    "hipconfig names a dead HIP_PATH", "hipconfig", "hipcc", "printf '#!/bin/sh\\necho HIP_PATH : /opt/rocm-0\\n' > $R/usr/bin/hipconfig";
    "hipconfig does not run", "hipconfig", "hipcc", "printf '#!/bin/sh\\nexit 1\\n' > $R/usr/bin/hipconfig";
    "hipcc writes nothing", "environment", "hipcc", "printf '#!/bin/sh\\nexit 0\\n' > $R/usr/bin/hipcc";
    "no perl module of hipcc", "compilers", "hipcc", "find $R/usr -name hipvars.pm -delete";
    "no headers of HIP", "compilers", "hipcc", "rm $R/usr/include/hip/hip_runtime.h";
    "no linker for devices", "corpus", "hipcc", "rm -f $R/usr/bin/ld.lld-15 $R/usr/lib/llvm-15/bin/ld.lld $R/usr/lib/llvm-15/bin/lld";
    "no clang", "compilers", "hipcc", "rm -f $R/usr/bin/clang-15 $R/usr/bin/clang++-15 $R/usr/lib/llvm-15/bin/clang*";
    "clang without stddef.h", "resources", "", "find $R/usr/lib -path '*clang*15*' -name stddef.h -delete";
    "clang without HIP's wrapper", "resources", "", "find $R/usr/lib -name __clang_hip_runtime_wrapper.h -delete";
    "no ocml", "bitcode", "rocm-device-libs", "find $R/usr -name ocml.bc -not -path '*/proc/*' -exec sh -c 'rm \"$1\"; touch \"$1\"' _ {} +";
    "no bitcode for gfx900", "bitcode", "rocm-device-libs", "find $R/usr -name oclc_isa_version_900.bc -delete";
    "ockl cut in half", "bitcode", "rocm-device-libs", "find $R/usr -name ockl.bc -exec truncate -s 20000 {} +";
    "device libraries are no bitcode", "bitcode", "rocm-device-libs", "find $R/usr -path '*bitcode/opencl.bc' -exec sh -c 'echo none > \"$1\"' _ {} +";
    "CMake names a library that is gone", "cmake", "libamdhip64-dev", "rm $L/libamdhip64.so.5.*";
    "comgr's CMake names nothing", "cmake", "libamd-comgr-dev", "sed -i 's/libamd_comgr.so[.0-9]*/libamd_comgr.so.1.9/' $L/cmake/amd_comgr/*.cmake";
    "an OpenCL ICD without its library", "registrations", "", "mkdir -p $R/etc/OpenCL/vendors && echo libamdocl64.so > $R/etc/OpenCL/vendors/amdocl64.icd";
    "ld.so.conf.d of a release that is gone", "registrations", "", "echo /opt/rocm-4.1/lib > $R/etc/ld.so.conf.d/rocm.conf";
    "a profile of a release that is gone", "registrations", "", "echo 'export PATH=/opt/rocm-4.1/bin:$PATH' > $R/etc/profile.d/rocm.sh";
    "nobody knows a Vega", "registrations", "libdrm-common", "sed -i '/^687F/d' $R/usr/share/libdrm/amdgpu.ids";
    "a library without gfx900", "targets", "", "$HIPCC --offload-arch=gfx906 -shared -fPIC -Wl,-soname,librocrand.so.1 $K -o $L/librocrand.so.1";
    "device code stripped off", "targets", "", "$HIPCC --offload-arch=gfx900 -shared -fPIC -Wl,-soname,librocrand.so.1 $K -o $L/librocrand.so.1 && objcopy -R .hip_fatbin $L/librocrand.so.1";
    "a bundle that lies about its target", "code-objects", "", "$HIPCC --offload-arch=gfx900 -shared -fPIC -Wl,-soname,librocrand.so.1 $K -o $L/librocrand.so.1 && sed -i 's/hipv4-amdgcn-amd-amdhsa--gfx900/hipv4-amdgcn-amd-amdhsa--gfx906/' $L/librocrand.so.1";
    "rocminfo cut in half", "agents", "rocminfo", "truncate -s 20000 $R/usr/bin/rocminfo";
    "no Python", "agents", "rocminfo", "rm -f $R/usr/bin/python3* && sed -i '1s,.*,#!/usr/bin/python3,' $R/usr/bin/rocm_agent_enumerator";
    "headers of another release", "abi", "libamdhip64-5", "sed -i 's/HIP_VERSION_MAJOR 5/HIP_VERSION_MAJOR 6/; s/HIP_VERSION_MINOR 2/HIP_VERSION_MINOR 4/' $R/usr/include/hip/hip_version.h";
    "no zlib behind libelf", "links", "libelf1", "rm $L/libz.so.1*";
    "zlib is a text", "links", "zlib1g", "echo none > $(readlink -f $L/libz.so.1)";
    "a development link to another library", "sonames", "libamdhip64-dev", "ln -sf libhsakmt.so.1 $L/libamdhip64.so";
    "no comgr to open before a copy", "memory", "libamdhip64-5", "rm $L/libamd_comgr.so.2*";
    "hipconfig of another release", "hipconfig", "hipcc", "mv $R/usr/bin/hipconfig $R/usr/bin/hipconfig.real && printf '#!/bin/sh\\n[ \"$1\" = --version ] && echo 4.2.21155-0 && exit\\nexec hipconfig.real \"$@\"\\n' > $R/usr/bin/hipconfig && chmod +x $R/usr/bin/hipconfig";
    "hipcc writes an empty file", "environment", "hipcc", "empty_hipcc";
    "hipcc writes an empty file for a kernel", "compilers", "hipcc", "empty_hipcc";
    "hipcc writes an empty file in each mode", "corpus", "hipcc", "empty_hipcc";
    "hipcc writes an empty file for no target", "default-target", "hipcc", "empty_hipcc";
    "hipcc compiles nothing", "default-target", "hipcc", "printf '#!/bin/sh\\nexit 1\\n' > $R/usr/bin/hipcc";
    "hipcc writes nothing with the distribution's flags", "distribution-flags", "hipcc", "printf '#!/bin/sh\\nexit 0\\n' > $R/usr/bin/hipcc";
    "hipcc makes programs that succeed anywhere", "false-pass", "", "true_hipcc";
    "clang's stddef.h is empty", "resources", "", "find $R/usr/lib -path '*clang*15*' -name stddef.h -exec sh -c ': > \"$1\"' _ {} \\;";
    "no bitcode for the second target", "bitcode", "rocm-device-libs", "find $R/usr -name oclc_isa_version_906.bc -delete; MORE='--target gfx900,gfx906'";
    "a library without the second target", "targets", "", "$HIPCC --offload-arch=gfx900 -shared -fPIC -Wl,-soname,librocrand.so.1 $K -o $L/librocrand.so.1; MORE='--target gfx900,gfx906'";
    "device code is empty", "targets", "", "$HIPCC --offload-arch=gfx900 -shared -fPIC -Wl,-soname,librocrand.so.1 $K -o $L/librocrand.so.1 && objcopy --update-section .hip_fatbin=/dev/null $L/librocrand.so.1";
    "kernel files for another card", "targets", "", "mkdir -p $L/rocblas/library && $HIPCC --offload-arch=gfx906 --genco $K -o $L/rocblas/library/Kernels.so-000-gfx906.hsaco";
    "a kernel file cut in half", "code-objects", "", "mkdir -p $L/rocblas/library && $HIPCC --offload-arch=gfx900 --genco $K -o $L/rocblas/library/k.co && truncate -s 5000 $L/rocblas/library/k.co";
    "comgr does nothing", "comgr", "libamd-comgr2", "idle libamd_comgr.so.2";
    "comgr does nothing beside HIP", "coexistence", "libamd-comgr2", "idle libamd_comgr.so.2";
    "no comgr for hiprtc", "hiprtc", "libamdhip64-5", "rm $L/libamd_comgr.so.2*";
    "CMake's file of HIP is empty", "cmake", "libamdhip64-dev", ": > $L/cmake/hip/hip-config.cmake";
    "a header that a header includes is gone", "headers", "libamdhip64-dev", "rm $R/usr/include/hip/amd_detail/amd_hip_complex.h";
    "strip removes device code", "fat-binaries", "", "printf '#!/bin/sh\\nexec /usr/bin/x86_64-linux-gnu-strip -R .hip_fatbin \"$@\"\\n' > $W/strip && chmod +x $W/strip && rm -f $R/usr/bin/llvm-strip $R/usr/bin/strip && cp $W/strip $R/usr/bin/llvm-strip";
    "a udev rule for a group that nobody made", "registrations", "", "mkdir -p $R/etc/udev/rules.d && echo 'KERNEL==\"kfd\", GROUP=\"rendering\"' > $R/etc/udev/rules.d/70-kfd.rules";
    "no device files", "device-nodes", "", "no_device";
    "no device for rocminfo", "agents", "rocminfo", "no_device";
    "the thunk does nothing", "thunk", "libhsakmt1", "idle libhsakmt.so.1";
    "ROCr does nothing", "rocr", "libhsa-runtime64-1", "idle libhsa-runtime64.so.1";
    "HIP does nothing", "kernels", "libamdhip64-5", "idle libamdhip64.so.5";
    "HIP does nothing with a program for another card", "no-binary", "libamdhip64-5", "idle libamdhip64.so.5";
    "a library's header does not compile", "libraries", "", "mkdir -p $R/usr/include/rocrand && echo broken > $R/usr/include/rocrand/rocrand.h";
    "a number of an enum of another release", "abi", "libamdhip64-5", "sed -i 's/hipErrorNoBinaryForGpu = 209/hipErrorNoBinaryForGpu = 208/' $R/usr/include/hip/hip_runtime_api.h";
};

/// Commands that several breakages use: a library whose functions return 0 and do nothing, a hipcc that writes an empty
/// file or a program that succeeds, a `vega` that makes no device.
const HELPERS: &str = r#"
idle() {
    file=$(readlink -f $L/$1)
    nm -D --defined-only $file | awk '$2 == "T" && $3 ~ /^(amd_comgr_|hsa_|hsaKmt|hip|__hip)/ { sub("@.*", "", $3); print "int " $3 "(void) { return 0; }" }' | sort -u > $W/idle.c
    test -s $W/idle.c
    gcc -w -fno-builtin -fPIC -shared -Wl,-soname,$1 $W/idle.c -o $W/idle.so
    cp $W/idle.so $file
}
writes() {
    printf '#!/bin/sh\nwhile [ $# -gt 0 ]; do [ "$1" = -o ] && { printf "%s" > "$2"; chmod +x "$2"; }; shift; done; exit 0\n' "$1" > $R/usr/bin/hipcc
}
empty_hipcc() { writes ''; }
true_hipcc() { writes '#!/bin/true\\n'; }
no_device() {
    printf '#!/bin/sh\n[ "$1" = run ] || exit 0\nshift 2\nexec "$@"\n' > $W/no-device
    chmod +x $W/no-device
    VEGA=$W/no-device
}
"#;

/// What the shell does in a mount namespace: the overlay, the damage, the run.
const FRAME: &str = r#"
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root /mnt/files
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
R=/mnt/root L=/mnt/root/usr/lib/x86_64-linux-gnu W=/mnt/files HIPCC=hipcc K=/mnt/files/k.hip
export TMPDIR=/mnt/files
printf '#include <hip/hip_runtime.h>\n__global__ void f(int *x) { *x = 1; }\n' > $K
cp "$SMOKE" /mnt/files/hip-smoke
eval "$HELPERS"
eval "$BREAK"
exec /mnt/files/hip-smoke --root $R --virtual --vega "$VEGA" --format json --only "$CHECK" $MORE
"#;

fn vega() -> PathBuf {
    let own = PathBuf::from(env!("CARGO_BIN_EXE_hip-smoke"));
    own.with_file_name("vega")
}

/// Runs the checks on the broken root: exit status and report.
fn smoke(script: &str, checks: &str) -> (Option<i32>, serde_json::Value, String) {
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", FRAME])
        .env("SMOKE", env!("CARGO_BIN_EXE_hip-smoke"))
        .env("VEGA", vega())
        .env("HELPERS", HELPERS)
        .env("BREAK", script)
        .env("MORE", "")
        .env("CHECK", checks)
        .output()
        .expect("unshare runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&text).unwrap_or_default();
    let errors: String = String::from_utf8_lossy(&output.stderr).chars().take(1000).collect();
    (output.status.code(), report, errors)
}

/// Whether this machine can run these tests: root, and Debian's HIP. `cargo xtask test` insists that it can.
fn possible() -> bool {
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|data| std::os::unix::fs::MetadataExt::uid(&data) == 0);
    let debian = PathBuf::from("/var/lib/dpkg/info/libamdhip64-5.list").exists() && vega().exists();
    let possible = root && debian;
    let required = std::env::var_os("HIP_TEST_REQUIRE_DEVICE").is_some_and(|value| value == "1");
    assert!(possible || !required, "these tests need root, Debian's libamdhip64-5 and a built vega");
    if !possible {
        eprintln!("skipped: needs root, Debian's libamdhip64-5 and a built vega");
    }
    possible
}

#[test]
fn every_breakage_is_found_by_the_right_check_with_the_right_package() {
    if !possible() {
        return;
    }
    let mut wrong = String::new();
    let (mut found, mut named) = (0, 0);
    // One of them, by a part of its name: `HIP_SMOKE_BREAKAGE="no comgr"`.
    let part = std::env::var("HIP_SMOKE_BREAKAGE").unwrap_or_default();
    let chosen: Vec<_> = BREAKAGES.iter().filter(|breakage| breakage.name.contains(&part)).collect();
    for breakage in &chosen {
        let (status, report, errors) = smoke(breakage.script, breakage.check);
        let verdict = &report["verdicts"][0];
        let failed = status == Some(1) && verdict["outcome"] == "fail";
        let packages: Vec<_> = verdict["findings"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|finding| finding["outcome"] == "fail")
            .map(|finding| finding["package"].as_str().unwrap_or(""))
            .collect();
        found += usize::from(failed);
        let right = breakage.package.is_empty() || packages.contains(&breakage.package);
        named += usize::from(failed && right);
        if !failed || !right {
            let _ = writeln!(wrong, "{}: {status:?} {packages:?}\n{errors}{verdict:#}", breakage.name);
        }
    }
    eprintln!("{found} of {} breakages found, {named} with the right package", chosen.len());
    assert!(wrong.is_empty(), "{wrong}");
    assert!(found == chosen.len() && (!part.is_empty() || found >= 30), "{found}");
}

#[test]
fn the_unbroken_stack_is_green() {
    if !possible() {
        return;
    }
    let checks: BTreeSet<_> = BREAKAGES.iter().map(|breakage| breakage.check).collect();
    assert_eq!(checks.len(), 30, "every check can fail");
    let checks: Vec<_> = checks.into_iter().collect();
    let (status, report, errors) = smoke("true", &checks.join(","));
    assert_eq!(status, Some(0), "{errors}{report:#}");
    let verdicts = report["verdicts"].as_array().expect("verdicts");
    assert_eq!(verdicts.len(), 30);
    for verdict in verdicts {
        assert!(verdict["outcome"] != "fail" && verdict["outcome"] != "error", "{verdict:#}");
    }
}

/// With the card hidden no check that needs one may pass: neither with HIP told to hide it, nor with no card at all.
#[test]
fn hidden_cards_let_no_check_pass() {
    if !possible() {
        return;
    }
    let hip = "memory,kernels,fat-binaries";
    for (variable, value, checks) in [
        ("HIP_VISIBLE_DEVICES", "-1", hip),
        ("VEGA_GPUS", "0", "thunk,agents,rocr,memory,kernels,fat-binaries"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_hip-smoke"))
            .args(["--virtual", "--format", "json", "--only", checks, "--vega"])
            .arg(vega())
            .env(variable, value)
            .output()
            .expect("hip-smoke runs");
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a report");
        assert_eq!(output.status.code(), Some(1));
        for verdict in report["verdicts"].as_array().expect("verdicts") {
            assert_ne!(verdict["outcome"], "pass", "{variable}={value}: {verdict:#}");
        }
    }
}
