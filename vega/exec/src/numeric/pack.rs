//! From an exact value to the representable one that a rounding mode chooses.

use super::format::Format;
use super::mode::Round;

/// Rounds `(-1)^negative * (significand + s) * 2^exponent` to `format`, where s is 0, or somewhere strictly
/// between 0 and 1 when `sticky`. A zero significand without `sticky` is a zero.
///
/// Denormal results are rounded once, at their own precision. Overflow gives infinity or the largest
/// finite value, as the rounding mode says.
pub fn pack(
    format: Format,
    negative: bool,
    significand: u128,
    exponent: i32,
    sticky: bool,
    round: Round,
) -> u64 {
    let sign = if negative { format.sign_bit() } else { 0 };
    if significand == 0 && !sticky {
        return sign;
    }
    let top = 127 - significand.leading_zeros() as i32;
    // The weight of the result's last bit: fraction_bits below the top bit, but not below the least denormal.
    let least = 1 - format.bias() - format.fraction_bits as i32;
    let last =
        if significand == 0 { least } else { (exponent + top - format.fraction_bits as i32).max(least) };
    let shift = last - exponent;
    let (kept, rest) = if shift <= 0 {
        // Exact (and small enough: the top bit ends at fraction_bits).
        (significand << (-shift).min(127) as u32, if sticky { Rest::BelowHalf } else { Rest::None })
    } else {
        split(significand, shift as u32, sticky)
    };
    let away = match round {
        Round::NearestEven => rest == Rest::AboveHalf || rest == Rest::Half && kept & 1 == 1,
        Round::Up => !negative && rest != Rest::None,
        Round::Down => negative && rest != Rest::None,
        Round::TowardZero => false,
    };
    let kept = kept as u64 + away as u64;
    // The carry of rounding up moves into the exponent field by itself.
    let field_base = (last - least) as u64;
    let magnitude = if kept < format.min_normal() {
        kept
    } else {
        (field_base << format.fraction_bits).saturating_add(kept)
    };
    if magnitude >= format.infinity() || last - least >= 1 << format.exponent_bits {
        let to_infinity = match round {
            Round::NearestEven => true,
            Round::Up => !negative,
            Round::Down => negative,
            Round::TowardZero => false,
        };
        return sign | if to_infinity { format.infinity() } else { format.max_finite() };
    }
    sign | magnitude
}

/// What a right shift drops, against half of the last kept bit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    None,
    BelowHalf,
    Half,
    AboveHalf,
}

fn split(significand: u128, shift: u32, sticky: bool) -> (u128, Rest) {
    if shift > 128 {
        return (0, Rest::BelowHalf);
    }
    let kept = significand.checked_shr(shift).unwrap_or(0);
    let half = 1u128 << (shift - 1);
    let dropped = significand & (half | (half - 1));
    let rest = match (dropped.cmp(&half), sticky || dropped & (half - 1) != 0) {
        (std::cmp::Ordering::Less, _) if dropped == 0 && !sticky => Rest::None,
        (std::cmp::Ordering::Less, _) => Rest::BelowHalf,
        (_, true) => Rest::AboveHalf,
        (_, false) => Rest::Half,
    };
    (kept, rest)
}
