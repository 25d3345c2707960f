//! Accesses of a strip to elements anywhere: gathers, scatters, and lane by lane.

use std::mem::offset_of;

use iced_x86::{Code, MemoryOperand, Register};
use vega_isa::memory::Half;

use super::address::range;
use super::assembler::{Arg, Condition, Masking, at, at_index};
use super::context::Context;
use super::ir::Access;
use super::layout::{LDS, context, scalar, xmm, ymm, zmm};
use super::strip::{EXEC, K2, K3, MOVE, STORE, Strip};
use crate::memory::RangeCache;
use Code::*;

const RAX: Register = Register::RAX;
const RCX: Register = Register::RCX;

/// A mask that the instruction clears.
fn by(mask: Register) -> Masking {
    Masking { by: Some(mask), zero: false, quiet: false }
}

/// The place of the lane's host address.
fn place(lane: usize) -> Arg {
    context(offset_of!(Context, places) + 8 * lane).into()
}

impl Strip<'_> {
    /// Sets K2 and K3 to the active lanes of each half, for instructions that clear them.
    fn halves(&mut self) {
        if self.masked {
            self.asm.op(VEX_Kmovw_kr_km16, &[K2.into(), EXEC.into()]);
            self.asm.op(VEX_Kshiftrw_kr_kr_imm8, &[K3.into(), EXEC.into(), 8u8.into()]);
        } else {
            self.asm.op(VEX_Kxnorw_kr_kr_kr, &[K2.into(), K2.into(), K2.into()]);
            self.asm.op(VEX_Kxnorw_kr_kr_kr, &[K3.into(), K3.into(), K3.into()]);
        }
    }

    /// Elements at `base` + 32-bit offsets that are below 2^31.
    pub fn indexed(&mut self, access: &Access, d: &[Register; 4], base: Register, index: Register) {
        let pieces = usize::from(access.bytes / 8);
        let mut index = index;
        if pieces != 0 {
            let upper: [Arg; 3] = [ymm(zmm(1)).into(), index.into(), 1u8.into()];
            self.asm.op(EVEX_Vextracti64x4_ymmm256_k1z_zmm_imm8, &upper);
            self.asm.op(MOVE, &[zmm(0).into(), index.into()]);
            index = zmm(0);
        }
        for piece in 0..pieces {
            let offset = 8 * piece as i32;
            let places = [ymm(zmm(0)), ymm(zmm(1))].map(|index| at_index(base, index, offset));
            self.halves();
            let codes = (EVEX_Vpgatherdq_zmm_k1_vm32y, EVEX_Vpscatterdq_vm32y_k1_zmm);
            self.pairs(access, [d[2 * piece], d[2 * piece + 1]], places, codes);
        }
        if !access.bytes.is_multiple_of(8) {
            self.halves();
            let place = at_index(base, index, 8 * pieces as i32);
            let d = d[2 * pieces];
            if access.load {
                self.asm.with(EVEX_Vpgatherdd_zmm_k1_vm32z, &[zmm(3).into(), place.into()], by(K2));
                self.extract_small(access, d, zmm(3));
            } else {
                self.asm.with(EVEX_Vpscatterdd_vm32z_k1_zmm, &[place.into(), d.into()], by(K2));
            }
        }
    }

    /// Pairs of dwords of sixteen lanes, from or to two lists of eight places; uses K2 and K3.
    fn pairs(&mut self, access: &Access, d: [Register; 2], places: [MemoryOperand; 2], codes: (Code, Code)) {
        let halves = [zmm(3), zmm(4)];
        if access.load {
            for ((half, place), k) in halves.into_iter().zip(places).zip([K2, K3]) {
                self.asm.with(codes.0, &[half.into(), place.into()], by(k));
            }
            self.deinterleave(halves, false, d[0]);
            self.deinterleave(halves, true, d[1]);
        } else {
            self.interleave(d[0], d[1], halves);
            for ((half, place), k) in halves.into_iter().zip(places).zip([K2, K3]) {
                self.asm.with(codes.1, &[place.into(), half.into()], by(k));
            }
        }
    }

    /// Elements of fewer than four bytes from dwords; uses temporary 3.
    fn extract_small(&mut self, access: &Access, d: Register, from: Register) {
        if access.bytes >= 4 {
            self.asm.op(MOVE, &[d.into(), from.into()]);
            return;
        }
        let unused = 32 - 8 * access.bytes;
        self.asm.op(EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8, &[zmm(3).into(), from.into(), unused.into()]);
        let down = if access.signed {
            EVEX_Vpsrad_zmm_k1z_zmmm512b32_imm8
        } else {
            EVEX_Vpsrld_zmm_k1z_zmmm512b32_imm8
        };
        let to = if access.half == Half::Whole { d } else { zmm(3) };
        self.asm.op(down, &[to.into(), zmm(3).into(), unused.into()]);
        self.merge_half(access, d, to);
    }

    /// Temporaries 0 and 1: lanes' offsets in the translation, all with `reach` bytes behind them. For 64-bit
    /// addresses, or 32-bit ones with a scalar base.
    fn offsets(&mut self, access: &Access, low: Register, high: Option<Register>, reach: i32) {
        let offset = access.offsets[0];
        let missed = self.miss(access, (low, high));
        match high {
            Some(high) => self.interleave(low, high, [zmm(0), zmm(1)]),
            None => self.extend(low, [zmm(0), zmm(1)], false),
        }
        self.asm.op(Mov_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.start), access)]);
        if let Some(base) = access.base {
            self.asm.op(Sub_r64_rm64, &[RAX.into(), scalar(base).into()]);
        }
        if offset != 0 {
            self.asm.op(Sub_rm64_imm32, &[RAX.into(), Arg::Dword(offset as u32)]);
        }
        self.asm.op(EVEX_Vpbroadcastq_zmm_k1z_r64, &[zmm(2).into(), RAX.into()]);
        for t in [zmm(0), zmm(1)] {
            self.asm.op(EVEX_Vpsubq_zmm_k1z_zmm_zmmm512b64, &[t.into(), t.into(), zmm(2).into()]);
        }
        self.asm.op(Mov_r64_rm64, &[RCX.into(), range(offset_of!(RangeCache, range.len), access)]);
        self.asm.op(Sub_rm64_imm32, &[RCX.into(), Arg::Dword(reach as u32)]);
        self.asm.op(EVEX_Vpbroadcastq_zmm_k1z_r64, &[zmm(2).into(), RCX.into()]);
        for (t, k) in [(zmm(0), K2), (zmm(1), K3)] {
            let mut masking = if k == K2 { self.masking() } else { self.upper_masking() };
            masking.zero = false;
            let args: [Arg; 4] = [k.into(), t.into(), zmm(2).into(), 6u8.into()];
            self.asm.with(EVEX_Vpcmpuq_kr_k1_zmm_zmmm512b64_imm8, &args, masking);
        }
        self.asm.op(VEX_Kortestw_kr_kr, &[K2.into(), K3.into()]);
        self.asm.jcc(Condition::NotEqual, missed);
        self.asm.op(Mov_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.start), access)]);
        self.asm.op(Add_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.delta), access)]);
    }

    /// Elements at 64-bit addresses.
    pub fn gather_wide(
        &mut self,
        access: &Access,
        d: &[Register; 4],
        low: Register,
        high: Register,
        reach: i32,
    ) {
        self.offsets(access, low, Some(high), reach);
        if access.bytes <= 4 {
            self.halves();
            let places = [zmm(0), zmm(1)].map(|index| at_index(RAX, index, 0));
            if access.load {
                for ((t, place), k) in [zmm(3), zmm(4)].into_iter().zip(places).zip([K2, K3]) {
                    self.asm.with(EVEX_Vpgatherqd_ymm_k1_vm64z, &[ymm(t).into(), place.into()], by(k));
                }
                let args: [Arg; 4] = [zmm(3).into(), zmm(3).into(), ymm(zmm(4)).into(), 1u8.into()];
                self.asm.op(EVEX_Vinserti64x4_zmm_k1z_zmm_ymmm256_imm8, &args);
                self.extract_small(access, d[0], zmm(3));
            } else {
                let upper: [Arg; 3] = [ymm(zmm(3)).into(), d[0].into(), 1u8.into()];
                self.asm.op(EVEX_Vextracti64x4_ymmm256_k1z_zmm_imm8, &upper);
                for ((from, place), k) in [ymm(d[0]), ymm(zmm(3))].into_iter().zip(places).zip([K2, K3]) {
                    self.asm.with(EVEX_Vpscatterqd_vm64z_k1_ymm, &[place.into(), from.into()], by(k));
                }
            }
            return;
        }
        self.halves();
        let places = [zmm(0), zmm(1)].map(|index| at_index(RAX, index, 0));
        let codes = (EVEX_Vpgatherqq_zmm_k1_vm64z, EVEX_Vpscatterqq_vm64z_k1_zmm);
        self.pairs(access, [d[0], d[1]], places, codes);
    }

    // Lane by lane.

    /// Notes the lanes' places in global memory.
    pub fn global_places(&mut self, access: &Access, low: Register, high: Option<Register>, reach: i32) {
        self.offsets(access, low, high, reach);
        self.places();
    }

    /// Notes the lanes' places in LDS.
    pub fn lds_places(&mut self, address: Register) {
        self.extend(address, [zmm(0), zmm(1)], false);
        self.asm.op(Mov_r64_rm64, &[RAX.into(), LDS.into()]);
        self.places();
    }

    /// Notes host addresses: RAX plus temporaries 0 and 1. Inactive lanes get a place that nobody looks at.
    pub fn places(&mut self) {
        self.asm.op(EVEX_Vpbroadcastq_zmm_k1z_r64, &[zmm(2).into(), RAX.into()]);
        if self.masked {
            self.asm.op(Lea_r64_m, &[RCX.into(), context(offset_of!(Context, sink)).into()]);
            self.asm.op(EVEX_Vpbroadcastq_zmm_k1z_r64, &[zmm(3).into(), RCX.into()]);
        }
        for half in 0..2u8 {
            let mut masking = if half == 0 { self.masking() } else { self.upper_masking() };
            masking.zero = false;
            let to = if self.masked { zmm(3) } else { zmm(half) };
            if self.masked && half == 1 {
                self.asm.op(EVEX_Vpbroadcastq_zmm_k1z_r64, &[zmm(3).into(), RCX.into()]);
            }
            let args: [Arg; 3] = [to.into(), zmm(half).into(), zmm(2).into()];
            self.asm.with(EVEX_Vpaddq_zmm_k1z_zmm_zmmm512b64, &args, masking);
            self.asm.op(STORE, &[place(8 * usize::from(half)), to.into()]);
        }
    }

    /// Loads elements of 12 and 16 bytes from the noted places, each in one piece.
    pub fn load_each(&mut self, d: &[Register; 4], access: &Access) {
        for lane in 0..16 {
            let t = zmm(lane as u8 / 4);
            self.asm.op(Mov_r64_rm64, &[RCX.into(), place(lane)]);
            let from: Arg = at(RCX, 0).into();
            if lane % 4 == 0 {
                self.asm.op(EVEX_Vmovdqu32_xmm_k1z_xmmm128, &[xmm(t).into(), from]);
            } else {
                let args: [Arg; 4] = [t.into(), t.into(), from, (lane as u8 % 4).into()];
                self.asm.op(EVEX_Vinserti32x4_zmm_k1z_zmm_xmmm128_imm8, &args);
            }
        }
        let mut d = *d;
        if access.bytes == 12 {
            d[3] = zmm(0);
        }
        self.transpose_load(&d);
    }

    /// Stores elements of other sizes than 4 and 8 bytes to the noted places, those of 16 bytes in one piece.
    pub fn store_each(&mut self, access: &Access, d: &[Register; 4]) {
        if access.bytes < 4 {
            let from = self.half_to_store(access, d[0]);
            self.asm.op(STORE, &[context(offset_of!(Context, values)).into(), from.into()]);
            for lane in 0..16 {
                self.asm.op(Mov_r64_rm64, &[RCX.into(), place(lane)]);
                let value = context(offset_of!(Context, values) + 4 * lane);
                self.asm.op(Mov_r32_rm32, &[Register::EAX.into(), value.into()]);
                let to: Arg = at(RCX, 0).into();
                match access.bytes {
                    1 => self.asm.op(Mov_rm8_r8, &[to, Register::AL.into()]),
                    _ => self.asm.op(Mov_rm16_r16, &[to, Register::AX.into()]),
                }
            }
            return;
        }
        let mut d = *d;
        if access.bytes == 12 {
            d[3] = d[2];
        }
        let whole = access.bytes == 16;
        self.transpose_store(&d, |strip, quarter| {
            for n in 0..4u8 {
                strip.asm.op(Mov_r64_rm64, &[RCX.into(), place(4 * quarter as usize + usize::from(n))]);
                let extract = EVEX_Vextracti32x4_xmmm128_k1z_zmm_imm8;
                if whole {
                    strip.asm.op(extract, &[at(RCX, 0).into(), zmm(2).into(), n.into()]);
                    continue;
                }
                let part = xmm(zmm(3));
                strip.asm.op(extract, &[part.into(), zmm(2).into(), n.into()]);
                strip.asm.op(EVEX_Vmovq_xmmm64_xmm, &[at(RCX, 0).into(), part.into()]);
                strip.asm.op(EVEX_Vpextrd_rm32_xmm_imm8, &[at(RCX, 8).into(), part.into(), 2u8.into()]);
            }
        });
    }
}
