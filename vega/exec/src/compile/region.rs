//! Regions: vector instructions that run as a loop over strips of the lanes that a host register holds.
//!
//! A strip's results stay in registers until its end, and nothing before that can be seen by anybody, except
//! the one store that a region may have for each kind of memory, and no load of that kind comes with it. So a
//! strip can be begun again at any time: by the interpreter, for the strip's lanes alone, when an address is
//! out of a translation's range, when the host has taken memory away, or when a NaN needs the rule that the
//! host does not follow.
//!
//! What one strip must not see of the strips before it closes a region: scalar registers that it reads as
//! values and writes as lane masks, in either order. Lane masks of the same lanes may be written and read.

use std::mem::offset_of;

use iced_x86::{Code, Register};
use vega_isa::memory::Space;
use vega_isa::sgpr;

use super::assembler::{Arg, Assembler, Condition, Label};
use super::avx2;
use super::code::Member;
use super::context::Context;
use super::form::CROSSES;
use super::ir::{Access, Lane};
use super::layout::{CONTEXT, EPOCH, PIECE, SLOT, STRIP, context, field, mask, scalar};
use super::operand::{Operand, Source};
use super::scalar::Scalar;
use super::set::{ScalarSet, VectorSet};
use super::shape::{Float, Shape};
use super::spread::SpreadRegion;
use super::strip::{Emission, Strip, Watch};
use super::target::Target;
use super::whole::Whole;
use crate::interp::record::Record;
use crate::interp::wave::Wave;

/// The most instructions of a region: an unmapping elsewhere waits for its end.
const LONGEST: usize = super::groups::MOST;

/// What surrounds a region's code.
pub(super) struct Surroundings {
    /// The region's place in the list of regions.
    pub number: usize,
    /// Calls the interpreter for a strip.
    pub interpret: Label,
    /// Looks for a translation.
    pub translate: Label,
    /// Leaves with RAX.
    pub leave: Label,
    /// Accesses are announced.
    pub entered: bool,
    /// A full barrier must follow an announcement.
    pub fenced: bool,
}

/// Where a strip is left before its end, to be begun again.
#[derive(Clone, Copy)]
pub(super) struct Exits {
    /// By the interpreter.
    pub careful: Label,
    /// With the translation that ECX (slot and right) and R8 (an address) tell of; by the interpreter if there is none.
    pub missed: Label,
    /// In code that repairs NaNs.
    pub imprecise: Label,
}

/// From this many floating-point results on, one look at the processor's flag is cheaper than one at each.
const MANY_FLOATS: usize = 24;

/// Vector instructions gathered so far, and what they touch.
pub(super) struct Region {
    target: Target,
    lanes: Vec<Lane>,
    shapes: Vec<Shape>,
    scalar_reads: ScalarSet,
    mask_reads: ScalarSet,
    mask_writes: ScalarSet,
    vector_reads: VectorSet,
    vector_writes: VectorSet,
    /// Instructions whose source was permuted before the region.
    crosses: u8,
    loads: [bool; 2],
    stores: [bool; 2],
    /// Loads of global memory have been waited for.
    waited: bool,
    floats: usize,
    /// Vector registers that may be read behind it.
    pub live: VectorSet,
}

/// Where an access may go, as indices.
fn spaces(access: &Access) -> &'static [usize] {
    match access.space {
        _ if access.flat => &[0, 1],
        Space::Lds => &[1],
        _ => &[0],
    }
}

/// Whether a NaN among the sources makes the result a NaN, which is watched.
fn passes_nans(shape: Shape) -> bool {
    matches!(
        shape,
        Shape::Unary(_, Float::Checked)
            | Shape::Binary(_, Float::Checked)
            | Shape::Fma
            | Shape::MadFlush
            | Shape::Reciprocal
            | Shape::WideBinary(_)
            | Shape::WideFma
    )
}

impl Region {
    /// Nothing yet.
    pub fn new(target: Target) -> Self {
        Self {
            target,
            lanes: Vec::new(),
            shapes: Vec::new(),
            scalar_reads: ScalarSet::default(),
            mask_reads: ScalarSet::default(),
            mask_writes: ScalarSet::default(),
            vector_reads: VectorSet::default(),
            vector_writes: VectorSet::default(),
            crosses: 0,
            loads: [false; 2],
            stores: [false; 2],
            waited: false,
            floats: 0,
            live: VectorSet::ALL,
        }
    }

    /// One without instructions in the place of this one.
    pub fn empty(&self) -> Self {
        Self { live: self.live, ..Self::new(self.target) }
    }

