//! Vector arithmetic on 32-bit lanes: one function for each shape.

use iced_x86::{Code, Register};

use super::strip::{AND, OR, Strip, XOR, ymm};
use super::twins::host;
use crate::compile::assembler::Arg;
use crate::compile::dwords::Dwords;
use crate::compile::ir::Lane;
use crate::compile::operand::Operand;
use crate::compile::shape::{Family, Float, Shape};
use crate::compile::width::SINGLE;
use Code::*;

pub(super) const ADD: Code = VEX_Vpaddd_ymm_ymm_ymmm256;
pub(super) const SUB: Code = VEX_Vpsubd_ymm_ymm_ymmm256;
pub(super) const SHL: Code = VEX_Vpsllvd_ymm_ymm_ymmm256;
pub(super) const SHR: Code = VEX_Vpsrlvd_ymm_ymm_ymmm256;
pub(super) const SAR: Code = VEX_Vpsravd_ymm_ymm_ymmm256;
pub(super) const SHL_BY: Code = VEX_Vpslld_ymm_ymm_imm8;
pub(super) const SHR_BY: Code = VEX_Vpsrld_ymm_ymm_imm8;
pub(super) const SAR_BY: Code = VEX_Vpsrad_ymm_ymm_imm8;
pub(super) const EQUAL: Code = VEX_Vpcmpeqd_ymm_ymm_ymmm256;
pub(super) const GREATER: Code = VEX_Vpcmpgtd_ymm_ymm_ymmm256;
pub(super) const COMPARE: Code = VEX_Vcmpps_ymm_ymm_ymmm256_imm8;

impl Dwords for Strip<'_> {
    fn temporary(n: u8) -> Register {
        ymm(n)
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
        Strip::three(self, host(code), d, a, b);
    }

    fn by(&mut self, code: Code, d: Register, a: Register, value: u8) {
        self.immediate(host(code), d, a, value);
    }

    fn with_constant(&mut self, code: Code, d: Register, a: Register, value: u32) {
        Strip::with_constant(self, host(code), d, a, value);
    }

    fn constant(&mut self, d: Register, value: u32) {
        self.asm.broadcast(d, value);
    }

    fn high_product(&mut self, lane: &Lane, factors: [Register; 2], signed: bool) {
        self.product_above(lane, factors, signed);
    }
}

