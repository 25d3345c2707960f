//! Vector arithmetic on 64-bit lanes: one function for each shape.
//!
//! Temporaries 0, 1 and 2 take the sources of a half; the results of both halves end in temporaries 3 and 0.

use iced_x86::{Code, Register};

use super::strip::{AND, LOAD, Strip, XOR, xmm, ymm};
use super::twins::host;
use crate::compile::assembler::{Arg, Masking};
use crate::compile::ir::Lane;
use crate::compile::shape::Shape;
use crate::compile::width::DOUBLE;
use Code::*;

/// Both halves of a result.
pub(super) const HALVES: [Register; 2] = [Register::YMM3, Register::YMM0];
pub(super) const SHUFFLE: Code = VEX_Vshufps_ymm_ymm_ymmm256_imm8;
const GREATER: Code = VEX_Vpcmpgtq_ymm_ymm_ymmm256;
const SIGN: [u32; 2] = [0, 0x8000_0000];
/// Lanes 0, 1, 4, 5, 2, 3, 6, 7 of what is in order, or the other way round: as quarters.
const QUARTERS: u8 = 0xd8;

impl Strip<'_> {
    /// Does `work` for both halves, with as many sources in temporaries.
    pub(super) fn halves(
        &mut self,
        lane: &Lane,
        sources: usize,
        mut work: impl FnMut(&mut Self, usize, Register),
    ) {
        for (half, to) in HALVES.into_iter().enumerate() {
            for n in 0..sources {
                self.wide_source(&lane.src[n], half, n as u8);
            }
            work(self, half, to);
        }
    }

    /// A lane mask from comparisons of 64-bit lanes.
    pub(super) fn put_wide_mask(&mut self, lane: &Lane, [low, high]: [Register; 2]) {
        self.asm.op(SHUFFLE, &[ymm(1).into(), low.into(), high.into(), 0xddu8.into()]);
        self.put_mask(lane, ymm(1));
    }

    /// An instruction on 64-bit lanes.
    pub(super) fn wide(&mut self, lane: &Lane, shape: Shape) {
        let [t0, t1, t2] = [ymm(0), ymm(1), ymm(2)];
        match shape {
            Shape::WideShift(code) => {
                self.halves(lane, 2, |strip, _, to| {
                    strip.with_wide_constant(AND, t1, t1, [63, 0]);
                    if code == EVEX_Vpsravq_zmm_k1z_zmm_zmmm512b64 {
                        // The sign is turned round at its new place, then subtracted: that extends it.
                        let shift = VEX_Vpsrlvq_ymm_ymm_ymmm256;
                        strip.three(shift, t0, t0, t1);
                        let sign = std::array::from_fn(|n| SIGN[n % 2]);
                        strip.asm.op_table(LOAD, &[t2.into()], sign, Masking::default());
                        strip.three(shift, t2, t2, t1);
                        strip.three(XOR, t0, t0, t2);
                        strip.three(VEX_Vpsubq_ymm_ymm_ymmm256, to, t0, t2);
                    } else {
                        strip.three(host(code), to, t0, t1);
                    }
                });
                self.wide_result(lane, HALVES);
            }
            Shape::WideBinary(code) => {
                self.halves(lane, 2, |strip, _, to| strip.binary(&DOUBLE, host(code), to, t0, t1));
                self.check_wide(HALVES);
                self.wide_result(lane, HALVES);
            }
            Shape::WideFma => {
                self.halves(lane, 3, |strip, _, to| {
                    strip.guard(&DOUBLE, &[t0, t1, t2]);
                    strip.three(VEX_Vfmadd231pd_ymm_ymm_ymmm256, t2, t0, t1);
                    strip.mend(&DOUBLE, t2);
                    strip.copy(to, t2);
                });
                self.check_wide(HALVES);
                self.wide_result(lane, HALVES);
            }
            Shape::WideUnary(code, imm) => {
                self.halves(lane, 1, |strip, _, to| {
                    strip.asm.op(host(code), &[to.into(), t0.into(), imm.into()]);
                });
                self.wide_result(lane, HALVES);
            }
            Shape::WideCompare(code, predicate) => {
                self.halves(lane, 2, |strip, _, to| match code {
                    EVEX_Vcmppd_kr_k1_zmm_zmmm512b64_imm8_sae => {
                        let args: [Arg; 4] = [to.into(), t0.into(), t1.into(), predicate.into()];
                        strip.asm.op(VEX_Vcmppd_ymm_ymm_ymmm256_imm8, &args);
                    }
                    _ => {
                        let unsigned = code == EVEX_Vpcmpuq_kr_k1_zmm_zmmm512b64_imm8;
                        strip.wide_compare(to, [t0, t1], predicate, unsigned);
                    }
                });
                self.put_wide_mask(lane, HALVES);
            }
            Shape::WideRange(imm) => {
                self.halves(lane, 2, |strip, _, to| {
                    strip.extreme(&DOUBLE, t2, [t0, t1], imm == 4);
                    strip.copy(to, t2);
                });
                self.wide_result(lane, HALVES);
            }
            Shape::MadWide { signed } => self.mad_wide(lane, signed),
            Shape::Widen(code) => self.widen(lane, code),
            Shape::Narrow(code) => {
                self.halves(lane, 1, |strip, _, to| strip.asm.op(host(code), &[xmm(to).into(), t0.into()]));
                let d = self.result(lane);
                let args: [Arg; 4] = [t1.into(), HALVES[0].into(), xmm(HALVES[1]).into(), 1u8.into()];
                self.asm.op(VEX_Vinserti128_ymm_ymm_xmmm128_imm8, &args);
                self.immediate(VEX_Vpermq_ymm_ymmm256_imm8, d, t1, QUARTERS);
            }
            _ => {}
        }
    }

    /// Compares integers; see the one for 32 bits.
    fn wide_compare(&mut self, to: Register, [a, b]: [Register; 2], predicate: u8, unsigned: bool) {
        let mut negate = predicate & 4 != 0;
        let kind = predicate & 3;
        if unsigned && matches!(kind, 1 | 2) {
            for t in [a, b] {
                self.with_wide_constant(XOR, t, t, SIGN);
            }
        }
        match kind {
            0 => self.three(VEX_Vpcmpeqq_ymm_ymm_ymmm256, to, a, b),
            1 => self.three(GREATER, to, b, a),
            2 => {
                self.three(GREATER, to, a, b);
                negate = !negate;
            }
            _ => self.asm.broadcast(to, 0),
        }
        if negate {
            self.with_constant(XOR, to, to, !0);
        }
    }

    fn mad_wide(&mut self, lane: &Lane, signed: bool) {
        let [t0, t1, t2, carry] = [ymm(0), ymm(1), ymm(2), ymm(4)];
        let multiply = if signed { VEX_Vpmuldq_ymm_ymm_ymmm256 } else { VEX_Vpmuludq_ymm_ymm_ymmm256 };
        self.halves(lane, 3, |strip, half, to| {
            strip.three(multiply, t0, t0, t1);
            strip.three(VEX_Vpaddq_ymm_ymm_ymmm256, t1, t0, t2);
            if signed {
                // The sum's sign, turned round where it overflowed: product and addend both differ from it.
                strip.three(XOR, t0, t0, t1);
                strip.three(XOR, t2, t2, t1);
                strip.three(AND, t0, t0, t2);
                strip.three(XOR, t0, t0, t1);
            } else {
                // A carry: the sum is below the product.
                strip.with_wide_constant(XOR, t0, t0, SIGN);
                strip.with_wide_constant(XOR, t2, t1, SIGN);
                strip.three(GREATER, t2, t0, t2);
            }
            let sign = if signed { t0 } else { t2 };
            if half == 0 {
                strip.copy(carry, sign);
            } else {
                let args: [Arg; 4] = [carry.into(), carry.into(), sign.into(), 0xddu8.into()];
                strip.asm.op(SHUFFLE, &args);
            }
            strip.copy(to, t1);
        });
        self.immediate(VEX_Vpsrad_ymm_ymm_imm8, carry, carry, 31);
        self.put_mask(lane, carry);
        self.wide_result(lane, HALVES);
    }

    fn widen(&mut self, lane: &Lane, code: Code) {
        let a = self.source(&lane.src[0], 0);
        let [low, high] = HALVES;
        if code == EVEX_Vcvtudq2pd_zmm_k1z_ymmm256b32_er {
            // The low half of 2^52 plus the number, less 2^52.
            self.asm.broadcast(ymm(1), 0x4330_0000);
            self.three(VEX_Vpunpckldq_ymm_ymm_ymmm256, low, a, ymm(1));
            self.three(VEX_Vpunpckhdq_ymm_ymm_ymmm256, high, a, ymm(1));
            for half in HALVES {
                self.with_wide_constant(VEX_Vsubpd_ymm_ymm_ymmm256, half, half, [0, 0x4330_0000]);
            }
        } else {
            self.immediate(VEX_Vpermq_ymm_ymmm256_imm8, ymm(1), a, QUARTERS);
            self.asm.op(host(code), &[low.into(), xmm(ymm(1)).into()]);
            self.immediate(VEX_Vextracti128_xmmm128_ymm_imm8, xmm(ymm(1)), ymm(1), 1);
            self.asm.op(host(code), &[high.into(), xmm(ymm(1)).into()]);
        }
        self.wide_result(lane, HALVES);
    }
}
