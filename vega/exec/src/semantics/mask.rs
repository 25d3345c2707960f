//! Operations that write or read lane masks: comparisons, carries, the division helpers.

use std::cmp::Ordering;

use vega_isa::micro::Cond;
use vega_isa::{Micro, Ty};

use super::{Context, fit, format, integer};
use crate::numeric::{Format, divide, order};

/// The result and the lane's bit of the written mask.
pub(super) fn evaluate(micro: Micro, [a, b, c]: [u64; 3], mask: bool, context: &Context) -> (u128, bool) {
    match micro {
        Micro::Compare { cond, ty, .. } => (0, compare(cond, ty, a, b, context)),
        Micro::CompareClass { ty, .. } => {
            let class = format(ty).map_or(0, |f| order::class(f, a));
            (0, class & b as u32 != 0)
        }
        Micro::Carry { subtract, carry_in } => {
            let (x, y) = (i128::from(a as u32), i128::from(b as u32));
            let carry = i128::from(carry_in && mask);
            let wide = if subtract { x - y - carry } else { x + y + carry };
            (fit(wide, 32, false, context.clamp).into(), wide < 0 || wide >> 32 != 0)
        }
        Micro::MadWide(ty) => {
            let product = integer(ty, a) * integer(ty, b);
            let addend = if ty.is_signed() { i128::from(c as i64) } else { i128::from(c) };
            let sum = product + addend;
            (fit(sum, 64, ty.is_signed(), context.clamp).into(), sum >> 64 & 1 == 1)
        }
        Micro::DivScale(ty) => {
            let f = format(ty).unwrap_or(Format::F32);
            let (value, scaled) = divide::div_scale(f, a, b, c, context.mode(ty));
            (value.into(), scaled)
        }
        Micro::DivFmas(ty) => {
            let f = format(ty).unwrap_or(Format::F32);
            (divide::div_fmas(f, a, b, c, mask, context.mode(ty)).into(), false)
        }
        Micro::DivFixup(ty) => {
            let f = format(ty).unwrap_or(Format::F32);
            (divide::div_fixup(f, a, b, c, context.mode(ty)).into(), false)
        }
        _ => (0, false),
    }
}

fn compare(cond: Cond, ty: Ty, a: u64, b: u64, context: &Context) -> bool {
    let order = match format(ty) {
        Some(f) => order::compare(f, a, b, context.mode(ty)),
        None => Some(integer(ty, a).cmp(&integer(ty, b))),
    };
    let is = |wanted: Ordering| order == Some(wanted);
    let (less, equal, greater) = (is(Ordering::Less), is(Ordering::Equal), is(Ordering::Greater));
    match cond {
        Cond::False => false,
        Cond::Lt => less,
        Cond::Eq => equal,
        Cond::Le => less || equal,
        Cond::Gt => greater,
        Cond::Lg => less || greater,
        Cond::Ge => greater || equal,
        Cond::Ordered => order.is_some(),
        Cond::Unordered => order.is_none(),
        Cond::Nge => !(greater || equal),
        Cond::Nlg => !(less || greater),
        Cond::Ngt => !greater,
        Cond::Nle => !(less || equal),
        Cond::Neq => !equal,
        Cond::Nlt => !less,
        Cond::True => true,
    }
}