impl Strip<'_> {
    /// Repairs (or checks) and clamps a float in `d`.
    fn complete(&mut self, lane: &Lane, d: Register, float: Float) {
        if float == Float::Checked {
            self.mend(&SINGLE, d);
        }
        self.clamp(lane, d);
    }

    /// Clamps a float, if the instruction says so.
    pub(super) fn clamp(&mut self, lane: &Lane, d: Register) {
        if lane.clamp {
            // The second source is the result for a NaN and for two zeros.
            self.with_constant(VEX_Vmaxps_ymm_ymm_ymmm256, d, d, 0);
            self.with_constant(VEX_Vminps_ymm_ymm_ymmm256, d, d, 0x3f80_0000);
        }
    }

    /// `to` = `from` with denormals flushed; uses temporary 4.
    pub(super) fn flush(&mut self, to: Register, from: Register) {
        let t = ymm(4);
        self.with_constant(AND, t, from, 0x7fff_ffff);
        self.with_constant(GREATER, t, t, 0x007f_ffff);
        self.with_constant(OR, t, t, 0x8000_0000);
        self.three(AND, to, from, t);
    }

    /// All sources.
    pub(super) fn sources<const N: usize>(&mut self, lane: &Lane) -> [Register; N] {
        std::array::from_fn(|n| self.source(&lane.src[n], n as u8))
    }

    fn float(&mut self, lane: &Lane, code: Code, sources: &[Register], imm: Option<u8>, float: Float) {
        if float == Float::Checked {
            self.guard(&SINGLE, sources);
        }
        let d = self.result(lane);
        let mut all = vec![Arg::Reg(d)];
        all.extend(sources.iter().map(|source| Arg::Reg(*source)));
        all.extend(imm.map(Arg::from));
        self.asm.op(code, &all);
        self.complete(lane, d, float);
    }

    /// Emits one instruction.
    pub(super) fn operate(&mut self, lane: &Lane, shape: Shape) {
        if self.dword(lane, shape) {
            return;
        }
        match shape.family() {
            Family::Dword => {}
            Family::Wide => return self.wide(lane, shape),
            Family::Half => return self.half(lane, shape),
            Family::Bits => return self.bytes(lane, shape),
        }
        match shape {
            Shape::Memory => self.memory(lane),
            Shape::Unary(EVEX_Vcvtudq2ps_zmm_k1z_zmmm512b32_er, _) => self.unsigned_to_float(lane),
            Shape::Unary(code, float) => {
                let [a] = self.sources(lane);
                self.float(lane, host(code), &[a], None, float);
            }
            Shape::UnaryImmediate(code, imm, float) => {
                let [a] = self.sources(lane);
                self.float(lane, host(code), &[a], Some(imm), float);
            }
            Shape::Binary(code, float) => {
                let [a, b] = self.sources(lane);
                self.float(lane, host(code), &[a, b], None, float);
            }
            Shape::BinaryImmediate(_, imm, _) => self.range(lane, imm == 4),
            Shape::Logic(imm) => self.logic(lane, imm),
            Shape::Fma => self.fma(lane),
            Shape::MadFlush | Shape::MadLegacy => {
                for (n, t) in [ymm(0), ymm(1), ymm(2)].into_iter().enumerate() {
                    let from = self.source(&lane.src[n], n as u8);
                    self.copy(t, from);
                }
                self.mad_flush(shape == Shape::MadLegacy);
                let d = self.result(lane);
                self.copy(d, ymm(3));
                self.clamp(lane, d);
            }
            Shape::MulLegacy => {
                for (n, t) in [ymm(0), ymm(1)].into_iter().enumerate() {
                    let from = self.source(&lane.src[n], n as u8);
                    self.copy(t, from);
                }
                let d = self.result(lane);
                self.binary(&SINGLE, host(SINGLE.mul), d, ymm(0), ymm(1));
                self.zero_products(d);
                self.clamp(lane, d);
            }
            Shape::Reciprocal => {
                let [a] = self.sources(lane);
                self.flush(ymm(0), a);
                self.asm.broadcast(ymm(1), 0x3f80_0000);
                self.three(VEX_Vdivps_ymm_ymm_ymmm256, ymm(1), ymm(1), ymm(0));
                let d = self.result(lane);
                self.flush(d, ymm(1));
            }
            Shape::Bfe { signed } => self.bit_field(lane, signed),
            Shape::Align { bytes } => self.align(lane, bytes),
            Shape::FindHigh { signed } => self.find_high(lane, signed),
            Shape::FindLow => self.find_low(lane),
            Shape::CountAdd(below) => self.count_bits(lane, below),
            Shape::Carry { subtract, carry_in } => self.carry(lane, subtract, carry_in),
            Shape::Select => {
                let [a, b] = self.sources(lane);
                let Some(mask) = lane.mask_in else { return };
                let choose = self.read_mask(mask);
                let d = self.result(lane);
                let args: [Arg; 4] = [d.into(), a.into(), b.into(), choose.into()];
                self.asm.op(VEX_Vblendvps_ymm_ymm_ymmm256_ymm, &args);
            }
            Shape::Compare(code, predicate) => {
                let [a, b] = self.sources(lane);
                match code {
                    EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae => {
                        self.asm.op(COMPARE, &[ymm(3).into(), a.into(), b.into(), predicate.into()]);
                    }
                    EVEX_Vpcmpud_kr_k1_zmm_zmmm512b32_imm8 => self.compare(a, b, predicate, false),
                    _ => self.compare(a, b, predicate, true),
                }
                self.put_mask(lane, ymm(3));
            }
            Shape::ToInt { signed } => self.integer(lane, signed),
            Shape::Byte(n) => {
                let [a] = self.sources(lane);
                self.immediate(SHR_BY, ymm(3), a, 8 * n);
                self.with_constant(AND, ymm(3), ymm(3), 0xff);
                let d = self.result(lane);
                self.asm.op(VEX_Vcvtdq2ps_ymm_ymmm256, &[d.into(), ymm(3).into()]);
            }
            Shape::WordCompare(predicate, signed) => {
                let [a, b] = [0, 1].map(|n| self.word_source(lane, n, signed));
                self.compare(a, b, predicate, true);
                self.put_mask(lane, ymm(3));
            }
            Shape::Packed(packed) => self.packed(lane, packed),
            Shape::Mix(dst) => self.mix(lane, dst),
            Shape::Division(which, wide) => self.division(lane, which, wide),
            Shape::Math(function) => self.math(lane, function),
            Shape::WideMath(function) => self.wide_math(lane, function),
            Shape::WideToInt { signed } => self.wide_integer(lane, signed),
            Shape::FloatChain(imm) => {
                let [a, b, c] = self.sources(lane);
                let first = self.extra(0);
                self.extreme(&SINGLE, first, [a, b], imm == 4);
                self.extreme(&SINGLE, ymm(3), [first, c], imm == 4);
                let d = self.result(lane);
                self.copy(d, ymm(3));
                self.clamp(lane, d);
            }
            Shape::FloatMedian => self.float_median(lane),
            Shape::Class(ty) => self.class(lane, ty),
            _ => {}
        }
    }

    fn logic(&mut self, lane: &Lane, imm: u8) {
        if imm == 0x55 {
            let [a] = self.sources(lane);
            let d = self.result(lane);
            self.with_constant(XOR, d, a, !0);
            return;
        }
        let [a, b, c] = self.sources(lane);
        let (first, left, right, second) = match imm {
            0xca => (XOR, b, c, XOR),
            0xea => (AND, a, b, OR),
            _ => (OR, a, b, OR),
        };
        self.three(first, ymm(3), left, right);
        if imm == 0xca {
            self.three(AND, ymm(3), ymm(3), a);
        }
        let d = self.result(lane);
        self.three(second, d, ymm(3), c);
    }

    /// The operand order of each form keeps the order in which NaNs are looked for: src0, src1, src2.
    fn fma(&mut self, lane: &Lane) {
        let [a, b, c] = self.sources(lane);
        self.guard(&SINGLE, &[a, b, c]);
        let d = self.result(lane);
        let (code, x, y) = if d == c {
            (VEX_Vfmadd231ps_ymm_ymm_ymmm256, a, b)
        } else if d == a {
            (VEX_Vfmadd132ps_ymm_ymm_ymmm256, c, b)
        } else if d == b {
            (VEX_Vfmadd213ps_ymm_ymm_ymmm256, a, c)
        } else {
            self.copy(d, c);
            (VEX_Vfmadd231ps_ymm_ymm_ymmm256, a, b)
        };
        self.three(code, d, x, y);
        self.complete(lane, d, Float::Checked);
    }

    /// ymm3 = ymm0 * ymm1 + ymm2, unfused, denormals flushed; zero times anything is zero if `legacy`.
    pub(super) fn mad_flush(&mut self, legacy: bool) {
        for t in [ymm(0), ymm(1), ymm(2)] {
            self.flush(t, t);
        }
        self.three(host(SINGLE.mul), ymm(3), ymm(0), ymm(1));
        self.flush(ymm(3), ymm(3));
        if legacy {
            self.zero_products(ymm(3));
        }
        self.add_product(ymm(3), ymm(3), ymm(2));
        self.flush(ymm(3), ymm(3));
    }

    /// Zero where a factor, ymm0 or ymm1, is zero.
    fn zero_products(&mut self, d: Register) {
        for factor in [ymm(0), ymm(1)] {
            self.immediate(SHL_BY, ymm(4), factor, 1);
            self.with_constant(EQUAL, ymm(4), ymm(4), 0);
            self.clear(d, ymm(4));
        }
    }

    /// Minimum or maximum.
    fn range(&mut self, lane: &Lane, min: bool) {
        let sources = self.sources(lane);
        self.extreme(&SINGLE, ymm(3), sources, min);
        let d = self.result(lane);
        self.copy(d, ymm(3));
        self.clamp(lane, d);
    }

    /// An unsigned integer to a float: both halves are exact, and so only the sum is rounded.
    fn unsigned_to_float(&mut self, lane: &Lane) {
        let [a] = self.sources(lane);
        self.immediate(SHR_BY, ymm(3), a, 16);
        self.with_constant(AND, ymm(4), a, 0xffff);
        for t in [ymm(3), ymm(4)] {
            self.asm.op(VEX_Vcvtdq2ps_ymm_ymmm256, &[t.into(), t.into()]);
        }
        self.with_constant(VEX_Vmulps_ymm_ymm_ymmm256, ymm(3), ymm(3), 0x4780_0000);
        self.float(lane, VEX_Vaddps_ymm_ymm_ymmm256, &[ymm(3), ymm(4)], None, Float::No);
    }

    /// The host converts what is out of range to one value: those lanes are put right. Uses temporary 4.
    pub(super) fn saturate_signed(&mut self, d: Register, a: Register) {
        // Too small, too large and NaN give 0x8000_0000: too large is turned round, NaN cleared.
        self.asm.op(VEX_Vcvttps2dq_ymm_ymmm256, &[d.into(), a.into()]);
        self.asm.broadcast(ymm(4), 0x4f00_0000);
        self.asm.op(COMPARE, &[ymm(4).into(), a.into(), ymm(4).into(), 29u8.into()]);
        self.three(XOR, d, d, ymm(4));
        self.asm.op(COMPARE, &[ymm(4).into(), a.into(), a.into(), 7u8.into()]);
        self.three(AND, d, d, ymm(4));
    }

    fn integer(&mut self, lane: &Lane, signed: bool) {
        let [a] = self.sources(lane);
        let convert = |strip: &mut Self| {
            strip.asm.op(VEX_Vcvttps2dq_ymm_ymmm256, &[ymm(3).into(), ymm(3).into()]);
        };
        let not_less = |strip: &mut Self, d: Register, a: Register, than: u32| {
            strip.asm.broadcast(d, than);
            strip.asm.op(COMPARE, &[d.into(), a.into(), d.into(), 29u8.into()]);
        };
        if signed {
            self.saturate_signed(ymm(3), a);
            let d = self.result(lane);
            self.copy(d, ymm(3));
            return;
        }
        // Negative numbers and NaN become zero. What has the top bit is converted without it.
        self.with_constant(VEX_Vmaxps_ymm_ymm_ymmm256, ymm(0), a, 0);
        not_less(self, ymm(4), ymm(0), 0x4f00_0000);
        self.with_constant(AND, ymm(3), ymm(4), 0x4f00_0000);
        self.three(VEX_Vsubps_ymm_ymm_ymmm256, ymm(3), ymm(0), ymm(3));
        convert(self);
        self.immediate(SHL_BY, ymm(4), ymm(4), 31);
        self.three(XOR, ymm(3), ymm(3), ymm(4));
        not_less(self, ymm(4), ymm(0), 0x4f80_0000);
        let d = self.result(lane);
        self.three(OR, d, ymm(3), ymm(4));
    }
}
