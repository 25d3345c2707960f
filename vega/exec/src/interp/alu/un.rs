//! Lane operations with one source.

use vega_isa::Ty;
use vega_isa::micro::Un;

use super::{Make, math, op};
use crate::interp::num::flush32;

/// The handler of a one-source operation.
pub(crate) fn un(un: Un, ty: Ty) -> Option<Make> {
    match (un, ty.bits(), ty.is_float()) {
        (Un::Mov, 32, _) => op!(|a: u32| -> u32 { a }),
        (Un::Mov, 64, _) => op!(|a: u64| -> u64 { a }),
        (Un::Not, 32, _) => op!(|a: u32| -> u32 { !a }),
        (Un::Bfrev, 32, _) => op!(|a: u32| -> u32 { a.reverse_bits() }),
        (Un::Ffbl, 32, _) => op!(|a: u32| -> u32 { if a == 0 { !0 } else { a.trailing_zeros() } }),
        (Un::Ffbh, 32, _) if ty.is_signed() => op!(|a: i32| -> u32 {
            let unlike = (a ^ (a >> 31)) as u32;
            if unlike == 0 { !0 } else { unlike.leading_zeros() }
        }),
        (Un::Ffbh, 32, _) => op!(|a: u32| -> u32 { if a == 0 { !0 } else { a.leading_zeros() } }),
        (Un::SatPkU8, _, _) => op!(|a: u32| -> u32 {
            let saturate = |x: u32| u32::from((x as i16).clamp(0, 255) as u16);
            saturate(a) | saturate(a >> 16) << 8
        }),
        (_, 32, true) => un32(un),
        (_, 64, true) => un64(un),
        _ => None,
    }
}

fn un32(un: Un) -> Option<Make> {
    match un {
        Un::Trunc => op!(nan |a: f32| -> f32 { a.trunc() }),
        Un::Ceil => op!(nan |a: f32| -> f32 { a.ceil() }),
        Un::Rndne => op!(nan |a: f32| -> f32 { a.round_ties_even() }),
        Un::Floor => op!(nan |a: f32| -> f32 { a.floor() }),
        Un::Rcp | Un::RcpIflag => op!(nan |a: f32| -> f32 { flush32(1.0 / flush32(a)) }),
        Un::Sqrt => op!(nan |a: f32| -> f32 { a.sqrt() }),
        other => math::un(other, Ty::F32),
    }
}

fn un64(un: Un) -> Option<Make> {
    match un {
        Un::Trunc => op!(nan |a: f64| -> f64 { a.trunc() }),
        Un::Ceil => op!(nan |a: f64| -> f64 { a.ceil() }),
        Un::Rndne => op!(nan |a: f64| -> f64 { a.round_ties_even() }),
        Un::Floor => op!(nan |a: f64| -> f64 { a.floor() }),
        Un::Sqrt => op!(nan |a: f64| -> f64 { a.sqrt() }),
        other => math::un(other, Ty::F64),
    }
}
