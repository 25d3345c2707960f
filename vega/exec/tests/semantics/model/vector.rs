//! One lane of a vector instruction, by its mnemonic (Vega ISA, chapter "Instructions": VOP1, VOP2, VOP3).

use std::cmp::Ordering;

use rustc_apfloat::Round;

use super::approximate;
use super::bytes;
use super::divide;
use super::float::{self, Fmt, Fp};

/// What a lane reads: sources with their modifiers applied, in the order of the assembly text.
#[derive(Clone, Copy, Debug, Default)]
pub struct In {
    pub s: [u128; 3],
    /// The destination before.
    pub old: u128,
    /// The lane's bit of the mask that is read.
    pub bit: bool,
    pub lane: u32,
    pub mode: u32,
    /// Integers saturate.
    pub clamp: bool,
}

impl In {
    pub fn fp(&self, f: Fmt) -> Fp {
        Fp::new(self.mode, f)
    }

    fn word(&self, n: usize) -> u32 {
        self.s[n] as u32
    }

    /// An integer result, wrapped or saturated.
    fn fit(&self, value: i128, bits: u32, signed: bool) -> u128 {
        let value = if !self.clamp {
            value
        } else if signed {
            value.clamp(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
        } else {
            value.clamp(0, (1 << bits) - 1)
        };
        value as u128 & ((1 << bits) - 1)
    }
}

/// The low `bits` bits as a number.
pub fn number(value: u128, bits: u32, signed: bool) -> i128 {
    let up = 128 - bits;
    if signed { (value << up) as i128 >> up } else { (value << up >> up) as i128 }
}

/// Bits and signedness of an integer type's suffix.
pub fn integer(suffix: &str) -> Option<(u32, bool)> {
    let bits = suffix.get(1..)?.parse().ok()?;
    matches!(suffix.as_bytes()[0], b'i' | b'u' | b'b').then_some((bits, suffix.starts_with('i')))
}

/// Destination and the lane's bit of the mask that is written; `None` if the model does not know the mnemonic.
pub fn lane(mnemonic: &str, i: &In) -> Option<(u128, bool)> {
    let name = mnemonic.strip_prefix("v_")?;
    if let Some(compare) = name.strip_prefix("cmp_").or_else(|| name.strip_prefix("cmpx_")) {
        return Some((i.old, comparison(compare, i)?));
    }
    if let Some(to) = name.strip_prefix("cvt_") {
        return Some((conversion(to, i)?, false));
    }
    if let Some(result) = special(name, i) {
        return Some(result);
    }
    if let Some(result) = bytes::operation(name, i.s, i.clamp) {
        return Some((result, false));
    }
    let (op, ty) = name.rsplit_once('_')?;
    let result = match Fmt::of(ty) {
        Some(f) => u128::from(floating(op, f, i)?),
        None => integral(op, ty, i)?,
    };
    Some((result, false))
}

fn comparison(name: &str, i: &In) -> Option<bool> {
    let (condition, ty) = name.rsplit_once('_')?;
    let [a, b] = [i.s[0], i.s[1]];
    let order = match Fmt::of(ty) {
        Some(f) if condition == "class" => return Some(float::class(f, a as u64) & b as u32 != 0),
        Some(f) => {
            let fp = i.fp(f);
            float::compare(f, fp.input(f, a as u64), fp.input(f, b as u64))
        }
        None => {
            let (bits, signed) = integer(ty)?;
            Some(number(a, bits, signed).cmp(&number(b, bits, signed)))
        }
    };
    let (less, equal, greater) =
        [Ordering::Less, Ordering::Equal, Ordering::Greater].map(|o| order == Some(o)).into();
    Some(match condition {
        "f" => false,
        "t" | "tru" => true,
        "lt" => less,
        "eq" => equal,
        "le" => less | equal,
        "gt" => greater,
        "lg" | "ne" => less | greater,
        "ge" => greater | equal,
        "o" => order.is_some(),
        "u" => order.is_none(),
        "nlt" => !less,
        "neq" => !equal,
        "nle" => !(less | equal),
        "ngt" => !greater,
        "nlg" => !(less | greater),
        "nge" => !(greater | equal),
        _ => return None,
    })
}

/// `v_cvt_*`.
fn conversion(name: &str, i: &In) -> Option<u128> {
    let [a, b] = [i.s[0] as u64, i.s[1] as u64];
    let halves = |low: u64, high: u64| Some(u128::from(low & 0xffff | (high & 0xffff) << 16));
    // x * (2^n - 1), to nearest even; the product of the factors is exact in binary64 and x is cut to the range.
    let norm = |f: Fmt, x: u64, signed: bool| {
        let x = f.wide(i.fp(f).input(f, x));
        let (least, most) = if signed { (-1.0, 32767.0) } else { (0.0, 65535.0) };
        if x.is_nan() { 0 } else { (x.clamp(least, 1.0) * most).round_ties_even() as i64 as u64 }
    };
    // No document says how it rounds: to nearest, like the other packing conversions.
    let byte = |x: u64| {
        let x = i.fp(Fmt::F32).input(Fmt::F32, x);
        float::to_integer(Fmt::F32, x, (0, 255), Round::NearestTiesToEven) as u8
    };
    let replaced = |value: u64, at: u64, x: u64| {
        let mut bytes = (value as u32).to_le_bytes();
        bytes[at as usize & 3] = byte(x);
        Some(u128::from(u32::from_le_bytes(bytes)))
    };
    let saturated = |x: u64, signed: bool| {
        let x = number(x.into(), 32, signed);
        if signed { x.clamp(-0x8000, 0x7fff) as u64 } else { x.clamp(0, 0xffff) as u64 }
    };
    let single = i.fp(Fmt::F32);
    match name {
        "rpi_i32_f32" => {
            // floor(x + 1/2) of the exact sum.
            let x = Fmt::F32.wide(single.input(Fmt::F32, a));
            let floor = x.floor();
            let up = if x - floor >= 0.5 { 1.0 } else { 0.0 };
            Some(((floor + up) as i32 as u32).into())
        }
        "flr_i32_f32" => Some((Fmt::F32.wide(single.input(Fmt::F32, a)).floor() as i32 as u32).into()),
        "off_f32_i4" => Some(((number(a.into(), 4, true) as f32 / 16.0).to_bits()).into()),
        "f32_ubyte0" | "f32_ubyte1" | "f32_ubyte2" | "f32_ubyte3" => {
            let n = name.as_bytes()[9] - b'0';
            Some(f32::from((a as u32).to_le_bytes()[usize::from(n)]).to_bits().into())
        }
        "norm_i16_f16" => halves(norm(Fmt::F16, a, true), 0),
        "norm_u16_f16" => halves(norm(Fmt::F16, a, false), 0),
        "pknorm_i16_f32" => halves(norm(Fmt::F32, a, true), norm(Fmt::F32, b, true)),
        "pknorm_u16_f32" => halves(norm(Fmt::F32, a, false), norm(Fmt::F32, b, false)),
        "pknorm_i16_f16" => halves(norm(Fmt::F16, a, true), norm(Fmt::F16, b, true)),
        "pknorm_u16_f16" => halves(norm(Fmt::F16, a, false), norm(Fmt::F16, b, false)),
        "pkrtz_f16_f32" => {
            let half = |x: u64| {
                let x = float::convert(Fmt::F32, Fmt::F16, single.input(Fmt::F32, x), Round::TowardZero);
                i.fp(Fmt::F16).output(Fmt::F16, x)
            };
            halves(half(a), half(b))
        }
        "pk_u16_u32" => halves(saturated(a, false), saturated(b, false)),
        "pk_i16_i32" => halves(saturated(a, true), saturated(b, true)),
        "pk_u8_f32" => replaced(i.s[2] as u64, b, a),
        "pkaccum_u8_f32" => replaced(i.old as u64, b, a),
        _ => {
            let (to, from) = name.split_once('_')?;
            match (Fmt::of(to), Fmt::of(from)) {
                (Some(t), Some(f)) => {
                    let (input, output) = (i.fp(f), i.fp(t));
                    let x = float::convert(f, t, input.input(f, a), output.round);
                    Some(output.output(t, x).into())
                }
                (Some(t), None) => {
                    let (bits, signed) = integer(from)?;
                    Some(float::from_integer(t, number(a.into(), bits, signed), i.fp(t).round).into())
                }
                (None, Some(f)) => {
                    let (bits, signed) = integer(to)?;
                    let range = if signed {
                        (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)
                    } else {
                        (0, (1 << bits) - 1)
                    };
                    let x = float::to_integer(f, i.fp(f).input(f, a), range, Round::TowardZero);
                    Some(x as u128 & ((1 << bits) - 1))
                }
                (None, None) => None,
            }
        }
    }
}

/// Operations that write a mask, or whose name does not end with one type.
fn special(name: &str, i: &In) -> Option<(u128, bool)> {
    let [a, b, c] = i.s.map(|x| x as u64);
    let [x, y] = [i128::from(a as u32), i128::from(b as u32)];
    let carry = i128::from(i.bit);
    let carried = |sum: i128| (i.fit(sum, 32, false), !(0..1 << 32).contains(&sum));
    let f = |name: &str| Fmt::of(&name[name.len() - 3..]);
    Some(match name {
        "add_co_u32" => carried(x + y),
        "sub_co_u32" => carried(x - y),
        "subrev_co_u32" => carried(y - x),
        "addc_co_u32" => carried(x + y + carry),
        "subb_co_u32" => carried(x - y - carry),
        "subbrev_co_u32" => carried(y - x - carry),
        "mad_u64_u32" => {
            let sum = x * y + i128::from(c);
            (i.fit(sum, 64, false), sum >> 64 != 0)
        }
        "mad_i64_i32" => {
            let sum = number(x as u128, 32, true) * number(y as u128, 32, true) + i128::from(c as i64);
            (i.fit(sum, 64, true), sum >> 64 & 1 != 0)
        }
        "cndmask_b32" => (if i.bit { i.s[1] } else { i.s[0] }, false),
        "div_scale_f32" | "div_scale_f64" => {
            let (value, flag) = divide::scale(f(name)?, [a, b, c], i.fp(f(name)?));
            (value.into(), flag)
        }
        "div_fmas_f32" | "div_fmas_f64" => {
            (divide::fmas(f(name)?, [a, b, c], i.bit, i.fp(f(name)?)).into(), false)
        }
        "div_fixup_f16" | "div_fixup_legacy_f16" | "div_fixup_f32" | "div_fixup_f64" => {
            (divide::fixup(f(name)?, [a, b, c], i.fp(f(name)?)).into(), false)
        }
        _ => return None,
    })
}

fn floating(op: &str, f: Fmt, i: &In) -> Option<u64> {
    let [a, b, c] = i.s.map(|x| x as u64);
    let fp = i.fp(f);
    let mad = fp.flushing();
    let whole = |round| Some(float::integral(f, a, round, fp));
    // f32 ones treat denormals as zero, the square root apart.
    let approximate = if f == Fmt::F32 && op != "sqrt" { fp.flushing() } else { fp };
    if let Some(result) = approximate::unary(op, f, a, approximate.exact()) {
        return Some(result);
    }
    Some(match op {
        "trunc" => return whole(Round::TowardZero),
        "ceil" => return whole(Round::TowardPositive),
        "floor" => return whole(Round::TowardNegative),
        "rndne" => return whole(Round::NearestTiesToEven),
        "fract" if f.infinite(a) => f.default_nan(),
        "fract" => {
            let floor = float::integral(f, a, Round::TowardNegative, fp);
            let difference = float::sub(f, a, floor, fp);
            // Never 1.
            if difference == f.one() { f.one() - 1 } else { difference }
        }
        "frexp_mant" => {
            let a = fp.input(f, a);
            match float::frexp(f, a) {
                Some((mantissa, _)) => mantissa,
                None if f.nan(a) => a | f.quiet_bit(),
                None => a,
            }
        }
        // The exponent is an integer: 16 bits for f16.
        "frexp_exp_i32" | "frexp_exp_i16" => {
            let exponent = float::frexp(f, fp.input(f, a)).map_or(0, |(_, exponent)| exponent);
            if op.ends_with("16") { exponent as u16 as u64 } else { exponent as u32 as u64 }
        }
        "add" => float::add(f, a, b, fp),
        "sub" => float::sub(f, a, b, fp),
        "subrev" => float::sub(f, b, a, fp),
        "mul" => float::mul(f, a, b, fp),
        "mul_legacy" if f.zero(fp.input(f, a)) || f.zero(fp.input(f, b)) => 0,
        "mul_legacy" => float::mul(f, a, b, fp),
        "min" => float::choose(f, a, b, fp, false),
        "max" => float::choose(f, a, b, fp, true),
        "ldexp" if f == Fmt::F16 => float::scale(f, a, i32::from(b as i16), fp),
        "ldexp" => float::scale(f, a, b as i32, fp),
        "mac" | "mad" | "madak" => float::mad(f, a, b, c, mad, false),
        // src0 * K + src1.
        "madmk" => float::mad(f, a, b, c, mad, false),
        // The old f16 form is no legacy multiplication.
        "mad_legacy" => float::mad(f, a, b, c, mad, f == Fmt::F32),
        "fma" | "fma_legacy" => float::fma(f, a, b, c, fp),
        "min3" => float::choose(f, float::choose(f, a, b, fp, false), c, fp, false),
        "max3" => float::choose(f, float::choose(f, a, b, fp, true), c, fp, true),
        "med3" => float::median(f, [a, b, c], fp),
        "trig_preop" => approximate::two_over_pi(a, b as u32),
        // Bits of two halves.
        "pack_b32" => a & 0xffff | (b & 0xffff) << 16,
        "cubeid" | "cubesc" | "cubetc" | "cubema" => cube(op, [a, b, c], fp),
        _ => return None,
    })
}

/// Cube map coordinates (Vega ISA, V_CUBEID_F32).
fn cube(op: &str, v: [u64; 3], fp: Fp) -> u64 {
    let f = Fmt::F32;
    let [x, y, z] = v.map(|bits| f32::from_bits(bits as u32));
    let minus = |bits: u64| bits ^ f.sign();
    let [bx, by, bz] = v;
    let (face, sc, tc, major) = if z.abs() >= x.abs() && z.abs() >= y.abs() {
        if z < 0.0 { (5.0f32, minus(bx), minus(by), bz) } else { (4.0, bx, minus(by), bz) }
    } else if y.abs() >= x.abs() {
        if y < 0.0 { (3.0, bx, minus(bz), by) } else { (2.0, bx, bz, by) }
    } else if x < 0.0 {
        (1.0, bz, minus(by), bx)
    } else {
        (0.0, minus(bz), minus(by), bx)
    };
    match op {
        "cubeid" => face.to_bits().into(),
        "cubesc" => sc,
        "cubetc" => tc,
        _ => float::mul(f, major, 2f32.to_bits().into(), fp),
    }
}

fn integral(op: &str, ty: &str, i: &In) -> Option<u128> {
    let [a, b, c] = [i.word(0), i.word(1), i.word(2)];
    let word = |x: u32| Some(u128::from(x));
    match op {
        "mov" => return word(a),
        "not" => return word(!a),
        "bfrev" => return word((0..32).fold(0, |r, at| r | (a >> at & 1) << (31 - at))),
        "ffbh" | "ffbl" => {
            let wanted = if ty == "i32" { 1 - (a >> 31) } else { 1 };
            let at = |n: &u32| if op == "ffbl" { *n } else { 31 - n };
            return word((0..32).find(|n| a >> at(n) & 1 == wanted).unwrap_or(u32::MAX));
        }
        "bfm" => return word((0..a & 31).fold(0, |r, at| r | 1u32.checked_shl(at + (b & 31)).unwrap_or(0))),
        "bfe" => {
            let (offset, width) = (b & 31, c & 31);
            // Beyond the top of the source: its sign, or zero.
            let field = number(a.into(), 32, ty == "i32") >> offset;
            return Some(if width == 0 {
                0
            } else {
                number(field as u128, width, ty == "i32") as u32 as u128
            });
        }
        "bfi" => return word((0..32).fold(0, |r, at| r | (if a >> at & 1 == 1 { b } else { c } & 1 << at))),
        "bcnt_u32" => return word((0..32).map(|at| a >> at & 1).sum::<u32>().wrapping_add(b)),
        "mbcnt_lo_u32" => {
            return word((0..i.lane.min(32)).map(|at| a >> at & 1).sum::<u32>().wrapping_add(b));
        }
        "mbcnt_hi_u32" => {
            return word((32..i.lane).map(|at| a >> (at - 32) & 1).sum::<u32>().wrapping_add(b));
        }
        "lshl_add" => return word((a << (b & 31)).wrapping_add(c)),
        "add_lshl" => return word(a.wrapping_add(b) << (c & 31)),
        "add3" => return word(a.wrapping_add(b).wrapping_add(c)),
        "lshl_or" => return word(a << (b & 31) | c),
        "and_or" => return word(a & b | c),
        "or3" => return word(a | b | c),
        "xad" => return word((a ^ b).wrapping_add(c)),
        _ => {}
    }
    let (bits, signed) = integer(ty)?;
    let n = |at: usize| number(i.s[at], bits, signed);
    let cut = |x: i128| Some(x as u128 & ((1u128 << bits) - 1));
    let by = |at: usize| (i.s[at] as u32) & (bits - 1);
    let range32 = |x: i128| Some(i.fit(x, 32, signed));
    match op {
        "add" => Some(i.fit(n(0) + n(1), bits, signed)),
        "sub" => Some(i.fit(n(0) - n(1), bits, signed)),
        "subrev" => Some(i.fit(n(1) - n(0), bits, signed)),
        "mul_lo" => cut(n(0) * n(1)),
        // The name has the type of the result, too.
        "mul_i32" | "mul_u32" => Some(((n(0) * n(1)) as u32).into()),
        "mul_hi_i32" | "mul_hi_u32" | "mul_hi" => Some(((n(0) * n(1)) >> 32) as u32 as u128),
        "min" => cut(n(0).min(n(1))),
        "max" => cut(n(0).max(n(1))),
        "and" => cut(n(0) & n(1)),
        "or" => cut(n(0) | n(1)),
        "xor" => cut(n(0) ^ n(1)),
        "lshlrev" => cut(n(1) << by(0)),
        "lshrrev" => cut(number(i.s[1], bits, false) >> by(0)),
        "ashrrev" => cut(number(i.s[1], bits, true) >> by(0)),
        "mad_i32" | "mad_u32" => range32(n(0) * n(1) + number(i.s[2], 32, signed)),
        "mad" | "mad_legacy" => Some(i.fit(n(0) * n(1) + n(2), bits, signed)),
        "min3" => cut(n(0).min(n(1)).min(n(2))),
        "max3" => cut(n(0).max(n(1)).max(n(2))),
        "med3" => {
            let mut all = [n(0), n(1), n(2)];
            all.sort();
            cut(all[1])
        }
        _ => None,
    }
}

/// A packed instruction's half (VOP3P).
pub fn packed(mnemonic: &str, i: &In) -> Option<u128> {
    let (op, ty) = mnemonic.strip_prefix("v_pk_")?.rsplit_once('_')?;
    Some(match Fmt::of(ty) {
        Some(f) => u128::from(floating(op, f, i)?),
        None => integral(op, ty, i)?,
    })
}
