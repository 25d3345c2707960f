//! The helpers of division: `v_div_scale`, `v_div_fmas`, `v_div_fixup`, as `numeric::divide` has them.
//!
//! The sources are temporaries 0, 1 and 2. Of 64-bit elements there are two halves: what the first one gives waits in
//! the context.

use std::mem::offset_of;

use iced_x86::{Code, Register};

use super::math::format;
use super::nan::{T, UNORDERED, waiting};
use super::strip::{AND, ANDN, LOAD, OR, STORE, Strip, XOR};
use super::twins::host;
use super::width::host_of;
use crate::compile::assembler::{Arg, Condition};
use crate::compile::context::Context;
use crate::compile::divide::{Division, limits};
use crate::compile::ir::Lane;
use crate::compile::layout::context;
use crate::compile::registers::mask_value;
use crate::compile::width::{DOUBLE, SINGLE, Width};
use Code::*;

const S0: Register = Register::YMM0;
const S1: Register = Register::YMM1;
const S2: Register = Register::YMM2;
const X: Register = Register::YMM3;

/// Registers of an operation's own.
#[derive(Clone, Copy)]
struct Own {
    r: Register,
    y: Register,
    m: Register,
    flag: Register,
}

/// What a half gives, in the context.
fn kept(n: usize) -> Arg {
    context(offset_of!(Context, elements) + 32 * n).into()
}

