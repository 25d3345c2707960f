//! The region compiler: gfx900 to the host's vectors.
//!
//! A program's records become x86-64 code with the host's vectors. What the compiler does not know, the code leaves to
//! the interpreter's handlers, one record at a time: between records the wave's state is where the
//! interpreter expects it. Vector instructions are gathered into regions that run as loops over strips of
//! sixteen lanes, one register of the host for a register of the guest.
//!
//! | file | what it holds |
//! |---|---|
//! | `target` | what code is compiled for: the width of strips, registers, what is covered |
//! | `ir`, `operand`, `set` | vector instructions with their operands resolved; sets of registers |
//! | `shape`, `tables` | which host instructions a micro-operation becomes |
//! | `compiler`, `flow`, `frame` | from records to code: regions, program flow, calls of the interpreter, the way in and out |
//! | `lockstep`, `together` | the beginning of a program for all waves of a workgroup at once; the way in and out |
//! | `region`, `strip`, `registers` | one region, its emission for a strip, which values are in registers |
//! | `dwords` | vector arithmetic that takes the same steps on every target |
//! | `lane`, `integer`, `float`, `wide`, `half`, `bits` | emission of vector arithmetic, for AVX-512 |
//! | `math`, `divide` | functions of floats, the helpers of division |
//! | `codes`, `width` | the host's instructions on dwords, and on floats of both widths |
//! | `form`, `whole` | parts of dwords and permuted lanes around operations; exchange between the lanes of a wave |
//! | `memory`, `block`, `gather`, `untyped` | emission of loads and stores, for AVX-512 |
//! | `atomic` | emission of atomic operations |
//! | `avx2` | the same for AVX2 |
//! | `groups`, `classify`, `address` | which accesses have their addresses in common, how those lie, translations and bounds |
//! | `line` | the same beginning for work-items in a line: all waves as one wide wave |
//! | `affine`, `value`, `firsts`, `spread` | addresses that are affine over a wave, and regions whose accesses all are |
//! | `liveness` | which vector registers may still be read |
//! | `scalar`, `scalar_fields` | emission of scalar instructions |
//! | `assembler`, `layout` | instructions, labels and constants; where code finds things |
//! | `code`, `context`, `buffer` | finished code, what it finds by a pointer, the memory it lies in |
//!
//! # Safety
//! `code` says how compiled code is entered and what it may touch. Here, one call of the C library fills a local variable.

mod address;
mod affine;
mod assembler;
mod atomic;
mod avx2;
mod bits;
mod block;
mod buffer;
mod classify;
pub(crate) mod code;
mod codes;
mod compiler;
pub(crate) mod context;
mod divide;
mod dwords;
mod firsts;
mod float;
mod flow;
mod form;
mod frame;
mod gather;
mod groups;
mod half;
mod integer;
mod ir;
mod lane;
mod layout;
mod line;
mod liveness;
mod lockstep;
mod math;
mod memory;
mod operand;
mod region;
mod registers;
mod scalar;
mod scalar_fields;
mod set;
mod shape;
mod spread;
mod strip;
mod tables;
mod target;
mod together;
mod untyped;
mod value;
mod whole;
mod wide;
mod width;

use std::sync::Once;
use std::time::Duration;

use crate::interp::code::Compiling;
use crate::interp::program::Program;
use crate::observe::Compiling as Cost;
use code::Code;
pub(crate) use target::Target;

/// Compiles a program; `None` when that fails, which is said once: the interpreter goes on.
pub(crate) fn compile(program: &Program, compiling: Compiling, fenced: bool) -> Option<Code> {
    static WARNING: Once = Once::new();
    let target = Target::of(compiling.kind)?;
    let start = processor_time();
    match compiler::compile(program, target, fenced, compiling.counted) {
        Ok(code) => {
            let time = processor_time().saturating_sub(start);
            Cost::add(program.records.len(), time, code.len());
            Some(code)
        }
        Err(error) => {
            WARNING.call_once(|| {
                eprintln!("vega: cannot compile kernels ({error}); they are interpreted instead, slower");
            });
            None
        }
    }
}

/// Processor time of the calling thread.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: fills a local variable.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
