//! The table of AQL packets.
//!
//! Sources: hsa.h (`hsa_kernel_dispatch_packet_t`, `hsa_barrier_and_packet_t`, `hsa_barrier_or_packet_t`),
//! hsa_ext_amd.h (`hsa_amd_barrier_value_packet_t`), and the PM4 packet that ROCr's
//! `AqlQueue::ExecutePM4` builds for gfx9.

use crate::format::{Field, Format, Length, at, wide};

/// Bytes of an AQL packet.
pub(crate) const BYTES: u64 = 64;
/// Dwords of an AQL packet.
pub(crate) const DWORDS: usize = 16;
/// The header of a slot that user space has not written yet: type `INVALID`, nothing else.
pub(crate) const INVALID: u16 = 1;

/// Whether a header says that the slot is still to be written.
pub(crate) fn is_invalid(header: u16) -> bool {
    header & 0xff == INVALID
}

/// Fields of AQL packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Dimensions,
    WorkgroupX,
    WorkgroupY,
    WorkgroupZ,
    GridX,
    GridY,
    GridZ,
    PrivateSegmentSize,
    GroupSegmentSize,
    KernelObject,
    KernargAddress,
    CompletionSignal,
    Dependency0,
    Dependency1,
    Dependency2,
    Dependency3,
    Dependency4,
    Value,
    Mask,
    Condition,
    IbAddress,
    IbDwords,
}

/// What a packet asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Dispatch,
    /// Waits until all dependencies are 0.
    BarrierAnd,
    /// Waits until one dependency is 0.
    BarrierOr,
    /// Waits until a signal's masked value compares as asked.
    BarrierValue,
    /// Executes a PM4 indirect buffer.
    IndirectBuffer,
    /// A vendor-specific format that this card does not know.
    UnknownVendor,
}

/// One row of the table.
pub(crate) type AqlFormat = Format<Key, Action>;

/// The five dependencies of a barrier packet.
pub(crate) const DEPENDENCIES: [Key; 5] =
    [Key::Dependency0, Key::Dependency1, Key::Dependency2, Key::Dependency3, Key::Dependency4];

/// The completion signal is at the same place in every format.
pub(crate) const COMPLETION: Field<Key> = wide(Key::CompletionSignal, 14);

const BARRIER: &[Field<Key>] = &[
    wide(Key::Dependency0, 2),
    wide(Key::Dependency1, 4),
    wide(Key::Dependency2, 6),
    wide(Key::Dependency3, 8),
    wide(Key::Dependency4, 10),
    COMPLETION,
];

const fn row(
    name: &'static str,
    mask: u32,
    value: u32,
    action: Action,
    fields: &'static [Field<Key>],
) -> AqlFormat {
    Format { name, mask, value, length: Length::Fixed(DWORDS as u32), action, fields }
}

/// The packet type is the first byte; a vendor-specific packet's format is the third.
pub(crate) static FORMATS: [AqlFormat; 6] = [
    row(
        "KERNEL_DISPATCH",
        0xff,
        2,
        Action::Dispatch,
        &[
            at(Key::Dimensions, 0, 16, 2),
            at(Key::WorkgroupX, 1, 0, 16),
            at(Key::WorkgroupY, 1, 16, 16),
            at(Key::WorkgroupZ, 2, 0, 16),
            at(Key::GridX, 3, 0, 32),
            at(Key::GridY, 4, 0, 32),
            at(Key::GridZ, 5, 0, 32),
            at(Key::PrivateSegmentSize, 6, 0, 32),
            at(Key::GroupSegmentSize, 7, 0, 32),
            wide(Key::KernelObject, 8),
            wide(Key::KernargAddress, 10),
            COMPLETION,
        ],
    ),
    row("BARRIER_AND", 0xff, 3, Action::BarrierAnd, BARRIER),
    row("BARRIER_OR", 0xff, 5, Action::BarrierOr, BARRIER),
    row(
        "PM4_IB",
        0x00ff_00ff,
        0x0001_0000,
        Action::IndirectBuffer,
        // Dwords 1 to 4 are a PM4 INDIRECT_BUFFER packet.
        &[at(Key::IbAddress, 2, 0, 48), at(Key::IbDwords, 4, 0, 20), COMPLETION],
    ),
    row(
        "BARRIER_VALUE",
        0x00ff_00ff,
        0x0002_0000,
        Action::BarrierValue,
        &[
            wide(Key::Dependency0, 2),
            wide(Key::Value, 4),
            wide(Key::Mask, 6),
            at(Key::Condition, 8, 0, 32),
            COMPLETION,
        ],
    ),
    row("VENDOR_SPECIFIC", 0xff, 0, Action::UnknownVendor, &[COMPLETION]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_dwords_select_their_rows() {
        let cases: [(u32, Option<&str>); 9] = [
            (0x0001_1502, Some("KERNEL_DISPATCH")),
            (0x0003_0502, Some("KERNEL_DISPATCH")),
            (0x0000_0103, Some("BARRIER_AND")),
            (0x0000_0105, Some("BARRIER_OR")),
            (0x0001_0000, Some("PM4_IB")),
            (0x0002_0100, Some("BARRIER_VALUE")),
            (0x0007_0000, Some("VENDOR_SPECIFIC")),
            (0x0000_0004, None),
            (0x0000_0077, None),
        ];
        for (first, name) in cases {
            assert_eq!(Format::of(&FORMATS, first).map(|f| f.name), name, "{first:#x}");
        }
    }

    #[test]
    fn no_field_reaches_beyond_the_packet() {
        for format in &FORMATS {
            assert_eq!(format.head(), DWORDS as u32, "{}", format.name);
        }
    }
}
