//! Programs for the tests, with their machine words (llvm-mc -mcpu=gfx900).
#![allow(dead_code)]

/// Before the instruction: 16 dwords of each item go to v[2:17]; args: data, a lane mask for s[22:23] and VCC, EXEC, constants for s[30:35].
#[rustfmt::skip]
pub const LANE_PROLOGUE: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0xc00a0200, 0x00000008, // s_load_dwordx4 s[8:11], s[0:1], 0x8
    0xc00a0300, 0x00000018, // s_load_dwordx4 s[12:15], s[0:1], 0x18
    0xc0060400, 0x00000028, // s_load_dwordx2 s[16:17], s[0:1], 0x28
    0xd1fd0001, 0x04010c02, // v_lshl_add_u32 v1, s2, 6, v0
    0x24020286,             // v_lshlrev_b32_e32 v1, 6, v1
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xdc5c8000, 0x02060001, // global_load_dwordx4 v[2:5], v1, s[6:7]
    0xdc5c8010, 0x06060001, // global_load_dwordx4 v[6:9], v1, s[6:7] offset:16
    0xdc5c8020, 0x0a060001, // global_load_dwordx4 v[10:13], v1, s[6:7] offset:32
    0xdc5c8030, 0x0e060001, // global_load_dwordx4 v[14:17], v1, s[6:7] offset:48
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0xbe940180,             // s_mov_b64 s[20:21], 0
    0xbe960108,             // s_mov_b64 s[22:23], s[8:9]
    0xbeea0108,             // s_mov_b64 vcc, s[8:9]
    0xbe9e010c,             // s_mov_b64 s[30:31], s[12:13]
    0xbea0010e,             // s_mov_b64 s[32:33], s[14:15]
    0xbea20110,             // s_mov_b64 s[34:35], s[16:17]
    0xbefe010a,             // s_mov_b64 exec, s[10:11]
];

/// Behind the instruction: stores v[14:17], s[20:21], VCC and EXEC.
#[rustfmt::skip]
pub const LANE_EPILOGUE: &[u32] = &[
    0x7e24027e,             // v_mov_b32_e32 v18, exec_lo
    0xbe9a017e,             // s_mov_b64 s[26:27], exec
    0xbefe01c1,             // s_mov_b64 exec, -1
    0x7e040214,             // v_mov_b32_e32 v2, s20
    0x7e060215,             // v_mov_b32_e32 v3, s21
    0x7e08026a,             // v_mov_b32_e32 v4, vcc_lo
    0x7e0a026b,             // v_mov_b32_e32 v5, vcc_hi
    0x7e0c021a,             // v_mov_b32_e32 v6, s26
    0x7e0e021b,             // v_mov_b32_e32 v7, s27
    0xdc7c8030, 0x00060e01, // global_store_dwordx4 v1, v[14:17], s[6:7] offset:48
    0xdc7c8020, 0x00060201, // global_store_dwordx4 v1, v[2:5], s[6:7] offset:32
    0xdc748010, 0x00060601, // global_store_dwordx2 v1, v[6:7], s[6:7] offset:16
    0xbf810000,             // s_endpgm
];

