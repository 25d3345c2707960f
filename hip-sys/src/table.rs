//! The row type of the function table.

use std::ffi::CStr;
use std::fmt;

use crate::functions::{FUNCTIONS, RELEASES};

/// What is known of one function before any library is loaded.
#[derive(Clone, Copy, Debug)]
pub struct FunctionInfo {
    /// The C name, and the name of the method of [`Api`](crate::Api).
    pub name: &'static str,
    /// Every symbol under which a release exports it, mangled C++ names included; the first that is found counts.
    pub spellings: &'static [&'static CStr],
    /// The releases whose headers declare it.
    pub releases: Releases,
    /// The library whose API it is. Both are searched: older releases have hiprtc inside libamdhip64.
    pub library: Library,
}

/// One row, as the generated table writes it.
pub(crate) const fn row(
    name: &'static str,
    spellings: &'static [&'static CStr],
    releases: u8,
    library: Library,
) -> FunctionInfo {
    FunctionInfo { name, spellings, releases: Releases(releases), library }
}

impl FunctionInfo {
    /// The row of a C name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static FunctionInfo> {
        FUNCTIONS.get(slot_of(name)?)
    }
}

/// The position of a name in the table, which is sorted by name.
pub(crate) fn slot_of(name: &str) -> Option<usize> {
    FUNCTIONS.binary_search_by_key(&name, |row| row.name).ok()
}

/// A part of HIP with headers of its own.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Library {
    /// The runtime: hip_runtime_api.h and hip_ext.h.
    Hip,
    /// The run-time compiler: hiprtc.h.
    Hiprtc,
}

/// A set of the releases in [`RELEASES`].
///
/// The headers of 7.1 come without hiprtc.h and hip_ext.h: that release is missing from the rows of those two.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Releases(pub(crate) u8);

impl Releases {
    /// Whether `release`, a member of [`RELEASES`], is in the set.
    #[must_use]
    pub fn contains(self, release: &str) -> bool {
        self.iter().any(|name| name == release)
    }

    /// The releases in the set, oldest first.
    pub fn iter(self) -> impl Iterator<Item = &'static str> {
        RELEASES
            .into_iter()
            .enumerate()
            .filter(move |(bit, _)| self.0 & (1 << bit) != 0)
            .map(|(_, name)| name)
    }
}

impl fmt::Display for Releases {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name}")?;
        }
        Ok(())
    }
}
