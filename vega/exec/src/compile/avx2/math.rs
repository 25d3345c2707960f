//! Roots, exponentials, logarithms, sines and the parts of floats, in single and double precision.
//!
//! The same operations in the same order as the interpreter's, as for AVX-512 (`compile::math`); what that host has an
//! instruction for, as exponents and mantissas, is done here on the bits of floats. Special values are put in afterwards.

use std::mem::offset_of;

use iced_x86::{Code, Register};

use super::lane::SAR_BY;
use super::nan::{T, UNORDERED};
use super::strip::{AND, LOAD, OR, Strip, XOR, xmm, ymm};
use super::twins::host;
use super::wide::{HALVES, SHUFFLE};
use super::width::host_of;
use crate::compile::assembler::{Arg, Condition, Masking};
use crate::compile::context::Context;
use crate::compile::ir::Lane;
use crate::compile::layout::context;
use crate::compile::math::Function;
use crate::compile::width::{DOUBLE, SINGLE, Width};
use crate::numeric::approx;
use Code::*;

/// Bits of a format's fraction, and the bias of its exponent.
pub(super) fn format(w: &Width) -> (u8, u64) {
    if w.wide { (52, 1023) } else { (23, 127) }
}

/// The exponent's field, all ones.
fn exponents(w: &Width) -> u64 {
    let (fraction, bias) = format(w);
    (2 * bias + 1) << fraction
}

