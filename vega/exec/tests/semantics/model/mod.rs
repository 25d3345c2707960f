//! A second implementation of the instruction set, as plain as it can be and by mnemonic: it shares no code with the
//! engines and does not look at what the opcode table says of an instruction's meaning. Of the table it takes where the
//! operands are and how wide, which `vega-isa` tests against LLVM.
//!
//! | file | what it holds |
//! |---|---|
//! | `wave` | registers, operands, one step |
//! | `float`, `approximate`, `divide` | floating point on LLVM's software arithmetic |
//! | `vector`, `bytes` | lanes of vector instructions |
//! | `scalar` | scalar arithmetic |
//! | `exchange` | lanes exchange values |
//! | `memory`, `lds` | memory of all kinds |

mod approximate;
mod bytes;
mod divide;
mod exchange;
pub mod float;
mod lds;
mod memory;
mod scalar;
mod vector;
mod wave;

pub use wave::{MEMORY, MEMORY_BYTES, Wave};
