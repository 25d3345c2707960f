//! The table of SDMA v4 packets.
//!
//! Source: vega10_sdma_pkt_open.h of the amdgpu kernel driver; what ROCr's blit code emits is in its
//! sdma_registers.h. Rows without an action exist so that a report can name what user space asked for.

use crate::format::{Format, Length, at, wide};

/// Fields of SDMA packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// What to add to a packet's count of bytes, elements or dwords is the action's business.
    Count,
    Src,
    Dst,
    /// The second destination of a broadcast copy.
    Dst2,
    /// Element size of a rectangle or a fill, as a power of two.
    Element,
    SrcX,
    SrcY,
    SrcZ,
    SrcPitch,
    SrcSlice,
    DstX,
    DstY,
    DstZ,
    DstPitch,
    DstSlice,
    RectX,
    RectY,
    RectZ,
    Data,
    Compare,
    Mask,
    Function,
    MemoryPoll,
    Operation,
    /// Repeat a compare and swap until it succeeds.
    Loop,
    Context,
}

/// What a packet asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing: padding, and what only steers hardware that is not there.
    Nothing,
    CopyLinear,
    CopyRect,
    WriteLinear,
    Indirect,
    Fence,
    Trap,
    Poll,
    ConditionalExecute,
    Atomic,
    Fill,
    Timestamp,
    /// The hardware has it, this card does not.
    Unsupported,
}

/// One row of the table.
pub(crate) type SdmaFormat = Format<Key, Action>;

/// The opcode alone.
const OP: u32 = 0x0000_00ff;
/// Opcode and sub-opcode.
const SUB: u32 = 0x0000_ffff;
/// Opcode, sub-opcode and the broadcast flag of copies.
const BROADCAST: u32 = 0x0800_ffff;

/// The queue stops at such a packet, so its length does not matter.
const fn unsupported(name: &'static str, mask: u32, value: u32) -> SdmaFormat {
    Format { name, mask, value, length: Length::Fixed(1), action: Action::Unsupported, fields: &[] }
}

