//! Lanes exchange values: vector instructions and the DS ones that do not touch LDS.

use vega_isa::{Inst, Operand};

use super::wave::{Unknown, Wave};

pub fn step(wave: &mut Wave, inst: &Inst) -> Result<(), Unknown> {
    let (slots, operands) = (inst.row.operands, inst.slots);
    match (inst.row.mnemonic, operands[0], operands[1]) {
        ("v_swap_b32", Operand::Vgpr(a), Operand::Vgpr(b)) => {
            for lane in wave.active_lanes() {
                let old = wave.v[usize::from(a)][lane];
                wave.v[usize::from(a)][lane] = wave.v[usize::from(b)][lane];
                wave.v[usize::from(b)][lane] = old;
            }
        }
        ("v_readfirstlane_b32", Operand::Sgpr(to), from) => {
            let lane = (0..64).find(|lane| wave.active(*lane)).unwrap_or(0);
            wave.s[usize::from(to)] = wave.operand(&slots[1], from, lane)? as u32;
        }
        ("v_readlane_b32", Operand::Sgpr(to), from) => {
            let lane = wave.scalar(&slots[2], operands[2])? as usize % 64;
            wave.s[usize::from(to)] = wave.operand(&slots[1], from, lane)? as u32;
        }
        ("v_writelane_b32", Operand::Vgpr(to), from) => {
            let lane = wave.scalar(&slots[2], operands[2])? as usize % 64;
            wave.v[usize::from(to)][lane] = wave.scalar(&slots[1], from)? as u32;
        }
        _ => return Err(Unknown),
    }
    Ok(())
}

/// `ds_swizzle`, `ds_permute` and `ds_bpermute`.
pub fn data_share(wave: &mut Wave, inst: &Inst) -> Result<(), Unknown> {
    let vgpr = |n: usize| match inst.slots[n] {
        Operand::Vgpr(n) => Ok(usize::from(n)),
        _ => Err(Unknown),
    };
    let (to, offset) = (vgpr(0)?, inst.modifiers.offset as u32);
    let address = wave.v[vgpr(1)?];
    let lane_at = |lane: usize| (address[lane].wrapping_add(offset) >> 2) as usize % 64;
    let active: Vec<usize> = wave.active_lanes().collect();
    let mut result = wave.v[to];
    match inst.row.mnemonic {
        "ds_permute_b32" => {
            let data = wave.v[vgpr(2)?];
            active.iter().for_each(|lane| result[*lane] = 0);
            let mut pushed = [0; 64];
            active.iter().for_each(|lane| pushed[lane_at(*lane)] = data[*lane]);
            active.iter().for_each(|lane| result[*lane] = pushed[*lane]);
        }
        "ds_bpermute_b32" => {
            let data = wave.v[vgpr(2)?];
            for lane in &active {
                let from = lane_at(*lane);
                result[*lane] = if wave.active(from) { data[from] } else { 0 };
            }
        }
        "ds_swizzle_b32" => {
            for lane in &active {
                let from = if offset >> 15 == 1 {
                    lane / 4 * 4 + (offset >> (2 * (lane % 4)) & 3) as usize
                } else {
                    let [and, or, xor] = [0, 5, 10].map(|at| (offset >> at & 31) as usize);
                    lane / 32 * 32 + (((lane % 32) & and | or) ^ xor)
                };
                result[*lane] = if wave.active(from) { address[from] } else { 0 };
            }
        }
        _ => return Err(Unknown),
    }
    wave.v[to] = result;
    Ok(())
}
