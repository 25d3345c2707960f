//! What the project needs from the distribution: one table, with the package names of each family.

use std::path::Path;
use std::process::Command;

use crate::distro::Family;
use crate::process::in_path;

/// Which commands need a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Running the examples.
    Demo,
    /// Running every test, and checking the bindings.
    Test,
    /// Building and testing as distributions package.
    Packaging,
    /// The comparison with PoCL and OpenBLAS.
    Bench,
    /// Building the chroots.
    Distros,
}

/// How one sees that a thing is there, whoever installed it.
enum Probe {
    /// One of these programs is in `PATH` or in ROCm's own folder.
    Program(&'static [&'static str]),
    /// A shared library whose file name starts so is where the loader looks, or in ROCm's own folder.
    Library(&'static [&'static str]),
    /// This file exists below `/usr` or ROCm's own folder.
    Header(&'static str),
}

/// One thing that the project needs.
pub struct Need {
    /// What it is, for people.
    pub what: &'static str,
    probe: Probe,
    stage: Stage,
    debian: &'static [&'static str],
    arch: &'static [&'static str],
    fedora: &'static [&'static str],
}

/// The table. Arch's and Fedora's names are untested.
pub const NEEDS: &[Need] = &[
    Need {
        what: "the HIP runtime, libamdhip64",
        probe: Probe::Library(&["libamdhip64.so"]),
        stage: Stage::Demo,
        debian: &["libamdhip64-dev"],
        arch: &["hip-runtime-amd"],
        fedora: &["rocm-hip-devel"],
    },
    Need {
        what: "the HIP headers",
        probe: Probe::Header("include/hip/hip_runtime_api.h"),
        stage: Stage::Demo,
        debian: &["libamdhip64-dev"],
        arch: &["hip-runtime-amd"],
        fedora: &["rocm-hip-devel"],
    },
    Need {
        what: "the kernel compiler, hipcc",
        probe: Probe::Program(&["hipcc"]),
        stage: Stage::Demo,
        debian: &["hipcc"],
        arch: &["hip-runtime-amd"],
        fedora: &["hipcc"],
    },
    Need {
        what: "file (hipcc calls it)",
        probe: Probe::Program(&["file"]),
        stage: Stage::Demo,
        debian: &["file"],
        arch: &["file"],
        fedora: &["file"],
    },
    Need {
        what: "rocminfo",
        probe: Probe::Program(&["rocminfo"]),
        stage: Stage::Demo,
        debian: &["rocminfo"],
        arch: &["rocminfo"],
        fedora: &["rocminfo"],
    },
    Need {
        what: "LLVM's assembler, llvm-mc (the decoder is compared with it)",
        probe: Probe::Program(&["llvm-mc-15", "llvm-mc"]),
        stage: Stage::Test,
        debian: &["llvm-15"],
        arch: &["llvm"],
        fedora: &["llvm"],
    },
    Need {
        what: "clang (type layouts are compared with its own)",
        probe: Probe::Program(&["clang-15", "clang"]),
        stage: Stage::Test,
        debian: &["clang-15"],
        arch: &["clang"],
        fedora: &["clang"],
    },
    Need {
        what: "libclang (for the drift check of the bindings)",
        probe: Probe::Library(&["libclang-15.so", "libclang.so"]),
        stage: Stage::Test,
        debian: &["libclang-15-dev"],
        arch: &["clang"],
        fedora: &["clang-devel"],
    },
    Need {
        what: "pacman (hip-smoke's reader of its database is compared with it)",
        probe: Probe::Program(&["pacman"]),
        stage: Stage::Test,
        debian: &["pacman-package-manager"],
        arch: &["pacman"],
        fedora: &["pacman"],
    },
    Need {
        what: "rpm and rpmbuild (the same)",
        probe: Probe::Program(&["rpmbuild"]),
        stage: Stage::Test,
        debian: &["rpm"],
        arch: &["rpm-tools"],
        fedora: &["rpm-build"],
    },
    Need {
        what: "makepkg (runs the PKGBUILD snippet)",
        probe: Probe::Program(&["makepkg"]),
        stage: Stage::Packaging,
        debian: &["makepkg", "libarchive-tools"],
        arch: &["pacman"],
        fedora: &["pacman"],
    },
    Need {
        what: "autopkgtest (runs the debian/tests snippet)",
        probe: Probe::Program(&["autopkgtest"]),
        stage: Stage::Packaging,
        debian: &["autopkgtest"],
        arch: &["autopkgtest"],
        fedora: &["autopkgtest"],
    },
    Need {
        what: "nix-instantiate (evaluates the Nix snippet)",
        probe: Probe::Program(&["nix-instantiate"]),
        stage: Stage::Packaging,
        debian: &["nix-bin"],
        arch: &["nix"],
        fedora: &["nix"],
    },
    Need {
        what: "mandoc (reads the manual pages)",
        probe: Probe::Program(&["mandoc"]),
        stage: Stage::Packaging,
        debian: &["mandoc"],
        arch: &["mandoc"],
        fedora: &["mandoc"],
    },
    Need {
        what: "zsh and fish (read their completions)",
        probe: Probe::Program(&["fish"]),
        stage: Stage::Packaging,
        debian: &["zsh", "fish"],
        arch: &["zsh", "fish"],
        fedora: &["zsh", "fish"],
    },
    Need {
        what: "an OpenCL implementation on the CPU, PoCL",
        probe: Probe::Library(&["libpocl.so"]),
        stage: Stage::Bench,
        debian: &["pocl-opencl-icd", "ocl-icd-libopencl1"],
        arch: &["pocl", "ocl-icd"],
        fedora: &["pocl", "ocl-icd"],
    },
    Need {
        what: "a fast BLAS, OpenBLAS",
        probe: Probe::Library(&["libopenblas.so.0"]),
        stage: Stage::Bench,
        debian: &["libopenblas0-pthread"],
        arch: &["openblas"],
        fedora: &["openblas"],
    },
    Need {
        what: "mmdebstrap (builds the chroots)",
        probe: Probe::Program(&["mmdebstrap"]),
        stage: Stage::Distros,
        debian: &["mmdebstrap"],
        arch: &["mmdebstrap"],
        fedora: &["mmdebstrap"],
    },
];

