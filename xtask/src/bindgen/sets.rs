//! The releases of HIP whose headers are united in hip-sys, and where their headers are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::moved::Version;

/// A release of HIP.
pub struct Release {
    /// How hip-sys names it.
    pub name: &'static str,
    /// `HIP_VERSION_MAJOR` and `HIP_VERSION_MINOR` of its hip_version.h.
    pub version: Version,
    /// The package that carries its headers.
    pub package: Package,
    /// C names that this release declares with another meaning than later ones: (header's name, hip-sys's name).
    renames: &'static [(&'static str, &'static str)],
}

/// Where headers come from.
pub enum Package {
    /// A Debian package of a suite.
    Debian { suite: &'static str, name: &'static str },
    /// A wheel of Python's package index, and the folder inside that holds `hip/`.
    Wheel { requirement: &'static str, folder: &'static str },
}

/// From 6.0 on the plain name is a macro for the new layout; the old one is called R0000 there.
const BEFORE_R0600: &[(&str, &str)] = &[("hipDeviceProp_t", "hipDeviceProp_tR0000")];

/// Oldest first.
pub static RELEASES: [Release; 4] = [
    Release {
        name: "5.2.3",
        version: (5, 2),
        package: Package::Debian { suite: "bookworm", name: "libamdhip64-dev" },
        renames: BEFORE_R0600,
    },
    Release {
        name: "5.7.1",
        version: (5, 7),
        package: Package::Debian { suite: "trixie", name: "libamdhip64-dev" },
        renames: BEFORE_R0600,
    },
    Release {
        name: "6.4.3",
        version: (6, 4),
        package: Package::Debian { suite: "sid", name: "libamdhip64-dev" },
        renames: &[],
    },
    Release {
        name: "7.1",
        version: (7, 1),
        package: Package::Wheel { requirement: "triton==3.9.0", folder: "triton/backends/amd/include" },
        renames: &[],
    },
];

/// The folder of the headers of Debian's package, when it is installed.
const INSTALLED: &str = "/usr/include";

impl Release {
    /// The name that hip-sys gives to what this release calls `name`.
    pub fn rename(&self, name: &str) -> String {
        self.renames.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new).to_owned()
    }

    /// What this release calls hip-sys's `name`.
    pub fn original(&self, name: &str) -> String {
        self.renames.iter().find(|(_, new)| *new == name).map_or(name, |(old, _)| old).to_owned()
    }

    /// The position in [`RELEASES`].
    pub fn index(&self) -> usize {
        RELEASES.iter().position(|release| release.name == self.name).unwrap_or_default()
    }

    /// The folder that holds this release's `hip/`, if its headers are here: installed, or fetched.
    pub fn present(&self, headers: &Path) -> Option<PathBuf> {
        let fetched = headers.join(self.name).join("include");
        [fetched, PathBuf::from(INSTALLED)]
            .into_iter()
            .find(|folder| version_of(folder).is_ok_and(|version| version == self.version))
    }
}

/// The release that a folder with headers is of.
pub fn release_of(include: &Path) -> Result<&'static Release> {
    let (major, minor) = version_of(include)?;
    let Some(release) = RELEASES.iter().find(|release| release.version == (major, minor)) else {
        let names: Vec<&str> = RELEASES.iter().map(|release| release.name).collect();
        bail!("{} has headers of HIP {major}.{minor}; hip-sys unites {}", include.display(), names.join(", "))
    };
    Ok(release)
}

/// What the folder's hip_version.h says.
fn version_of(include: &Path) -> Result<Version> {
    let path = include.join("hip/hip_version.h");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let number = |name: &str| {
        text.lines()
            .filter_map(|line| line.strip_prefix("#define")?.trim().strip_prefix(name)?.trim().parse().ok())
            .next()
            .with_context(|| format!("{} has no {name}", path.display()))
    };
    Ok((number("HIP_VERSION_MAJOR")?, number("HIP_VERSION_MINOR")?))
}
