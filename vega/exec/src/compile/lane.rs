//! Vector arithmetic: one function for each shape.

use iced_x86::{Code, Register};

use super::assembler::{Arg, Masking};
use super::codes::{AND, SUB, XOR};
use super::dwords::Dwords;
use super::ir::Lane;
use super::layout::zmm;
use super::operand::Operand;
use super::shape::{Family, Float, Shape};
use super::strip::{K2, MOVE, Strip};
use super::width::{SINGLE, class};
use Code::*;

pub(super) const SHL: Code = EVEX_Vpsllvd_zmm_k1z_zmm_zmmm512b32;
pub(super) const SHR: Code = EVEX_Vpsrlvd_zmm_k1z_zmm_zmmm512b32;
pub(super) const SAR: Code = EVEX_Vpsravd_zmm_k1z_zmm_zmmm512b32;
pub(super) const LOGIC: Code = EVEX_Vpternlogd_zmm_k1z_zmm_zmmm512b32_imm8;
const CLASS: Code = EVEX_Vfpclassps_kr_k1_zmmm512b32_imm8;
/// Denormals, for `CLASS`.
const DENORMAL: u8 = 0x20;

impl Dwords for Strip<'_> {
    fn temporary(n: u8) -> Register {
        zmm(n)
    }

    fn source(&mut self, operand: &Operand, n: u8) -> Register {
        Strip::source(self, operand, n)
    }

    fn result(&mut self, lane: &Lane) -> Register {
        Strip::result(self, lane)
    }

    fn value(&mut self, v: u16) -> Register {
        self.registers.read(self.asm, v)
    }

    fn copy(&mut self, d: Register, a: Register) {
        Strip::copy(self, d, a);
    }

    fn three(&mut self, code: Code, d: Register, a: Register, b: Register) {
        Strip::three(self, code, d, a, b);
    }

    fn by(&mut self, code: Code, d: Register, a: Register, value: u8) {
        self.asm.op(code, &[d.into(), a.into(), value.into()]);
    }

    fn with_constant(&mut self, code: Code, d: Register, a: Register, value: u32) {
        Strip::with_constant(self, code, d, a, value);
    }

    fn constant(&mut self, d: Register, value: u32) {
        self.asm.broadcast(d, value);
    }

    fn high_product(&mut self, lane: &Lane, factors: [Register; 2], signed: bool) {
        self.product_above(lane, factors, signed);
    }
}

