//! Which instruction of AVX2 does what one of AVX-512 does.

use iced_x86::Code;

/// The instruction for eight lanes; `None` where AVX2 has none.
fn twin(code: Code) -> Option<Code> {
    use Code::*;
    Some(match code {
        EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32 => VEX_Vpaddd_ymm_ymm_ymmm256,
        EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32 => VEX_Vpsubd_ymm_ymm_ymmm256,
        EVEX_Vpmulld_zmm_k1z_zmm_zmmm512b32 => VEX_Vpmulld_ymm_ymm_ymmm256,
        EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32 => VEX_Vpand_ymm_ymm_ymmm256,
        EVEX_Vpord_zmm_k1z_zmm_zmmm512b32 => VEX_Vpor_ymm_ymm_ymmm256,
        EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32 => VEX_Vpxor_ymm_ymm_ymmm256,
        EVEX_Vpminsd_zmm_k1z_zmm_zmmm512b32 => VEX_Vpminsd_ymm_ymm_ymmm256,
        EVEX_Vpmaxsd_zmm_k1z_zmm_zmmm512b32 => VEX_Vpmaxsd_ymm_ymm_ymmm256,
        EVEX_Vpminud_zmm_k1z_zmm_zmmm512b32 => VEX_Vpminud_ymm_ymm_ymmm256,
        EVEX_Vpmaxud_zmm_k1z_zmm_zmmm512b32 => VEX_Vpmaxud_ymm_ymm_ymmm256,
        EVEX_Vpsllvd_zmm_k1z_zmm_zmmm512b32 => VEX_Vpsllvd_ymm_ymm_ymmm256,
        EVEX_Vpsrlvd_zmm_k1z_zmm_zmmm512b32 => VEX_Vpsrlvd_ymm_ymm_ymmm256,
        EVEX_Vpsravd_zmm_k1z_zmm_zmmm512b32 => VEX_Vpsravd_ymm_ymm_ymmm256,
        EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8 => VEX_Vpslld_ymm_ymm_imm8,
        EVEX_Vpsrld_zmm_k1z_zmmm512b32_imm8 => VEX_Vpsrld_ymm_ymm_imm8,
        EVEX_Vpsrad_zmm_k1z_zmmm512b32_imm8 => VEX_Vpsrad_ymm_ymm_imm8,
        EVEX_Vpsllvq_zmm_k1z_zmm_zmmm512b64 => VEX_Vpsllvq_ymm_ymm_ymmm256,
        EVEX_Vpsrlvq_zmm_k1z_zmm_zmmm512b64 => VEX_Vpsrlvq_ymm_ymm_ymmm256,
        EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er => VEX_Vaddps_ymm_ymm_ymmm256,
        EVEX_Vsubps_zmm_k1z_zmm_zmmm512b32_er => VEX_Vsubps_ymm_ymm_ymmm256,
        EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er => VEX_Vmulps_ymm_ymm_ymmm256,
        EVEX_Vsqrtps_zmm_k1z_zmmm512b32_er => VEX_Vsqrtps_ymm_ymmm256,
        EVEX_Vrndscaleps_zmm_k1z_zmmm512b32_imm8_sae => VEX_Vroundps_ymm_ymmm256_imm8,
        EVEX_Vcvtdq2ps_zmm_k1z_zmmm512b32_er => VEX_Vcvtdq2ps_ymm_ymmm256,
        EVEX_Vaddpd_zmm_k1z_zmm_zmmm512b64_er => VEX_Vaddpd_ymm_ymm_ymmm256,
        EVEX_Vsubpd_zmm_k1z_zmm_zmmm512b64_er => VEX_Vsubpd_ymm_ymm_ymmm256,
        EVEX_Vmulpd_zmm_k1z_zmm_zmmm512b64_er => VEX_Vmulpd_ymm_ymm_ymmm256,
        EVEX_Vrndscalepd_zmm_k1z_zmmm512b64_imm8_sae => VEX_Vroundpd_ymm_ymmm256_imm8,
        EVEX_Vcvtps2pd_zmm_k1z_ymmm256b32_sae => VEX_Vcvtps2pd_ymm_xmmm128,
        EVEX_Vcvtdq2pd_zmm_k1z_ymmm256b32_er => VEX_Vcvtdq2pd_ymm_xmmm128,
        EVEX_Vcvtpd2ps_ymm_k1z_zmmm512b64_er => VEX_Vcvtpd2ps_xmm_ymmm256,
        EVEX_Vpandnd_zmm_k1z_zmm_zmmm512b32 => VEX_Vpandn_ymm_ymm_ymmm256,
        EVEX_Vpavgb_zmm_k1z_zmm_zmmm512 => VEX_Vpavgb_ymm_ymm_ymmm256,
        EVEX_Vpsubb_zmm_k1z_zmm_zmmm512 => VEX_Vpsubb_ymm_ymm_ymmm256,
        EVEX_Vpaddw_zmm_k1z_zmm_zmmm512 => VEX_Vpaddw_ymm_ymm_ymmm256,
        EVEX_Vpsubw_zmm_k1z_zmm_zmmm512 => VEX_Vpsubw_ymm_ymm_ymmm256,
        EVEX_Vpmullw_zmm_k1z_zmm_zmmm512 => VEX_Vpmullw_ymm_ymm_ymmm256,
        EVEX_Vpminsw_zmm_k1z_zmm_zmmm512 => VEX_Vpminsw_ymm_ymm_ymmm256,
        EVEX_Vpmaxsw_zmm_k1z_zmm_zmmm512 => VEX_Vpmaxsw_ymm_ymm_ymmm256,
        EVEX_Vpminuw_zmm_k1z_zmm_zmmm512 => VEX_Vpminuw_ymm_ymm_ymmm256,
        EVEX_Vpmaxuw_zmm_k1z_zmm_zmmm512 => VEX_Vpmaxuw_ymm_ymm_ymmm256,
        _ => return None,
    })
}

/// The instruction that an instruction of AVX-512 stands for, of which there must be one.
pub(super) fn host(code: Code) -> Code {
    twin(code).unwrap_or(Code::INVALID)
}
