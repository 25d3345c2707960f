//! The ways in which a stack is broken: what, the check that must fail, the package that its report must name (empty where
//! the file belongs to none), and shell commands: `$R` is the root, `$L` its folder of libraries, `$W` a private one.

use super::broken::Breakage;

macro_rules! breakages {
    ($($name:literal, $check:literal, $package:literal, $script:literal;)*) => {
        &[$(Breakage { name: $name, check: $check, package: $package, script: $script }),*]
    };
}

/// Files that are missing, damaged or of another release. Libraries that nobody has installed are made of nothing but what
/// is wrong with them.
pub const FILES: &[Breakage] = breakages! {
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
    "HIP for other processors", "links", "libamdhip64-5", "printf '\\001' | dd of=$(readlink -f $L/libamdhip64.so.5) bs=1 seek=4 conv=notrunc 2>/dev/null";
    "no zlib behind libelf", "links", "libelf1", "rm $L/libz.so.1*";
    "zlib is a text", "links", "zlib1g", "echo none > $(readlink -f $L/libz.so.1)";
    "a development link to another library", "sonames", "libamdhip64-dev", "ln -sf libhsakmt.so.1 $L/libamdhip64.so";
    "hipconfig of another release", "hipconfig", "hipcc", "mv $R/usr/bin/hipconfig $R/usr/bin/hipconfig.real && printf '#!/bin/sh\\n[ \"$1\" = --version ] && echo 4.2.21155-0 && exit\\nexec hipconfig.real \"$@\"\\n' > $R/usr/bin/hipconfig && chmod +x $R/usr/bin/hipconfig";
    "clang's stddef.h is empty", "resources", "", "find $R/usr/lib -path '*clang*15*' -name stddef.h -exec sh -c ': > \"$1\"' _ {} \\;";
    "no bitcode for the second target", "bitcode", "rocm-device-libs", "find $R/usr -name oclc_isa_version_906.bc -delete; MORE='--target gfx900,gfx906'";
    "a library without the second target", "targets", "", "$HIPCC --offload-arch=gfx900 -shared -fPIC -Wl,-soname,librocrand.so.1 $K -o $L/librocrand.so.1; MORE='--target gfx900,gfx906'";
    "device code is empty", "targets", "", "$HIPCC --offload-arch=gfx900 -shared -fPIC -Wl,-soname,librocrand.so.1 $K -o $L/librocrand.so.1 && objcopy --update-section .hip_fatbin=/dev/null $L/librocrand.so.1";
    "kernel files for another card", "targets", "", "mkdir -p $L/rocblas/library && $HIPCC --offload-arch=gfx906 --genco $K -o $L/rocblas/library/Kernels.so-000-gfx906.hsaco";
    "a kernel file cut in half", "code-objects", "", "mkdir -p $L/rocblas/library && $HIPCC --offload-arch=gfx900 --genco $K -o $L/rocblas/library/k.co && truncate -s 5000 $L/rocblas/library/k.co";
    "CMake's file of HIP is empty", "cmake", "libamdhip64-dev", ": > $L/cmake/hip/hip-config.cmake";
    "a udev rule for a group that nobody made", "registrations", "", "mkdir -p $R/etc/udev/rules.d && echo 'KERNEL==\"kfd\", GROUP=\"rendering\"' > $R/etc/udev/rules.d/70-kfd.rules";
};

/// Compilers and libraries that do not what they should, and no device.
pub const PROGRAMS: &[Breakage] = breakages! {
    "hipcc writes nothing", "environment", "hipcc", "printf '#!/bin/sh\\nexit 0\\n' > $R/usr/bin/hipcc";
    "no perl module of hipcc", "compilers", "hipcc", "find $R/usr -name hipvars.pm -delete";
    "no headers of HIP", "compilers", "hipcc", "rm $R/usr/include/hip/hip_runtime.h";
    "no linker for devices", "corpus", "hipcc", "rm -f $R/usr/bin/ld.lld-15 $R/usr/lib/llvm-15/bin/ld.lld $R/usr/lib/llvm-15/bin/lld";
    "no clang", "compilers", "hipcc", "rm -f $R/usr/bin/clang-15 $R/usr/bin/clang++-15 $R/usr/lib/llvm-15/bin/clang*";
    "rocminfo cut in half", "agents", "rocminfo", "truncate -s 20000 $R/usr/bin/rocminfo";
    "no Python", "agents", "rocminfo", "rm -f $R/usr/bin/python3* && sed -i '1s,.*,#!/usr/bin/python3,' $R/usr/bin/rocm_agent_enumerator";
    "headers of another release", "abi", "libamdhip64-5", "sed -i 's/HIP_VERSION_MAJOR 5/HIP_VERSION_MAJOR 6/; s/HIP_VERSION_MINOR 2/HIP_VERSION_MINOR 4/' $R/usr/include/hip/hip_version.h";
    "no comgr to open before a copy", "memory", "libamdhip64-5", "rm $L/libamd_comgr.so.2*";
    "hipcc writes an empty file", "environment", "hipcc", "empty_hipcc";
    "hipcc writes an empty file for a kernel", "compilers", "hipcc", "empty_hipcc";
    "hipcc writes an empty file in each mode", "corpus", "hipcc", "empty_hipcc";
    "hipcc writes an empty file for no target", "default-target", "hipcc", "empty_hipcc";
    "hipcc compiles nothing", "default-target", "hipcc", "printf '#!/bin/sh\\nexit 1\\n' > $R/usr/bin/hipcc";
    "hipcc writes nothing with the distribution's flags", "distribution-flags", "hipcc", "printf '#!/bin/sh\\nexit 0\\n' > $R/usr/bin/hipcc";
    "hipcc makes programs that succeed anywhere", "false-pass", "", "true_hipcc";
    "comgr does nothing", "comgr", "libamd-comgr2", "idle libamd_comgr.so.2";
    "comgr does nothing beside HIP", "coexistence", "libamd-comgr2", "idle libamd_comgr.so.2";
    "no comgr for hiprtc", "hiprtc", "libamdhip64-5", "rm $L/libamd_comgr.so.2*";
    "a header that a header includes is gone", "headers", "libamdhip64-dev", "rm $R/usr/include/hip/amd_detail/amd_hip_complex.h";
    "strip removes device code", "fat-binaries", "", "printf '#!/bin/sh\\nexec /usr/bin/x86_64-linux-gnu-strip -R .hip_fatbin \"$@\"\\n' > $W/strip && chmod +x $W/strip && rm -f $R/usr/bin/llvm-strip $R/usr/bin/strip && cp $W/strip $R/usr/bin/llvm-strip";
    "no device files", "device-nodes", "", "no_device";
    "no device for rocminfo", "agents", "rocminfo", "no_device";
    "the thunk does nothing", "thunk", "libhsakmt1", "idle libhsakmt.so.1";
    "ROCr does nothing", "rocr", "libhsa-runtime64-1", "idle libhsa-runtime64.so.1";
    "HIP does nothing", "kernels", "libamdhip64-5", "idle libamdhip64.so.5";
    "HIP does nothing with a program for another card", "no-binary", "libamdhip64-5", "idle libamdhip64.so.5";
    "a library's header does not compile", "libraries", "", "mkdir -p $R/usr/include/rocrand && echo broken > $R/usr/include/rocrand/rocrand.h";
    "a number of an enum of another release", "abi", "libamdhip64-5", "sed -i 's/hipErrorNoBinaryForGpu = 209/hipErrorNoBinaryForGpu = 208/' $R/usr/include/hip/hip_runtime_api.h";
};
