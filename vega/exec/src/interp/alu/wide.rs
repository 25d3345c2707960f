//! Wide multiply-adds, whose carry is a lane mask.

use vega_isa::Ty;

use super::{Make, make};
use crate::interp::lanes::{FlagLane, FlagOp};

#[derive(Clone, Copy)]
struct MadU64;

impl FlagOp for MadU64 {
    type A = u32;
    type C = u64;
    #[inline(always)]
    fn apply(a: u32, b: u32, c: u64) -> (u64, bool) {
        (u64::from(a) * u64::from(b)).overflowing_add(c)
    }
}

#[derive(Clone, Copy)]
struct MadI64;

impl FlagOp for MadI64 {
    type A = i32;
    type C = i64;
    #[inline(always)]
    fn apply(a: i32, b: i32, c: i64) -> (i64, bool) {
        // Bit 64 of the 65-bit sum: its sign.
        let (sum, overflow) = (i64::from(a) * i64::from(b)).overflowing_add(c);
        (sum, (sum < 0) != overflow)
    }
}

/// The handler of `v_mad_u64_u32` and `v_mad_i64_i32`.
pub(crate) fn mad_wide(ty: Ty) -> Make {
    if ty.is_signed() { make::<FlagLane<MadI64>> } else { make::<FlagLane<MadU64>> }
}
