//! What moved between releases of HIP. Headers of four releases show *that* something moved; the first release
//! that has the new meaning comes from the tags of AMD's HIP repository (5.2 to 6.2) and from the release notes of
//! HIP 7.0. Generation fails when the headers move where no row stands here.

use super::parse::Constant;

/// A version of HIP: major, minor.
pub type Version = (u32, u32);

/// Before every release that is read.
pub const FIRST: Version = (5, 0);

/// A struct whose members moved. The plain name in `types` is the newest layout.
pub struct Layout {
    pub name: &'static str,
    /// Each older layout: the first version that has it, and the first that no longer has it.
    pub older: &'static [(Version, Version)],
}

/// Structs whose members moved.
pub const LAYOUTS: &[Layout] = &[
    Layout { name: "HIP_MEMCPY3D", older: &[(FIRST, (6, 0))] },
    Layout { name: "hipExternalSemaphoreSignalParams_st", older: &[(FIRST, (6, 0))] },
    Layout { name: "hipExternalSemaphoreSignalParams_st_params", older: &[(FIRST, (6, 0))] },
    Layout { name: "hipExternalSemaphoreWaitParams_st", older: &[(FIRST, (6, 0))] },
    Layout { name: "hipExternalSemaphoreWaitParams_st_params", older: &[(FIRST, (6, 0))] },
    Layout { name: "hipMemAllocationProp", older: &[(FIRST, (5, 3))] },
];

/// The row of a struct.
pub fn layout(name: &str) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|row| row.name == name)
}

/// Structs that grew at the end, or into what was reserved, and the first version with the new size. The newest
/// layout serves older runtimes, too.
pub const GROWN: &[(&str, Version)] = &[
    ("hipExternalMemoryHandleDesc_st", (6, 0)),
    ("hipExternalMemoryBufferDesc_st", (6, 0)),
    ("hipExternalSemaphoreHandleDesc_st", (6, 0)),
    ("hipLaunchAttributeValue", (7, 0)),
];

/// Members that have another name from some version on, at the same offset.
pub const RENAMED: &[(&str, &str, Version)] = &[("hipPointerAttribute_t", "memoryType", (6, 0))];

/// A constant whose value moved, or an enum with such constants.
pub struct Moved {
    /// Whether the row is about every enumerator of the enum of this name, or one constant.
    pub whole_enum: bool,
    pub name: &'static str,
    /// The first version of each meaning.
    pub since: &'static [Version],
}

/// Constants whose values moved. Single ones stand before the enum that they belong to.
pub const CONSTANTS: &[Moved] = &[
    one("hipDeviceLmemResizeToMax", &[FIRST, (5, 3)]),
    one("hipIpcMemLazyEnablePeerAccess", &[FIRST, (6, 0)]),
    // Both end their enum and count what is before them.
    one("hipJitOptionNumOptions", &[FIRST, (6, 4)]),
    one("hipLimitRange", &[(5, 3), (7, 0)]),
    one("hipGraphNodeTypeCount", &[FIRST, (5, 5), (6, 4)]),
    one("hipGraphNodeTypeMemcpyFromSymbol", &[FIRST, (5, 5)]),
    one("hipGraphNodeTypeMemcpyToSymbol", &[FIRST, (5, 5)]),
    one("hipGraphNodeTypeMemAlloc", &[(5, 5)]),
    one("hipGraphNodeTypeMemFree", &[(5, 5)]),
    one("hipGraphNodeTypeBatchMemOp", &[(6, 4)]),
    Moved { whole_enum: true, name: "hipGraphNodeType", since: &[FIRST, (5, 3)] },
    Moved { whole_enum: true, name: "hipMemoryType", since: &[FIRST, (6, 0)] },
];

const fn one(name: &'static str, since: &'static [Version]) -> Moved {
    Moved { whole_enum: false, name, since }
}

/// The row of a constant.
pub fn constant(item: &Constant) -> Option<&'static Moved> {
    CONSTANTS.iter().find(
        |row| {
            if row.whole_enum { item.ty.trim() == row.name } else { item.name == row.name }
        },
    )
}

/// A parameter that points to another struct from some version on: hip-sys passes a plain pointer.
pub struct Parameter {
    pub function: &'static str,
    pub parameter: &'static str,
}

/// Parameters that point to another struct from some version on.
pub const PARAMETERS: &[Parameter] = &[
    Parameter { function: "hipDrvGraphAddMemsetNode", parameter: "memsetParams" },
    Parameter { function: "hipDrvGraphExecMemsetNodeSetParams", parameter: "memsetParams" },
];

/// Whether a release's headers declare, under this name, a function that is called in another way. It then counts
/// as absent from that release: 6.4 declares hipDeviceGetTexture1DLinearMaxWidth with the parameters of a memory
/// pool function.
pub fn another_function(name: &str, release: Version) -> bool {
    name == "hipDeviceGetTexture1DLinearMaxWidth" && release < (7, 0)
}

/// Types that are spelled in two ways and are the same to a caller.
pub const SAME: &[(&str, &str)] = &[
    ("* hiprtcJIT_option", "* hipJitOption"),
    ("hiprtcJITInputType", "hipJitInputType"),
    ("hipKernelNodeAttrID", "hipLaunchAttributeID"),
    ("* hipKernelNodeAttrValue", "* hipLaunchAttributeValue"),
    ("* c_int", "* c_uint"),
];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{CONSTANTS, FIRST, GROWN, LAYOUTS, PARAMETERS, RENAMED, Version};

    #[test]
    fn every_border_is_a_fact_of_hip_sys() {
        let path = crate::cargo::root().join("hip-sys/src/abi/fact.rs");
        let text = fs::read_to_string(path).unwrap();
        let facts: Vec<&str> = text.split("\";\n").collect();
        let is_fact = |name: &str, since: Version| {
            let name = name.trim_end_matches("_params").trim_end_matches("_st");
            let version = format!("({}, {})", since.0, since.1);
            facts.iter().any(|fact| fact.contains(name) && fact.contains(&version))
        };
        let mut borders: Vec<(&str, Version)> = GROWN.to_vec();
        borders.extend(RENAMED.iter().map(|(name, _, since)| (*name, *since)));
        borders.extend(PARAMETERS.iter().map(|row| (row.function, (7, 0))));
        for row in LAYOUTS {
            borders.extend(row.older.iter().map(|(_, until)| (row.name, *until)));
        }
        for row in CONSTANTS {
            // The first meaning of a constant is no move.
            borders.extend(row.since.iter().skip(1).map(|since| (row.name, *since)));
        }
        for (name, since) in borders {
            assert!(since > FIRST && is_fact(name, since), "no fact says that {name} moved at {since:?}");
        }
    }
}
