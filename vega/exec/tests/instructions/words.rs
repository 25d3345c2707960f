//! Machine words around the instruction under test (llvm-mc -mcpu=gfx900).

/// Before: each lane's 16 dwords in v[2:17], a descriptor in s[8:15], a sampler in s[16:19], eight scalars in s[24:31], M0 and EXEC. Args: data, M0, a pad, descriptor, sampler, EXEC, scalars.
#[rustfmt::skip]
pub const PROLOGUE: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc0020500, 0x00000008, // s_load_dword s20, s[0:1], 0x8
    0xc00e0200, 0x00000010, // s_load_dwordx8 s[8:15], s[0:1], 0x10
    0xc00a0400, 0x00000030, // s_load_dwordx4 s[16:19], s[0:1], 0x30
    0xc0060580, 0x00000040, // s_load_dwordx2 s[22:23], s[0:1], 0x40
    0xc00e0600, 0x00000050, // s_load_dwordx8 s[24:31], s[0:1], 0x50
    0x24020086,             // v_lshlrev_b32_e32 v1, 6, v0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xdc5c8000, 0x02060001, // global_load_dwordx4 v[2:5], v1, s[6:7]
    0xdc5c8010, 0x06060001, // global_load_dwordx4 v[6:9], v1, s[6:7] offset:16
    0xdc5c8020, 0x0a060001, // global_load_dwordx4 v[10:13], v1, s[6:7] offset:32
    0xdc5c8030, 0x0e060001, // global_load_dwordx4 v[14:17], v1, s[6:7] offset:48
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0xbefc0014,             // s_mov_b32 m0, s20
    0xbefe0116,             // s_mov_b64 exec, s[22:23]
];

/// Behind: v[2:17] and s[24:31] go back, the scalars 4 KiB further on.
#[rustfmt::skip]
pub const EPILOGUE: &[u32] = &[
    0xbf8c0000,             // s_waitcnt vmcnt(0) expcnt(0) lgkmcnt(0)
    0xbe96017e,             // s_mov_b64 s[22:23], exec
    0xbefe01c1,             // s_mov_b64 exec, -1
    0xc04a0603, 0x00001000, // s_store_dwordx4 s[24:27], s[6:7], 0x1000
    0xc04a0703, 0x00001010, // s_store_dwordx4 s[28:31], s[6:7], 0x1010
    0xc0460583, 0x00001020, // s_store_dwordx2 s[22:23], s[6:7], 0x1020
    0xdc7c8000, 0x00060201, // global_store_dwordx4 v1, v[2:5], s[6:7]
    0xdc7c8010, 0x00060601, // global_store_dwordx4 v1, v[6:9], s[6:7] offset:16
    0xdc7c8020, 0x00060a01, // global_store_dwordx4 v1, v[10:13], s[6:7] offset:32
    0xdc7c8030, 0x00060e01, // global_store_dwordx4 v1, v[14:17], s[6:7] offset:48
    0xbf810000,             // s_endpgm
];

/// Lanes of s[24:25] take the branch; s28 is the depth of forks before.
#[rustfmt::skip]
pub const FORK_NEAR: &[u32] = &[
    0xb8180002,             // s_cbranch_i_fork s[24:25], 2
    0x7e140281,             // v_mov_b32_e32 v10, 1
    0xbf820001,             // s_branch 1
    0x7e140282,             // v_mov_b32_e32 v10, 2
    0xbe802e1c,             // s_cbranch_join s28
    0x7e160283,             // v_mov_b32_e32 v11, 3
];

/// The same with the target in registers.
#[rustfmt::skip]
pub const FORK_FAR: &[u32] = &[
    0xbe9a1c00,             // s_getpc_b64 s[26:27]
    0x801a941a,             // s_add_u32 s26, s26, 20
    0x821b801b,             // s_addc_u32 s27, s27, 0
    0x94801a18,             // s_cbranch_g_fork s[24:25], s[26:27]
    0x7e140281,             // v_mov_b32_e32 v10, 1
    0xbf820001,             // s_branch 1
    0x7e140282,             // v_mov_b32_e32 v10, 2
    0xbe802e1c,             // s_cbranch_join s28
    0x7e160283,             // v_mov_b32_e32 v11, 3
];

/// Vector instructions between two s_setvskip do nothing.
#[rustfmt::skip]
pub const SKIP: &[u32] = &[
    0xbf108c18,             // s_setvskip s24, 12
    0x7e140281,             // v_mov_b32_e32 v10, 1
    0xd81a0000, 0x00000302, // ds_write_b32 v2, v3
    0xd86c0000, 0x0b000002, // ds_read_b32 v11, v2
    0x7d940100,             // v_cmp_eq_u32_e32 vcc, v0, v0
    0xbe9900ff, 0x0000004d, // s_mov_b32 s25, 0x4d
    0xbf108080,             // s_setvskip 0, 0
    0x7e180282,             // v_mov_b32_e32 v12, 2
    0xba000701, 0x00000001, // s_setreg_imm32_b32 hwreg(HW_REG_MODE, 28, 1), 1
    0x7e1a0283,             // v_mov_b32_e32 v13, 3
    0xb89af801,             // s_getreg_b32 s26, hwreg(HW_REG_MODE)
    0xba000701, 0x00000000, // s_setreg_imm32_b32 hwreg(HW_REG_MODE, 28, 1), 0
    0x7e1c0284,             // v_mov_b32_e32 v14, 4
];

