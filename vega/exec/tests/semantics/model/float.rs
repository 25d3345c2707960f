//! Floating point by LLVM's software arithmetic, with the card's denormals and NaNs around it.

use std::cmp::Ordering;

use rustc_apfloat::ieee::{Double, Half, Quad, Single};
use rustc_apfloat::{Float, FloatConvert, Round, Status};

/// A format, by the suffix of mnemonics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fmt {
    F16,
    F32,
    F64,
}

macro_rules! with {
    ($f:expr, $T:ident => $e:expr) => {
        match $f {
            Fmt::F16 => {
                type $T = Half;
                $e
            }
            Fmt::F32 => {
                type $T = Single;
                $e
            }
            Fmt::F64 => {
                type $T = Double;
                $e
            }
        }
    };
}

impl Fmt {
    pub fn of(suffix: &str) -> Option<Self> {
        Some(match suffix {
            "f16" => Self::F16,
            "f32" => Self::F32,
            "f64" => Self::F64,
            _ => return None,
        })
    }

    pub fn bits(self) -> u32 {
        [16, 32, 64][self as usize]
    }

    pub fn fraction(self) -> u32 {
        [10, 23, 52][self as usize]
    }

    pub fn bias(self) -> i32 {
        [15, 127, 1023][self as usize]
    }

    pub fn sign(self) -> u64 {
        1 << (self.bits() - 1)
    }

    pub fn infinity(self) -> u64 {
        self.sign() - (1 << self.fraction())
    }

    pub fn one(self) -> u64 {
        (self.bias() as u64) << self.fraction()
    }

    pub fn quiet_bit(self) -> u64 {
        1 << (self.fraction() - 1)
    }

    pub fn default_nan(self) -> u64 {
        self.infinity() | self.quiet_bit()
    }

    pub fn magnitude(self, x: u64) -> u64 {
        x & (self.sign() - 1)
    }

    pub fn negative(self, x: u64) -> bool {
        x & self.sign() != 0
    }

    pub fn nan(self, x: u64) -> bool {
        self.magnitude(x) > self.infinity()
    }

    pub fn signaling(self, x: u64) -> bool {
        self.nan(x) && x & self.quiet_bit() == 0
    }

    pub fn infinite(self, x: u64) -> bool {
        self.magnitude(x) == self.infinity()
    }

    pub fn zero(self, x: u64) -> bool {
        self.magnitude(x) == 0
    }

    pub fn denormal(self, x: u64) -> bool {
        !self.zero(x) && self.magnitude(x) >> self.fraction() == 0
    }

    pub fn exponent(self, x: u64) -> i32 {
        (self.magnitude(x) >> self.fraction()) as i32
    }

    /// The value in binary64, exactly.
    pub fn wide(self, x: u64) -> f64 {
        f64::from_bits(convert(self, Fmt::F64, x, Round::NearestTiesToEven))
    }
}

/// How one operation treats rounding, denormals and NaNs.
#[derive(Clone, Copy, Debug)]
pub struct Fp {
    pub round: Round,
    /// Denormal inputs and results stay.
    pub inputs: bool,
    pub outputs: bool,
    pub ieee: bool,
    pub dx10: bool,
}

impl Fp {
    /// MODE's fields for a format (Vega ISA, table "Mode Register Fields").
    pub fn new(mode: u32, f: Fmt) -> Self {
        let shift = if f == Fmt::F32 { 0 } else { 2 };
        let round = match mode >> shift & 3 {
            0 => Round::NearestTiesToEven,
            1 => Round::TowardPositive,
            2 => Round::TowardNegative,
            _ => Round::TowardZero,
        };
        let denormals = mode >> (4 + shift);
        Self {
            round,
            inputs: denormals & 1 != 0,
            outputs: denormals & 2 != 0,
            ieee: mode >> 9 & 1 != 0,
            dx10: mode >> 8 & 1 != 0,
        }
    }

    pub fn flushing(self) -> Self {
        Self { inputs: false, outputs: false, ..self }
    }

    pub fn exact(self) -> Self {
        Self { round: Round::NearestTiesToEven, ..self }
    }

    pub fn input(self, f: Fmt, x: u64) -> u64 {
        if !self.inputs && f.denormal(x) { x & f.sign() } else { x }
    }

    pub fn output(self, f: Fmt, x: u64) -> u64 {
        if !self.outputs && f.denormal(x) { x & f.sign() } else { x }
    }
}

/// One operation on bits without denormal rules.
fn raw<const N: usize>(f: Fmt, x: [u64; N], op: impl Fn(Fmt, [u64; N]) -> u64) -> u64 {
    // The first source that is a NaN passes, made quiet; an invalid operation gives the default NaN.
    if let Some(nan) = x.into_iter().find(|x| f.nan(*x)) {
        return nan | f.quiet_bit();
    }
    let result = op(f, x);
    if f.nan(result) { f.default_nan() } else { result }
}