    /// Its instructions.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// How each of them is done.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    /// Whether the instruction may join.
    pub fn admits(&self, lane: &Lane, shape: Shape) -> bool {
        let in_order = match &lane.access {
            None => true,
            Some(access) => {
                // A load that comes after a wait sees what all lanes' loads before it have seen.
                let ordered = !self.waited || access.space == Space::Lds;
                let free = |n: &usize| !self.stores[*n] && (access.load || !self.loads[*n]);
                spaces(access).iter().all(free) && ordered
            }
        };
        in_order && self.admits_unordered(lane, shape)
    }

    /// Whether it might join but for the order of accesses.
    fn admits_unordered(&self, lane: &Lane, shape: Shape) -> bool {
        let (mut reads, mut writes) = (ScalarSet::default(), ScalarSet::default());
        lane.scalar_reads(&mut reads);
        lane.mask_writes(&mut writes);
        let settled = !self.target.watches(shape) || self.stores == [false; 2];
        let exec = self.mask_writes.has(sgpr::EXEC_LO.into());
        settled
            && !exec
            && self.lanes.len() < LONGEST
            && !reads.meets(&self.mask_writes)
            && !writes.meets(&self.scalar_reads)
    }

    /// Whether it is a store that could join if no load of the region sees what it stores. The host does it with one
    /// instruction: a strip can be begun again up to there.
    pub fn admits_apart(&self, lane: &Lane, shape: Shape) -> bool {
        let Some(access) = &lane.access else { return false };
        let plain = access.space == Space::Global && !access.flat && access.buffer.is_none();
        let one = !access.load && (access.bytes, access.count) == (4, 1);
        plain && one && self.stores == [false; 2] && self.admits_unordered(lane, shape)
    }

    /// Whether the scalar instruction may run before the region although it comes after it.
    pub fn admits_before(&self, scalar: &Scalar) -> bool {
        let writes_exec = scalar.writes.has(sgpr::EXEC_LO.into()) || scalar.writes.has(sgpr::EXEC_HI.into());
        self.is_empty()
            || !writes_exec
                && !scalar.reads.meets(&self.mask_writes)
                && !scalar.writes.meets(&self.scalar_reads)
                && !scalar.writes.meets(&self.mask_reads)
                && !scalar.writes.meets(&self.mask_writes)
                && !scalar.lanes.meets(&self.vector_writes)
    }

    /// Whether a load from scalar memory may run before the region.
    pub fn admits_load(&self, reads: &ScalarSet, writes: &ScalarSet) -> bool {
        self.only_loads()
            && !reads.meets(&self.mask_writes)
            && !writes.meets(&self.scalar_reads)
            && !writes.meets(&self.mask_reads)
            && !writes.meets(&self.mask_writes)
    }

    /// Whether an exchange between lanes may run before the region.
    pub fn admits_whole(&self, whole: &Whole) -> bool {
        self.is_empty()
            || !self.mask_writes.has(sgpr::EXEC_LO.into())
                && !whole.scalars.meets(&self.mask_writes)
                && !whole.reads.meets(&self.vector_writes)
                && !whole.writes.meets(&self.vector_writes)
                && !whole.writes.meets(&self.vector_reads)
    }

    /// The number of a permuted source, which is made before the region; `None` if this one cannot be.
    pub fn cross(&self, source: u16) -> Option<u8> {
        (self.crosses < CROSSES && !self.vector_writes.has(source)).then_some(self.crosses)
    }

    /// Whether a region without stores is under way: loads from scalar memory may pass it.
    pub fn only_loads(&self) -> bool {
        self.stores == [false; 2]
    }

    /// Later loads come after the ones so far, in every lane.
    pub fn fence(&mut self) {
        self.waited |= self.loads[0];
    }

    /// Takes the instruction in.
    pub fn push(&mut self, lane: Lane, shape: Shape) {
        lane.scalar_reads(&mut self.scalar_reads);
        lane.mask_reads(&mut self.mask_reads);
        lane.mask_writes(&mut self.mask_writes);
        lane.vector_reads(&mut self.vector_reads);
        lane.vector_writes(&mut self.vector_writes);
        self.crosses += u8::from(lane.cross.is_some());
        if let Some(access) = &lane.access {
            for n in spaces(access) {
                self.loads[*n] |= access.load;
                self.stores[*n] |= !access.load;
            }
        }
        self.floats += usize::from(self.target.watches(shape));
        self.lanes.push(lane);
        self.shapes.push(shape);
    }

    /// Its instructions, as the interpreter needs them.
    pub fn members(&self, records: &[Record]) -> Box<[Member]> {
        let member = |lane: &Lane| Member {
            record: lane.record(records[lane.ip]),
            ip: lane.ip as u32,
            mask: lane.mask_out.unwrap_or(Member::NO_MASK),
            to_exec: lane.to_exec,
            enabled: lane.cross,
        };
        self.lanes.iter().map(member).collect()
    }

