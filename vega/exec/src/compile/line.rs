//! Workgroups in line: all waves of a workgroup as one wide wave.
//!
//! Where the work-items of a workgroup lie along x and fill its waves, v0 is affine over all of them, and so are most
//! addresses that come from it. Then the beginning of the program, which [`super::lockstep`] compiles for waves that run
//! together, is compiled once more: scalar code computes and checks addresses for the whole workgroup, and the strips of all
//! waves run as one loop. Registers that are affine are not written; the context holds what the first lane has.
//!
//! This code knows its way only as long as all lanes are active, and all that is not affine lies in vector registers. Where
//! it meets something else, or a check fails, the waves are *disbanded*: each gets the registers that it lacks, and the code
//! of `lockstep` goes on at the same place.
//!
//! # Safety
//! Compiled code calls [`disband`] with its context, while the ring of waves is complete.

use std::collections::HashMap;
use std::mem::offset_of;
use std::ops::Range;

use iced_x86::{Code as Op, Register};
use vega_isa::micro::BranchIf;
use vega_isa::sgpr;

use super::assembler::{Arg, Condition, Label};
use super::code::careful;
use super::compiler::{Compiler, Step};
use super::context::Context;
use super::ir::Lane;
use super::layout::{CONTEXT, WAVE, context, field, scalar};
use super::lockstep::Lockstep;
use super::region::{Region, enter, leave_slot};
use super::set::{SCC, ScalarSet, VectorSet};
use super::shape::Shape;
use super::spread::{Known, SpreadRegion, held};
use super::target::Target;
use super::value::Held;
use super::whole::crosses_rows;
use crate::interp::record::EXIT;
use crate::interp::wave::{SCALARS, Stop, Wave, extra};

/// Room for values of registers that are affine.
pub(super) const HELD: usize = 32;

/// The value of v0 at the beginning: nothing but the number of the work-item.
pub(super) const FIRST: usize = 0;

/// A place in the beginning of the program where waves may be disbanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Spot {
    /// In front of the region with this number.
    Before(usize),
    /// Behind it.
    Behind(usize),
    /// In front of the record at this position.
    Record(usize),
    /// Where waves part.
    Exit,
}

/// What is known at a spot in the code for waves that run together.
pub(super) struct Met {
    label: Label,
    pending: ScalarSet,
    entered: bool,
    /// How many regions there are so far.
    regions: usize,
}

/// A way out of the line, under construction.
struct Out {
    label: Label,
    to: Spot,
    /// Scalar registers that only the first wave has.
    pending: ScalarSet,
    /// Accesses are announced.
    entered: bool,
    held: Known,
    /// In the midst of the strips of a region: what it has made.
    made: Option<Made>,
}

/// What is affine behind a region, and the lane masks that it makes the same in all lanes.
struct Made {
    held: Known,
    masks: Vec<(u16, usize)>,
    /// It is two for waves that are not in line.
    joined: bool,
}

/// What is known in code for waves in line.
pub(super) struct Line {
    held: Known,
    outs: Vec<Out>,
    /// EXEC is known to be all ones.
    full: bool,
    /// It ends here.
    ended: bool,
    /// It is worth while: an access is in it.
    accesses: bool,
    /// The record behind the one at hand ends regions.
    ends: bool,
    /// The region at hand is two for waves that are not in line: loads, and a store behind them.
    joined: bool,
}

impl Line {
    fn new() -> Self {
        let first = Held { slot: FIRST, stride: 1 };
        Self {
            held: HashMap::from([(0, first)]),
            outs: Vec::new(),
            full: true,
            ended: false,
            accesses: false,
            ends: false,
            joined: false,
        }
    }

    /// Slots that nothing uses.
    fn free(&self) -> impl Iterator<Item = usize> + use<> {
        let used: Vec<usize> = self.held.values().map(|held| held.slot).collect();
        (1..HELD).filter(move |slot| !used.contains(slot))
    }

    /// Where its ways out lead.
    pub fn spots(&self) -> Vec<Spot> {
        self.outs.iter().map(|out| out.to).collect()
    }

    /// Where its ways out begin.
    pub fn labels(&self) -> impl Iterator<Item = Label> {
        self.outs.iter().map(|out| out.label)
    }

    /// Where one of them begins.
    pub fn label(&self, number: usize) -> Option<Label> {
        Some(self.outs.get(number)?.label)
    }

    /// These scalar registers are written.
    pub fn writes(&mut self, registers: &ScalarSet) {
        self.full &= !registers.has(sgpr::EXEC_LO.into()) && !registers.has(sgpr::EXEC_HI.into());
    }
}

