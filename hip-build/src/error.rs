//! Why kernels could not be built.

use std::fmt;
use std::path::PathBuf;

/// Why kernels could not be built. `Debug` prints the same as `Display`, so that a build script's
/// `fn main() -> Result<(), hip_build::Error>` shows it readably.
#[non_exhaustive]
pub enum Error {
    /// There is no hipcc.
    Missing {
        /// What was looked for and not found.
        reason: String,
    },
    /// hipcc refused a file.
    Compile {
        /// The source file.
        file: PathBuf,
        /// The command that was run.
        command: String,
        /// What hipcc printed.
        diagnostics: String,
    },
    /// hipcc wrote a code object that cannot be read.
    CodeObject {
        /// The source file.
        file: PathBuf,
        /// What is wrong with it.
        error: code_object::Error,
    },
    /// The debug information that types are read from is damaged.
    Types {
        /// The source file.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The code object expects other arguments than the source says.
    Mismatch {
        /// The source file.
        file: PathBuf,
        /// The kernel.
        kernel: String,
        /// The difference.
        reason: String,
    },
    /// What the build script asked for cannot be done.
    Usage(String),
    /// A file could not be read or written.
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |error| Self::Io { path, error }
    }
}

/// Where hipcc comes from, per distribution.
const INSTALL: &str = "\
install it:
    Debian, Ubuntu   apt install hipcc libamdhip64-dev
    Arch             pacman -S hip-runtime-amd rocm-llvm rocm-device-libs
    Fedora           dnf install hipcc rocm-hip-devel rocm-device-libs
or say where it is: HIPCC=/path/to/hipcc, or ROCM_PATH=/opt/rocm (or HIP_PATH), or extend PATH";

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { reason } => write!(f, "HIP kernels cannot be compiled: {reason}\n{INSTALL}"),
            Self::Compile { file, command, diagnostics } => {
                write!(
                    f,
                    "{} does not compile\n{}\n(command: {command})",
                    file.display(),
                    diagnostics.trim_end()
                )
            }
            Self::CodeObject { file, error } => write!(f, "what hipcc made of {}: {error}", file.display()),
            Self::Types { file, reason } => write!(f, "types of the kernels in {}: {reason}", file.display()),
            Self::Mismatch { file, kernel, reason } => {
                write!(
                    f,
                    "{}: kernel `{kernel}`: the code object disagrees with the source: {reason}",
                    file.display()
                )
            }
            Self::Usage(reason) => f.write_str(reason),
            Self::Io { path, error } => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::CodeObject { error, .. } => Some(error),
            Self::Io { error, .. } => Some(error),
            _ => None,
        }
    }
}
