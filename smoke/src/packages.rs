//! Which package owns a file, and which packages there are: dpkg, pacman and rpm.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// The package manager that filled the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manager {
    /// Debian, Ubuntu.
    Dpkg,
    /// Arch.
    Pacman,
    /// Fedora, openSUSE, RHEL.
    Rpm,
}

impl Manager {
    /// Its command's name.
    pub fn name(self) -> &'static str {
        match self {
            Manager::Dpkg => "dpkg",
            Manager::Pacman => "pacman",
            Manager::Rpm => "rpm",
        }
    }
}

/// The package database of the system under test.
#[derive(Debug, Default)]
pub struct Packages {
    manager: Option<Manager>,
    /// Owner of each file, where the database is plain text.
    owners: HashMap<PathBuf, String>,
    /// Version of each package.
    pub versions: BTreeMap<String, String>,
    /// Why nothing, or not everything, is known.
    pub problem: Option<String>,
}

/// Where dpkg and pacman keep their databases; their file formats are stable and documented (deb-info, alpm-files).
const DPKG: &str = "/var/lib/dpkg";
const PACMAN: &str = "/var/lib/pacman/local";
/// Where rpm keeps its own, newest place first; distributions leave a link at the old one.
const RPM: &[&str] = &["/usr/lib/sysimage/rpm", "/var/lib/rpm"];

/// What rpm is asked: a line for each package, then one that begins with a tab for each of its files.
const RPM_QUERY: &[&str] =
    &["-qa", "--nosignature", "--nodigest", "--qf", "%{NAME}\\t%{EVR}\\n[\\t%{FILENAMES}\\n]"];

impl Packages {
    /// Reads the database below `root`; without one nothing is known of any file. `scratch`: a folder for copies.
    pub fn read(root: &Path, scratch: &Path) -> Self {
        let below = |path: &str| root.join(path.trim_start_matches('/'));
        let mut packages = Self::default();
        let done = if below(DPKG).join("status").exists() {
            packages.manager = Some(Manager::Dpkg);
            packages.read_dpkg(&below(DPKG))
        } else if below(PACMAN).is_dir() {
            packages.manager = Some(Manager::Pacman);
            packages.read_pacman(&below(PACMAN))
        } else if let Some(path) = RPM.iter().map(|path| below(path)).find(|path| path.is_dir()) {
            packages.manager = Some(Manager::Rpm);
            packages.read_rpm(&path, scratch)
        } else {
            Err(anyhow::anyhow!("there is no package database of dpkg, pacman or rpm"))
        };
        packages.problem =
            done.err().map(|error| format!("{error:#}: findings name no packages, or not all"));
        packages
    }

    /// The package manager, if there is a database.
    pub fn manager(&self) -> Option<Manager> {
        self.manager
    }

    /// The package that owns the file; that of a link before that of what it leads to. Directories that are symbolic
    /// links (`/lib` → `/usr/lib`) are followed.
    pub fn owner(&self, file: &Path) -> Option<&str> {
        let in_folder = || Some(file.parent()?.canonicalize().ok()?.join(file.file_name()?));
        let candidates = [Some(file.to_path_buf()), in_folder(), file.canonicalize().ok()];
        let owner = |path: &PathBuf| {
            // Packages made before the merge of /lib into /usr/lib name the old place, newer ones the new.
            let merged = match path.strip_prefix("/usr") {
                Ok(rest) => Path::new("/").join(rest),
                Err(_) => Path::new("/usr").join(path.strip_prefix("/").unwrap_or(path)),
            };
            self.owners.get(path).or_else(|| self.owners.get(&merged))
        };
        candidates.iter().flatten().find_map(owner).map(String::as_str)
    }

    fn read_dpkg(&mut self, folder: &Path) -> anyhow::Result<()> {
        let status = text(&folder.join("status"))?;
        for stanza in status.split("\n\n") {
            let field = |name: &str| {
                stanza.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
            };
            let installed = field("Status:").is_some_and(|status| status.ends_with(" installed"));
            if let (true, Some(name), Some(version)) = (installed, field("Package:"), field("Version:")) {
                self.versions.insert(name, version);
            }
        }
        let mut unread = None;
        for path in
            entries(&folder.join("info"))?.filter(|path| path.extension().is_some_and(|e| e == "list"))
        {
            let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
            let package = name.split(':').next().unwrap_or(name);
            match text(&path) {
                Ok(list) => self.own(package, list.lines().map(PathBuf::from)),
                Err(error) => unread = Some(error),
            }
        }
        unread.map_or(Ok(()), Err)
    }

    fn read_pacman(&mut self, folder: &Path) -> anyhow::Result<()> {
        let mut unread = None;
        for entry in entries(folder)?.filter(|path| path.is_dir()) {
            let desc = text(&entry.join("desc"));
            let files = text(&entry.join("files"));
            let (desc, files) = match (desc, files) {
                (Ok(desc), Ok(files)) => (desc, files),
                (Err(error), _) | (_, Err(error)) => {
                    unread = Some(error);
                    continue;
                }
            };
            let value = |name: &str| {
                let mut lines = desc.lines().skip_while(|line| *line != name);
                lines.nth(1).map(str::to_owned)
            };
            let (Some(package), Some(version)) = (value("%NAME%"), value("%VERSION%")) else { continue };
            let files = files.lines().skip_while(|line| *line != "%FILES%").skip(1);
            self.own(
                &package,
                files.take_while(|line| !line.is_empty()).map(|file| Path::new("/").join(file)),
            );
            self.versions.insert(package, version);
        }
        unread.map_or(Ok(()), Err)
    }

