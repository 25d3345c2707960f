//! Programs for the tests, with their machine words (llvm-mc -mcpu=gfx900).
#![allow(dead_code)]

/// Stores v0, v1, v2, the workgroup id and EXEC of every work-item: 8 dwords at data + 32 * (flat id); args: data address, items per workgroup, workgroups in x.
#[rustfmt::skip]
pub const EXEC_IDS: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc0060200, 0x00000008, // s_load_dwordx2 s[8:9], s[0:1], 0x8
    0xc0060280, 0x00000010, // s_load_dwordx2 s[10:11], s[0:1], 0x10
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x920c0309,             // s_mul_i32 s12, s9, s3
    0x800c020c,             // s_add_u32 s12, s12, s2
    0x920c080c,             // s_mul_i32 s12, s12, s8
    0xd2850004, 0x00001501, // v_mul_lo_u32 v4, v1, s10
    0x68080104,             // v_add_u32_e32 v4, v4, v0
    0xd2850005, 0x00001502, // v_mul_lo_u32 v5, v2, s10
    0xd2850005, 0x00001705, // v_mul_lo_u32 v5, v5, s11
    0x68080b04,             // v_add_u32_e32 v4, v4, v5
    0x6808080c,             // v_add_u32_e32 v4, s12, v4
    0x24080885,             // v_lshlrev_b32_e32 v4, 5, v4
    0x7e0c0202,             // v_mov_b32_e32 v6, s2
    0x7e0e0203,             // v_mov_b32_e32 v7, s3
    0x7e100204,             // v_mov_b32_e32 v8, s4
    0x7e12027e,             // v_mov_b32_e32 v9, exec_lo
    0x7e14027f,             // v_mov_b32_e32 v10, exec_hi
    0xdc788000, 0x00060004, // global_store_dwordx3 v4, v[0:2], s[6:7]
    0xdc78800c, 0x00060604, // global_store_dwordx3 v4, v[6:8], s[6:7] offset:12
    0xdc748018, 0x00060904, // global_store_dwordx2 v4, v[9:10], s[6:7] offset:24
    0xbf810000,             // s_endpgm
];

/// Two workgroups: each stores 1 to its flag and then reads the other's, `rounds` times; args: data, rounds. data[0..2] flags, 64 bytes apart; result counts at data + 1024: both saw zero. Workgroup 0 and 1 meet before each round at counters. In front of the flag 64 lanes store to pages of their own from data + 0x100000 on: lines that miss the caches keep the flag's store in the store buffer, so that a load without a fence overtakes it.
#[rustfmt::skip]
pub const DEKKER: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc0020200, 0x00000008, // s_load_dword s8, s[0:1], 0x8
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x8e098602,             // s_lshl_b32 s9, s2, 6
    0x880ac009,             // s_xor_b32 s10, s9, 64
    0x7e020209,             // v_mov_b32_e32 v1, s9
    0x7e04020a,             // v_mov_b32_e32 v2, s10
    0x7e060280,             // v_mov_b32_e32 v3, 0
    0x7e080281,             // v_mov_b32_e32 v4, 1
    0x24120090,             // v_lshlrev_b32_e32 v9, 16, v0
    0x681212ff, 0x00100000, // v_add_u32_e32 v9, 0x100000, v9
    0xbe8b0080,             // s_mov_b32 s11, 0
    0xbefe0181,             // s_mov_b64 exec, 1
    0x800b810b,             // s_add_u32 s11, s11, 1
    0x7e0a020b,             // v_mov_b32_e32 v5, s11
    0xdd098100, 0x06060403, // global_atomic_add v6, v3, v4, s[6:7] offset:256 glc
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x8e0c810b,             // s_lshl_b32 s12, s11, 1
    0xbe8e00c0,             // s_mov_b32 s14, 64
    0x808e810e,             // s_sub_u32 s14, s14, 1
    0xbf850001,             // s_cbranch_scc1 rest
    0xbf820002,             // s_branch look
    0xbe8e00c0,             // s_mov_b32 s14, 64
    0xbf8e0001,             // s_sleep 1
    0xdc518100, 0x06060003, // global_load_dword v6, v3, s[6:7] offset:256 glc
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x7e1a0506,             // v_readfirstlane_b32 s13, v6
    0xbf0a0c0d,             // s_cmp_lt_u32 s13, s12
    0xbf85fff5,             // s_cbranch_scc1 meet
    0xbefe01c1,             // s_mov_b64 exec, -1
    0xdc708000, 0x00060509, // global_store_dword v9, v5, s[6:7]
    0xbefe0181,             // s_mov_b64 exec, 1
    0xdc708000, 0x00060501, // global_store_dword v1, v5, s[6:7]
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0xdc508000, 0x07060002, // global_load_dword v7, v2, s[6:7]
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x10100a88,             // v_mul_u32_u24_e32 v8, 8, v5
    0x8e0f8202,             // s_lshl_b32 s15, s2, 2
    0x6810100f,             // v_add_u32_e32 v8, s15, v8
    0xdc708400, 0x00060708, // global_store_dword v8, v7, s[6:7] offset:1024
    0xbf0a080b,             // s_cmp_lt_u32 s11, s8
    0xbf85ffdd,             // s_cbranch_scc1 round
    0xbf810000,             // s_endpgm
];