/// v_mov_b32 v3, v0 with each DPP control; each leaves 64 dwords at data, 256 bytes apart. Lanes without source keep 0x63; args: data.
#[rustfmt::skip]
pub const DPP_MOVES: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0x24020082,             // v_lshlrev_b32_e32 v1, 2, v0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x7e0602ff, 0x00000063, // v_mov_b32_e32 v3, 0x63
    0x7e0602fa, 0xff00b100, // v_mov_b32_dpp v3, v0 quad_perm:[1,0,3,2] row_mask:0xf bank_mask:0xf
    0xdc708000, 0x00060301, // global_store_dword v1, v3, s[6:7]
    0x7e0602ff, 0x00000063, // v_mov_b32_e32 v3, 0x63
    0x7e0602fa, 0xff010300, // v_mov_b32_dpp v3, v0 row_shl:3 row_mask:0xf bank_mask:0xf
    0xdc708100, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:256
    0x7e0602ff, 0x00000063, // v_mov_b32_e32 v3, 0x63
    0x7e0602fa, 0xff091100, // v_mov_b32_dpp v3, v0 row_shr:1 row_mask:0xf bank_mask:0xf bound_ctrl:1
    0xdc708200, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:512
    0x7e0602ff, 0x00000063, // v_mov_b32_e32 v3, 0x63
    0x7e0602fa, 0xff012400, // v_mov_b32_dpp v3, v0 row_ror:4 row_mask:0xf bank_mask:0xf
    0xdc708300, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:768
    0x7e0602ff, 0x00000063, // v_mov_b32_e32 v3, 0x63
    0x7e0602fa, 0xff013000, // v_mov_b32_dpp v3, v0 wave_shl:1 row_mask:0xf bank_mask:0xf
    0xdc708400, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:1024
    0x7e0602ff, 0x00000063, // v_mov_b32_e32 v3, 0x63
    0x7e0602fa, 0xff013c00, // v_mov_b32_dpp v3, v0 wave_ror:1 row_mask:0xf bank_mask:0xf
    0xdc708500, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:1280
    0x7e0602ff, 0x00000063, // v_mov_b32_e32 v3, 0x63
    0x7e0602fa, 0xff014000, // v_mov_b32_dpp v3, v0 row_mirror row_mask:0xf bank_mask:0xf
    0xdc708600, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:1536
    0x7e0602ff, 0x00000063, // v_mov_b32_e32 v3, 0x63
    0x7e0602fa, 0xff014100, // v_mov_b32_dpp v3, v0 row_half_mirror row_mask:0xf bank_mask:0xf
    0xdc708700, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:1792
    0x7e0602ff, 0x00000063, // v_mov_b32_e32 v3, 0x63
    0x7e0602fa, 0xaf014200, // v_mov_b32_dpp v3, v0 row_bcast:15 row_mask:0xa bank_mask:0xf
    0xdc708800, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:2048
    0x7e0602ff, 0x00000063, // v_mov_b32_e32 v3, 0x63
    0x7e0602fa, 0xcf014300, // v_mov_b32_dpp v3, v0 row_bcast:31 row_mask:0xc bank_mask:0xf
    0xdc708900, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:2304
    0x7e0602ff, 0x00000063, // v_mov_b32_e32 v3, 0x63
    0x7e0602fa, 0xf500e400, // v_mov_b32_dpp v3, v0 quad_perm:[0,1,2,3] row_mask:0xf bank_mask:0x5
    0xdc708a00, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:2560
    0x7e0602ff, 0x00000063, // v_mov_b32_e32 v3, 0x63
    0xbefe01ff, 0x55555555, // s_mov_b64 exec, 0x55555555
    0x7e0602fa, 0xff011100, // v_mov_b32_dpp v3, v0 row_shr:1 row_mask:0xf bank_mask:0xf
    0xbefe01c1,             // s_mov_b64 exec, -1
    0xdc708b00, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:2816
    0xbf810000,             // s_endpgm
];

/// Exchanges between lanes; each leaves 64 dwords at data, 256 bytes apart; args: data.
#[rustfmt::skip]
pub const CROSS: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0x24020082,             // v_lshlrev_b32_e32 v1, 2, v0
    0x680400ff, 0x000003e8, // v_add_u32_e32 v2, 0x3e8, v0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x6a0802ff, 0x000000fc, // v_sub_u32_e32 v4, 0xfc, v1
    0xd87e0000, 0x03000204, // ds_bpermute_b32 v3, v4, v2
    0xdc708000, 0x00060301, // global_store_dword v1, v3, s[6:7]
    0x7e080294,             // v_mov_b32_e32 v4, 20
    0xd87c0000, 0x03000204, // ds_permute_b32 v3, v4, v2
    0xdc708100, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:256
    0xd87a0001, 0x03000002, // ds_swizzle_b32 v3, v2 offset:swizzle(BITMASK_PERM,"0000p")
    0xdc708200, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:512
    0xd87a801b, 0x03000002, // ds_swizzle_b32 v3, v2 offset:swizzle(QUAD_PERM,3,2,1,0)
    0xdc708300, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:768
    0xd2890008, 0x00010f02, // v_readlane_b32 s8, v2, 7
    0x7e060208,             // v_mov_b32_e32 v3, s8
    0xbe890089,             // s_mov_b32 s9, 9
    0xd28a0003, 0x00010a09, // v_writelane_b32 v3, s9, 5
    0xdc708400, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:1024
    0xbefe01ff, 0x00000ff0, // s_mov_b64 exec, 0xff0
    0x7e100502,             // v_readfirstlane_b32 s8, v2
    0xd87e0004, 0x03000201, // ds_bpermute_b32 v3, v1, v2 offset:4
    0xbefe0180,             // s_mov_b64 exec, 0
    0x7e120502,             // v_readfirstlane_b32 s9, v2
    0xbefe01c1,             // s_mov_b64 exec, -1
    0x7e080208,             // v_mov_b32_e32 v4, s8
    0x7e0a0209,             // v_mov_b32_e32 v5, s9
    0xdc708500, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:1280
    0xdc708600, 0x00060401, // global_store_dword v1, v4, s[6:7] offset:1536
    0xdc708700, 0x00060501, // global_store_dword v1, v5, s[6:7] offset:1792
    0xd28c0003, 0x000100c1, // v_mbcnt_lo_u32_b32 v3, -1, 0
    0xd28d0003, 0x000206c1, // v_mbcnt_hi_u32_b32 v3, -1, v3
    0xdc708800, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:2048
    0x7e060281,             // v_mov_b32_e32 v3, 1
    0x7e080300,             // v_mov_b32_e32 v4, v0
    0x7e06a304,             // v_swap_b32 v3, v4
    0xdc708900, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:2304
    0xbf810000,             // s_endpgm
];

