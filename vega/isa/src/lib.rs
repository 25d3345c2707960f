//! The gfx900 instruction set: opcode table, decoder, disassembler.
//!
//! One [`Row`] per opcode says everything that any reader needs; [`decode()`] turns words into an [`Inst`] that
//! points to its row, and the instruction's `Display` is the text that LLVM's disassembler prints.
//!
//! ```
//! let inst = vega_isa::decode(&[0x0202_0681])?;
//! assert_eq!(inst.to_string(), "v_add_f32_e32 v1, 1, v3");
//! assert_eq!(inst.row.micro, vega_isa::Micro::Lane2(vega_isa::micro::Bin::Add, vega_isa::Ty::F32));
//! assert_eq!(inst.operands()[2], vega_isa::Operand::Vgpr(3));
//! # Ok::<(), vega_isa::DecodeError>(())
//! ```
//!
//! # How to read a decoded instruction
//! - [`Inst::operands`] is parallel to [`Row::operands`]. VCC that a short form implies is an operand like any other.
//! - The sources of the micro-operation are the slots with [`Role::Src`] in order, then a [`Role::Both`] slot;
//!   [`Row::reversed`] exchanges the first two. The slot's type says how a source's bits and constants are read.
//! - Modifiers apply around the micro-operation: SDWA selection or DPP movement, then absolute value, then
//!   negation; after it, output modifier, then clamp, then the part of the destination that is written.
//! - An operand that the modifiers take away is [`Operand::None`]: the data register of a load to LDS, the returned value
//!   of an atomic operation without `glc`, the vector address of a scalar-addressed access.
//! - The decoder is as lenient as the card: fields that an opcode does not use may hold anything. [`encode()`] writes
//!   zeroes there.
//!
//! # How it is tested
//! `tests/oracle` compares every row, form, operand class and modifier, random words and the list of opcodes with
//! llvm-mc 15, and shows that a corrupted row is noticed; `tests/columns` does the same for the columns that no
//! disassembly shows, by AMD's naming rules.
#![forbid(unsafe_code)]

pub mod decode;
pub mod disasm;
pub mod encode;
mod image;
pub mod inst;
mod layout;
pub mod memory;
pub mod micro;
mod modifiers;
pub mod operand;
pub mod registers;
pub mod row;
pub mod table;
mod text;
mod text_immediate;
mod text_modifiers;

pub use decode::{DecodeError, decode};
pub use disasm::{Line, disassemble, window};
pub use encode::encode;
pub use inst::{Dpp, DppCtrl, Flags, Inst, Modifiers, Sdwa, Sel, Unused};
pub use micro::Micro;
pub use operand::{Field, InlineFloat, Kind, Operand, Role, Slot, Special, Ty, sgpr};
pub use registers::Registers;
pub use row::{
    Class, Denormals, Encoding, ExecRule, Faults, Form, Forms, FpTraits, Implicit, Legal, NanRule, OtherHalf,
    Rounding, Row,
};
pub use table::Table;
