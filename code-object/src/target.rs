//! Target ids: a processor and the settings of its optional features, `gfx90a:sramecc+:xnack-`.
//!
//! Source: LLVM AMDGPUUsage, "Target ID", "Processors", "Generic Processors"; the numbers are `EF_AMDGPU_MACH_*` and
//! `EF_AMDGPU_FEATURE_*` of llvm/BinaryFormat/ELF.h.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// How a code object or a device stands to an optional hardware feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Feature {
    /// Not said: code that works either way, or a processor without the feature.
    #[default]
    Any,
    /// `feature-`: code for (or a device with) the feature switched off.
    Off,
    /// `feature+`: code for (or a device with) the feature switched on.
    On,
}

/// A processor and the settings of its features.
///
/// ```
/// use code_object::{Feature, TargetId};
/// let code: TargetId = "gfx900:xnack-".parse()?;
/// assert_eq!((code.processor(), code.xnack, code.sramecc), ("gfx900", Feature::Off, Feature::Any));
/// assert!(code.runs_on(&"gfx900:xnack-".parse()?));
/// assert!(!code.runs_on(&"gfx900:xnack+".parse()?));
/// # Ok::<(), code_object::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TargetId {
    processor: String,
    /// ECC of the memories on the chip.
    pub sramecc: Feature,
    /// Retry after a page fault.
    pub xnack: Feature,
}

/// One processor: its number in `e_flags` and the features that it has.
struct Machine {
    number: u8,
    name: &'static str,
    xnack: bool,
    sramecc: bool,
}

const fn machine(number: u8, name: &'static str, features: &'static str) -> Machine {
    let features = features.as_bytes();
    let mut machine = Machine { number, name, xnack: false, sramecc: false };
    let mut i = 0;
    while i < features.len() {
        match features[i] {
            b'x' => machine.xnack = true,
            b's' => machine.sramecc = true,
            _ => {}
        }
        i += 1;
    }
    machine
}

/// Every AMDGCN processor; `x`: can do XNACK, `s`: can do SRAM ECC.
static MACHINES: &[Machine] = &[
    machine(0x20, "gfx600", ""),
    machine(0x21, "gfx601", ""),
    machine(0x22, "gfx700", ""),
    machine(0x23, "gfx701", ""),
    machine(0x24, "gfx702", ""),
    machine(0x25, "gfx703", ""),
    machine(0x26, "gfx704", ""),
    machine(0x28, "gfx801", "x"),
    machine(0x29, "gfx802", ""),
    machine(0x2a, "gfx803", ""),
    machine(0x2b, "gfx810", "x"),
    machine(0x2c, "gfx900", "x"),
    machine(0x2d, "gfx902", "x"),
    machine(0x2e, "gfx904", "x"),
    machine(0x2f, "gfx906", "xs"),
    machine(0x30, "gfx908", "xs"),
    machine(0x31, "gfx909", "x"),
    machine(0x32, "gfx90c", "x"),
    machine(0x33, "gfx1010", "x"),
    machine(0x34, "gfx1011", "x"),
    machine(0x35, "gfx1012", "x"),
    machine(0x36, "gfx1030", ""),
    machine(0x37, "gfx1031", ""),
    machine(0x38, "gfx1032", ""),
    machine(0x39, "gfx1033", ""),
    machine(0x3a, "gfx602", ""),
    machine(0x3b, "gfx705", ""),
    machine(0x3c, "gfx805", ""),
    machine(0x3d, "gfx1035", ""),
    machine(0x3e, "gfx1034", ""),
    machine(0x3f, "gfx90a", "xs"),
    machine(0x40, "gfx940", "xs"),
    machine(0x41, "gfx1100", ""),
    machine(0x42, "gfx1013", "x"),
    machine(0x43, "gfx1150", ""),
    machine(0x44, "gfx1103", ""),
    machine(0x45, "gfx1036", ""),
    machine(0x46, "gfx1101", ""),
    machine(0x47, "gfx1102", ""),
    machine(0x48, "gfx1200", ""),
    machine(0x49, "gfx1250", ""),
    machine(0x4a, "gfx1151", ""),
    machine(0x4b, "gfx941", "xs"),
    machine(0x4c, "gfx942", "xs"),
    machine(0x4e, "gfx1201", ""),
    machine(0x4f, "gfx950", "xs"),
    machine(0x51, "gfx9-generic", "x"),
    machine(0x52, "gfx10-1-generic", "x"),
    machine(0x53, "gfx10-3-generic", ""),
    machine(0x54, "gfx11-generic", ""),
    machine(0x55, "gfx1152", ""),
    machine(0x58, "gfx1153", ""),
    machine(0x59, "gfx12-generic", ""),
    machine(0x5a, "gfx1251", ""),
    machine(0x5f, "gfx9-4-generic", "xs"),
];