    fn own(&mut self, package: &str, files: impl Iterator<Item = PathBuf>) {
        self.owners.extend(files.map(|file| (file, package.to_owned())));
    }

    /// Its database is no plain text: rpm itself is asked, once. rpm writes locks and journals beside a database even
    /// to read it, so it gets a copy: the root stays as it was, and may be read-only.
    fn read_rpm(&mut self, folder: &Path, scratch: &Path) -> anyhow::Result<()> {
        let copy = tempfile::Builder::new()
            .prefix("hip-smoke-rpm.")
            .tempdir_in(scratch)
            .with_context(|| format!("{} cannot be written", scratch.display()))?;
        for path in entries(folder)?.filter(|path| path.is_file()) {
            let name = path.file_name().unwrap_or_default();
            fs::copy(&path, copy.path().join(name))
                .with_context(|| format!("cannot read {}", path.display()))?;
        }
        let output = Command::new("rpm").arg("--dbpath").arg(copy.path()).args(RPM_QUERY).output();
        let output = output.context("rpm is needed to read its database, and cannot be run")?;
        let error = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "rpm: {}: {}", output.status, error.trim());
        let mut package = String::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            match line.split_once('\t') {
                Some(("", file)) => self.own(&package, std::iter::once(PathBuf::from(file))),
                Some((name, version)) => {
                    self.versions.insert(name.to_owned(), version.to_owned());
                    name.clone_into(&mut package);
                }
                None => {}
            }
        }
        ensure!(!self.versions.is_empty(), "rpm finds no package in {}", folder.display());
        Ok(())
    }
}

fn text(file: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn entries(folder: &Path) -> anyhow::Result<impl Iterator<Item = PathBuf>> {
    let all: io::Result<Vec<PathBuf>> =
        fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    Ok(all.with_context(|| format!("cannot read {}", folder.display()))?.into_iter())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, text).expect("written");
    }

    #[test]
    fn reads_dpkg() {
        let root = tempfile::tempdir().expect("a folder");
        let status = "Package: libx1\nStatus: install ok installed\nVersion: 1.2-3\n\n\
                      Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n";
        write(root.path(), "var/lib/dpkg/status", status);
        write(root.path(), "var/lib/dpkg/info/libx1:amd64.list", "/.\n/lib/libx.so.1\n");
        let packages = Packages::read(root.path(), root.path());
        assert_eq!(packages.manager(), Some(Manager::Dpkg));
        assert_eq!(packages.problem, None);
        assert_eq!(packages.versions.into_iter().collect::<Vec<_>>(), [("libx1".into(), "1.2-3".into())]);
    }

    #[test]
    fn follows_the_merge_of_lib_into_usr() {
        let mut packages = Packages::default();
        packages.owners.insert("/lib/libx.so.1".into(), "old".into());
        packages.owners.insert("/usr/lib/liby.so.1".into(), "new".into());
        assert_eq!(packages.owner(Path::new("/usr/lib/libx.so.1")), Some("old"));
        assert_eq!(packages.owner(Path::new("/lib/liby.so.1")), Some("new"));
        assert_eq!(packages.owner(Path::new("/lib/libz.so.1")), None);
    }

    #[test]
    fn reads_pacman() {
        let root = tempfile::tempdir().expect("a folder");
        let folder = "var/lib/pacman/local/hip-runtime-amd-6.4.3-1";
        write(root.path(), &format!("{folder}/desc"), "%NAME%\nhip-runtime-amd\n\n%VERSION%\n6.4.3-1\n");
        let files = "%FILES%\nopt/\nopt/rocm/lib/libamdhip64.so.6\n\n%BACKUP%\netc/x\t1\n";
        write(root.path(), &format!("{folder}/files"), files);
        let packages = Packages::read(root.path(), root.path());
        assert_eq!(packages.manager(), Some(Manager::Pacman));
        assert_eq!(packages.owner(Path::new("/opt/rocm/lib/libamdhip64.so.6")), Some("hip-runtime-amd"));
        assert_eq!(packages.owner(Path::new("/etc/x")), None);
    }

    #[test]
    fn says_what_it_could_not_read() {
        let root = tempfile::tempdir().expect("a folder");
        write(root.path(), "var/lib/dpkg/status", "");
        let problem = Packages::read(root.path(), root.path()).problem.expect("no info");
        assert!(problem.contains("dpkg/info"), "{problem}");
        let root = tempfile::tempdir().expect("a folder");
        write(root.path(), "var/lib/pacman/local/rocminfo-6-1/desc", "%NAME%\nrocminfo\n");
        let problem = Packages::read(root.path(), root.path()).problem.expect("no list of files");
        assert!(problem.contains("rocminfo-6-1/files"), "{problem}");
    }

    #[test]
    fn knows_nothing_without_a_database() {
        let root = tempfile::tempdir().expect("a folder");
        let packages = Packages::read(root.path(), root.path());
        assert_eq!((packages.manager(), packages.owner(Path::new("/bin/sh"))), (None, None));
        assert!(packages.problem.is_some_and(|problem| problem.contains("no package database")));
    }
}
