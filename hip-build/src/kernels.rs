//! The builder that a build script uses.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use code_object::TargetId;

use crate::compiler::{Compiler, VARIABLES};
use crate::job::Job;
use crate::{Error, generate};

/// The variable with a packager's own architectures.
const ARCHS: &str = "HIP_BUILD_ARCHS";
/// The variable that docs.rs sets.
const DOCS: &str = "DOCS_RS";

/// What to do where there is no hipcc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// The build fails with an [`Error::Missing`] that says what to install; but on docs.rs, which has no hipcc and nobody who
    /// could install it, it goes on as with [`Skip`](Self::Skip).
    #[default]
    Error,
    /// The build goes on with a warning: modules come from the checked-in [bindings](Kernels::bindings), if there are
    /// any, and their code is empty, so that `cargo check`, `clippy` and `doc` work, and loading fails at run time with
    /// an error that says why. Without bindings a module has its empty `CODE` only.
    Skip,
}

/// HIP source files to compile, and how.
#[derive(Debug, Clone)]
#[must_use = "nothing happens before `compile`"]
pub struct Kernels {
    archs: Vec<String>,
    files: Vec<PathBuf>,
    pub(crate) flags: Vec<OsString>,
    missing: Missing,
    pub(crate) bindings: Option<PathBuf>,
    out_dir: Option<PathBuf>,
    base: Option<PathBuf>,
    hipcc: Option<PathBuf>,
    cargo: bool,
    pub(crate) code_only: bool,
}

/// What came out of [`Kernels::compile`].
#[derive(Debug, Clone)]
pub struct Compiled {
    /// One module per file, in the order they were added.
    pub modules: Vec<Module>,
    /// The file to `include!`: all modules together.
    pub rust: PathBuf,
    /// Why nothing was compiled, under [`Missing::Skip`].
    pub missing: Option<String>,
}

/// One compiled file.
#[derive(Debug, Clone)]
pub struct Module {
    /// The module's name: the file's, without its extension, as an identifier.
    pub name: String,
    /// The code object, or the bundle of one per architecture; an empty file if hipcc was missing.
    pub code: PathBuf,
    /// The module's Rust source.
    pub rust: PathBuf,
    /// All files that the compiler read, relative to the package's directory or absolute.
    pub inputs: Vec<PathBuf>,
    /// What hipcc warned about, kernels that were left out, bindings that are out of date.
    pub warnings: Vec<String>,
    /// Whether hipcc ran; else the result of an earlier build was used.
    pub fresh: bool,
}

impl Default for Kernels {
    fn default() -> Self {
        Self::new()
    }
}

impl Kernels {
    /// No files yet, for no architecture yet.
    pub fn new() -> Self {
        Self {
            archs: Vec::new(),
            files: Vec::new(),
            flags: Vec::new(),
            missing: Missing::Error,
            bindings: None,
            out_dir: None,
            base: None,
            hipcc: None,
            cargo: true,
            code_only: false,
        }
    }

