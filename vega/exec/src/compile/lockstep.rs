//! Lockstep: the waves of a workgroup run through the beginning of a program together.
//!
//! Waves start with the same scalar registers, EXEC apart, so most scalar instructions give the same in all of them.
//! The beginning, up to the first loop, is therefore compiled a second time: what is the same in all waves is done once,
//! in the first wave; regions, and scalar instructions that see something else in each wave, are loops over the waves.
//! It is known for each scalar register at each place whether its value varies. Where it does not, the first wave has
//! it, and the others get it when they are about to read it.
//!
//! The waves part where they do not all go the same way, or where the beginning ends: each goes on by itself from
//! there. (`together` has that, and the way in.)
//!
//! The order of accesses is the one of the program in every wave, and all waves have done what is before a barrier
//! when the first one does what is behind it.

use std::collections::HashMap;
use std::mem::offset_of;

use iced_x86::{Code as Op, Register};
use vega_isa::micro::BranchIf;
use vega_isa::sgpr;

use super::assembler::{Arg, Condition, Label, at};
use super::compiler::{Compiler, Step};
use super::context::Context;
use super::layout::{WAVE, context, field, scalar, scc};
use super::line::{Line, Met, Side, Spot};
use super::region::{Region, leave_slot};
use super::set::{SCC, ScalarSet};
use super::together::{Exit, Way};
use crate::interp::wave::{Stop, Wave, extra};

/// The most records of a beginning. What is longer takes its time anyway.
const MOST: usize = 256;
/// The fewest for which it is worth while.
const FEWEST: usize = 4;

/// What is known where the waves are together.
pub(super) struct Lockstep {
    /// Scalar registers whose values may differ from wave to wave.
    varying: ScalarSet,
    /// Others, of which only the first wave is known to have the value.
    pub pending: ScalarSet,
    /// The loop over the waves that is open.
    top: Option<Label>,
    /// What waves have been given in it: the first one must keep it until all have it.
    given: ScalarSet,
    /// There were stores since the last barrier between stores and loads.
    pub stored: bool,
    exits: Vec<Exit>,
    /// Code out of the way: the ways to exits.
    ways: Vec<Leaving>,
    /// How many regions there were.
    pub regions: usize,
    /// The waves are in line.
    pub line: Option<Line>,
    /// Places that ways out of the line lead to.
    pub wanted: Vec<Spot>,
    /// What is known there.
    pub met: HashMap<Spot, Met>,
}

/// A way to an exit.
struct Leaving {
    label: Label,
    exit: usize,
    /// An access is announced.
    entered: bool,
    /// The way out of the line that comes first.
    side: Option<usize>,
}

/// Code for waves that begin a program together.
pub(super) struct Beginning {
    /// Where it begins.
    pub entry: Label,
    /// Where it begins for waves in line.
    pub line: Option<Label>,
    /// How it ends.
    pub exits: Vec<Exit>,
    /// The ways out of the line.
    pub sides: Vec<Side>,
}

/// The records of a beginning, and the one behind them where the waves go on by themselves.
struct Plan {
    chain: Vec<usize>,
    end: Option<usize>,
}

impl Lockstep {
    fn new() -> Self {
        let (mut varying, mut pending) = (ScalarSet::default(), ScalarSet::default());
        varying.add(sgpr::EXEC_LO.into(), 2);
        // Nobody else has been given anything.
        pending.add(0, extra::COMPUTED);
        pending.remove(&varying);
        Self {
            varying,
            pending,
            top: None,
            given: ScalarSet::default(),
            stored: false,
            exits: Vec::new(),
            ways: Vec::new(),
            regions: 0,
            line: None,
            wanted: Vec::new(),
            met: HashMap::new(),
        }
    }

    /// Nothing varies, and only the first wave has anything.
    pub fn in_line(line: Line) -> Self {
        let mut this = Self { line: Some(line), ..Self::new() };
        this.pending.extend(&std::mem::take(&mut this.varying));
        this
    }
}

