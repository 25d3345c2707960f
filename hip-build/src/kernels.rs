//! The builder that a build script uses.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use code_object::{CodeObject, Image, TargetId};

use crate::cache::Record;
use crate::compiler::{Compiler, VARIABLES};
use crate::{Error, check, depfile, generate, signature};

/// What to do where there is no hipcc.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// The build fails with an [`Error::Missing`] that says what to install.
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
    flags: Vec<OsString>,
    missing: Missing,
    bindings: Option<PathBuf>,
    out_dir: Option<PathBuf>,
    base: Option<PathBuf>,
    hipcc: Option<PathBuf>,
    cargo: bool,
    code_only: bool,
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
    pub fn arch(mut self, arch: impl Into<String>) -> Self {
        self.archs.push(arch.into());
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
        for name in VARIABLES.iter().chain(&["HIP_BUILD_BINDINGS"]) {
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
            Err(Error::Missing { reason }) if self.missing == Missing::Skip => job.skip_all(reason)?,
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
        if self.archs.is_empty() {
            return Err(Error::Usage("no architecture: add `.arch(\"gfx900\")` or others".into()));
        }
        let mut seen = HashSet::new();
        for arch in &self.archs {
            let target: Result<TargetId, _> = arch.parse();
            let target = target
                .map_err(|_| Error::Usage(format!("`{arch}` is not a target id such as gfx90a:xnack-")))?;
            if !seen.insert(target.to_string()) {
                return Err(Error::Usage(format!("architecture `{arch}` is there twice")));
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
        Ok(Job { options: self, base, out, names })
    }
}

/// A checked set of files, with where to read and to write.
struct Job<'a> {
    options: &'a Kernels,
    base: PathBuf,
    out: PathBuf,
    /// Module name and source file.
    names: Vec<(String, PathBuf)>,
}

impl Job<'_> {
    fn compile_all(&self, compiler: &Compiler) -> Result<Compiled, Error> {
        let jobs = env::var("NUM_JOBS").ok().and_then(|jobs| jobs.parse().ok());
        let threads = jobs.or_else(|| thread::available_parallelism().ok().map(usize::from)).unwrap_or(1);
        let next = AtomicUsize::new(0);
        let results = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..threads.min(self.names.len()) {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::Relaxed);
                        let Some((name, file)) = self.names.get(index) else { return };
                        let result = self.compile_one(compiler, name, file);
                        results.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((index, result));
                    }
                });
            }
        });
        let mut results = results.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        results.sort_by_key(|(index, _)| *index);
        // Of several files that fail, the first in the script's order is reported: the same one every time.
        let modules = results.into_iter().map(|(_, result)| result).collect::<Result<Vec<_>, _>>()?;
        self.finish(modules, None)
    }

    fn compile_one(&self, compiler: &Compiler, name: &str, file: &Path) -> Result<Module, Error> {
        let at = |extension: &str| self.out.join(format!("{name}.{extension}"));
        let (code, rust, log, rule, debug) = (at("co"), at("module.rs"), at("log"), at("d"), at("debug.co"));
        let mut args: Vec<OsString> = vec!["--genco".into(), "-O3".into()];
        if compiler.compresses() {
            args.push("--no-offload-compress".into());
        }
        let archs: Vec<OsString> =
            self.options.archs.iter().map(|arch| format!("--offload-arch={arch}").into()).collect();
        let first = archs.first().cloned().into_iter();
        let file_args = || self.options.flags.iter().cloned().chain([file.into()]);
        let line = |archs: &mut dyn Iterator<Item = OsString>, more: &[OsString]| -> Vec<OsString> {
            args.iter().cloned().chain(archs).chain(file_args()).chain(more.iter().cloned()).collect()
        };
        let output = |path: &Path| ["-o".into(), path.as_os_str().to_owned()];
        let more = [["-MD".into(), "-MF".into()].to_vec(), vec![rule.clone().into()], output(&code).to_vec()]
            .concat();
        let main = line(&mut archs.into_iter(), &more);
        let types = line(
            &mut first.into_iter(),
            &[vec!["-g".into(), "-fstandalone-debug".into()], output(&debug).to_vec()].concat(),
        );

        let code_only = self.options.code_only;
        let identity = if code_only {
            compiler.identity(&main)
        } else {
            format!("{}\n{types:?}\n{}", compiler.identity(&main), own_identity())
        };
        let record = Record::beside(&code);
        let results = [code.clone(), rust.clone(), log.clone()];
        let fresh = !record.is_current(&identity, &rule, &self.base, &results);
        if fresh {
            let (printed, typed) = thread::scope(|scope| {
                let types = scope.spawn(|| {
                    if code_only { Ok(String::new()) } else { compiler.run(&types, &self.base, file) }
                });
                let printed = compiler.run(&main, &self.base, file);
                (
                    printed,
                    types.join().unwrap_or_else(|_| Err(Error::Usage("a thread of hip-build died".into()))),
                )
            });
            let mut warnings: Vec<String> = printed?.lines().map(str::to_owned).collect();
            typed?;
            let text = if code_only {
                generate::module(name, file, "", &[]).0
            } else {
                self.generate(name, file, &code, &debug, &mut warnings)?
            };
            // The debug compile served its purpose; whether it can be deleted does not matter.
            let _ = fs::remove_file(&debug);
            fs::write(&rust, text).map_err(Error::io(&rust))?;
            fs::write(&log, warnings.join("\n")).map_err(Error::io(&log))?;
        }
        let text = fs::read_to_string(&rule).map_err(Error::io(&rule))?;
        let inputs = depfile::prerequisites(&text);
        if fresh {
            record.write(&identity, &inputs, &self.base, &results).map_err(Error::io(&code))?;
        }
        let mut warnings: Vec<String> =
            fs::read_to_string(&log).map_err(Error::io(&log))?.lines().map(str::to_owned).collect();
        warnings.extend(self.compare_bindings(name, &rust)?);
        Ok(Module { name: name.to_owned(), code, rust, inputs, warnings, fresh })
    }

    /// Reads the types, checks them against every architecture's code, and generates the module.
    fn generate(
        &self,
        name: &str,
        file: &Path,
        code: &Path,
        debug: &Path,
        warnings: &mut Vec<String>,
    ) -> Result<String, Error> {
        let broken = |error| Error::CodeObject { file: file.into(), error };
        let bytes = fs::read(debug).map_err(Error::io(debug))?;
        let image = Image::parse(&bytes).map_err(broken)?;
        let mut signatures = match image.entries().first() {
            Some(entry) => {
                let object = CodeObject::parse(&entry.bytes).map_err(broken)?;
                signature::read(&object).map_err(|reason| Error::Types { file: file.into(), reason })?
            }
            None => Vec::new(),
        };
        let bytes = fs::read(code).map_err(Error::io(code))?;
        let image = Image::parse(&bytes).map_err(broken)?;
        for entry in image.entries() {
            let object = CodeObject::parse(&entry.bytes).map_err(broken)?;
            check::check(&object, &mut signatures).map_err(|(kernel, reason)| Error::Mismatch {
                file: file.into(),
                kernel,
                reason,
            })?;
        }
        let source = fs::read_to_string(self.base.join(file)).unwrap_or_default();
        let (text, left_out) = generate::module(name, file, &source, &signatures);
        warnings.extend(left_out);
        Ok(text)
    }

    /// Compares the checked-in bindings with what was generated, or updates them; returns a warning.
    fn compare_bindings(&self, name: &str, rust: &Path) -> Result<Option<String>, Error> {
        let Some(directory) = &self.options.bindings else { return Ok(None) };
        let path = self.base.join(directory).join(format!("{name}.rs"));
        let generated = fs::read(rust).map_err(Error::io(rust))?;
        if fs::read(&path).is_ok_and(|text| text == generated) {
            return Ok(None);
        }
        if env::var_os("HIP_BUILD_BINDINGS").is_some_and(|value| value == "update") {
            fs::create_dir_all(self.base.join(directory)).map_err(Error::io(directory))?;
            fs::write(&path, generated).map_err(Error::io(&path))?;
            return Ok(None);
        }
        let path = directory.join(format!("{name}.rs"));
        Ok(Some(format!("{} is out of date: build with HIP_BUILD_BINDINGS=update", path.display())))
    }

    /// Modules without code, from the checked-in bindings where there are some.
    fn skip_all(&self, reason: String) -> Result<Compiled, Error> {
        let mut modules = Vec::new();
        for (name, file) in &self.names {
            let (code, rust) =
                (self.out.join(format!("{name}.co")), self.out.join(format!("{name}.module.rs")));
            let bindings =
                self.options.bindings.as_ref().map(|dir| self.base.join(dir).join(format!("{name}.rs")));
            let text = bindings.as_ref().and_then(|path| fs::read_to_string(path).ok());
            let text = text.unwrap_or_else(|| generate::module(name, file, "", &[]).0);
            fs::write(&code, []).map_err(Error::io(&code))?;
            fs::write(&rust, text).map_err(Error::io(&rust))?;
            // A record of an earlier compile would vouch for other contents.
            let _ = fs::remove_file(self.out.join(format!("{name}.key")));
            let inputs = bindings.into_iter().collect();
            modules.push(Module {
                name: name.clone(),
                code,
                rust,
                inputs,
                warnings: Vec::new(),
                fresh: false,
            });
        }
        self.finish(modules, Some(reason))
    }

    /// Writes the file that includes all modules.
    fn finish(&self, modules: Vec<Module>, missing: Option<String>) -> Result<Compiled, Error> {
        let rust = self.out.join("kernels.rs");
        let files: Vec<_> = self.names.iter().map(|(name, file)| (name.as_str(), file.as_path())).collect();
        fs::write(&rust, generate::root(&files)).map_err(Error::io(&rust))?;
        Ok(Compiled { modules, rust, missing })
    }
}

/// The build script itself: what it generates is part of every result.
fn own_identity() -> String {
    let metadata = env::current_exe().and_then(fs::metadata);
    metadata.map(|m| format!("{} {:?}", m.len(), m.modified().ok())).unwrap_or_default()
}
