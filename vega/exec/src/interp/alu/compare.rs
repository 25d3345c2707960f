//! Comparisons and classes.

use std::cmp::Ordering;

use vega_isa::Ty;
use vega_isa::micro::Cond;

use super::{Make, make};
use crate::interp::elem::{Elem, F16};
use crate::interp::lanes::{INVERT, Test, TestOp};
use crate::interp::num::f16_to_f32;

/// What a condition compares as.
trait Key: Elem {
    /// The value that has an order.
    type Order: PartialOrd;
    /// It.
    fn key(self) -> Self::Order;
}

macro_rules! keys {
    ($($ty:ty => $order:ty, $x:ident $e:expr;)*) => {$(
        impl Key for $ty {
            type Order = $order;
            #[inline(always)]
            fn key(self) -> $order {
                let $x = self;
                $e
            }
        }
    )*};
}
keys! {
    F16 => f32, x f16_to_f32(x);
    f32 => f32, x x;
    f64 => f64, x x;
    u16 => u16, x x;
    i16 => i16, x x;
    u32 => u32, x x;
    i32 => i32, x x;
    u64 => u64, x x;
    i64 => i64, x x;
}

macro_rules! tests {
    ($($name:ident |$a:ident, $b:ident| $e:expr;)*) => {$(
        #[derive(Clone, Copy)]
        struct $name<K>(std::marker::PhantomData<K>);
        impl<K: Key> Test for $name<K> {
            type A = K;
            type B = K;
            #[inline(always)]
            fn test($a: K, $b: K) -> bool {
                let ($a, $b) = ($a.key(), $b.key());
                $e
            }
        }
    )*};
}
tests! {
    Lt |a, b| a < b;
    Eq |a, b| a == b;
    Le |a, b| a <= b;
    Gt |a, b| a > b;
    Lg |a, b| matches!(a.partial_cmp(&b), Some(Ordering::Less | Ordering::Greater));
    Ge |a, b| a >= b;
    Ordered |a, b| a.partial_cmp(&b).is_some();
}

/// Never true.
#[derive(Clone, Copy)]
struct Never;

impl Test for Never {
    type A = u32;
    type B = u32;
    #[inline(always)]
    fn test(_: u32, _: u32) -> bool {
        false
    }
}

fn by_type<K: Key>(cond: Cond) -> Make {
    match cond {
        Cond::Lt => make::<TestOp<Lt<K>>>,
        Cond::Eq => make::<TestOp<Eq<K>>>,
        Cond::Le => make::<TestOp<Le<K>>>,
        Cond::Gt => make::<TestOp<Gt<K>>>,
        Cond::Lg => make::<TestOp<Lg<K>>>,
        Cond::Ge => make::<TestOp<Ge<K>>>,
        Cond::Ordered => make::<TestOp<Ordered<K>>>,
        _ => make::<TestOp<Never>>,
    }
}

/// The condition that is the opposite, for the upper eight of the sixteen: they are the opposites of the
/// lower eight in reverse order.
const fn lower(cond: Cond) -> (Cond, bool) {
    match cond {
        Cond::True => (Cond::False, true),
        Cond::Nlt => (Cond::Lt, true),
        Cond::Neq => (Cond::Eq, true),
        Cond::Nle => (Cond::Le, true),
        Cond::Ngt => (Cond::Gt, true),
        Cond::Nlg => (Cond::Lg, true),
        Cond::Nge => (Cond::Ge, true),
        Cond::Unordered => (Cond::Ordered, true),
        lower => (lower, false),
    }
}

/// The handler of a comparison and its `imm`.
pub(crate) fn compare(cond: Cond, ty: Ty) -> Option<(Make, i32)> {
    let (cond, inverted) = lower(cond);
    let make = match ty {
        Ty::F16 => by_type::<F16>(cond),
        Ty::F32 => by_type::<f32>(cond),
        Ty::F64 => by_type::<f64>(cond),
        Ty::U16 => by_type::<u16>(cond),
        Ty::I16 => by_type::<i16>(cond),
        Ty::U32 => by_type::<u32>(cond),
        Ty::I32 => by_type::<i32>(cond),
        Ty::U64 => by_type::<u64>(cond),
        Ty::I64 => by_type::<i64>(cond),
        _ => return None,
    };
    Some((make, if inverted { INVERT } else { 0 }))
}

/// Bit number of a value's class (Vega ISA, V_CMP_CLASS_F32), from its parts.
#[inline(always)]
fn class_bit(
    negative: bool,
    exponent_all_ones: bool,
    exponent_zero: bool,
    fraction: bool,
    quiet: bool,
) -> u32 {
    if exponent_all_ones {
        return match (fraction, quiet, negative) {
            (true, false, _) => 0,
            (true, true, _) => 1,
            (false, _, true) => 2,
            (false, _, false) => 9,
        };
    }
    let positive = if !exponent_zero {
        8
    } else if fraction {
        7
    } else {
        6
    };
    if negative { 11 - positive } else { positive }
}

macro_rules! classes {
    ($($name:ident $ty:ty, $bits:expr, $width:literal, $mantissa:literal;)*) => {$(
        #[derive(Clone, Copy)]
        struct $name;
        impl Test for $name {
            type A = $ty;
            type B = u32;
            #[inline(always)]
            fn test(a: $ty, mask: u32) -> bool {
                let bits: u64 = $bits(a);
                let exponents: u64 = (1 << ($width - 1 - $mantissa)) - 1;
                let exponent = bits >> $mantissa & exponents;
                let fraction = bits & ((1 << $mantissa) - 1) != 0;
                let quiet = bits >> ($mantissa - 1) & 1 != 0;
                let negative = bits >> ($width - 1) & 1 != 0;
                mask >> class_bit(negative, exponent == exponents, exponent == 0, fraction, quiet) & 1 != 0
            }
        }
    )*};
}
classes! {
    Class16 F16, |x: F16| u64::from(x.0), 16, 10;
    Class32 f32, |x: f32| u64::from(x.to_bits()), 32, 23;
    Class64 f64, |x: f64| x.to_bits(), 64, 52;
}

/// The handler of a class test.
pub(crate) fn class(ty: Ty) -> Option<Make> {
    match ty {
        Ty::F16 => Some(make::<TestOp<Class16>>),
        Ty::F32 => Some(make::<TestOp<Class32>>),
        Ty::F64 => Some(make::<TestOp<Class64>>),
        _ => None,
    }
}
