//! Which distribution this machine runs, and how its packages are installed.

use std::fs;

/// A family of distributions with one package manager and one set of package names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Debian, Ubuntu and what is built on them.
    Debian,
    /// Arch Linux and what is built on it.
    Arch,
    /// Fedora.
    Fedora,
}

/// One row per family: the ids of os-release that belong to it, and its commands.
pub struct Manager {
    /// The family.
    pub family: Family,
    /// Values of `ID` and `ID_LIKE`.
    ids: &'static [&'static str],
    /// Refreshes the lists of packages, where installing does not do it itself.
    pub update: Option<&'static [&'static str]>,
    /// Installs the packages that follow, without a question.
    pub install: &'static [&'static str],
}

/// Every family that the set-up knows.
pub const MANAGERS: &[Manager] = &[
    Manager {
        family: Family::Debian,
        ids: &["debian", "ubuntu"],
        update: Some(&["apt-get", "update"]),
        // Without the variable a package may stop and ask on the terminal.
        install: &[
            "env",
            "DEBIAN_FRONTEND=noninteractive",
            "apt-get",
            "install",
            "-y",
            "--no-install-recommends",
        ],
    },
    Manager {
        family: Family::Arch,
        ids: &["arch"],
        update: None,
        install: &["pacman", "-S", "--needed", "--noconfirm"],
    },
    Manager { family: Family::Fedora, ids: &["fedora"], update: None, install: &["dnf", "install", "-y"] },
];

/// What /etc/os-release says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distro {
    /// `PRETTY_NAME`, for people.
    pub name: String,
    id: String,
    like: Vec<String>,
    version: String,
}

impl Distro {
    /// The distribution of this machine.
    pub fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).ok();
        Self::parse(&read("/etc/os-release").or_else(|| read("/usr/lib/os-release")).unwrap_or_default())
    }

    /// Reads the text of an os-release file.
    pub fn parse(text: &str) -> Self {
        let value = |key: &str| {
            text.lines()
                .filter_map(|line| line.split_once('='))
                .find(|(name, _)| *name == key)
                .map(|(_, value)| value.trim().trim_matches(['"', '\'']).to_owned())
                .unwrap_or_default()
        };
        let id = value("ID");
        let name = match value("PRETTY_NAME") {
            pretty if pretty.is_empty() => id.clone(),
            pretty => pretty,
        };
        let like = value("ID_LIKE").split_whitespace().map(str::to_owned).collect();
        Self { name, id, like, version: value("VERSION_ID") }
    }

    /// How packages are installed here, if the set-up knows.
    pub fn manager(&self) -> Option<&'static Manager> {
        let row = |id: &str| MANAGERS.iter().find(|manager| manager.ids.contains(&id));
        row(&self.id).or_else(|| self.like.iter().find_map(|id| row(id)))
    }

    /// Whether the set-up has been run on this very release. Package names of all others are known, but untested.
    pub fn tested(&self) -> bool {
        self.id == "debian" && self.version == "12"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_a_family_by_id_and_by_likeness() {
        let family = |text: &str| Distro::parse(text).manager().map(|manager| manager.family);
        assert_eq!(family("ID=debian\n"), Some(Family::Debian));
        assert_eq!(family("ID=ubuntu\nID_LIKE=debian\n"), Some(Family::Debian));
        assert_eq!(family("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"), Some(Family::Debian));
        assert_eq!(family("ID=manjaro\nID_LIKE=arch\n"), Some(Family::Arch));
        assert_eq!(family("ID=fedora\n"), Some(Family::Fedora));
        assert_eq!(family("ID=nixos\n"), None);
        assert_eq!(family(""), None);
    }

    #[test]
    fn only_debian_12_counts_as_tested() {
        let twelve =
            Distro::parse("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n");
        assert_eq!(twelve.name, "Debian GNU/Linux 12 (bookworm)");
        assert!(twelve.tested());
        assert!(!Distro::parse("ID=debian\nVERSION_ID=13\n").tested());
        assert!(!Distro::parse("ID=ubuntu\nVERSION_ID=12\n").tested());
    }
}