/// The processors that the code of a generic processor runs on.
static GENERIC: &[(&str, &[&str])] = &[
    ("gfx9-generic", &["gfx900", "gfx902", "gfx904", "gfx906", "gfx909", "gfx90c"]),
    ("gfx9-4-generic", &["gfx940", "gfx941", "gfx942", "gfx950"]),
    ("gfx10-1-generic", &["gfx1010", "gfx1011", "gfx1012", "gfx1013"]),
    ("gfx10-3-generic", &["gfx1030", "gfx1031", "gfx1032", "gfx1033", "gfx1034", "gfx1035", "gfx1036"]),
    (
        "gfx11-generic",
        &["gfx1100", "gfx1101", "gfx1102", "gfx1103", "gfx1150", "gfx1151", "gfx1152", "gfx1153"],
    ),
    ("gfx12-generic", &["gfx1200", "gfx1201"]),
];

/// The processors that `generic` (such as `gfx9-generic`) stands for; empty if it is not a generic processor.
pub fn generic_members(generic: &str) -> &'static [&'static str] {
    GENERIC.iter().find(|(name, _)| *name == generic).map_or(&[], |(_, members)| members)
}

impl TargetId {
    /// A processor whose features are not said.
    ///
    /// # Errors
    /// As [`str::parse`], of which this is the part before the first colon.
    pub fn new(processor: &str) -> Result<Self, Error> {
        let good = processor.len() <= 32
            && processor.starts_with("gfx")
            && processor.len() > 3
            && processor.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
            && !processor.ends_with('-');
        if good {
            Ok(Self { processor: processor.to_owned(), sramecc: Feature::Any, xnack: Feature::Any })
        } else {
            Err(Error::malformed(0, "processor name of a target id"))
        }
    }

    /// The processor: `gfx900`, `gfx9-generic`.
    pub fn processor(&self) -> &str {
        &self.processor
    }

    /// Whether the processor is a generic one, whose code runs on several.
    pub fn is_generic(&self) -> bool {
        self.processor.ends_with("-generic")
    }

    /// Whether code for `self` can be loaded on `device`.
    ///
    /// The processor must be the device's own or a generic one that includes it; a feature that the code fixes must be
    /// the same on the device. This is the rule of the HIP runtime (`hipErrorNoBinaryForGpu` otherwise).
    pub fn runs_on(&self, device: &TargetId) -> bool {
        let processor = self.processor == device.processor
            || generic_members(&self.processor).contains(&device.processor.as_str());
        let feature = |code: Feature, device: Feature| code == Feature::Any || code == device;
        processor && feature(self.sramecc, device.sramecc) && feature(self.xnack, device.xnack)
    }

    /// How precisely `self` names a device: of several code objects that run, the one with the highest rank is loaded.
    pub(crate) fn rank(&self) -> u32 {
        let fixed = |feature| u32::from(feature != Feature::Any);
        4 * u32::from(!self.is_generic()) + fixed(self.sramecc) + fixed(self.xnack)
    }

    /// Decodes `e_flags` of an ELF file with the given ABI version (byte 8 of `e_ident`).
    pub(crate) fn from_flags(flags: u32, abi: u8, offset: u64) -> Result<Self, Error> {
        let number = flags & 0xff;
        let machine = MACHINES.iter().find(|machine| u32::from(machine.number) == number);
        let machine = machine.ok_or_else(|| Error::unsupported(offset, "processor number in e_flags"))?;
        let (xnack, sramecc) = if abi <= 1 {
            // V3: one bit each, and absence means off where the processor has the feature.
            let bit = |set: bool, has: bool| match (set, has) {
                (true, _) => Feature::On,
                (false, true) => Feature::Off,
                (false, false) => Feature::Any,
            };
            (bit(flags & 0x100 != 0, machine.xnack), bit(flags & 0x200 != 0, machine.sramecc))
        } else {
            // V4 and later: 0 unsupported, 1 any, 2 off, 3 on.
            let pair = |value: u32| match value & 3 {
                2 => Feature::Off,
                3 => Feature::On,
                _ => Feature::Any,
            };
            (pair(flags >> 8), pair(flags >> 10))
        };
        Ok(Self { processor: machine.name.to_owned(), sramecc, xnack })
    }
}

impl FromStr for TargetId {
    type Err = Error;

