//! Packed 16-bit operations, and `v_mad_mix`.

use vega_isa::micro::{Bin, MixDst, Tri};
use vega_isa::{Modifiers, Ty};

use super::{Context, binary, format, ternary};
use crate::numeric::{Format, Mode, arith, convert};

/// The half of source `n` that enters the low (`high` false) or high result, negated as asked for.
fn half(value: u64, n: usize, ty: Ty, m: &Modifiers, high: bool) -> u64 {
    let (select, negate) = if high { (m.op_sel_hi, m.abs) } else { (m.op_sel, m.neg) };
    let half = value >> (if select >> n & 1 == 1 { 16 } else { 0 }) & 0xffff;
    if ty.is_float() && negate >> n & 1 == 1 { half ^ 0x8000 } else { half }
}

/// Applies an operation to both halves.
fn both(m: &Modifiers, ty: Ty, context: &Context, one: impl Fn(bool) -> u64) -> u64 {
    let finish = |high: bool| {
        let result = one(high) & 0xffff;
        match format(ty) {
            Some(f) => arith::modify_output(f, result, 0, m.clamp, context.mode(ty)),
            None => result,
        }
    };
    finish(false) | finish(true) << 16
}

/// Two packed sources, which change places after their halves were chosen if the row is `reversed`.
pub(super) fn two(op: Bin, ty: Ty, src: [u64; 2], reversed: bool, m: &Modifiers, context: &Context) -> u64 {
    both(m, ty, context, |high| {
        let [a, b] = [0, 1].map(|n| half(src[n], n, ty, m, high));
        let [a, b] = if reversed { [b, a] } else { [a, b] };
        binary::evaluate(op, ty, [a, b, 0], context)
    })
}

/// Three packed sources.
pub(super) fn three(op: Tri, ty: Ty, src: [u64; 3], m: &Modifiers, context: &Context) -> u64 {
    both(m, ty, context, |high| {
        let halves = [0, 1, 2].map(|n| u128::from(half(src[n], n, ty, m, high)));
        ternary::evaluate(op, ty, halves, context) as u64
    })
}

/// src0 * src1 + src2 in f32, unfused, denormals flushed; each source an f32, or the half that op_sel
/// chooses where op_sel_hi is set.
pub(super) fn mix(dst: MixDst, src: [u64; 3], m: &Modifiers, context: &Context) -> u32 {
    let single = Mode::single(context.register).flushing();
    let half = Mode::half_and_double(context.register);
    let mut n = 0;
    let [a, b, c] = src.map(|value| {
        let bit = 1 << n;
        n += 1;
        let wide = if m.op_sel_hi & bit != 0 {
            let half_bits = value >> (if m.op_sel & bit != 0 { 16 } else { 0 }) & 0xffff;
            convert::float_to_float(Format::F16, Format::F32, half_bits, half, single)
        } else {
            value & 0xffff_ffff
        };
        let magnitude = if m.abs & bit != 0 { wide & 0x7fff_ffff } else { wide };
        if m.neg & bit != 0 { magnitude ^ 0x8000_0000 } else { magnitude }
    });
    let sum = arith::mad(Format::F32, a, b, c, single);
    match dst {
        MixDst::F32 => arith::modify_output(Format::F32, sum, 0, m.clamp, single) as u32,
        MixDst::LowF16 | MixDst::HighF16 => {
            let narrow = convert::float_to_float(Format::F32, Format::F16, sum, single, half);
            arith::modify_output(Format::F16, narrow, 0, m.clamp, half) as u32
        }
    }
}
