//! Functions that headers declare and no library exports.

/// For each release whose library was at hand: the functions that its headers declare and that libamdhip64 and
/// libhiprtc, as Debian builds them, do not export, in alphabetical order. Nobody can link to them.
///
/// A release that is not in the table was not at hand; see [`not_exported`].
pub static NOT_EXPORTED: &[(&str, &[&str])] = &[
    (
        "5.2.3",
        &[
            "hipGraphKernelNodeGetAttribute",
            "hipGraphKernelNodeSetAttribute",
            "hipLaunchHostFunc",
            "hipTexRefGetMipMappedArray",
        ],
    ),
    (
        "5.7.1",
        &[
            "hipGraphAddExternalSemaphoresSignalNode",
            "hipGraphAddExternalSemaphoresWaitNode",
            "hipGraphExecExternalSemaphoresSignalNodeSetParams",
            "hipGraphExecExternalSemaphoresWaitNodeSetParams",
            "hipGraphExternalSemaphoresSignalNodeGetParams",
            "hipGraphExternalSemaphoresSignalNodeSetParams",
            "hipGraphExternalSemaphoresWaitNodeGetParams",
            "hipGraphExternalSemaphoresWaitNodeSetParams",
            "hipTexRefGetMipMappedArray",
        ],
    ),
    (
        "6.4.3",
        &[
            "hipExternalMemoryGetMappedMipmappedArray",
            "hipGraphAddExternalSemaphoresSignalNode",
            "hipGraphAddExternalSemaphoresWaitNode",
            "hipGraphExecExternalSemaphoresSignalNodeSetParams",
            "hipGraphExecExternalSemaphoresWaitNodeSetParams",
            "hipGraphExternalSemaphoresSignalNodeGetParams",
            "hipGraphExternalSemaphoresSignalNodeSetParams",
            "hipGraphExternalSemaphoresWaitNodeGetParams",
            "hipGraphExternalSemaphoresWaitNodeSetParams",
        ],
    ),
];

/// Whether `release` declares the function without exporting it. Of a release that is not in [`NOT_EXPORTED`] nothing
/// is known for sure; there it is any function that one of the others does not export.
pub fn not_exported(release: &str, function: &str) -> bool {
    let known = NOT_EXPORTED.iter().any(|(name, _)| *name == release);
    NOT_EXPORTED
        .iter()
        .filter(|(name, _)| !known || *name == release)
        .any(|(_, functions)| functions.contains(&function))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FUNCTIONS, RELEASES};

    #[test]
    fn every_row_is_of_a_known_release_and_declared_there() {
        for (release, functions) in NOT_EXPORTED {
            assert!(RELEASES.contains(release), "{release}");
            assert!(functions.is_sorted(), "{release}");
            for name in *functions {
                let row = FUNCTIONS.iter().find(|row| row.name == *name).expect(name);
                assert!(row.releases.contains(release), "{name} of {release}");
            }
        }
    }

    #[test]
    fn a_release_has_its_own_row_and_an_unknown_one_all_of_them() {
        assert!(not_exported("5.2.3", "hipLaunchHostFunc"));
        assert!(!not_exported("5.7.1", "hipLaunchHostFunc"));
        assert!(!not_exported("5.2.3", "hipMalloc") && !not_exported("7.1", "hipMalloc"));
        assert!(not_exported("7.1", "hipLaunchHostFunc"));
    }
}