    /// Which results need not be watched: the next instruction that reads the result makes a NaN of a NaN, and is
    /// watched itself or has the same excuse.
    pub fn excused(&self) -> Vec<bool> {
        let touches = |lane: &Lane| {
            let (mut reads, mut writes) = (VectorSet::default(), VectorSet::default());
            lane.vector_reads(&mut reads);
            lane.vector_writes(&mut writes);
            (reads, writes)
        };
        let touched: Vec<_> = self.lanes.iter().map(touches).collect();
        let excused = |n: usize| {
            let lane = &self.lanes[n];
            let Some((d, dwords)) = lane.dst.filter(|_| passes_nans(self.shapes[n]) && !lane.clamp) else {
                return false;
            };
            let mut result = VectorSet::default();
            result.add(d, dwords.into());
            let later = touched.iter().zip(&self.lanes).zip(&self.shapes).skip(n + 1);
            let mut later =
                later.filter(|(((reads, writes), _), _)| reads.meets(&result) || writes.meets(&result));
            later.next().is_some_and(|((_, reader), shape)| {
                let whole = |operand: &Operand| {
                    let float = operand.ty.is_float() && operand.ty.bits() == 32 * u32::from(dwords);
                    float
                        && operand.from == Source::Vector(d)
                        && operand.dwords == dwords
                        && operand.is_whole()
                };
                passes_nans(*shape) && reader.src.iter().any(whole)
            })
        };
        (0..self.lanes.len()).map(excused).collect()
    }

    /// The scalar registers that it reads, EXEC apart.
    pub fn scalars(&self) -> ScalarSet {
        let mut reads = self.scalar_reads;
        reads.extend(&self.mask_reads);
        reads
    }

    /// Whether it stores to global memory.
    pub fn is_stored(&self) -> bool {
        self.stores[0]
    }

    /// The lane masks that it writes.
    pub fn mask_writes(&self) -> &ScalarSet {
        &self.mask_writes
    }

    /// Whether its last instruction writes EXEC.
    pub fn writes_exec(&self) -> bool {
        self.mask_writes.has(sgpr::EXEC_LO.into())
    }

    /// Whether it accesses global memory: accesses must be announced then.
    pub fn is_global(&self) -> bool {
        self.loads[0] || self.stores[0]
    }

    /// How its NaNs are noticed.
    pub fn watch(&self, excused: &[bool], masked: bool) -> Watch {
        let watched = self.floats - excused.iter().filter(|excused| **excused).count();
        match self.floats {
            0 => Watch::Nothing,
            _ if watched > MANY_FLOATS && self.target.keeps_flags(masked) => Watch::Flag,
            _ => Watch::Results,
        }
    }

    /// Emits the region. Returns the ranges of code in which host faults may happen, and where they go.
    pub fn emit(&self, asm: &mut Assembler, around: &Surroundings) -> Vec<(Label, Label, Label)> {
        let Surroundings { number, interpret, translate, leave, entered, fenced } = *around;
        let excused = self.excused();
        let watch = |masked| self.watch(&excused, masked);
        let clear = |asm: &mut Assembler, masked: bool| {
            if watch(masked) == Watch::Flag {
                asm.op(Code::VEX_Vldmxcsr_m32, &[context(offset_of!(Context, mxcsr)).into()]);
            }
        };
        clear(asm, false);
        let mut sites = Vec::new();
        let (done, masked) = (asm.label(), asm.label());
        if self.stores[0] {
            asm.op(Code::Mov_rm8_imm8, &[field(offset_of!(Wave, store_outstanding)).into(), 1u8.into()]);
        }
        let precise = asm.label();
        let mut variants = vec![(false, watch(false)), (true, watch(true))];
        if self.floats != 0 {
            // Once a result is wrong, the other strips are done like this, too.
            variants.push((true, Watch::Mend));
        }
        asm.op(Code::Cmp_rm64_imm8, &[scalar(sgpr::EXEC_LO.into()).into(), 0xffu8.into()]);
        asm.jcc(Condition::NotEqual, masked);
        if self.target == Target::Avx512
            && let Some(spread) = SpreadRegion::new(self, None)
        {
            let ordinary = asm.label();
            sites.extend(spread.emit(asm, around, [ordinary, done]));
            asm.bind(ordinary);
        }
        for (n, variant) in variants.into_iter().enumerate() {
            let [begin, end, careful, missed, next] = std::array::from_fn(|_| asm.label());
            if n == 1 {
                asm.bind(masked);
            }
            let top = if n == 2 { precise } else { asm.label() };
            if n != 2 {
                asm.op(Code::Xor_r32_rm32, &[Register::EBP.into(), Register::EBP.into()]);
            }
            asm.bind(top);
            asm.bind(begin);
            self.strip(asm, variant, Exits { careful, missed, imprecise: precise }, next, &excused);
            asm.bind(end);
            asm.bind(next);
            asm.op(Code::Add_rm32_imm8, &[Register::EBP.into(), (4 * self.target.lanes() as u8).into()]);
            asm.op(Code::Cmp_rm32_imm32, &[Register::EBP.into(), Arg::Dword(256)]);
            asm.jcc(Condition::NotEqual, top);
            asm.jmp(done);
            let renumber = |asm: &mut Assembler| {
                asm.op(Code::Mov_r64_rm64, &[Register::RDI.into(), CONTEXT.into()]);
                asm.op(Code::Mov_r32_imm32, &[Register::ESI.into(), Arg::Dword(number as u32)]);
                asm.op(Code::Mov_r32_rm32, &[Register::EDX.into(), Register::EBP.into()]);
            };
            if self.is_global() {
                // R8 and ECX tell which translation is missing: the strip begins again with it, if there is one.
                asm.bind(missed);
                leave_slot(asm);
                renumber(asm);
                asm.call(translate);
                enter(asm, fenced);
                clear(asm, variant.0);
                asm.op(Code::Test_rm32_r32, &[Register::EAX.into(), Register::EAX.into()]);
                asm.jcc(Condition::NotEqual, top);
            }
            // The interpreter does this strip.
            asm.bind(careful);
            if entered {
                leave_slot(asm);
            }
            renumber(asm);
            asm.call(interpret);
            asm.op(Code::Test_rm64_r64, &[Register::RAX.into(), Register::RAX.into()]);
            asm.jcc(Condition::NotEqual, leave);
            if entered {
                enter(asm, fenced);
            }
            clear(asm, variant.0);
            if self.is_global() {
                sites.push((begin, end, careful));
            }
            asm.jmp(next);
        }
        asm.bind(done);
        sites
    }