impl Step {
    /// Whether waves in line cannot do it.
    fn leaves_the_line(&self) -> bool {
        match self {
            Self::Lane(lane) => lane.0.dpp.is_some_and(crosses_rows),
            Self::Scalar(scalar) => scalar.reads_lanes(),
            Self::Atomic(_) | Self::Whole(_) => true,
            _ => false,
        }
    }
}

impl Step {
    /// Whether a region that stores ends here, whatever it is.
    fn ends_regions(&self) -> bool {
        matches!(self, Self::Stop { .. } | Self::Fence | Self::GetPc)
            || matches!(self, Self::Branch(condition) if *condition != BranchIf::Always)
    }
}

impl Compiler<'_> {
    /// Emits the beginning of the program for waves in line: where it begins. `None` if it is not worth while.
    pub fn in_line(&mut self, steps: &[Step], chain: &[usize], end: Option<usize>) -> Option<Label> {
        if self.target != Target::Avx512 {
            return None;
        }
        let begin = self.asm.label();
        self.asm.bind(begin);
        self.begin_together(Lockstep::in_line(Line::new()));
        for (n, ip) in chain.iter().enumerate() {
            self.at = *ip;
            if let Some(line) = self.line() {
                line.ends = chain.get(n + 1).is_some_and(|next| steps[*next].ends_regions());
            }
            if steps[*ip].leaves_the_line() {
                self.end_region();
                self.leave_the_line(Spot::Record(n));
            } else {
                self.link(*ip, &steps[*ip]);
            }
            if self.has_left() {
                break;
            }
        }
        self.end_together(end);
        self.line().is_some_and(|line| line.accesses).then_some(begin)
    }

    fn line(&mut self) -> Option<&mut Line> {
        self.lockstep.as_mut()?.line.as_mut()
    }

    /// Whether the code at hand is for waves in line.
    pub fn is_in_line(&self) -> bool {
        self.lockstep.as_ref().is_some_and(|lockstep| lockstep.line.is_some())
    }

    /// Whether it has ended.
    pub fn has_left(&mut self) -> bool {
        self.line().is_some_and(|line| line.ended)
    }

    /// The waves are disbanded here, if they are not yet.
    fn leave_the_line(&mut self, to: Spot) {
        if self.has_left() {
            return;
        }
        if let Some(label) = self.way_out(to, None) {
            self.asm.jmp(label);
        }
        self.region = Region::new(self.target);
        if let Some(line) = self.line() {
            line.ended = true;
        }
    }

    /// A way out.
    fn way_out(&mut self, to: Spot, made: Option<Made>) -> Option<Label> {
        let (label, entered) = (self.asm.label(), self.entered);
        let lockstep = self.lockstep.as_mut()?;
        let pending = lockstep.pending;
        let line = lockstep.line.as_mut()?;
        line.outs.push(Out { label, to, pending, entered, held: line.held.clone(), made });
        Some(label)
    }

    /// Where waves part and go on at these records: the number of the way out on which they get what they lack, if that is
    /// anything.
    pub fn side(&mut self, to: &[usize]) -> Option<usize> {
        let mut read = VectorSet::default();
        to.iter().for_each(|ip| read.extend(&self.liveness.inactive(*ip)));
        self.line()?.held.keys().any(|register| read.has(*register)).then_some(())?;
        self.way_out(Spot::Exit, None)?;
        Some(self.line()?.outs.len() - 1)
    }

    /// Whether this store joins the loads before it, where waves are in line: it must be the last one of the region, and
    /// it is looked at run time whether a load sees what it stores.
    pub fn joins_in_line(&mut self, lane: &Lane, shape: Shape) -> bool {
        let joins = self.region.admits_apart(lane, shape);
        let Some(line) = self.line() else { return false };
        line.joined = joins && line.ends;
        line.joined
    }

    /// Emits a region for all waves.
    pub fn region_in_line(&mut self, region: &Region) {
        let Some(lockstep) = self.lockstep.as_mut() else { return };
        let number = lockstep.regions;
        let joined = lockstep.line.as_mut().is_some_and(|line| std::mem::take(&mut line.joined));
        lockstep.regions += if joined { 2 } else { 1 };
        let Some(line) = lockstep.line.as_mut().filter(|line| !line.ended) else { return };
        let known = line.held.clone();
        let mut free = line.free();
        let full = line.full;
        let Some(spread) = SpreadRegion::new(region, Some(&known)) else {
            return self.leave_the_line(Spot::Before(number));
        };
        let vectors: Vec<_> =
            spread.results().iter().zip(&mut free).map(|((v, placed), slot)| (*v, *placed, slot)).collect();
        let masks: Vec<_> =
            spread.masks().iter().zip(&mut free).map(|((n, at), slot)| (*n, *at, slot)).collect();
        if vectors.len() != spread.results().len() || masks.len() != spread.masks().len() {
            return self.leave_the_line(Spot::Before(number));
        }
        if region.is_global() {
            self.enter();
        }
        let Some(before) = self.way_out(Spot::Before(number), None) else { return };
        if !full {
            let exec = scalar(sgpr::EXEC_LO.into());
            self.asm.op(Op::Cmp_rm64_imm8, &[exec.into(), 0xffu8.into()]);
            self.asm.jcc(Condition::NotEqual, before);
        }
        spread.prologue(&mut self.asm, before);
        if joined {
            spread.apart(&mut self.asm, before);
        }
        if region.is_stored() {
            self.asm.op(Op::Mov_rm8_imm8, &[field(offset_of!(Wave, store_outstanding)).into(), 1u8.into()]);
        }
        let results = vectors.iter().map(|(_, (at, _), slot)| (*at, *slot));
        for (at, slot) in results.chain(masks.iter().map(|(_, at, slot)| (*at, *slot))) {
            spread.get(&mut self.asm, Register::EAX, at);
            self.asm.op(Op::Mov_rm32_r32, &[held(slot).into(), Register::EAX.into()]);
        }
        let mut written = VectorSet::default();
        region.lanes().iter().for_each(|lane| lane.vector_writes(&mut written));
        let mut behind = known.clone();
        behind.retain(|register, _| !written.has(*register) && region.live.has(*register));
        behind.extend(vectors.into_iter().map(|(v, (_, stride), slot)| (v, Held { slot, stride })));
        let masks = masks.into_iter().map(|(n, _, slot)| (n, slot));
        if spread.has_strips() {
            let made = Made { held: behind.clone(), masks: masks.collect(), joined };
            let last = number + usize::from(joined);
            let Some(careful) = self.way_out(Spot::Behind(last), Some(made)) else { return };
            let done = self.asm.label();
            let sites = spread.strips(&mut self.asm, done, careful);
            self.sites.extend(sites);
            self.asm.bind(done);
        }
        spread.write_masks(&mut self.asm);
        let Some(lockstep) = self.lockstep.as_mut() else { return };
        lockstep.pending.extend(region.mask_writes());
        lockstep.stored |= region.is_stored();
        if let Some(line) = lockstep.line.as_mut() {
            (line.held, line.full) = (behind, true);
            line.accesses |= spread.has_strips();
        }
    }

    /// A spot in the code for waves that run together: from here they go on where one has come out of the line.
    pub fn pass(&mut self, spot: Spot) {
        let wanted = self.lockstep.as_ref().is_some_and(|lockstep| lockstep.wanted.contains(&spot));
        if !wanted {
            return;
        }
        if let Spot::Record(_) = spot {
            self.end_region();
        }
        self.once();
        let label = self.asm.label();
        self.asm.bind(label);
        let (entered, regions) = (self.entered, self.regions.len());
        if let Some(lockstep) = self.lockstep.as_mut() {
            let pending = lockstep.pending;
            lockstep.met.insert(spot, Met { label, pending, entered, regions });
        }
    }

    /// Emits the ways out of the line. `None` if a place that one leads to is missing.
    pub fn ways_out(
        &mut self,
        line: Line,
        met: &HashMap<Spot, Met>,
        exits: &[(usize, Label)],
    ) -> Option<Vec<Side>> {
        let mut sides = Vec::new();
        for (number, out) in line.outs.into_iter().enumerate() {
            self.asm.bind(out.label);
            if out.entered {
                leave_slot(&mut self.asm);
            }
            self.asm.op(Op::Mov_r64_rm64, &[Register::RDI.into(), CONTEXT.into()]);
            self.asm.op(Op::Mov_r32_imm32, &[Register::ESI.into(), Arg::Dword(number as u32)]);
            self.asm.op(Op::Mov_r32_rm32, &[Register::EDX.into(), Register::EBP.into()]);
            self.asm.call(self.disband);
            let first = context(offset_of!(Context, first_wave));
            self.asm.op(Op::Mov_r64_rm64, &[WAVE.into(), first.into()]);
            let mut missing = out.pending;
            if out.to == Spot::Exit {
                let (_, label) = exits.iter().find(|(side, _)| *side == number)?;
                self.asm.jmp(*label);
                missing = ScalarSet::default();
                sides.push(Side::new(&missing, (&out.held, true), None));
                continue;
            }
            let met = met.get(&out.to)?;
            self.asm.op(Op::Test_rm64_r64, &[Register::RAX.into(), Register::RAX.into()]);
            self.asm.jcc(Condition::NotEqual, self.leave);
            if met.entered {
                enter(&mut self.asm, self.fenced);
            }
            self.asm.jmp(met.label);
            missing.remove(&met.pending);
            let made = out.made.map(|made| (met.regions, made));
            sides.push(Side::new(&missing, (&out.held, false), made));
        }
        Some(sides)
    }
}

