//! The stack under test: its libraries and programs, the device it runs on, and how its programs are started.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;

use crate::component::{self, Component};
use crate::elf::{self, Elf};
use crate::loader;
use crate::packages::Packages;
use crate::process::{self, Finished};

/// The longest that one test program may take: seconds on a quiet machine, minutes on one that does other things.
pub const LIMIT: Duration = Duration::from_secs(300);

/// The longest that a compiler or another tool of the stack may take. These do not hang for want of a device.
const TOOL_LIMIT: Duration = Duration::from_secs(900);

/// What a check needs in the private folder: a program with its device code and what its compiler leaves between.
const ROOM: usize = 8 << 20;

/// What programs that need a device run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// The card of this machine.
    Real,
    /// The virtual Vega, by this `vega` file.
    Virtual(PathBuf),
    /// None, for this reason.
    Absent(String),
}

/// A library of the stack: one real file, and the names under which it is found.
#[derive(Debug)]
pub struct Library {
    /// The file, symbolic links resolved.
    pub file: PathBuf,
    /// The component that it belongs to.
    pub component: &'static Component,
    /// What it says, or why it could not be read.
    pub elf: Result<Elf, String>,
}

/// Where ROCm lives beside the distribution's own folders.
const ROOTS: &[&str] = &["/usr", "/usr/local", "/opt/rocm"];

/// The stack under test.
pub struct Stack {
    /// Folders of the dynamic linker.
    pub folders: Vec<PathBuf>,
    /// Prefixes: /usr, /opt/rocm, ….
    pub roots: Vec<PathBuf>,
    /// Its libraries, each file once.
    pub libraries: Vec<Library>,
    /// The package database.
    pub packages: Packages,
    /// What programs that need a device run on.
    pub device: Device,
    /// Processors that the distribution builds for, which every library with device code must have.
    pub targets: Vec<String>,
    /// Variables that programs get instead of this process's own: in another root.
    pub environment: Vec<(&'static str, &'static str)>,
    work: TempDir,
    /// Whether the check at hand has used the private folder.
    used: Cell<bool>,
    compiled: RefCell<BTreeMap<String, Result<PathBuf, String>>>,
}