impl Strip<'_> {
    /// An instruction of three registers.
    pub fn three(&mut self, code: Code, d: Register, a: Register, b: Register) {
        self.asm.op(code, &[d.into(), a.into(), b.into()]);
    }

    /// An instruction whose last source is the same constant in every lane.
    pub fn with_constant(&mut self, code: Code, d: Register, a: Register, value: u32) {
        self.asm.op_table(code, &[d.into(), a.into()], [value; 16], Masking::default());
    }

    pub fn copy(&mut self, d: Register, a: Register) {
        if d != a {
            self.asm.op(MOVE, &[d.into(), a.into()]);
        }
    }

    /// The destination's register. Sources are still in theirs, unless it is the same guest register.
    pub fn result(&mut self, lane: &Lane) -> Register {
        match lane.dst {
            Some((d, _)) => self.registers.write(self.asm, d),
            None => zmm(5),
        }
    }

    /// How a floating-point instruction runs.
    fn float_masking(&self, float: Float) -> Masking {
        match float {
            Float::No => Masking::default(),
            Float::Checked => self.float(),
            Float::Quiet => Masking { quiet: true, ..Masking::default() },
        }
    }

    /// Before a floating-point operation on these sources.
    fn prepare(&mut self, float: Float, sources: &[Register]) {
        if float == Float::Checked {
            self.guard(sources);
        }
    }

    /// Repairs and clamps a float in `d`.
    pub fn complete(&mut self, lane: &Lane, d: Register, float: Float) {
        if float == Float::Checked {
            self.mend(d);
        }
        self.clamp(lane);
    }

    /// Clamps the result, if the instruction says so.
    pub fn clamp(&mut self, lane: &Lane) {
        if lane.clamp {
            let d = self.result(lane);
            let quiet = Masking { quiet: true, ..Masking::default() };
            // The second source is the result for a NaN and for two zeros.
            self.asm.broadcast(zmm(4), 0);
            let max = EVEX_Vmaxps_zmm_k1z_zmm_zmmm512b32_sae;
            self.asm.with(max, &[d.into(), d.into(), zmm(4).into()], quiet);
            self.asm.broadcast(zmm(4), 0x3f80_0000);
            let min = EVEX_Vminps_zmm_k1z_zmm_zmmm512b32_sae;
            self.asm.with(min, &[d.into(), d.into(), zmm(4).into()], quiet);
        }
    }

    pub fn flush(&mut self, to: Register, from: Register) {
        self.copy(to, from);
        self.asm.op(CLASS, &[K2.into(), to.into(), DENORMAL.into()]);
        let masking = Masking { by: Some(K2), zero: false, quiet: false };
        self.asm.op_table(AND, &[to.into(), to.into()], [0x8000_0000; 16], masking);
    }

    /// Emits one instruction's operation.
    pub fn operate(&mut self, lane: &Lane, shape: Shape) {
        if self.dword(lane, shape) {
            return;
        }
        match shape.family() {
            Family::Dword => {}
            Family::Wide => return self.wide(lane, shape),
            Family::Half => return self.half(lane, shape),
            Family::Bits => return self.bits(lane, shape),
        }
        match shape {
            Shape::Memory => self.memory(lane),
            Shape::Unary(code, float) => {
                let a = self.source(&lane.src[0], 0);
                let d = self.result(lane);
                self.prepare(float, &[a]);
                self.asm.with(code, &[d.into(), a.into()], self.float_masking(float));
                self.complete(lane, d, float);
            }
            Shape::UnaryImmediate(code, imm, float) => {
                let a = self.source(&lane.src[0], 0);
                let d = self.result(lane);
                self.prepare(float, &[a]);
                self.asm.with(code, &[d.into(), a.into(), imm.into()], self.float_masking(float));
                self.complete(lane, d, float);
            }
            Shape::Binary(code, float) => {
                let a = self.source(&lane.src[0], 0);
                let b = self.source(&lane.src[1], 1);
                let d = self.result(lane);
                self.prepare(float, &[a, b]);
                self.asm.with(code, &[d.into(), a.into(), b.into()], self.float_masking(float));
                self.complete(lane, d, float);
            }
            Shape::BinaryImmediate(code, imm, float) => {
                let a = self.source(&lane.src[0], 0);
                let b = self.source(&lane.src[1], 1);
                let d = self.result(lane);
                self.prepare(float, &[a, b]);
                let args: [Arg; 4] = [d.into(), a.into(), b.into(), imm.into()];
                self.asm.with(code, &args, self.float_masking(float));
                self.complete(lane, d, float);
            }
            Shape::Logic(imm) => self.logic(lane, imm),
            Shape::Fma => self.fma(lane),
            Shape::MadFlush | Shape::MadLegacy => {
                for n in 0..3 {
                    let from = self.source(&lane.src[n], n as u8);
                    self.copy(zmm(n as u8), from);
                }
                self.mad_flush(shape == Shape::MadLegacy);
                let d = self.result(lane);
                self.copy(d, zmm(3));
                self.clamp(lane);
            }
            Shape::MulLegacy => {
                for n in 0..2 {
                    let from = self.source(&lane.src[n], n as u8);
                    self.copy(zmm(n as u8), from);
                }
                let d = self.result(lane);
                self.guard(&[zmm(0), zmm(1)]);
                let masking = self.float();
                let product: [Arg; 3] = [d.into(), zmm(0).into(), zmm(1).into()];
                self.asm.with(EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er, &product, masking);
                self.mend(d);
                self.zero_products(d);
                self.clamp(lane);
            }
            Shape::Reciprocal => {
                let a = self.source(&lane.src[0], 0);
                self.flush(zmm(0), a);
                self.asm.broadcast(zmm(1), 0x3f80_0000);
                let quotient: [Arg; 3] = [zmm(1).into(), zmm(1).into(), zmm(0).into()];
                let quiet = Masking { quiet: true, ..Masking::default() };
                self.asm.with(EVEX_Vdivps_zmm_k1z_zmm_zmmm512b32_er, &quotient, quiet);
                let d = self.result(lane);
                self.flush(d, zmm(1));
            }
            Shape::Bfe { signed } => self.bit_field(lane, signed),
            Shape::Align { bytes } => self.align(lane, bytes),
            Shape::FindHigh { signed } => {
                let mut a = self.source(&lane.src[0], 0);
                if signed {
                    self.asm.op(EVEX_Vpsrad_zmm_k1z_zmmm512b32_imm8, &[zmm(3).into(), a.into(), 31u8.into()]);
                    self.three(XOR, zmm(3), zmm(3), a);
                    a = zmm(3);
                }
                self.asm.op(EVEX_Vplzcntd_zmm_k1z_zmmm512b32, &[zmm(4).into(), a.into()]);
                self.or_minus_one(lane, a);
            }
            Shape::FindLow => {
                // The lowest bit alone, then its position from the top.
                let a = self.source(&lane.src[0], 0);
                self.asm.broadcast(zmm(3), 0);
                self.three(SUB, zmm(3), zmm(3), a);
                self.three(AND, zmm(3), zmm(3), a);
                self.asm.op(EVEX_Vplzcntd_zmm_k1z_zmmm512b32, &[zmm(4).into(), zmm(3).into()]);
                self.asm.broadcast(zmm(5), 31);
                self.three(SUB, zmm(4), zmm(5), zmm(4));
                self.or_minus_one(lane, a);
            }
            Shape::CountAdd(below) => self.count_bits(lane, below),
            Shape::Carry { subtract, carry_in } => self.carry(lane, subtract, carry_in),
            Shape::Select => {
                let a = self.source(&lane.src[0], 0);
                let b = self.source(&lane.src[1], 1);
                let Some(mask) = lane.mask_in else { return };
                let choose = self.read_mask(mask);
                let d = self.result(lane);
                let masking = Masking { by: Some(choose), zero: false, quiet: false };
                let args: [Arg; 3] = [d.into(), a.into(), b.into()];
                self.asm.with(EVEX_Vpblendmd_zmm_k1z_zmm_zmmm512b32, &args, masking);
            }
            Shape::Compare(code, predicate) => {
                let a = self.source(&lane.src[0], 0);
                let b = self.source(&lane.src[1], 1);
                let quiet = Masking { quiet: true, ..Masking::default() };
                self.asm.with(code, &[K2.into(), a.into(), b.into(), predicate.into()], quiet);
                self.put_mask(lane);
            }
            Shape::ToInt { signed } => self.integer(lane, signed),
            Shape::Byte(n) => {
                let a = self.source(&lane.src[0], 0);
                let shift = EVEX_Vpsrld_zmm_k1z_zmmm512b32_imm8;
                self.asm.op(shift, &[zmm(3).into(), a.into(), (8 * n).into()]);
                self.with_constant(AND, zmm(3), zmm(3), 0xff);
                let d = self.result(lane);
                let quiet = Masking { quiet: true, ..Masking::default() };
                self.asm.with(EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er, &[d.into(), zmm(3).into()], quiet);
            }
            Shape::WideToInt { signed } => self.wide_integer(lane, signed),
            Shape::WordCompare(predicate, signed) => {
                let [a, b] = [0, 1].map(|n| self.word_source(lane, n, signed));
                self.asm.op(SINGLE.less, &[K2.into(), a.into(), b.into(), predicate.into()]);
                self.put_mask(lane);
            }
            Shape::Packed(packed) => self.packed(lane, packed),
            Shape::Mix(dst) => self.mix(lane, dst),
            Shape::Math(function) => self.math(lane, function),
            Shape::WideMath(function) => self.wide_math(lane, function),
            Shape::Division(which, wide) => self.division(lane, which, wide),
            Shape::Class(ty) => self.class(lane, ty),
            Shape::FloatChain(imm) => {
                let [a, b, c] = [0, 1, 2].map(|n| self.source(&lane.src[usize::from(n)], n));
                self.range(zmm(3), a, b, imm);
                let d = self.result(lane);
                self.range(d, zmm(3), c, imm);
                self.clamp(lane);
            }
            Shape::FloatMedian => self.median(lane),
            _ => {}
        }
    }

    /// K2, as far as lanes are active, goes to the lane mask that the instruction writes.
    pub fn put_mask(&mut self, lane: &Lane) {
        if let Some(mask) = lane.mask_out {
            self.write_mask(mask, K2);
        }
        if lane.to_exec {
            self.write_mask(vega_isa::sgpr::EXEC_LO.into(), K2);
        }
    }

    /// Zero where a factor, zmm0 or zmm1, is zero.
    pub fn zero_products(&mut self, d: Register) {
        for factor in [zmm(0), zmm(1)] {
            self.in_class(&SINGLE, K2, factor, class::ZERO);
            self.put(d, [0; 16], K2);
        }
    }
}