impl Compiler<'_> {
    /// Emits the beginning of the program for waves that run together, in line if that can be, too. `None` if it is not worth
    /// while.
    pub fn together(&mut self, steps: &[Step]) -> Option<Beginning> {
        if self.counted {
            return None;
        }
        let Plan { chain, end } = self.plan(steps)?;
        let line = self.in_line(steps, &chain, end);
        let before = self.lockstep.take();
        if let (None, Some(before)) = (line, &before) {
            // Nobody comes there.
            let outs = before.line.iter().flat_map(Line::labels);
            outs.chain(before.ways.iter().map(|way| way.label)).for_each(|label| self.asm.bind(label));
            self.asm.raw(&[0x0f, 0x0b]);
        }
        let before = before.filter(|_| line.is_some());
        let entry = self.asm.label();
        self.asm.bind(entry);
        let mut lockstep = Lockstep::new();
        let mut in_line = None;
        if let Some(before) = before {
            lockstep.wanted = before.line.as_ref().map(Line::spots).unwrap_or_default();
            (lockstep.exits, lockstep.ways, in_line) = (before.exits, before.ways, before.line);
        }
        self.begin_together(lockstep);
        for (n, ip) in chain.iter().enumerate() {
            self.at = *ip;
            self.pass(Spot::Record(n));
            self.link(*ip, &steps[*ip]);
        }
        self.end_together(end);
        let Lockstep { exits, ways, met, .. } = self.lockstep.take()?;
        let mut from_line = Vec::new();
        for Leaving { label, exit, entered, side } in ways {
            self.asm.bind(label);
            match side {
                // The announcement is withdrawn there.
                Some(side) => {
                    let back = self.asm.label();
                    self.asm.jmp(in_line.as_ref()?.label(side)?);
                    from_line.push((side, back));
                    self.asm.bind(back);
                }
                None if entered => leave_slot(&mut self.asm),
                None => {}
            }
            self.asm.op(Op::Mov_r32_imm32, &[Register::EAX.into(), Arg::Dword(exit as u32)]);
            self.asm.jmp(self.leave);
        }
        let sides = match in_line {
            Some(line) => self.ways_out(line, &met, &from_line)?,
            None => Vec::new(),
        };
        self.entered = false;
        Some(Beginning { entry, line, exits, sides })
    }

    /// Begins code for waves that run together.
    pub fn begin_together(&mut self, lockstep: Lockstep) {
        self.region = Region::new(self.target);
        (self.entered, self.pieces) = (false, ScalarSet::default());
        self.lockstep = Some(lockstep);
    }

    /// Emits a record of it.
    pub fn link(&mut self, ip: usize, step: &Step) {
        match step {
            // The chain goes on where it leads.
            Step::Branch(BranchIf::Always) => {}
            Step::Branch(condition) => self.branch_together(ip, *condition),
            // All waves are here once the loops over them have ended.
            Step::Stop { why: Stop::Barrier, .. } => {
                self.end_region();
                self.once();
            }
            Step::Stop { .. } => self.part(Way::End),
            step => self.record(ip, step),
        }
    }

    /// The waves go on by themselves at this record.
    pub fn end_together(&mut self, end: Option<usize>) {
        if let Some(ip) = end {
            self.at = ip;
            self.part(Way::At(ip));
        }
    }

    /// The number of the region at hand, where waves run together.
    pub fn next_region(&mut self) -> usize {
        let Some(lockstep) = self.lockstep.as_mut() else { return 0 };
        lockstep.regions += 1;
        lockstep.regions - 1
    }

    /// From the first record on along what falls through, up to a loop or to something that waves do by themselves.
    fn plan(&self, steps: &[Step]) -> Option<Plan> {
        let target = |ip: usize| self.program.records[ip].imm as usize;
        let loops: Vec<usize> = (0..steps.len())
            .filter(|ip| matches!(steps[*ip], Step::Branch(_)) && target(*ip) <= *ip)
            .map(target)
            .collect();
        let mut chain = Vec::new();
        // The waves can part in front of this many records of the chain, and go on there.
        let (mut parting, mut end) = (0, None);
        let mut ip = 0;
        while let Some(step) = steps.get(ip) {
            let alone = matches!(step, Step::Call | Step::Jump { .. } | Step::Stop { why: Stop::Sleep, .. });
            // The interpreter does what has no entry, but one record only.
            if self.entries[ip].is_some() || alone {
                (parting, end) = (chain.len(), Some(ip));
            }
            let odd = match step {
                Step::Lane(lane) => lane.0.dpp.is_some_and(|dpp| self.target.crosses(dpp)),
                Step::ScalarLoad { dwords } => !matches!(dwords, 1 | 2 | 4 | 8 | 16),
                _ => false,
            };
            if alone || odd || chain.len() >= MOST || loops.contains(&ip) || chain.contains(&ip) {
                break;
            }
            chain.push(ip);
            match step {
                Step::Stop { why: Stop::End, .. } => {
                    (parting, end) = (chain.len(), None);
                    break;
                }
                Step::Branch(BranchIf::Always) => ip = target(ip),
                _ => ip += 1,
            }
        }
        chain.truncate(parting);
        (chain.len() >= FEWEST).then_some(Plan { chain, end })
    }

    /// From here on the first wave is at hand, and code runs once.
    pub fn once(&mut self) {
        let Some(top) = self.lockstep.as_mut().and_then(|lockstep| lockstep.top.take()) else { return };
        self.asm.op(Op::Mov_r64_rm64, &[WAVE.into(), field(offset_of!(Wave, next)).into()]);
        self.scalars();
        self.asm.op(Op::Cmp_r64_rm64, &[WAVE.into(), context(offset_of!(Context, first_wave)).into()]);
        self.asm.jcc(Condition::NotEqual, top);
    }

    /// From here on code runs for each wave, which has the values of these registers.
    fn each(&mut self, reads: &ScalarSet) {
        let Some(lockstep) = self.lockstep.as_mut() else { return };
        if lockstep.top.is_none() {
            let top = self.asm.label();
            self.asm.bind(top);
            (lockstep.top, lockstep.given) = (Some(top), ScalarSet::default());
        }
        let missing = lockstep.pending.both(reads);
        lockstep.pending.remove(&missing);
        lockstep.given.extend(&missing);
        if missing == ScalarSet::default() {
            return;
        }
        let first = Register::R10;
        self.asm.op(Op::Mov_r64_rm64, &[first.into(), context(offset_of!(Context, first_wave)).into()]);
        for number in missing.iter() {
            if number == SCC {
                let from = at(first, offset_of!(Wave, scc) as i32);
                self.asm.op(Op::Movzx_r32_rm8, &[Register::EAX.into(), from.into()]);
                self.asm.op(Op::Mov_rm8_r8, &[scc().into(), Register::AL.into()]);
            } else {
                let from = at(first, offset_of!(Wave, s) as i32 + 4 * i32::from(number));
                self.asm.op(Op::Mov_r32_rm32, &[Register::EAX.into(), from.into()]);
                self.asm.op(Op::Mov_rm32_r32, &[scalar(number).into(), Register::EAX.into()]);
            }
        }
    }

    /// Before code that reads and writes these scalar registers: it runs once if it gives the same in all waves, unless
    /// something else that it reads varies.
    pub fn for_waves(&mut self, reads: &ScalarSet, writes: &ScalarSet, varies: bool) {
        let Some(lockstep) = self.lockstep.as_mut() else { return };
        if let Some(line) = lockstep.line.as_mut() {
            line.writes(writes);
        }
        if varies || reads.meets(&lockstep.varying) {
            lockstep.varying.extend(writes);
            self.each(reads);
            if self.lockstep.as_ref().is_some_and(|lockstep| lockstep.given.meets(writes)) {
                self.once();
                self.each(&ScalarSet::default());
            }
            if let Some(lockstep) = self.lockstep.as_mut() {
                lockstep.pending.remove(writes);
            }
        } else {
            lockstep.varying.remove(writes);
            lockstep.pending.extend(writes);
            self.once();
        }
    }

    /// The same before a region.
    pub fn region_for_waves(&mut self, region: &Region) {
        let mut reads = region.scalars();
        reads.add(sgpr::EXEC_LO.into(), 2);
        self.for_waves(&reads, region.mask_writes(), true);
        if let Some(lockstep) = self.lockstep.as_mut() {
            lockstep.stored |= region.is_stored();
        }
    }

    /// Earlier stores of all waves come before later loads. False where the waves are not together.
    pub fn fence_together(&mut self) -> bool {
        let Some(lockstep) = self.lockstep.as_mut() else { return false };
        if std::mem::take(&mut lockstep.stored) {
            self.once();
            self.full_barrier();
        }
        true
    }

    /// Goes on where no wave takes the branch, and parts otherwise.
    fn branch_together(&mut self, ip: usize, condition: BranchIf) {
        self.end_region();
        if self.has_left() {
            return;
        }
        let reads = Self::branch_reads(condition);
        let varies = self.lockstep.as_ref().is_some_and(|lockstep| reads.meets(&lockstep.varying));
        self.for_waves(&reads, &ScalarSet::default(), false);
        self.join(&reads);
        let Some(mut unless) = self.not_taken(condition) else { return };
        if varies {
            let stays = self.asm.label();
            self.asm.jcc(unless, stays);
            let taken = context(offset_of!(Context, taken));
            self.asm.op(Op::Mov_rm8_imm8, &[taken.into(), 1u8.into()]);
            self.asm.bind(stays);
            self.once();
            self.asm.op(Op::Cmp_rm8_imm8, &[taken.into(), 0u8.into()]);
            unless = Condition::Equal;
        }
        let taken = self.program.records[ip].imm as usize;
        let way = self.way(Way::Branch { condition, taken, not_taken: ip + 1 });
        let part = if unless == Condition::Equal { Condition::NotEqual } else { Condition::Equal };
        self.asm.jcc(part, way);
    }

    /// The waves are not together from here on.
    fn part(&mut self, way: Way) {
        self.end_region();
        if self.has_left() {
            return;
        }
        self.once();
        let way = self.way(way);
        self.asm.jmp(way);
    }

    /// Where control leaves.
    fn way(&mut self, way: Way) -> Label {
        let (label, entered) = (self.asm.label(), self.entered);
        let side = match way {
            Way::End => None,
            Way::At(ip) => self.side(&[ip]),
            // (It is taken.)
            Way::Branch { taken, .. } => self.side(&[taken]),
        };
        if let Some(lockstep) = self.lockstep.as_mut() {
            lockstep.ways.push(Leaving { label, exit: lockstep.exits.len(), entered, side });
            lockstep.exits.push(Exit::new(way, &lockstep.varying));
        }
        label
    }
}
