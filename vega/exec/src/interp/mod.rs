//! The interpreter: predecoded records, one handler call each.
//!
//! | file | what it holds |
//! |---|---|
//! | `record`, `program`, `code` | predecoded instructions, code reached from an entry, the cache of it |
//! | `lower` | from decoded instructions to records |
//! | `level`, `elem`, `lanes` | handlers for each vector extension of the host; lanes as vectors |
//! | `alu`, `num` | fast vector operations |
//! | `gds` | the global data share |
//! | `modified` | neg, abs, DPP and SDWA around those |
//! | `planned` | all other vector operations, by way of [`crate::semantics`] |
//! | `registers` | hardware registers |
//! | `scalar`, `control`, `cross`, `mem`, `gws` | the other instructions |
//! | `observed` | the loop for waves that somebody watches |
//! | `wave`, `worker` | the state of a wave; the state of the thread that runs it |
//!
//! # Safety
//! Handlers are unsafe functions: `lower` chooses them for a [`level::Level`] that the host has, and bounds
//! the register numbers of every record. The interpreter calls them with records of the wave's own program.

// Loops over lanes index several arrays at once: the form that the compiler turns into vector instructions.
#![allow(clippy::needless_range_loop)]

pub(crate) mod alu;
pub(crate) mod code;
mod control;
mod cross;
mod elem;
pub(crate) mod gds;
mod gws;
mod lanes;
pub(crate) mod level;
pub(crate) mod lower;
pub(crate) mod mem;
pub(crate) mod modified;
mod num;
mod observed;
pub(crate) mod planned;
pub(crate) mod program;
pub(crate) mod record;
pub(crate) mod registers;
pub(crate) mod scalar;
pub(crate) mod wave;
pub(crate) mod worker;

use program::{Indexed, Program};
use record::{EXIT, Record, code as source};
use wave::{Stop, Wave};
use worker::Worker;

/// MODE as hipcc's kernels start with it: round to nearest even, denormals on, dx10_clamp, ieee.
pub(crate) const DEFAULT_MODE: u32 = 0x3f0;

/// Runs the wave until it stops for a reason that others must know of.
pub(crate) fn run(wave: &mut Wave, worker: &mut Worker) -> Stop {
    loop {
        if worker.observer.as_ref().is_some_and(|observer| observer.wants(wave)) {
            observed::run(wave, worker);
        } else if wave.gpr_idx || wave.skip_vector {
            run_modified(wave, worker);
        } else {
            run_plain(wave, worker);
        }
        match wave.stop {
            Stop::Jump(va) => {
                worker.jump(wave, va);
                // Code may loop by jumps alone (a recursion that never ends): others must have their turn.
                wave.budget -= 1;
                if wave.budget == 0 {
                    wave.budget = worker::BUDGET;
                    wave.stop = Stop::Yield;
                    return Stop::Yield;
                }
            }
            Stop::Indexing => {}
            stop => {
                if stop == Stop::Yield
                    && let Some(program) = wave.program()
                {
                    program.warm(LONG_LOOP);
                }
                return stop;
            }
        }
    }
}

/// How the waves of a workgroup begin a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// Each by itself.
    #[default]
    Alone,
    /// Together: scalar instructions are done once.
    Together,
    /// Together, with work-items whose numbers count up along the waves: v0 need not be set.
    InLine,
}

/// How the waves of a workgroup can begin the program.
pub(crate) fn beginning(program: &Program) -> Beginning {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    if let Some(code) = program.compiled() {
        return code.beginning();
    }
    let _ = program;
    Beginning::Alone
}

/// Runs the waves of a workgroup together where they begin, as far as that goes. True: all have ended. Otherwise each goes on
/// by itself, or one has faulted. Of their scalar registers only the first wave's and every one's EXEC count.
pub(crate) fn run_together(waves: &mut [Box<Wave>], worker: &mut Worker, in_line: bool) -> bool {
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    if let Some(program) = waves.first().and_then(|wave| wave.program())
        && let Some(code) = program.compiled()
    {
        return code.run_together(program, waves, worker, in_line);
    }
    let _ = (waves, worker, in_line);
    false
}

/// What a loop of [`worker::BUDGET`] rounds counts towards compiling its program, in waves.
const LONG_LOOP: u64 = 16;

fn run_plain(wave: &mut Wave, worker: &mut Worker) {
    let Some(program) = wave.program() else { return };
    let records = program.records.as_slice();
    let mut ip = wave.ip;
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    if let Some(code) = program.compiled() {
        // Compiled code can be entered at some records only; others are few and interpreted.
        while let Some(record) = records.get(ip) {
            ip = match code.run(program, wave, worker, ip, std::ptr::null_mut()) {
                Some(next) => next,
                // SAFETY: see the file's head.
                None => unsafe { (record.run)(wave, worker, record, ip) },
            };
        }
        return;
    }
    while let Some(record) = records.get(ip) {
        // SAFETY: see the file's head.
        ip = unsafe { (record.run)(wave, worker, record, ip) };
    }
}

/// The same while `s_set_gpr_idx` or `s_setvskip` is on.
fn run_modified(wave: &mut Wave, worker: &mut Worker) {
    let Some(program) = wave.program() else { return };
    wave.stop = Stop::Indexing;
    let before = (wave.gpr_idx, wave.skip_vector);
    let mut ip = wave.ip;
    while let Some(record) = program.records.get(ip) {
        let Some(record) = modified(wave, program, ip, *record) else {
            ip += 1;
            continue;
        };
        // SAFETY: see the file's head; `index` keeps registers below 256.
        ip = unsafe { (record.run)(wave, worker, &record, ip) };
        if (wave.gpr_idx, wave.skip_vector) != before && ip != EXIT {
            wave.ip = ip;
            return;
        }
    }
}

/// The record as `s_set_gpr_idx` makes it: M0\[7:0\] is added to the vector registers that M0\[15:12\] tells. `None` if
/// `s_setvskip` skips it, or if its destination is out of range.
fn modified(wave: &Wave, program: &Program, ip: usize, mut record: Record) -> Option<Record> {
    if wave.skip_vector && program.is_skipped(ip) {
        return None;
    }
    if wave.gpr_idx
        && let Some(Indexed(which)) = program.indexed(ip)
        && !index(&mut record, which, wave.m0())
    {
        return None;
    }
    Some(record)
}

/// False if the destination is out of range: the card ignores the instruction then. A source out of range is register 0.
fn index(record: &mut Record, which: [u8; 3], m0: u32) -> bool {
    let by = (m0 & 0xff) as u16;
    for (number, bit) in record.src.iter_mut().zip(which) {
        if m0 >> (12 + bit) & 1 == 1 && (source::VGPR..source::VGPR + 256).contains(number) {
            let register = *number - source::VGPR + by;
            *number = source::VGPR + if register < 256 { register } else { 0 };
        }
    }
    if m0 >> 15 & 1 == 1 {
        record.dst = record.dst.saturating_add(by);
    }
    record.dst < 256
}
