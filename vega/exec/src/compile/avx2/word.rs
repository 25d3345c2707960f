//! Vector arithmetic on 16-bit elements, one to a lane or packed in pairs. f16 goes by way of f32, as for AVX-512.

use iced_x86::{Code, Register};
use vega_isa::micro::MixDst;

use super::lane::{ADD, COMPARE, EQUAL, GREATER, SAR, SAR_BY, SHL, SHL_BY, SHR, SHR_BY};
use super::nan::{ORDERED, T};
use super::strip::{AND, ANDN, OR, Strip, XOR, xmm, ymm};
use super::twins::host;
use super::width::host_of;
use crate::compile::assembler::Masking;
use crate::compile::dwords::Dwords;
use crate::compile::ir::Lane;
use crate::compile::operand::Operand;
use crate::compile::shape::{Denormals, Packed, Shape};
use crate::compile::width::{DOUBLE, SINGLE};
use Code::*;

pub(super) const MIN: Code = VEX_Vpminsd_ymm_ymm_ymmm256;
pub(super) const MAX: Code = VEX_Vpmaxsd_ymm_ymm_ymmm256;

impl Strip<'_> {
    /// The low halves of `a` as f32.
    fn widen_half(&mut self, to: Register, a: Register) {
        self.with_constant(AND, to, a, 0xffff);
        self.three(VEX_Vpackusdw_ymm_ymm_ymmm256, to, to, to);
        self.immediate(VEX_Vpermq_ymm_ymmm256_imm8, to, to, 0x08);
        self.asm.op(VEX_Vcvtph2ps_ymm_xmmm128, &[to.into(), xmm(to).into()]);
    }

    /// f32 as f16 in the low halves; 0 rounds to nearest even, 3 toward zero, whatever MXCSR says.
    fn narrow_half(&mut self, to: Register, a: Register, rounding: u8) {
        self.immediate(VEX_Vcvtps2ph_xmmm128_ymm_imm8, xmm(to), a, rounding);
        self.asm.op(VEX_Vpmovzxwd_ymm_xmmm128, &[to.into(), xmm(to).into()]);
    }

    /// An f16 source as f32, in temporary `n`.
    fn half_source(&mut self, lane: &Lane, n: u8) -> Register {
        let a = self.source(&lane.src[usize::from(n)], n);
        self.widen_half(ymm(n), a);
        ymm(n)
    }

    /// Zeros of the same sign for denormals, in place.
    fn flush_half(&mut self, register: Register, denormals: Denormals) {
        self.with_constant(AND, ymm(4), register, denormals.magnitude);
        self.with_constant(GREATER, ymm(4), ymm(4), denormals.least - 1);
        self.with_constant(OR, ymm(4), ymm(4), denormals.sign);
        self.three(AND, register, register, ymm(4));
    }

    /// Stores an f32 as f16.
    fn half_result(&mut self, lane: &Lane, from: Register) {
        self.narrow_half(ymm(3), from, 0);
        let d = self.result(lane);
        self.copy(d, ymm(3));
    }

    /// An instruction on f16.
    pub(super) fn half(&mut self, lane: &Lane, shape: Shape) {
        match shape {
            Shape::Half(code) => {
                let (a, b) = (self.half_source(lane, 0), self.half_source(lane, 1));
                self.binary(&SINGLE, host(code), ymm(3), a, b);
                self.half_result(lane, ymm(3));
            }
            Shape::HalfUnary(code, imm) => {
                let a = self.half_source(lane, 0);
                self.guard(&SINGLE, &[a]);
                match (imm, code) {
                    (Some(imm), _) => self.immediate(host(code), a, a, imm),
                    (_, EVEX_Vdivps_zmm_k1z_zmm_zmmm512b32_er) => {
                        self.asm.broadcast(ymm(1), 0x3f80_0000);
                        self.three(VEX_Vdivps_ymm_ymm_ymmm256, a, ymm(1), a);
                    }
                    _ => self.asm.op(host(code), &[a.into(), a.into()]),
                }
                self.mend(&SINGLE, a);
                self.half_result(lane, a);
            }
            Shape::HalfFma => {
                for n in 0..3 {
                    self.half_source(lane, n);
                }
                self.half_fma();
                self.half_result(lane, ymm(3));
            }
            Shape::HalfMad => {
                for n in 0..3 {
                    self.half_source(lane, n);
                    self.flush_half(ymm(n), Denormals::WIDENED);
                }
                self.three(host(SINGLE.mul), ymm(3), ymm(0), ymm(1));
                self.narrow_half(ymm(3), ymm(3), 0);
                self.flush_half(ymm(3), Denormals::HALF);
                self.widen_half(ymm(3), ymm(3));
                self.add_product(ymm(3), ymm(3), ymm(2));
                self.narrow_half(ymm(3), ymm(3), 0);
                self.flush_half(ymm(3), Denormals::HALF);
                let d = self.result(lane);
                self.copy(d, ymm(3));
            }
            Shape::HalfMinMax { max } | Shape::HalfChain { max } => {
                for n in 0..2u8 {
                    let a = self.source(&lane.src[usize::from(n)], n);
                    self.with_constant(AND, ymm(n), a, 0xffff);
                }
                self.half_min_max(max);
                if matches!(shape, Shape::HalfChain { .. }) {
                    self.copy(ymm(0), ymm(3));
                    let c = self.source(&lane.src[2], 1);
                    self.with_constant(AND, ymm(1), c, 0xffff);
                    self.half_min_max(max);
                }
                let d = self.result(lane);
                self.copy(d, ymm(3));
            }
            Shape::HalfCompare(predicate) => {
                let (a, b) = (self.half_source(lane, 0), self.half_source(lane, 1));
                self.asm.op(COMPARE, &[ymm(3).into(), a.into(), b.into(), predicate.into()]);
                self.put_mask(lane, ymm(3));
            }
            Shape::HalfToFloat => {
                let a = self.half_source(lane, 0);
                let d = self.result(lane);
                self.copy(d, a);
                self.clamp(lane, d);
            }
            Shape::HalfToInt { signed } => {
                let (t, a) = (ymm(3), self.half_source(lane, 0));
                let (min, max) = if signed { (-0x8000i32, 0x7fff) } else { (0, 0xffff) };
                // Infinities and NaN convert to the least integer: infinity is put right, NaN cleared.
                self.asm.op(VEX_Vcvttps2dq_ymm_ymmm256, &[t.into(), a.into()]);
                self.with_constant(EQUAL, ymm(4), a, 0x7f80_0000);
                self.asm.broadcast(ymm(1), max as u32);
                self.choose(t, ymm(1), ymm(4));
                self.three(MIN, t, t, ymm(1));
                self.with_constant(MAX, t, t, min as u32);
                self.asm.op(COMPARE, &[ymm(4).into(), a.into(), a.into(), 7u8.into()]);
                self.three(AND, t, t, ymm(4));
                let d = self.result(lane);
                self.with_constant(AND, d, t, 0xffff);
            }
            Shape::IntToHalf { signed } => {
                let a = self.word_source(lane, 0, signed);
                self.asm.op(VEX_Vcvtdq2ps_ymm_ymmm256, &[a.into(), a.into()]);
                self.half_result(lane, a);
            }
            Shape::Norm { signed } => {
                let t = self.normalised_word(lane, 0, true, signed);
                let d = self.result(lane);
                self.copy(d, t);
            }
            Shape::PackNorm { half, signed } => {
                let [low, high] = [0, 1].map(|n| self.normalised_word(lane, n, half, signed));
                self.join_words(lane, low, high);
            }
            Shape::PackTowardZero => {
                for n in 0..2u8 {
                    let a = self.source(&lane.src[usize::from(n)], n);
                    self.narrow_half(ymm(3 + n), a, 3);
                }
                self.join_words(lane, ymm(3), ymm(4));
            }
            _ => {
                let a = self.source(&lane.src[0], 0);
                self.half_result(lane, a);
            }
        }
    }

    /// A float as a 16-bit integer that stands for numbers up to 1, in temporary `n`: the product is exact in f64.
    fn normalised_word(&mut self, lane: &Lane, n: u8, half: bool, signed: bool) -> Register {
        let (a, t) = (self.nth(lane, n), ymm(n));
        if half {
            self.widen_half(t, a);
        } else {
            self.copy(t, a);
        }
        // NaN gives zero.
        self.compared(&SINGLE, t, t, ORDERED);
        self.three(AND, t, t, T);
        let (least, scale) = if signed { (-1.0, 32767.0) } else { (0.0, 65535.0) };
        self.with_table(host_of(&SINGLE).max, t, t, SINGLE.float(least));
        self.with_table(host_of(&SINGLE).min, t, t, SINGLE.float(1.0));
        for (half, to) in [ymm(2), ymm(3)].into_iter().enumerate() {
            self.widened(ymm(3), t, half);
            self.with_table(host(DOUBLE.mul), ymm(3), ymm(3), DOUBLE.float(scale));
            self.asm.op(VEX_Vcvtpd2dq_xmm_ymmm256, &[xmm(to).into(), ymm(3).into()]);
        }
        self.narrowed(t, ymm(2), ymm(3));
        self.with_constant(AND, t, t, 0xffff);
        t
    }

    /// ymm3 = ymm0 * ymm1 + ymm2 of f16 values, such that rounding it to f16 rounds the exact sum.
    fn half_fma(&mut self) {
        const SUB: Code = VEX_Vsubps_ymm_ymm_ymmm256;
        let (a, b, c, sum) = (ymm(0), ymm(1), ymm(2), ymm(3));
        let (product, t) = (self.extra(4), self.extra(5));
        // The product is exact.
        self.three(VEX_Vmulps_ymm_ymm_ymmm256, product, a, b);
        self.add_product(sum, product, c);
        // error = (product - (sum - virtual)) + (addend - virtual), where virtual = sum - product.
        self.three(SUB, t, sum, product);
        self.three(SUB, b, sum, t);
        self.three(SUB, product, product, b);
        self.three(SUB, t, c, t);
        self.three(VEX_Vaddps_ymm_ymm_ymmm256, t, t, product);
        // Temporary 0: inexact sums that are even.
        self.asm.broadcast(b, 0);
        self.asm.op(COMPARE, &[a.into(), t.into(), b.into(), 12u8.into()]);
        self.with_constant(AND, c, sum, 1);
        self.three(EQUAL, c, c, b);
        self.three(AND, a, a, c);
        // One up in magnitude where the error has the sum's sign, else one down.
        self.three(XOR, t, t, sum);
        self.immediate(SAR_BY, t, t, 31);
        self.with_constant(OR, t, t, 1);
        self.three(AND, t, t, a);
        self.three(ADD, sum, sum, t);
    }

    /// ymm3 = the lesser (greater) of the f16 values ymm0 and ymm1.
    fn half_min_max(&mut self, max: bool) {
        let (a, b, r, t) = (ymm(0), ymm(1), ymm(3), ymm(4));
        // As integers of the same order.
        for (from, to) in [(a, r), (b, t)] {
            self.immediate(SHL_BY, to, from, 16);
            self.ordered(to);
        }
        self.three(if max { MAX } else { MIN }, r, r, t);
        self.ordered(r);
        self.immediate(SHR_BY, r, r, 16);
        // A quiet NaN loses, a signaling one wins and becomes quiet; the first one of two.
        let nans = [self.extra(4), self.extra(5)];
        for (mask, from) in nans.into_iter().zip([a, b]) {
            self.with_constant(AND, mask, from, 0x7fff);
            self.with_constant(GREATER, mask, mask, 0x7c00);
        }
        self.choose(r, a, nans[1]);
        self.three(ANDN, t, nans[1], nans[0]);
        self.choose(r, b, t);
        for (mask, from) in nans.into_iter().zip([a, b]).rev() {
            self.with_constant(AND, t, from, 0x200);
            self.with_constant(EQUAL, t, t, 0);
            self.three(AND, mask, mask, t);
            self.with_constant(OR, t, from, 0x200);
            self.choose(r, t, mask);
        }
    }

    /// Magnitude and sign to two's complement of the same order, and back.
    fn ordered(&mut self, register: Register) {
        self.immediate(SAR_BY, ymm(2), register, 31);
        self.with_constant(AND, ymm(2), ymm(2), 0x7fff_ffff);
        self.three(XOR, register, register, ymm(2));
    }

    /// A packed source with its halves as they enter, in temporary `n`.
    fn packed_source(&mut self, lane: &Lane, n: u8) -> Register {
        let halves = lane.halves;
        let mut from = self.source(&lane.src[usize::from(n)], n);
        let t = ymm(n);
        let bit = |mask: u8| mask >> n & 1 == 1;
        let pattern = match (bit(halves.low), bit(halves.high)) {
            (false, true) => None,
            (true, false) => Some(0x0100_0302),
            (true, true) => Some(0x0302_0302),
            (false, false) => Some(0x0100_0100),
        };
        if let Some(pattern) = pattern {
            let table = std::array::from_fn(|n| pattern + 0x0404_0404 * (n as u32 % 4));
            let args = [t.into(), from.into()];
            self.asm.op_table(VEX_Vpshufb_ymm_ymm_ymmm256, &args, table, Masking::default());
            from = t;
        }
        let flip = u32::from(bit(halves.negate_low)) << 15 | u32::from(bit(halves.negate_high)) << 31;
        if flip != 0 {
            self.with_constant(XOR, t, from, flip);
            from = t;
        }
        from
    }

    /// An instruction on pairs.
    pub(super) fn packed(&mut self, lane: &Lane, packed: Packed) {
        let count = if matches!(packed, Packed::Fma | Packed::Mad) { 3 } else { 2 };
        let mut sources = [ymm(0); 3];
        for n in 0..count {
            sources[usize::from(n)] = self.packed_source(lane, n);
        }
        if lane.reversed_halves {
            sources.swap(0, 1);
        }
        let [a, b, c] = sources;
        match packed {
            Packed::Int(code) => {
                let d = self.result(lane);
                return self.three(host(code), d, a, b);
            }
            Packed::Shift(code) => return self.packed_shift(lane, code, a, b),
            Packed::Mad => {
                self.three(VEX_Vpmullw_ymm_ymm_ymmm256, ymm(3), a, b);
                let d = self.result(lane);
                return self.three(VEX_Vpaddw_ymm_ymm_ymmm256, d, ymm(3), c);
            }
            _ => {}
        }
        // The temporaries are needed for the halves: the sources wait elsewhere.
        let count = usize::from(count);
        let mut kept = [ymm(0); 3];
        for n in 0..count {
            kept[n] = self.extra(n as u16);
            self.copy(kept[n], sources[n]);
        }
        let low = self.extra(3);
        for high in [false, true] {
            for (n, from) in kept.into_iter().enumerate().take(count) {
                let t = ymm(n as u8);
                let mut from = from;
                if high {
                    self.immediate(SHR_BY, t, from, 16);
                    from = t;
                }
                match packed {
                    Packed::MinMax { .. } => self.with_constant(AND, t, from, 0xffff),
                    _ => self.widen_half(t, from),
                }
            }
            match packed {
                Packed::Half(code) => {
                    self.binary(&SINGLE, host(code), ymm(3), ymm(0), ymm(1));
                }
                Packed::MinMax { max } => self.half_min_max(max),
                _ => self.half_fma(),
            }
            let to = if high { ymm(4) } else { low };
            match packed {
                Packed::MinMax { .. } => self.copy(to, ymm(3)),
                _ => self.narrow_half(to, ymm(3), 0),
            }
        }
        self.join_words(lane, low, ymm(4));
    }

    /// Shifts of both halves, each by the other source's.
    fn packed_shift(&mut self, lane: &Lane, code: Code, a: Register, b: Register) {
        let (by_lanes, left) = match code {
            EVEX_Vpsllvw_zmm_k1z_zmm_zmmm512 => (SHL, true),
            EVEX_Vpsrlvw_zmm_k1z_zmm_zmmm512 => (SHR, false),
            _ => (SAR, false),
        };
        let (low, high, count) = (ymm(3), ymm(2), ymm(4));
        // Bits of the other half must not come in from below or above.
        match (left, by_lanes) {
            (true, _) => self.copy(low, a),
            (false, by) => {
                self.immediate(SHL_BY, low, a, 16);
                self.immediate(if by == SAR { SAR_BY } else { SHR_BY }, low, low, 16);
            }
        }
        self.with_constant(AND, count, b, 15);
        self.three(by_lanes, low, low, count);
        self.immediate(SHR_BY, count, b, 16);
        self.with_constant(AND, count, count, 15);
        self.with_constant(AND, high, a, if left { 0xffff_0000 } else { !0 });
        self.three(by_lanes, high, high, count);
        self.with_constant(AND, low, low, 0xffff);
        self.with_constant(AND, high, high, 0xffff_0000);
        let d = self.result(lane);
        self.three(OR, d, low, high);
    }

    /// `v_mad_mix`: sources of either precision, f32 in between.
    pub(super) fn mix(&mut self, lane: &Lane, dst: MixDst) {
        let halves = lane.halves;
        for n in 0..3u8 {
            let bit = |mask: u8| mask >> n & 1 == 1;
            let operand = Operand { abs: false, neg: false, ..lane.src[usize::from(n)] };
            let mut from = self.source(&operand, n);
            let t = ymm(n);
            match (bit(halves.high), bit(halves.low)) {
                (true, high) => {
                    if high {
                        self.immediate(SHR_BY, t, from, 16);
                        from = t;
                    }
                    self.widen_half(t, from);
                }
                (false, _) => self.copy(t, from),
            }
            if bit(halves.negate_high) {
                self.with_constant(AND, t, t, 0x7fff_ffff);
            }
            if bit(halves.negate_low) {
                self.with_constant(XOR, t, t, 0x8000_0000);
            }
        }
        self.mad_flush(false);
        if dst == MixDst::F32 {
            let d = self.result(lane);
            self.copy(d, ymm(3));
            self.clamp(lane, d);
        } else {
            self.half_result(lane, ymm(3));
        }
    }
}
