//! The loop for waves that are observed: one instruction at a time, with a look at the wave before and after.
//!
//! # Safety
//! As the plain loop: records of the wave's own program.

use std::sync::Arc;

use super::program::Program;
use super::record::EXIT;
use super::wave::{Stop, Wave};
use super::worker::Worker;
use crate::observe::observer::{Observer, Verdict};

/// Runs the wave until it stops for whatever reason; `wave.stop` says why.
pub(super) fn run(wave: &mut Wave, worker: &mut Worker) {
    // Handlers get the worker, so that it cannot hold the observer meanwhile.
    let Some(mut observer) = worker.observer.take() else { return };
    observer.resume(wave);
    steps(wave, worker, &mut observer);
    observer.pause();
    worker.observer = Some(observer);
}

fn steps(wave: &mut Wave, worker: &mut Worker, observer: &mut Observer) {
    let Some(program) = wave.program() else { return };
    let number = worker.programs.iter().position(|p| Arc::as_ptr(p) == wave.program).unwrap_or(0);
    let mut ip = wave.ip;
    while let Some(record) = program.records.get(ip) {
        #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
        if let Some(next) = compiled(wave, worker, observer, program, (number, ip)) {
            ip = next;
            continue;
        }
        let Some(record) = super::modified(wave, program, ip, *record) else {
            ip += 1;
            continue;
        };
        let row = program.row(ip);
        let (at, pc, exec) = (ip, program.pc(ip), wave.exec());
        if let Some(row) = row {
            match observer.before(wave, worker, program, ip, row) {
                Verdict::Execute => {}
                Verdict::Yield => {
                    (wave.ip, wave.stop) = (ip, Stop::Yield);
                    return;
                }
                Verdict::Fault(lane, kind) => {
                    worker.fail(wave, ip, kind, Some(lane));
                    return;
                }
            }
        }
        // SAFETY: see the file's head; `index` keeps registers below 256.
        ip = unsafe { (record.run)(wave, worker, &record, ip) };
        if row.is_none() {
            continue;
        }
        if let Some(tally) = observer.tally()
            && (ip != EXIT || wave.stop != Stop::Fault)
            && let Some(counts) = tally.program(number, program).get_mut(at)
        {
            counts.interpreted += 1;
        }
        observer.after(wave, exec, pc);
    }
}

/// Lets compiled code run from a record on, if there is any and nobody wants to see each instruction.
#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn compiled(
    wave: &mut Wave,
    worker: &mut Worker,
    observer: &mut Observer,
    program: &Program,
    (number, ip): (usize, usize),
) -> Option<usize> {
    let code = program.compiled()?;
    if wave.gpr_idx || wave.skip_vector || observer.wants_each(wave) {
        return None;
    }
    let counts = observer.tally()?.program(number, program).as_mut_ptr();
    code.run(program, wave, worker, ip, counts)
}