/// Every size of LDS access, with overlaps, in and out of range; args: data. LDS has 512 bytes.
#[rustfmt::skip]
pub const LDS_SIZES: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0x24020082,             // v_lshlrev_b32_e32 v1, 2, v0
    0x24040083,             // v_lshlrev_b32_e32 v2, 3, v0
    0xbe8800ff, 0x01010101, // s_mov_b32 s8, 0x1010101
    0xd285000a, 0x00001100, // v_mul_lo_u32 v10, v0, s8
    0x7e16570a,             // v_not_b32_e32 v11, v10
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xd89a0000, 0x00000a02, // ds_write_b64 v2, v[10:11]
    0xd8740005, 0x03000002, // ds_read_u8 v3, v2 offset:5
    0xdc708000, 0x00060301, // global_store_dword v1, v3, s[6:7]
    0xd8720005, 0x03000002, // ds_read_i8 v3, v2 offset:5
    0xdc708100, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:256
    0xd8780002, 0x03000002, // ds_read_u16 v3, v2 offset:2
    0xdc708200, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:512
    0x7e0602c1,             // v_mov_b32_e32 v3, -1
    0xd8ae0000, 0x03000002, // ds_read_u8_d16_hi v3, v2
    0xdc708300, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:768
    0xd86c0100, 0x03000002, // ds_read_b32 v3, v2 offset:256
    0xdc708400, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:1024
    0xd86e0001, 0x04000002, // ds_read2_b32 v[4:5], v2 offset0:1
    0xdc708500, 0x00060401, // global_store_dword v1, v4, s[6:7] offset:1280
    0xd8700100, 0x04000001, // ds_read2st64_b32 v[4:5], v1 offset1:1
    0xdc708600, 0x00060501, // global_store_dword v1, v5, s[6:7] offset:1536
    0x7e080280,             // v_mov_b32_e32 v4, 0
    0x7e0a0282,             // v_mov_b32_e32 v5, 2
    0xd81a0000, 0x00000404, // ds_write_b32 v4, v4
    0xd8400000, 0x03000504, // ds_add_rtn_u32 v3, v4, v5
    0xdc708700, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:1792
    0xd83c0003, 0x00000001, // ds_write_b8 v1, v0 offset:3
    0xd83e0000, 0x00000001, // ds_write_b16 v1, v0
    0xd86c0000, 0x03000001, // ds_read_b32 v3, v1
    0xdc708800, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:2048
    0xd9be01f0, 0x00000a02, // ds_write_b128 v2, v[10:13] offset:496
    0xd9fc01f0, 0x04000004, // ds_read_b96 v[4:6], v4 offset:496
    0xdc788900, 0x00060401, // global_store_dwordx3 v1, v[4:6], s[6:7] offset:2304
    0x7e080288,             // v_mov_b32_e32 v4, 8
    0x7e0a0280,             // v_mov_b32_e32 v5, 0
    0x7e0c02ff, 0x000004d2, // v_mov_b32_e32 v6, 0x4d2
    0xd81a0000, 0x00000504, // ds_write_b32 v4, v5
    0xd8600000, 0x03060504, // ds_cmpst_rtn_b32 v3, v4, v5, v6
    0xd86c0000, 0x07000004, // ds_read_b32 v7, v4
    0xdc708b00, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:2816
    0xdc708c00, 0x00060701, // global_store_dword v1, v7, s[6:7] offset:3072
    0xbf810000,             // s_endpgm
];