/// All packets; a row with more mask bits stands before the one it refines.
pub(crate) static FORMATS: [SdmaFormat; 35] = [
    Format {
        name: "NOP",
        mask: SUB,
        value: 0x0000,
        length: Length::Counted { base: 1, dword: 0, shift: 16, bits: 14 },
        action: Action::Nothing,
        fields: &[],
    },
    Format {
        name: "COPY_BROADCAST_LINEAR",
        mask: BROADCAST,
        value: 0x0800_0001,
        length: Length::Fixed(9),
        action: Action::CopyLinear,
        fields: &[at(Key::Count, 1, 0, 22), wide(Key::Src, 3), wide(Key::Dst, 5), wide(Key::Dst2, 7)],
    },
    Format {
        name: "COPY_LINEAR",
        mask: SUB,
        value: 0x0001,
        length: Length::Fixed(7),
        action: Action::CopyLinear,
        fields: &[at(Key::Count, 1, 0, 22), wide(Key::Src, 3), wide(Key::Dst, 5)],
    },
    unsupported("COPY_TILED", SUB, 0x0101),
    unsupported("COPY_STRUCTURE_OF_ARRAYS", SUB, 0x0301),
    Format {
        name: "COPY_LINEAR_SUB_WINDOW",
        mask: SUB,
        value: 0x0401,
        length: Length::Fixed(13),
        action: Action::CopyRect,
        fields: &[
            at(Key::Element, 0, 29, 3),
            wide(Key::Src, 1),
            at(Key::SrcX, 3, 0, 14),
            at(Key::SrcY, 3, 16, 14),
            at(Key::SrcZ, 4, 0, 11),
            at(Key::SrcPitch, 4, 13, 19),
            at(Key::SrcSlice, 5, 0, 28),
            wide(Key::Dst, 6),
            at(Key::DstX, 8, 0, 14),
            at(Key::DstY, 8, 16, 14),
            at(Key::DstZ, 9, 0, 11),
            at(Key::DstPitch, 9, 13, 19),
            at(Key::DstSlice, 10, 0, 28),
            at(Key::RectX, 11, 0, 14),
            at(Key::RectY, 11, 16, 14),
            at(Key::RectZ, 12, 0, 11),
        ],
    },
    unsupported("COPY_TILED_SUB_WINDOW", SUB, 0x0501),
    unsupported("COPY_T2T_SUB_WINDOW", SUB, 0x0601),
    unsupported("COPY_DIRTY_PAGE", SUB, 0x0701),
    unsupported("COPY_LINEAR_PHYSICAL", SUB, 0x0801),
    Format {
        name: "WRITE_LINEAR",
        mask: SUB,
        value: 0x0002,
        // Four dwords, then count + 1 dwords of data.
        length: Length::Counted { base: 5, dword: 3, shift: 0, bits: 20 },
        action: Action::WriteLinear,
        fields: &[wide(Key::Dst, 1), at(Key::Count, 3, 0, 20)],
    },
    unsupported("WRITE_TILED", SUB, 0x0102),
    Format {
        name: "INDIRECT_BUFFER",
        mask: SUB,
        value: 0x0004,
        length: Length::Fixed(6),
        action: Action::Indirect,
        fields: &[wide(Key::Src, 1), at(Key::Count, 3, 0, 20)],
    },
    Format {
        name: "FENCE",
        mask: SUB,
        value: 0x0005,
        length: Length::Fixed(4),
        action: Action::Fence,
        fields: &[wide(Key::Dst, 1), at(Key::Data, 3, 0, 32)],
    },
    Format {
        name: "TRAP",
        mask: SUB,
        value: 0x0006,
        length: Length::Fixed(2),
        action: Action::Trap,
        fields: &[at(Key::Context, 1, 0, 28)],
    },
    unsupported("SEMAPHORE", OP, 0x07),
    Format {
        name: "POLL_REGMEM",
        mask: SUB,
        value: 0x0008,
        length: Length::Fixed(6),
        action: Action::Poll,
        fields: &[
            at(Key::Function, 0, 28, 3),
            at(Key::MemoryPoll, 0, 31, 1),
            wide(Key::Src, 1),
            at(Key::Compare, 3, 0, 32),
            at(Key::Mask, 4, 0, 32),
        ],
    },
    unsupported("POLL_REG_WRITE_MEM", SUB, 0x0108),
    unsupported("POLL_DBIT_WRITE_MEM", SUB, 0x0208),
    unsupported("POLL_MEM_VERIFY", SUB, 0x0308),
    Format {
        name: "COND_EXE",
        mask: SUB,
        value: 0x0009,
        length: Length::Fixed(5),
        action: Action::ConditionalExecute,
        fields: &[wide(Key::Src, 1), at(Key::Compare, 3, 0, 32), at(Key::Count, 4, 0, 14)],
    },
    Format {
        name: "ATOMIC",
        mask: SUB,
        value: 0x000a,
        length: Length::Fixed(8),
        action: Action::Atomic,
        fields: &[
            at(Key::Loop, 0, 16, 1),
            at(Key::Operation, 0, 25, 7),
            wide(Key::Dst, 1),
            wide(Key::Data, 3),
            wide(Key::Compare, 5),
        ],
    },
    Format {
        name: "CONSTANT_FILL",
        mask: SUB,
        value: 0x000b,
        length: Length::Fixed(5),
        action: Action::Fill,
        fields: &[
            at(Key::Element, 0, 30, 2),
            wide(Key::Dst, 1),
            at(Key::Data, 3, 0, 32),
            at(Key::Count, 4, 0, 22),
        ],
    },
    unsupported("DATA_FILL_MULTI", SUB, 0x010b),
    unsupported("PTEPDE_GENERATE", SUB, 0x000c),
    unsupported("PTEPDE_COPY", SUB, 0x010c),
    unsupported("PTEPDE_RMW", SUB, 0x020c),
    unsupported("PTEPDE_COPY_BACKWARDS", SUB, 0x030c),
    unsupported("TIMESTAMP_SET", SUB, 0x000d),
    Format {
        name: "TIMESTAMP_GET",
        mask: SUB,
        value: 0x010d,
        length: Length::Fixed(3),
        action: Action::Timestamp,
        fields: &[wide(Key::Dst, 1)],
    },
    Format {
        name: "TIMESTAMP_GET_GLOBAL",
        mask: SUB,
        value: 0x020d,
        length: Length::Fixed(3),
        action: Action::Timestamp,
        fields: &[wide(Key::Dst, 1)],
    },
    unsupported("SRBM_WRITE", OP, 0x0e),
    Format {
        name: "PRE_EXE",
        mask: OP,
        value: 0x0f,
        length: Length::Fixed(2),
        action: Action::Nothing,
        fields: &[],
    },
    Format {
        name: "DUMMY_TRAP",
        mask: OP,
        value: 0x10,
        length: Length::Fixed(2),
        action: Action::Nothing,
        fields: &[],
    },
    // Of a later generation; named because a newer runtime could take the card for one.
    unsupported("GCR", OP, 0x11),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn name(first: u32) -> Option<&'static str> {
        Format::of(&FORMATS, first).map(|f| f.name)
    }

    #[test]
    fn first_dwords_select_their_rows() {
        let cases = [
            (0x0000_0000, Some("NOP")),
            (0x0000_0001, Some("COPY_LINEAR")),
            (0x0800_0001, Some("COPY_BROADCAST_LINEAR")),
            (0x4000_0401, Some("COPY_LINEAR_SUB_WINDOW")),
            (0x8000_000b, Some("CONSTANT_FILL")),
            (0x5e00_000a, Some("ATOMIC")),
            (0xb000_0008, Some("POLL_REGMEM")),
            (0x0000_0208, Some("POLL_DBIT_WRITE_MEM")),
            (0x0000_020d, Some("TIMESTAMP_GET_GLOBAL")),
            (0x0000_0012, None),
            (0x0000_0904, None),
        ];
        for (first, expected) in cases {
            assert_eq!(name(first), expected, "{first:#010x}");
        }
    }

    #[test]
    fn every_row_can_be_reached() {
        for format in &FORMATS {
            assert_eq!(name(format.value), Some(format.name), "shadowed by an earlier row");
        }
    }

    #[test]
    fn fields_lie_inside_their_packets() {
        for format in &FORMATS {
            let shortest = format.dwords(&[format.value]);
            assert!(format.head() <= shortest, "{}", format.name);
        }
    }

    #[test]
    fn counted_lengths_follow_the_count() {
        let nop = Format::of(&FORMATS, 0x003f_0000).unwrap();
        assert_eq!(nop.dwords(&[0x003f_0000]), 64);
        let write = Format::of(&FORMATS, 0x0002).unwrap();
        assert_eq!(write.dwords(&[2, 0, 0, 7]), 12);
    }
}
