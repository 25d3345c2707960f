//! Comparisons, classes, minimum, maximum and median.

use std::cmp::Ordering;

use super::format::{Format, Value};
use super::mode::Mode;

/// How a and b compare; `None` when one is a NaN. Zeros are equal whatever their sign.
pub fn compare(f: Format, a: u64, b: u64, mode: Mode) -> Option<Ordering> {
    let (a, b) = (f.input(a, mode), f.input(b, mode));
    if f.is_nan(a) || f.is_nan(b) {
        return None;
    }
    Some(number(f, a).cmp(&number(f, b)))
}

/// A non-NaN as an integer of the same order.
fn number(f: Format, bits: u64) -> i64 {
    let magnitude = f.magnitude(bits) as i64;
    if f.is_negative(bits) { -magnitude } else { magnitude }
}

/// The bit of `v_cmp_class` that a value belongs to: signaling NaN, quiet NaN, -infinity, -normal,
/// -denormal, -0, +0, +denormal, +normal, +infinity (Vega ISA, V_CMP_CLASS_F32).
pub fn class(f: Format, bits: u64) -> u32 {
    let kind = match f.value(bits) {
        Value::Nan => return if f.is_signaling(bits) { 1 } else { 2 },
        Value::Infinity => 0,
        Value::Finite { .. } if !f.is_denormal(bits) => 1,
        Value::Finite { .. } => 2,
        Value::Zero => 3,
    };
    1 << if f.is_negative(bits) { 2 + kind } else { 9 - kind }
}

/// IEEE minNum: a quiet NaN loses against a number; -0 is below +0.
pub fn min(f: Format, a: u64, b: u64, mode: Mode) -> u64 {
    choose(f, a, b, mode, Ordering::Less)
}

/// IEEE maxNum: a quiet NaN loses against a number; +0 is above -0.
pub fn max(f: Format, a: u64, b: u64, mode: Mode) -> u64 {
    choose(f, a, b, mode, Ordering::Greater)
}

fn choose(f: Format, a: u64, b: u64, mode: Mode, wanted: Ordering) -> u64 {
    let (a, b) = (f.input(a, mode), f.input(b, mode));
    if mode.ieee
        && let Some(signaling) = [a, b].into_iter().find(|bits| f.is_signaling(*bits))
    {
        return f.quiet(signaling);
    }
    let chosen = match (f.is_nan(a), f.is_nan(b)) {
        (true, true) => a,
        (true, false) => b,
        (false, true) => a,
        (false, false) => {
            let order = number(f, a).cmp(&number(f, b));
            // Equal numbers differ at most in the sign of zero, which decides then.
            let order = order.then_with(|| f.is_negative(b).cmp(&f.is_negative(a)));
            if order == wanted { a } else { b }
        }
    };
    f.output(chosen, mode)
}

/// min(min(a, b), c)
pub fn min3(f: Format, a: u64, b: u64, c: u64, mode: Mode) -> u64 {
    min(f, min(f, a, b, mode), c, mode)
}

/// max(max(a, b), c)
pub fn max3(f: Format, a: u64, b: u64, c: u64, mode: Mode) -> u64 {
    max(f, max(f, a, b, mode), c, mode)
}

/// The middle one of three; the minimum of the numbers when there is a NaN.
pub fn med3(f: Format, a: u64, b: u64, c: u64, mode: Mode) -> u64 {
    if f.is_nan(a) || f.is_nan(b) || f.is_nan(c) {
        return min3(f, a, b, c, mode);
    }
    // Denormal results become zero at the end only: which one is the largest is decided before.
    let kept = Mode { denormal_out: true, ..mode };
    let largest = max3(f, a, b, c, kept);
    let same = |x: u64| compare(f, largest, x, mode) == Some(Ordering::Equal);
    let middle = if same(a) {
        max(f, b, c, kept)
    } else if same(b) {
        max(f, a, c, kept)
    } else {
        max(f, a, b, kept)
    };
    f.output(middle, mode)
}
