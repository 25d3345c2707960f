//! Vector arithmetic on 16-bit elements: one to a lane, or packed in pairs.
//!
//! f16 goes by way of f32, which is wide enough that rounding twice cannot err; sums of products are rounded to odd first.

use iced_x86::{Code, Register};
use vega_isa::micro::MixDst;

use super::assembler::{Arg, Masking};
use super::codes::{AND, OR, QUIET, XOR, by_constant::*};
use super::dwords::Dwords;
use super::ir::Lane;
use super::layout::{ymm, zmm};
use super::math::where_;
use super::shape::{Denormals, Packed, Shape};
use super::strip::{K2, K3, MOVE, Strip};
use super::width::{DOUBLE, SINGLE, class};
use Code::*;

impl Strip<'_> {
    /// The low halves of `a` as f32.
    fn widen_half(&mut self, to: Register, a: Register) {
        self.asm.op(EVEX_Vpmovdw_ymmm256_k1z_zmm, &[ymm(to).into(), a.into()]);
        self.asm.with(EVEX_Vcvtph2ps_zmm_k1z_ymmm256_sae, &[to.into(), ymm(to).into()], QUIET);
    }

    /// f32 as f16, in the low halves; the high ones are zero.
    fn narrow_half(&mut self, to: Register, a: Register, rounding: u8) {
        let args: [Arg; 3] = [ymm(to).into(), a.into(), rounding.into()];
        self.asm.with(EVEX_Vcvtps2ph_ymmm256_k1z_zmm_imm8_sae, &args, QUIET);
        self.asm.op(EVEX_Vpmovzxwd_zmm_k1z_ymmm256, &[to.into(), ymm(to).into()]);
    }

    /// An f16 source as f32, in temporary `n`.
    fn half_source(&mut self, lane: &Lane, n: u8) -> Register {
        let a = self.source(&lane.src[usize::from(n)], n);
        self.widen_half(zmm(n), a);
        zmm(n)
    }

    /// Zeros of the same sign for denormals, in place.
    fn flush_half(&mut self, register: Register, denormals: Denormals) {
        self.with_constant(AND, zmm(4), register, denormals.magnitude);
        self.asm.broadcast(zmm(5), denormals.least);
        let less: [Arg; 4] = [K2.into(), zmm(4).into(), zmm(5).into(), 1u8.into()];
        self.asm.op(SINGLE.less, &less);
        self.asm.op_table(AND, &[register.into(), register.into()], [denormals.sign; 16], where_(K2));
    }

    /// Stores an f32 as f16.
    fn half_result(&mut self, lane: &Lane, from: Register) {
        self.narrow_half(zmm(5), from, 0);
        let d = self.result(lane);
        self.copy(d, zmm(5));
    }

    /// An instruction on f16.
    pub fn half(&mut self, lane: &Lane, shape: Shape) {
        match shape {
            Shape::Half(code) => {
                let (a, b) = (self.half_source(lane, 0), self.half_source(lane, 1));
                self.half_binary(code, zmm(3), a, b);
                self.half_result(lane, zmm(3));
            }
            Shape::HalfUnary(code, imm) => {
                let a = self.half_source(lane, 0);
                self.guard(&[a]);
                match (imm, code) {
                    (Some(imm), _) => self.asm.with(code, &[zmm(3).into(), a.into(), imm.into()], QUIET),
                    (_, EVEX_Vdivps_zmm_k1z_zmm_zmmm512b32_er) => {
                        self.asm.broadcast(zmm(1), 0x3f80_0000);
                        let masking = self.float();
                        self.asm.with(code, &[zmm(3).into(), zmm(1).into(), a.into()], masking);
                    }
                    _ => {
                        let masking = self.float();
                        self.asm.with(code, &[zmm(3).into(), a.into()], masking);
                    }
                }
                self.mend(zmm(3));
                self.half_result(lane, zmm(3));
            }
            Shape::HalfFma => {
                for n in 0..3 {
                    self.half_source(lane, n);
                }
                self.half_fma();
                self.half_result(lane, zmm(3));
            }
            Shape::HalfMad => {
                for n in 0..3 {
                    self.half_source(lane, n);
                    self.flush_half(zmm(n), Denormals::WIDENED);
                }
                let masking = self.float();
                let product: [Arg; 3] = [zmm(3).into(), zmm(0).into(), zmm(1).into()];
                self.asm.with(SINGLE.mul, &product, masking);
                self.narrow_half(zmm(3), zmm(3), 0);
                self.flush_half(zmm(3), Denormals::HALF);
                self.widen_half(zmm(3), zmm(3));
                self.add_product(zmm(3), zmm(3), zmm(2));
                self.narrow_half(zmm(3), zmm(3), 0);
                self.flush_half(zmm(3), Denormals::HALF);
                let d = self.result(lane);
                self.copy(d, zmm(3));
            }
            Shape::HalfMinMax { max } | Shape::HalfChain { max } => {
                let a = self.source(&lane.src[0], 0);
                let b = self.source(&lane.src[1], 1);
                self.with_constant(AND, zmm(0), a, 0xffff);
                self.with_constant(AND, zmm(1), b, 0xffff);
                self.half_min_max(max);
                if matches!(shape, Shape::HalfChain { .. }) {
                    let c = self.source(&lane.src[2], 2);
                    self.copy(zmm(0), zmm(3));
                    self.with_constant(AND, zmm(1), c, 0xffff);
                    self.half_min_max(max);
                }
                let d = self.result(lane);
                self.copy(d, zmm(3));
            }
            Shape::HalfCompare(predicate) => {
                let (a, b) = (self.half_source(lane, 0), self.half_source(lane, 1));
                let args: [Arg; 4] = [K2.into(), a.into(), b.into(), predicate.into()];
                self.asm.with(SINGLE.compare, &args, QUIET);
                self.put_mask(lane);
            }
            Shape::HalfToFloat => {
                let a = self.half_source(lane, 0);
                let d = self.result(lane);
                self.copy(d, a);
                self.clamp(lane);
            }
            Shape::HalfToInt { signed } => {
                // Exact in f32, saturated there: NaN gives zero.
                let a = self.half_source(lane, 0);
                self.asm.with(EVEX_Vcvttps2dq_zmm_k1z_zmmm512b32_sae, &[zmm(3).into(), a.into()], QUIET);
                let (min, max) = if signed { (-0x8000i32, 0x7fff) } else { (0, 0xffff) };
                // Infinity converts to the least integer.
                self.in_class(&SINGLE, K2, a, class::POSITIVE_INFINITY);
                self.put(zmm(3), [max as u32; 16], K2);
                self.with_constant(EVEX_Vpminsd_zmm_k1z_zmm_zmmm512b32, zmm(3), zmm(3), max as u32);
                self.with_constant(EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32, zmm(3), zmm(3), min as u32);
                self.in_class(&SINGLE, K2, a, class::NAN);
                self.put(zmm(3), [0; 16], K2);
                let d = self.result(lane);
                self.with_constant(AND, d, zmm(3), 0xffff);
            }
            Shape::IntToHalf { signed } => {
                let a = self.source(&lane.src[0], 0);
                self.asm.op(SHL, &[zmm(3).into(), a.into(), 16u8.into()]);
                let down = if signed { SAR } else { SHR };
                self.asm.op(down, &[zmm(3).into(), zmm(3).into(), 16u8.into()]);
                self.asm.with(EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er, &[zmm(3).into(), zmm(3).into()], QUIET);
                self.half_result(lane, zmm(3));
            }
            Shape::Norm { signed } => {
                let t = self.normalised(lane, 0, true, signed);
                let d = self.result(lane);
                self.copy(d, t);
            }
            Shape::PackNorm { half, signed } => {
                let [low, high] = [0, 1].map(|n| self.normalised(lane, n, half, signed));
                self.join_words(lane, low, high);
            }
            Shape::PackTowardZero => {
                for n in 0..2u8 {
                    let a = self.source(&lane.src[usize::from(n)], n);
                    // 3: toward zero.
                    self.narrow_half(zmm(3 + n), a, 3);
                }
                self.join_words(lane, zmm(3), zmm(4));
            }
            _ => {
                let a = self.source(&lane.src[0], 0);
                self.half_result(lane, a);
            }
        }
    }

    /// A float as a 16-bit integer that stands for numbers up to 1, in temporary `n`: the product is exact in f64.
    fn normalised(&mut self, lane: &Lane, n: u8, half: bool, signed: bool) -> Register {
        let (a, t) = (self.nth(lane, n), zmm(n));
        if half {
            self.widen_half(t, a);
        } else {
            self.copy(t, a);
        }
        // NaN gives zero.
        self.asm.with(SINGLE.compare, &[K2.into(), t.into(), t.into(), 7u8.into()], QUIET);
        self.asm.with(MOVE, &[t.into(), t.into()], Masking { by: Some(K2), zero: true, quiet: false });
        let (least, scale) = if signed { (-1.0, 32767.0) } else { (0.0, 65535.0) };
        for (code, limit) in
            [(EVEX_Vmaxps_zmm_k1z_zmm_zmmm512b32_sae, least), (EVEX_Vminps_zmm_k1z_zmm_zmmm512b32_sae, 1.0)]
        {
            self.asm.op_table(code, &[t.into(), t.into()], SINGLE.float(limit), Masking::default());
        }
        for (half, to) in [zmm(3), zmm(4)].into_iter().enumerate() {
            let extract: [Arg; 3] = [ymm(zmm(5)).into(), t.into(), (half as u8).into()];
            self.asm.op(EVEX_Vextracti64x4_ymmm256_k1z_zmm_imm8, &extract);
            self.asm.op(EVEX_Vcvtps2pd_zmm_k1z_ymmm256b32_sae, &[zmm(5).into(), ymm(zmm(5)).into()]);
            let scaled: [Arg; 2] = [zmm(5).into(), zmm(5).into()];
            self.asm.op_table(DOUBLE.mul, &scaled, DOUBLE.float(scale), Masking::default());
            self.asm.op(EVEX_Vcvtpd2dq_ymm_k1z_zmmm512b64_er, &[ymm(to).into(), zmm(5).into()]);
        }
        let insert: [Arg; 4] = [t.into(), zmm(3).into(), ymm(zmm(4)).into(), 1u8.into()];
        self.asm.op(EVEX_Vinserti64x4_zmm_k1z_zmm_ymmm256_imm8, &insert);
        self.with_constant(AND, t, t, 0xffff);
        t
    }

    fn half_binary(&mut self, code: Code, d: Register, a: Register, b: Register) {
        self.guard(&[a, b]);
        let masking = self.float();
        self.asm.with(code, &[d.into(), a.into(), b.into()], masking);
        self.mend(d);
    }

    /// zmm3 = zmm0 * zmm1 + zmm2 of f16 values, such that rounding it to f16 rounds the exact sum.
    fn half_fma(&mut self) {
        let (a, b, c) = (zmm(0), zmm(1), zmm(2));
        let (sum, product, t) = (zmm(3), zmm(4), zmm(5));
        // The product is exact.
        let masking = self.float();
        self.asm.with(SINGLE.mul, &[product.into(), a.into(), b.into()], masking);
        self.add_product(sum, product, c);
        let quiet = |strip: &mut Self, code: Code, d: Register, a: Register, b: Register| {
            strip.asm.with(code, &[d.into(), a.into(), b.into()], QUIET);
        };
        // error = (product - (sum - virtual)) + (addend - virtual), where virtual = sum - product.
        quiet(self, SINGLE.sub, t, sum, product);
        quiet(self, SINGLE.sub, b, sum, t);
        quiet(self, SINGLE.sub, product, product, b);
        quiet(self, SINGLE.sub, t, c, t);
        quiet(self, SINGLE.add, t, t, product);
        // K3: inexact sums that are even.
        self.asm.broadcast(product, 0);
        self.asm.with(SINGLE.compare, &[K3.into(), t.into(), product.into(), 12u8.into()], QUIET);
        self.asm.broadcast(product, 1);
        self.asm.with(
            EVEX_Vptestnmd_kr_k1_zmm_zmmm512b32,
            &[K3.into(), sum.into(), product.into()],
            where_(K3),
        );
        // One up in magnitude where the error has the sum's sign, else one down.
        self.three(XOR, t, t, sum);
        self.asm.op(SAR, &[t.into(), t.into(), 31u8.into()]);
        self.three(OR, t, t, product);
        self.asm.with(EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32, &[sum.into(), sum.into(), t.into()], where_(K3));
    }

    /// zmm3 = the lesser (greater) of the f16 values zmm0 and zmm1.
    fn half_min_max(&mut self, max: bool) {
        let (a, b, r) = (zmm(0), zmm(1), zmm(3));
        // As integers of the same order.
        for (n, to) in [(a, zmm(3)), (b, zmm(4))] {
            self.asm.op(SHL, &[to.into(), n.into(), 16u8.into()]);
            self.ordered(to);
        }
        let code =
            if max { EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32 } else { EVEX_Vpminsd_zmm_k1z_zmm_zmmm512b32 };
        self.three(code, r, r, zmm(4));
        self.ordered(r);
        self.asm.op(SHR, &[r.into(), r.into(), 16u8.into()]);
        // A quiet NaN loses, a signaling one wins and becomes quiet; the first one of two.
        let choose = |strip: &mut Self, from: Register, mask: Register| {
            strip.asm.with(MOVE, &[r.into(), from.into()], where_(mask));
        };
        self.half_nans(K2, b);
        choose(self, a, K2);
        self.half_nans(K3, a);
        // Both are NaNs: the first one.
        self.asm.op(VEX_Kandnw_kr_kr_kr, &[K3.into(), K2.into(), K3.into()]);
        choose(self, b, K3);
        for source in [b, a] {
            self.half_nans(K2, source);
            let test = EVEX_Vptestnmd_kr_k1_zmm_zmmm512b32;
            self.asm.broadcast(zmm(4), 0x200);
            self.asm.with(test, &[K2.into(), source.into(), zmm(4).into()], where_(K2));
            self.asm.op_table(OR, &[r.into(), source.into()], [0x200; 16], where_(K2));
        }
    }

    /// Magnitude and sign to two's complement of the same order, and back.
    fn ordered(&mut self, register: Register) {
        self.asm.op(SAR, &[zmm(5).into(), register.into(), 31u8.into()]);
        self.with_constant(AND, zmm(5), zmm(5), 0x7fff_ffff);
        self.three(XOR, register, register, zmm(5));
    }

    /// `to` = lanes whose f16 (in the low half, zero above) is a NaN; uses temporary 4.
    fn half_nans(&mut self, to: Register, a: Register) {
        self.with_constant(AND, zmm(4), a, 0x7fff);
        self.asm.broadcast(zmm(5), 0x7c00);
        self.asm.op(
            EVEX_Vpcmpd_kr_k1_zmm_zmmm512b32_imm8,
            &[to.into(), zmm(4).into(), zmm(5).into(), 6u8.into()],
        );
    }

    /// A packed source with its halves as they enter, in temporary `n`.
    fn packed_source(&mut self, lane: &Lane, n: u8) -> Register {
        let halves = lane.halves;
        let a = self.source(&lane.src[usize::from(n)], n);
        let t = zmm(n);
        let bit = |mask: u8| mask >> n & 1 == 1;
        let mut from = a;
        let rotate = EVEX_Vprold_zmm_k1z_zmmm512b32_imm8;
        match (bit(halves.low), bit(halves.high)) {
            (false, true) => {}
            (true, false) => {
                self.asm.op(rotate, &[t.into(), a.into(), 16u8.into()]);
                from = t;
            }
            (high, _) => {
                // One half twice.
                let pairs = |n: u32| if high { 0x0302_0302 } else { 0x0100_0100 } + 0x0404_0404 * (n % 4);
                let table = std::array::from_fn(|n| pairs(n as u32));
                let shuffle = EVEX_Vpshufb_zmm_k1z_zmm_zmmm512;
                self.asm.op_table(shuffle, &[t.into(), a.into()], table, Masking::default());
                from = t;
            }
        }
        let flip = u32::from(bit(halves.negate_low)) << 15 | u32::from(bit(halves.negate_high)) << 31;
        if flip != 0 {
            self.with_constant(XOR, t, from, flip);
            from = t;
        }
        from
    }

    /// An instruction on pairs.
    pub fn packed(&mut self, lane: &Lane, packed: Packed) {
        let count = if matches!(packed, Packed::Fma | Packed::Mad) { 3 } else { 2 };
        let mut sources = [zmm(0); 3];
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
                self.three(code, d, a, b);
            }
            Packed::Shift(code) => {
                self.with_constant(AND, zmm(3), b, 0x000f_000f);
                let d = self.result(lane);
                self.three(code, d, a, zmm(3));
            }
            Packed::Mad => {
                self.three(EVEX_Vpmullw_zmm_k1z_zmm_zmmm512, zmm(3), a, b);
                let d = self.result(lane);
                self.three(EVEX_Vpaddw_zmm_k1z_zmm_zmmm512, d, zmm(3), c);
            }
            Packed::Half(_) | Packed::Fma | Packed::MinMax { .. } => {
                let count = usize::from(count);
                let halves = sources;
                // The temporaries are needed for the halves: the sources wait elsewhere.
                let mut kept = [zmm(0); 3];
                for n in 0..count {
                    kept[n] = self.extra(n as u16);
                    self.copy(kept[n], halves[n]);
                }
                let low = self.extra(3);
                for high in [false, true] {
                    for (n, from) in kept.into_iter().enumerate().take(count) {
                        let t = zmm(n as u8);
                        let from = if high {
                            self.asm.op(SHR, &[t.into(), from.into(), 16u8.into()]);
                            t
                        } else {
                            from
                        };
                        match packed {
                            Packed::MinMax { .. } => self.with_constant(AND, t, from, 0xffff),
                            _ => self.widen_half(t, from),
                        }
                    }
                    match packed {
                        Packed::Half(code) => self.half_binary(code, zmm(3), zmm(0), zmm(1)),
                        Packed::Fma => self.half_fma(),
                        Packed::MinMax { max } => self.half_min_max(max),
                        _ => {}
                    }
                    let to = if high { zmm(4) } else { low };
                    match packed {
                        Packed::MinMax { .. } => self.copy(to, zmm(3)),
                        _ => self.narrow_half(to, zmm(3), 0),
                    }
                }
                self.join_words(lane, low, zmm(4));
            }
        }
    }

    /// `v_mad_mix`: sources of either precision, f32 in between.
    pub fn mix(&mut self, lane: &Lane, dst: MixDst) {
        let halves = lane.halves;
        for n in 0..3u8 {
            let mut operand = lane.src[usize::from(n)];
            let bit = |mask: u8| mask >> n & 1 == 1;
            (operand.abs, operand.neg) = (false, false);
            let a = self.source(&operand, n);
            let t = zmm(n);
            if bit(halves.high) {
                let mut from = a;
                if bit(halves.low) {
                    self.asm.op(SHR, &[t.into(), a.into(), 16u8.into()]);
                    from = t;
                }
                self.widen_half(t, from);
            } else {
                self.copy(t, a);
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
            self.copy(d, zmm(3));
            self.clamp(lane);
        } else {
            self.half_result(lane, zmm(3));
        }
    }
}
