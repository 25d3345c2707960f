//! Vector arithmetic on bytes and bits, conversions that saturate, minima of three, classes of floats.

use iced_x86::{Code, Register};
use vega_isa::Ty;

use super::lane::{ADD, COMPARE, EQUAL, GREATER, SAR_BY, SHL, SHL_BY, SHR, SHR_BY, SUB};
use super::strip::{AND, ANDN, LOAD, OR, Strip, XOR, xmm, ymm};
use crate::compile::assembler::{Arg, Masking};
use crate::compile::ir::Lane;
use crate::compile::shape::{Sad, Shape};
use crate::compile::width::SINGLE;
use Code::*;

const SHUFFLE_BYTES: Code = VEX_Vpshufb_ymm_ymm_ymmm256;
const SHUFFLE: Code = VEX_Vshufps_ymm_ymm_ymmm256_imm8;
const COMPARE_WIDE: Code = VEX_Vcmppd_ymm_ymm_ymmm256_imm8;

impl Strip<'_> {
    /// An instruction on bits and bytes.
    pub(super) fn bytes(&mut self, lane: &Lane, shape: Shape) {
        let (t, u) = (ymm(3), ymm(4));
        match shape {
            Shape::Reverse => self.reverse(lane),
            Shape::Perm => self.perm(lane),
            Shape::Sad(sad) => self.sad(lane, sad),
            Shape::RoundToInt { half_up } => {
                let [a] = self.sources(lane);
                self.copy(ymm(0), a);
                self.immediate(VEX_Vroundps_ymm_ymmm256_imm8, ymm(1), ymm(0), 9);
                self.saturate_signed(t, ymm(1));
                if half_up {
                    self.three(VEX_Vsubps_ymm_ymm_ymmm256, ymm(0), ymm(0), ymm(1));
                    self.asm.broadcast(u, 0x3f00_0000);
                    self.asm.op(COMPARE, &[u.into(), ymm(0).into(), u.into(), 29u8.into()]);
                    self.three(SUB, t, t, u);
                }
                let d = self.result(lane);
                self.copy(d, t);
            }
            Shape::PackByte => {
                let [a, b, c] = self.sources(lane);
                // A NaN gives zero: the second source.
                self.with_constant(VEX_Vmaxps_ymm_ymm_ymmm256, t, a, 0);
                self.with_constant(VEX_Vminps_ymm_ymm_ymmm256, t, t, 0x437f_0000);
                self.asm.op(VEX_Vcvtps2dq_ymm_ymmm256, &[t.into(), t.into()]);
                self.immediate(SHL_BY, u, b, 3);
                self.with_constant(AND, u, u, 24);
                self.three(SHL, t, t, u);
                self.asm.broadcast(ymm(0), 0xff);
                self.three(SHL, u, ymm(0), u);
                self.three(ANDN, u, u, c);
                let d = self.result(lane);
                self.three(OR, d, t, u);
            }
            Shape::OffsetI4 => {
                let [a] = self.sources(lane);
                self.immediate(SHL_BY, t, a, 28);
                self.immediate(SAR_BY, t, t, 28);
                self.asm.op(VEX_Vcvtdq2ps_ymm_ymmm256, &[t.into(), t.into()]);
                let d = self.result(lane);
                self.with_constant(VEX_Vmulps_ymm_ymm_ymmm256, d, t, 0x3d80_0000);
            }
            _ => {}
        }
    }

    fn reverse(&mut self, lane: &Lane) {
        // Nibbles by a table, then bytes and nibbles change places.
        const NIBBLES: [u32; 4] = [0x0c04_0800, 0x0e06_0a02, 0x0d05_0901, 0x0f07_0b03];
        let [a] = self.sources(lane);
        let (low, high, table) = (ymm(3), ymm(4), ymm(1));
        self.with_constant(AND, low, a, 0x0f0f_0f0f);
        self.immediate(SHR_BY, high, a, 4);
        self.with_constant(AND, high, high, 0x0f0f_0f0f);
        let nibbles = std::array::from_fn(|n| NIBBLES[n % 4]);
        self.asm.op_table(LOAD, &[table.into()], nibbles, Masking::default());
        self.three(SHUFFLE_BYTES, low, table, low);
        self.three(SHUFFLE_BYTES, high, table, high);
        self.immediate(SHL_BY, low, low, 4);
        self.three(OR, low, low, high);
        let swap = std::array::from_fn(|n| 0x0001_0203 + 0x0404_0404 * (n as u32 % 4));
        let d = self.result(lane);
        self.asm.op_table(SHUFFLE_BYTES, &[d.into(), low.into()], swap, Masking::default());
    }

    fn perm(&mut self, lane: &Lane) {
        const BLEND: Code = VEX_Vpblendvb_ymm_ymm_ymmm256_ymm;
        let [a, b, selectors] = self.sources(lane);
        let first = std::array::from_fn(|n| 0x0404_0404 * (n as u32 % 4));
        let (index, other, result, sign) = (ymm(3), ymm(4), self.extra(0), self.extra(1));
        // `index` is within a dword: from b, or from a where the selector's bit is set, which `up` brings to the top.
        let pick = |strip: &mut Self, to: Register, up: u8| {
            strip.asm.op_table(OR, &[index.into(), index.into()], first, Masking::default());
            strip.three(SHUFFLE_BYTES, to, b, index);
            strip.three(SHUFFLE_BYTES, other, a, index);
            strip.immediate(SHL_BY, index, selectors, up);
            strip.asm.op(BLEND, &[to.into(), to.into(), other.into(), index.into()]);
        };
        self.with_constant(AND, index, selectors, 0x0303_0303);
        pick(self, result, 5);
        // 8 to 11: the sign of a half.
        self.with_constant(AND, index, selectors, 0x0101_0101);
        self.three(VEX_Vpaddb_ymm_ymm_ymmm256, index, index, index);
        self.with_constant(OR, index, index, 0x0101_0101);
        pick(self, sign, 6);
        self.asm.broadcast(other, 0);
        self.three(VEX_Vpcmpgtb_ymm_ymm_ymmm256, sign, other, sign);
        let from = |strip: &mut Self, least: u32| {
            strip.with_constant(VEX_Vpmaxub_ymm_ymm_ymmm256, other, selectors, least * 0x0101_0101);
            strip.three(VEX_Vpcmpeqb_ymm_ymm_ymmm256, other, other, selectors);
        };
        from(self, 8);
        self.asm.op(BLEND, &[result.into(), result.into(), sign.into(), other.into()]);
        from(self, 12);
        self.clear(result, other);
        from(self, 13);
        let d = self.result(lane);
        self.three(OR, d, result, other);
    }

    fn sad(&mut self, lane: &Lane, sad: Sad) {
        let [a, b, c] = self.sources(lane);
        let (t, u) = (ymm(3), ymm(4));
        let (max, min, subtract) = match sad {
            Sad::Bytes | Sad::BytesHigh | Sad::MaskedBytes => {
                (VEX_Vpmaxub_ymm_ymm_ymmm256, VEX_Vpminub_ymm_ymm_ymmm256, VEX_Vpsubb_ymm_ymm_ymmm256)
            }
            Sad::Words => {
                (VEX_Vpmaxuw_ymm_ymm_ymmm256, VEX_Vpminuw_ymm_ymm_ymmm256, VEX_Vpsubw_ymm_ymm_ymmm256)
            }
            Sad::Dwords => (VEX_Vpmaxud_ymm_ymm_ymmm256, VEX_Vpminud_ymm_ymm_ymmm256, SUB),
        };
        self.three(max, t, a, b);
        self.three(min, u, a, b);
        self.three(subtract, t, t, u);
        if sad == Sad::MaskedBytes {
            self.with_constant(VEX_Vpcmpeqb_ymm_ymm_ymmm256, u, b, 0);
            self.clear(t, u);
        }
        match sad {
            Sad::Dwords => {}
            Sad::Words => {
                self.immediate(SHR_BY, u, t, 16);
                self.with_constant(AND, t, t, 0xffff);
                self.three(ADD, t, t, u);
            }
            _ => {
                self.with_constant(VEX_Vpmaddubsw_ymm_ymm_ymmm256, t, t, 0x0101_0101);
                self.with_constant(VEX_Vpmaddwd_ymm_ymm_ymmm256, t, t, 0x0001_0001);
            }
        }
        if sad == Sad::BytesHigh {
            self.immediate(SHL_BY, t, t, 16);
        }
        let d = self.result(lane);
        self.three(ADD, d, t, c);
    }

    /// The middle one of three numbers; the minimum of the numbers where there is a NaN.
    pub(super) fn float_median(&mut self, lane: &Lane) {
        let w = &SINGLE;
        let [a, b, c] = self.sources(lane);
        let [r, other, t] = [0, 1, 2].map(|n| self.extra(n));
        // The greatest of all, then of the two others.
        self.extreme(w, t, [a, b], false);
        self.extreme(w, other, [t, c], false);
        self.copy(r, t);
        for (same, others) in [(b, [a, c]), (a, [b, c])] {
            self.extreme(w, t, others, false);
            self.compared(w, other, same, 0);
            self.choose(r, t, ymm(4));
        }
        if self.mends() {
            self.extreme(w, t, [a, b], true);
            self.extreme(w, other, [t, c], true);
            for [x, y] in [[a, b], [c, c]] {
                self.compared(w, x, y, 3);
                self.choose(r, other, ymm(4));
            }
        }
        let d = self.result(lane);
        self.copy(d, r);
        self.clamp(lane, d);
    }

    /// Tests a float's class: its number is a shift of the second source, which puts the bit at the top.
    pub(super) fn class(&mut self, lane: &Lane, ty: Ty) {
        let (magnitude, sign, kind, t) = (ymm(0), ymm(1), ymm(3), ymm(4));
        // All as the high half of a format with this many bits of exponent and more of fraction.
        let fraction = if ty == Ty::F32 {
            23
        } else if ty == Ty::F64 {
            20
        } else {
            26
        };
        match ty {
            Ty::F64 => {
                let halves = [ymm(1), ymm(2)];
                for (half, n) in [(0, 1), (1, 2)] {
                    self.wide_source(&lane.src[0], half, n);
                }
                for (to, order) in [(kind, 0x88u8), (magnitude, 0xdd)] {
                    let args: [Arg; 4] = [to.into(), halves[0].into(), halves[1].into(), order.into()];
                    self.asm.op(SHUFFLE, &args);
                }
                // What the low half has counts as one bit of the high half, whose sense it does not change.
                self.with_constant(EQUAL, kind, kind, 0);
                self.with_constant(ADD, kind, kind, 1);
                self.three(OR, magnitude, magnitude, kind);
            }
            Ty::F16 => {
                let a = self.source(&lane.src[0], 0);
                self.immediate(SHL_BY, magnitude, a, 16);
            }
            _ => {
                let a = self.source(&lane.src[0], 0);
                self.copy(magnitude, a);
            }
        }
        self.immediate(SAR_BY, sign, magnitude, 31);
        self.with_constant(AND, magnitude, magnitude, 0x7fff_ffff);
        // Above zero, above denormals, above numbers: 6 to 9.
        let infinity = 0x7fff_ffff & !((1u32 << fraction) - 1);
        self.asm.broadcast(kind, 6);
        for limit in [0, (1 << fraction) - 1, infinity - 1] {
            self.with_constant(GREATER, t, magnitude, limit);
            self.three(SUB, kind, kind, t);
        }
        // Negative ones count down from 5.
        self.three(XOR, kind, kind, sign);
        self.with_constant(AND, sign, sign, 12);
        self.three(ADD, kind, kind, sign);
        // NaNs are 0, or 1 if they are quiet.
        self.with_constant(GREATER, t, magnitude, infinity);
        self.immediate(SHR_BY, magnitude, magnitude, fraction - 1);
        self.with_constant(AND, magnitude, magnitude, 1);
        self.choose(kind, magnitude, t);
        let mask = self.source(&lane.src[1], 2);
        self.three(SHR, t, mask, kind);
        self.immediate(SHL_BY, t, t, 31);
        self.immediate(SAR_BY, t, t, 31);
        self.put_mask(lane, t);
    }

    /// f64 to a 32-bit integer that saturates.
    pub(super) fn wide_integer(&mut self, lane: &Lane, signed: bool) {
        let [low, high, result] = [0, 1, 2].map(|n| self.extra(n));
        // Temporary 0: lanes of both halves that compare so with a constant (or with themselves).
        let compare = |strip: &mut Self, predicate: u8, with: Option<f64>| {
            for (half, to) in [(low, ymm(0)), (high, ymm(1))] {
                let mut other = half;
                if let Some(value) = with {
                    let bits = value.to_bits();
                    let table = std::array::from_fn(|n| (bits >> (32 * (n % 2))) as u32);
                    strip.asm.op_table(LOAD, &[ymm(4).into()], table, Masking::default());
                    other = ymm(4);
                }
                strip.asm.op(COMPARE_WIDE, &[to.into(), half.into(), other.into(), predicate.into()]);
            }
            let args: [Arg; 4] = [ymm(0).into(), ymm(0).into(), ymm(1).into(), 0x88u8.into()];
            strip.asm.op(SHUFFLE, &args);
        };
        for (n, half) in [low, high].into_iter().enumerate() {
            let t = self.wide_source(&lane.src[0], n, 0);
            self.copy(half, t);
            if signed {
                continue;
            }
            // What has the top bit is converted without it.
            self.with_wide_constant(VEX_Vmaxpd_ymm_ymm_ymmm256, half, half, [0, 0]);
        }
        let convert = |strip: &mut Self, from: [Register; 2]| {
            for (t, half) in [ymm(2), ymm(3)].into_iter().zip(from) {
                strip.asm.op(VEX_Vcvttpd2dq_xmm_ymmm256, &[xmm(t).into(), half.into()]);
            }
            let args: [Arg; 4] = [ymm(2).into(), ymm(2).into(), xmm(ymm(3)).into(), 1u8.into()];
            strip.asm.op(VEX_Vinserti128_ymm_ymm_xmmm128_imm8, &args);
            strip.immediate(VEX_Vpermq_ymm_ymmm256_imm8, result, ymm(2), 0xd8);
        };
        const TOP: f64 = 2_147_483_648.0;
        if signed {
            // Too small, too large and NaN give 0x8000_0000: too large is turned round, NaN cleared.
            convert(self, [low, high]);
            compare(self, 29, Some(TOP));
            self.three(XOR, result, result, ymm(0));
            compare(self, 7, None);
            self.three(AND, result, result, ymm(0));
        } else {
            compare(self, 29, Some(2.0 * TOP));
            let most = self.extra(3);
            self.copy(most, ymm(0));
            compare(self, 29, Some(TOP));
            let top = self.extra(4);
            self.copy(top, ymm(0));
            for half in [low, high] {
                let table = std::array::from_fn(|n| (TOP.to_bits() >> (32 * (n % 2))) as u32);
                self.asm.op_table(LOAD, &[ymm(4).into()], table, Masking::default());
                self.asm.op(COMPARE_WIDE, &[ymm(0).into(), half.into(), ymm(4).into(), 29u8.into()]);
                self.three(AND, ymm(0), ymm(0), ymm(4));
                self.three(VEX_Vsubpd_ymm_ymm_ymmm256, half, half, ymm(0));
            }
            convert(self, [low, high]);
            self.immediate(SHL_BY, top, top, 31);
            self.three(XOR, result, result, top);
            self.three(OR, result, result, most);
        }
        let d = self.result(lane);
        self.copy(d, result);
    }
}
