//! Emission of a region's instructions for one strip of sixteen lanes.

use std::mem::offset_of;

use iced_x86::{Code, Register};

use super::assembler::{Arg, Assembler, Condition, Label, Masking};
use super::context::Context;
use super::dwords::Dwords;
use super::groups::Groups;
use super::ir::Lane;
use super::layout::{context, mask, pending, scalar, vector, zmm};
use super::memory::{Rare, ways};
use super::operand::{Operand, Source};
use super::region::Exits;
use super::registers::Registers;
use super::set::{ScalarSet, VectorSet};
use super::shape::Shape;
use super::target::File;
use super::width::{DOUBLE, SINGLE};

/// A copy between registers or memory and registers.
pub(super) const MOVE: Code = Code::EVEX_Vmovdqa32_zmm_k1z_zmmm512;
/// A load.
pub(super) const LOAD: Code = Code::EVEX_Vmovdqu32_zmm_k1z_zmmm512;
/// A store.
pub(super) const STORE: Code = Code::EVEX_Vmovdqu32_zmmm512_k1z_zmm;

/// The registers; the first six are for single instructions.
static FILE: File =
    File { base: Register::ZMM0, first: 6, count: 32, load: LOAD, store: STORE, masks: false };

/// The strip's part of EXEC, in the masked variant.
pub(super) const EXEC: Register = Register::K1;
/// Mask registers for single instructions.
pub(super) const K2: Register = Register::K2;
/// See [`K2`].
pub(super) const K3: Register = Register::K3;
/// Mask registers that hold lane masks.
const HELD: [Register; 3] = [Register::K4, Register::K5, Register::K6];
/// Lanes that write, where those are not all of EXEC.
pub(super) const ENABLED: Register = Register::K7;
/// Lanes in which some result is a NaN.
const NANS: Register = Register::K0;

/// How NaN results are noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    /// There are none.
    Nothing,
    /// Each result is looked at: best for a few. After a NaN the strip is begun again in code that repairs.
    Results,
    /// The processor's flag of invalid operations is read once: best for many. NaNs that sources bring in pass
    /// through operations as they should, without a flag.
    Flag,
    /// The NaNs of each result are repaired.
    Mend,
}

/// What emits a strip, for any target.
pub(super) trait Emission {
    /// The instruction at this position comes next; its result may be excused from being watched.
    fn next(&mut self, position: usize, excused: bool);
    /// Before the first instruction: EXEC is at hand, and no NaN yet.
    fn begin(&mut self);
    /// One instruction.
    fn lane(&mut self, lane: &Lane, shape: Shape);
    /// After the last instruction: results go to the wave.
    fn end(&mut self);
}

/// A lane mask in a mask register.
#[derive(Clone, Copy)]
struct Held {
    number: u16,
    dirty: bool,
}

/// See the file's head.
pub(super) struct Strip<'a> {
    /// The code.
    pub asm: &'a mut Assembler,
    /// Vector registers.
    pub registers: Registers,
    /// EXEC is not all ones.
    pub masked: bool,
    /// Where the strip is begun again by the interpreter.
    pub careful: Label,
    /// Where it is begun again with another translation.
    pub missed: Label,
    /// Accesses whose addresses are looked at together.
    pub groups: Groups,
    /// The groups that have been looked at.
    pub classified: Vec<usize>,
    /// The result of the instruction at hand need not be watched.
    pub excused: bool,
    /// Code out of the way.
    pub rare: Vec<Rare>,
    /// Where the strip is begun again in code that repairs NaNs.
    imprecise: Label,
    /// Some lanes of EXEC do not write: see [`ENABLED`].
    pub enabled: bool,
    /// 64-bit lanes are in the order that is cheapest to make: nothing but their own operation looks at them.
    pub any_order: bool,
    watch: Watch,
    unchecked: bool,
    /// Behind the last spare register that the instruction at hand uses.
    pub spares: u16,
    held: [Option<Held>; 3],
    turn: usize,
    /// Lane masks whose newest value is in the context.
    spilled: ScalarSet,
}

