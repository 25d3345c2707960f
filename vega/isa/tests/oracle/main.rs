//! vega-isa against LLVM's disassembler: texts, opcode list, random words, and mutations of the table.
//!
//! The tests that need `llvm-mc-15` fail without it when `VEGA_REQUIRE_LLVM` is set, else they say that they
//! were skipped. `LLVM_MC` names another binary.

mod coverage;
mod generator;
mod llvm;
mod mutation;
mod random;
mod rng;
mod texts;
mod variants;