/// An operation with its denormal rules.
fn ruled<const N: usize>(f: Fmt, x: [u64; N], fp: Fp, op: impl Fn(Fmt, [u64; N]) -> u64) -> u64 {
    fp.output(f, raw(f, x.map(|x| fp.input(f, x)), op))
}

fn bits<T: Float>(x: T) -> u64 {
    x.to_bits() as u64
}

pub fn add(f: Fmt, a: u64, b: u64, fp: Fp) -> u64 {
    ruled(
        f,
        [a, b],
        fp,
        |f, [a, b]| with!(f, T => bits(T::from_bits(a.into()).add_r(T::from_bits(b.into()), fp.round).value)),
    )
}

/// A NaN keeps its sign.
pub fn sub(f: Fmt, a: u64, b: u64, fp: Fp) -> u64 {
    ruled(
        f,
        [a, b],
        fp,
        |f, [a, b]| with!(f, T => bits(T::from_bits(a.into()).sub_r(T::from_bits(b.into()), fp.round).value)),
    )
}

pub fn mul(f: Fmt, a: u64, b: u64, fp: Fp) -> u64 {
    ruled(
        f,
        [a, b],
        fp,
        |f, [a, b]| with!(f, T => bits(T::from_bits(a.into()).mul_r(T::from_bits(b.into()), fp.round).value)),
    )
}

pub fn div(f: Fmt, a: u64, b: u64, fp: Fp) -> u64 {
    ruled(
        f,
        [a, b],
        fp,
        |f, [a, b]| with!(f, T => bits(T::from_bits(a.into()).div_r(T::from_bits(b.into()), fp.round).value)),
    )
}

pub fn fma(f: Fmt, a: u64, b: u64, c: u64, fp: Fp) -> u64 {
    ruled(f, [a, b, c], fp, |f, [a, b, c]| {
        with!(f, T => {
            let [a, b, c] = [a, b, c].map(|x| T::from_bits(x.into()));
            bits(a.mul_add_r(b, c, fp.round).value)
        })
    })
}

/// a * b + c times 2^n of finite numbers, rounded once: binary128 holds any product, and a sum that is rounded to odd there
/// rounds as the exact one does.
pub fn fma_scaled(f: Fmt, x: [u64; 3], n: i32, round: Round) -> u64 {
    fn quad<T: Float + FloatConvert<Quad>>(x: u64) -> Quad {
        T::from_bits(x.into()).convert(&mut false).value
    }
    fn back<T: Float>(x: Quad, round: Round) -> u64
    where
        Quad: FloatConvert<T>,
    {
        bits::<T>(x.convert_r(round, &mut false).value)
    }
    let [a, b, c] = x.map(|x| with!(f, T => quad::<T>(x)));
    let sum = a.mul_add_r(b, c, Round::TowardZero);
    let inexact = sum.status.contains(Status::INEXACT);
    let sum = if inexact { Quad::from_bits(sum.value.to_bits() | 1) } else { sum.value };
    let scaled = sum.scalbn(n);
    with!(f, T => back::<T>(scaled, round))
}

/// Product and sum, each rounded.
pub fn mad(f: Fmt, a: u64, b: u64, c: u64, fp: Fp, legacy: bool) -> u64 {
    let zero = |x| f.zero(fp.input(f, x));
    let product = if legacy && (zero(a) || zero(b)) { 0 } else { mul(f, a, b, fp) };
    // The NaN that came in first wins over the one that an invalid product makes.
    if !f.nan(a) && !f.nan(b) && f.nan(c) { c | f.quiet_bit() } else { add(f, product, c, fp) }
}

pub fn integral(f: Fmt, x: u64, round: Round, fp: Fp) -> u64 {
    raw(
        f,
        [fp.input(f, x)],
        |f, [x]| with!(f, T => bits(T::from_bits(x.into()).round_to_integral(round).value)),
    )
}

/// x * 2^n, rounded once.
pub fn scale(f: Fmt, x: u64, n: i32, fp: Fp) -> u64 {
    let n = n.clamp(-5000, 5000);
    ruled(f, [x], fp, |f, [x]| with!(f, T => bits(T::from_bits(x.into()).scalbn_r(n, fp.round))))
}

/// Mantissa in [1/2, 1) and exponent; `None` for zero, infinity and NaN.
pub fn frexp(f: Fmt, x: u64) -> Option<(u64, i32)> {
    if f.zero(x) || f.infinite(x) || f.nan(x) {
        return None;
    }
    let exponent = with!(f, T => T::from_bits(x.into()).ilogb()) + 1;
    let whole = Fp { round: Round::NearestTiesToEven, inputs: true, outputs: true, ieee: true, dx10: true };
    Some((scale(f, x, -exponent, whole), exponent))
}

