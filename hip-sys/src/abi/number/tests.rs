//! Both sides of every border, in the numbers of the headers.

use super::{GraphNodeType, MemoryType};
use crate::abi::{self, FACTS, Version};
use crate::types::{hipGraphNodeType, hipMemoryType};

#[test]
fn facts_change_at_their_version_and_not_before() {
    for fact in FACTS {
        let Version { major, minor } = fact.since;
        let before = if minor == 0 { Version::new(major - 1, 99) } else { Version::new(major, minor - 1) };
        assert!(fact.holds(fact.since), "{fact:?}");
        assert!(fact.holds(Version::new(major, minor + 1)), "{fact:?}");
        assert!(!fact.holds(before), "{fact:?}");
    }
    assert!(FACTS.is_sorted_by_key(|fact| fact.since));
}

#[test]
fn memory_types_move_at_6_0() {
    use MemoryType::{Array, Device, Host, Managed, Unified, Unregistered};
    let table = [
        ((5, 2), [(0, Some(Host)), (1, Some(Device)), (2, Some(Array)), (3, Some(Unified)), (11, None)]),
        ((5, 7), [(0, Some(Host)), (1, Some(Device)), (2, Some(Array)), (4, Some(Managed)), (10, None)]),
        (
            (6, 0),
            [(0, Some(Unregistered)), (1, Some(Host)), (2, Some(Device)), (3, Some(Managed)), (4, None)],
        ),
        ((7, 1), [(10, Some(Array)), (11, Some(Unified)), (1, Some(Host)), (2, Some(Device)), (99, None)]),
    ];
    for ((major, minor), numbers) in table {
        let runtime = Version::new(major, minor);
        for (number, meaning) in numbers {
            let raw = hipMemoryType(number);
            assert_eq!(MemoryType::decode(raw, runtime), meaning, "{number} on {runtime}");
            if let Some(meaning) = meaning {
                assert_eq!(meaning.encode(runtime), Some(raw), "{meaning:?} on {runtime}");
            }
        }
    }
    assert_eq!(Unregistered.encode(Version::new(5, 7)), None);
}

#[test]
fn graph_nodes_move_at_5_3_and_5_5() {
    use GraphNodeType::{
        BatchMemOp, EventRecord, ExtSemaphoreSignal, Kernel, MemAlloc, Memcpy, Memcpy1D, MemcpyFromSymbol,
    };
    let table = [
        (
            (5, 2),
            [(0, None), (1, Some(Kernel)), (2, Some(Memcpy)), (8, Some(EventRecord)), (9, Some(Memcpy1D))],
        ),
        (
            (5, 3),
            [
                (0, Some(Kernel)),
                (1, Some(Memcpy)),
                (7, Some(EventRecord)),
                (8, Some(ExtSemaphoreSignal)),
                (10, Some(MemcpyFromSymbol)),
            ],
        ),
        (
            (5, 4),
            [
                (0, Some(Kernel)),
                (1, Some(Memcpy)),
                (7, Some(EventRecord)),
                (12, None),
                (10, Some(MemcpyFromSymbol)),
            ],
        ),
        (
            (5, 5),
            [
                (0, Some(Kernel)),
                (10, Some(MemAlloc)),
                (12, Some(MemcpyFromSymbol)),
                (7, Some(EventRecord)),
                (99, None),
            ],
        ),
        (
            (6, 4),
            [
                (0, Some(Kernel)),
                (10, Some(MemAlloc)),
                (12, Some(MemcpyFromSymbol)),
                (14, Some(BatchMemOp)),
                (15, None),
            ],
        ),
    ];
    for ((major, minor), numbers) in table {
        let runtime = Version::new(major, minor);
        for (number, meaning) in numbers {
            let raw = hipGraphNodeType(number);
            assert_eq!(GraphNodeType::decode(raw, runtime), meaning, "{number} on {runtime}");
            if let Some(meaning) = meaning {
                assert_eq!(meaning.encode(runtime), Some(raw), "{meaning:?} on {runtime}");
            }
        }
    }
    assert_eq!(MemAlloc.encode(Version::new(5, 4)), None);
}

#[test]
fn every_number_decodes_to_what_encodes_to_it() {
    for (major, minor) in [(5, 0), (5, 2), (5, 3), (5, 4), (5, 5), (5, 7), (6, 0), (6, 4), (7, 0), (7, 1)] {
        let runtime = Version::new(major, minor);
        for number in 0..32 {
            if let Some(meaning) = MemoryType::decode(hipMemoryType(number), runtime) {
                assert_eq!(meaning.encode(runtime), Some(hipMemoryType(number)));
            }
            if let Some(meaning) = GraphNodeType::decode(hipGraphNodeType(number), runtime) {
                assert_eq!(meaning.encode(runtime), Some(hipGraphNodeType(number)));
            }
        }
    }
}

#[test]
fn single_constants_have_both_values() {
    assert_eq!(abi::v5_0::hipDeviceLmemResizeToMax, 0x16);
    assert_eq!(abi::v5_3::hipDeviceLmemResizeToMax, 0x10);
    assert_eq!(abi::v5_0::hipIpcMemLazyEnablePeerAccess, 0);
    assert_eq!(abi::v6_0::hipIpcMemLazyEnablePeerAccess, 1);
    assert_eq!(abi::v5_0::hipJitOptionNumOptions.0, 17);
    assert_eq!(abi::v6_4::hipJitOptionNumOptions.0, 29);
    assert_eq!(abi::v5_3::hipLimitRange.0, 3);
    assert_eq!(abi::v7_0::hipLimitRange.0, 4099);
}

#[test]
fn both_layouts_of_what_moved_are_there() {
    use std::mem::{offset_of, size_of};
    assert_eq!(size_of::<abi::v5_0::HIP_MEMCPY3D>(), 128);
    assert_eq!(size_of::<crate::HIP_MEMCPY3D>(), 184);
    assert_eq!(size_of::<crate::hipDeviceProp_tR0000>(), 792);
    assert_eq!(offset_of!(crate::hipDeviceProp_tR0000, gcnArchName), 396);
    assert_eq!(size_of::<crate::hipDeviceProp_tR0600>(), 1472);
    assert_eq!(offset_of!(crate::hipDeviceProp_tR0600, gcnArchName), 1160);
    assert_eq!(size_of::<abi::v5_0::hipExternalSemaphoreSignalParams_st>(), 136);
    assert_eq!(size_of::<crate::hipExternalSemaphoreSignalParams>(), 144);
    assert_eq!(offset_of!(abi::v5_0::hipMemAllocationProp, type_), 16);
    assert_eq!(offset_of!(crate::hipMemAllocationProp, type_), 0);
    // Grown at the end: the new layout serves both.
    assert_eq!(size_of::<crate::hipExternalMemoryHandleDesc>(), 104);
    assert_eq!(offset_of!(crate::hipExternalMemoryHandleDesc, flags), 32);
    assert_eq!(size_of::<crate::hipLaunchAttributeValue>(), 64);
}
