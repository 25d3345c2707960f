//! The helpers of division: `v_div_scale`, `v_div_fmas`, `v_div_fixup`, as `numeric::divide` has them.

use iced_x86::{Code, Register, RoundingControl};

use super::assembler::{Arg, Condition, Masking};
use super::codes::QUIET;
use super::ir::Lane;
use super::layout::zmm;
use super::math::where_;
use super::strip::{K2, K3, LOAD, Strip};
use super::width::{DOUBLE, SINGLE, Width, class};
use Code::*;

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Division {
    Scale,
    Fmas,
    Fixup,
}

/// What the steps need to know of a format.
pub(super) struct Limits {
    /// Bits of the fraction.
    fraction: u8,
    bias: i64,
    /// The power of two that scales.
    pub scale: f64,
    /// The exponents' difference from which on the quotient may overflow.
    pub near_overflow: i64,
    /// The exponent's field of the greatest tiny numerator.
    pub tiny: u64,
    /// The exponents' difference below which the quotient is zero.
    pub underflow: i64,
}

const LIMITS: [Limits; 2] = [
    Limits { fraction: 23, bias: 127, scale: 64.0, near_overflow: 96, tiny: 23, underflow: -150 },
    Limits { fraction: 52, bias: 1023, scale: 128.0, near_overflow: 768, tiny: 53, underflow: -1075 },
];

/// What holds for a format.
pub(super) fn limits(w: &Width) -> &'static Limits {
    &LIMITS[usize::from(w.wide)]
}

/// Predicates of integer comparisons.
const LESS: u8 = 1;
const LESS_EQUAL: u8 = 2;
const NOT_LESS: u8 = 5;
const GREATER: u8 = 6;
const NOT_EQUAL: u8 = 4;

/// Instructions on integers of a float's width, and the fused multiply-add.
struct Integers {
    and: Code,
    add: Code,
    sub: Code,
    min: Code,
    max: Code,
    up: Code,
    up_by: Code,
    down_by: Code,
    fma: Code,
}

impl Integers {
    const fn of(w: &Width) -> Self {
        if w.wide {
            Self {
                and: EVEX_Vpandq_zmm_k1z_zmm_zmmm512b64,
                add: EVEX_Vpaddq_zmm_k1z_zmm_zmmm512b64,
                sub: EVEX_Vpsubq_zmm_k1z_zmm_zmmm512b64,
                min: EVEX_Vpminuq_zmm_k1z_zmm_zmmm512b64,
                max: EVEX_Vpmaxuq_zmm_k1z_zmm_zmmm512b64,
                up: EVEX_Vpsllq_zmm_k1z_zmmm512b64_imm8,
                up_by: EVEX_Vpsllvq_zmm_k1z_zmm_zmmm512b64,
                down_by: EVEX_Vpsrlvq_zmm_k1z_zmm_zmmm512b64,
                fma: EVEX_Vfmadd231pd_zmm_k1z_zmm_zmmm512b64_er,
            }
        } else {
            Self {
                and: EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32,
                add: EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32,
                sub: EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32,
                min: EVEX_Vpminud_zmm_k1z_zmm_zmmm512b32,
                max: EVEX_Vpmaxud_zmm_k1z_zmm_zmmm512b32,
                up: EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8,
                up_by: EVEX_Vpsllvd_zmm_k1z_zmm_zmmm512b32,
                down_by: EVEX_Vpsrlvd_zmm_k1z_zmm_zmmm512b32,
                fma: EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er,
            }
        }
    }
}

