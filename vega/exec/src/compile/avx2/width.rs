//! The host's instructions for elements of either width, beyond those that have a twin of AVX-512.

use iced_x86::Code;

use crate::compile::width::Width;
use Code::*;

/// Instructions for one width.
pub(super) struct Host {
    /// The second source where one is a NaN, or both are zero.
    pub min: Code,
    /// Likewise.
    pub max: Code,
    pub div: Code,
    pub sqrt: Code,
    /// To a vector of all ones or zeroes.
    pub compare: Code,
    /// d = a * d + c
    pub fma213: Code,
    /// d = a * b + d
    pub fma231: Code,
    // Integers.
    pub plus: Code,
    pub minus: Code,
    pub equal: Code,
    pub greater: Code,
    pub up: Code,
    pub down: Code,
}

static HOSTS: [Host; 2] = [
    Host {
        min: VEX_Vminps_ymm_ymm_ymmm256,
        max: VEX_Vmaxps_ymm_ymm_ymmm256,
        div: VEX_Vdivps_ymm_ymm_ymmm256,
        sqrt: VEX_Vsqrtps_ymm_ymmm256,
        compare: VEX_Vcmpps_ymm_ymm_ymmm256_imm8,
        fma213: VEX_Vfmadd213ps_ymm_ymm_ymmm256,
        fma231: VEX_Vfmadd231ps_ymm_ymm_ymmm256,
        plus: VEX_Vpaddd_ymm_ymm_ymmm256,
        minus: VEX_Vpsubd_ymm_ymm_ymmm256,
        equal: VEX_Vpcmpeqd_ymm_ymm_ymmm256,
        greater: VEX_Vpcmpgtd_ymm_ymm_ymmm256,
        up: VEX_Vpslld_ymm_ymm_imm8,
        down: VEX_Vpsrld_ymm_ymm_imm8,
    },
    Host {
        min: VEX_Vminpd_ymm_ymm_ymmm256,
        max: VEX_Vmaxpd_ymm_ymm_ymmm256,
        div: VEX_Vdivpd_ymm_ymm_ymmm256,
        sqrt: VEX_Vsqrtpd_ymm_ymmm256,
        compare: VEX_Vcmppd_ymm_ymm_ymmm256_imm8,
        fma213: VEX_Vfmadd213pd_ymm_ymm_ymmm256,
        fma231: VEX_Vfmadd231pd_ymm_ymm_ymmm256,
        plus: VEX_Vpaddq_ymm_ymm_ymmm256,
        minus: VEX_Vpsubq_ymm_ymm_ymmm256,
        equal: VEX_Vpcmpeqq_ymm_ymm_ymmm256,
        greater: VEX_Vpcmpgtq_ymm_ymm_ymmm256,
        up: VEX_Vpsllq_ymm_ymm_imm8,
        down: VEX_Vpsrlq_ymm_ymm_imm8,
    },
];

/// The instructions for floats of this width, and integers as wide.
pub(super) fn host_of(w: &Width) -> &'static Host {
    &HOSTS[usize::from(w.wide)]
}
