//! Hardware registers, as `s_getreg` and `s_setreg` see them (Vega ISA, "Hardware Register Values"; sq_wave headers).

use super::wave::Wave;
use super::worker::Worker;

/// Register numbers.
pub(crate) mod id {
    pub const MODE: u8 = 1;
    pub const STATUS: u8 = 2;
    pub const TRAPSTS: u8 = 3;
    pub const HW_ID: u8 = 4;
    pub const GPR_ALLOC: u8 = 5;
    pub const LDS_ALLOC: u8 = 6;
    pub const PC_LO: u8 = 8;
    pub const PC_HI: u8 = 9;
    pub const INST_DW0: u8 = 10;
    pub const INST_DW1: u8 = 11;
    pub const SH_MEM_BASES: u8 = 15;
}

/// Bits of MODE that floating-point operations look at: rounding, denormals, dx10_clamp, ieee, and fp16_ovfl.
pub(super) const FLOAT: u32 = 0x3ff | 1 << 23;
/// Vector registers are relative.
const GPR_IDX_EN: u32 = 1 << 27;
/// Vector instructions do nothing.
const VSKIP: u32 = 1 << 28;

/// What a register holds. Counters of outstanding operations are zero: every operation is done when the next one begins.
/// Registers that are not there read as zero.
pub(super) fn read(wave: &Wave, worker: &Worker, register: u8, ip: usize) -> u32 {
    let pc = wave.pc(ip);
    let bit = |set: bool, at: u32| u32::from(set) << at;
    let dispatch = &worker.registers;
    match register {
        id::MODE => {
            let bits = bit(wave.gpr_idx, 27) | bit(wave.skip_vector, 28);
            wave.mode & !(GPR_IDX_EN | VSKIP) | bits
        }
        id::STATUS => {
            // TRAP_EN, IN_TG and VALID besides the conditions.
            bit(wave.scc, 0)
                | bit(dispatch.resources[1] >> 6 & 1 == 1, 6)
                | bit(wave.exec() == 0, 9)
                | bit(wave.vcc() == 0, 10)
                | bit(dispatch.waves > 1, 11)
                | bit(true, 16)
        }
        id::TRAPSTS => wave.trap_status,
        id::HW_ID => wave.hw_id,
        // Sizes less one, in units of the allocation; everything begins at zero.
        id::GPR_ALLOC => (dispatch.resources[0] & 0x3f) << 8 | (dispatch.resources[0] >> 6 & 15) << 24,
        id::LDS_ALLOC => dispatch.lds_bytes.div_ceil(512) << 12,
        id::PC_LO => pc as u32,
        id::PC_HI => (pc >> 32) as u32,
        id::INST_DW0 | id::INST_DW1 => {
            let mut word = [0; 4];
            let at = pc + 4 * u64::from(register - id::INST_DW0);
            worker.space.fetch_bytes(at, &mut word).map_or(0, |()| u32::from_le_bytes(word))
        }
        id::SH_MEM_BASES => memory_bases(worker),
        _ => 0,
    }
}

/// Where the apertures are: bits 63:48 of the private one and of the one of LDS.
pub(crate) fn memory_bases(worker: &Worker) -> u32 {
    (worker.apertures.private >> 48) as u32 & 0xffff | ((worker.apertures.lds >> 48) as u32) << 16
}

/// Writes the masked bits. Only MODE and TRAPSTS are there for programs; STATUS belongs to trap handlers. True: the way in
/// which vector instructions are executed has changed.
pub(super) fn write(wave: &mut Wave, register: u8, mask: u32, value: u32) -> bool {
    let merged = |old: u32| old & !mask | value & mask;
    match register {
        id::MODE => {
            let before = (wave.gpr_idx, wave.skip_vector);
            wave.mode = merged(wave.mode);
            if mask & GPR_IDX_EN != 0 {
                wave.gpr_idx = value & GPR_IDX_EN != 0;
            }
            if mask & VSKIP != 0 {
                wave.skip_vector = value & VSKIP != 0;
            }
            before != (wave.gpr_idx, wave.skip_vector)
        }
        id::TRAPSTS => {
            wave.trap_status = merged(wave.trap_status);
            false
        }
        _ => false,
    }
}