impl Strip<'_> {
    /// One of the helpers.
    pub fn division(&mut self, lane: &Lane, which: Division, wide: bool) {
        if wide {
            let sources = [0, 1, 2].map(|n| self.wide_source(&lane.src[usize::from(n)], n));
            let results = [self.extra(0), self.extra(1)];
            let flags = [self.extra(2), self.extra(3)];
            for half in 0..2 {
                let s = sources.map(|source| source[half]);
                match which {
                    Division::Scale => self.div_scale(&DOUBLE, s, results[half], flags[half], half),
                    Division::Fmas => self.div_fmas(&DOUBLE, lane, s, results[half], half),
                    Division::Fixup => self.div_fixup(&DOUBLE, s, results[half], half),
                }
            }
            if which == Division::Scale {
                self.asm.op(EVEX_Vpmovq2m_kr_zmm, &[K2.into(), flags[0].into()]);
                self.asm.op(EVEX_Vpmovq2m_kr_zmm, &[K3.into(), flags[1].into()]);
                self.join_masks();
                self.put_mask(lane);
            }
            self.wide_result(lane, results);
            return;
        }
        let s = [0, 1, 2].map(|n| self.source(&lane.src[usize::from(n)], n));
        let (result, flag) = (self.extra(0), self.extra(1));
        match which {
            Division::Scale => self.div_scale(&SINGLE, s, result, flag, 0),
            Division::Fmas => self.div_fmas(&SINGLE, lane, s, result, 0),
            Division::Fixup => self.div_fixup(&SINGLE, s, result, 0),
        }
        if which == Division::Scale {
            self.asm.op(EVEX_Vpmovd2m_kr_zmm, &[K2.into(), flag.into()]);
            self.put_mask(lane);
        }
        let d = self.result(lane);
        self.copy(d, result);
    }

    /// Two temporaries that no source of `half` is in any more, or never was.
    fn spare_pair(&mut self, w: &Width) -> [Register; 2] {
        if w.wide { [self.extra(4), self.extra(5)] } else { [zmm(3), zmm(4)] }
    }

    /// `to` = the exponent's field of `a`.
    fn exponent(&mut self, w: &Width, to: Register, a: Register) {
        let and =
            if w.wide { EVEX_Vpandq_zmm_k1z_zmm_zmmm512b64 } else { EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32 };
        let magnitude = w.sign().map(|bits| !bits);
        self.asm.op_table(and, &[to.into(), a.into()], magnitude, Masking::default());
        self.asm.op(w.shift, &[to.into(), to.into(), limits(w).fraction.into()]);
    }

    /// `to` = the elements (of `within`) of integers `a` that compare with a constant.
    fn compare_with(
        &mut self,
        w: &Width,
        to: Register,
        a: Register,
        value: i64,
        predicate: u8,
        (scratch, within): (Register, Option<Register>),
    ) {
        self.asm.op_table(LOAD, &[scratch.into()], w.table(value as u64), Masking::default());
        let masking = Masking { by: within, zero: false, quiet: false };
        self.asm.with(w.less, &[to.into(), a.into(), scratch.into(), predicate.into()], masking);
    }

    /// `d` = `a` times 2^power in the elements of a mask.
    fn scaled(&mut self, w: &Width, d: Register, a: Register, power: f64, mask: Register) {
        self.asm.op_table(w.scalef, &[d.into(), a.into()], w.float(power), where_(mask));
    }

    /// From the least special case to the most special one, each replacing what those before it gave.
    fn div_scale(
        &mut self,
        w: &Width,
        [s0, s1, s2]: [Register; 3],
        r: Register,
        flag: Register,
        _half: usize,
    ) {
        let [x, y] = self.spare_pair(w);
        let limits = limits(w);
        let all = [u32::MAX; 16];
        let subtract =
            if w.wide { EVEX_Vpsubq_zmm_k1z_zmm_zmmm512b64 } else { EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32 };
        self.copy(r, s0);
        self.asm.broadcast(flag, 0);
        // The numerator is tiny.
        self.exponent(w, x, s2);
        self.compare_with(w, K2, x, limits.tiny as i64, LESS_EQUAL, (y, None));
        self.scaled(w, r, s0, limits.scale, K2);
        // The quotient is denormal: its exponent from normalised parts.
        self.quotient_denormal(w, K2, s1, s2, [x, y]);
        self.asm.with(w.moves, &[r.into(), s0.into()], where_(K2));
        self.put_wide(w, flag, all, K2);
        self.asm.with(w.equal, &[K3.into(), s0.into(), s2.into()], where_(K2));
        self.scaled(w, r, s0, limits.scale, K3);
        // The reciprocal is denormal.
        let and =
            if w.wide { EVEX_Vpandq_zmm_k1z_zmm_zmmm512b64 } else { EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32 };
        self.asm.op_table(and, &[x.into(), s1.into()], w.sign().map(|bits| !bits), Masking::default());
        let top = (2 * limits.bias - 1) << limits.fraction;
        self.compare_with(w, K3, x, top, GREATER, (y, None));
        let infinity = (2 * limits.bias + 1) << limits.fraction;
        self.compare_with(w, K3, x, infinity, LESS, (y, Some(K3)));
        self.scaled(w, r, s0, -limits.scale, K3);
        self.put_wide(w, flag, [0; 16], K3);
        // Both.
        self.asm.op(VEX_Kandw_kr_kr_kr, &[K2.into(), K2.into(), K3.into()]);
        self.asm.with(w.moves, &[r.into(), s0.into()], where_(K2));
        self.put_wide(w, flag, all, K2);
        self.asm.with(w.equal, &[K3.into(), s0.into(), s1.into()], where_(K2));
        self.scaled(w, r, s0, -limits.scale, K3);
        // The denominator is denormal.
        self.in_class(w, K2, s1, class::DENORMAL);
        self.scaled(w, r, s0, limits.scale, K2);
        self.put_wide(w, flag, [0; 16], K2);
        // Near overflow.
        self.exponent(w, x, s2);
        self.exponent(w, y, s1);
        self.three(subtract, x, x, y);
        self.compare_with(w, K2, x, limits.near_overflow, NOT_LESS, (y, None));
        self.asm.with(w.moves, &[r.into(), s0.into()], where_(K2));
        self.put_wide(w, flag, all, K2);
        self.asm.with(w.equal, &[K3.into(), s0.into(), s1.into()], where_(K2));
        self.scaled(w, r, s0, limits.scale, K3);
        // NaN, and zeros.
        self.in_class(w, K2, s0, class::NAN);
        self.put_wide(w, flag, [0; 16], K2);
        self.asm.op_table(w.or, &[r.into(), s0.into()], w.quiet(), where_(K2));
        for s in [s1, s2] {
            self.in_class(w, K2, s, class::ZERO);
            self.put_wide(w, flag, [0; 16], K2);
            self.put_wide(w, r, w.default_nan(), K2);
        }
    }

    /// `to` = elements whose quotient of finite numbers is below the normal ones.
    fn quotient_denormal(
        &mut self,
        w: &Width,
        to: Register,
        d: Register,
        n: Register,
        [x, y]: [Register; 2],
    ) {
        self.asm.op(w.getmant, &[x.into(), n.into(), 4u8.into()]);
        self.asm.op(w.getmant, &[y.into(), d.into(), 4u8.into()]);
        // Less, quiet.
        self.asm.op(w.compare, &[to.into(), x.into(), y.into(), 17u8.into()]);
        self.asm.op(w.getexp, &[x.into(), n.into()]);
        self.asm.op(w.getexp, &[y.into(), d.into()]);
        self.three(w.sub, x, x, y);
        self.asm.op_table(LOAD, &[y.into()], w.float(1.0), Masking::default());
        self.asm.with(w.sub, &[x.into(), x.into(), y.into()], where_(to));
        self.asm.op_table(LOAD, &[y.into()], w.float((1 - limits(w).bias) as f64), Masking::default());
        self.asm.op(w.compare, &[to.into(), x.into(), y.into(), 17u8.into()]);
        // An infinite denominator is no number.
        self.in_class(w, K3, d, class::INFINITY | class::NAN);
        self.asm.op(VEX_Kandnw_kr_kr_kr, &[to.into(), K3.into(), to.into()]);
    }

    /// A fused multiply-add, scaled where the lane mask asks for it.
    fn div_fmas(&mut self, w: &Width, lane: &Lane, [a, b, c]: [Register; 3], r: Register, half: usize) {
        let [x, y] = self.spare_pair(w);
        let [z, t] = [self.extra(2), self.extra(3)];
        let Some(number) = lane.mask_in else { return };
        self.copy(x, c);
        if w.wide {
            self.guard_wide(&[a, b, c]);
        } else {
            self.guard(&[a, b, c]);
        }
        self.copy(r, c);
        let fma = if w.wide {
            EVEX_Vfmadd231pd_zmm_k1z_zmm_zmmm512b64_er
        } else {
            EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er
        };
        let masking = match (w.wide, half) {
            (true, 1) => self.float_upper(),
            _ => self.float(),
        };
        self.asm.with(fma, &[r.into(), a.into(), b.into()], masking);
        if w.wide {
            self.mend_wide(r);
        } else {
            self.mend(r);
        }
        // K2: lanes to be scaled.
        let held = self.read_mask(number);
        if half == 1 {
            self.asm.op(VEX_Kshiftrw_kr_kr_imm8, &[K2.into(), held.into(), 8u8.into()]);
        } else {
            self.asm.op(VEX_Kmovw_kr_km16, &[K2.into(), held.into()]);
        }
        if self.masked {
            if half == 1 {
                self.asm.op(VEX_Kshiftrw_kr_kr_imm8, &[K3.into(), super::strip::EXEC.into(), 8u8.into()]);
                self.asm.op(VEX_Kandw_kr_kr_kr, &[K2.into(), K2.into(), K3.into()]);
            } else {
                self.asm.op(VEX_Kandw_kr_kr_kr, &[K2.into(), K2.into(), super::strip::EXEC.into()]);
            }
        }
        let limits = limits(w);
        self.exponent(w, x, x);
        // Up where the estimate is large.
        self.compare_with(w, K3, x, limits.bias, GREATER, (y, Some(K2)));
        self.asm.op(VEX_Kandnw_kr_kr_kr, &[K2.into(), K3.into(), K2.into()]);
        self.scaled(w, r, r, limits.scale, K3);
        self.exponent(w, x, r);
        self.compare_with(w, K3, x, limits.scale as i64, LESS_EQUAL, (y, Some(K2)));
        self.scaled(w, r, r, -limits.scale, K2);
        let done = self.asm.label();
        self.asm.op(VEX_Kortestw_kr_kr, &[K3.into(), K3.into()]);
        self.asm.jcc(Condition::Equal, done);
        self.denormal_quotient(w, [a, b, c], r, [x, y, z, t]);
        self.asm.bind(done);
    }

    /// In the elements of K3: `r` = a * b + c divided by the scale, rounded once to a denormal number.
    fn denormal_quotient(
        &mut self,
        w: &Width,
        [a, b, c]: [Register; 3],
        r: Register,
        [x, y, z, t]: [Register; 4],
    ) {
        let limits = limits(w);
        let i = Integers::of(w);
        // The sum toward zero, and whether that is exact: those up and down are equal then.
        for (to, round) in [
            (x, RoundingControl::RoundTowardZero),
            (y, RoundingControl::RoundUp),
            (z, RoundingControl::RoundDown),
        ] {
            self.copy(to, c);
            self.asm.rounded(i.fma, &[to.into(), a.into(), b.into()], round);
        }
        // 4: not equal, quiet.
        self.asm.with(w.compare, &[K2.into(), y.into(), z.into(), 4u8.into()], QUIET);
        // z: the sign; x: the significand and two bits below, of which the last one says that more follows; y: the exponent.
        self.asm.op_table(i.and, &[z.into(), x.into()], w.sign(), Masking::default());
        self.exponent(w, y, x);
        self.asm.op_table(LOAD, &[t.into()], w.table(1), Masking::default());
        self.three(i.min, t, t, y);
        self.asm.op(i.up, &[t.into(), t.into(), limits.fraction.into()]);
        let fraction = w.table((1u64 << limits.fraction) - 1);
        self.asm.op_table(i.and, &[x.into(), x.into()], fraction, Masking::default());
        self.three(w.or, x, x, t);
        self.asm.op(i.up, &[x.into(), x.into(), 2u8.into()]);
        self.asm.op_table(w.or, &[x.into(), x.into()], w.table(1), where_(K2));
        self.asm.op_table(i.max, &[y.into(), y.into()], w.table(1), Masking::default());
        // y: how far down it goes; t: what is left, with a last bit that says that more followed.
        self.asm.op_table(LOAD, &[t.into()], w.table(1 + limits.scale as u64), Masking::default());
        self.three(i.sub, y, t, y);
        self.three(i.down_by, t, x, y);
        self.three(i.up_by, y, t, y);
        self.asm.op(w.less, &[K2.into(), y.into(), x.into(), NOT_EQUAL.into()]);
        self.asm.op_table(w.or, &[t.into(), t.into()], w.table(1), where_(K2));
        // To nearest, ties to even.
        self.asm.op(w.shift, &[x.into(), t.into(), 2u8.into()]);
        self.asm.op_table(i.and, &[x.into(), x.into()], w.table(1), Masking::default());
        self.three(i.add, t, t, x);
        self.asm.op_table(i.add, &[t.into(), t.into()], w.table(1), Masking::default());
        self.asm.op(w.shift, &[t.into(), t.into(), 2u8.into()]);
        self.asm.with(w.or, &[r.into(), t.into(), z.into()], where_(K3));
    }

    fn div_fixup(&mut self, w: &Width, [s0, s1, s2]: [Register; 3], r: Register, _half: usize) {
        let [x, y] = self.spare_pair(w);
        let limits = limits(w);
        let (and, xor, subtract) = if w.wide {
            (
                EVEX_Vpandq_zmm_k1z_zmm_zmmm512b64,
                EVEX_Vpxorq_zmm_k1z_zmm_zmmm512b64,
                EVEX_Vpsubq_zmm_k1z_zmm_zmmm512b64,
            )
        } else {
            (
                EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32,
                EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32,
                EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32,
            )
        };
        // The quotient's magnitude; infinity for a NaN.
        self.asm.op_table(and, &[r.into(), s0.into()], w.sign().map(|bits| !bits), Masking::default());
        self.in_class(w, K2, s0, class::NAN);
        self.put_wide(w, r, w.infinity(), K2);
        // Zero where it lies below the least denormal whatever the fractions are.
        self.exponent(w, x, s2);
        self.exponent(w, y, s1);
        self.three(subtract, x, x, y);
        self.compare_with(w, K2, x, limits.underflow, LESS, (y, None));
        self.put_wide(w, r, [0; 16], K2);
        self.in_class(w, K2, s1, class::INFINITY);
        self.put_wide(w, r, [0; 16], K2);
        self.in_class(w, K3, s2, class::INFINITY);
        self.put_wide(w, r, w.infinity(), K3);
        // K2: both infinite, or both zero.
        self.asm.op(VEX_Kandw_kr_kr_kr, &[K2.into(), K2.into(), K3.into()]);
        self.asm.op(w.class, &[K3.into(), s2.into(), class::ZERO.into()]);
        self.put_wide(w, r, [0; 16], K3);
        let zero: [Arg; 3] = [K3.into(), s1.into(), class::ZERO.into()];
        self.asm.with(w.class, &zero, where_(K3));
        self.asm.op(VEX_Korw_kr_kr_kr, &[K2.into(), K2.into(), K3.into()]);
        self.asm.op(w.class, &[K3.into(), s1.into(), class::ZERO.into()]);
        self.put_wide(w, r, w.infinity(), K3);
        // Infinity divided by zero stays infinite: that is what it is already. Now the sign.
        self.three(xor, x, s1, s2);
        self.asm.op_table(and, &[x.into(), x.into()], w.sign(), Masking::default());
        self.three(w.or, r, r, x);
        let mut invalid = w.default_nan();
        invalid.iter_mut().zip(w.sign()).for_each(|(bits, sign)| *bits |= sign);
        self.put_wide(w, r, invalid, K2);
        self.pass_nan(w, r, s1, K2);
        self.pass_nan(w, r, s2, K2);
    }
}
