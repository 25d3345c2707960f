//! The version of a runtime.

use std::fmt;

/// A version of HIP, as far as its ABI depends on it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Version {
    /// `HIP_VERSION_MAJOR`.
    pub major: u32,
    /// `HIP_VERSION_MINOR`.
    pub minor: u32,
}

impl Version {
    /// A version by its two numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32) -> Self {
        Version { major, minor }
    }

    /// What `hipRuntimeGetVersion` answers: major * 10,000,000 + minor * 100,000 + patch, as hip_version.h composes
    /// `HIP_VERSION`. `None` for a number that no release of HIP on AMD's own stack gives.
    #[must_use]
    pub const fn from_runtime(number: i32) -> Option<Self> {
        if number < 10_000_000 {
            return None;
        }
        let number = number.unsigned_abs();
        Some(Version { major: number / 10_000_000, minor: number / 100_000 % 100 })
    }

    /// Whether this version is `other` or newer.
    #[must_use]
    pub const fn is_at_least(self, other: Version) -> bool {
        self.major > other.major || (self.major == other.major && self.minor >= other.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn the_runtimes_number_is_read_as_the_header_composes_it() {
        assert_eq!(Version::from_runtime(50_221_153), Some(Version::new(5, 2)));
        assert_eq!(Version::from_runtime(60_443_484), Some(Version::new(6, 4)));
        assert_eq!(Version::from_runtime(70_125_424), Some(Version::new(7, 1)));
        for number in [i32::MIN, -1, 0, 4_400, 9_999_999] {
            assert_eq!(Version::from_runtime(number), None, "{number}");
        }
        assert_eq!(Version::from_runtime(i32::MAX), Some(Version::new(214, 74)));
    }

    #[test]
    fn versions_are_ordered_by_major_then_minor() {
        assert!(Version::new(6, 0).is_at_least(Version::new(5, 7)));
        assert!(Version::new(5, 10).is_at_least(Version::new(5, 9)));
        assert!(!Version::new(5, 2).is_at_least(Version::new(5, 3)));
        assert!(Version::new(5, 3).is_at_least(Version::new(5, 3)));
    }
}
