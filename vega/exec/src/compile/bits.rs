//! Vector arithmetic on bytes and bits, and conversions that saturate.

use iced_x86::{Code, Register};

use super::assembler::{Arg, Masking};
use super::codes::{ADD, AND, OR, QUIET, SUB, by_constant::*};
use super::ir::Lane;
use super::layout::{ymm, zmm};
use super::math::where_;
use super::shape::{Sad, Shape};
use super::strip::{K2, K3, LOAD, Strip};
use super::width::{DOUBLE, SINGLE};
use Code::*;

const SHUFFLE: Code = EVEX_Vpshufb_zmm_k1z_zmm_zmmm512;
const BYTES: Code = EVEX_Vmovdqu8_zmm_k1z_zmmm512;
const TEST_BYTES: Code = EVEX_Vptestmb_kr_k1_zmm_zmmm512;

impl Strip<'_> {
    /// An instruction on bits and bytes.
    pub fn bits(&mut self, lane: &Lane, shape: Shape) {
        match shape {
            Shape::Reverse => self.reverse(lane),
            Shape::Perm => self.perm(lane),
            Shape::Sad(sad) => self.sad(lane, sad),
            Shape::RoundToInt { half_up } => {
                let a = self.source(&lane.src[0], 0);
                self.copy(zmm(0), a);
                self.asm.with(SINGLE.round, &[zmm(1).into(), zmm(0).into(), 9u8.into()], QUIET);
                self.saturate_signed(zmm(3), zmm(1));
                if half_up {
                    self.asm.with(SINGLE.sub, &[zmm(0).into(), zmm(0).into(), zmm(1).into()], QUIET);
                    self.asm.broadcast(zmm(4), 0x3f00_0000);
                    let args: [Arg; 4] = [K2.into(), zmm(0).into(), zmm(4).into(), 29u8.into()];
                    self.asm.with(SINGLE.compare, &args, QUIET);
                    self.asm.op_table(ADD, &[zmm(3).into(), zmm(3).into()], [1; 16], where_(K2));
                }
                let d = self.result(lane);
                self.copy(d, zmm(3));
            }
            Shape::PackByte => {
                let [a, b, c] = [0, 1, 2].map(|n| self.source(&lane.src[usize::from(n)], n));
                // A NaN gives zero: the second source.
                self.asm.broadcast(zmm(4), 0);
                self.asm.with(
                    EVEX_Vmaxps_zmm_k1z_zmm_zmmm512b32_sae,
                    &[zmm(3).into(), a.into(), zmm(4).into()],
                    QUIET,
                );
                self.asm.broadcast(zmm(4), 0x437f_0000);
                let least: [Arg; 3] = [zmm(3).into(), zmm(3).into(), zmm(4).into()];
                self.asm.with(EVEX_Vminps_zmm_k1z_zmm_zmmm512b32_sae, &least, QUIET);
                self.asm.op(EVEX_Vcvtps2dq_zmm_k1z_zmmm512b32_er, &[zmm(3).into(), zmm(3).into()]);
                self.asm.op(SHL, &[zmm(4).into(), b.into(), 3u8.into()]);
                self.with_constant(AND, zmm(4), zmm(4), 24);
                self.three(EVEX_Vpsllvd_zmm_k1z_zmm_zmmm512b32, zmm(3), zmm(3), zmm(4));
                self.asm.broadcast(zmm(5), 0xff);
                self.three(EVEX_Vpsllvd_zmm_k1z_zmm_zmmm512b32, zmm(5), zmm(5), zmm(4));
                self.three(EVEX_Vpandnd_zmm_k1z_zmm_zmmm512b32, zmm(5), zmm(5), c);
                let d = self.result(lane);
                self.three(OR, d, zmm(3), zmm(5));
            }
            Shape::OffsetI4 => {
                let a = self.source(&lane.src[0], 0);
                self.asm.op(SHL, &[zmm(3).into(), a.into(), 28u8.into()]);
                self.asm.op(SAR, &[zmm(3).into(), zmm(3).into(), 28u8.into()]);
                self.asm.with(EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er, &[zmm(3).into(), zmm(3).into()], QUIET);
                let d = self.result(lane);
                self.asm.op_table(
                    SINGLE.mul,
                    &[d.into(), zmm(3).into()],
                    SINGLE.float(0.0625),
                    Masking::default(),
                );
                self.clamp(lane);
            }
            _ => {}
        }
    }

    /// The host converts what is out of range to one value: those lanes are put right.
    pub fn saturate_signed(&mut self, d: Register, a: Register) {
        // Too small and NaN give 0x8000_0000.
        self.asm.with(EVEX_Vcvttps2dq_zmm_k1z_zmmm512b32_sae, &[d.into(), a.into()], QUIET);
        self.asm.broadcast(zmm(4), 0x4f00_0000);
        self.asm.with(SINGLE.compare, &[K2.into(), a.into(), zmm(4).into(), 29u8.into()], QUIET);
        self.put(d, [0x7fff_ffff; 16], K2);
        self.asm.with(SINGLE.compare, &[K2.into(), a.into(), a.into(), 3u8.into()], QUIET);
        self.put(d, [0; 16], K2);
    }

    /// f64 to a 32-bit integer that saturates.
    pub fn wide_integer(&mut self, lane: &Lane, signed: bool) {
        let a = self.wide_source(&lane.src[0], 0);
        let (convert, limit, most) = if signed {
            (EVEX_Vcvttpd2dq_ymm_k1z_zmmm512b64_sae, 2_147_483_648.0, 0x7fff_ffff)
        } else {
            (EVEX_Vcvttpd2udq_ymm_k1z_zmmm512b64_sae, 4_294_967_296.0, u32::MAX)
        };
        let compare = |strip: &mut Self, predicate: u8, other: Option<f64>| {
            for (half, k) in [K2, K3].into_iter().enumerate() {
                let with = match other {
                    Some(value) => {
                        strip.asm.op_table(LOAD, &[zmm(4).into()], DOUBLE.float(value), Masking::default());
                        zmm(4)
                    }
                    None => a[half],
                };
                let args: [Arg; 4] = [k.into(), a[half].into(), with.into(), predicate.into()];
                strip.asm.with(DOUBLE.compare, &args, QUIET);
            }
            strip.join_masks();
        };
        for (half, to) in [zmm(2), zmm(3)].into_iter().enumerate() {
            self.asm.with(convert, &[ymm(to).into(), a[half].into()], QUIET);
        }
        let insert: [Arg; 4] = [zmm(2).into(), zmm(2).into(), ymm(zmm(3)).into(), 1u8.into()];
        self.asm.op(EVEX_Vinserti64x4_zmm_k1z_zmm_ymmm256_imm8, &insert);
        compare(self, 29, Some(limit));
        self.put(zmm(2), [most; 16], K2);
        if signed {
            compare(self, 3, None);
        } else {
            // Not above zero, or unordered.
            compare(self, 26, Some(0.0));
        }
        self.put(zmm(2), [0; 16], K2);
        let d = self.result(lane);
        self.copy(d, zmm(2));
    }

    fn reverse(&mut self, lane: &Lane) {
        // Nibbles by a table, then bytes and nibbles change places.
        const NIBBLES: [u32; 4] = [0x0c04_0800, 0x0e06_0a02, 0x0d05_0901, 0x0f07_0b03];
        let a = self.source(&lane.src[0], 0);
        self.with_constant(AND, zmm(3), a, 0x0f0f_0f0f);
        self.asm.op(SHR, &[zmm(4).into(), a.into(), 4u8.into()]);
        self.with_constant(AND, zmm(4), zmm(4), 0x0f0f_0f0f);
        let table = std::array::from_fn(|n| NIBBLES[n % 4]);
        self.asm.op_table(LOAD, &[zmm(5).into()], table, Masking::default());
        self.three(SHUFFLE, zmm(3), zmm(5), zmm(3));
        self.three(SHUFFLE, zmm(4), zmm(5), zmm(4));
        self.asm.op(SHL, &[zmm(3).into(), zmm(3).into(), 4u8.into()]);
        self.three(OR, zmm(3), zmm(3), zmm(4));
        let swap = std::array::from_fn(|n| 0x0001_0203 + 0x0404_0404 * (n as u32 % 4));
        let d = self.result(lane);
        self.asm.op_table(SHUFFLE, &[d.into(), zmm(3).into()], swap, Masking::default());
    }

    fn perm(&mut self, lane: &Lane) {
        let [a, b, selectors] = [0, 1, 2].map(|n| self.source(&lane.src[usize::from(n)], n));
        let first = std::array::from_fn(|n| 0x0404_0404 * (n as u32 % 4));
        let (index, other, result) = (zmm(3), zmm(4), zmm(5));
        // The bytes that selectors 0 to 7 name.
        let pick = |strip: &mut Self, to: Register, bit: u32| {
            // `index` is within a dword: from b, or from a where the selector's bit is set.
            strip.asm.op_table(OR, &[index.into(), index.into()], first, Masking::default());
            strip.three(SHUFFLE, to, b, index);
            strip.asm.broadcast(other, bit);
            strip.asm.op(TEST_BYTES, &[K2.into(), selectors.into(), other.into()]);
            strip.asm.with(SHUFFLE, &[to.into(), a.into(), index.into()], where_(K2));
        };
        self.with_constant(AND, index, selectors, 0x0303_0303);
        pick(self, result, 0x0404_0404);
        // 8 to 11: the sign of a half.
        let sign = self.extra(0);
        self.with_constant(AND, index, selectors, 0x0101_0101);
        self.three(EVEX_Vpaddb_zmm_k1z_zmm_zmmm512, index, index, index);
        self.with_constant(OR, index, index, 0x0101_0101);
        pick(self, sign, 0x0202_0202);
        self.asm.op(EVEX_Vpmovb2m_kr_zmm, &[K3.into(), sign.into()]);
        self.asm.op(EVEX_Vpmovm2b_zmm_kr, &[sign.into(), K3.into()]);
        let compare = EVEX_Vpcmpub_kr_k1_zmm_zmmm512_imm8;
        let from = |strip: &mut Self, least: u32| {
            strip.asm.broadcast(other, least * 0x0101_0101);
            strip.asm.op(compare, &[K2.into(), selectors.into(), other.into(), 5u8.into()]);
        };
        from(self, 8);
        self.asm.with(BYTES, &[result.into(), sign.into()], where_(K2));
        from(self, 12);
        self.asm.op_table(BYTES, &[result.into()], [0; 16], where_(K2));
        from(self, 13);
        self.asm.op_table(BYTES, &[result.into()], [!0; 16], where_(K2));
        let d = self.result(lane);
        self.copy(d, result);
    }

    fn sad(&mut self, lane: &Lane, sad: Sad) {
        let [a, b, c] = [0, 1, 2].map(|n| self.source(&lane.src[usize::from(n)], n));
        let (max, min, subtract) = match sad {
            Sad::Bytes | Sad::BytesHigh | Sad::MaskedBytes => (
                EVEX_Vpmaxub_zmm_k1z_zmm_zmmm512,
                EVEX_Vpminub_zmm_k1z_zmm_zmmm512,
                EVEX_Vpsubb_zmm_k1z_zmm_zmmm512,
            ),
            Sad::Words => (
                EVEX_Vpmaxuw_zmm_k1z_zmm_zmmm512,
                EVEX_Vpminuw_zmm_k1z_zmm_zmmm512,
                EVEX_Vpsubw_zmm_k1z_zmm_zmmm512,
            ),
            Sad::Dwords => (EVEX_Vpmaxud_zmm_k1z_zmm_zmmm512b32, EVEX_Vpminud_zmm_k1z_zmm_zmmm512b32, SUB),
        };
        self.three(max, zmm(3), a, b);
        self.three(min, zmm(4), a, b);
        self.three(subtract, zmm(3), zmm(3), zmm(4));
        if sad == Sad::MaskedBytes {
            self.asm.op(TEST_BYTES, &[K2.into(), b.into(), b.into()]);
            let masking = Masking { by: Some(K2), zero: true, quiet: false };
            self.asm.with(BYTES, &[zmm(3).into(), zmm(3).into()], masking);
        }
        match sad {
            Sad::Dwords => {}
            Sad::Words => {
                self.asm.op(SHR, &[zmm(4).into(), zmm(3).into(), 16u8.into()]);
                self.with_constant(AND, zmm(3), zmm(3), 0xffff);
                self.three(ADD, zmm(3), zmm(3), zmm(4));
            }
            _ => {
                self.with_constant(EVEX_Vpmaddubsw_zmm_k1z_zmm_zmmm512, zmm(3), zmm(3), 0x0101_0101);
                self.with_constant(EVEX_Vpmaddwd_zmm_k1z_zmm_zmmm512, zmm(3), zmm(3), 0x0001_0001);
            }
        }
        if sad == Sad::BytesHigh {
            self.asm.op(SHL, &[zmm(3).into(), zmm(3).into(), 16u8.into()]);
        }
        let d = self.result(lane);
        self.three(ADD, d, zmm(3), c);
    }
}
