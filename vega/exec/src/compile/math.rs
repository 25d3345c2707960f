//! Roots, exponentials, logarithms, sines and the parts of floats, in single and double precision.
//!
//! The same operations in the same order as the interpreter's (`interp::alu::math`, `numeric::approx`), so that results
//! are the same bits; special values are put in afterwards.

use iced_x86::{Code, Register};

use super::assembler::{Arg, Masking};
use super::ir::Lane;
use super::layout::{ymm, zmm};
use super::strip::{K2, K3, LOAD, Strip};
use super::width::{DOUBLE, SINGLE, Width, class};
use crate::numeric::approx;
use Code::*;

/// A function of one source, and ldexp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Exp2,
    Log2,
    /// Sine (0) or cosine (1) of revolutions.
    Turn(u8),
    Rcp,
    Rsq,
    Sqrt,
    Fract,
    FrexpExp,
    FrexpMant,
    Ldexp,
}

const SINGLE_TO_DOUBLE: Code = EVEX_Vcvtps2pd_zmm_k1z_ymmm256b32_sae;
const DOUBLE_TO_SINGLE: Code = EVEX_Vcvtpd2ps_ymm_k1z_zmmm512b64_er;

/// A mask that merges.
pub(super) fn where_(mask: Register) -> Masking {
    Masking { by: Some(mask), zero: false, quiet: false }
}

