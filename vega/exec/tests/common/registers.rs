//! Code that sets registers and LDS from memory and stores them there again, with its machine words
//! (llvm-mc -mcpu=gfx900).
#![allow(dead_code)]

/// Bytes of one workgroup's state: s[0:91], then EXEC, SCC, M0, VCC and FLAT_SCRATCH at 0x200 (MODE behind them, when they
/// are stored), v[0:31] of each lane at 0x1000, 4 KiB of LDS at 0x4000.
pub const BLOCK: u64 = 0x5000;

/// Sets all registers of workgroup n from block n; args: the address of the first.
#[rustfmt::skip]
pub const PROLOGUE: &[u32] = &[
    0xc0061700, 0x00000000, // s_load_dwordx2 s[92:93], s[0:1], 0x0
    0x925eff02, 0x00005000, // s_mul_i32 s94, s2, 0x5000
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0x805c5e5c,             // s_add_u32 s92, s92, s94
    0x825d805d,             // s_addc_u32 s93, s93, 0
    0x24500087,             // v_lshlrev_b32_e32 v40, 7, v0
    0x24520086,             // v_lshlrev_b32_e32 v41, 6, v0
    0x805eff5c, 0x00004000, // s_add_u32 s94, s92, 0x4000
    0x825f805d,             // s_addc_u32 s95, s93, 0
    0xdc5c8000, 0x2c5e0029, // global_load_dwordx4 v[44:47], v41, s[94:95]
    0xdc5c8010, 0x305e0029, // global_load_dwordx4 v[48:51], v41, s[94:95] offset:16
    0xdc5c8020, 0x345e0029, // global_load_dwordx4 v[52:55], v41, s[94:95] offset:32
    0xdc5c8030, 0x385e0029, // global_load_dwordx4 v[56:59], v41, s[94:95] offset:48
    0x805eff5c, 0x00001000, // s_add_u32 s94, s92, 0x1000
    0x825f805d,             // s_addc_u32 s95, s93, 0
    0xbf8c0f70,             // s_waitcnt vmcnt(0)
    0xd9be0000, 0x00002c29, // ds_write_b128 v41, v[44:47]
    0xd9be0010, 0x00003029, // ds_write_b128 v41, v[48:51] offset:16
    0xd9be0020, 0x00003429, // ds_write_b128 v41, v[52:55] offset:32
    0xd9be0030, 0x00003829, // ds_write_b128 v41, v[56:59] offset:48
    0xdc5c8000, 0x005e0028, // global_load_dwordx4 v[0:3], v40, s[94:95]
    0xdc5c8010, 0x045e0028, // global_load_dwordx4 v[4:7], v40, s[94:95] offset:16
    0xdc5c8020, 0x085e0028, // global_load_dwordx4 v[8:11], v40, s[94:95] offset:32
    0xdc5c8030, 0x0c5e0028, // global_load_dwordx4 v[12:15], v40, s[94:95] offset:48
    0xdc5c8040, 0x105e0028, // global_load_dwordx4 v[16:19], v40, s[94:95] offset:64
    0xdc5c8050, 0x145e0028, // global_load_dwordx4 v[20:23], v40, s[94:95] offset:80
    0xdc5c8060, 0x185e0028, // global_load_dwordx4 v[24:27], v40, s[94:95] offset:96
    0xdc5c8070, 0x1c5e0028, // global_load_dwordx4 v[28:31], v40, s[94:95] offset:112
    0xc012042e, 0x00000040, // s_load_dwordx16 s[16:31], s[92:93], 0x40
    0xc012082e, 0x00000080, // s_load_dwordx16 s[32:47], s[92:93], 0x80
    0xc0120c2e, 0x000000c0, // s_load_dwordx16 s[48:63], s[92:93], 0xc0
    0xc012102e, 0x00000100, // s_load_dwordx16 s[64:79], s[92:93], 0x100
    0xc00e142e, 0x00000140, // s_load_dwordx8 s[80:87], s[92:93], 0x140
    0xc00a162e, 0x00000160, // s_load_dwordx4 s[88:91], s[92:93], 0x160
    0xc00e002e, 0x00000200, // s_load_dwordx8 s[0:7], s[92:93], 0x200
    0xbf8c0070,             // s_waitcnt vmcnt(0) lgkmcnt(0)
    0xbefe0100,             // s_mov_b64 exec, s[0:1]
    0xbefc0003,             // s_mov_b32 m0, s3
    0xbeea0104,             // s_mov_b64 vcc, s[4:5]
    0xbee60106,             // s_mov_b64 flat_scratch, s[6:7]
    0xbf078002,             // s_cmp_lg_u32 s2, 0
    0xc012002e, 0x00000000, // s_load_dwordx16 s[0:15], s[92:93], 0x0
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
];

