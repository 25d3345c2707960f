//! Every opcode that a compute kernel can execute, against a second implementation of the instruction set.
//!
//! | file | what it holds |
//! |---|---|
//! | `model` | the second implementation |
//! | `harness` | runs code on the engine from any state |
//! | `generate` | random instructions and states |
//! | `rows` | each row and form, one instruction at a time |
//! | `programs` | random programs |
//! | `flow` | program flow, indexing, MODE |
//! | `mutation` | corrupted rows, which must be noticed |
//! | `columns` | EXEC rules, and registers read and written without being named |
//! | `fuzz` | any words as code |
//! | `coverage` | which test has which opcode |

mod columns;
#[path = "../common/mod.rs"]
mod common;
mod coverage;
mod flow;
mod fuzz;
mod generate;
mod harness;
mod model;
mod mutation;
mod programs;
mod rows;