/// Two workgroups pass a message of one dword per lane and a flag to and fro; args: data, rounds. data[0] flag, data + 256 message. Each checks the message before it answers; errors are counted at data + 128.
#[rustfmt::skip]
pub const PING_PONG: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc0020200, 0x00000008, // s_load_dword s8, s[0:1], 0x8
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x24020082,             // v_lshlrev_b32_e32 v1, 2, v0
    0x7e060280,             // v_mov_b32_e32 v3, 0
    0x7e120281,             // v_mov_b32_e32 v9, 1
    0xbe8b0002,             // s_mov_b32 s11, s2
    0xbefe01c1,             // s_mov_b64 exec, -1
    0xbe8e00c0,             // s_mov_b32 s14, 64
    0x808e810e,             // s_sub_u32 s14, s14, 1
    0xbf850001,             // s_cbranch_scc1 rest
    0xbf820002,             // s_branch look
    0xbe8e00c0,             // s_mov_b32 s14, 64
    0xbf8e0001,             // s_sleep 1
    0xdc518000, 0x04060003, // global_load_dword v4, v3, s[6:7] glc
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x7e180504,             // v_readfirstlane_b32 s12, v4
    0xbf070b0c,             // s_cmp_lg_u32 s12, s11
    0xbf85fff5,             // s_cbranch_scc1 poll
    0xdc508100, 0x05060001, // global_load_dword v5, v1, s[6:7] offset:256
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x7d9a0a0b,             // v_cmp_ne_u32_e32 vcc, s11, v5
    0x86fe6a7e,             // s_and_b64 exec, exec, vcc
    0xdd088080, 0x00060903, // global_atomic_add v3, v9, s[6:7] offset:128
    0xbefe01c1,             // s_mov_b64 exec, -1
    0x800d810b,             // s_add_u32 s13, s11, 1
    0x7e0c020d,             // v_mov_b32_e32 v6, s13
    0xdc708100, 0x00060601, // global_store_dword v1, v6, s[6:7] offset:256
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0xbefe0181,             // s_mov_b64 exec, 1
    0xdc708000, 0x00060603, // global_store_dword v3, v6, s[6:7]
    0x800b820b,             // s_add_u32 s11, s11, 2
    0xbf0a080b,             // s_cmp_lt_u32 s11, s8
    0xbf85ffe0,             // s_cbranch_scc1 wait
    0xbf810000,             // s_endpgm
];

/// Workgroup 0 stores {n, ~n} pairs of 64 bits in all lanes, workgroup 1 reads them until the last; torn pairs are counted at data + 1024; args: data, rounds.
#[rustfmt::skip]
pub const PACKED_FLAG: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc0020200, 0x00000008, // s_load_dword s8, s[0:1], 0x8
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x24020083,             // v_lshlrev_b32_e32 v1, 3, v0
    0x7e060280,             // v_mov_b32_e32 v3, 0
    0x7e120281,             // v_mov_b32_e32 v9, 1
    0xbf068002,             // s_cmp_eq_u32 s2, 0
    0xbf840009,             // s_cbranch_scc0 reader
    0xbe8b0080,             // s_mov_b32 s11, 0
    0x800b810b,             // s_add_u32 s11, s11, 1
    0x7e08020b,             // v_mov_b32_e32 v4, s11
    0x7e0a5704,             // v_not_b32_e32 v5, v4
    0xdc748000, 0x00060401, // global_store_dwordx2 v1, v[4:5], s[6:7]
    0xbf0a080b,             // s_cmp_lt_u32 s11, s8
    0xbf85fff9,             // s_cbranch_scc1 write
    0xbf810000,             // s_endpgm
    0xbe8e00c0,             // s_mov_b32 s14, 64
    0x808e810e,             // s_sub_u32 s14, s14, 1
    0xbf850001,             // s_cbranch_scc1 rest
    0xbf820002,             // s_branch look
    0xbe8e00c0,             // s_mov_b32 s14, 64
    0xbf8e0001,             // s_sleep 1
    0xdc548000, 0x04060001, // global_load_dwordx2 v[4:5], v1, s[6:7]
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x7e0c5705,             // v_not_b32_e32 v6, v5
    0x7d9a0d04,             // v_cmp_ne_u32_e32 vcc, v4, v6
    0xd0ed000c, 0x00020880, // v_cmp_ne_u64_e64 s[12:13], 0, v[4:5]
    0x86ea0c6a,             // s_and_b64 vcc, vcc, s[12:13]
    0xbe8c206a,             // s_and_saveexec_b64 s[12:13], vcc
    0xdd088400, 0x00060903, // global_atomic_add v3, v9, s[6:7] offset:1024
    0xbefe010c,             // s_mov_b64 exec, s[12:13]
    0x7d980808,             // v_cmp_gt_u32_e32 vcc, s8, v4
    0xbf87ffed,             // s_cbranch_vccnz poll
    0xbf810000,             // s_endpgm
];

