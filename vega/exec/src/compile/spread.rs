//! Emission of a region whose addresses are affine over the whole wave, or over all waves of a workgroup: see
//! [`super::affine`] and [`super::line`].
//!
//! In front of the strips, scalar code computes what the first lane has, checks it, and translates each spread's address.
//! Where something does not hold, the region's ordinary code runs instead. Instructions that serve nothing but addresses
//! are left out of the strips; what others may read of them is written behind the strips.

use std::collections::HashMap;
use std::mem::offset_of;

use iced_x86::{Code, MemoryOperand, Register};
use vega_isa::sgpr;

use super::affine::{Affine, Placed};
use super::assembler::{Arg, Assembler, Condition, Label, Masking, at};
use super::context::Context;
use super::firsts::BEHIND;
use super::layout::{CONTEXT, WAVE, context, field, scalar, zmm};
use super::region::{Exits, Region, Surroundings, enter, leave_slot};
use super::set::{ScalarSet, VectorSet};
use super::strip::{STORE, Watch};
use super::value::{Held, Slot};
use crate::interp::wave::Wave;
use Code::*;

const RAX: Register = Register::RAX;
const RCX: Register = Register::RCX;
const EAX: Register = Register::EAX;
const ECX: Register = Register::ECX;

/// The longest region that is compiled like this, too.
const LONGEST: usize = 96;

/// Registers that are known to be affine over all waves.
pub(super) type Known = HashMap<u16, Held>;

/// A region with its spreads.
pub(super) struct SpreadRegion<'a> {
    pub affine: Affine<'a>,
    /// It is for all waves of a workgroup: what is known of the registers that it reads.
    pub known: Option<&'a Known>,
    /// What is left for the strips.
    strips: Region,
    /// Vector registers to be written behind the strips.
    results: Vec<(u16, Placed)>,
    /// Lane masks, likewise.
    masks: Vec<(u16, Slot)>,
}

impl<'a> SpreadRegion<'a> {
    /// The region, if every access has its spread.
    pub fn new(region: &Region, known: Option<&'a Known>) -> Option<Self> {
        let lanes = region.lanes();
        let accesses = lanes.iter().filter(|lane| lane.access.is_some()).count();
        if accesses == 0 && known.is_none()
            || lanes.len() > LONGEST
            || lanes.iter().any(|lane| lane.to_exec || lane.cross.is_some())
        {
            return None;
        }
        let affine = Affine::new(lanes, known)?;
        if affine.of.iter().flatten().count() != accesses {
            return None;
        }
        // What the region leaves behind: affine values are computed from the first lane's.
        let (mut written, mut masks) = (VectorSet::default(), ScalarSet::default());
        for lane in lanes {
            lane.vector_writes(&mut written);
            lane.mask_writes(&mut masks);
        }
        let live: Vec<u16> = written.iter().filter(|v| region.live.has(*v)).collect();
        let results: Vec<_> = live.iter().filter_map(|v| Some((*v, affine.result(*v)?))).collect();
        let mut needed = VectorSet::default();
        for v in live.iter().filter(|v| results.iter().all(|(other, _)| other != *v)) {
            needed.add(*v, 1);
        }
        let uniform: Vec<_> = masks.pairs().filter_map(|n| Some((n, affine.mask(n)?))).collect();
        let mut needed_masks: Vec<u16> =
            masks.pairs().filter(|n| uniform.iter().all(|(other, _)| other != n)).collect();
        let mut kept = vec![true; lanes.len()];
        for (lane, kept) in lanes.iter().zip(&mut kept).rev() {
            let mut writes = VectorSet::default();
            lane.vector_writes(&mut writes);
            let mask = lane.mask_out.is_some_and(|number| needed_masks.contains(&number));
            *kept = lane.access.is_some() || writes.meets(&needed) || mask;
            if *kept {
                needed.subtract(&writes);
                needed_masks.retain(|number| lane.mask_out != Some(*number));
                let mut lane = *lane;
                if let Some(access) = &mut lane.access {
                    access.spread = Some((0, 0));
                }
                lane.vector_reads(&mut needed);
                needed_masks.extend(lane.mask_in);
            }
        }
        let mut strips = region.empty();
        for (n, (lane, shape)) in lanes.iter().zip(region.shapes()).enumerate().filter(|(n, _)| kept[*n]) {
            let mut lane = *lane;
            if let (Some(access), Some(spread)) = (&mut lane.access, affine.of[n]) {
                access.spread = Some((spread as u16, affine.spreads[spread].stride as u8));
            }
            strips.push(lane, *shape);
        }
        let (mut reads, mut written, mut made) =
            (VectorSet::default(), VectorSet::default(), ScalarSet::default());
        for lane in strips.lanes() {
            let mut sources = VectorSet::default();
            lane.vector_reads(&mut sources);
            sources.subtract(&written);
            reads.extend(&sources);
            lane.vector_writes(&mut written);
            lane.mask_writes(&mut made);
        }
        // What the context holds, no wave has; and there is room for the masks of one.
        let in_waves = known.is_none_or(|known| known.keys().all(|register| !reads.has(*register)));
        let alike = made.pairs().all(|n| uniform.iter().any(|(other, _)| *other == n));
        (known.is_none() || in_waves && alike).then_some(Self {
            affine,
            known,
            strips,
            results,
            masks: uniform,
        })
    }