impl<'a> Strip<'a> {
    /// A strip of these instructions.
    pub fn new(
        asm: &'a mut Assembler,
        (lanes, live): (&[Lane], &VectorSet),
        masked: bool,
        Exits { careful, missed, imprecise }: Exits,
        watch: Watch,
    ) -> Self {
        Self {
            asm,
            registers: Registers::new(lanes, live, &FILE),
            masked,
            careful,
            missed,
            imprecise,
            enabled: false,
            groups: Groups::new(lanes, |access| ways(access, masked)),
            classified: Vec::new(),
            rare: Vec::new(),
            excused: false,
            any_order: false,
            watch,
            unchecked: false,
            spares: super::form::PERMUTED,
            held: [None; 3],
            turn: 0,
            spilled: ScalarSet::default(),
        }
    }

    /// EXEC as the mask of an instruction.
    pub fn masking(&self) -> Masking {
        Masking { by: self.masked.then_some(EXEC), zero: true, quiet: false }
    }

    /// The same for the upper eight lanes of 64-bit elements; uses K3.
    pub fn upper_masking(&mut self) -> Masking {
        if self.masked {
            self.asm.op(Code::VEX_Kshiftrw_kr_kr_imm8, &[K3.into(), EXEC.into(), 8u8.into()]);
        }
        Masking { by: self.masked.then_some(K3), zero: true, quiet: false }
    }

    /// A source of 32 bits with its modifiers; temporary `n` takes what is in no register.
    pub fn source(&mut self, operand: &Operand, n: u8) -> Register {
        let temporary = zmm(n);
        let plain = match operand.from {
            Source::Vector(v) => self.registers.read(self.asm, v),
            Source::Scalar(s) => {
                let args: [Arg; 2] = [temporary.into(), scalar(s).into()];
                self.asm.op(Code::EVEX_Vpbroadcastd_zmm_k1z_xmmm32, &args);
                temporary
            }
            Source::Constant(value) => {
                self.asm.broadcast(temporary, value as u32);
                temporary
            }
            Source::None => temporary,
        };
        let mut from = plain;
        if !operand.part.is_whole() {
            self.part(operand, from, temporary);
            from = temporary;
        }
        let sign = if operand.ty.bits() == 16 { 0x8000u32 } else { 0x8000_0000 };
        for (wanted, code, bits) in [
            (operand.abs, Code::EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32, !sign),
            (operand.neg, Code::EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32, sign),
        ] {
            if wanted {
                self.asm.op_table(code, &[temporary.into(), from.into()], [bits; 16], Masking::default());
                from = temporary;
            }
        }
        from
    }

    /// A source of 64 bits with its modifiers as two registers of eight lanes, in temporaries 2n and 2n + 1.
    pub fn wide_source(&mut self, operand: &Operand, n: u8) -> [Register; 2] {
        let temporaries = [zmm(2 * n), zmm(2 * n + 1)];
        match operand.from {
            Source::Vector(v) if operand.dwords == 1 => {
                // An operand of 32 bits among wide ones: a shift count.
                let low = self.registers.read(self.asm, v);
                self.extend(low, temporaries, false);
            }
            Source::Vector(v) => {
                let low = self.registers.read(self.asm, v);
                let high = self.registers.read(self.asm, v + 1);
                self.interleave(low, high, temporaries);
            }
            Source::Scalar(s) if operand.dwords == 1 => {
                let t = temporaries[0];
                self.asm.op(Code::EVEX_Vpbroadcastd_zmm_k1z_xmmm32, &[t.into(), scalar(s).into()]);
                self.asm.op(Code::EVEX_Vpsrlq_zmm_k1z_zmmm512b64_imm8, &[t.into(), t.into(), 32u8.into()]);
                self.asm.op(MOVE, &[temporaries[1].into(), t.into()]);
            }
            Source::Scalar(s) => {
                for t in temporaries {
                    self.asm.op(Code::EVEX_Vpbroadcastq_zmm_k1z_xmmm64, &[t.into(), scalar(s).into()]);
                }
            }
            Source::Constant(value) => {
                let (low, high) = (value as u32, (value >> 32) as u32);
                let high = if operand.dwords == 1 { 0 } else { high };
                for t in temporaries {
                    let table = std::array::from_fn(|n| if n % 2 == 0 { low } else { high });
                    self.asm.op_table(LOAD, &[t.into()], table, Masking::default());
                }
            }
            Source::None => {}
        }
        for (wanted, code, high, low) in [
            (operand.abs, Code::EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32, 0x7fff_ffff, !0),
            (operand.neg, Code::EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32, 0x8000_0000, 0),
        ] {
            if wanted {
                let table = std::array::from_fn(|n| if n % 2 == 0 { low } else { high });
                for t in temporaries {
                    self.asm.op_table(code, &[t.into(), t.into()], table, Masking::default());
                }
            }
        }
        temporaries
    }