/// Every size of global and scratch access; args: data, private memory.
#[rustfmt::skip]
pub const MEMORY_SIZES: &[u32] = &[
    0xc00a0200, 0x00000000, // s_load_dwordx4 s[8:11], s[0:1], 0x0
    0x24020082,             // v_lshlrev_b32_e32 v1, 2, v0
    0x24040084,             // v_lshlrev_b32_e32 v2, 4, v0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xbe860108,             // s_mov_b64 s[6:7], s[8:9]
    0xbee6010a,             // s_mov_b64 flat_scratch, s[10:11]
    0x681400ff, 0x00000080, // v_add_u32_e32 v10, 0x80, v0
    0x7e16570a,             // v_not_b32_e32 v11, v10
    0x681800ff, 0x00010000, // v_add_u32_e32 v12, 0x10000, v0
    0x7e1a02ff, 0x12345678, // v_mov_b32_e32 v13, 0x12345678
    0xdc7c8000, 0x00060a02, // global_store_dwordx4 v2, v[10:13], s[6:7]
    0xdc408000, 0x03060002, // global_load_ubyte v3, v2, s[6:7]
    0xdc708400, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:1024
    0xdc448000, 0x03060002, // global_load_sbyte v3, v2, s[6:7]
    0xdc708500, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:1280
    0xdc4c8004, 0x03060002, // global_load_sshort v3, v2, s[6:7] offset:4
    0xdc708600, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:1536
    0x7e0602c1,             // v_mov_b32_e32 v3, -1
    0xdc948008, 0x03060002, // global_load_short_d16_hi v3, v2, s[6:7] offset:8
    0xdc708700, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:1792
    0xdc588000, 0x04060002, // global_load_dwordx3 v[4:6], v2, s[6:7]
    0xdc608800, 0x00060501, // global_store_byte v1, v5, s[6:7] offset:2048
    0xdc648801, 0x00060601, // global_store_byte_d16_hi v1, v6, s[6:7] offset:2049
    0xdc688802, 0x00060401, // global_store_short v1, v4, s[6:7] offset:2050
    0x7e0e0280,             // v_mov_b32_e32 v7, 0
    0xdc744008, 0x007f0a07, // scratch_store_dwordx2 v7, v[10:11], off offset:8
    0xdc48400a, 0x037f0007, // scratch_load_ushort v3, v7, off offset:10
    0xdc708900, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:2304
    0x7e0e0283,             // v_mov_b32_e32 v7, 3
    0xdc704000, 0x007f0d07, // scratch_store_dword v7, v13, off
    0xdc504000, 0x037f0007, // scratch_load_dword v3, v7, off
    0xdc708a00, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:2560
    0x7e0e0280,             // v_mov_b32_e32 v7, 0
    0x7e100281,             // v_mov_b32_e32 v8, 1
    0xdd2d8b00, 0x03060a07, // global_atomic_inc v3, v7, v10, s[6:7] offset:2816 glc
    0xdc708c00, 0x00060301, // global_store_dword v1, v3, s[6:7] offset:3072
    0xdd188d00, 0x00060b07, // global_atomic_smax v7, v11, s[6:7] offset:3328
    0x7e100300,             // v_mov_b32_e32 v8, v0
    0x7e120280,             // v_mov_b32_e32 v9, 0
    0xdd058d04, 0x03060807, // global_atomic_cmpswap v3, v7, v[8:9], s[6:7] offset:3332 glc
    0xdd888d08, 0x00060a07, // global_atomic_add_x2 v7, v[10:11], s[6:7] offset:3336
    0xbf810000,             // s_endpgm
];