/// The same with {n, ~n, n, ~n} in 16 bytes, 32 apart; torn ones are counted at data + 2048, behind the lanes' own; args: data, rounds.
#[rustfmt::skip]
pub const PACKED_WIDE: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc0020200, 0x00000008, // s_load_dword s8, s[0:1], 0x8
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x24020085,             // v_lshlrev_b32_e32 v1, 5, v0
    0x7e060280,             // v_mov_b32_e32 v3, 0
    0x7e120281,             // v_mov_b32_e32 v9, 1
    0xbf068002,             // s_cmp_eq_u32 s2, 0
    0xbf84000b,             // s_cbranch_scc0 reader
    0xbe8b0080,             // s_mov_b32 s11, 0
    0x800b810b,             // s_add_u32 s11, s11, 1
    0x7e08020b,             // v_mov_b32_e32 v4, s11
    0x7e0a5704,             // v_not_b32_e32 v5, v4
    0x7e0c0304,             // v_mov_b32_e32 v6, v4
    0x7e0e5704,             // v_not_b32_e32 v7, v4
    0xdc7c8000, 0x00060401, // global_store_dwordx4 v1, v[4:7], s[6:7]
    0xbf0a080b,             // s_cmp_lt_u32 s11, s8
    0xbf85fff7,             // s_cbranch_scc1 write
    0xbf810000,             // s_endpgm
    0xbe8e00c0,             // s_mov_b32 s14, 64
    0x808e810e,             // s_sub_u32 s14, s14, 1
    0xbf850001,             // s_cbranch_scc1 rest
    0xbf820002,             // s_branch look
    0xbe8e00c0,             // s_mov_b32 s14, 64
    0xbf8e0001,             // s_sleep 1
    0xdc5c8000, 0x04060001, // global_load_dwordx4 v[4:7], v1, s[6:7]
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x7e105707,             // v_not_b32_e32 v8, v7
    0x7d9a1104,             // v_cmp_ne_u32_e32 vcc, v4, v8
    0xd0ed000c, 0x00020880, // v_cmp_ne_u64_e64 s[12:13], 0, v[4:5]
    0x86ea0c6a,             // s_and_b64 vcc, vcc, s[12:13]
    0xbe8c206a,             // s_and_saveexec_b64 s[12:13], vcc
    0xdd088800, 0x00060903, // global_atomic_add v3, v9, s[6:7] offset:2048
    0xbefe010c,             // s_mov_b64 exec, s[12:13]
    0x7d980808,             // v_cmp_gt_u32_e32 vcc, s8, v4
    0xbf87ffed,             // s_cbranch_vccnz poll
    0xbf810000,             // s_endpgm
];

/// Workgroup n waits, without sleeping, until workgroup n + 1 has set its flag, then sets its own; the last one does not wait; args: data, workgroups.
#[rustfmt::skip]
pub const SPIN_ON_NEXT: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc0020200, 0x00000008, // s_load_dword s8, s[0:1], 0x8
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x8e098202,             // s_lshl_b32 s9, s2, 2
    0x7e020209,             // v_mov_b32_e32 v1, s9
    0x7e040281,             // v_mov_b32_e32 v2, 1
    0x800a8102,             // s_add_u32 s10, s2, 1
    0xbf06080a,             // s_cmp_eq_u32 s10, s8
    0xbf850006,             // s_cbranch_scc1 done
    0xdc518004, 0x04060001, // global_load_dword v4, v1, s[6:7] offset:4 glc
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x7e180504,             // v_readfirstlane_b32 s12, v4
    0xbf06800c,             // s_cmp_eq_u32 s12, 0
    0xbf85fffa,             // s_cbranch_scc1 look
    0xdc708000, 0x00060201, // global_store_dword v1, v2, s[6:7]
    0xbf810000,             // s_endpgm
];