    /// Emits one strip.
    pub fn strip(
        &self,
        asm: &mut Assembler,
        (masked, watch): (bool, Watch),
        exits: Exits,
        next: Label,
        excused: &[bool],
    ) {
        let none = ScalarSet::default();
        if masked || self.crosses != 0 || self.mask_reads != none || self.mask_writes != none {
            let narrow_piece = Register::R9D;
            asm.op(Code::Mov_r32_rm32, &[narrow_piece.into(), Register::EBP.into()]);
            asm.op(Code::Shr_rm32_imm8, &[narrow_piece.into(), 5u8.into()]);
            debug_assert_eq!((PIECE, STRIP), (Register::R9, Register::RBP));
        }
        if masked {
            let some = asm.label();
            let (compare, clear, zero) = match self.target {
                Target::Avx2 => (Code::Cmp_rm8_imm8, Code::Mov_rm8_imm8, Arg::Byte(0)),
                Target::Avx512 => (Code::Cmp_rm16_imm8, Code::Mov_rm16_imm16, Arg::Word(0)),
            };
            asm.op(compare, &[mask(sgpr::EXEC_LO.into()).into(), 0u8.into()]);
            asm.jcc(Condition::NotEqual, some);
            // No lane is active: masks become zero, nothing else changes.
            for number in (0..128).step_by(2).filter(|n| self.mask_writes.has(*n)) {
                asm.op(clear, &[mask(number).into(), zero]);
            }
            asm.jmp(next);
            asm.bind(some);
        }
        let lanes = self.lanes.as_slice();
        match self.target {
            Target::Avx2 => {
                let mut strip = avx2::Strip::new(asm, (lanes, &self.live), masked, exits, watch);
                self.fill(&mut strip, excused);
                strip.rare(next);
            }
            Target::Avx512 => {
                let mut strip = Strip::new(asm, (lanes, &self.live), masked, exits, watch);
                self.fill(&mut strip, excused);
                strip.rare(next);
            }
        }
    }

    fn fill(&self, strip: &mut impl Emission, excused: &[bool]) {
        strip.begin();
        for (n, (lane, shape)) in self.lanes.iter().zip(&self.shapes).enumerate() {
            strip.next(n, excused[n]);
            strip.lane(lane, *shape);
        }
        strip.end();
    }
}

/// Announces accesses and notes the epoch for which translations must be valid.
pub(super) fn enter(asm: &mut Assembler, fenced: bool) {
    asm.op(Code::Inc_rm32, &[super::assembler::at(SLOT, 0).into()]);
    if fenced {
        // mfence
        asm.raw(&[0x0f, 0xae, 0xf0]);
    }
    asm.op(Code::Mov_r64_rm64, &[EPOCH.into(), context(offset_of!(Context, epoch)).into()]);
    asm.op(Code::Mov_r64_rm64, &[EPOCH.into(), super::assembler::at(EPOCH, 0).into()]);
}

/// Withdraws the announcement.
pub(super) fn leave_slot(asm: &mut Assembler) {
    asm.op(Code::Inc_rm32, &[super::assembler::at(SLOT, 0).into()]);
}