    /// Adds an architecture to compile for: a target id such as `gfx900` or `gfx90a:xnack-`.
    ///
    /// Whoever builds the package may have others: `HIP_BUILD_ARCHS="gfx906 gfx1100"` in the environment takes the place of
    /// all that the script names (separated by spaces, commas or semicolons).
    pub fn arch(self, arch: impl Into<String>) -> Self {
        self.archs([arch])
    }
    /// Adds several architectures.
    pub fn archs(mut self, archs: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.archs.extend(archs.into_iter().map(Into::into));
        self
    }
    /// Adds a source file, relative to the package's directory.
    pub fn file(mut self, file: impl Into<PathBuf>) -> Self {
        self.files.push(file.into());
        self
    }
    /// Adds several source files.
    pub fn files(mut self, files: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        self.files.extend(files.into_iter().map(Into::into));
        self
    }
    /// Adds a flag for hipcc, after this crate's own (`-O3` among them).
    pub fn flag(mut self, flag: impl Into<OsString>) -> Self {
        self.flags.push(flag.into());
        self
    }
    /// Adds a directory where `#include` looks.
    pub fn include(self, directory: impl AsRef<Path>) -> Self {
        let mut flag = OsString::from("-I");
        flag.push(directory.as_ref());
        self.flag(flag)
    }
    /// Defines a macro.
    pub fn define(self, name: &str, value: &str) -> Self {
        self.flag(format!("-D{name}={value}"))
    }
    /// Chooses what happens where there is no hipcc.
    pub fn when_missing(mut self, missing: Missing) -> Self {
        self.missing = missing;
        self
    }
    /// Names the directory of the checked-in bindings: one `NAME.rs` per file, the same text that is generated.
    ///
    /// They are what [`Missing::Skip`] falls back to. A build with hipcc warns when they are out of date, and writes
    /// them if the environment has `HIP_BUILD_BINDINGS=update`.
    pub fn bindings(mut self, directory: impl Into<PathBuf>) -> Self {
        self.bindings = Some(directory.into());
        self
    }
    /// Writes to this directory, not to the one that Cargo names in `OUT_DIR`.
    pub fn out_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.out_dir = Some(directory.into());
        self
    }
    /// Takes relative paths from this directory, not from the one that Cargo names in `CARGO_MANIFEST_DIR`.
    pub fn base_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.base = Some(directory.into());
        self
    }
    /// Uses this hipcc and no other.
    pub fn hipcc(mut self, path: impl Into<PathBuf>) -> Self {
        self.hipcc = Some(path.into());
        self
    }
    /// Whether to print instructions for Cargo; on unless switched off, as for use outside of a build script.
    pub fn cargo_instructions(mut self, print: bool) -> Self {
        self.cargo = print;
        self
    }

    /// Leaves the kernels' types alone, which takes half of the time: a module has its `CODE` only.
    pub fn code_only(mut self) -> Self {
        self.code_only = true;
        self
    }

    /// Compiles all files and generates their modules.
    ///
    /// # Errors
    /// [`Error::Missing`] unless skipped; [`Error::Compile`] with hipcc's own diagnostics; [`Error::Mismatch`] if a code
    /// object contradicts the source; [`Error::Usage`] for no or bad architectures and files.
    pub fn compile(&self) -> Result<Compiled, Error> {
        let job = self.job()?;
        for name in VARIABLES.iter().chain(&["HIP_BUILD_BINDINGS", ARCHS, DOCS]) {
            self.tell_cargo(format_args!("rerun-if-env-changed={name}"));
        }
        for (_, file) in &job.names {
            self.tell_cargo(format_args!("rerun-if-changed={}", job.base.join(file).display()));
        }
        let compiler = match &self.hipcc {
            Some(path) => Compiler::find_in(|name| (name == "HIPCC").then(|| path.into())),
            None => Compiler::find(),
        };
        let compiled = match compiler {
            Ok(compiler) => {
                self.tell_cargo(format_args!("rerun-if-changed={}", compiler.path.display()));
                job.compile_all(&compiler)?
            }
            Err(Error::Missing { reason }) if self.missing == Missing::Skip || variable(DOCS).is_some() => {
                job.skip_all(reason)?
            }
            Err(error) => return Err(error),
        };
        // Most headers are read by every file.
        let inputs: BTreeSet<_> = compiled.modules.iter().flat_map(|module| &module.inputs).collect();
        for input in inputs {
            self.tell_cargo(format_args!("rerun-if-changed={}", job.base.join(input).display()));
        }
        for module in &compiled.modules {
            for line in &module.warnings {
                self.tell_cargo(format_args!("warning={line}"));
            }
        }
        if let Some(directory) = &self.bindings {
            for path in job.names.iter().map(|(name, _)| job.base.join(directory).join(format!("{name}.rs")))
            {
                // Cargo would take a file that is not there for one that changed, at every build.
                if path.exists() {
                    self.tell_cargo(format_args!("rerun-if-changed={}", path.display()));
                }
            }
        }
        if let Some(reason) = &compiled.missing {
            // And here that is wanted: nothing else that Cargo watches changes when hipcc gets installed.
            self.tell_cargo(format_args!("rerun-if-changed={}", job.out.join("hipcc-is-missing").display()));
            self.tell_cargo(format_args!(
                "warning=HIP kernels are not compiled and cannot be launched: {reason}"
            ));
        }
        Ok(compiled)
    }

    fn tell_cargo(&self, instruction: std::fmt::Arguments<'_>) {
        if self.cargo {
            println!("cargo::{instruction}");
        }
    }

    /// Checks what the script asked for, and resolves the directories.
    fn job(&self) -> Result<Job<'_>, Error> {
        let directory = |given: &Option<PathBuf>, variable: &str| {
            let from_cargo = || env::var_os(variable).map(PathBuf::from);
            given.clone().or_else(from_cargo).ok_or_else(|| {
                Error::Usage(format!(
                    "{variable} is not set: call this from a build script, or name the directory"
                ))
            })
        };
        let base = directory(&self.base, "CARGO_MANIFEST_DIR")?;
        let out = directory(&self.out_dir, "OUT_DIR")?;
        fs::create_dir_all(&out).map_err(Error::io(&out))?;
        let (archs, place) = match variable(ARCHS) {
            Some(list) => {
                let parts = list.split([' ', ',', ';']).filter(|arch| !arch.is_empty());
                (parts.map(str::to_owned).collect(), " (in HIP_BUILD_ARCHS)")
            }
            None => (self.archs.clone(), ""),
        };
        if archs.is_empty() {
            return Err(Error::Usage("no architecture: add `.arch(\"gfx900\")` or others".into()));
        }
        let mut seen = HashSet::new();
        for arch in &archs {
            let target: Result<TargetId, _> = arch.parse();
            let wrong = |what| Error::Usage(format!("architecture `{arch}`{place} is {what}"));
            let target = target.map_err(|_| wrong("not a target id such as gfx90a:xnack-"))?;
            if !seen.insert(target.to_string()) {
                return Err(wrong("there twice"));
            }
        }
        let mut names: Vec<(String, PathBuf)> = Vec::new();
        for file in &self.files {
            let stem =
                file.file_stem().map(|stem| generate::snake(&stem.to_string_lossy())).unwrap_or_default();
            if stem.is_empty() {
                return Err(Error::Usage(format!("`{}` is not a file's name", file.display())));
            }
            if let Some((_, other)) = names.iter().find(|(name, _)| *name == stem) {
                let (one, two) = (other.display(), file.display());
                return Err(Error::Usage(format!("{one} and {two} would both become the module `{stem}`")));
            }
            names.push((stem, file.clone()));
        }
        if names.is_empty() {
            return Err(Error::Usage("no source file: add `.file(\"kernels/….hip\")`".into()));
        }
        Ok(Job { options: self, base, out, archs, names })
    }
}

/// A variable of the environment that says something.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}