/// Wave 0 of a workgroup spins on LDS until the last wave has written it, then stores it; args: data, last wave's first item.
#[rustfmt::skip]
pub const SPIN_IN_GROUP: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc0020200, 0x00000008, // s_load_dword s8, s[0:1], 0x8
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x7e020280,             // v_mov_b32_e32 v1, 0
    0x7e120500,             // v_readfirstlane_b32 s9, v0
    0xbf060809,             // s_cmp_eq_u32 s9, s8
    0xbf85000d,             // s_cbranch_scc1 last
    0xbf068009,             // s_cmp_eq_u32 s9, 0
    0xbf84000a,             // s_cbranch_scc0 done
    0xd81a0000, 0x00000101, // ds_write_b32 v1, v1
    0xd86c0000, 0x02000001, // ds_read_b32 v2, v1
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x7e140502,             // v_readfirstlane_b32 s10, v2
    0xbf06800a,             // s_cmp_eq_u32 s10, 0
    0xbf85fffa,             // s_cbranch_scc1 poll
    0xdc708000, 0x00060201, // global_store_dword v1, v2, s[6:7]
    0xbf810000,             // s_endpgm
    0x7e0402aa,             // v_mov_b32_e32 v2, 42
    0xd81a0000, 0x00000201, // ds_write_b32 v1, v2
    0xbf810000,             // s_endpgm
];

/// Spins with s_sleep until the dword at data is not zero, then stores it at data + 4; args: data.
#[rustfmt::skip]
pub const WAIT_FOR_FLAG: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x7e020280,             // v_mov_b32_e32 v1, 0
    0xbf8e0001,             // s_sleep 1
    0xdc518000, 0x02060001, // global_load_dword v2, v1, s[6:7] glc
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x7e140502,             // v_readfirstlane_b32 s10, v2
    0xbf06800a,             // s_cmp_eq_u32 s10, 0
    0xbf85fff9,             // s_cbranch_scc1 poll
    0xdc708004, 0x00060201, // global_store_dword v1, v2, s[6:7] offset:4
    0xbf810000,             // s_endpgm
];

/// Stores 7 at data; args: data.
#[rustfmt::skip]
pub const SET_FLAG: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0x7e020280,             // v_mov_b32_e32 v1, 0
    0x7e040287,             // v_mov_b32_e32 v2, 7
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xdc708000, 0x00060201, // global_store_dword v1, v2, s[6:7]
    0xbf810000,             // s_endpgm
];

/// Never ends.
#[rustfmt::skip]
pub const FOREVER: &[u32] = &[
    0xbf82ffff,             // s_branch loop
];

/// Never ends, without a branch.
#[rustfmt::skip]
pub const JUMP_FOREVER: &[u32] = &[
    0xbe841c00,             // s_getpc_b64 s[4:5]
    0xbe801d04,             // s_setpc_b64 s[4:5]
];

/// Never ends: every wave meets the others again and again.
#[rustfmt::skip]
pub const MEET_FOREVER: &[u32] = &[
    0xbf8a0000,             // s_barrier
    0xbf82fffe,             // s_branch loop
];

/// Wave 0 waits at a barrier, to which the others never come.
#[rustfmt::skip]
pub const PART_AT_BARRIER: &[u32] = &[
    0x7d9800c0,             // v_cmp_gt_u32_e32 vcc, 64, v0
    0xbf860001,             // s_cbranch_vccz loop
    0xbf8a0000,             // s_barrier
    0xbf82ffff,             // s_branch loop
];

/// Stores 7 to private offset 60, then to 64; s[0:3]: scratch, s4: the wave's offset.
#[rustfmt::skip]
pub const FILL_STACK: &[u32] = &[
    0x80000400,             // s_add_u32 s0, s0, s4
    0x82018001,             // s_addc_u32 s1, s1, 0
    0x7e020287,             // v_mov_b32_e32 v1, 7
    0xe070003c, 0x80000100, // buffer_store_dword v1, off, s[0:3], 0 offset:60
    0xe0700040, 0x80000100, // buffer_store_dword v1, off, s[0:3], 0 offset:64
    0xbf810000,             // s_endpgm
];

/// The same with SCRATCH instructions; s[0:1]: scratch, s2: the wave's offset.
#[rustfmt::skip]
pub const FILL_STACK_FLAT: &[u32] = &[
    0x80660200,             // s_add_u32 flat_scratch_lo, s0, s2
    0x82678001,             // s_addc_u32 flat_scratch_hi, s1, 0
    0x7e020287,             // v_mov_b32_e32 v1, 7
    0xbe840080,             // s_mov_b32 s4, 0
    0xdc70403c, 0x00040100, // scratch_store_dword off, v1, s4 offset:60
    0xdc704040, 0x00040100, // scratch_store_dword off, v1, s4 offset:64
    0xbf810000,             // s_endpgm
];