    /// Low and high dwords of sixteen lanes as two registers of 64-bit lanes.
    pub fn interleave(&mut self, low: Register, high: Register, to: [Register; 2]) {
        if self.any_order {
            for (code, t) in [
                (Code::EVEX_Vpunpckldq_zmm_k1z_zmm_zmmm512b32, to[0]),
                (Code::EVEX_Vpunpckhdq_zmm_k1z_zmm_zmmm512b32, to[1]),
            ] {
                self.asm.op(code, &[t.into(), low.into(), high.into()]);
            }
            return;
        }
        for (half, t) in to.into_iter().enumerate() {
            let table = std::array::from_fn(|n| (8 * half + n / 2 + n % 2 * 16) as u32);
            self.asm.op_table(LOAD, &[t.into()], table, Masking::default());
            let args: [Arg; 3] = [t.into(), low.into(), high.into()];
            self.asm.op(Code::EVEX_Vpermi2d_zmm_k1z_zmm_zmmm512b32, &args);
        }
    }

    /// The low (or high) dwords of two registers of 64-bit lanes.
    pub fn deinterleave(&mut self, from: [Register; 2], high: bool, to: Register) {
        if self.any_order {
            let order = if high { 0xddu8 } else { 0x88 };
            let args: [Arg; 4] = [to.into(), from[0].into(), from[1].into(), order.into()];
            return self.asm.op(Code::EVEX_Vshufps_zmm_k1z_zmm_zmmm512b32_imm8, &args);
        }
        let table = std::array::from_fn(|n| (2 * n + usize::from(high)) as u32);
        self.asm.op_table(LOAD, &[to.into()], table, Masking::default());
        let args: [Arg; 3] = [to.into(), from[0].into(), from[1].into()];
        self.asm.op(Code::EVEX_Vpermi2d_zmm_k1z_zmm_zmmm512b32, &args);
    }

    /// Sixteen 32-bit lanes extended to two registers of 64-bit lanes.
    pub fn extend(&mut self, from: Register, to: [Register; 2], signed: bool) {
        let code =
            if signed { Code::EVEX_Vpmovsxdq_zmm_k1z_ymmm256 } else { Code::EVEX_Vpmovzxdq_zmm_k1z_ymmm256 };
        let upper = super::layout::ymm(to[1]);
        self.asm.op(Code::EVEX_Vextracti64x4_ymmm256_k1z_zmm_imm8, &[upper.into(), from.into(), 1u8.into()]);
        self.asm.op(code, &[to[1].into(), upper.into()]);
        self.asm.op(code, &[to[0].into(), super::layout::ymm(from).into()]);
    }

    /// Stores a 64-bit result that is in two registers of eight lanes.
    pub fn wide_result(&mut self, lane: &Lane, from: [Register; 2]) {
        let Some((d, _)) = lane.dst else { return };
        for k in 0..2 {
            let to = self.registers.write(self.asm, d + k);
            self.deinterleave(from, k == 1, to);
        }
    }

