//! hipcc: where it is, and how it is run.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::Error;

/// The variables that decide which compiler, headers and device libraries are used.
///
/// Source: hipcc (HIPCC_*, HIP_*, ROCM_PATH, HSA_PATH, DEVICE_LIB_PATH) and clang's manual (the include paths, and what it
/// does to its own options).
pub(crate) const VARIABLES: &[&str] = &[
    "PATH",
    "HIPCC",
    "ROCM_PATH",
    "HIP_PATH",
    "HIP_CLANG_PATH",
    "HIP_COMPILER",
    "HIP_RUNTIME",
    "HIP_ROCCLR_HOME",
    "HIP_LIB_PATH",
    "HIP_COMPILE_CXX_AS_HIP",
    "HIP_CLANG_HCC_COMPAT_MODE",
    "HSA_PATH",
    "DEVICE_LIB_PATH",
    "HIP_DEVICE_LIB_PATH",
    "HIPCC_COMPILE_FLAGS_APPEND",
    "HIPCC_LINK_FLAGS_APPEND",
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "CCC_OVERRIDE_OPTIONS",
];

/// hipcc, told that it is AMD's compiler: where CUDA is installed, or the variable says `nvidia`, it would look for nvcc.
fn command(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.env("HIP_PLATFORM", "amd");
    command
}

/// An installed hipcc.
#[derive(Clone)]
pub(crate) struct Compiler {
    pub(crate) path: PathBuf,
    /// What `--version` prints: part of what a result depends on.
    version: String,
}

impl Compiler {
    /// Finds hipcc: `HIPCC`, then `bin` of `ROCM_PATH` and `HIP_PATH`, then `PATH`, then /opt/rocm.
    pub(crate) fn find() -> Result<Self, Error> {
        Self::find_in(|name| env::var_os(name).filter(|value| !value.is_empty()))
    }

    pub(crate) fn find_in(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let named = variable("HIPCC").map(PathBuf::from);
        let candidates: Vec<PathBuf> = match &named {
            // A path is meant as it stands; a bare name is looked up.
            Some(path) if path.components().count() > 1 => vec![path.clone()],
            _ => {
                let name = named.clone().unwrap_or_else(|| "hipcc".into());
                let roots = ["ROCM_PATH", "HIP_PATH"].into_iter().filter_map(&variable);
                let path = variable("PATH").unwrap_or_default();
                let bins = roots.map(|root| Path::new(&root).join("bin")).chain(env::split_paths(&path));
                bins.chain([PathBuf::from("/opt/rocm/bin")]).map(|bin| bin.join(&name)).collect()
            }
        };
        let missing = |reason| Error::Missing { reason };
        let path = candidates.into_iter().find(|path| path.is_file()).ok_or_else(|| match &named {
            Some(named) => missing(format!("there is no {}, which HIPCC names", named.display())),
            None => missing("there is no hipcc in ROCM_PATH, HIP_PATH, PATH or /opt/rocm".into()),
        })?;
        // The architecture is there because hipcc asks for a GPU without it, even to print its version.
        let output = command(&path).args(["--version", "--offload-arch=gfx900"]).output();
        match output {
            Ok(output) if output.status.success() => {
                Ok(Self { path, version: String::from_utf8_lossy(&output.stdout).into_owned() })
            }
            Ok(output) => Err(missing(format!(
                "{} --version fails: {}",
                path.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            ))),
            Err(error) => Err(missing(format!("{} cannot be run: {error}", path.display()))),
        }
    }

    /// Whether this toolchain may compress bundles, which readers without zstd could not open: clang 18 and later.
    pub(crate) fn compresses(&self) -> bool {
        let version = self.version.split("clang version ").nth(1);
        let major = version.and_then(|text| text.split('.').next()?.parse::<u32>().ok());
        major.is_some_and(|major| major >= 18)
    }

    /// The command line and everything else that decides what comes out of it, as a text.
    pub(crate) fn identity(&self, args: &[OsString]) -> String {
        let mut text = format!("{}\n{}\n{args:?}", self.path.display(), self.version);
        // PATH would make every shell's build its own; what it decides is in the version above.
        for name in VARIABLES.iter().filter(|name| **name != "PATH") {
            text.push_str(&format!("\n{name}={:?}", env::var_os(name)));
        }
        text
    }

    /// Runs hipcc in `directory`; `file` is what the error is about. Returns what it printed.
    pub(crate) fn run(&self, args: &[OsString], directory: &Path, file: &Path) -> Result<String, Error> {
        let mut command = command(&self.path);
        command.args(args).current_dir(directory);
        let Output { status, stderr, stdout } = command.output().map_err(Error::io(&self.path))?;
        let mut printed = String::from_utf8_lossy(&stderr).into_owned();
        printed.push_str(&String::from_utf8_lossy(&stdout));
        if status.success() {
            return Ok(printed);
        }
        if printed.trim().is_empty() {
            printed = format!("hipcc printed nothing and ended with {status}");
        }
        Err(Error::Compile { file: file.into(), command: format!("{command:?}"), diagnostics: printed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_hipcc_names_packages_and_variables() {
        let error =
            Compiler::find_in(|name| (name == "HIPCC").then(|| "/nonexistent/hipcc".into())).err().unwrap();
        let text = error.to_string();
        for part in
            ["/nonexistent/hipcc", "apt install hipcc", "pacman -S", "dnf install", "HIPCC=", "ROCM_PATH="]
        {
            assert!(text.contains(part), "no `{part}` in:\n{text}");
        }
        assert_eq!(format!("{error:?}"), text);
    }
}