/// LDS by negative addresses with offsets, as compilers fold `tile[n - 1 - i]`; args: data. LDS has 512 bytes.
#[rustfmt::skip]
pub const LDS_NEGATIVE: &[u32] = &[
    0xc0060180, 0x00000000, // s_load_dwordx2 s[6:7], s[0:1], 0x0
    0x24020082,             // v_lshlrev_b32_e32 v1, 2, v0
    0x6a040280,             // v_sub_u32_e32 v2, 0, v1
    0x680600ff, 0x000003e8, // v_add_u32_e32 v3, 0x3e8, v0
    0xd81a00fc, 0x00000302, // ds_write_b32 v2, v3 offset:252
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xd86c0000, 0x04000001, // ds_read_b32 v4, v1
    0xd86c00fc, 0x05000002, // ds_read_b32 v5, v2 offset:252
    0xd87800fc, 0x06000002, // ds_read_u16 v6, v2 offset:252
    0xd86e403f, 0x07000002, // ds_read2_b32 v[7:8], v2 offset0:63 offset1:64
    0xd84000fc, 0x09000002, // ds_add_rtn_u32 v9, v2, v0 offset:252
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xdc708000, 0x00060401, // global_store_dword v1, v4, s[6:7]
    0xdc708100, 0x00060501, // global_store_dword v1, v5, s[6:7] offset:256
    0xdc708200, 0x00060601, // global_store_dword v1, v6, s[6:7] offset:512
    0xdc708300, 0x00060801, // global_store_dword v1, v8, s[6:7] offset:768
    0xdc708400, 0x00060901, // global_store_dword v1, v9, s[6:7] offset:1024
    0xbf810000,             // s_endpgm
];

/// Behind instructions of the engines' comparison: stores v[2:17], then s[20:29], EXEC, VCC, SCC and s31.
#[rustfmt::skip]
pub const ENGINES_EPILOGUE: &[u32] = &[
    0xbea4017e,             // s_mov_b64 s[36:37], exec
    0xbea6016a,             // s_mov_b64 s[38:39], vcc
    0x85288081,             // s_cselect_b32 s40, 1, 0
    0xbefe01c1,             // s_mov_b64 exec, -1
    0xdc7c8000, 0x00060201, // global_store_dwordx4 v1, v[2:5], s[6:7]
    0xdc7c8010, 0x00060601, // global_store_dwordx4 v1, v[6:9], s[6:7] offset:16
    0xdc7c8020, 0x00060a01, // global_store_dwordx4 v1, v[10:13], s[6:7] offset:32
    0xdc7c8030, 0x00060e01, // global_store_dwordx4 v1, v[14:17], s[6:7] offset:48
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0x8006ff06, 0x00008000, // s_add_u32 s6, s6, 0x8000
    0x82078007,             // s_addc_u32 s7, s7, 0
    0x7e040214,             // v_mov_b32_e32 v2, s20
    0x7e060215,             // v_mov_b32_e32 v3, s21
    0x7e080216,             // v_mov_b32_e32 v4, s22
    0x7e0a0217,             // v_mov_b32_e32 v5, s23
    0x7e0c0218,             // v_mov_b32_e32 v6, s24
    0x7e0e0219,             // v_mov_b32_e32 v7, s25
    0x7e10021a,             // v_mov_b32_e32 v8, s26
    0x7e12021b,             // v_mov_b32_e32 v9, s27
    0x7e14021c,             // v_mov_b32_e32 v10, s28
    0x7e16021d,             // v_mov_b32_e32 v11, s29
    0x7e180224,             // v_mov_b32_e32 v12, s36
    0x7e1a0225,             // v_mov_b32_e32 v13, s37
    0x7e1c0226,             // v_mov_b32_e32 v14, s38
    0x7e1e0227,             // v_mov_b32_e32 v15, s39
    0x7e200228,             // v_mov_b32_e32 v16, s40
    0x7e22021f,             // v_mov_b32_e32 v17, s31
    0xdc7c8000, 0x00060201, // global_store_dwordx4 v1, v[2:5], s[6:7]
    0xdc7c8010, 0x00060601, // global_store_dwordx4 v1, v[6:9], s[6:7] offset:16
    0xdc7c8020, 0x00060a01, // global_store_dwordx4 v1, v[10:13], s[6:7] offset:32
    0xdc7c8030, 0x00060e01, // global_store_dwordx4 v1, v[14:17], s[6:7] offset:48
    0xbf810000,             // s_endpgm
];
