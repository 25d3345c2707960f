//! The gfx900 instruction set: opcode table, decoder, disassembler.
//!
//! One [`Row`] per opcode says everything that any reader needs; [`decode()`] turns words into an [`Inst`] that
//! points to its row, and the instruction's `Display` is the text that LLVM's disassembler prints.
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
pub use row::{
    Class, Denormals, Encoding, ExecRule, Faults, Form, Forms, FpTraits, Implicit, Legal, NanRule, OtherHalf,
    Rounding, Row,
};
pub use table::Table;
