//! Exchange between lanes, and relative moves.

use super::level::{Handler, Vector};
use super::record::{Record, code};
use super::wave::{LANES, Wave};
use super::worker::Worker;

/// One lane of a vector source, or a scalar source.
fn lane_of(wave: &Wave, record: &Record, lane: usize) -> u32 {
    match record.src[0] {
        number if number >= code::VGPR => wave.v[(number - code::VGPR) as usize][lane],
        _ => wave.scalar32(record, 0),
    }
}

/// `v_readfirstlane_b32`: the first active lane, lane 0 if there is none.
pub(crate) struct ReadFirstLane;

impl Handler for ReadFirstLane {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let exec = wave.exec();
        let lane = if exec == 0 { 0 } else { exec.trailing_zeros() as usize };
        wave.s[record.sdst as usize] = lane_of(wave, record, lane);
        ip + 1
    }
}

/// `v_readlane_b32`.
pub(crate) struct ReadLane;

impl Handler for ReadLane {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let lane = wave.scalar32(record, 1) as usize % LANES;
        wave.s[record.sdst as usize] = lane_of(wave, record, lane);
        ip + 1
    }
}

/// `v_writelane_b32`.
pub(crate) struct WriteLane;

impl Handler for WriteLane {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let lane = wave.scalar32(record, 1) as usize % LANES;
        wave.v[record.dst as usize][lane] = wave.scalar32(record, 0);
        ip + 1
    }
}

/// Registers of `ds_swizzle`, `ds_permute` and `ds_bpermute`: source 0 the address, `sdst` the data.
fn permuted(wave: &mut Wave, record: &Record, from: impl Fn(usize, u32) -> usize) {
    let exec = wave.exec();
    let address = record.src[0].wrapping_sub(code::VGPR) as usize;
    let addresses = wave.v[address % 256];
    let data = wave.v[record.sdst as usize];
    for lane in (0..LANES).filter(|lane| exec >> lane & 1 == 1) {
        let source = from(lane, addresses[lane]);
        wave.v[record.dst as usize][lane] = if exec >> source & 1 == 1 { data[source] } else { 0 };
    }
}

/// `ds_bpermute_b32`: pulls; inactive lanes give 0.
pub(crate) struct Bpermute;

impl Handler for Bpermute {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let offset = record.imm as u32;
        permuted(wave, record, |_, address| (address.wrapping_add(offset) / 4) as usize % LANES);
        ip + 1
    }
}

/// `ds_permute_b32`: pushes; the highest active lane wins, lanes that nobody pushes to get 0.
pub(crate) struct Permute;

impl Handler for Permute {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let exec = wave.exec();
        let addresses = wave.v[record.src[0].wrapping_sub(code::VGPR) as usize % 256];
        let data = wave.v[record.sdst as usize];
        let mut pushed = [0u32; LANES];
        for lane in (0..LANES).filter(|lane| exec >> lane & 1 == 1) {
            let to = (addresses[lane].wrapping_add(record.imm as u32) / 4) as usize % LANES;
            pushed[to] = data[lane];
        }
        for lane in (0..LANES).filter(|lane| exec >> lane & 1 == 1) {
            wave.v[record.dst as usize][lane] = pushed[lane];
        }
        ip + 1
    }
}

/// `ds_swizzle_b32` (Vega ISA, "DS_SWIZZLE_B32"): the pattern is in `imm`; source 0 is the data.
pub(crate) struct Swizzle;

impl Handler for Swizzle {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let pattern = record.imm as usize;
        let from = |lane: usize| {
            if pattern & 0x8000 != 0 {
                return lane & !3 | pattern >> (2 * (lane & 3)) & 3;
            }
            let (and, or, xor) = (pattern & 31, pattern >> 5 & 31, pattern >> 10 & 31);
            lane & 32 | ((lane & 31 & and) | or) ^ xor
        };
        let exec = wave.exec();
        let data = wave.v[record.src[0].wrapping_sub(code::VGPR) as usize % 256];
        for lane in (0..LANES).filter(|lane| exec >> lane & 1 == 1) {
            let source = from(lane);
            wave.v[record.dst as usize][lane] = if exec >> source & 1 == 1 { data[source] } else { 0 };
        }
        ip + 1
    }
}

/// `v_swap_b32`: `dst` and source 0 exchange their values.
pub(crate) struct Swap;

impl Handler for Swap {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let exec = wave.exec();
        let (a, b) = (record.dst as usize, record.src[0].wrapping_sub(code::VGPR) as usize % 256);
        for lane in (0..LANES).filter(|lane| exec >> lane & 1 == 1) {
            let (x, y) = (wave.v[a][lane], wave.v[b][lane]);
            wave.v[a][lane] = y;
            wave.v[b][lane] = x;
        }
        ip + 1
    }
}

/// Scalar registers of a wave, without those that have names.
const SGPRS: usize = 102;

/// `s_movrels` and `s_movreld`: `imm` bit 0 is 64 bits, bit 1 the destination is relative.
pub(crate) struct MoveRelative;

impl Handler for MoveRelative {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, _: &mut Worker, record: &Record, ip: usize) -> usize {
        let (wide, to) = (record.imm & 1 != 0, record.imm & 2 != 0);
        let index = wave.m0() as usize;
        let base = if to { record.sdst } else { record.src[0] } as usize;
        // Out of range, a source is s0 and a destination is not written (Vega ISA, "Out-of-Range Behavior").
        let relative = base.saturating_add(index);
        let inside = relative.saturating_add(1 + usize::from(wide)) <= SGPRS;
        if to {
            let value = if wide { wave.scalar64(record, 0) } else { wave.scalar32(record, 0).into() };
            match (inside, wide) {
                (true, true) => wave.set_s64(relative, value),
                (true, false) => wave.s[relative] = value as u32,
                (false, _) => {}
            }
        } else {
            let from = if inside { relative } else { 0 };
            let value = wave.s64(from);
            let dst = record.sdst as usize;
            if wide { wave.set_s64(dst, value) } else { wave.s[dst] = value as u32 }
        }
        ip + 1
    }
}
