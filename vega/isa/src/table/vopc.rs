//! VOPC: comparisons that write a lane mask.

use crate::micro::Cond;
use crate::micro::Micro::{Compare, CompareClass};
use crate::operand::Ty;
use crate::row::{Legal, Row};
use crate::table::build::vopc;
use crate::table::slots::ops;

/// The comparisons of one type: `v_cmp` from `$base` on, `v_cmpx` 16 higher.
macro_rules! compares {
    ($name:ident, $ty:ident, $suffix:literal, $base:literal, [$($n:literal $cond:ident $text:literal),*]) => {
        static $name: &[Row] = &[
            $(vopc(
                $base + $n,
                concat!("v_cmp_", $text, "_", $suffix),
                ops!(mdst Mask, src0 $ty, src1 $ty),
                Compare { cond: Cond::$cond, ty: Ty::$ty, exec: false },
            ),)*
            $(vopc(
                $base + 0x10 + $n,
                concat!("v_cmpx_", $text, "_", $suffix),
                ops!(mdst Mask, src0 $ty, src1 $ty),
                Compare { cond: Cond::$cond, ty: Ty::$ty, exec: true },
            ),)*
        ];
    };
}

macro_rules! float_compares {
    ($($name:ident $ty:ident $suffix:literal $base:literal;)*) => {
        $(compares!($name, $ty, $suffix, $base, [
            0 False "f", 1 Lt "lt", 2 Eq "eq", 3 Le "le", 4 Gt "gt", 5 Lg "lg", 6 Ge "ge", 7 Ordered "o",
            8 Unordered "u", 9 Nge "nge", 10 Nlg "nlg", 11 Ngt "ngt", 12 Nle "nle", 13 Neq "neq", 14 Nlt "nlt",
            15 True "tru"
        ]);)*
    };
}

macro_rules! integer_compares {
    ($($name:ident $ty:ident $suffix:literal $base:literal;)*) => {
        $(compares!($name, $ty, $suffix, $base, [
            0 False "f", 1 Lt "lt", 2 Eq "eq", 3 Le "le", 4 Gt "gt", 5 Lg "ne", 6 Ge "ge", 7 True "t"
        ]);)*
    };
}

float_compares! {
    F16 F16 "f16" 0x20;
    F32 F32 "f32" 0x40;
    F64 F64 "f64" 0x60;
}

integer_compares! {
    I16 I16 "i16" 0xa0;
    U16 U16 "u16" 0xa8;
    I32 I32 "i32" 0xc0;
    U32 U32 "u32" 0xc8;
    I64 I64 "i64" 0xe0;
    U64 U64 "u64" 0xe8;
}

macro_rules! classes {
    ($($op:literal $text:literal $ty:ident $exec:literal;)*) => {
        static CLASSES: &[Row] = &[
            $(vopc(
                $op,
                $text,
                ops!(mdst Mask, src0 $ty, src1 U32),
                CompareClass { ty: Ty::$ty, exec: $exec },
            ).may_not(Legal::CLAMP),)*
        ];
    };
}

classes! {
    0x10 "v_cmp_class_f32" F32 false;
    0x11 "v_cmpx_class_f32" F32 true;
    0x12 "v_cmp_class_f64" F64 false;
    0x13 "v_cmpx_class_f64" F64 true;
    0x14 "v_cmp_class_f16" F16 false;
    0x15 "v_cmpx_class_f16" F16 true;
}

/// Comparisons that write a lane mask.
pub(super) static VOPC: &[&[Row]] = &[CLASSES, F16, F32, F64, I16, U16, I32, U32, I64, U64];
