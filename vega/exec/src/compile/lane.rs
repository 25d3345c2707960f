//! Vector arithmetic: one function for each shape.

use iced_x86::{Code, Register};

use super::assembler::{Arg, Masking};
use super::ir::Lane;
use super::layout::zmm;
use super::shape::{Float, Shape, constant};
use super::strip::{K2, K3, LOAD, MOVE, Strip};
use Code::*;

const AND: Code = EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32;
const OR: Code = EVEX_Vpord_zmm_k1z_zmm_zmmm512b32;
const XOR: Code = EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32;
const ADD: Code = EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32;
const SUB: Code = EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32;
const SHL: Code = EVEX_Vpsllvd_zmm_k1z_zmm_zmmm512b32;
const SHR: Code = EVEX_Vpsrlvd_zmm_k1z_zmm_zmmm512b32;
const SAR: Code = EVEX_Vpsravd_zmm_k1z_zmm_zmmm512b32;
const LOGIC: Code = EVEX_Vpternlogd_zmm_k1z_zmm_zmmm512b32_imm8;
const CLASS: Code = EVEX_Vfpclassps_kr_k1_zmmm512b32_imm8;
/// Denormals, for `CLASS`.
const DENORMAL: u8 = 0x20;

impl Strip<'_> {
    /// An instruction of three registers.
    fn three(&mut self, code: Code, d: Register, a: Register, b: Register) {
        self.asm.op(code, &[d.into(), a.into(), b.into()]);
    }

    /// An instruction whose last source is the same constant in every lane.
    fn with_constant(&mut self, code: Code, d: Register, a: Register, value: u32) {
        self.asm.op_table(code, &[d.into(), a.into()], [value; 16], Masking::default());
    }

    fn copy(&mut self, d: Register, a: Register) {
        if d != a {
            self.asm.op(MOVE, &[d.into(), a.into()]);
        }
    }

    /// The destination's register. Sources are still in theirs, unless it is the same guest register.
    fn result(&mut self, lane: &Lane) -> Register {
        match lane.dst {
            Some((d, _)) => self.registers.write(self.asm, d),
            None => zmm(5),
        }
    }

    /// How a floating-point instruction runs.
    fn float_masking(&self, float: Float) -> Masking {
        match float {
            Float::No => Masking::default(),
            Float::Checked => self.masking(),
            Float::Quiet => Masking { quiet: true, ..Masking::default() },
        }
    }

    /// Clamps and checks a float in `d`.
    fn complete(&mut self, lane: &Lane, d: Register, float: Float) {
        if float == Float::Checked {
            self.check(d);
        }
        if lane.clamp {
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

    /// A shift count modulo 32, in a temporary.
    fn count(&mut self, lane: &Lane, n: usize) -> Register {
        let count = self.source(&lane.src[n], n as u8);
        self.with_constant(AND, zmm(n as u8), count, 31);
        zmm(n as u8)
    }

    /// `d` = `a` shifted by source `n`.
    fn shift(&mut self, by_lanes: Code, by_constant: Code, d: Register, a: Register, lane: &Lane, n: usize) {
        if let Some(count) = constant(lane.src[n].from) {
            self.asm.op(by_constant, &[d.into(), a.into(), ((count & 31) as u8).into()]);
        } else {
            let count = self.count(lane, n);
            self.three(by_lanes, d, a, count);
        }
    }

    fn flush(&mut self, to: Register, from: Register) {
        self.copy(to, from);
        self.asm.op(CLASS, &[K2.into(), to.into(), DENORMAL.into()]);
        let masking = Masking { by: Some(K2), zero: false, quiet: false };
        self.asm.op_table(AND, &[to.into(), to.into()], [0x8000_0000; 16], masking);
    }

    /// Emits one instruction.
    pub fn instruction(&mut self, lane: &Lane, shape: Shape) {
        match shape {
            Shape::Memory => self.memory(lane),
            Shape::Move => {
                let a = self.source(&lane.src[0], 0);
                let d = self.result(lane);
                self.copy(d, a);
            }
            Shape::Unary(code, float) => {
                let a = self.source(&lane.src[0], 0);
                let d = self.result(lane);
                self.asm.with(code, &[d.into(), a.into()], self.float_masking(float));
                self.complete(lane, d, float);
            }
            Shape::UnaryImmediate(code, imm, float) => {
                let a = self.source(&lane.src[0], 0);
                let d = self.result(lane);
                self.asm.with(code, &[d.into(), a.into(), imm.into()], self.float_masking(float));
                self.complete(lane, d, float);
            }
            Shape::Binary(code, float) => {
                let a = self.source(&lane.src[0], 0);
                let b = self.source(&lane.src[1], 1);
                let d = self.result(lane);
                self.asm.with(code, &[d.into(), a.into(), b.into()], self.float_masking(float));
                self.complete(lane, d, float);
            }
            Shape::BinaryImmediate(code, imm, float) => {
                let a = self.source(&lane.src[0], 0);
                let b = self.source(&lane.src[1], 1);
                let d = self.result(lane);
                let args: [Arg; 4] = [d.into(), a.into(), b.into(), imm.into()];
                self.asm.with(code, &args, self.float_masking(float));
                self.complete(lane, d, float);
            }
            Shape::Shift(by_lanes, by_constant) => {
                let a = self.source(&lane.src[0], 0);
                if constant(lane.src[1].from).is_some() {
                    let d = self.result(lane);
                    self.shift(by_lanes, by_constant, d, a, lane, 1);
                } else {
                    let count = self.count(lane, 1);
                    let d = self.result(lane);
                    self.three(by_lanes, d, a, count);
                }
            }
            Shape::Logic(imm) => self.logic(lane, imm),
            Shape::Chain(first, second) => {
                let a = self.source(&lane.src[0], 0);
                let b = self.source(&lane.src[1], 1);
                let c = self.source(&lane.src[2], 2);
                self.three(first, zmm(3), a, b);
                let d = self.result(lane);
                self.three(second, d, zmm(3), c);
            }
            Shape::ShiftThen(second) => {
                let a = self.source(&lane.src[0], 0);
                self.shift(SHL, EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8, zmm(3), a, lane, 1);
                let c = self.source(&lane.src[2], 2);
                let d = self.result(lane);
                self.three(second, d, zmm(3), c);
            }
            Shape::AddShift => {
                let a = self.source(&lane.src[0], 0);
                let b = self.source(&lane.src[1], 1);
                self.three(ADD, zmm(3), a, b);
                self.shift(SHL, EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8, zmm(3), zmm(3), lane, 2);
                let d = self.result(lane);
                self.copy(d, zmm(3));
            }
            Shape::Fma => self.fma(lane),
            Shape::MadFlush => {
                let masking = self.masking();
                for n in 0..2 {
                    let from = self.source(&lane.src[n], n as u8);
                    self.flush(zmm(n as u8), from);
                }
                let product: [Arg; 3] = [zmm(3).into(), zmm(0).into(), zmm(1).into()];
                self.asm.with(EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er, &product, masking);
                // An invalid product is an error of its own, whatever is added.
                self.check(zmm(3));
                self.flush(zmm(3), zmm(3));
                let c = self.source(&lane.src[2], 2);
                self.flush(zmm(2), c);
                let sum: [Arg; 3] = [zmm(3).into(), zmm(3).into(), zmm(2).into()];
                self.asm.with(EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er, &sum, masking);
                self.check(zmm(3));
                self.flush(zmm(3), zmm(3));
                let d = self.result(lane);
                self.copy(d, zmm(3));
                self.complete(lane, d, Float::No);
            }
            Shape::Reciprocal => {
                let a = self.source(&lane.src[0], 0);
                self.flush(zmm(0), a);
                self.asm.broadcast(zmm(1), 0x3f80_0000);
                let quotient: [Arg; 3] = [zmm(1).into(), zmm(1).into(), zmm(0).into()];
                self.asm.with(EVEX_Vdivps_zmm_k1z_zmm_zmmm512b32_er, &quotient, self.masking());
                self.check(zmm(1));
                let d = self.result(lane);
                self.flush(d, zmm(1));
            }
            Shape::Mul24 { signed, add } => self.mul24(lane, signed, add),
            Shape::MulHi { signed } => self.mul_high(lane, signed),
            Shape::Bfe { signed } => self.bit_field(lane, signed),
            Shape::Bfm => {
                let width = self.count(lane, 0);
                self.asm.broadcast(zmm(3), 1);
                self.three(SHL, zmm(3), zmm(3), width);
                self.asm.broadcast(zmm(4), !0);
                self.three(ADD, zmm(3), zmm(3), zmm(4));
                let offset = self.count(lane, 1);
                let d = self.result(lane);
                self.three(SHL, d, zmm(3), offset);
            }
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
            Shape::Median { signed } => {
                let (min, max) = if signed {
                    (EVEX_Vpminsd_zmm_k1z_zmm_zmmm512b32, EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32)
                } else {
                    (EVEX_Vpminud_zmm_k1z_zmm_zmmm512b32, EVEX_Vpmaxud_zmm_k1z_zmm_zmmm512b32)
                };
                let a = self.source(&lane.src[0], 0);
                let b = self.source(&lane.src[1], 1);
                let c = self.source(&lane.src[2], 2);
                self.three(min, zmm(3), a, b);
                self.three(max, zmm(4), a, b);
                self.three(min, zmm(4), zmm(4), c);
                let d = self.result(lane);
                self.three(max, d, zmm(3), zmm(4));
            }
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
            Shape::WideShift(_)
            | Shape::WideBinary(_)
            | Shape::WideFma
            | Shape::WideUnary(..)
            | Shape::WideCompare(..)
            | Shape::MadWide { .. }
            | Shape::Widen(_)
            | Shape::Narrow(_) => self.wide(lane, shape),
            Shape::Half(_) | Shape::HalfToFloat | Shape::FloatToHalf => self.half(lane, shape),
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

    /// The result is temporary 4, or -1 where `a` is zero.
    fn or_minus_one(&mut self, lane: &Lane, a: Register) {
        self.asm.op(EVEX_Vptestnmd_kr_k1_zmm_zmmm512b32, &[K2.into(), a.into(), a.into()]);
        let masking = Masking { by: Some(K2), zero: false, quiet: false };
        let args: [Arg; 4] = [zmm(4).into(), zmm(4).into(), zmm(4).into(), 0xffu8.into()];
        self.asm.with(LOGIC, &args, masking);
        let d = self.result(lane);
        self.copy(d, zmm(4));
    }

    fn logic(&mut self, lane: &Lane, imm: u8) {
        let a = self.source(&lane.src[0], 0);
        if imm == 0x55 {
            let d = self.result(lane);
            self.asm.op(LOGIC, &[d.into(), d.into(), a.into(), imm.into()]);
            return;
        }
        let b = self.source(&lane.src[1], 1);
        let c = self.source(&lane.src[2], 2);
        let d = self.result(lane);
        let at = if d == b || d == c { zmm(3) } else { d };
        self.copy(at, a);
        self.asm.op(LOGIC, &[at.into(), b.into(), c.into(), imm.into()]);
        self.copy(d, at);
    }

    /// The operand order of each form keeps the order in which NaNs are looked for: src0, src1, src2.
    fn fma(&mut self, lane: &Lane) {
        let a = self.source(&lane.src[0], 0);
        let b = self.source(&lane.src[1], 1);
        let c = self.source(&lane.src[2], 2);
        let d = self.result(lane);
        let masking = self.masking();
        let (code, x, y) = if d == c {
            (EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er, a, b)
        } else if d == a {
            (EVEX_Vfmadd132ps_zmm_k1z_zmm_zmmm512b32_er, c, b)
        } else if d == b {
            (EVEX_Vfmadd213ps_zmm_k1z_zmm_zmmm512b32_er, a, c)
        } else {
            self.copy(d, c);
            (EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er, a, b)
        };
        self.asm.with(code, &[d.into(), x.into(), y.into()], masking);
        self.complete(lane, d, Float::Checked);
    }

    fn mul24(&mut self, lane: &Lane, signed: bool, add: bool) {
        for n in 0..2 {
            let a = self.source(&lane.src[n], n as u8);
            let t = zmm(n as u8);
            if signed {
                self.asm.op(EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8, &[t.into(), a.into(), 8u8.into()]);
                self.asm.op(EVEX_Vpsrad_zmm_k1z_zmmm512b32_imm8, &[t.into(), t.into(), 8u8.into()]);
            } else {
                self.with_constant(AND, t, a, 0xff_ffff);
            }
        }
        self.three(EVEX_Vpmulld_zmm_k1z_zmm_zmmm512b32, zmm(3), zmm(0), zmm(1));
        if add {
            let c = self.source(&lane.src[2], 2);
            let d = self.result(lane);
            self.three(ADD, d, zmm(3), c);
        } else {
            let d = self.result(lane);
            self.copy(d, zmm(3));
        }
    }

    fn mul_high(&mut self, lane: &Lane, signed: bool) {
        let a = self.source(&lane.src[0], 0);
        let b = self.source(&lane.src[1], 1);
        let multiply =
            if signed { EVEX_Vpmuldq_zmm_k1z_zmm_zmmm512b64 } else { EVEX_Vpmuludq_zmm_k1z_zmm_zmmm512b64 };
        // Even lanes, then odd ones moved down; their high halves are where they belong.
        self.three(multiply, zmm(3), a, b);
        let shift = EVEX_Vpsrlq_zmm_k1z_zmmm512b64_imm8;
        self.asm.op(shift, &[zmm(4).into(), a.into(), 32u8.into()]);
        self.asm.op(shift, &[zmm(5).into(), b.into(), 32u8.into()]);
        self.three(multiply, zmm(4), zmm(4), zmm(5));
        self.asm.op(shift, &[zmm(3).into(), zmm(3).into(), 32u8.into()]);
        let odd = std::array::from_fn(|n| if n % 2 == 1 { !0 } else { 0 });
        self.asm.op_table(AND, &[zmm(4).into(), zmm(4).into()], odd, Masking::default());
        let d = self.result(lane);
        self.three(OR, d, zmm(3), zmm(4));
    }

    fn bit_field(&mut self, lane: &Lane, signed: bool) {
        let a = self.source(&lane.src[0], 0);
        let offset = self.count(lane, 1);
        let width = self.count(lane, 2);
        if !signed {
            self.three(SHR, zmm(3), a, offset);
            self.asm.broadcast(zmm(4), 1);
            self.three(SHL, zmm(4), zmm(4), width);
            self.asm.broadcast(zmm(5), !0);
            self.three(ADD, zmm(4), zmm(4), zmm(5));
            let d = self.result(lane);
            self.three(AND, d, zmm(3), zmm(4));
            return;
        }
        // Shifting the field up against the sign and down again extends it. The distance up is 32 - width, or
        // nothing where the field reaches beyond the top; a width of zero gives zero.
        self.three(SAR, zmm(3), a, offset);
        self.three(ADD, zmm(4), zmm(1), width);
        self.asm.broadcast(zmm(5), 32);
        let below: [Arg; 4] = [K2.into(), zmm(4).into(), zmm(5).into(), 1u8.into()];
        self.asm.op(EVEX_Vpcmpud_kr_k1_zmm_zmmm512b32_imm8, &below);
        let masking = Masking { by: Some(K2), zero: true, quiet: false };
        let distance: [Arg; 3] = [zmm(5).into(), zmm(5).into(), width.into()];
        self.asm.with(SUB, &distance, masking);
        self.three(SHL, zmm(3), zmm(3), zmm(5));
        self.three(SAR, zmm(3), zmm(3), zmm(5));
        self.asm.op(EVEX_Vptestmd_kr_k1_zmm_zmmm512b32, &[K2.into(), width.into(), width.into()]);
        let d = self.result(lane);
        self.asm.with(MOVE, &[d.into(), zmm(3).into()], masking);
    }

    fn align(&mut self, lane: &Lane, bytes: bool) {
        let a = self.source(&lane.src[0], 0);
        let b = self.source(&lane.src[1], 1);
        if let Some(count) = constant(lane.src[2].from) {
            let bits = if bytes { 8 * (count & 3) } else { count & 31 };
            let d = self.result(lane);
            let at = if d == a { zmm(3) } else { d };
            self.copy(at, b);
            let code = EVEX_Vpshrdd_zmm_k1z_zmm_zmmm512b32_imm8;
            self.asm.op(code, &[at.into(), at.into(), a.into(), (bits as u8).into()]);
            self.copy(d, at);
            return;
        }
        let count = self.source(&lane.src[2], 2);
        let mut count = count;
        if bytes {
            self.asm.op(EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8, &[zmm(2).into(), count.into(), 3u8.into()]);
            count = zmm(2);
        }
        self.copy(zmm(3), b);
        // The count is taken modulo 32.
        self.three(EVEX_Vpshrdvd_zmm_k1z_zmm_zmmm512b32, zmm(3), a, count);
        let d = self.result(lane);
        self.copy(d, zmm(3));
    }

    fn count_bits(&mut self, lane: &Lane, below: Option<bool>) {
        let mut a = self.source(&lane.src[0], 0);
        let b = self.source(&lane.src[1], 1);
        if let Some(high) = below {
            // Bits below the lane: (1 << (lane - first)) - 1, where shifts of 32 and more leave nothing and so
            // make all bits; lanes below the first have none.
            let (iota, base) = (zmm(3), zmm(4));
            let table = std::array::from_fn(|n| n as u32);
            self.asm.op_table(LOAD, &[iota.into()], table, Masking::default());
            // The strip's number times 64, divided by four: its first lane.
            self.asm.op(Code::Mov_r32_rm32, &[Register::EAX.into(), Register::EBP.into()]);
            self.asm.op(Code::Shr_rm32_imm8, &[Register::EAX.into(), 2u8.into()]);
            if high {
                self.asm.op(Code::Sub_rm32_imm8, &[Register::EAX.into(), 32u8.into()]);
            }
            self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_r32, &[base.into(), Register::EAX.into()]);
            self.three(ADD, iota, iota, base);
            if high {
                self.asm.broadcast(base, 0);
                self.three(EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32, iota, iota, base);
            }
            self.asm.broadcast(base, 1);
            self.three(SHL, base, base, iota);
            self.asm.broadcast(iota, !0);
            self.three(ADD, base, base, iota);
            self.three(AND, zmm(0), a, base);
            a = zmm(0);
        }
        self.asm.op(EVEX_Vpopcntd_zmm_k1z_zmmm512b32, &[zmm(3).into(), a.into()]);
        let d = self.result(lane);
        self.three(ADD, d, zmm(3), b);
    }

    fn carry(&mut self, lane: &Lane, subtract: bool, carry_in: bool) {
        let a = self.source(&lane.src[0], 0);
        let b = self.source(&lane.src[1], 1);
        let compare = EVEX_Vpcmpud_kr_k1_zmm_zmmm512b32_imm8;
        if subtract {
            self.asm.op(compare, &[K2.into(), a.into(), b.into(), 1u8.into()]);
            self.three(SUB, zmm(3), a, b);
        } else {
            self.three(ADD, zmm(3), a, b);
            self.asm.op(compare, &[K2.into(), zmm(3).into(), a.into(), 1u8.into()]);
        }
        if carry_in && let Some(mask) = lane.mask_in {
            let carry = self.read_mask(mask);
            let masking = Masking { by: Some(carry), zero: false, quiet: false };
            self.asm.broadcast(zmm(4), !0);
            if subtract {
                // A borrow out of the second step: the difference was zero.
                self.asm.with(
                    EVEX_Vptestnmd_kr_k1_zmm_zmmm512b32,
                    &[K3.into(), zmm(3).into(), zmm(3).into()],
                    masking,
                );
                self.asm.with(ADD, &[zmm(3).into(), zmm(3).into(), zmm(4).into()], masking);
            } else {
                self.asm.with(SUB, &[zmm(3).into(), zmm(3).into(), zmm(4).into()], masking);
                self.asm.with(
                    EVEX_Vptestnmd_kr_k1_zmm_zmmm512b32,
                    &[K3.into(), zmm(3).into(), zmm(3).into()],
                    masking,
                );
            }
            self.asm.op(VEX_Korw_kr_kr_kr, &[K2.into(), K2.into(), K3.into()]);
        }
        let d = self.result(lane);
        self.copy(d, zmm(3));
        self.put_mask(lane);
    }

    /// The host converts what is out of range to one value: those lanes are put right.
    fn integer(&mut self, lane: &Lane, signed: bool) {
        let a = self.source(&lane.src[0], 0);
        let quiet = Masking { quiet: true, ..Masking::default() };
        let compare = EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae;
        if signed {
            // Too small and NaN give 0x8000_0000.
            self.asm.with(EVEX_Vcvttps2dq_zmm_k1z_zmmm512b32_sae, &[zmm(3).into(), a.into()], quiet);
            self.asm.broadcast(zmm(4), 0x4f00_0000);
            self.asm.with(compare, &[K2.into(), a.into(), zmm(4).into(), 29u8.into()], quiet);
            let masking = Masking { by: Some(K2), zero: false, quiet: false };
            self.asm.op_table(MOVE_TABLE, &[zmm(3).into()], [0x7fff_ffff; 16], masking);
        } else {
            // Too large gives all ones, as it should; negative numbers and NaN do, too.
            self.asm.with(EVEX_Vcvttps2udq_zmm_k1z_zmmm512b32_sae, &[zmm(3).into(), a.into()], quiet);
            self.asm.broadcast(zmm(4), 0);
            // Not less or equal zero, or unordered: then zero.
            self.asm.with(compare, &[K2.into(), a.into(), zmm(4).into(), 30u8.into()], quiet);
            let masking = Masking { by: Some(K2), zero: true, quiet: false };
            let d = self.result(lane);
            self.asm.with(MOVE, &[d.into(), zmm(3).into()], masking);
            return;
        }
        self.asm.with(compare, &[K2.into(), a.into(), a.into(), 7u8.into()], quiet);
        let masking = Masking { by: Some(K2), zero: true, quiet: false };
        let d = self.result(lane);
        self.asm.with(MOVE, &[d.into(), zmm(3).into()], masking);
    }
}

/// A load under a mask.
const MOVE_TABLE: Code = LOAD;
