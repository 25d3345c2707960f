//! VOP3P: packed and mixed 16-bit arithmetic.

use crate::micro::Bin::{Add, Ashr, Lshl, Lshr, Max, Min, Mul, Sub};
use crate::micro::Micro::{MadMix, Packed2, Packed3};
use crate::micro::MixDst;
use crate::micro::Tri::{self, Fma};
use crate::operand::Ty::{F16, I16, U16};
use crate::row::Row;
use crate::table::build::vop3p;
use crate::table::slots::ops;

/// Packed and mixed 16-bit arithmetic.
#[rustfmt::skip]
pub(super) static VOP3P: &[Row] = &[
    vop3p(0, "v_pk_mad_i16", ops!(vdst PkI16, src0 PkI16, src1 PkI16, src2 PkI16), Packed3(Tri::Mad, I16)),
    vop3p(1, "v_pk_mul_lo_u16", ops!(vdst PkU16, src0 PkU16, src1 PkU16), Packed2(Mul, U16)),
    vop3p(2, "v_pk_add_i16", ops!(vdst PkI16, src0 PkI16, src1 PkI16), Packed2(Add, I16)),
    vop3p(3, "v_pk_sub_i16", ops!(vdst PkI16, src0 PkI16, src1 PkI16), Packed2(Sub, I16)),
    vop3p(4, "v_pk_lshlrev_b16", ops!(vdst PkU16, src0 PkU16, src1 PkU16), Packed2(Lshl, U16)).rev(),
    vop3p(5, "v_pk_lshrrev_b16", ops!(vdst PkU16, src0 PkU16, src1 PkU16), Packed2(Lshr, U16)).rev(),
    vop3p(6, "v_pk_ashrrev_i16", ops!(vdst PkI16, src0 PkU16, src1 PkI16), Packed2(Ashr, I16)).rev(),
    vop3p(7, "v_pk_max_i16", ops!(vdst PkI16, src0 PkI16, src1 PkI16), Packed2(Max, I16)),
    vop3p(8, "v_pk_min_i16", ops!(vdst PkI16, src0 PkI16, src1 PkI16), Packed2(Min, I16)),
    vop3p(9, "v_pk_mad_u16", ops!(vdst PkU16, src0 PkU16, src1 PkU16, src2 PkU16), Packed3(Tri::Mad, U16)),
    vop3p(10, "v_pk_add_u16", ops!(vdst PkU16, src0 PkU16, src1 PkU16), Packed2(Add, U16)),
    vop3p(11, "v_pk_sub_u16", ops!(vdst PkU16, src0 PkU16, src1 PkU16), Packed2(Sub, U16)),
    vop3p(12, "v_pk_max_u16", ops!(vdst PkU16, src0 PkU16, src1 PkU16), Packed2(Max, U16)),
    vop3p(13, "v_pk_min_u16", ops!(vdst PkU16, src0 PkU16, src1 PkU16), Packed2(Min, U16)),
    vop3p(14, "v_pk_fma_f16", ops!(vdst PkF16, src0 PkF16, src1 PkF16, src2 PkF16), Packed3(Fma, F16)),
    vop3p(15, "v_pk_add_f16", ops!(vdst PkF16, src0 PkF16, src1 PkF16), Packed2(Add, F16)),
    vop3p(16, "v_pk_mul_f16", ops!(vdst PkF16, src0 PkF16, src1 PkF16), Packed2(Mul, F16)),
    vop3p(17, "v_pk_min_f16", ops!(vdst PkF16, src0 PkF16, src1 PkF16), Packed2(Min, F16)),
    vop3p(18, "v_pk_max_f16", ops!(vdst PkF16, src0 PkF16, src1 PkF16), Packed2(Max, F16)),
    vop3p(32, "v_mad_mix_f32", ops!(vdst F32, src0 F32, src1 F32, src2 F32), MadMix(MixDst::F32)).mix(),
    vop3p(33, "v_mad_mixlo_f16", ops!(vboth F32, src0 F32, src1 F32, src2 F32), MadMix(MixDst::LowF16)).mix(),
    vop3p(34, "v_mad_mixhi_f16", ops!(vboth F32, src0 F32, src1 F32, src2 F32), MadMix(MixDst::HighF16)).mix(),
];