/// To another format; NaNs keep the top of their payload.
pub fn convert(from: Fmt, to: Fmt, x: u64, round: Round) -> u64 {
    fn to_format<T: Float + FloatConvert<Half> + FloatConvert<Single> + FloatConvert<Double>>(
        x: u64,
        to: Fmt,
        round: Round,
    ) -> u64 {
        let (x, mut loses) = (T::from_bits(x.into()), false);
        match to {
            Fmt::F16 => bits::<Half>(x.convert_r(round, &mut loses).value),
            Fmt::F32 => bits::<Single>(x.convert_r(round, &mut loses).value),
            Fmt::F64 => bits::<Double>(x.convert_r(round, &mut loses).value),
        }
    }
    if from.nan(x) {
        let sign = if from.negative(x) { to.sign() } else { 0 };
        let payload = u128::from(x & ((1 << from.fraction()) - 1)) << 64 >> from.fraction();
        return sign | to.default_nan() | (payload >> (64 - to.fraction())) as u64;
    }
    if from == to {
        return x;
    }
    with!(from, T => to_format::<T>(x, to, round))
}

pub fn from_integer(f: Fmt, x: i128, round: Round) -> u64 {
    with!(f, T => bits(T::from_i128_r(x, round).value))
}

/// To an integer of a range; NaN gives 0.
pub fn to_integer(f: Fmt, x: u64, (min, max): (i128, i128), round: Round) -> i128 {
    if f.nan(x) {
        return 0;
    }
    let mut exact = false;
    let value: i128 = with!(f, T => T::from_bits(x.into()).to_i128_r(100, round, &mut exact).value);
    value.clamp(min, max)
}

pub fn compare(f: Fmt, a: u64, b: u64) -> Option<Ordering> {
    with!(f, T => T::from_bits(a.into()).partial_cmp(&T::from_bits(b.into())))
}

/// minNum and maxNum; -0 is below +0.
pub fn choose(f: Fmt, a: u64, b: u64, fp: Fp, larger: bool) -> u64 {
    let [a, b] = [a, b].map(|x| fp.input(f, x));
    if fp.ieee
        && let Some(x) = [a, b].into_iter().find(|x| f.signaling(*x))
    {
        return x | f.quiet_bit();
    }
    if f.nan(a) != f.nan(b) {
        return fp.output(f, if f.nan(a) { b } else { a });
    }
    let first = match compare(f, a, b) {
        None => true,
        Some(Ordering::Equal) => f.negative(a) != larger,
        Some(order) => (order == Ordering::Less) != larger,
    };
    fp.output(f, if first { a } else { b })
}

/// The larger of the other two when the first that equals the largest is out (Vega ISA, V_MED3_F32); the least where there
/// is a NaN.
pub fn median(f: Fmt, x: [u64; 3], fp: Fp) -> u64 {
    if x.iter().any(|x| f.nan(*x)) {
        return choose(f, choose(f, x[0], x[1], fp, false), x[2], fp, false);
    }
    let x = x.map(|x| fp.input(f, x));
    let kept = Fp { inputs: true, outputs: true, ..fp };
    let most = choose(f, choose(f, x[0], x[1], kept, true), x[2], kept, true);
    let out = x.iter().position(|x| compare(f, *x, most) == Some(Ordering::Equal)).unwrap_or(2);
    fp.output(f, choose(f, x[(out + 1) % 3], x[(out + 2) % 3], kept, true))
}

/// The class's bit for `v_cmp_class`.
pub fn class(f: Fmt, x: u64) -> u32 {
    let order = [
        f.signaling(x),
        f.nan(x) && !f.signaling(x),
        f.infinite(x) && f.negative(x),
        !f.nan(x) && f.negative(x) && f.exponent(x) > 0 && !f.infinite(x),
        f.denormal(x) && f.negative(x),
        f.zero(x) && f.negative(x),
        f.zero(x) && !f.negative(x),
        f.denormal(x) && !f.negative(x),
        !f.nan(x) && !f.negative(x) && f.exponent(x) > 0 && !f.infinite(x),
        f.infinite(x) && !f.negative(x),
    ];
    order.iter().position(|is| *is).map_or(0, |bit| 1 << bit)
}

/// Output modifier and clamp. Where denormal results are on, omod does nothing (Vega ISA, "Output Modifiers").
pub fn modify(f: Fmt, x: u64, omod: u8, clamp: bool, fp: Fp) -> u64 {
    let mut x = x;
    if omod != 0 && !fp.outputs {
        let factor = [1.0, 2.0, 4.0, 0.5][usize::from(omod)];
        let factor = convert(Fmt::F64, f, f64::to_bits(factor), Round::NearestTiesToEven);
        x = mul(f, x, factor, fp.flushing());
    }
    if clamp {
        if f.nan(x) {
            x = if fp.dx10 { 0 } else { x };
        } else if f.negative(x) {
            x = 0;
        } else if compare(f, x, f.one()) == Some(Ordering::Greater) {
            x = f.one();
        }
    }
    x
}
