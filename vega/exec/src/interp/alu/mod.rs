//! Fast handlers of lane-local micro-operations without modifiers, in the default MODE, as tables from
//! micro-operation and type. What they lack, [`crate::semantics`] does; what they have must agree with it.
//!
//! A row is `op!(|a: A, b: B| -> D { … })`: element types say how operands lie in registers, `nan` before
//! the bar says that NaN results follow the NaN rule (first NaN source made quiet, else the default NaN).

use super::level::{Level, run};
use super::record::Run;

mod bin;
mod compare;
mod convert;
mod math;
mod packed;
mod tri;
mod un;
mod wide;

pub(crate) use bin::bin;
pub(crate) use compare::{class, compare};
pub(crate) use convert::convert;
pub(crate) use math::{div_fixup, div_scale};
pub(crate) use packed::{packed2, packed3};
pub(crate) use tri::tri;
pub(crate) use un::un;
pub(crate) use wide::mad_wide;

/// Makes a handler for a level; `None` in the tables means that the interpreter lacks the operation.
pub(crate) type Make = fn(Level) -> Run;

/// A [`Make`] for a lane-local operation.
macro_rules! op {
    (nan | $($rest:tt)*) => { op!(@args true, | $($rest)*) };
    (| $($rest:tt)*) => { op!(@args false, | $($rest)*) };
    (@args $nan:literal, |$a:ident: $A:ty| -> $D:ty $e:block) => {
        op!(@make $nan, $a $A, _b (), _c (), $D, $e)
    };
    (@args $nan:literal, |$a:ident: $A:ty, $b:ident: $B:ty| -> $D:ty $e:block) => {
        op!(@make $nan, $a $A, $b $B, _c (), $D, $e)
    };
    (@args $nan:literal, |$a:ident: $A:ty, $b:ident: $B:ty, $c:ident: $C:ty| -> $D:ty $e:block) => {
        op!(@make $nan, $a $A, $b $B, $c $C, $D, $e)
    };
    (@make $nan:literal, $a:ident $A:ty, $b:ident $B:ty, $c:ident $C:ty, $D:ty, $e:block) => {{
        #[derive(Clone, Copy)]
        struct This;
        impl $crate::interp::lanes::Op for This {
            type A = $A;
            type B = $B;
            type C = $C;
            type D = $D;
            const NAN: bool = $nan;
            #[inline(always)]
            fn apply($a: $A, $b: $B, $c: $C) -> $D $e
        }
        let make: $crate::interp::alu::Make = $crate::interp::alu::make::<$crate::interp::lanes::LaneOp<This>>;
        Some(make)
    }};
}
use op;

fn make<H: super::level::Handler>(level: Level) -> Run {
    run::<H>(level)
}
