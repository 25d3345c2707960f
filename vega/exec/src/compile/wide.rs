//! Vector arithmetic on 64-bit lanes: one function for each shape.

use iced_x86::{Code, Register};

use super::assembler::{Arg, Masking};
use super::codes::QUIET;
use super::ir::Lane;
use super::layout::{ymm, zmm};
use super::operand::Source;
use super::shape::{Shape, constant};
use super::strip::{K2, K3, Strip};
use Code::*;

impl Strip<'_> {
    /// `code` for both halves: d = a op b.
    fn both(&mut self, code: Code, d: [u8; 2], a: [u8; 2], b: [u8; 2]) {
        for half in 0..2 {
            let args: [Arg; 3] = [zmm(d[half]).into(), zmm(a[half]).into(), zmm(b[half]).into()];
            self.asm.op(code, &args);
        }
    }

    /// The same for a floating-point instruction, whose NaNs are looked after: `d` may be no source of the other half.
    fn both_floats(&mut self, code: Code, d: [u8; 2], a: [u8; 2], b: [u8; 2], sources: &[[u8; 2]]) {
        for half in 0..2 {
            let guarded: Vec<Register> = sources.iter().map(|source| zmm(source[half])).collect();
            self.guard_wide(&guarded);
            let masking = if half == 0 { self.float() } else { self.float_upper() };
            let args: [Arg; 3] = [zmm(d[half]).into(), zmm(a[half]).into(), zmm(b[half]).into()];
            self.asm.with(code, &args, masking);
            self.mend_wide(zmm(d[half]));
        }
    }

    /// K2 = K3:K2
    pub fn join_masks(&mut self) {
        self.asm.op(VEX_Kunpckbw_kr_kr_kr, &[K2.into(), K3.into(), K2.into()]);
    }

    /// An instruction on 64-bit lanes.
    pub fn wide(&mut self, lane: &Lane, shape: Shape) {
        // Masks know the lanes by their place.
        let alone = matches!(shape, Shape::WideBinary(_) | Shape::WideFma | Shape::WideUnary(..));
        self.any_order = alone && !self.masked && !self.mends();
        self.wide_lanes(lane, shape);
        self.any_order = false;
    }

    fn wide_lanes(&mut self, lane: &Lane, shape: Shape) {
        match shape {
            Shape::WideShift(code) if self.wide_shift(lane, code) => {}
            Shape::WideShift(code) => {
                self.wide_source(&lane.src[0], 0);
                self.wide_source(&lane.src[1], 1);
                let table = std::array::from_fn(|n| if n % 2 == 0 { 63 } else { 0 });
                for t in [2, 3] {
                    let args: [Arg; 2] = [zmm(t).into(), zmm(t).into()];
                    self.asm.op_table(EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32, &args, table, Masking::default());
                }
                self.both(code, [0, 1], [0, 1], [2, 3]);
                self.wide_result(lane, [zmm(0), zmm(1)]);
            }
            Shape::WideBinary(code) => {
                self.wide_source(&lane.src[0], 0);
                self.wide_source(&lane.src[1], 1);
                self.both_floats(code, [0, 1], [0, 1], [2, 3], &[[0, 1], [2, 3]]);
                self.wide_result(lane, [zmm(0), zmm(1)]);
            }
            Shape::WideFma => {
                for n in 0..3 {
                    self.wide_source(&lane.src[n], n as u8);
                }
                let code = EVEX_Vfmadd231pd_zmm_k1z_zmm_zmmm512b64_er;
                self.both_floats(code, [4, 5], [0, 1], [2, 3], &[[0, 1], [2, 3], [4, 5]]);
                self.wide_result(lane, [zmm(4), zmm(5)]);
            }
            Shape::WideUnary(code, imm) => {
                self.wide_source(&lane.src[0], 0);
                for t in [0, 1] {
                    self.asm.with(code, &[zmm(t).into(), zmm(t).into(), imm.into()], QUIET);
                }
                self.wide_result(lane, [zmm(0), zmm(1)]);
            }
            Shape::WideCompare(code, predicate) => {
                self.wide_source(&lane.src[0], 0);
                self.wide_source(&lane.src[1], 1);
                for (k, (a, b)) in [(K2, (0, 2)), (K3, (1, 3))] {
                    self.asm.with(code, &[k.into(), zmm(a).into(), zmm(b).into(), predicate.into()], QUIET);
                }
                self.join_masks();
                self.put_mask(lane);
            }
            Shape::WideRange(imm) => {
                self.wide_source(&lane.src[0], 0);
                self.wide_source(&lane.src[1], 1);
                for half in 0..2 {
                    let (a, b) = (zmm(half), zmm(2 + half));
                    let args: [Arg; 4] = [a.into(), a.into(), b.into(), imm.into()];
                    self.asm.with(EVEX_Vrangepd_zmm_k1z_zmm_zmmm512b64_imm8_sae, &args, QUIET);
                }
                self.wide_result(lane, [zmm(0), zmm(1)]);
            }
            Shape::MadWide { signed } => self.mad_wide(lane, signed),
            Shape::Widen(code) => {
                let a = self.source(&lane.src[0], 0);
                let upper = ymm(zmm(1));
                let extract: [Arg; 3] = [upper.into(), a.into(), 1u8.into()];
                self.asm.op(EVEX_Vextracti64x4_ymmm256_k1z_zmm_imm8, &extract);
                self.asm.with(code, &[zmm(1).into(), upper.into()], QUIET);
                self.asm.with(code, &[zmm(0).into(), ymm(a).into()], QUIET);
                self.wide_result(lane, [zmm(0), zmm(1)]);
            }
            Shape::Narrow(code) => {
                self.wide_source(&lane.src[0], 0);
                for t in [0, 1] {
                    self.asm.with(code, &[ymm(zmm(t)).into(), zmm(t).into()], QUIET);
                }
                self.join_halves(lane, zmm(0), zmm(1));
            }
            _ => {}
        }
    }

    /// A shift of a register by a constant, dword by dword; false if it is none.
    fn wide_shift(&mut self, lane: &Lane, code: Code) -> bool {
        let (Source::Vector(v), Some((d, _)), Some(count)) =
            (lane.src[0].from, lane.dst, constant(lane.src[1].from))
        else {
            return false;
        };
        let count = (count & 63) as u8;
        let (low, high) = (self.registers.read(self.asm, v), self.registers.read(self.asm, v + 1));
        let left = code == EVEX_Vpsllvq_zmm_k1z_zmm_zmmm512b64;
        let by = if left {
            EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8
        } else if code == EVEX_Vpsravq_zmm_k1z_zmm_zmmm512b64 {
            EVEX_Vpsrad_zmm_k1z_zmmm512b32_imm8
        } else {
            EVEX_Vpsrld_zmm_k1z_zmmm512b32_imm8
        };
        // From the dword that bits leave to the one that they enter.
        let (from, to, leaving, entered) =
            if left { (low, high, zmm(3), zmm(4)) } else { (high, low, zmm(3), zmm(4)) };
        if count < 32 {
            let both = if left {
                EVEX_Vpshldd_zmm_k1z_zmm_zmmm512b32_imm8
            } else {
                EVEX_Vpshrdd_zmm_k1z_zmm_zmmm512b32_imm8
            };
            self.asm.op(both, &[entered.into(), to.into(), from.into(), count.into()]);
            self.asm.op(by, &[leaving.into(), from.into(), count.into()]);
        } else {
            self.asm.op(by, &[entered.into(), from.into(), (count - 32).into()]);
            // What is left behind: copies of the sign, or zeros. (A count of 32 and more clears a logical shift.)
            self.asm.op(by, &[leaving.into(), from.into(), 32u8.into()]);
        }
        let (low, high) = if left { (leaving, entered) } else { (entered, leaving) };
        for (k, from) in [low, high].into_iter().enumerate() {
            let to = self.registers.write(self.asm, d + k as u16);
            self.asm.op(super::strip::MOVE, &[to.into(), from.into()]);
        }
        true
    }

    /// The destination gets the low halves of two registers.
    fn join_halves(&mut self, lane: &Lane, low: Register, high: Register) {
        let Some((d, _)) = lane.dst else { return };
        let d = self.registers.write(self.asm, d);
        let args: [Arg; 4] = [d.into(), low.into(), ymm(high).into(), 1u8.into()];
        self.asm.op(EVEX_Vinserti64x4_zmm_k1z_zmm_ymmm256_imm8, &args);
    }

    fn mad_wide(&mut self, lane: &Lane, signed: bool) {
        for n in 0..3 {
            self.wide_source(&lane.src[n], n as u8);
        }
        let multiply =
            if signed { EVEX_Vpmuldq_zmm_k1z_zmm_zmmm512b64 } else { EVEX_Vpmuludq_zmm_k1z_zmm_zmmm512b64 };
        self.both(multiply, [0, 1], [0, 1], [2, 3]);
        self.both(EVEX_Vpaddq_zmm_k1z_zmm_zmmm512b64, [2, 3], [0, 1], [4, 5]);
        for (half, k) in [K2, K3].into_iter().enumerate() {
            let (product, sum, addend) = (zmm(half as u8), zmm(2 + half as u8), zmm(4 + half as u8));
            if signed {
                // The sum's sign, turned round where it overflowed: product and addend both differ from it.
                let xor = EVEX_Vpxorq_zmm_k1z_zmm_zmmm512b64;
                self.asm.op(xor, &[product.into(), product.into(), sum.into()]);
                let logic = EVEX_Vpternlogq_zmm_k1z_zmm_zmmm512b64_imm8;
                self.asm.op(logic, &[product.into(), sum.into(), addend.into(), 0x60u8.into()]);
                self.asm.op(xor, &[product.into(), product.into(), sum.into()]);
                self.asm.op(EVEX_Vpmovq2m_kr_zmm, &[k.into(), product.into()]);
            } else {
                let compare = EVEX_Vpcmpuq_kr_k1_zmm_zmmm512b64_imm8;
                self.asm.op(compare, &[k.into(), sum.into(), product.into(), 1u8.into()]);
            }
        }
        self.join_masks();
        self.put_mask(lane);
        self.wide_result(lane, [zmm(2), zmm(3)]);
    }
}
