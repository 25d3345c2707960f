//! Which instructions have an emission, and what they stand for.

use iced_x86::Code;

use super::twins::twin;
use crate::compile::ir::Lane;
use crate::compile::shape::{Packed, Shape, is_watched};
use Code::*;

/// Minimum and maximum as IEEE has them.
const fn is_range(code: Code, imm: u8) -> bool {
    matches!(code, EVEX_Vrangeps_zmm_k1z_zmm_zmmm512b32_imm8_sae) && matches!(imm, 4 | 5)
}

/// Whether an instruction of this shape has an emission.
pub(in crate::compile) fn covers(lane: &Lane, shape: Shape) -> bool {
    // A lane mask is one value: a pair of registers that begins with an even one.
    let even = [lane.mask_in, lane.mask_out].into_iter().flatten().all(|number| number % 2 == 0);
    let clamps = matches!(
        shape,
        Shape::Unary(..)
            | Shape::UnaryImmediate(..)
            | Shape::Binary(..)
            | Shape::BinaryImmediate(..)
            | Shape::Fma
            | Shape::MadFlush
            | Shape::MadLegacy
            | Shape::MulLegacy
            | Shape::FloatChain(_)
            | Shape::FloatMedian
            | Shape::HalfToFloat
            | Shape::Mix(_)
    );
    let has = |code: Code| twin(code).is_some();
    let emitted = match shape {
        Shape::Unary(code, _) => has(code) || code == EVEX_Vcvtudq2ps_zmm_k1z_zmmm512b32_er,
        Shape::UnaryImmediate(code, ..) | Shape::Binary(code, _) | Shape::ShiftThen(code) => has(code),
        Shape::BinaryImmediate(code, imm, _) => is_range(code, imm),
        Shape::Shift(first, second) | Shape::Chain(first, second) => has(first) && has(second),
        Shape::WideShift(code) => has(code) || code == EVEX_Vpsravq_zmm_k1z_zmm_zmmm512b64,
        Shape::WideBinary(code) | Shape::WideUnary(code, _) | Shape::Narrow(code) | Shape::Half(code) => {
            has(code)
        }
        Shape::Word(code, _) | Shape::WordShift(code, _) | Shape::WordChain(code, _) => has(code),
        Shape::HalfUnary(code, _) => has(code) || code == EVEX_Vdivps_zmm_k1z_zmm_zmmm512b32_er,
        Shape::Packed(Packed::Int(code) | Packed::Half(code)) => has(code),
        Shape::Packed(packed) => matches!(packed, Packed::Mad | Packed::Fma | Packed::MinMax { .. } | Packed::Shift(_)),
        Shape::Widen(code) => has(code) || code == EVEX_Vcvtudq2pd_zmm_k1z_ymmm256b32_er,
        Shape::Logic(imm) => matches!(imm, 0x55 | 0xca | 0xea | 0xfe),
        Shape::Compare(code, _) => matches!(
            code,
            EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae
                | EVEX_Vpcmpud_kr_k1_zmm_zmmm512b32_imm8
                | EVEX_Vpcmpd_kr_k1_zmm_zmmm512b32_imm8
        ),
        Shape::WideCompare(code, _) => matches!(
            code,
            EVEX_Vcmppd_kr_k1_zmm_zmmm512b64_imm8_sae
                | EVEX_Vpcmpuq_kr_k1_zmm_zmmm512b64_imm8
                | EVEX_Vpcmpq_kr_k1_zmm_zmmm512b64_imm8
        ),
        Shape::Move
        | Shape::WideFma
        | Shape::AddShift
        | Shape::Fma
        | Shape::MadFlush
        | Shape::MadLegacy
        | Shape::MulLegacy
        | Shape::WideRange(_)
        | Shape::Perm
        | Shape::Mix(_)
        | Shape::Mul24 { .. }
        | Shape::MulHi { .. }
        | Shape::Bfe { .. }
        | Shape::Bfm
        | Shape::Align { .. }
        | Shape::FindHigh { .. }
        | Shape::FindLow
        | Shape::CountAdd(_)
        | Shape::Median { .. }
        | Shape::Carry { .. }
        | Shape::Select
        | Shape::MadWide { .. }
        | Shape::ToInt { .. }
        | Shape::Byte(_)
        | Shape::Reciprocal
        | Shape::HalfToFloat
        | Shape::FloatToHalf
        | Shape::HalfFma
        | Shape::HalfMinMax { .. }
        | Shape::HalfCompare(_)
        | Shape::HalfToInt { .. }
        | Shape::IntToHalf { .. }
        | Shape::PackTowardZero
        | Shape::WordMad
        | Shape::MadTo32 { .. }
        | Shape::WordMedian { .. }
        | Shape::WordCompare(..)
        | Shape::PackWords
        | Shape::PackInt { .. }
        | Shape::WideToInt { .. }
        | Shape::Reverse
        | Shape::Sad(_)
        | Shape::Lerp
        | Shape::SaturateBytes
        | Shape::MulHigh24 { .. }
        | Shape::RoundToInt { .. }
        | Shape::PackByte
        | Shape::OffsetI4
        | Shape::FloatChain(_)
        | Shape::FloatMedian
        | Shape::Class(_)
        | Shape::Memory => true,
        _ => false,
    };
    even && emitted && (clamps || !lane.clamp)
}

/// Whether results may be NaNs that need to be watched. Here those of minimum and maximum are, too.
pub(in crate::compile) fn watches(shape: Shape) -> bool {
    is_watched(shape)
        || matches!(shape, Shape::FloatChain(_) | Shape::FloatMedian)
        || matches!(shape, Shape::BinaryImmediate(code, imm, _) if is_range(code, imm))
}

/// The instruction that an instruction of AVX-512 stands for; [`covers`] has seen that there is one.
pub(super) fn host(code: Code) -> Code {
    twin(code).unwrap_or(INVALID)
}