impl Strip<'_> {
    /// Elements of `a` in classes, to a mask register.
    pub fn in_class(&mut self, w: &Width, to: Register, a: Register, classes: u8) {
        self.asm.op(w.class, &[to.into(), a.into(), classes.into()]);
    }

    /// `d` = a constant in the elements of a mask.
    pub fn put(&mut self, d: Register, table: [u32; 16], mask: Register) {
        // Masks of 64-bit elements need the instruction of their width: the caller's table is the same in every element.
        self.asm.op_table(LOAD, &[d.into()], table, where_(mask));
    }

    /// The same for elements of a width.
    pub fn put_wide(&mut self, w: &Width, d: Register, table: [u32; 16], mask: Register) {
        let load = if w.wide { EVEX_Vmovdqu64_zmm_k1z_zmmm512 } else { LOAD };
        self.asm.op_table(load, &[d.into()], table, where_(mask));
    }

    /// `d` = `a` where it is a NaN, made quiet; uses `mask`.
    pub fn pass_nan(&mut self, w: &Width, d: Register, a: Register, mask: Register) {
        self.in_class(w, mask, a, class::NAN);
        self.asm.op_table(w.or, &[d.into(), a.into()], w.quiet(), where_(mask));
    }

    /// The polynomial with these coefficients at `x`, to `sum`: as `numeric::approx` evaluates it.
    fn horner(&mut self, coefficients: &[f64], sum: Register, x: Register) {
        for (n, coefficient) in coefficients.iter().enumerate() {
            let table = DOUBLE.float(*coefficient);
            if n == 0 {
                self.asm.op_table(LOAD, &[sum.into()], table, Masking::default());
            } else {
                let args: [Arg; 2] = [sum.into(), x.into()];
                let code = EVEX_Vfmadd213pd_zmm_k1z_zmm_zmmm512b64_er;
                self.asm.op_table(code, &args, table, Masking::default());
            }
        }
    }

    /// A function of f32.
    pub fn math(&mut self, lane: &Lane, function: Function) {
        let w = &SINGLE;
        let a = self.source(&lane.src[0], 0);
        match function {
            Function::Exp2 | Function::Log2 | Function::Turn(_) | Function::Rsq => {
                self.flush(zmm(0), a);
                let low = self.extra(0);
                for half in 0..2 {
                    // The half in double precision.
                    if half == 0 {
                        self.asm.op(SINGLE_TO_DOUBLE, &[zmm(1).into(), ymm(zmm(0)).into()]);
                    } else {
                        let args: [Arg; 3] = [ymm(zmm(1)).into(), zmm(0).into(), 1u8.into()];
                        self.asm.op(EVEX_Vextracti64x4_ymmm256_k1z_zmm_imm8, &args);
                        self.asm.op(SINGLE_TO_DOUBLE, &[zmm(1).into(), ymm(zmm(1)).into()]);
                    }
                    match function {
                        Function::Exp2 => self.exp2(),
                        Function::Log2 => self.log2(),
                        Function::Turn(quarters) => self.turn(quarters),
                        _ => self.rsq(half),
                    }
                    let to = if half == 0 { low } else { zmm(2) };
                    self.asm.op(DOUBLE_TO_SINGLE, &[ymm(to).into(), zmm(2).into()]);
                }
                let d = self.result(lane);
                let args: [Arg; 4] = [d.into(), low.into(), ymm(zmm(2)).into(), 1u8.into()];
                self.asm.op(EVEX_Vinserti64x4_zmm_k1z_zmm_ymmm256_imm8, &args);
                self.special(d, function);
            }
            Function::Fract => {
                let round: [Arg; 3] = [zmm(3).into(), a.into(), 9u8.into()];
                self.asm.op(w.round, &round);
                self.copy(zmm(0), a);
                let d = self.result(lane);
                self.guard(&[zmm(0)]);
                self.three(w.sub, d, zmm(0), zmm(3));
                self.mend(d);
                self.below_one(w, d, 0x3f7f_ffff);
            }
            Function::FrexpExp => {
                self.copy(zmm(0), a);
                self.asm.op(w.getexp, &[zmm(1).into(), zmm(0).into()]);
                let d = self.result(lane);
                self.asm.op(EVEX_Vcvtps2dq_zmm_k1z_zmmm512b32_er, &[d.into(), zmm(1).into()]);
                self.with_constant(EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32, d, d, 1);
                self.in_class(w, K2, zmm(0), class::ZERO | class::INFINITY | class::NAN);
                self.put(d, [0; 16], K2);
            }
            Function::FrexpMant => {
                self.copy(zmm(0), a);
                let d = self.result(lane);
                self.mantissa(w, d, zmm(0));
            }
            Function::Ldexp => {
                let b = self.source(&lane.src[1], 1);
                self.with_constant(EVEX_Vpminsd_zmm_k1z_zmm_zmmm512b32, zmm(1), b, 400);
                self.with_constant(EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32, zmm(1), zmm(1), (-400i32) as u32);
                self.asm.op(EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er, &[zmm(1).into(), zmm(1).into()]);
                let d = self.result(lane);
                self.three(w.scalef, d, a, zmm(1));
            }
            Function::Sqrt | Function::Rcp => {}
        }
        self.clamp(lane);
    }

    /// One below the greatest value instead of 1.
    fn below_one(&mut self, w: &Width, d: Register, bits: u64) {
        self.asm.op_table(LOAD, &[zmm(3).into()], w.float(1.0), Masking::default());
        self.asm.op(w.equal, &[K2.into(), d.into(), zmm(3).into()]);
        self.put_wide(w, d, w.table(bits), K2);
    }

    /// frexp's mantissa; zero, infinity and NaN pass.
    fn mantissa(&mut self, w: &Width, d: Register, a: Register) {
        // 2: in [1/2, 1), with the source's sign.
        self.asm.op(w.getmant, &[d.into(), a.into(), 2u8.into()]);
        self.in_class(w, K2, a, class::ZERO | class::INFINITY);
        self.asm.with(w.moves, &[d.into(), a.into()], where_(K2));
        self.pass_nan(w, d, a, K2);
    }

    /// zmm2 = 2^zmm1, eight f64.
    fn exp2(&mut self) {
        let x = zmm(1);
        let limit = |value: f64| DOUBLE.float(value);
        self.asm.op_table(
            EVEX_Vminpd_zmm_k1z_zmm_zmmm512b64_sae,
            &[x.into(), x.into()],
            limit(900.0),
            Masking::default(),
        );
        self.asm.op_table(
            EVEX_Vmaxpd_zmm_k1z_zmm_zmmm512b64_sae,
            &[x.into(), x.into()],
            limit(-900.0),
            Masking::default(),
        );
        self.asm.op(DOUBLE.round, &[zmm(3).into(), x.into(), 8u8.into()]);
        self.three(DOUBLE.sub, x, x, zmm(3));
        self.horner(&approx::EXP2, zmm(2), x);
        self.asm.op_table(
            EVEX_Vfmadd213pd_zmm_k1z_zmm_zmmm512b64_er,
            &[zmm(2).into(), x.into()],
            limit(1.0),
            Masking::default(),
        );
        self.three(DOUBLE.scalef, zmm(2), zmm(2), zmm(3));
    }

    /// zmm2 = log2(zmm1), eight f64.
    fn log2(&mut self) {
        let (m, whole) = (zmm(2), zmm(3));
        self.asm.op(DOUBLE.getexp, &[whole.into(), zmm(1).into()]);
        self.asm.op(DOUBLE.getmant, &[m.into(), zmm(1).into(), 0u8.into()]);
        let load = |strip: &mut Self, to: Register, value: f64| {
            strip.asm.op_table(LOAD, &[to.into()], DOUBLE.float(value), Masking::default());
        };
        load(self, zmm(4), std::f64::consts::SQRT_2);
        self.asm.op(DOUBLE.compare, &[K2.into(), m.into(), zmm(4).into(), 30u8.into()]);
        load(self, zmm(4), 0.5);
        self.asm.with(DOUBLE.mul, &[m.into(), m.into(), zmm(4).into()], where_(K2));
        load(self, zmm(4), 1.0);
        self.asm.with(DOUBLE.add, &[whole.into(), whole.into(), zmm(4).into()], where_(K2));
        self.three(DOUBLE.sub, zmm(1), m, zmm(4));
        self.three(DOUBLE.add, m, m, zmm(4));
        self.three(DOUBLE.div, zmm(1), zmm(1), m);
        self.three(DOUBLE.mul, zmm(4), zmm(1), zmm(1));
        self.horner(&approx::LOG2, zmm(2), zmm(4));
        self.three(DOUBLE.mul, zmm(2), zmm(2), zmm(1));
        self.three(DOUBLE.add, zmm(2), whole, zmm(2));
    }

    /// zmm2 = the sine of zmm1 revolutions and some quarters more, eight f64.
    fn turn(&mut self, quarters: u8) {
        let (s, square) = (zmm(1), zmm(5));
        self.asm.op(DOUBLE.round, &[zmm(3).into(), s.into(), 8u8.into()]);
        self.three(DOUBLE.sub, s, s, zmm(3));
        let with = |strip: &mut Self, code, d: Register, a: Register, value: f64| {
            strip.asm.op_table(code, &[d.into(), a.into()], DOUBLE.float(value), Masking::default());
        };
        with(self, EVEX_Vmulpd_zmm_k1z_zmm_zmmm512b64_er, zmm(3), s, 4.0);
        self.asm.op(DOUBLE.round, &[zmm(3).into(), zmm(3).into(), 8u8.into()]);
        with(self, EVEX_Vmulpd_zmm_k1z_zmm_zmmm512b64_er, zmm(4), zmm(3), 0.25);
        self.three(DOUBLE.sub, s, s, zmm(4));
        self.asm.op(EVEX_Vcvtpd2qq_zmm_k1z_zmmm512b64_er, &[zmm(3).into(), zmm(3).into()]);
        let quarter = DOUBLE.table(quarters.into());
        let add: [Arg; 2] = [zmm(3).into(), zmm(3).into()];
        self.asm.op_table(EVEX_Vpaddq_zmm_k1z_zmm_zmmm512b64, &add, quarter, Masking::default());
        let test = |strip: &mut Self, to: Register, bit: u64| {
            let args: [Arg; 2] = [to.into(), zmm(3).into()];
            let code = EVEX_Vptestmq_kr_k1_zmm_zmmm512b64;
            strip.asm.op_table(code, &args, DOUBLE.table(bit), Masking::default());
        };
        test(self, K2, 1);
        test(self, K3, 2);
        self.three(DOUBLE.mul, square, s, s);
        self.horner(&approx::SIN, zmm(2), square);
        self.three(DOUBLE.mul, zmm(2), zmm(2), s);
        self.horner(&approx::COS, zmm(3), square);
        self.asm.op_table(
            EVEX_Vfmadd213pd_zmm_k1z_zmm_zmmm512b64_er,
            &[zmm(3).into(), square.into()],
            DOUBLE.float(1.0),
            Masking::default(),
        );
        self.asm.with(DOUBLE.moves, &[zmm(2).into(), zmm(3).into()], where_(K2));
        let sign: [Arg; 2] = [zmm(2).into(), zmm(2).into()];
        self.asm.op_table(EVEX_Vpxorq_zmm_k1z_zmm_zmmm512b64, &sign, DOUBLE.sign(), where_(K3));
        // Zero has no sign.
        self.asm.broadcast(zmm(3), 0);
        self.three(DOUBLE.add, zmm(2), zmm(2), zmm(3));
    }

    /// zmm2 = 1 / sqrt(zmm1), eight f64; goes to the interpreter where f32's rounding is not sure.
    fn rsq(&mut self, half: usize) {
        self.asm.op(DOUBLE.sqrt, &[zmm(2).into(), zmm(1).into()]);
        self.asm.op_table(LOAD, &[zmm(3).into()], DOUBLE.float(1.0), Masking::default());
        self.three(DOUBLE.div, zmm(2), zmm(3), zmm(2));
        // How far the bits that f32 does not have are from the middle.
        let with = |strip: &mut Self, code, value: u64, from: Register| {
            let args: [Arg; 2] = [zmm(3).into(), from.into()];
            strip.asm.op_table(code, &args, DOUBLE.table(value), Masking::default());
        };
        with(self, EVEX_Vpandq_zmm_k1z_zmm_zmmm512b64, 0x1fff_ffff, zmm(2));
        with(self, EVEX_Vpsubq_zmm_k1z_zmm_zmmm512b64, 0x1000_0000 - 7, zmm(3));
        self.asm.op_table(LOAD, &[zmm(4).into()], DOUBLE.table(15), Masking::default());
        let mut masking = if half == 0 { self.masking() } else { self.upper_masking() };
        masking.zero = false;
        let args: [Arg; 4] = [K2.into(), zmm(3).into(), zmm(4).into(), 1u8.into()];
        self.asm.with(EVEX_Vpcmpuq_kr_k1_zmm_zmmm512b64_imm8, &args, masking);
        self.otherwise_careful(K2);
    }

    /// Results of special values, which are in zmm0 with denormals flushed.
    fn special(&mut self, d: Register, function: Function) {
        let (w, a) = (&SINGLE, zmm(0));
        match function {
            Function::Exp2 => self.flush(d, d),
            Function::Log2 => {
                self.negative(a);
                self.put(d, w.default_nan(), K2);
                self.in_class(w, K2, a, class::POSITIVE_INFINITY);
                self.put(d, w.infinity(), K2);
                self.in_class(w, K2, a, class::ZERO);
                self.put(d, w.table(0xff80_0000), K2);
            }
            Function::Rsq => {
                self.negative(a);
                self.put(d, w.default_nan(), K2);
                self.in_class(w, K2, a, class::POSITIVE_INFINITY);
                self.put(d, [0; 16], K2);
                self.in_class(w, K2, a, class::ZERO);
                self.asm.op_table(w.or, &[d.into(), a.into()], w.infinity(), where_(K2));
            }
            Function::Turn(quarters) => {
                self.flush(d, d);
                // Beyond 256, and zeros, whose sign stays.
                let outside = if quarters == 0 { 0.0 } else { 1.0 };
                self.asm.op_table(
                    EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32,
                    &[zmm(1).into(), a.into()],
                    w.table(0x7fff_ffff),
                    Masking::default(),
                );
                self.asm.op_table(LOAD, &[zmm(2).into()], w.float(256.0), Masking::default());
                self.asm.op(w.compare, &[K2.into(), zmm(1).into(), zmm(2).into(), 30u8.into()]);
                self.put(d, w.float(outside), K2);
                self.in_class(w, K2, a, class::INFINITY);
                self.put(d, w.default_nan(), K2);
                if quarters == 0 {
                    self.in_class(w, K2, a, class::ZERO);
                    self.asm.with(w.moves, &[d.into(), a.into()], where_(K2));
                }
            }
            _ => {}
        }
        self.pass_nan(w, d, a, K2);
    }

    /// K2 = lanes whose sign is set.
    fn negative(&mut self, a: Register) {
        self.asm.op(EVEX_Vpmovd2m_kr_zmm, &[K2.into(), a.into()]);
    }

    /// A function of f64.
    pub fn wide_math(&mut self, lane: &Lane, function: Function) {
        let w = &DOUBLE;
        let a = self.wide_source(&lane.src[0], 0);
        let one = |strip: &mut Self, to: Register| {
            strip.asm.op_table(LOAD, &[to.into()], DOUBLE.float(1.0), Masking::default());
        };
        let mut results = [zmm(2), zmm(3)];
        match function {
            Function::Ldexp => {
                let power = self.source(&lane.src[1], 4);
                self.with_constant(EVEX_Vpminsd_zmm_k1z_zmm_zmmm512b32, zmm(4), power, 3000);
                self.with_constant(EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32, zmm(4), zmm(4), (-3000i32) as u32);
                for half in 0..2u8 {
                    let narrow = ymm(zmm(5));
                    let extract: [Arg; 3] = [narrow.into(), zmm(4).into(), half.into()];
                    self.asm.op(EVEX_Vextracti64x4_ymmm256_k1z_zmm_imm8, &extract);
                    self.asm.op(EVEX_Vcvtdq2pd_zmm_k1z_ymmm256b32_er, &[zmm(5).into(), narrow.into()]);
                    let r = results[usize::from(half)];
                    self.three(w.scalef, r, a[usize::from(half)], zmm(5));
                }
            }
            Function::FrexpExp => {
                for half in 0..2 {
                    let r = results[half];
                    self.asm.op(w.getexp, &[r.into(), a[half].into()]);
                    self.asm.op(EVEX_Vcvtpd2dq_ymm_k1z_zmmm512b64_er, &[ymm(r).into(), r.into()]);
                }
                // Zero, infinity and NaN give 0: first all ones, which is -1.
                for (half, k) in [K2, K3].into_iter().enumerate() {
                    self.in_class(w, k, a[half], class::ZERO | class::INFINITY | class::NAN);
                }
                self.join_masks();
                let insert: [Arg; 4] = [zmm(2).into(), zmm(2).into(), ymm(zmm(3)).into(), 1u8.into()];
                self.asm.op(EVEX_Vinserti64x4_zmm_k1z_zmm_ymmm256_imm8, &insert);
                let d = self.result(lane);
                self.with_constant(EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32, d, zmm(2), 1);
                self.put(d, [0; 16], K2);
                return;
            }
            Function::FrexpMant => {
                for half in 0..2 {
                    self.mantissa(w, results[half], a[half]);
                }
            }
            Function::Fract => {
                for half in 0..2 {
                    let (r, a) = (results[half], a[half]);
                    self.guard_wide(&[a]);
                    self.asm.op(w.round, &[zmm(4).into(), a.into(), 9u8.into()]);
                    self.three(w.sub, r, a, zmm(4));
                    self.mend_wide(r);
                    self.asm.op_table(LOAD, &[zmm(5).into()], w.float(1.0), Masking::default());
                    self.asm.op(w.equal, &[K2.into(), r.into(), zmm(5).into()]);
                    self.put_wide(w, r, w.table(0x3fef_ffff_ffff_ffff), K2);
                }
            }
            _ => {
                for half in 0..2 {
                    let (r, a) = (results[half], a[half]);
                    self.guard_wide(&[a]);
                    match function {
                        Function::Sqrt => self.asm.op(w.sqrt, &[r.into(), a.into()]),
                        Function::Rcp => {
                            one(self, zmm(4));
                            self.three(w.div, r, zmm(4), a);
                        }
                        _ => {
                            self.asm.op(w.sqrt, &[r.into(), a.into()]);
                            one(self, zmm(4));
                            self.three(w.div, r, zmm(4), r);
                        }
                    }
                    self.mend_wide(r);
                }
                results = [zmm(2), zmm(3)];
            }
        }
        self.wide_result(lane, results);
    }
}