    /// Emits it, for all lanes; goes to `ordinary` where something does not hold, and to `done` at the end.
    pub fn emit(
        &self,
        asm: &mut Assembler,
        around: &Surroundings,
        [ordinary, done]: [Label; 2],
    ) -> Vec<(Label, Label, Label)> {
        let Surroundings { number, interpret, leave, entered, fenced, .. } = *around;
        self.prologue(asm, ordinary);
        let (behind, careful) = (asm.label(), asm.label());
        let sites = self.strips(asm, behind, careful);
        // The interpreter does this strip, and those behind it: translations may have changed meanwhile.
        asm.bind(careful);
        if entered {
            leave_slot(asm);
        }
        asm.op(Mov_r64_rm64, &[Register::RDI.into(), CONTEXT.into()]);
        asm.op(Mov_r32_imm32, &[Register::ESI.into(), Arg::Dword(number as u32)]);
        asm.op(Mov_r32_rm32, &[Register::EDX.into(), Register::EBP.into()]);
        asm.call(interpret);
        asm.op(Test_rm64_r64, &[RAX.into(), RAX.into()]);
        asm.jcc(Condition::NotEqual, leave);
        if entered {
            enter(asm, fenced);
        }
        asm.op(Add_rm32_imm8, &[Register::EBP.into(), 64u8.into()]);
        asm.op(Cmp_rm32_imm32, &[Register::EBP.into(), Arg::Dword(256)]);
        asm.jcc(Condition::NotEqual, careful);
        asm.bind(behind);
        self.epilogue(asm);
        asm.jmp(done);
        sites
    }

    /// Emits the strips, of one wave or of all. Goes to `behind` afterwards, and to `careful` when the host faults.
    pub fn strips(&self, asm: &mut Assembler, behind: Label, careful: Label) -> Vec<(Label, Label, Label)> {
        let region = &self.strips;
        let excused = region.excused();
        let watch = region.watch(&excused, false);
        let mut variants = vec![watch];
        if watch != Watch::Nothing {
            variants.push(Watch::Mend);
        }
        let imprecise = asm.label();
        // (No access of these strips can miss its translation.)
        let exits = Exits { careful, missed: careful, imprecise };
        let mut sites = Vec::new();
        if watch == Watch::Flag {
            asm.op(VEX_Vldmxcsr_m32, &[context(offset_of!(Context, mxcsr)).into()]);
        }
        asm.op(Xor_r32_rm32, &[Register::EBP.into(), Register::EBP.into()]);
        for (n, watch) in variants.into_iter().enumerate() {
            let (begin, end, next) = (asm.label(), asm.label(), asm.label());
            let top = if n == 1 { imprecise } else { asm.label() };
            asm.bind(top);
            asm.bind(begin);
            region.strip(asm, (false, watch), exits, next, &excused);
            asm.bind(end);
            asm.bind(next);
            asm.op(Add_rm32_imm8, &[Register::EBP.into(), 64u8.into()]);
            asm.op(Cmp_rm32_imm32, &[Register::EBP.into(), Arg::Dword(256)]);
            asm.jcc(Condition::NotEqual, top);
            if self.known.is_some() {
                self.next_wave(asm);
                asm.jcc(Condition::NotEqual, top);
            }
            asm.jmp(behind);
            if region.is_global() {
                sites.push((begin, end, careful));
            }
        }
        sites
    }