/// Where ROCm lives outside a distribution's own folders.
const ROCM: &str = "/opt/rocm";

impl Need {
    /// Whether `stage` needs this: tests need what the demo needs.
    pub fn of(&self, stage: Stage) -> bool {
        self.stage == stage || (self.stage == Stage::Demo && stage == Stage::Test)
    }

    /// Whether it is there.
    pub fn met(&self, libraries: &Libraries) -> bool {
        match self.probe {
            Probe::Program(names) => {
                names.iter().any(|name| in_path(name) || Path::new(ROCM).join("bin").join(name).is_file())
            }
            Probe::Library(prefixes) => prefixes.iter().any(|prefix| libraries.any_starts_with(prefix)),
            Probe::Header(path) => ["/usr", ROCM].iter().any(|root| Path::new(root).join(path).is_file()),
        }
    }

    /// The packages that bring it.
    pub fn packages(&self, family: Family) -> &'static [&'static str] {
        match family {
            Family::Debian => self.debian,
            Family::Arch => self.arch,
            Family::Fedora => self.fedora,
        }
    }
}

/// The file names of the shared libraries of this machine.
pub struct Libraries(Vec<String>);

impl Libraries {
    /// Asks the loader's cache, and looks into ROCm's own folder.
    pub fn here() -> Self {
        let cache = ["/sbin/ldconfig", "/usr/sbin/ldconfig", "ldconfig"]
            .iter()
            .find_map(|program| Command::new(program).arg("-p").output().ok())
            .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
            .unwrap_or_default();
        let mut names = Self::of_cache(&cache);
        let folder = std::fs::read_dir(Path::new(ROCM).join("lib"));
        names.extend(
            folder.into_iter().flatten().flatten().map(|e| e.file_name().to_string_lossy().into_owned()),
        );
        Self(names)
    }

    /// The first word of each line of `ldconfig -p` (its first line is a heading, and starts with a number).
    fn of_cache(text: &str) -> Vec<String> {
        text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
    }

    fn any_starts_with(&self, prefix: &str) -> bool {
        self.0.iter().any(|name| name.starts_with(prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_cache_of_the_loader() {
        let cache = "2 libs found in cache `/etc/ld.so.cache'\n\
                     \tlibamdhip64.so.5 (libc6,x86-64) => /lib/x86_64-linux-gnu/libamdhip64.so.5\n\
                     \tlibc.so.6 (libc6,x86-64) => /lib/x86_64-linux-gnu/libc.so.6\n";
        let libraries = Libraries(Libraries::of_cache(cache));
        assert!(libraries.any_starts_with("libamdhip64.so"));
        assert!(!libraries.any_starts_with("libclang"));
        assert!(NEEDS[0].met(&libraries));
    }

    #[test]
    fn tests_need_what_the_demo_needs() {
        for need in NEEDS {
            assert_eq!(
                need.of(Stage::Test),
                matches!(need.stage, Stage::Demo | Stage::Test),
                "{}",
                need.what
            );
            assert!(
                !need.debian.is_empty() && !need.arch.is_empty() && !need.fedora.is_empty(),
                "{}",
                need.what
            );
        }
    }
}
