//! What is left to do when the build script's wishes have been checked: one compile per file.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use code_object::{CodeObject, Image};

use crate::cache::Record;
use crate::compiler::Compiler;
use crate::kernels::{Compiled, Kernels, Module};
use crate::{Error, check, depfile, generate, signature};

/// A checked set of files, with where to read and to write.
pub(crate) struct Job<'a> {
    pub(crate) options: &'a Kernels,
    pub(crate) base: PathBuf,
    pub(crate) out: PathBuf,
    /// At least one.
    pub(crate) archs: Vec<String>,
    /// Module name and source file.
    pub(crate) names: Vec<(String, PathBuf)>,
}

impl Job<'_> {
    /// Compiles all files, several at once.
    pub(crate) fn compile_all(&self, compiler: &Compiler) -> Result<Compiled, Error> {
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
        let (code, rust, log, debug) = (at("co"), at("module.rs"), at("log"), at("debug.co"));
        let mut args: Vec<OsString> = vec!["--genco".into(), "-O3".into()];
        if compiler.compresses() {
            args.push("--no-offload-compress".into());
        }
        let archs: Vec<OsString> =
            self.archs.iter().map(|arch| format!("--offload-arch={arch}").into()).collect();
        let first = archs.first().cloned().into_iter();
        // hipcc reads the source once per architecture and writes the dependencies of one of them.
        let rules: Vec<PathBuf> = match archs.len() {
            1 => vec![at("d")],
            many => [at("d")].into_iter().chain((0..many).map(|index| at(&format!("{index}.d")))).collect(),
        };
        let file_args = || self.options.flags.iter().cloned().chain([file.into()]);
        let line = |archs: &mut dyn Iterator<Item = OsString>, more: &[OsString]| -> Vec<OsString> {
            args.iter().cloned().chain(archs).chain(file_args()).chain(more.iter().cloned()).collect()
        };
        let output = |path: &Path| ["-o".into(), path.as_os_str().to_owned()];
        let depend = |how: &str, rule: &Path| [how.into(), "-MF".into(), rule.as_os_str().to_owned()];
        let main =
            line(&mut archs.iter().cloned(), &[&depend("-MD", &at("d"))[..], &output(&code)[..]].concat());
        let others = rules.iter().skip(1).zip(&archs);
        let others: Vec<_> = others
            .map(|(rule, arch)| line(&mut std::iter::once(arch.clone()), &depend("-M", rule)))
            .collect();
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
        let recorded = depfile::read(&rules).ok();
        let fresh = !recorded
            .as_ref()
            .is_some_and(|inputs| record.is_current(&identity, inputs, &self.base, &results));
        if fresh {
            let (printed, typed) = thread::scope(|scope| {
                let types = scope.spawn(|| {
                    if code_only { Ok(String::new()) } else { compiler.run(&types, &self.base, file) }
                });
                let printed = compiler.run(&main, &self.base, file).and_then(|printed| {
                    others.iter().try_for_each(|args| compiler.run(args, &self.base, file).map(drop))?;
                    Ok(printed)
                });
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
        let inputs = match recorded {
            Some(inputs) if !fresh => inputs,
            _ => depfile::read(&rules).map_err(Error::io(at("d")))?,
        };
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
    pub(crate) fn skip_all(&self, reason: String) -> Result<Compiled, Error> {
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
