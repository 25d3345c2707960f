//! The host's instructions for floats of either width, and constants in their form.

use Code::*;
use iced_x86::Code;

/// The instructions for floats of one width.
pub(super) struct Width {
    pub add: Code,
    pub sub: Code,
    pub mul: Code,
    pub div: Code,
    pub sqrt: Code,
    pub getexp: Code,
    pub getmant: Code,
    pub scalef: Code,
    pub class: Code,
    pub compare: Code,
    pub round: Code,
    pub equal: Code,
    pub less: Code,
    pub shift: Code,
    pub moves: Code,
    pub or: Code,
    pub wide: bool,
}

/// f32.
pub(super) const SINGLE: Width = Width {
    add: EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er,
    sub: EVEX_Vsubps_zmm_k1z_zmm_zmmm512b32_er,
    mul: EVEX_Vmulps_zmm_k1z_zmm_zmmm512b32_er,
    div: EVEX_Vdivps_zmm_k1z_zmm_zmmm512b32_er,
    sqrt: EVEX_Vsqrtps_zmm_k1z_zmmm512b32_er,
    getexp: EVEX_Vgetexpps_zmm_k1z_zmmm512b32_sae,
    getmant: EVEX_Vgetmantps_zmm_k1z_zmmm512b32_imm8_sae,
    scalef: EVEX_Vscalefps_zmm_k1z_zmm_zmmm512b32_er,
    class: EVEX_Vfpclassps_kr_k1_zmmm512b32_imm8,
    compare: EVEX_Vcmpps_kr_k1_zmm_zmmm512b32_imm8_sae,
    round: EVEX_Vrndscaleps_zmm_k1z_zmmm512b32_imm8_sae,
    equal: EVEX_Vpcmpeqd_kr_k1_zmm_zmmm512b32,
    less: EVEX_Vpcmpd_kr_k1_zmm_zmmm512b32_imm8,
    shift: EVEX_Vpsrld_zmm_k1z_zmmm512b32_imm8,
    moves: EVEX_Vmovdqa32_zmm_k1z_zmmm512,
    or: EVEX_Vpord_zmm_k1z_zmm_zmmm512b32,
    wide: false,
};

/// f64.
pub(super) const DOUBLE: Width = Width {
    add: EVEX_Vaddpd_zmm_k1z_zmm_zmmm512b64_er,
    sub: EVEX_Vsubpd_zmm_k1z_zmm_zmmm512b64_er,
    mul: EVEX_Vmulpd_zmm_k1z_zmm_zmmm512b64_er,
    div: EVEX_Vdivpd_zmm_k1z_zmm_zmmm512b64_er,
    sqrt: EVEX_Vsqrtpd_zmm_k1z_zmmm512b64_er,
    getexp: EVEX_Vgetexppd_zmm_k1z_zmmm512b64_sae,
    getmant: EVEX_Vgetmantpd_zmm_k1z_zmmm512b64_imm8_sae,
    scalef: EVEX_Vscalefpd_zmm_k1z_zmm_zmmm512b64_er,
    class: EVEX_Vfpclasspd_kr_k1_zmmm512b64_imm8,
    compare: EVEX_Vcmppd_kr_k1_zmm_zmmm512b64_imm8_sae,
    round: EVEX_Vrndscalepd_zmm_k1z_zmmm512b64_imm8_sae,
    equal: EVEX_Vpcmpeqq_kr_k1_zmm_zmmm512b64,
    less: EVEX_Vpcmpq_kr_k1_zmm_zmmm512b64_imm8,
    shift: EVEX_Vpsrlq_zmm_k1z_zmmm512b64_imm8,
    moves: EVEX_Vmovdqa64_zmm_k1z_zmmm512,
    or: EVEX_Vporq_zmm_k1z_zmm_zmmm512b64,
    wide: true,
};

impl Width {
    /// A value of this width in every element.
    pub fn table(&self, value: u64) -> [u32; 16] {
        std::array::from_fn(|n| if self.wide && n % 2 == 1 { (value >> 32) as u32 } else { value as u32 })
    }

    /// A float of this width in every element.
    pub fn float(&self, value: f64) -> [u32; 16] {
        self.table(if self.wide { value.to_bits() } else { (value as f32).to_bits().into() })
    }

    /// The sign bit in every element.
    pub fn sign(&self) -> [u32; 16] {
        self.table(if self.wide { 1 << 63 } else { 1 << 31 })
    }

    /// The bit that makes a NaN quiet.
    pub fn quiet(&self) -> [u32; 16] {
        self.table(if self.wide { 1 << 51 } else { 1 << 22 })
    }

    /// The NaN of an invalid operation.
    pub fn default_nan(&self) -> [u32; 16] {
        self.table(if self.wide { 0x7ff8 << 48 } else { 0x7fc0_0000 })
    }

    /// Infinity.
    pub fn infinity(&self) -> [u32; 16] {
        self.table(if self.wide { 0x7ff0 << 48 } else { 0x7f80_0000 })
    }
}

/// Bits of the class instructions' immediate.
pub(super) mod class {
    pub const QUIET: u8 = 0x01;
    pub const ZERO: u8 = 0x02 | 0x04;
    pub const POSITIVE_INFINITY: u8 = 0x08;
    pub const INFINITY: u8 = 0x08 | 0x10;
    pub const DENORMAL: u8 = 0x20;
    pub const SIGNALING: u8 = 0x80;
    pub const NAN: u8 = QUIET | SIGNALING;
}