impl Stack {
    /// Looks around in the running system. `environment`: what programs get instead of this process's variables.
    ///
    /// # Errors
    /// When no temporary folder can be made.
    pub fn find(
        device: Device,
        targets: Vec<String>,
        environment: Vec<(&'static str, &'static str)>,
    ) -> anyhow::Result<Self> {
        let given =
            environment.iter().find(|(name, _)| *name == "TMPDIR").map(|(_, path)| PathBuf::from(path));
        let temporary = given.unwrap_or_else(std::env::temp_dir);
        let work =
            tempfile::Builder::new().prefix("hip-smoke.").tempdir_in(&temporary).with_context(|| {
                format!("{} cannot be written; set TMPDIR to a place that can", temporary.display())
            })?;
        let mut roots: Vec<PathBuf> = ROOTS.iter().map(PathBuf::from).collect();
        let versions = fs::read_dir("/opt").into_iter().flatten().flatten().map(|entry| entry.path());
        let is_rocm =
            |path: &PathBuf| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with("rocm-"));
        roots.extend(versions.filter(is_rocm));
        roots.retain(|root| root.is_dir());
        let mut folders = loader::folders();
        for root in roots.iter().skip(1) {
            let lib = root.join("lib");
            if lib.is_dir() && !folders.contains(&lib) {
                folders.push(lib);
            }
        }
        let libraries = libraries(&folders);
        let packages = Packages::read(Path::new("/"), work.path());
        let (compiled, used) = Default::default();
        Ok(Self { folders, roots, libraries, packages, device, targets, environment, work, used, compiled })
    }

    /// A private folder, removed at the end.
    pub fn work(&self) -> &Path {
        self.work.path()
    }

    /// A check begins: whether it uses the private folder is not known yet.
    pub fn forget_work(&self) {
        self.used.set(false);
    }

    /// Why the private folder takes no more, when the check at hand has used it.
    pub fn no_room(&self) -> Option<io::Error> {
        let write = || {
            let mut file = tempfile::tempfile_in(self.work())?;
            file.write_all(&[0; ROOM])?;
            file.sync_data()
        };
        if self.used.get() { write().err() } else { None }
    }

    /// The libraries of a name, without version: `libamdhip64.so`.
    pub fn named<'a>(&'a self, start: &'a str) -> impl Iterator<Item = &'a Library> + 'a {
        self.libraries.iter().filter(move |library| component::is_library(&file_name(&library.file), start))
    }

    /// The path under which the dynamic linker finds a library.
    pub fn resolve(&self, name: &str, runpath: &[PathBuf]) -> Option<PathBuf> {
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(|path| path.exists());
        }
        let mut paths = runpath.iter().chain(&self.folders).map(|folder| folder.join(name));
        paths.find(|path| path.is_file() && !elf::is_foreign(path))
    }

    /// A program in PATH or in a prefix's bin folder.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let inside =
            self.environment.iter().find(|(name, _)| *name == "PATH").map(|(_, path)| (*path).into());
        let path = inside.or_else(|| std::env::var_os("PATH")).unwrap_or_default();
        let folders = std::env::split_paths(&path).chain(self.roots.iter().map(|root| root.join("bin")));
        folders.map(|folder| folder.join(name)).find(|file| is_executable(file))
    }

    /// Whether the stack has the component's headers below one of its prefixes; the file's path.
    pub fn header(&self, name: &str) -> Option<PathBuf> {
        self.roots.iter().map(|root| root.join("include").join(name)).find(|path| path.is_file())
    }

    /// The folder of clang that hipcc uses, as hipconfig tells.
    pub fn clang_folder(&self) -> Option<PathBuf> {
        let hipconfig = self.program("hipconfig")?;
        let done = self.run(self.command(&hipconfig).arg("--hipclangpath")).ok()?;
        let path = PathBuf::from(done.output.lines().last()?.trim());
        path.is_dir().then_some(path)
    }

    /// The clang that hipcc uses: plain names first, then those with a version.
    pub fn clang(&self, name: &str) -> Option<PathBuf> {
        let mut folders: Vec<PathBuf> = self.clang_folder().into_iter().collect();
        folders.extend(self.roots.iter().flat_map(|root| [root.join("llvm/bin"), root.join("lib/llvm/bin")]));
        let direct = folders.iter().map(|folder| folder.join(name)).find(|file| is_executable(file));
        direct.or_else(|| self.hipcc_clang(name)).or_else(|| self.program(name))
    }

    /// Newer hipcc say which clang they run when they are asked to be verbose.
    fn hipcc_clang(&self, name: &str) -> Option<PathBuf> {
        let hipcc = self.program("hipcc")?;
        let done = self
            .run(self.command(&hipcc).env("HIPCC_VERBOSE", "1").args(["--offload-arch=gfx900", "--version"]))
            .ok()?;
        let line = done.output.lines().find_map(|line| line.split("hipcc-cmd:").nth(1))?;
        let found = PathBuf::from(line.split_whitespace().next()?.trim_matches('"'));
        let folder = found.parent()?;
        let version = file_name(&found).rsplit_once('-').map(|(_, version)| version.to_owned());
        let candidates = [Some(name.to_owned()), version.map(|version| format!("{name}-{version}"))];
        candidates.into_iter().flatten().map(|name| folder.join(name)).find(|file| is_executable(file))
    }

    /// A command with an environment that does not depend on the user's.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if !self.environment.is_empty() {
            command.env_clear().envs(self.environment.iter().copied());
        }
        command.current_dir(self.work()).env("LC_ALL", "C.UTF-8").env("TMPDIR", self.work());
        command
    }

    /// The same, on the device.
    pub fn on_device(&self, program: &Path) -> Command {
        match &self.device {
            Device::Virtual(vega) => {
                let mut command = self.command(vega);
                command.args(["run", "--"]).arg(program);
                command
            }
            _ => self.command(program),
        }
    }

    /// Runs a command under the limit.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(&self, command: &mut Command) -> anyhow::Result<Finished> {
        let name = command.get_program().to_string_lossy().into_owned();
        self.used.set(true);
        let program = Path::new(command.get_program());
        let on_device = program.starts_with(self.work())
            || matches!(&self.device, Device::Virtual(vega) if vega.as_path() == program);
        process::run(command, if on_device { LIMIT } else { TOOL_LIMIT }, self.work())
            .with_context(|| format!("cannot run {name}"))
    }

    /// Writes a file into the private folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        let path = self.work().join(name);
        self.used.set(true);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Compiles a program with the stack's hipcc for its first target; once, however often it is asked for.
    ///
    /// # Errors
    /// There is no hipcc, or what it printed.
    pub fn compile(&self, name: &str, source: &str, arguments: &[&str]) -> Result<PathBuf, String> {
        self.used.set(true);
        if let Some(known) = self.compiled.borrow().get(name) {
            return known.clone();
        }
        let result = self.compile_now(name, source, arguments);
        self.compiled.borrow_mut().insert(name.to_owned(), result.clone());
        result
    }

    fn compile_now(&self, name: &str, source: &str, arguments: &[&str]) -> Result<PathBuf, String> {
        let hipcc = self.program("hipcc").ok_or("there is no hipcc to compile the test program with")?;
        let file = self.write(&format!("{name}.hip"), source).map_err(|error| format!("{error:#}"))?;
        let output = self.work().join(name);
        let mut command = self.command(&hipcc);
        command.arg(format!("--offload-arch={}", self.target())).args(["-O2", "-std=c++17"]);
        command.arg(&file).arg("-o").arg(&output).args(arguments);
        let done = self.run(&mut command).map_err(|error| format!("{error:#}"))?;
        match (done.success(), output.is_file()) {
            (true, true) => Ok(output),
            (true, false) => Err("hipcc exits with 0 and writes nothing".to_owned()),
            (false, _) => Err(format!("hipcc: {}", done.story())),
        }
    }

    /// The processor that test programs are compiled for.
    pub fn target(&self) -> &str {
        self.targets.first().map_or("gfx900", String::as_str)
    }
}

/// A path's last part, for people.
pub fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Whether the file can be executed by somebody.
pub fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// The stack's libraries in the folders, each real file once, in order.
fn libraries(folders: &[PathBuf]) -> Vec<Library> {
    let mut found: BTreeMap<PathBuf, &'static Component> = BTreeMap::new();
    for folder in folders {
        for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let name = file_name(&path);
            let Some(component) = component::of_library(&name) else { continue };
            // The same library for 32 bits is nobody's concern; one that is there for other processors only is.
            let ours = || {
                folders.iter().map(|folder| folder.join(&name)).any(|p| p.is_file() && !elf::is_foreign(&p))
            };
            if elf::is_foreign(&path) && ours() {
                continue;
            }
            // A dangling link is judged with the links: see the check `sonames`.
            if let Ok(file) = path.canonicalize()
                && file.is_file()
            {
                found.insert(file, component);
            }
        }
    }
    let open = |(file, component): (PathBuf, _)| {
        let elf = if elf::is_foreign(&file) {
            Err("it is for other processors".to_owned())
        } else if elf::is_elf(&file) {
            Elf::open(&file).map_err(|e| format!("{e:#}"))
        } else {
            Err("it is no ELF file".to_owned())
        };
        Library { file, component, elf }
    };
    found.into_iter().map(open).collect()
}
