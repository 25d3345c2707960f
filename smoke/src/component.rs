//! The components of a ROCm stack: upstream's names, and how their files are called everywhere.

/// One component: a row of the table.
#[derive(Debug)]
pub struct Component {
    /// Upstream's name, as packagers know it.
    pub name: &'static str,
    /// Beginnings of its libraries' file names, without the version behind `.so`.
    pub libraries: &'static [&'static str],
    /// Its programs.
    pub programs: &'static [&'static str],
    /// CMake packages that it brings.
    pub cmake: &'static [&'static str],
}

macro_rules! components {
    ($($name:literal: $libraries:expr, $programs:expr, $cmake:expr;)*) => {
        &[$(Component { name: $name, libraries: &$libraries, programs: &$programs, cmake: &$cmake }),*]
    };
}

/// The stack, from the kernel upward.
pub static COMPONENTS: &[Component] = components! {
    // name: libraries, programs, CMake packages
    "rocm-cmake": [], [], ["ROCM", "ROCmCMakeBuildTools"];
    "rocm-core": ["librocm-core.so"], [], ["rocm-core"];
    "rocm-llvm": [], ["amdclang", "amdclang++"], [];
    "rocm-device-libs": [], [], ["AMDDeviceLibs"];
    "comgr": ["libamd_comgr.so"], [], ["amd_comgr"];
    "hsakmt-roct": ["libhsakmt.so"], [], ["hsakmt"];
    "hsa-rocr": ["libhsa-runtime64.so"], [], ["hsa-runtime64"];
    "hsa-amd-aqlprofile": ["libhsa-amd-aqlprofile64.so"], [], [];
    "rocminfo": [], ["rocminfo", "rocm_agent_enumerator"], [];
    "hip-runtime-amd": ["libamdhip64.so", "libhiprtc.so", "libhiprtc-builtins.so"], ["hipcc", "hipconfig"], ["hip", "hip-lang", "hiprtc"];
    "rocm-opencl-runtime": ["libamdocl64.so"], [], [];
    "rocm-smi-lib": ["librocm_smi64.so"], ["rocm-smi"], ["rocm_smi"];
    "roctracer": ["libroctracer64.so", "libroctx64.so"], [], [];
    "rocprofiler": ["librocprofiler64.so"], ["rocprof"], [];
    "rocblas": ["librocblas.so"], [], ["rocblas"];
    "hipblas": ["libhipblas.so"], [], ["hipblas"];
    "hipblaslt": ["libhipblaslt.so"], [], ["hipblaslt"];
    "rocsparse": ["librocsparse.so"], [], ["rocsparse"];
    "hipsparse": ["libhipsparse.so"], [], ["hipsparse"];
    "rocrand": ["librocrand.so"], [], ["rocrand"];
    "hiprand": ["libhiprand.so"], [], ["hiprand"];
    "rocfft": ["librocfft.so"], [], ["rocfft"];
    "hipfft": ["libhipfft.so"], [], ["hipfft"];
    "rocsolver": ["librocsolver.so"], [], ["rocsolver"];
    "hipsolver": ["libhipsolver.so"], [], ["hipsolver"];
    "rocprim": [], [], ["rocprim"];
    "rocthrust": [], [], ["rocthrust"];
    "hipcub": [], [], ["hipcub"];
    "rocwmma": [], [], ["rocwmma"];
    "rccl": ["librccl.so"], [], ["rccl"];
    "miopen": ["libMIOpen.so"], [], ["miopen"];
    "rocalution": ["librocalution.so"], [], ["rocalution"];
};

/// The component that a library belongs to, by its file name.
pub fn of_library(file_name: &str) -> Option<&'static Component> {
    COMPONENTS.iter().find(|component| component.libraries.iter().any(|start| is_library(file_name, start)))
}

/// The beginning of the name of the stack's library that a file is called after.
pub fn library_of(file_name: &str) -> Option<&'static str> {
    let mut all = COMPONENTS.iter().flat_map(|component| component.libraries);
    all.find(|start| is_library(file_name, start)).copied()
}

/// Whether the file is this library, with or without a version.
pub fn is_library(file_name: &str, start: &str) -> bool {
    file_name.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_librarys_name_tells_its_component() {
        let name = |file| of_library(file).map(|component| component.name);
        assert_eq!(name("libamdhip64.so.5.2.21153"), Some("hip-runtime-amd"));
        assert_eq!(name("libhiprtc-builtins.so.5"), Some("hip-runtime-amd"));
        assert_eq!(name("librocblas.so"), Some("rocblas"));
        assert_eq!(name("libc.so.6"), None);
        assert_eq!(name("libhsakmt.sole"), None);
    }

    #[test]
    fn names_are_unique() {
        for (at, component) in COMPONENTS.iter().enumerate() {
            assert!(COMPONENTS[..at].iter().all(|other| other.name != component.name), "{}", component.name);
        }
    }
}
