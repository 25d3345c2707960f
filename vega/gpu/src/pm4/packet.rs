//! The table of PM4 packets of type 3, and the filler of type 2.
//!
//! Sources: soc15d.h of the amdgpu kernel driver; ROCr's amd_gpu_pm4.h for what it emits (ACQUIRE_MEM as
//! code cache flush).

use crate::format::{Format, Length, at, wide};

/// Fields of PM4 packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    /// Which caches ACQUIRE_MEM acts on: COHER_CNTL.
    Caches,
    /// Base and size in units of 256 bytes.
    Base,
    Size,
    SrcSelect,
    DstSelect,
    /// What RELEASE_MEM writes.
    DataSelect,
    /// Whether RELEASE_MEM interrupts.
    InterruptSelect,
    Src,
    Dst,
    Data,
    Compare,
    Mask,
    Function,
    MemorySpace,
    Operation,
    Command,
    /// 64 bits instead of 32.
    Wide,
    /// All dwords go to one address.
    OneAddress,
    Count,
    Context,
}

/// What a packet asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing: padding, and events and registers of hardware that is not there.
    Nothing,
    AcquireMem,
    ReleaseMem,
    WriteData,
    CopyData,
    WaitMem,
    DmaData,
    Atomic,
    IndirectBuffer,
}

/// One row of the table.
pub(crate) type Pm4Format = Format<Key, Action>;

/// COHER_CNTL: the instruction cache (SH_ICACHE_ACTION_ENA).
pub(crate) const ICACHE: u64 = 1 << 29;

/// Two dwords and the header's count.
const TYPE_3: Length = Length::Counted { base: 2, dword: 0, shift: 16, bits: 14 };

const fn row(
    name: &'static str,
    opcode: u32,
    action: Action,
    fields: &'static [crate::format::Field<Key>],
) -> Pm4Format {
    Format { name, mask: 0xc000_ff00, value: 0xc000_0000 | opcode << 8, length: TYPE_3, action, fields }
}

pub(crate) static FORMATS: [Pm4Format; 17] = [
    Format {
        name: "FILLER",
        mask: 0xc000_0000,
        value: 0x8000_0000,
        length: Length::Fixed(1),
        action: Action::Nothing,
        fields: &[],
    },
    // A NOP whose count is all ones is its header alone.
    Format {
        name: "NOP_HEADER",
        mask: 0xffff_ff00,
        value: 0xffff_1000,
        length: Length::Fixed(1),
        action: Action::Nothing,
        fields: &[],
    },
    row("NOP", 0x10, Action::Nothing, &[]),
    row(
        "ATOMIC_MEM",
        0x1e,
        Action::Atomic,
        &[
            at(Key::Operation, 1, 0, 7),
            at(Key::Command, 1, 8, 4),
            wide(Key::Dst, 2),
            wide(Key::Data, 4),
            wide(Key::Compare, 6),
        ],
    ),
    row(
        "WRITE_DATA",
        0x37,
        Action::WriteData,
        &[at(Key::DstSelect, 1, 8, 4), at(Key::OneAddress, 1, 16, 1), wide(Key::Dst, 2)],
    ),
    row(
        "WAIT_REG_MEM",
        0x3c,
        Action::WaitMem,
        &[
            at(Key::Function, 1, 0, 3),
            at(Key::MemorySpace, 1, 4, 2),
            at(Key::Operation, 1, 6, 2),
            wide(Key::Src, 2),
            at(Key::Compare, 4, 0, 32),
            at(Key::Mask, 5, 0, 32),
        ],
    ),
    row("INDIRECT_BUFFER", 0x3f, Action::IndirectBuffer, &[at(Key::Src, 1, 0, 48), at(Key::Count, 3, 0, 20)]),
    row(
        "COPY_DATA",
        0x40,
        Action::CopyData,
        &[
            at(Key::SrcSelect, 1, 0, 4),
            at(Key::DstSelect, 1, 8, 4),
            at(Key::Wide, 1, 16, 1),
            wide(Key::Src, 2),
            wide(Key::Dst, 4),
        ],
    ),
    row("PFP_SYNC_ME", 0x42, Action::Nothing, &[]),
    row("EVENT_WRITE", 0x46, Action::Nothing, &[]),
    row(
        "RELEASE_MEM",
        0x49,
        Action::ReleaseMem,
        &[
            at(Key::InterruptSelect, 2, 24, 3),
            at(Key::DataSelect, 2, 29, 3),
            wide(Key::Dst, 3),
            wide(Key::Data, 5),
            at(Key::Context, 7, 0, 32),
        ],
    ),
    row(
        "DMA_DATA",
        0x50,
        Action::DmaData,
        &[
            at(Key::DstSelect, 1, 20, 2),
            at(Key::SrcSelect, 1, 29, 2),
            wide(Key::Src, 2),
            wide(Key::Dst, 4),
            at(Key::Count, 6, 0, 26),
            // Source or destination is a register.
            at(Key::Command, 6, 26, 2),
        ],
    ),
    row(
        "ACQUIRE_MEM",
        0x58,
        Action::AcquireMem,
        &[at(Key::Caches, 1, 0, 31), at(Key::Size, 2, 0, 40), at(Key::Base, 4, 0, 56)],
    ),
    row("SET_CONFIG_REG", 0x68, Action::Nothing, &[]),
    row("SET_CONTEXT_REG", 0x69, Action::Nothing, &[]),
    row("SET_SH_REG", 0x76, Action::Nothing, &[]),
    row("SET_UCONFIG_REG", 0x79, Action::Nothing, &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_dwords_select_their_rows() {
        let cases = [
            (0x8000_0000, Some("FILLER"), 1),
            (0xffff_1000, Some("NOP_HEADER"), 1),
            (0xc003_1000, Some("NOP"), 5),
            (0xc005_5800, Some("ACQUIRE_MEM"), 7),
            (0xc005_5802, Some("ACQUIRE_MEM"), 7),
            (0xc006_4900, Some("RELEASE_MEM"), 8),
            (0xc002_3f00, Some("INDIRECT_BUFFER"), 4),
            (0xc000_1500, None, 0),
            (0x0000_1000, None, 0),
        ];
        for (first, name, dwords) in cases {
            let format = Format::of(&FORMATS, first);
            assert_eq!(format.map(|f| f.name), name, "{first:#x}");
            assert_eq!(format.map_or(0, |f| f.dwords(&[first])), dwords, "{first:#x}");
        }
    }

    #[test]
    fn every_row_can_be_reached() {
        for format in &FORMATS {
            assert_eq!(Format::of(&FORMATS, format.value).map(|f| f.name), Some(format.name));
        }
    }
}
