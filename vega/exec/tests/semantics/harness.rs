//! Runs code on the engine from any state of registers and memory, and reads the state back.

use vega_exec::Outcome;
use vega_isa::{Table, sgpr};

use crate::common::{CODE, Card, DATA, KERNARG};
use crate::model::{MEMORY, Wave};

/// Registers that are set and read back; code between prologue and epilogue must leave the others alone.
pub const VGPRS: usize = 32;
pub const SGPRS: usize = 92;
/// LDS that is set and read back, and that the workgroup has.
pub const LDS: usize = 4096;
/// Bytes of one state in memory: SGPRs, EXEC and the like at 0x200, VGPRs at 0x1000, LDS at 0x4000.
const BLOCK: u64 = 0x5000;
/// Sets all registers of workgroup n from block n; args: the address of the first.
#[rustfmt::skip]
const PROLOGUE: &[u32] = &[
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
const EPILOGUE: &[u32] = &[
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

/// A card that runs code from given states.
pub struct Bench(pub Card);

impl Bench {
    pub fn new(table: &'static Table) -> Self {
        Self(Card::with_table(1, table))
    }

    /// Runs `code` from each of the states, which share the memory of the first, and returns what it leaves.
    pub fn run(&self, code: &[u32], states: &[Wave]) -> Result<Vec<Wave>, String> {
        let card = &self.0;
        let mut program = PROLOGUE.to_vec();
        program.extend(code);
        program.extend(EPILOGUE);
        card.write(CODE, &program);
        card.write(KERNARG, &[DATA as u32, (DATA >> 32) as u32]);
        for (n, state) in states.iter().enumerate() {
            let at = DATA + BLOCK * n as u64;
            card.write(at, &state.s[..SGPRS]);
            let [exec, vcc, flat] = [sgpr::EXEC_LO, sgpr::VCC_LO, sgpr::FLAT_SCR_LO].map(usize::from);
            let s = &state.s;
            let m0 = s[usize::from(sgpr::M0)];
            card.write(
                at + 0x200,
                &[s[exec], s[exec + 1], state.scc.into(), m0, s[vcc], s[vcc + 1], s[flat], s[flat + 1]],
            );
            let lanes: Vec<u32> =
                (0..64).flat_map(|lane| state.v.iter().take(VGPRS).map(move |v| v[lane])).collect();
            card.write(at + 0x1000, &lanes);
            card.space.write_bytes(at + 0x4000, &state.lds).expect("mapped");
        }
        card.space.write_bytes(MEMORY, &states[0].memory).expect("mapped");
        let mut dispatch = card.dispatch([64 * states.len() as u32, 1, 1], [64, 1, 1]);
        dispatch.lds_bytes = LDS as u32;
        // MODE's four fields for rounding and denormals, dx10_clamp, ieee.
        let mode = states[0].mode;
        dispatch.rsrc1 = (mode & 0xff) << 12 | (mode >> 8 & 1) << 21 | (mode >> 9 & 1) << 23;
        match card.run(&dispatch) {
            Outcome::Done => {}
            Outcome::Fault(report) => return Err(report.to_string()),
            Outcome::Canceled => return Err("cancelled".to_owned()),
        }
        Ok((0..states.len()).map(|n| self.read(DATA + BLOCK * n as u64, &states[n])).collect())
    }

    fn read(&self, at: u64, before: &Wave) -> Wave {
        let card = &self.0;
        let mut wave = before.clone();
        wave.s[..SGPRS].copy_from_slice(&card.read(at, SGPRS));
        let special = card.read(at + 0x200, 9);
        wave.set_pair(sgpr::EXEC_LO, u64::from(special[0]) | u64::from(special[1]) << 32);
        wave.scc = special[2] != 0;
        wave.s[usize::from(sgpr::M0)] = special[3];
        wave.set_pair(sgpr::VCC_LO, u64::from(special[4]) | u64::from(special[5]) << 32);
        wave.set_pair(sgpr::FLAT_SCR_LO, u64::from(special[6]) | u64::from(special[7]) << 32);
        wave.mode = special[8];
        let lanes = card.read(at + 0x1000, 64 * VGPRS);
        for (lane, registers) in lanes.chunks(VGPRS).enumerate() {
            for (v, value) in wave.v.iter_mut().zip(registers) {
                v[lane] = *value;
            }
        }
        card.space.read_bytes(at + 0x4000, &mut wave.lds).expect("mapped");
        card.space.read_bytes(MEMORY, &mut wave.memory).expect("mapped");
        // Behind the epilogue's s_set_gpr_idx_off.
        wave.indexing = false;
        wave
    }
}

/// Where two states differ, for a message.
pub fn difference(found: &Wave, wanted: &Wave) -> Option<String> {
    for n in 0..found.v.len() {
        for lane in 0..64 {
            let (f, w) = (found.v[n][lane], wanted.v[n][lane]);
            if f != w {
                return Some(format!("v{n} of lane {lane} is {f:#010x} instead of {w:#010x}"));
            }
        }
    }
    for n in 0..found.s.len() {
        if found.s[n] != wanted.s[n] {
            return Some(format!("s{n} is {:#010x} instead of {:#010x}", found.s[n], wanted.s[n]));
        }
    }
    if (found.scc, found.mode) != (wanted.scc, wanted.mode) {
        return Some(format!(
            "SCC and MODE are {}, {:#x} instead of {}, {:#x}",
            found.scc, found.mode, wanted.scc, wanted.mode
        ));
    }
    let bytes = |what: &str, f: &[u8], w: &[u8]| {
        let at = f.iter().zip(w).position(|(f, w)| f != w)?;
        Some(format!("{what} byte {at:#x} is {:#04x} instead of {:#04x}", f[at], w[at]))
    };
    bytes("LDS", &found.lds, &wanted.lds).or_else(|| bytes("memory", &found.memory, &wanted.memory))
}
