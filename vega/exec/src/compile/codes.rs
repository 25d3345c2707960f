//! Short names of instructions of AVX-512 on dwords, which several kinds of operations are made of.

use iced_x86::Code;

use super::assembler::Masking;
use Code::*;

pub(super) const ADD: Code = EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32;
pub(super) const SUB: Code = EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32;
pub(super) const AND: Code = EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32;
pub(super) const OR: Code = EVEX_Vpord_zmm_k1z_zmm_zmmm512b32;
pub(super) const XOR: Code = EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32;

/// Shifts by a constant.
pub(super) mod by_constant {
    use super::*;

    pub const SHL: Code = EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8;
    pub const SHR: Code = EVEX_Vpsrld_zmm_k1z_zmmm512b32_imm8;
    pub const SAR: Code = EVEX_Vpsrad_zmm_k1z_zmmm512b32_imm8;
}

/// All elements, without exceptions.
pub(super) const QUIET: Masking = Masking { by: None, zero: false, quiet: true };