/// Stores them again.
#[rustfmt::skip]
pub const EPILOGUE: &[u32] = &[
    0xbf9c0000,             // s_set_gpr_idx_off
    0xbee0017e,             // s_mov_b64 s[96:97], exec
    0x85628081,             // s_cselect_b32 s98, 1, 0
    0xbee3007c,             // s_mov_b32 s99, m0
    0xbefe01c1,             // s_mov_b64 exec, -1
    0xc04a002e, 0x00000000, // s_store_dwordx4 s[0:3], s[92:93], 0x0
    0xc04a012e, 0x00000010, // s_store_dwordx4 s[4:7], s[92:93], 0x10
    0xc04a022e, 0x00000020, // s_store_dwordx4 s[8:11], s[92:93], 0x20
    0xc04a032e, 0x00000030, // s_store_dwordx4 s[12:15], s[92:93], 0x30
    0xc04a042e, 0x00000040, // s_store_dwordx4 s[16:19], s[92:93], 0x40
    0xc04a052e, 0x00000050, // s_store_dwordx4 s[20:23], s[92:93], 0x50
    0xc04a062e, 0x00000060, // s_store_dwordx4 s[24:27], s[92:93], 0x60
    0xc04a072e, 0x00000070, // s_store_dwordx4 s[28:31], s[92:93], 0x70
    0xc04a082e, 0x00000080, // s_store_dwordx4 s[32:35], s[92:93], 0x80
    0xc04a092e, 0x00000090, // s_store_dwordx4 s[36:39], s[92:93], 0x90
    0xc04a0a2e, 0x000000a0, // s_store_dwordx4 s[40:43], s[92:93], 0xa0
    0xc04a0b2e, 0x000000b0, // s_store_dwordx4 s[44:47], s[92:93], 0xb0
    0xc04a0c2e, 0x000000c0, // s_store_dwordx4 s[48:51], s[92:93], 0xc0
    0xc04a0d2e, 0x000000d0, // s_store_dwordx4 s[52:55], s[92:93], 0xd0
    0xc04a0e2e, 0x000000e0, // s_store_dwordx4 s[56:59], s[92:93], 0xe0
    0xc04a0f2e, 0x000000f0, // s_store_dwordx4 s[60:63], s[92:93], 0xf0
    0xc04a102e, 0x00000100, // s_store_dwordx4 s[64:67], s[92:93], 0x100
    0xc04a112e, 0x00000110, // s_store_dwordx4 s[68:71], s[92:93], 0x110
    0xc04a122e, 0x00000120, // s_store_dwordx4 s[72:75], s[92:93], 0x120
    0xc04a132e, 0x00000130, // s_store_dwordx4 s[76:79], s[92:93], 0x130
    0xc04a142e, 0x00000140, // s_store_dwordx4 s[80:83], s[92:93], 0x140
    0xc04a152e, 0x00000150, // s_store_dwordx4 s[84:87], s[92:93], 0x150
    0xc04a162e, 0x00000160, // s_store_dwordx4 s[88:91], s[92:93], 0x160
    0xc04a182e, 0x00000200, // s_store_dwordx4 s[96:99], s[92:93], 0x200
    0xbee0016a,             // s_mov_b64 s[96:97], vcc
    0xbee20166,             // s_mov_b64 s[98:99], flat_scratch
    0xc04a182e, 0x00000210, // s_store_dwordx4 s[96:99], s[92:93], 0x210
    0xb8def801,             // s_getreg_b32 s94, hwreg(HW_REG_MODE)
    0xc04217ae, 0x00000220, // s_store_dword s94, s[92:93], 0x220
    0x805eff5c, 0x00001000, // s_add_u32 s94, s92, 0x1000
    0x825f805d,             // s_addc_u32 s95, s93, 0
    0xdc7c8000, 0x005e0028, // global_store_dwordx4 v40, v[0:3], s[94:95]
    0xdc7c8010, 0x005e0428, // global_store_dwordx4 v40, v[4:7], s[94:95] offset:16
    0xdc7c8020, 0x005e0828, // global_store_dwordx4 v40, v[8:11], s[94:95] offset:32
    0xdc7c8030, 0x005e0c28, // global_store_dwordx4 v40, v[12:15], s[94:95] offset:48
    0xdc7c8040, 0x005e1028, // global_store_dwordx4 v40, v[16:19], s[94:95] offset:64
    0xdc7c8050, 0x005e1428, // global_store_dwordx4 v40, v[20:23], s[94:95] offset:80
    0xdc7c8060, 0x005e1828, // global_store_dwordx4 v40, v[24:27], s[94:95] offset:96
    0xdc7c8070, 0x005e1c28, // global_store_dwordx4 v40, v[28:31], s[94:95] offset:112
    0x805eff5c, 0x00004000, // s_add_u32 s94, s92, 0x4000
    0x825f805d,             // s_addc_u32 s95, s93, 0
    0xd9fe0000, 0x2c000029, // ds_read_b128 v[44:47], v41
    0xd9fe0010, 0x30000029, // ds_read_b128 v[48:51], v41 offset:16
    0xd9fe0020, 0x34000029, // ds_read_b128 v[52:55], v41 offset:32
    0xd9fe0030, 0x38000029, // ds_read_b128 v[56:59], v41 offset:48
    0xbf8cc07f,             // s_waitcnt lgkmcnt(0)
    0xdc7c8000, 0x005e2c29, // global_store_dwordx4 v41, v[44:47], s[94:95]
    0xdc7c8010, 0x005e3029, // global_store_dwordx4 v41, v[48:51], s[94:95] offset:16
    0xdc7c8020, 0x005e3429, // global_store_dwordx4 v41, v[52:55], s[94:95] offset:32
    0xdc7c8030, 0x005e3829, // global_store_dwordx4 v41, v[56:59], s[94:95] offset:48
    0xbf810000,             // s_endpgm
];