    /// The mask register that holds a lane mask.
    pub fn read_mask(&mut self, number: u16) -> Register {
        if let Some(n) = self.held.iter().position(|held| held.is_some_and(|held| held.number == number)) {
            return HELD[n];
        }
        let n = self.make_room();
        let from = if self.spilled.has(number) { pending(number) } else { mask(number) };
        self.asm.op(Code::VEX_Kmovw_kr_km16, &[HELD[n].into(), from.into()]);
        self.held[n] = Some(Held { number, dirty: false });
        HELD[n]
    }

    /// A lane mask gets a new value from another mask register, of which the active lanes count.
    pub fn write_mask(&mut self, number: u16, from: Register) {
        let known = self.held.iter().position(|held| held.is_some_and(|held| held.number == number));
        let n = known.unwrap_or_else(|| self.make_room());
        self.held[n] = Some(Held { number, dirty: true });
        if self.masked || self.enabled {
            let by = if self.enabled { ENABLED } else { EXEC };
            self.asm.op(Code::VEX_Kandw_kr_kr_kr, &[HELD[n].into(), from.into(), by.into()]);
        } else {
            self.asm.op(Code::VEX_Kmovw_kr_km16, &[HELD[n].into(), from.into()]);
        }
    }

    fn make_room(&mut self) -> usize {
        let n = self.held.iter().position(Option::is_none).unwrap_or_else(|| {
            self.turn = (self.turn + 1) % HELD.len();
            self.turn
        });
        if let Some(Held { number, dirty: true }) = self.held[n].take() {
            self.asm.op(Code::VEX_Kmovw_m16_kr, &[pending(number).into(), HELD[n].into()]);
            self.spilled.add(number, 1);
        }
        n
    }

    /// Whether NaNs of results are repaired.
    pub fn mends(&self) -> bool {
        self.watch == Watch::Mend
    }

    /// How floating-point instructions run: inactive lanes must raise no flags where those are looked at.
    pub fn float(&self) -> Masking {
        if self.mends() { Masking::default() } else { self.masking() }
    }

    /// The same for the upper eight lanes of 64-bit elements.
    pub fn float_upper(&mut self) -> Masking {
        if self.mends() { Masking::default() } else { self.upper_masking() }
    }

    /// Before an operation that may be invalid: K2 is where none of its sources is a NaN.
    pub fn guard(&mut self, sources: &[Register]) {
        self.guard_with(Code::EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae, sources);
    }

    /// The same for one half of 64-bit lanes.
    pub fn guard_wide(&mut self, sources: &[Register]) {
        self.guard_with(Code::EVEX_Vcmppd_kr_k1_zmm_zmmm512b64_imm8_sae, sources);
    }

    fn guard_with(&mut self, compare: Code, sources: &[Register]) {
        if !self.mends() {
            self.unchecked = true;
            return;
        }
        for (n, pair) in sources.chunks(2).enumerate() {
            let (a, b) = (pair[0], pair[pair.len() - 1]);
            let by = (n > 0).then_some(K2);
            // 7: ordered.
            let args: [Arg; 4] = [K2.into(), a.into(), b.into(), 7u8.into()];
            self.asm.with(compare, &args, Masking { by, zero: false, quiet: true });
        }
    }

    /// After it: NaNs that it made are the default NaN.
    pub fn mend(&mut self, result: Register) {
        if self.mends() {
            let masking = Masking { by: Some(K2), zero: false, quiet: true };
            let args: [Arg; 4] = [K2.into(), result.into(), result.into(), 3u8.into()];
            self.asm.with(Code::EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae, &args, masking);
            self.put(result, SINGLE.default_nan(), K2);
        } else {
            self.check(Code::EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae, result);
        }
    }

    /// Notes whether a result is a NaN. Inactive lanes are zero.
    fn check(&mut self, compare: Code, result: Register) {
        if self.watch == Watch::Results && !self.excused {
            let masking = Masking { by: None, zero: false, quiet: true };
            let args: [Arg; 4] = [K2.into(), result.into(), result.into(), 3u8.into()];
            self.asm.with(compare, &args, masking);
            self.asm.op(Code::VEX_Korw_kr_kr_kr, &[NANS.into(), NANS.into(), K2.into()]);
        }
    }

