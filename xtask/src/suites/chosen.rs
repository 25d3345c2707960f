//! The packages of test programs, and which of their programs run.

use std::fs;

use anyhow::Context;

use crate::chroots::Chroot;

/// Which programs of a package run when none is named.
enum Chosen {
    All,
    /// These: the others take hours, and are run by name.
    Only(&'static [&'static str]),
}

/// A package of test programs in a suite of Debian.
pub struct Package {
    /// The suite.
    pub suite: &'static str,
    /// The package's name, and that of the folder of its programs.
    pub name: &'static str,
    chosen: Chosen,
}

/// The packages.
pub const PACKAGES: &[Package] = &[
    Package { suite: "trixie", name: "librocrand1-tests", chosen: Chosen::All },
    Package { suite: "sid", name: "librocrand1-tests", chosen: Chosen::All },
    Package { suite: "sid", name: "libhiprand1-tests", chosen: Chosen::All },
    Package { suite: "sid", name: "librocprim-tests", chosen: Chosen::Only(ROCPRIM) },
];

/// Reduce, scan, radix sort, merge sort, select, histogram and run-length encode, at every level that has them.
const ROCPRIM: &[&str] = &[
    "test_warp_reduce",
    "test_block_reduce",
    "test_device_reduce",
    "test_device_reduce_by_key",
    "test_device_segmented_reduce",
    "test_warp_scan",
    "test_block_scan",
    "test_device_segmented_scan",
    "test_lookback_reproducibility",
    "test_block_radix_rank",
    "test_block_radix_sort",
    "test_device_radix_sort",
    "test_device_segmented_radix_sort",
    "test_block_sort_merge",
    "test_block_sort_merge_stable",
    "test_device_merge_sort",
    "test_device_select",
    "test_block_histogram",
    "test_device_histogram",
    "test_block_run_length_decode",
    "test_device_run_length_encode",
];

/// Where packages put their programs.
const PROGRAMS: &str = "/usr/libexec/rocm";

/// The names of the packages, each once.
pub fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = PACKAGES.iter().map(|package| package.name).collect();
    names.sort_unstable();
    names.dedup();
    names
}

impl Package {
    /// The folder of its programs, in the chroot.
    pub fn folder(&self) -> String {
        format!("{PROGRAMS}/{}", self.name)
    }

    /// The names of its programs.
    pub fn programs(&self, chroot: &Chroot) -> anyhow::Result<Vec<String>> {
        let folder = chroot.path(&self.folder());
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let mut names = Vec::new();
        for entry in entries {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name.starts_with("test_") {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Whether the program runs: those whose names contain one of the `wanted` texts, or the chosen ones.
    pub fn runs(&self, program: &str, wanted: &[String]) -> bool {
        match (wanted, &self.chosen) {
            ([], Chosen::All) => true,
            ([], Chosen::Only(names)) => names.contains(&program),
            (wanted, _) => wanted.iter().any(|text| program.contains(text.as_str())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chroots::suite_names;

    #[test]
    fn packages_are_of_known_suites() {
        for package in PACKAGES {
            assert!(suite_names().any(|name| name == package.suite), "{}", package.name);
        }
    }

    #[test]
    fn a_named_program_runs_even_if_it_is_not_chosen() {
        let rocprim = &PACKAGES[3];
        assert!(rocprim.runs("test_device_reduce", &[]));
        assert!(!rocprim.runs("test_device_search", &[]));
        assert!(rocprim.runs("test_device_search", &["search".to_owned()]));
        assert!(!rocprim.runs("test_device_reduce", &["search".to_owned()]));
    }
}