/// Adds 1 to data[0], 100 times, without an atomic operation; args: data. 705 instructions.
#[rustfmt::skip]
pub const RACE: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xb0080064,             // s_movk_i32 s8, 0x64
    0x7e020280,             // v_mov_b32_e32 v1, 0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xdc508000, 0x02060001, // global_load_dword v2, v1, s[6:7]
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x68040481,             // v_add_u32_e32 v2, 1, v2
    0xdc708000, 0x00060201, // global_store_dword v1, v2, s[6:7]
    0x80888108,             // s_sub_u32 s8, s8, 1
    0xbf078008,             // s_cmp_lg_u32 s8, 0
    0xbf85fff7,             // s_cbranch_scc1 loop
    0xbf810000,             // s_endpgm
];

/// data[0] = instructions from one s_memtime to the next, data[1] = from there to s_memrealtime, if clocks count
/// instructions; args: data.
#[rustfmt::skip]
pub const CLOCKS: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc0900200, 0x00000000, // s_memtime s[8:9]
    0x7e020280,             // v_mov_b32_e32 v1, 0
    0xc0900280, 0x00000000, // s_memtime s[10:11]
    0xc0940300, 0x00000000, // s_memrealtime s[12:13]
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x8088080a,             // s_sub_u32 s8, s10, s8
    0x80890a0c,             // s_sub_u32 s9, s12, s10
    0x7e040208,             // v_mov_b32_e32 v2, s8
    0x7e060209,             // v_mov_b32_e32 v3, s9
    0xdc748000, 0x00060201, // global_store_dwordx2 v1, v[2:3], s[6:7]
    0xbf810000,             // s_endpgm
];

/// Stores to LDS at 4 * lane + 4.
#[rustfmt::skip]
pub const LDS_NEXT: &[u32] = &[
    0x24020082,             // v_lshlrev_b32_e32 v1, 2, v0
    0xd81a0004, 0x00000001, // ds_write_b32 v1, v0 offset:4
    0xbf810000,             // s_endpgm
];

/// Reads LDS at 4 * lane and 64 bytes further.
#[rustfmt::skip]
pub const LDS_PAIR: &[u32] = &[
    0x24020082,             // v_lshlrev_b32_e32 v1, 2, v0
    0xd86e1000, 0x02000001, // ds_read2_b32 v[2:3], v1 offset1:16
    0xbf810000,             // s_endpgm
];

/// Reverses the items of each workgroup through LDS with a barrier: data[g * n + i] = n - 1 - i; args: data, items per workgroup.
#[rustfmt::skip]
pub const REVERSE: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc0020200, 0x00000008, // s_load_dword s8, s[0:1], 0x8
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x24020082,             // v_lshlrev_b32_e32 v1, 2, v0
    0xd81a0000, 0x00000001, // ds_write_b32 v1, v0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xbf8a0000,             // s_barrier
    0x80898108,             // s_sub_u32 s9, s8, 1
    0x6a040009,             // v_sub_u32_e32 v2, s9, v0
    0x24040482,             // v_lshlrev_b32_e32 v2, 2, v2
    0xd86c0000, 0x03000002, // ds_read_b32 v3, v2
    0x920a0802,             // s_mul_i32 s10, s2, s8
    0x8e0a820a,             // s_lshl_b32 s10, s10, 2
    0x6802020a,             // v_add_u32_e32 v1, s10, v1
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xdc708000, 0x00060301, // global_store_dword v1, v3, s[6:7]
    0xbf810000,             // s_endpgm
];

/// Loads a dword from the address in args + 8 * lane, for every lane; args: addresses.
#[rustfmt::skip]
pub const LOAD_EACH: &[u32] = &[
    0x24020083,             // v_lshlrev_b32_e32 v1, 3, v0
    0xdc548000, 0x02000001, // global_load_dwordx2 v[2:3], v1, s[0:1]
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0xdc508000, 0x047f0002, // global_load_dword v4, v[2:3], off
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0xbf810000,             // s_endpgm
];

/// Stores its round to data[lane] for ever; args: data.
#[rustfmt::skip]
pub const STORE_LOOP: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x24020082,             // v_lshlrev_b32_e32 v1, 2, v0
    0x7e040280,             // v_mov_b32_e32 v2, 0
    0x68040481,             // v_add_u32_e32 v2, 1, v2
    0xdc708000, 0x00060201, // global_store_dword v1, v2, s[6:7]
    0xbf82fffc,             // s_branch loop
];

/// An atomic at data + 2; args: data.
#[rustfmt::skip]
pub const ATOMIC_MISALIGNED: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x7e020282,             // v_mov_b32_e32 v1, 2
    0xdd088000, 0x00060001, // global_atomic_add v1, v0, s[6:7]
    0xbf810000,             // s_endpgm
];

