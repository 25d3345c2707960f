//! Which package owns a file, and which packages there are: dpkg, pacman and rpm.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// The package database of the system under test.
#[derive(Debug, Default)]
pub struct Packages {
    manager: Option<Manager>,
    /// Owner of each file, where the database is plain text.
    owners: HashMap<PathBuf, String>,
    /// Version of each package.
    pub versions: BTreeMap<String, String>,
}

/// Where dpkg and pacman keep their databases; their file formats are stable and documented (deb-info, alpm-files).
const DPKG: &str = "/var/lib/dpkg";
const PACMAN: &str = "/var/lib/pacman/local";
const RPM: &[&str] = &["/var/lib/rpm", "/usr/lib/sysimage/rpm"];

impl Packages {
    /// Reads the database below `root`; without one nothing is known of any file.
    pub fn read(root: &Path) -> Self {
        let below = |path: &str| root.join(path.trim_start_matches('/'));
        let mut packages = Self::default();
        if below(DPKG).join("status").is_file() {
            packages.manager = Some(Manager::Dpkg);
            packages.read_dpkg(&below(DPKG));
        } else if below(PACMAN).is_dir() {
            packages.manager = Some(Manager::Pacman);
            packages.read_pacman(&below(PACMAN));
        } else if RPM.iter().any(|path| below(path).is_dir()) {
            packages.manager = Some(Manager::Rpm);
            packages.read_rpm(root);
        }
        packages
    }

    /// The package manager, if there is a database.
    #[cfg(test)]
    pub fn manager(&self) -> Option<Manager> {
        self.manager
    }

    /// The package that owns the file. Directories that are symbolic links (`/lib` → `/usr/lib`) are followed.
    pub fn owner(&self, file: &Path) -> Option<&str> {
        let resolved = file.canonicalize().ok();
        let candidates = [Some(file.to_path_buf()), resolved];
        let direct = candidates.iter().flatten().find_map(|path| self.owners.get(path));
        let merged = || {
            // Packages made before the merge of /lib into /usr/lib name the old place, newer ones the new.
            candidates.iter().flatten().find_map(|path| match path.strip_prefix("/usr") {
                Ok(rest) => self.owners.get(&Path::new("/").join(rest)),
                Err(_) => self.owners.get(&Path::new("/usr").join(path.strip_prefix("/").unwrap_or(path))),
            })
        };
        direct.or_else(merged).map(String::as_str)
    }

    fn read_dpkg(&mut self, folder: &Path) {
        let status = fs::read_to_string(folder.join("status")).unwrap_or_default();
        for stanza in status.split("\n\n") {
            let field = |name: &str| {
                stanza.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
            };
            let installed = field("Status:").is_some_and(|status| status.ends_with(" installed"));
            if let (true, Some(name), Some(version)) = (installed, field("Package:"), field("Version:")) {
                self.versions.insert(name, version);
            }
        }
        let lists = fs::read_dir(folder.join("info")).into_iter().flatten().flatten();
        for path in
            lists.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "list"))
        {
            let Some(name) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
            let package = name.split(':').next().unwrap_or(name);
            for file in fs::read_to_string(&path).unwrap_or_default().lines() {
                self.owners.insert(PathBuf::from(file), package.to_owned());
            }
        }
    }

    fn read_pacman(&mut self, folder: &Path) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let text = fs::read_to_string(entry.path().join("desc")).unwrap_or_default();
            let value = |name: &str| {
                let mut lines = text.lines().skip_while(|line| *line != name);
                lines.nth(1).map(str::to_owned)
            };
            let (Some(package), Some(version)) = (value("%NAME%"), value("%VERSION%")) else { continue };
            let files = fs::read_to_string(entry.path().join("files")).unwrap_or_default();
            let files = files.lines().skip_while(|line| *line != "%FILES%").skip(1);
            for file in files.take_while(|line| !line.is_empty()) {
                self.owners.insert(Path::new("/").join(file), package.clone());
            }
            self.versions.insert(package, version);
        }
    }

    /// Its database is no plain text: rpm itself is asked, once.
    fn read_rpm(&mut self, root: &Path) {
        let query = ["-qa", "--qf", "[%{NAME}\\t%{VERSION}-%{RELEASE}\\t%{FILENAMES}\\n]"];
        let Ok(output) = Command::new("rpm").arg("--root").arg(root).args(query).output() else { return };
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let mut parts = line.splitn(3, '\t');
            let (Some(package), Some(version), Some(file)) = (parts.next(), parts.next(), parts.next())
            else {
                continue;
            };
            self.owners.insert(PathBuf::from(file), package.to_owned());
            self.versions.insert(package.to_owned(), version.to_owned());
        }
    }
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
        let packages = Packages::read(root.path());
        assert_eq!(packages.manager(), Some(Manager::Dpkg));
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
        let packages = Packages::read(root.path());
        assert_eq!(packages.manager(), Some(Manager::Pacman));
        assert_eq!(packages.owner(Path::new("/opt/rocm/lib/libamdhip64.so.6")), Some("hip-runtime-amd"));
        assert_eq!(packages.owner(Path::new("/etc/x")), None);
    }

    #[test]
    fn knows_nothing_without_a_database() {
        let root = tempfile::tempdir().expect("a folder");
        let packages = Packages::read(root.path());
        assert_eq!((packages.manager(), packages.owner(Path::new("/bin/sh"))), (None, None));
    }
}