    /// Reads `processor(:feature[+-])*`, features in any order, each at most once.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.split(':');
        let mut target = Self::new(parts.next().unwrap_or_default())?;
        let mut offset = target.processor.len();
        for part in parts {
            offset += 1;
            let here = offset as u64;
            let (name, setting) = match (part.strip_suffix('+'), part.strip_suffix('-')) {
                (Some(name), _) => (name, Feature::On),
                (_, Some(name)) => (name, Feature::Off),
                _ => return Err(Error::malformed(here, "feature of a target id, which ends in + or -")),
            };
            let slot = match name {
                "xnack" => &mut target.xnack,
                "sramecc" => &mut target.sramecc,
                _ => return Err(Error::unsupported(here, "feature of a target id")),
            };
            if std::mem::replace(slot, setting) != Feature::Any {
                return Err(Error::malformed(here, "feature of a target id, given twice"));
            }
            offset += part.len();
        }
        Ok(target)
    }
}

impl fmt::Display for TargetId {
    /// The canonical form: features in alphabetical order, those that are not said left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.processor)?;
        for (name, setting) in [("sramecc", self.sramecc), ("xnack", self.xnack)] {
            match setting {
                Feature::Any => {}
                Feature::Off => write!(f, ":{name}-")?,
                Feature::On => write!(f, ":{name}+")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> TargetId {
        text.parse().unwrap()
    }

    #[test]
    fn text_round_trips_in_canonical_order() {
        for text in
            ["gfx900", "gfx900:xnack-", "gfx90a:sramecc+:xnack-", "gfx9-generic", "gfx9-4-generic:xnack+"]
        {
            assert_eq!(id(text).to_string(), text);
        }
        assert_eq!(id("gfx90a:xnack-:sramecc+").to_string(), "gfx90a:sramecc+:xnack-");
    }

    #[test]
    fn bad_text_is_refused_with_its_place() {
        for (text, offset) in [
            ("", 0),
            ("gfx", 0),
            ("sm_80", 0),
            ("gfx900-", 0),
            ("gfx900:", 7),
            ("gfx900:xnack", 7),
            ("gfx900:xnack-:xnack+", 14),
            ("gfx900:wave64+", 7),
        ] {
            assert_eq!(text.parse::<TargetId>().unwrap_err().offset(), offset, "{text}");
        }
    }

    #[test]
    fn code_runs_where_the_runtime_would_load_it() {
        for (code, device, runs) in [
            ("gfx900", "gfx900", true),
            ("gfx900", "gfx900:xnack-", true),
            ("gfx900", "gfx900:xnack+", true),
            ("gfx900:xnack-", "gfx900:xnack-", true),
            ("gfx900:xnack-", "gfx900:xnack+", false),
            ("gfx900:xnack+", "gfx900", false),
            ("gfx906", "gfx900", false),
            ("gfx90a:sramecc+", "gfx90a:sramecc+:xnack-", true),
            ("gfx90a:sramecc-", "gfx90a:sramecc+:xnack-", false),
            ("gfx9-generic", "gfx900:xnack-", true),
            ("gfx9-generic:xnack+", "gfx900:xnack-", false),
            ("gfx9-generic", "gfx908", false),
            ("gfx11-generic", "gfx1100", true),
        ] {
            assert_eq!(id(code).runs_on(&id(device)), runs, "{code} on {device}");
        }
    }

    #[test]
    fn flags_become_targets() {
        for (flags, abi, text) in [
            (0x12c, 2, "gfx900"),
            (0x22c, 2, "gfx900:xnack-"),
            (0x32c, 3, "gfx900:xnack+"),
            (0x02c, 1, "gfx900:xnack-"),
            (0x12c, 1, "gfx900:xnack+"),
            (0x036, 1, "gfx1030"),
            (0xe3f, 2, "gfx90a:sramecc+:xnack-"),
            (0x0100_0151, 4, "gfx9-generic"),
        ] {
            assert_eq!(TargetId::from_flags(flags, abi, 48).unwrap().to_string(), text);
        }
        assert_eq!(TargetId::from_flags(0x101, 2, 48).unwrap_err().offset(), 48);
    }

    #[test]
    fn tables_are_consistent() {
        for pair in MACHINES.windows(2) {
            assert!(pair[0].number < pair[1].number, "{}", pair[1].name);
        }
        for (generic, members) in GENERIC {
            for name in members.iter().chain([generic]) {
                assert!(MACHINES.iter().any(|machine| machine.name == *name), "{name}");
            }
        }
    }
}