/// All 64 lanes store their number to the same dword, then pairs of lanes to one dword; args: data.
#[rustfmt::skip]
pub const OVERLAP: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x7e020280,             // v_mov_b32_e32 v1, 0
    0xdc708000, 0x00060001, // global_store_dword v1, v0, s[6:7]
    0x20040081,             // v_lshrrev_b32_e32 v2, 1, v0
    0x24040482,             // v_lshlrev_b32_e32 v2, 2, v2
    0xdc708100, 0x00060002, // global_store_dword v2, v0, s[6:7] offset:256
    0xbf810000,             // s_endpgm
];

/// s_trap 2.
#[rustfmt::skip]
pub const TRAP: &[u32] = &[
    0xbf920002,             // s_trap 2
    0xbf810000,             // s_endpgm
];

/// Not an instruction.
#[rustfmt::skip]
pub const ILLEGAL: &[u32] = &[
    0xbf800000,             // s_nop 0
    0xbfff0000,             // .long 0xbfff0000
];

/// Calls a function by s_swappc_b64 that doubles v0, twice; stores the result to data[lane]; args: data.
#[rustfmt::skip]
pub const CALL: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xbe881c00,             // s_getpc_b64 s[8:9]
    0x8008ff08, 0x0000002c, // s_add_u32 s8, s8, 44
    0x82098009,             // s_addc_u32 s9, s9, 0
    0x7e060300,             // v_mov_b32_e32 v3, v0
    0xbe9e1e08,             // s_swappc_b64 s[30:31], s[8:9]
    0xbe9e1e08,             // s_swappc_b64 s[30:31], s[8:9]
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x24020082,             // v_lshlrev_b32_e32 v1, 2, v0
    0xdc708000, 0x00060301, // global_store_dword v1, v3, s[6:7]
    0xbf810000,             // s_endpgm
    0x68060703,             // v_add_u32_e32 v3, v3, v3
    0xbe801d1e,             // s_setpc_b64 s[30:31]
];

/// v10..v13 = 100..103; reads v[10 + m] for the index in args + 8, writes it to v[20 + m], stores v20..v23 to data[lane]; args: data, index.
#[rustfmt::skip]
pub const GPR_INDEX: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc0020200, 0x00000008, // s_load_dword s8, s[0:1], 0x8
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x7e1402ff, 0x00000064, // v_mov_b32_e32 v10, 0x64
    0x7e1602ff, 0x00000065, // v_mov_b32_e32 v11, 0x65
    0x7e1802ff, 0x00000066, // v_mov_b32_e32 v12, 0x66
    0x7e1a02ff, 0x00000067, // v_mov_b32_e32 v13, 0x67
    0x7e280280,             // v_mov_b32_e32 v20, 0
    0x7e2a0280,             // v_mov_b32_e32 v21, 0
    0x7e2c0280,             // v_mov_b32_e32 v22, 0
    0x7e2e0280,             // v_mov_b32_e32 v23, 0
    0xbf110908,             // s_set_gpr_idx_on s8, gpr_idx(SRC0,DST)
    0x7e28030a,             // v_mov_b32_e32 v20, v10
    0xbf9c0000,             // s_set_gpr_idx_off
    0x24020084,             // v_lshlrev_b32_e32 v1, 4, v0
    0xdc7c8000, 0x00061401, // global_store_dwordx4 v1, v[20:23], s[6:7]
    0xbf810000,             // s_endpgm
];

/// Turns f32 denormals off, multiplies the smallest normal number by a half, turns them on, does it again; stores both to data; args: data.
#[rustfmt::skip]
pub const SETREG_FLUSH: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x7e0202ff, 0x00800000, // v_mov_b32_e32 v1, 0x800000
    0xba000901, 0x00000000, // s_setreg_imm32_b32 hwreg(HW_REG_MODE, 4, 2), 0
    0x0a0402f0,             // v_mul_f32_e32 v2, 0.5, v1
    0xba000901, 0x00000003, // s_setreg_imm32_b32 hwreg(HW_REG_MODE, 4, 2), 3
    0x0a0602f0,             // v_mul_f32_e32 v3, 0.5, v1
    0x7e080280,             // v_mov_b32_e32 v4, 0
    0xdc748000, 0x00060204, // global_store_dwordx2 v4, v[2:3], s[6:7]
    0xbf810000,             // s_endpgm
];

