//! Register counts of image instructions: they follow from the opcode and the modifiers.

use crate::inst::{Flags, Inst};
use crate::memory::{Atomic, ImageOp, Lod};
use crate::micro::Micro;
use crate::row::Row;

/// Registers of image data: one for each component in dmask (four for gathers), half with d16, one more with tfe.
pub(crate) fn data_dwords(inst: &Inst) -> u8 {
    let m = &inst.modifiers;
    let components = match inst.row.micro {
        Micro::Image(ImageOp::Sample(s)) if s.gather => 4,
        // New value and compare value.
        Micro::Image(ImageOp::Atomic(Atomic::CmpSwap)) => (m.dmask.count_ones() as u8).max(2),
        _ => (m.dmask.count_ones() as u8).max(1),
    };
    let dwords = if m.flags.has(Flags::D16) { components.div_ceil(2) } else { components };
    dwords + u8::from(m.flags.has(Flags::TFE))
}

/// What LLVM prints: a register group of a size that it knows for the opcode, else of the opcode's least size.
pub(crate) fn printed_data_dwords(inst: &Inst, first: u8) -> u8 {
    let wanted = data_dwords(inst);
    let (least, known): (u8, &[u8]) = match inst.row.micro {
        Micro::Image(ImageOp::Sample(s)) if s.gather => (4, &[2, 4, 5]),
        Micro::Image(ImageOp::Atomic(Atomic::CmpSwap)) => (2, &[2, 4]),
        Micro::Image(ImageOp::Atomic(_)) => (1, &[1, 2]),
        _ => (1, &[1, 2, 3, 4, 5]),
    };
    let fits = u32::from(first) + u32::from(wanted) <= 256;
    if known.contains(&wanted) && fits { wanted } else { least }
}

/// The fewest address registers that the opcode needs, with a one-dimensional image: before gfx10 the encoding
/// does not tell how many there are.
pub(crate) fn least_address_dwords(row: &Row) -> u8 {
    match row.micro {
        Micro::Image(ImageOp::Sample(s)) => {
            let lod = match s.lod {
                Lod::Derivatives | Lod::CoarseDerivatives | Lod::Bias => 1,
                Lod::Implicit | Lod::Level | Lod::Zero => 0,
            };
            1 + u8::from(s.compare) + u8::from(s.offset) + lod
        }
        _ => 1,
    }
}
