//! Accesses of a strip to consecutive elements, and to one element for all lanes.

use iced_x86::{Code, Register};
use vega_isa::memory::{Half, Space};

use super::assembler::{Arg, Masking, at};
use super::ir::Access;
use super::layout::{ymm, zmm};
use super::strip::{EXEC, LOAD, STORE, Strip};
use Code::*;

impl Strip<'_> {
    /// Elements that begin `step` bytes apart.
    pub fn load_block(
        &mut self,
        access: &Access,
        step: u8,
        d: &[Register; 4],
        (base, offset): (Register, i32),
    ) {
        if step < access.bytes {
            // Each part of the elements is a block.
            for (part, d) in
                d.chunks_exact(usize::from(step / 4)).enumerate().take((access.bytes / step).into())
            {
                let mut parts = [zmm(0); 4];
                parts.iter_mut().zip(d).for_each(|(to, from)| *to = *from);
                let access = Access { bytes: step, ..*access };
                self.load_block(&access, step, &parts, (base, offset + i32::from(step) * part as i32));
            }
            return;
        }
        let masking = self.masking();
        let place = |k: i32| -> Arg { at(base, offset + 64 * k).into() };
        match access.bytes {
            1 | 2 => {
                let code = match (access.bytes, access.signed) {
                    (1, false) => EVEX_Vpmovzxbd_zmm_k1z_xmmm128,
                    (1, true) => EVEX_Vpmovsxbd_zmm_k1z_xmmm128,
                    (_, false) => EVEX_Vpmovzxwd_zmm_k1z_ymmm256,
                    (_, true) => EVEX_Vpmovsxwd_zmm_k1z_ymmm256,
                };
                let to = if access.half == Half::Whole { d[0] } else { zmm(3) };
                self.asm.with(code, &[to.into(), place(0)], masking);
                self.merge_half(access, d[0], to);
            }
            4 => self.asm.with(LOAD, &[d[0].into(), place(0)], masking),
            8 => {
                self.asm.with(EVEX_Vmovdqu64_zmm_k1z_zmmm512, &[zmm(0).into(), place(0)], masking);
                let upper = self.upper_masking();
                self.asm.with(EVEX_Vmovdqu64_zmm_k1z_zmmm512, &[zmm(1).into(), place(1)], upper);
                self.deinterleave([zmm(0), zmm(1)], false, d[0]);
                self.deinterleave([zmm(0), zmm(1)], true, d[1]);
            }
            _ => {
                for k in 0..4 {
                    self.asm.op(LOAD, &[zmm(k).into(), place(k.into())]);
                }
                self.transpose_load(d);
            }
        }
    }

    /// Puts a small element's bits into the half of the destination that it is for.
    pub fn merge_half(&mut self, access: &Access, d: Register, from: Register) {
        let mask = match access.half {
            Half::Whole => return,
            Half::Low => 0xffff,
            Half::High => {
                let up: [Arg; 3] = [from.into(), from.into(), 16u8.into()];
                self.asm.op(EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8, &up);
                0xffff_0000
            }
        };
        // The mask chooses between both.
        self.asm.broadcast(zmm(4), mask);
        let args: [Arg; 4] = [d.into(), from.into(), zmm(4).into(), 0xd8u8.into()];
        self.asm.op(EVEX_Vpternlogd_zmm_k1z_zmm_zmmm512b32_imm8, &args);
    }

    /// Temporaries 0 to 3 hold four lanes' elements of four dwords each: `d` gets one dword of all lanes each.
    pub fn transpose_load(&mut self, d: &[Register; 4]) {
        // Pairs of dwords of eight lanes in temporaries 4 and 5, for dwords 0 and 1, then 2 and 3.
        for pair in 0..2u32 {
            for half in 0..2u8 {
                let table = std::array::from_fn(|n| {
                    let (dword, lane) = (n as u32 / 8 + 2 * pair, n as u32 % 8);
                    lane / 4 * 16 + lane % 4 * 4 + dword
                });
                let t = zmm(4 + half);
                self.asm.op_table(LOAD, &[t.into()], table, Masking::default());
                let args: [Arg; 3] = [t.into(), zmm(2 * half).into(), zmm(2 * half + 1).into()];
                self.asm.op(EVEX_Vpermi2d_zmm_k1z_zmm_zmmm512b32, &args);
            }
            let [first, second] = [d[2 * pair as usize], d[2 * pair as usize + 1]];
            let args: [Arg; 4] = [second.into(), zmm(4).into(), zmm(5).into(), 0xeeu8.into()];
            self.asm.op(EVEX_Vshuff64x2_zmm_k1z_zmm_zmmm512b64_imm8, &args);
            let args: [Arg; 4] = [first.into(), zmm(4).into(), ymm(zmm(5)).into(), 1u8.into()];
            self.asm.op(EVEX_Vinserti64x4_zmm_k1z_zmm_ymmm256_imm8, &args);
        }
    }

    /// Consecutive elements.
    pub fn store_block(&mut self, access: &Access, d: &[Register; 4], (base, offset): (Register, i32)) {
        let masking = Masking { by: self.masked.then_some(EXEC), zero: false, quiet: false };
        let place = |k: i32| -> Arg { at(base, offset + 64 * k).into() };
        match access.bytes {
            1 | 2 => {
                let from = self.half_to_store(access, d[0]);
                let code = if access.bytes == 1 {
                    EVEX_Vpmovdb_xmmm128_k1z_zmm
                } else {
                    EVEX_Vpmovdw_ymmm256_k1z_zmm
                };
                self.asm.with(code, &[place(0), from.into()], masking);
            }
            4 => self.asm.with(STORE, &[place(0), d[0].into()], masking),
            8 => {
                self.interleave(d[0], d[1], [zmm(0), zmm(1)]);
                self.asm.with(EVEX_Vmovdqu64_zmmm512_k1z_zmm, &[place(0), zmm(0).into()], masking);
                let mut upper = self.upper_masking();
                upper.zero = false;
                self.asm.with(EVEX_Vmovdqu64_zmmm512_k1z_zmm, &[place(1), zmm(1).into()], upper);
            }
            _ => self.transpose_store(d, |strip, quarter| {
                strip.asm.op(STORE, &[place(quarter), zmm(2).into()]);
            }),
        }
    }

    /// The register whose low bits a small store takes.
    pub fn half_to_store(&mut self, access: &Access, d: Register) -> Register {
        if access.half != Half::High {
            return d;
        }
        self.asm.op(EVEX_Vpsrld_zmm_k1z_zmmm512b32_imm8, &[zmm(3).into(), d.into(), 16u8.into()]);
        zmm(3)
    }

    /// Calls `store` for each four lanes, whose elements of four dwords are in temporary 2.
    pub fn transpose_store(&mut self, d: &[Register; 4], mut store: impl FnMut(&mut Self, i32)) {
        for half in 0..2 {
            // Lanes' first and second pairs of dwords, then both together.
            let mut low = [zmm(0), zmm(1)];
            let table = |half: usize| std::array::from_fn(|n| (8 * half + n / 2 + n % 2 * 16) as u32);
            for (pair, t) in low.iter_mut().enumerate() {
                self.asm.op_table(LOAD, &[(*t).into()], table(half), Masking::default());
                let args: [Arg; 3] = [(*t).into(), d[2 * pair].into(), d[2 * pair + 1].into()];
                self.asm.op(EVEX_Vpermi2d_zmm_k1z_zmm_zmmm512b32, &args);
            }
            for quarter in 0..2usize {
                let table = std::array::from_fn(|n| {
                    let (qword, part) = (n / 2, n % 2);
                    (8 * quarter + qword / 2 * 2 + part + qword % 2 * 16) as u32
                });
                self.asm.op_table(LOAD, &[zmm(2).into()], table, Masking::default());
                let args: [Arg; 3] = [zmm(2).into(), low[0].into(), low[1].into()];
                self.asm.op(EVEX_Vpermi2d_zmm_k1z_zmm_zmmm512b32, &args);
                store(self, (2 * half + quarter) as i32);
            }
        }
    }

    /// One element for all lanes.
    pub fn load_one(&mut self, access: &Access, d: &[Register; 4], (base, offset): (Register, i32)) {
        let place = |k: i32| -> Arg { at(base, offset + k).into() };
        let lds = access.space == Space::Lds;
        match access.bytes {
            1 | 2 => {
                let code = match (access.bytes, access.signed) {
                    (1, false) => Movzx_r32_rm8,
                    (1, true) => Movsx_r32_rm8,
                    (_, false) => Movzx_r32_rm16,
                    (_, true) => Movsx_r32_rm16,
                };
                self.asm.op(code, &[Register::ECX.into(), place(0)]);
                let to = if access.half == Half::Whole { d[0] } else { zmm(3) };
                self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_r32, &[to.into(), Register::ECX.into()]);
                self.merge_half(access, d[0], to);
            }
            // LDS belongs to this thread: nobody sees how its elements are taken apart.
            bytes if lds || bytes == 4 => {
                for (k, d) in d.iter().enumerate().take(usize::from(bytes / 4)) {
                    self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_xmmm32, &[(*d).into(), place(4 * k as i32)]);
                }
            }
            bytes => {
                // All of it in one piece, then its dwords.
                let code = if bytes == 8 {
                    EVEX_Vpbroadcastq_zmm_k1z_xmmm64
                } else {
                    EVEX_Vbroadcasti32x4_zmm_k1z_m128
                };
                self.asm.op(code, &[zmm(0).into(), place(0)]);
                let repeat = if bytes == 8 { [0xa0u8, 0xf5, 0, 0] } else { [0x00, 0x55, 0xaa, 0xff] };
                for (d, order) in d.iter().zip(repeat).take(usize::from(bytes / 4)) {
                    let args: [Arg; 3] = [(*d).into(), zmm(0).into(), order.into()];
                    self.asm.op(EVEX_Vpshufd_zmm_k1z_zmmm512b32_imm8, &args);
                }
            }
        }
    }
}