/// Stores through FLAT addresses: lanes alternate between LDS, private memory and data, and reads back; args: data, shared aperture (high), private aperture (high).
#[rustfmt::skip]
pub const FLAT_APERTURES: &[u32] = &[
    0xc00a0200, 0x00000000, // s_load_dwordx4 s[8:11], s[0:1], 0x0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xbee60002,             // s_mov_b32 flat_scratch_lo, s2
    0x26020083,             // v_and_b32_e32 v1, 3, v0
    0x24040082,             // v_lshlrev_b32_e32 v2, 2, v0
    0x7e080208,             // v_mov_b32_e32 v4, s8
    0x32080504,             // v_add_co_u32_e32 v4, vcc, v4, v2
    0x7e0a0209,             // v_mov_b32_e32 v5, s9
    0x380a0a80,             // v_addc_co_u32_e32 v5, vcc, 0, v5, vcc
    0x7d940281,             // v_cmp_eq_u32_e32 vcc, 1, v1
    0x00080504,             // v_cndmask_b32_e32 v4, v4, v2, vcc
    0x7e0c020a,             // v_mov_b32_e32 v6, s10
    0x000a0d05,             // v_cndmask_b32_e32 v5, v5, v6, vcc
    0x7d940282,             // v_cmp_eq_u32_e32 vcc, 2, v1
    0x7e0e0290,             // v_mov_b32_e32 v7, 16
    0x00080f04,             // v_cndmask_b32_e32 v4, v4, v7, vcc
    0x7e0c020b,             // v_mov_b32_e32 v6, s11
    0x000a0d05,             // v_cndmask_b32_e32 v5, v5, v6, vcc
    0x681000ff, 0x000003e8, // v_add_u32_e32 v8, 0x3e8, v0
    0xc0060300, 0x00000010, // s_load_dwordx2 s[12:13], s[0:1], 0x10
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xbee6010c,             // s_mov_b64 flat_scratch, s[12:13]
    0xdc700000, 0x00000804, // flat_store_dword v[4:5], v8
    0xbf8c0070,             // s_waitcnt vmcnt(0) lgkmcnt(0)
    0xdc500000, 0x09000004, // flat_load_dword v9, v[4:5]
    0xbf8c0070,             // s_waitcnt vmcnt(0) lgkmcnt(0)
    0xdc708400, 0x00080902, // global_store_dword v2, v9, s[8:9] offset:1024
    0xbf810000,             // s_endpgm
];

/// Waves of a workgroup compute with what is the same in all and with what is not, exchange through LDS, and go different ways: args: data, items in a lane mask, a number, items of a workgroup, first items of the waves that go one way.
#[rustfmt::skip]
pub const PART_WAYS: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc00a0200, 0x00000008, // s_load_dwordx4 s[8:11], s[0:1], 0x8
    0x24020082,             // v_lshlrev_b32_e32 v1, 2, v0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x800c8509,             // s_add_u32 s12, s9, 5
    0x820d8709,             // s_addc_u32 s13, s9, 7
    0x7e1c0500,             // v_readfirstlane_b32 s14, v0
    0x920f090e,             // s_mul_i32 s15, s14, s9
    0x6804000c,             // v_add_u32_e32 v2, s12, v0
    0xd2850002, 0x00001b02, // v_mul_lo_u32 v2, v2, s13
    0x6804040f,             // v_add_u32_e32 v2, s15, v2
    0x7d980008,             // v_cmp_gt_u32_e32 vcc, s8, v0
    0xbe90206a,             // s_and_saveexec_b64 s[16:17], vcc
    0x680404ff, 0x000003e8, // v_add_u32_e32 v2, 0x3e8, v2
    0xbefe0110,             // s_mov_b64 exec, s[16:17]
    0x85128483,             // s_cselect_b32 s18, 3, 4
    0xbe921a0a,             // s_bitset1_b32 s18, s10
    0x68040412,             // v_add_u32_e32 v2, s18, v2
    0x00040302,             // v_cndmask_b32_e32 v2, v2, v1, vcc
    0xd81a0000, 0x00000201, // ds_write_b32 v1, v2
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xbf8a0000,             // s_barrier
    0xc00204c0, 0x0000000c, // s_load_dword s19, s[0:1], 0xc
    0x8094810a,             // s_sub_u32 s20, s10, 1
    0x6a060014,             // v_sub_u32_e32 v3, s20, v0
    0x24060682,             // v_lshlrev_b32_e32 v3, 2, v3
    0xd86c0000, 0x04000003, // ds_read_b32 v4, v3
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xd2850004, 0x00002704, // v_mul_lo_u32 v4, v4, s19
    0x92150a02,             // s_mul_i32 s21, s2, s10
    0x8e158215,             // s_lshl_b32 s21, s21, 2
    0x68020215,             // v_add_u32_e32 v1, s21, v1
    0xbf0a0b0e,             // s_cmp_lt_u32 s14, s11
    0xbf850002,             // s_cbranch_scc1 low
    0x6808080c,             // v_add_u32_e32 v4, s12, v4
    0xbf820002,             // s_branch both
    0x6808080f,             // v_add_u32_e32 v4, s15, v4
    0x2a080814,             // v_xor_b32_e32 v4, s20, v4
    0x7e0a026a,             // v_mov_b32_e32 v5, vcc_lo
    0x68080812,             // v_add_u32_e32 v4, s18, v4
    0x2a080905,             // v_xor_b32_e32 v4, v5, v4
    0xdc708000, 0x00060401, // global_store_dword v1, v4, s[6:7]
    0xbf810000,             // s_endpgm
];