    /// The same for one half of 64-bit lanes.
    pub fn mend_wide(&mut self, result: Register) {
        if self.mends() {
            let masking = Masking { by: Some(K2), zero: false, quiet: true };
            let args: [Arg; 4] = [K2.into(), result.into(), result.into(), 3u8.into()];
            self.asm.with(Code::EVEX_Vcmppd_kr_k1_zmm_zmmm512b64_imm8_sae, &args, masking);
            self.put_wide(&DOUBLE, result, DOUBLE.default_nan(), K2);
        } else {
            self.check(Code::EVEX_Vcmppd_kr_k1_zmm_zmmm512b64_imm8_sae, result);
        }
    }

    /// Goes to the interpreter if any of these lanes is active.
    pub fn otherwise_careful(&mut self, lanes: Register) {
        self.asm.op(Code::VEX_Kortestw_kr_kr, &[lanes.into(), lanes.into()]);
        self.asm.jcc(Condition::NotEqual, self.careful);
    }

    /// Begins again if a result since the last time may be wrong. Comes before anything that others can see.
    pub fn settle(&mut self) {
        if !std::mem::take(&mut self.unchecked) {
            return;
        }
        match self.watch {
            Watch::Nothing => return,
            Watch::Results => {
                self.asm.op(Code::VEX_Kortestw_kr_kr, &[NANS.into(), NANS.into()]);
            }
            Watch::Flag => {
                let read = context(offset_of!(Context, mxcsr) + 4);
                self.asm.op(Code::VEX_Vstmxcsr_m32, &[read.into()]);
                self.asm.op(Code::Test_rm8_imm8, &[read.into(), 1u8.into()]);
            }
            Watch::Mend => return,
        }
        self.asm.jcc(Condition::NotEqual, self.imprecise);
    }
}

impl Emission for Strip<'_> {
    fn next(&mut self, position: usize, excused: bool) {
        self.registers.begin(position);
        self.excused = excused;
    }

    fn begin(&mut self) {
        if self.masked {
            let exec = mask(vega_isa::sgpr::EXEC_LO.into());
            self.asm.op(Code::VEX_Kmovw_kr_km16, &[EXEC.into(), exec.into()]);
        }
        if self.watch == Watch::Results {
            self.asm.op(Code::VEX_Kxorw_kr_kr_kr, &[NANS.into(), NANS.into(), NANS.into()]);
        }
    }

    fn lane(&mut self, lane: &Lane, shape: Shape) {
        self.instruction(lane, shape);
    }

    fn end(&mut self) {
        self.settle();
        let (masked, temporary) = (self.masked, zmm(0));
        self.registers.finish(self.asm, zmm(1), &mut |asm, v, from| {
            if !masked {
                asm.op(STORE, &[vector(v).into(), from.into()]);
                return;
            }
            // Blending and storing whole keeps later loads of the register fast.
            asm.op(LOAD, &[temporary.into(), vector(v).into()]);
            let masking = Masking { by: Some(EXEC), ..Masking::default() };
            asm.with(MOVE, &[temporary.into(), from.into()], masking);
            asm.op(STORE, &[vector(v).into(), temporary.into()]);
        });
        for (register, held) in HELD.into_iter().zip(self.held) {
            if let Some(Held { number, dirty: true }) = held {
                self.asm.op(Code::VEX_Kmovw_m16_kr, &[mask(number).into(), register.into()]);
            }
        }
        for number in (0..128).filter(|n| self.spilled.has(*n)) {
            let newer = self.held.iter().flatten().any(|held| held.number == number && held.dirty);
            if !newer {
                self.asm.op(Code::VEX_Kmovw_kr_km16, &[K2.into(), pending(number).into()]);
                self.asm.op(Code::VEX_Kmovw_m16_kr, &[mask(number).into(), K2.into()]);
            }
        }
    }
}
