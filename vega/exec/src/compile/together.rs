//! Waves of a workgroup that run together: the way into code of `lockstep`, and how they part.

use std::ptr;

use vega_isa::micro::BranchIf;

use super::code::Code;
use super::line::{FIRST, Side};
use super::set::{SCC, ScalarSet};
use crate::interp::Beginning;
use crate::interp::program::Program;
use crate::interp::wave::{SCALARS, Wave};
use crate::interp::worker::Worker;

/// How waves part.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// All have ended.
    End,
    /// Each goes on at this record.
    At(usize),
    /// Each goes on where its branch leads.
    Branch {
        /// The branch.
        condition: BranchIf,
        /// Where it leads when it is taken.
        taken: usize,
        /// And when not.
        not_taken: usize,
    },
}

/// A place where waves part.
pub(super) struct Exit {
    way: Way,
    /// The scalar registers of which each wave has a value of its own.
    varying: Box<[u16]>,
    /// It has an SCC of its own.
    scc: bool,
}

/// Code for waves that run together.
pub(super) struct Together {
    /// Where it begins, as an offset.
    pub entry: usize,
    /// Where it begins for waves in line.
    pub line: Option<usize>,
    /// Ways out of the line.
    pub sides: Box<[Side]>,
    /// How it ends, by the number that it returns.
    pub exits: Box<[Exit]>,
}

impl Exit {
    /// Waves part here, with values of their own in these registers.
    pub fn new(way: Way, varying: &ScalarSet) -> Self {
        let own = varying.iter().filter(|n| usize::from(*n) < SCALARS);
        Self { way, varying: own.collect(), scc: varying.has(SCC) }
    }

    /// Gives each wave what it lacks, and where it goes on.
    fn part(&self, waves: &mut [Box<Wave>]) {
        if let Some((first, others)) = waves.split_first_mut() {
            for wave in others {
                let own = std::mem::replace(&mut wave.s, first.s);
                for n in self.varying.iter().map(|n| usize::from(*n)) {
                    wave.s[n] = own[n];
                }
                if !self.scc {
                    wave.scc = first.scc;
                }
                wave.catch_up(first);
            }
        }
        for wave in waves {
            wave.ip = match self.way {
                Way::Branch { condition, taken, .. } if is_taken(wave, condition) => taken,
                Way::Branch { not_taken, .. } => not_taken,
                Way::At(ip) => ip,
                Way::End => wave.ip,
            };
        }
    }
}

fn is_taken(wave: &Wave, condition: BranchIf) -> bool {
    match condition {
        BranchIf::Scc0 => !wave.scc,
        BranchIf::Scc1 => wave.scc,
        BranchIf::Vccz => wave.vcc() == 0,
        BranchIf::Vccnz => wave.vcc() != 0,
        BranchIf::Execz => wave.exec() == 0,
        BranchIf::Execnz => wave.exec() != 0,
        _ => true,
    }
}

impl Code {
    /// How the waves of a workgroup can begin the program.
    pub(crate) fn beginning(&self) -> Beginning {
        match &self.together {
            Some(Together { line: Some(_), .. }) => Beginning::InLine,
            Some(_) => Beginning::Together,
            None => Beginning::Alone,
        }
    }

    /// Runs waves that have just started together, as far as that goes. Of the scalar registers only the first one's and
    /// every one's EXEC count; in line, v0 does not. True: all have ended. Otherwise the waves tell how it went: each goes
    /// on by itself, or one has faulted.
    pub(crate) fn run_together(
        &self,
        program: &Program,
        waves: &mut [Box<Wave>],
        worker: &mut Worker,
        in_line: bool,
    ) -> bool {
        let Some(together) = &self.together else { return false };
        let entry = together.line.filter(|_| in_line).unwrap_or(together.entry);
        worker.context.behind = 64 * waves.len() as u64 - 1;
        worker.context.held[FIRST] = 0;
        let Some(first) = waves.first_mut() else { return false };
        let first = &raw mut **first;
        // SAFETY: the code's own place; the ring is complete since the workgroup has its waves.
        let exit = unsafe { self.enter(program, first, worker, entry, ptr::null_mut()) };
        let Some(exit) = together.exits.get(exit) else { return false };
        if !matches!(exit.way, Way::End) {
            exit.part(waves);
            return false;
        }
        true
    }
}