impl Strip<'_> {
    /// One of the helpers.
    pub(super) fn division(&mut self, lane: &Lane, which: Division, wide: bool) {
        if let Some(number) = lane.mask_in.filter(|_| which == Division::Fmas) {
            let held = self.read_mask(number);
            self.counting(T, held);
            self.asm.op(STORE, &[waiting(1), T.into()]);
            self.registers.unpin(mask_value(number));
        }
        let [r, y, m] = [0, 1, 2].map(|n| self.extra(n));
        let flag = if which == Division::Scale { self.extra(3) } else { m };
        let own = Own { r, y, m, flag };
        if !wide {
            for (n, t) in [S0, S1, S2].into_iter().enumerate() {
                let from = self.source(&lane.src[n], n as u8);
                self.copy(t, from);
            }
            self.divide(&SINGLE, which, 0, own);
            self.copy(S0, r);
            self.copy(X, flag);
            self.forget_extras();
            if which == Division::Scale {
                self.put_mask(lane, X);
            }
            let d = self.result(lane);
            return self.copy(d, S0);
        }
        self.halves(lane, 3, |strip, half, _| {
            strip.divide(&DOUBLE, which, half, own);
            if half == 0 {
                strip.asm.op(STORE, &[kept(0), r.into()]);
                strip.asm.op(STORE, &[kept(1), flag.into()]);
            }
        });
        self.copy(S0, r);
        self.copy(S2, flag);
        self.forget_extras();
        if which == Division::Scale {
            self.asm.op(LOAD, &[X.into(), kept(1)]);
            self.put_wide_mask(lane, [X, S2]);
        }
        self.asm.op(LOAD, &[X.into(), kept(0)]);
        if which == Division::Fmas {
            self.check_wide([X, S0]);
        }
        self.wide_result(lane, [X, S0]);
    }

    fn divide(&mut self, w: &Width, which: Division, half: usize, own: Own) {
        match which {
            Division::Scale => self.div_scale(w, own),
            Division::Fmas => self.div_fmas(w, own, half),
            Division::Fixup => self.div_fixup(w, own),
        }
    }

    /// `to` = the exponent's field of `a`.
    fn field(&mut self, w: &Width, to: Register, a: Register) {
        self.with_table(AND, to, a, w.sign().map(|bits| !bits));
        self.immediate(host_of(w).down, to, to, format(w).0);
    }

    /// X = the difference of the exponents' fields of numerator and denominator.
    fn difference(&mut self, w: &Width, t: Register) {
        self.field(w, X, S2);
        self.field(w, t, S1);
        self.three(host_of(w).minus, X, X, t);
    }

    /// Temporary 4: integers greater than a constant.
    fn above(&mut self, w: &Width, a: Register, value: i64) {
        self.with_table(host_of(w).greater, T, a, w.table(value as u64));
    }

    /// Temporary 4: integers less than a constant.
    fn below(&mut self, w: &Width, a: Register, value: i64) {
        self.load(T, w.table(value as u64));
        self.three(host_of(w).greater, T, T, a);
    }

    /// `d` = `a` times a power of two in the elements of temporary 4; uses `y`.
    fn scaled(&mut self, w: &Width, d: Register, a: Register, power: f64, y: Register) {
        self.with_table(host(w.mul), y, a, w.float(power.exp2()));
        self.choose(d, y, T);
    }

    /// `to` = exponent and fraction of a finite number as one integer, such that numbers' exponents differ as these do.
    fn position(&mut self, w: &Width, to: Register, a: Register) {
        let power = self.normalised(w, to, a);
        self.with_table(AND, T, T, w.table(power << format(w).0));
        self.with_table(AND, to, to, w.sign().map(|bits| !bits));
        self.three(host_of(w).minus, to, to, T);
    }

    /// From the least special case to the most special one, each replacing what those before it gave.
    fn div_scale(&mut self, w: &Width, Own { r, y, m, flag }: Own) {
        let (fraction, bias) = format(w);
        let limits = limits(w);
        let infinity = (2 * bias as i64 + 1) << fraction;
        self.copy(r, S0);
        // The numerator is tiny.
        self.field(w, X, S2);
        self.below(w, X, limits.tiny as i64 + 1);
        self.scaled(w, r, S0, limits.scale, y);
        // The quotient is denormal: its exponent is that of the numbers' distance. An infinite denominator is no number.
        self.position(w, X, S2);
        self.position(w, y, S1);
        self.with_table(host_of(w).minus, y, y, w.table((bias - 1) << fraction));
        self.three(host_of(w).greater, m, y, X);
        self.with_table(AND, X, S1, w.sign().map(|bits| !bits));
        self.above(w, X, infinity - 1);
        self.clear(m, T);
        self.choose(r, S0, m);
        self.copy(flag, m);
        self.three(host_of(w).equal, T, S0, S2);
        self.three(AND, T, T, m);
        self.scaled(w, r, S0, limits.scale, y);
        // The reciprocal is denormal.
        self.above(w, X, (2 * bias as i64 - 1) << fraction);
        self.three(AND, m, m, T);
        self.copy(y, T);
        self.below(w, X, infinity);
        self.three(AND, m, m, T);
        self.three(AND, T, T, y);
        self.clear(flag, T);
        self.scaled(w, r, S0, -limits.scale, y);
        // Both.
        self.choose(r, S0, m);
        self.three(OR, flag, flag, m);
        self.three(host_of(w).equal, T, S0, S1);
        self.three(AND, T, T, m);
        self.scaled(w, r, S0, -limits.scale, y);
        // The denominator is denormal.
        self.above(w, X, 0);
        self.copy(m, T);
        self.below(w, X, 1 << fraction);
        self.three(AND, T, T, m);
        self.clear(flag, T);
        self.scaled(w, r, S0, limits.scale, y);
        // Near overflow.
        self.difference(w, y);
        self.above(w, X, limits.near_overflow - 1);
        self.choose(r, S0, T);
        self.three(OR, flag, flag, T);
        self.copy(m, T);
        self.three(host_of(w).equal, T, S0, S1);
        self.three(AND, T, T, m);
        self.scaled(w, r, S0, limits.scale, y);
        // NaN, and zeros.
        self.compared(w, S0, S0, UNORDERED);
        self.clear(flag, T);
        self.pass_nan(w, r, S0);
        for s in [S1, S2] {
            self.zeros(w, s);
            self.clear(flag, T);
            self.put(r, w.default_nan());
        }
    }

    /// A fused multiply-add, scaled where the lane mask asks for it. Where that may give a denormal number the interpreter
    /// rounds it.
    fn div_fmas(&mut self, w: &Width, Own { r, y, m, .. }: Own, half: usize) {
        let limits = limits(w);
        self.guard(w, &[S0, S1, S2]);
        self.copy(r, S2);
        self.three(host_of(w).fma231, r, S0, S1);
        self.mend(w, r);
        self.asm.op(LOAD, &[m.into(), waiting(1)]);
        if w.wide {
            let unpack =
                if half == 0 { VEX_Vpunpckldq_ymm_ymm_ymmm256 } else { VEX_Vpunpckhdq_ymm_ymm_ymmm256 };
            self.three(unpack, m, m, m);
        }
        // Up where the estimate is large.
        self.field(w, X, S2);
        self.above(w, X, format(w).1 as i64);
        self.three(AND, T, T, m);
        self.three(ANDN, m, T, m);
        self.scaled(w, r, r, limits.scale, y);
        self.field(w, X, r);
        self.below(w, X, limits.scale as i64 + 1);
        self.asm.op(VEX_Vptest_ymm_ymmm256, &[T.into(), m.into()]);
        self.asm.jcc(Condition::NotEqual, self.careful);
        self.with_table(host(w.mul), y, r, w.float((-limits.scale).exp2()));
        self.choose(r, y, m);
    }

    fn div_fixup(&mut self, w: &Width, Own { r, y, m, .. }: Own) {
        // The quotient's magnitude; infinity for a NaN.
        self.with_table(AND, r, S0, w.sign().map(|bits| !bits));
        self.compared(w, S0, S0, UNORDERED);
        self.put(r, w.infinity());
        // Zero where it lies below the least denormal whatever the fractions are.
        self.difference(w, y);
        self.below(w, X, limits(w).underflow);
        self.clear(r, T);
        self.infinities(w, S1);
        self.clear(r, T);
        self.copy(m, T);
        self.infinities(w, S2);
        self.three(AND, m, m, T);
        self.put(r, w.infinity());
        self.zeros(w, S2);
        self.clear(r, T);
        self.copy(y, T);
        self.zeros(w, S1);
        self.three(AND, y, y, T);
        // Both infinite, or both zero.
        self.three(OR, m, m, y);
        self.put(r, w.infinity());
        // Infinity divided by zero stays infinite: that is what it is already. Now the sign.
        self.three(XOR, X, S1, S2);
        self.with_table(AND, X, X, w.sign());
        self.three(OR, r, r, X);
        let (nan, sign) = (w.default_nan(), w.sign());
        self.load(y, std::array::from_fn(|n| nan[n] | sign[n]));
        self.choose(r, y, m);
        self.pass_nan(w, r, S1);
        self.pass_nan(w, r, S2);
    }
}