/// A vector register that is affine.
struct Affine {
    register: u16,
    held: Held,
}

/// A region that was left in the midst of its strips.
struct Broken {
    /// As waves have it that are not in line.
    regions: Range<u32>,
    /// What is affine behind it, for the lanes that are done.
    vectors: Box<[Affine]>,
    masks: Box<[(u16, usize)]>,
}

/// A way out of the line: what waves lack there.
pub(crate) struct Side {
    /// Scalar registers that only the first wave has.
    scalars: Box<[u16]>,
    /// And the SCC.
    scc: bool,
    vectors: Box<[Affine]>,
    broken: Option<Broken>,
    /// Waves part there anyway.
    is_exit: bool,
}

impl Side {
    fn new(missing: &ScalarSet, (held, is_exit): (&Known, bool), made: Option<(usize, Made)>) -> Self {
        let vectors = |held: &Known| {
            held.iter().map(|(register, held)| Affine { register: *register, held: *held }).collect()
        };
        Self {
            scalars: missing.iter().filter(|n| usize::from(*n) < SCALARS && *n < extra::COMPUTED).collect(),
            scc: missing.has(SCC),
            vectors: vectors(held),
            broken: made.map(|(behind, made)| Broken {
                regions: (behind as u32).saturating_sub(1 + u32::from(made.joined))..behind as u32,
                vectors: vectors(&made.held),
                masks: made.masks.into(),
            }),
            is_exit,
        }
    }
}

