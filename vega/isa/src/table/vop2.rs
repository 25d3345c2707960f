//! VOP2: two sources per lane.

use crate::micro::Bin::{Add, And, Ashr, Ldexp, Lshl, Lshr, Max, Min, Mul, MulHi, MulLegacy, Or, Sub, Xor};
use crate::micro::Micro::{Carry, Lane2, Lane3, Select};
use crate::micro::Tri::Mad;
use crate::operand::Ty::{B16, B32, F16, F32, I16, I24, I32, U16, U24, U32};
use crate::row::{Legal, Row};
use crate::table::build::vop2;
use crate::table::slots::ops;

/// Two sources per lane.
#[rustfmt::skip]
pub(super) static VOP2: &[Row] = &[
    vop2(0, "v_cndmask_b32", ops!(vdst B32, src0 B32, src1 B32, msrc2 Mask), Select).may(Legal::NEG.with(Legal::ABS)),
    vop2(1, "v_add_f32", ops!(vdst F32, src0 F32, src1 F32), Lane2(Add, F32)),
    vop2(2, "v_sub_f32", ops!(vdst F32, src0 F32, src1 F32), Lane2(Sub, F32)),
    vop2(3, "v_subrev_f32", ops!(vdst F32, src0 F32, src1 F32), Lane2(Sub, F32)).rev(),
    vop2(4, "v_mul_legacy_f32", ops!(vdst F32, src0 F32, src1 F32), Lane2(MulLegacy, F32)),
    vop2(5, "v_mul_f32", ops!(vdst F32, src0 F32, src1 F32), Lane2(Mul, F32)),
    vop2(6, "v_mul_i32_i24", ops!(vdst I24, src0 I24, src1 I24), Lane2(Mul, I24)).may(Legal::CLAMP),
    vop2(7, "v_mul_hi_i32_i24", ops!(vdst I24, src0 I24, src1 I24), Lane2(MulHi, I24)),
    vop2(8, "v_mul_u32_u24", ops!(vdst U24, src0 U24, src1 U24), Lane2(Mul, U24)).may(Legal::CLAMP),
    vop2(9, "v_mul_hi_u32_u24", ops!(vdst U24, src0 U24, src1 U24), Lane2(MulHi, U24)),
    vop2(10, "v_min_f32", ops!(vdst F32, src0 F32, src1 F32), Lane2(Min, F32)),
    vop2(11, "v_max_f32", ops!(vdst F32, src0 F32, src1 F32), Lane2(Max, F32)),
    vop2(12, "v_min_i32", ops!(vdst I32, src0 I32, src1 I32), Lane2(Min, I32)),
    vop2(13, "v_max_i32", ops!(vdst I32, src0 I32, src1 I32), Lane2(Max, I32)),
    vop2(14, "v_min_u32", ops!(vdst U32, src0 U32, src1 U32), Lane2(Min, U32)),
    vop2(15, "v_max_u32", ops!(vdst U32, src0 U32, src1 U32), Lane2(Max, U32)),
    vop2(16, "v_lshrrev_b32", ops!(vdst B32, src0 U32, src1 B32), Lane2(Lshr, B32)).rev(),
    vop2(17, "v_ashrrev_i32", ops!(vdst I32, src0 U32, src1 I32), Lane2(Ashr, I32)).rev(),
    vop2(18, "v_lshlrev_b32", ops!(vdst B32, src0 U32, src1 B32), Lane2(Lshl, B32)).rev(),
    vop2(19, "v_and_b32", ops!(vdst B32, src0 B32, src1 B32), Lane2(And, B32)),
    vop2(20, "v_or_b32", ops!(vdst B32, src0 B32, src1 B32), Lane2(Or, B32)),
    vop2(21, "v_xor_b32", ops!(vdst B32, src0 B32, src1 B32), Lane2(Xor, B32)),
    vop2(22, "v_mac_f32", ops!(vboth F32, src0 F32, src1 F32), Lane3(Mad, F32)).no_sdwa(),
    vop2(23, "v_madmk_f32", ops!(vdst F32, src0 F32, k32 F32, src1 F32), Lane3(Mad, F32)).e32_only(),
    vop2(24, "v_madak_f32", ops!(vdst F32, src0 F32, src1 F32, k32 F32), Lane3(Mad, F32)).e32_only(),
    vop2(25, "v_add_co_u32", ops!(vdst U32, mdst Mask, src0 U32, src1 U32), Carry { subtract: false, carry_in: false }).may(Legal::CLAMP),
    vop2(26, "v_sub_co_u32", ops!(vdst U32, mdst Mask, src0 U32, src1 U32), Carry { subtract: true, carry_in: false }).may(Legal::CLAMP),
    vop2(27, "v_subrev_co_u32", ops!(vdst U32, mdst Mask, src0 U32, src1 U32), Carry { subtract: true, carry_in: false }).rev().may(Legal::CLAMP),
    vop2(28, "v_addc_co_u32", ops!(vdst U32, mdst Mask, src0 U32, src1 U32, msrc2 Mask), Carry { subtract: false, carry_in: true }).may(Legal::CLAMP),
    vop2(29, "v_subb_co_u32", ops!(vdst U32, mdst Mask, src0 U32, src1 U32, msrc2 Mask), Carry { subtract: true, carry_in: true }).may(Legal::CLAMP),
    vop2(30, "v_subbrev_co_u32", ops!(vdst U32, mdst Mask, src0 U32, src1 U32, msrc2 Mask), Carry { subtract: true, carry_in: true }).rev().may(Legal::CLAMP),
    vop2(31, "v_add_f16", ops!(vdst F16, src0 F16, src1 F16), Lane2(Add, F16)),
    vop2(32, "v_sub_f16", ops!(vdst F16, src0 F16, src1 F16), Lane2(Sub, F16)),
    vop2(33, "v_subrev_f16", ops!(vdst F16, src0 F16, src1 F16), Lane2(Sub, F16)).rev(),
    vop2(34, "v_mul_f16", ops!(vdst F16, src0 F16, src1 F16), Lane2(Mul, F16)),
    vop2(35, "v_mac_f16", ops!(vboth F16, src0 F16, src1 F16), Lane3(Mad, F16)).no_sdwa(),
    vop2(36, "v_madmk_f16", ops!(vdst F16, src0 F16, k32 F16, src1 F16), Lane3(Mad, F16)).e32_only(),
    vop2(37, "v_madak_f16", ops!(vdst F16, src0 F16, src1 F16, k32 F16), Lane3(Mad, F16)).e32_only(),
    vop2(38, "v_add_u16", ops!(vdst U16, src0 U16, src1 U16), Lane2(Add, U16)).may(Legal::CLAMP),
    vop2(39, "v_sub_u16", ops!(vdst U16, src0 U16, src1 U16), Lane2(Sub, U16)).may(Legal::CLAMP),
    vop2(40, "v_subrev_u16", ops!(vdst U16, src0 U16, src1 U16), Lane2(Sub, U16)).rev().may(Legal::CLAMP),
    vop2(41, "v_mul_lo_u16", ops!(vdst U16, src0 U16, src1 U16), Lane2(Mul, U16)),
    vop2(42, "v_lshlrev_b16", ops!(vdst B16, src0 U16, src1 B16), Lane2(Lshl, B16)).rev(),
    vop2(43, "v_lshrrev_b16", ops!(vdst B16, src0 U16, src1 B16), Lane2(Lshr, B16)).rev(),
    vop2(44, "v_ashrrev_i16", ops!(vdst I16, src0 U16, src1 I16), Lane2(Ashr, I16)).rev(),
    vop2(45, "v_max_f16", ops!(vdst F16, src0 F16, src1 F16), Lane2(Max, F16)),
    vop2(46, "v_min_f16", ops!(vdst F16, src0 F16, src1 F16), Lane2(Min, F16)),
    vop2(47, "v_max_u16", ops!(vdst U16, src0 U16, src1 U16), Lane2(Max, U16)),
    vop2(48, "v_max_i16", ops!(vdst I16, src0 I16, src1 I16), Lane2(Max, I16)),
    vop2(49, "v_min_u16", ops!(vdst U16, src0 U16, src1 U16), Lane2(Min, U16)),
    vop2(50, "v_min_i16", ops!(vdst I16, src0 I16, src1 I16), Lane2(Min, I16)),
    vop2(51, "v_ldexp_f16", ops!(vdst F16, src0 F16, src1 I32), Lane2(Ldexp, F16)),
    vop2(52, "v_add_u32", ops!(vdst U32, src0 U32, src1 U32), Lane2(Add, U32)).may(Legal::CLAMP),
    vop2(53, "v_sub_u32", ops!(vdst U32, src0 U32, src1 U32), Lane2(Sub, U32)).may(Legal::CLAMP),
    vop2(54, "v_subrev_u32", ops!(vdst U32, src0 U32, src1 U32), Lane2(Sub, U32)).rev().may(Legal::CLAMP),
];