impl Strip<'_> {
    /// An instruction whose last source is a table.
    pub(super) fn with_table(&mut self, code: Code, d: Register, a: Register, table: [u32; 16]) {
        self.asm.op_table(code, &[d.into(), a.into()], table, Masking::default());
    }

    pub(super) fn load(&mut self, d: Register, table: [u32; 16]) {
        self.asm.op_table(LOAD, &[d.into()], table, Masking::default());
    }

    /// Temporary 4: elements that are zero, of either sign.
    pub(super) fn zeros(&mut self, w: &Width, a: Register) {
        self.immediate(host_of(w).up, T, a, 1);
        self.with_table(host_of(w).equal, T, T, [0; 16]);
    }

    /// Temporary 4: elements that are infinite.
    pub(super) fn infinities(&mut self, w: &Width, a: Register) {
        self.immediate(host_of(w).up, T, a, 1);
        self.with_table(host_of(w).equal, T, T, w.table(exponents(w) << 1));
    }

    /// `d` = `a` where it is a NaN, made quiet.
    pub(super) fn pass_nan(&mut self, w: &Width, d: Register, a: Register) {
        self.compared(w, a, a, UNORDERED);
        self.choose(d, a, T);
        self.with_table(AND, T, T, w.quiet());
        self.three(OR, d, d, T);
    }

    /// The polynomial with these coefficients at `x`, to `sum`: as `numeric::approx` evaluates it.
    fn horner(&mut self, coefficients: &[f64], sum: Register, x: Register) {
        let fma = host_of(&DOUBLE).fma213;
        for (n, coefficient) in coefficients.iter().enumerate() {
            let table = DOUBLE.float(*coefficient);
            if n == 0 {
                self.load(sum, table);
            } else {
                self.with_table(fma, sum, x, table);
            }
        }
    }

    /// Temporary `t`: half of the lanes of an f32 in double precision.
    pub(super) fn widened(&mut self, t: Register, a: Register, half: usize) {
        let mut from = a;
        if half == 1 {
            self.immediate(VEX_Vextracti128_xmmm128_ymm_imm8, xmm(t), a, 1);
            from = t;
        }
        self.asm.op(VEX_Vcvtps2pd_ymm_xmmm128, &[t.into(), xmm(from).into()]);
    }

    /// `d` = two halves rounded to f32, of which the second one is at hand.
    pub(super) fn narrowed(&mut self, d: Register, low: Register, high: Register) {
        let args: [Arg; 4] = [d.into(), low.into(), xmm(high).into(), 1u8.into()];
        self.asm.op(VEX_Vinserti128_ymm_ymm_xmmm128_imm8, &args);
    }

    /// 2^`t` in double precision, of integers of 64 bits.
    fn power(&mut self, t: Register) {
        self.with_table(host_of(&DOUBLE).plus, t, t, DOUBLE.table(1023));
        self.immediate(host_of(&DOUBLE).up, t, t, 52);
    }

    /// Whole numbers in double precision as integers of 64 bits.
    fn whole(&mut self, t: Register) {
        self.asm.op(VEX_Vcvtpd2dq_xmm_ymmm256, &[xmm(t).into(), t.into()]);
        self.asm.op(VEX_Vpmovsxdq_ymm_xmmm128, &[t.into(), xmm(t).into()]);
    }

    /// A function of f32.
    pub(super) fn math(&mut self, lane: &Lane, function: Function) {
        let w = &SINGLE;
        let [a] = self.sources(lane);
        match function {
            Function::Exp2 | Function::Log2 | Function::Turn(_) | Function::Rsq => {
                let (flushed, low) = (self.extra(0), self.extra(1));
                self.flush(flushed, a);
                for (half, to) in [low, ymm(2)].into_iter().enumerate() {
                    self.widened(ymm(1), flushed, half);
                    match function {
                        Function::Exp2 => self.exp2(),
                        Function::Log2 => self.log2(),
                        Function::Turn(quarters) => self.turn(quarters),
                        _ => self.rsq(half),
                    }
                    self.asm.op(VEX_Vcvtpd2ps_xmm_ymmm256, &[xmm(to).into(), ymm(2).into()]);
                }
                self.narrowed(ymm(3), low, ymm(2));
                self.special(ymm(3), flushed, function);
            }
            Function::Fract => self.fract(w, ymm(3), a),
            Function::FrexpExp => {
                self.copy(ymm(0), a);
                self.exponent_of(w, ymm(3), ymm(0));
            }
            Function::FrexpMant => {
                self.copy(ymm(0), a);
                self.mantissa(w, ymm(3), ymm(0));
            }
            _ => {
                let power = self.source(&lane.src[1], 1);
                self.clamped(ymm(1), power, 400);
                let low = self.extra(0);
                for (half, to) in [low, ymm(2)].into_iter().enumerate() {
                    self.widened(ymm(2), a, half);
                    self.immediate(VEX_Vextracti128_xmmm128_ymm_imm8, xmm(ymm(3)), ymm(1), half as u8);
                    self.asm.op(VEX_Vpmovsxdq_ymm_xmmm128, &[ymm(3).into(), xmm(ymm(3)).into()]);
                    self.power(ymm(3));
                    self.three(host(DOUBLE.mul), ymm(2), ymm(2), ymm(3));
                    self.asm.op(VEX_Vcvtpd2ps_xmm_ymmm256, &[xmm(to).into(), ymm(2).into()]);
                }
                self.narrowed(ymm(3), low, ymm(2));
            }
        }
        let d = self.result(lane);
        self.copy(d, ymm(3));
        self.clamp(lane, d);
    }

    /// Integers between `-limit` and `limit`.
    fn clamped(&mut self, to: Register, from: Register, limit: i32) {
        self.with_constant(VEX_Vpminsd_ymm_ymm_ymmm256, to, from, limit as u32);
        self.with_constant(VEX_Vpmaxsd_ymm_ymm_ymmm256, to, to, (-limit) as u32);
    }

    /// `r` = `a` less its floor, and below one.
    fn fract(&mut self, w: &Width, r: Register, a: Register) {
        self.guard(w, &[a]);
        self.immediate(host(w.round), r, a, 9);
        self.three(host(w.sub), r, a, r);
        self.mend(w, r);
        self.with_table(host_of(w).equal, T, r, w.float(1.0));
        self.put(r, w.table(if w.wide { 0x3fef_ffff_ffff_ffff } else { 0x3f7f_ffff }));
    }

    /// `to` = `a` with denormals scaled up to normal numbers; temporary 4: where that is so. Returns the power of two.
    pub(super) fn normalised(&mut self, w: &Width, to: Register, a: Register) -> u64 {
        let power = u64::from(format(w).0) + 1;
        let factor = if w.wide { (1u64 << power) as f64 } else { (1u32 << power).into() };
        self.with_table(host(w.mul), to, a, w.float(factor));
        self.with_table(AND, T, a, w.table(exponents(w)));
        self.with_table(host_of(w).equal, T, T, [0; 16]);
        let args: [Arg; 4] = [to.into(), a.into(), to.into(), T.into()];
        self.asm.op(VEX_Vblendvps_ymm_ymm_ymmm256_ymm, &args);
        power
    }

    /// `e` = frexp's exponent of `a`; uses temporary 1.
    fn exponent_of(&mut self, w: &Width, e: Register, a: Register) {
        let (fraction, bias) = format(w);
        let power = self.normalised(w, e, a);
        self.with_table(AND, ymm(1), T, w.table(power));
        self.with_table(AND, e, e, w.table(exponents(w)));
        self.immediate(host_of(w).down, e, e, fraction);
        // Zero, infinity and NaN give 0.
        self.with_table(host_of(w).plus, ymm(1), ymm(1), w.table(bias - 1));
        self.three(host_of(w).minus, ymm(1), e, ymm(1));
        for special in [0, 2 * bias + 1] {
            self.with_table(host_of(w).equal, T, e, w.table(special));
            self.clear(ymm(1), T);
        }
        self.copy(e, ymm(1));
    }

    /// `m` = frexp's mantissa of `a`; zero, infinity and NaN pass.
    fn mantissa(&mut self, w: &Width, m: Register, a: Register) {
        let (fraction, bias) = format(w);
        self.normalised(w, m, a);
        self.with_table(AND, m, m, w.table(!exponents(w)));
        self.with_table(OR, m, m, w.table((bias - 1) << fraction));
        self.zeros(w, a);
        self.choose(m, a, T);
        self.infinities(w, a);
        self.choose(m, a, T);
        self.pass_nan(w, m, a);
    }

    /// ymm2 = 2^ymm1, four f64.
    fn exp2(&mut self) {
        let x = ymm(1);
        self.with_table(host_of(&DOUBLE).min, x, x, DOUBLE.float(900.0));
        self.with_table(host_of(&DOUBLE).max, x, x, DOUBLE.float(-900.0));
        self.immediate(host(DOUBLE.round), ymm(3), x, 8);
        self.three(host(DOUBLE.sub), x, x, ymm(3));
        self.horner(&approx::EXP2, ymm(2), x);
        self.with_table(host_of(&DOUBLE).fma213, ymm(2), x, DOUBLE.float(1.0));
        self.whole(ymm(3));
        self.power(ymm(3));
        self.three(host(DOUBLE.mul), ymm(2), ymm(2), ymm(3));
    }

    /// ymm2 = log2(ymm1), four f64.
    fn log2(&mut self) {
        let w = &DOUBLE;
        let (t, m, whole) = (ymm(1), ymm(2), ymm(3));
        // The low half of 2^52 plus the exponent's field, less 2^52 and the bias.
        self.immediate(host_of(w).down, whole, t, 52);
        self.with_table(OR, whole, whole, w.float(4_503_599_627_370_496.0));
        self.with_table(host(w.sub), whole, whole, w.float(4_503_599_627_370_496.0 + 1023.0));
        self.with_table(AND, m, t, w.table((1 << 52) - 1));
        self.with_table(OR, m, m, w.float(1.0));
        self.load(T, w.float(std::f64::consts::SQRT_2));
        // 30: greater, quiet.
        self.compared(w, m, T, 30);
        self.with_table(AND, ymm(0), T, w.float(1.0));
        self.three(host(w.add), whole, whole, ymm(0));
        self.with_table(AND, T, T, w.table(1 << 52));
        self.three(host_of(w).minus, m, m, T);
        self.with_table(host(w.sub), t, m, w.float(1.0));
        self.with_table(host(w.add), m, m, w.float(1.0));
        self.three(host_of(w).div, t, t, m);
        self.three(host(w.mul), T, t, t);
        self.horner(&approx::LOG2, m, T);
        self.three(host(w.mul), m, m, t);
        self.three(host(w.add), m, whole, m);
    }

    /// ymm2 = the sine of ymm1 revolutions and some quarters more, four f64.
    fn turn(&mut self, quarters: u8) {
        let w = &DOUBLE;
        let (s, quarter, sine, cosine) = (ymm(1), ymm(3), ymm(2), ymm(0));
        self.immediate(host(w.round), quarter, s, 8);
        self.three(host(w.sub), s, s, quarter);
        self.with_table(host(w.mul), quarter, s, w.float(4.0));
        self.immediate(host(w.round), quarter, quarter, 8);
        self.with_table(host(w.mul), T, quarter, w.float(0.25));
        self.three(host(w.sub), s, s, T);
        self.whole(quarter);
        self.with_table(host_of(w).plus, quarter, quarter, w.table(quarters.into()));
        self.three(host(w.mul), T, s, s);
        self.horner(&approx::SIN, sine, T);
        self.three(host(w.mul), sine, sine, s);
        self.horner(&approx::COS, cosine, T);
        self.with_table(host_of(w).fma213, cosine, T, w.float(1.0));
        // The first bit of the quarter chooses, the second one is the sign.
        self.immediate(host_of(w).up, s, quarter, 63);
        let args: [Arg; 4] = [sine.into(), sine.into(), cosine.into(), s.into()];
        self.asm.op(VEX_Vblendvpd_ymm_ymm_ymmm256_ymm, &args);
        self.immediate(host_of(w).up, quarter, quarter, 62);
        self.with_table(AND, quarter, quarter, w.sign());
        self.three(XOR, sine, sine, quarter);
        // Zero has no sign.
        self.with_table(host(w.add), sine, sine, [0; 16]);
    }

    /// ymm2 = 1 / sqrt(ymm1), four f64; goes to the interpreter where f32's rounding is not sure.
    fn rsq(&mut self, half: usize) {
        let w = &DOUBLE;
        self.asm.op(host_of(w).sqrt, &[ymm(2).into(), ymm(1).into()]);
        self.load(ymm(3), w.float(1.0));
        self.three(host_of(w).div, ymm(2), ymm(3), ymm(2));
        // How far the bits that f32 does not have are from the middle.
        self.with_table(AND, ymm(3), ymm(2), w.table(0x1fff_ffff));
        self.with_table(host_of(w).minus, ymm(3), ymm(3), w.table(0x1000_0000));
        self.load(T, w.table(8));
        self.three(host_of(w).greater, T, T, ymm(3));
        self.with_table(host_of(w).greater, ymm(3), ymm(3), w.table(-8i64 as u64));
        self.three(AND, T, T, ymm(3));
        let mut active: Arg = T.into();
        if self.masked {
            let exec = context(offset_of!(Context, exec) + 16 * half);
            self.asm.op(VEX_Vpmovsxdq_ymm_xmmm128, &[ymm(3).into(), exec.into()]);
            active = ymm(3).into();
        }
        self.asm.op(VEX_Vptest_ymm_ymmm256, &[T.into(), active]);
        self.asm.jcc(Condition::NotEqual, self.careful);
    }

    /// Results of special values, which are in `a` with denormals flushed.
    fn special(&mut self, d: Register, a: Register, function: Function) {
        let w = &SINGLE;
        match function {
            Function::Exp2 => self.flush(d, d),
            Function::Log2 | Function::Rsq => {
                let log = function == Function::Log2;
                self.immediate(SAR_BY, T, a, 31);
                self.put(d, w.default_nan());
                self.with_table(host_of(w).equal, T, a, w.infinity());
                self.put(d, if log { w.infinity() } else { [0; 16] });
                self.zeros(w, a);
                if log {
                    self.put(d, w.table(0xff80_0000));
                } else {
                    self.with_table(OR, ymm(0), a, w.infinity());
                    self.choose(d, ymm(0), T);
                }
            }
            Function::Turn(quarters) => {
                self.flush(d, d);
                // Beyond 256, and zeros, whose sign stays.
                let outside = if quarters == 0 { 0.0 } else { 1.0 };
                self.with_table(AND, ymm(0), a, w.table(0x7fff_ffff));
                self.load(T, w.float(256.0));
                self.compared(w, ymm(0), T, 30);
                self.put(d, w.float(outside));
                self.infinities(w, a);
                self.put(d, w.default_nan());
                if quarters == 0 {
                    self.zeros(w, a);
                    self.choose(d, a, T);
                }
            }
            _ => {}
        }
        self.pass_nan(w, d, a);
    }

    /// A function of f64.
    pub(super) fn wide_math(&mut self, lane: &Lane, function: Function) {
        let w = &DOUBLE;
        let a = ymm(0);
        match function {
            Function::FrexpExp => {
                let kept = self.extra(0);
                self.halves(lane, 1, |strip, half, _| {
                    strip.exponent_of(w, ymm(3), a);
                    if half == 0 {
                        strip.copy(kept, ymm(3));
                    }
                });
                let d = self.result(lane);
                let args: [Arg; 4] = [d.into(), kept.into(), ymm(3).into(), 0x88u8.into()];
                return self.asm.op(SHUFFLE, &args);
            }
            Function::Ldexp => {
                let power = self.source(&lane.src[1], 1);
                let kept = self.extra(0);
                self.clamped(kept, power, 3000);
                let results = [self.extra(1), self.extra(2)];
                self.halves(lane, 1, |strip, half, _| strip.wide_ldexp(results[half], kept, half));
                return self.wide_result(lane, results);
            }
            _ => {}
        }
        self.halves(lane, 1, |strip, _, to| {
            let r = ymm(2);
            match function {
                Function::FrexpMant => strip.mantissa(w, r, a),
                Function::Fract => strip.fract(w, r, a),
                _ => {
                    strip.guard(w, &[a]);
                    let mut from = a;
                    if function != Function::Rcp {
                        strip.asm.op(host_of(w).sqrt, &[r.into(), a.into()]);
                        from = r;
                    }
                    if function != Function::Sqrt {
                        strip.load(T, w.float(1.0));
                        strip.three(host_of(w).div, r, T, from);
                    }
                    strip.mend(w, r);
                }
            }
            strip.copy(to, r);
        });
        if function != Function::FrexpMant {
            self.check_wide(HALVES);
        }
        self.wide_result(lane, HALVES);
    }

    /// `r` = ymm0 times two to a power of `powers`' lanes.
    fn wide_ldexp(&mut self, r: Register, powers: Register, half: usize) {
        let w = &DOUBLE;
        let (a, p, t) = (ymm(0), ymm(1), ymm(3));
        self.immediate(SAR_BY, t, powers, 31);
        let unpack = if half == 0 { VEX_Vpunpckldq_ymm_ymm_ymmm256 } else { VEX_Vpunpckhdq_ymm_ymm_ymmm256 };
        self.three(unpack, p, powers, t);
        // A mantissa between one and two, and its power of two: their sum is what the result has.
        let power = self.normalised(w, r, a);
        self.with_table(AND, T, T, w.table(power + 1023));
        // (Where nothing was scaled up, the bias alone.)
        self.with_table(host_of(w).equal, t, T, [0; 16]);
        self.with_table(AND, t, t, w.table(1023));
        self.three(OR, T, T, t);
        self.three(host_of(w).minus, p, p, T);
        self.immediate(host_of(w).up, t, r, 1);
        self.immediate(host_of(w).down, t, t, 53);
        self.three(host_of(w).plus, p, p, t);
        self.with_table(AND, r, r, w.table(!exponents(w)));
        self.with_table(OR, r, r, w.float(1.0));
        // Bounded by what is certainly too large or too small, and in two steps of which only the last one rounds.
        for (limit, above) in [(1200i64, true), (-1200, false)] {
            self.load(t, w.table(limit as u64));
            let [x, y] = if above { [p, t] } else { [t, p] };
            self.three(host_of(w).greater, T, x, y);
            self.choose(p, t, T);
        }
        self.load(t, w.table(200));
        self.asm.broadcast(T, 0);
        self.three(host_of(w).greater, T, T, p);
        // -200 where the power is negative.
        self.three(XOR, t, t, T);
        self.three(host_of(w).minus, t, t, T);
        self.three(host_of(w).minus, p, p, t);
        for step in [p, t] {
            self.power(step);
            self.three(host(w.mul), r, r, step);
        }
        // Zero, infinity and NaN stay.
        self.zeros(w, a);
        self.choose(r, a, T);
        self.infinities(w, a);
        self.choose(r, a, T);
        self.pass_nan(w, r, a);
    }
}