    /// The next wave is at hand; equal if that is the first one again.
    fn next_wave(&self, asm: &mut Assembler) {
        asm.op(Xor_r32_rm32, &[Register::EBP.into(), Register::EBP.into()]);
        for (n, spread) in self.affine.spreads.iter().enumerate().filter(|(_, spread)| spread.stride != 0) {
            asm.op(Add_rm64_imm32, &[first(n).into(), Arg::Dword((BEHIND + 1) * spread.stride)]);
        }
        asm.op(Mov_r64_rm64, &[WAVE.into(), field(offset_of!(Wave, next)).into()]);
        asm.op(Cmp_r64_rm64, &[WAVE.into(), context(offset_of!(Context, first_wave)).into()]);
    }

    /// Whether anything is left for strips.
    pub fn has_strips(&self) -> bool {
        !self.strips.is_empty()
    }

    /// Results that no strip computes.
    pub fn results(&self) -> &[(u16, Placed)] {
        &self.results
    }

    /// Lane masks that are all ones or all zeroes: the values are 1 or 0.
    pub fn masks(&self) -> &[(u16, Slot)] {
        &self.masks
    }

    /// Results that no strip has computed.
    fn epilogue(&self, asm: &mut Assembler) {
        for (register, (slot, stride)) in &self.results {
            let place = |strip: i32| -> Arg {
                at(WAVE, offset_of!(Wave, v) as i32 + i32::from(*register) * 256 + 64 * strip).into()
            };
            asm.op(EVEX_Vpbroadcastd_zmm_k1z_xmmm32, &[zmm(0).into(), self.place(*slot).into()]);
            for strip in 0..4 {
                let mut from = zmm(0);
                if *stride != 0 {
                    from = zmm(1);
                    let table = std::array::from_fn(|n| (n as u32 + 16 * strip as u32).wrapping_mul(*stride));
                    let args: [Arg; 2] = [from.into(), zmm(0).into()];
                    asm.op_table(EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32, &args, table, Masking::default());
                }
                asm.op(STORE, &[place(strip), from.into()]);
            }
        }
        self.write_masks(asm);
    }

    /// Lane masks that are all ones or all zeroes.
    pub fn write_masks(&self, asm: &mut Assembler) {
        for (number, slot) in &self.masks {
            // 1 becomes all ones.
            self.get(asm, EAX, *slot);
            asm.op(Xor_r32_rm32, &[ECX.into(), ECX.into()]);
            asm.op(Sub_r64_rm64, &[RCX.into(), RAX.into()]);
            asm.op(Mov_rm64_r64, &[scalar(*number).into(), RCX.into()]);
        }
        debug_assert!(self.masks.iter().all(|(number, _)| *number != u16::from(sgpr::EXEC_LO)));
    }
}

/// Where the host address of a spread's first element is.
pub(super) fn first(number: usize) -> MemoryOperand {
    context(offset_of!(Context, spreads) + 8 * number)
}

/// Where the context holds what the first of all lanes has.
pub(super) fn held(slot: usize) -> MemoryOperand {
    context(offset_of!(Context, held) + 4 * slot)
}