/// Some waves skip what others do; args: data, items that do it, a number, items of a workgroup, nothing.
#[rustfmt::skip]
pub const SOME_SKIP: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc00a0200, 0x00000008, // s_load_dwordx4 s[8:11], s[0:1], 0x8
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x920c0a02,             // s_mul_i32 s12, s2, s10
    0x6802000c,             // v_add_u32_e32 v1, s12, v0
    0x24020282,             // v_lshlrev_b32_e32 v1, 2, v1
    0x7e0a0208,             // v_mov_b32_e32 v5, s8
    0x7d980008,             // v_cmp_gt_u32_e32 vcc, s8, v0
    0xbe8e0108,             // s_mov_b64 s[14:15], s[8:9]
    0x680a0a0e,             // v_add_u32_e32 v5, s14, v5
    0xbe8e206a,             // s_and_saveexec_b64 s[14:15], vcc
    0xbf880004,             // s_cbranch_execz skip
    0x800c090c,             // s_add_u32 s12, s12, s9
    0x7e04020c,             // v_mov_b32_e32 v2, s12
    0xdc708000, 0x00060201, // global_store_dword v1, v2, s[6:7]
    0x87fe0e7e,             // s_or_b64 exec, exec, s[14:15]
    0xbe92010a,             // s_mov_b64 s[18:19], s[10:11]
    0x680a0a09,             // v_add_u32_e32 v5, s9, v5
    0x86926a12,             // s_and_b64 s[18:19], s[18:19], vcc
    0x888e120e,             // s_xor_b64 s[14:15], s[14:15], s[18:19]
    0x7e06020c,             // v_mov_b32_e32 v3, s12
    0x7e08020e,             // v_mov_b32_e32 v4, s14
    0xd1ff0003, 0x04160903, // v_add3_u32 v3, v3, v4, v5
    0x8006ff06, 0x00004000, // s_add_u32 s6, s6, 0x4000
    0xdc708000, 0x00060301, // global_store_dword v1, v3, s[6:7]
    0xbf810000,             // s_endpgm
];

/// Atomic operations in LDS and in global memory, exchange between lanes, the program counter; args: data, nothing, a number, items of a workgroup, nothing.
#[rustfmt::skip]
pub const ATOMICS_TOGETHER: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc00a0200, 0x00000008, // s_load_dwordx4 s[8:11], s[0:1], 0x8
    0x24020082,             // v_lshlrev_b32_e32 v1, 2, v0
    0x260402bc,             // v_and_b32_e32 v2, 60, v1
    0x7e100280,             // v_mov_b32_e32 v8, 0
    0x7e120280,             // v_mov_b32_e32 v9, 0
    0xd81a0000, 0x00000801, // ds_write_b32 v1, v8
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xbf8a0000,             // s_barrier
    0x920c0a02,             // s_mul_i32 s12, s2, s10
    0x8e0c850c,             // s_lshl_b32 s12, s12, 5
    0x80060c06,             // s_add_u32 s6, s6, s12
    0x82078007,             // s_addc_u32 s7, s7, 0
    0x68060009,             // v_add_u32_e32 v3, s9, v0
    0xd8400000, 0x04000302, // ds_add_rtn_u32 v4, v2, v3
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xdd098000, 0x05060402, // global_atomic_add v5, v2, v4, s[6:7] glc
    0x7e0c0300,             // v_mov_b32_e32 v6, v0
    0x7e0e0305,             // v_mov_b32_e32 v7, v5
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0xdd058040, 0x0a060602, // global_atomic_cmpswap v10, v2, v[6:7], s[6:7] offset:64 glc
    0xdd2d8080, 0x0b060302, // global_atomic_inc v11, v2, v3, s[6:7] offset:128 glc
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x7e1a050b,             // v_readfirstlane_b32 s13, v11
    0x800e090d,             // s_add_u32 s14, s13, s9
    0xd28a000b, 0x0001060e, // v_writelane_b32 v11, s14, 3
    0xd87a801b, 0x0c00000b, // ds_swizzle_b32 v12, v11 offset:swizzle(QUAD_PERM,3,2,1,0)
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x24020084,             // v_lshlrev_b32_e32 v1, 4, v0
    0x7e0c030a,             // v_mov_b32_e32 v6, v10
    0x7e0e030c,             // v_mov_b32_e32 v7, v12
    0xbe901c00,             // s_getpc_b64 s[16:17]
    0x7e080210,             // v_mov_b32_e32 v4, s16
    0xdc7c8200, 0x00060401, // global_store_dwordx4 v1, v[4:7], s[6:7] offset:512
    0xbf810000,             // s_endpgm
];