impl Affine {
    /// Gives lanes of a wave their values.
    fn write(&self, wave: &mut Wave, number: u32, lanes: Range<usize>, values: &[u32; HELD]) {
        let first = values[self.held.slot % HELD];
        let Some(register) = wave.v.get_mut(usize::from(self.register)) else { return };
        for (lane, value) in register.iter_mut().enumerate().take(lanes.end).skip(lanes.start) {
            *value = first.wrapping_add((64 * number + lane as u32).wrapping_mul(self.held.stride));
        }
    }
}

/// Lanes of a strip.
const LANES: usize = Target::Avx512.lanes() as usize;

/// Gives the waves what they lack on a way out. In the midst of a region's strips, the interpreter does those that are left:
/// `strip` is the first lane of the one at hand, times four, in the context's wave. Returns 0, or the exit.
///
/// # Safety
/// Called by compiled code only, with its context and the number of one of its ways out of the line, while the ring of waves
/// is complete.
pub(super) unsafe extern "sysv64" fn disband(context: *mut Context, side: u32, strip: u32) -> usize {
    // SAFETY: the context's pointers are those of the call under way; compiled code does not run meanwhile. Each wave is
    // borrowed for one round, and the first one's scalar registers are copied before.
    unsafe {
        let Side { scalars, scc, vectors, broken, is_exit } = &*(*context).sides.add(side as usize);
        (*(*context).worker).in_line -= u64::from(!is_exit);
        let values = (*context).held;
        let (first, at) = ((*context).first_wave, (*context).wave);
        let (s, first_scc, workgroup) = ((*first).s, (*first).scc, (*first).workgroup);
        let stored = (*first).store_outstanding;
        let (mut wave, mut number, mut is_behind) = (first, 0, false);
        loop {
            is_behind |= wave == at;
            // Lanes of this wave for which the region has run.
            let done = match broken {
                Some(_) if wave == at => strip as usize / 4,
                Some(_) if !is_behind => 64,
                _ => 0,
            };
            let w = &mut *wave;
            scalars.iter().map(|n| usize::from(*n)).for_each(|n| w.s[n] = s[n]);
            if wave != first {
                w.scc = *scc && first_scc;
                w.workgroup = workgroup;
                w.stop = Stop::Yield;
            }
            w.store_outstanding = stored;
            vectors.iter().for_each(|affine| affine.write(w, number, done..64, &values));
            if let Some(broken) = broken {
                broken.vectors.iter().for_each(|affine| affine.write(w, number, 0..done, &values));
                let lanes = if done == 64 { !0 } else { (1u64 << done) - 1 };
                for (mask, slot) in broken.masks.iter().map(|(mask, slot)| (usize::from(*mask), slot)) {
                    let value = if values[slot % HELD] == 0 { 0 } else { lanes };
                    w.set_s64(mask, w.s64(mask) & !lanes | value);
                }
                (*context).wave = wave;
                for strip in (done..64).step_by(LANES).map(|lane| 4 * lane as u32) {
                    for region in broken.regions.clone() {
                        if careful::<{ Target::Avx512.lanes() }>(context, region, strip) != 0 {
                            return EXIT;
                        }
                    }
                }
            }
            (wave, number) = ((*wave).next, number + 1);
            if wave == first {
                return 0;
            }
        }
    }
}