/// Sources and destinations made relative one by one; s24 is 1.
#[rustfmt::skip]
pub const INDEXED: &[u32] = &[
    0xbf110118,             // s_set_gpr_idx_on s24, gpr_idx(SRC0)
    0x6c100d04,             // v_subrev_u32_e32 v8, v4, v6
    0x24120d02,             // v_lshlrev_b32_e32 v9, v2, v6
    0xbf9d0002,             // s_set_gpr_idx_mode gpr_idx(SRC1)
    0x6a140d04,             // v_sub_u32_e32 v10, v4, v6
    0xbf9d0008,             // s_set_gpr_idx_mode gpr_idx(DST)
    0x2c160ef4,             // v_mac_f32_e32 v11, 2.0, v7
    0x7e1a02f9, 0x00041505, // v_mov_b32_sdwa v13, v5 dst_sel:WORD_1 dst_unused:UNUSED_PRESERVE src0_sel:WORD_0
    0xbe803282,             // s_set_gpr_idx_idx 2
    0x7e1a0300,             // v_mov_b32_e32 v13, v0
    0xbf9c0000,             // s_set_gpr_idx_off
    0x7e200300,             // v_mov_b32_e32 v16, v0
    0xbf110118,             // s_set_gpr_idx_on s24, gpr_idx(SRC0)
    0xbe8032ff, 0x000000ff, // s_set_gpr_idx_idx 0xff
    0x7e220304,             // v_mov_b32_e32 v17, v4
    0xbf9d0008,             // s_set_gpr_idx_mode gpr_idx(DST)
    0x7e020287,             // v_mov_b32_e32 v1, 7
    0xbf9c0000,             // s_set_gpr_idx_off
    0x68040100,             // v_add_u32_e32 v2, v0, v0
];

/// Hardware registers.
#[rustfmt::skip]
pub const REGISTERS: &[u32] = &[
    0xb898f801,             // s_getreg_b32 s24, hwreg(HW_REG_MODE)
    0xb899f802,             // s_getreg_b32 s25, hwreg(HW_REG_STATUS)
    0xba004003, 0x00000155, // s_setreg_imm32_b32 hwreg(HW_REG_TRAPSTS, 0, 9), 0x155
    0xb89af803,             // s_getreg_b32 s26, hwreg(HW_REG_TRAPSTS)
    0xb89bf804,             // s_getreg_b32 s27, hwreg(HW_REG_HW_ID)
    0xb89cf805,             // s_getreg_b32 s28, hwreg(HW_REG_GPR_ALLOC)
    0xb89df806,             // s_getreg_b32 s29, hwreg(HW_REG_LDS_ALLOC)
    0xb89ef80f,             // s_getreg_b32 s30, hwreg(HW_REG_SH_MEM_BASES)
    0xb89f2107,             // s_getreg_b32 s31, hwreg(HW_REG_IB_STS, 4, 5)
];

/// One LDS dword for all lanes, in each type that M0 can name.
#[rustfmt::skip]
pub const LDS_DIRECT: &[u32] = &[
    0x7e060280,             // v_mov_b32_e32 v3, 0
    0xd81a0014, 0x00000403, // ds_write_b32 v3, v4 offset:20
    0xbefc00ff, 0x00020014, // s_mov_b32 m0, 0x20014
    0x7e1402fe,             // v_mov_b32_e32 v10, src_lds_direct
    0xbefc0095,             // s_mov_b32 m0, 21
    0x68160afe,             // v_add_u32_e32 v11, src_lds_direct, v5
    0xbefc00ff, 0x00010016, // s_mov_b32 m0, 0x10016
    0x7e1802fe,             // v_mov_b32_e32 v12, src_lds_direct
    0xbefc00ff, 0x00040017, // s_mov_b32 m0, 0x40017
    0x7e1a02fe,             // v_mov_b32_e32 v13, src_lds_direct
    0xbefc00ff, 0x00050016, // s_mov_b32 m0, 0x50016
    0x7e3004fe,             // v_readfirstlane_b32 s24, src_lds_direct
];

/// Messages without receiver, then one with.
#[rustfmt::skip]
pub const MESSAGES: &[u32] = &[
    0xbf900022,             // s_sendmsg sendmsg(MSG_GS, GS_OP_EMIT, 0)
    0xbf90003f,             // s_sendmsg sendmsg(MSG_SYSMSG, SYSMSG_OP_HOST_TRAP_ACK)
    0xbf900001,             // s_sendmsg sendmsg(MSG_INTERRUPT)
    0xbf8f0003,             // s_setprio 3
    0xbf960000,             // s_ttracedata
    0xbf940001,             // s_incperflevel 1
    0xbf950001,             // s_decperflevel 1
    0xbf930000,             // s_icache_inv
    0xc0800000, 0x00000000, // s_dcache_inv
    0xc0840000, 0x00000000, // s_dcache_wb
    0xc0a20003, 0x00000000, // s_dcache_discard s[6:7], 0x0
    0xc09a0043, 0x00000000, // s_atc_probe 1, s[6:7], 0x0
    0xbf830000,             // s_wakeup
    0xbf8d0000,             // s_sethalt 0
    0xbf8b0000,             // s_setkill 0
    0xbf970001,             // s_cbranch_cdbgsys 1
    0xbf980000,             // s_cbranch_cdbguser 0
    0xbe9800ff, 0x00000063, // s_mov_b32 s24, 0x63
];
