//! Loads and stores of a strip: LDS and global memory.
//!
//! Addresses are looked at when the code runs: consecutive ones are one block, one address for all lanes is a
//! broadcast, the rest is gathered or scattered (in ascending order of lanes, as the host's scatter does
//! it). Whatever is out of the range that the instruction's translation covers goes to the interpreter.
//!
//! A naturally aligned element of up to 8 bytes is moved in one piece: elements of a vector access and of a
//! gather or scatter are single accesses. Global accesses of 16 bytes, which must be whole, too, are left to the
//! interpreter.

use std::mem::offset_of;

use iced_x86::{Code, MemoryOperand, Register};
use vega_isa::memory::Space;

use super::address::{address, lane_base, lane_limit, lds_bound, lds_limit, range, translation, within};
use super::assembler::{Arg, Condition, Label, Masking, at_index};
use super::ir::{Access, Lane};
use super::layout::{LDS, xmm, ymm, zmm};
use super::strip::{EXEC, K2, K3, LOAD, MOVE, STORE, Strip};
use crate::memory::RangeCache;
use Code::*;

const RAX: Register = Register::RAX;
const RCX: Register = Register::RCX;

/// Registers that one access moves, each with its offset in bytes from the element's beginning.
struct Data {
    /// Host registers, by element and dword.
    host: [[Register; 4]; 2],
}

/// How the lanes' addresses lie, decided when the code runs.
struct Paths {
    consecutive: Label,
    uniform: Label,
    any: Label,
    done: Label,
}

impl Strip<'_> {
    /// Emits a memory instruction.
    pub fn memory(&mut self, lane: &Lane) {
        let Some(access) = lane.access else { return };
        if !access.load {
            self.settle();
        }
        match access.space {
            Space::Lds => self.lds(&access),
            _ => self.global(&access),
        }
    }

    fn paths(&mut self) -> Paths {
        Paths {
            consecutive: self.asm.label(),
            uniform: self.asm.label(),
            any: self.asm.label(),
            done: self.asm.label(),
        }
    }

    fn data(&mut self, access: &Access) -> Data {
        let mut host = [[zmm(0); 4]; 2];
        for (k, registers) in host.iter_mut().enumerate().take(access.count.into()) {
            for (j, register) in registers.iter_mut().enumerate().take(access.dwords().into()) {
                let v = access.register(k, j as u16);
                *register = if access.load {
                    self.registers.write(self.asm, v)
                } else {
                    self.registers.read(self.asm, v)
                };
            }
        }
        Data { host }
    }

    /// The value of the first active lane of `from` in all lanes of `to`.
    fn first(&mut self, to: Register, from: Register) {
        let mut first = from;
        if self.masked {
            self.asm.with(EVEX_Vpcompressd_zmmm512_k1z_zmm, &[to.into(), from.into()], self.masking());
            first = to;
        }
        self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_xmmm32, &[to.into(), xmm(first).into()]);
    }

    /// Jumps where K2 is not all of the active lanes.
    fn unless_all(&mut self, to: Label) {
        if self.masked {
            self.asm.op(VEX_Kxorw_kr_kr_kr, &[K2.into(), K2.into(), EXEC.into()]);
            self.asm.op(VEX_Kortestw_kr_kr, &[K2.into(), K2.into()]);
            self.asm.jcc(Condition::NotEqual, to);
        } else {
            self.asm.op(VEX_Kortestw_kr_kr, &[K2.into(), K2.into()]);
            self.asm.jcc(Condition::AboveEqual, to);
        }
    }

    fn equal(&mut self, a: Register, b: Register, within: Option<Register>) {
        let masking = Masking { by: within, zero: false, quiet: false };
        self.asm.with(EVEX_Vpcmpeqd_kr_k1_zmm_zmmm512b32, &[K2.into(), a.into(), b.into()], masking);
    }

    /// Falls through where addresses are `step` apart (or equal, for a step of 0), with the first lane's low
    /// half in EAX (as if it were active) and the high half, if there is one, in ECX.
    fn spaced(&mut self, low: Register, high: Option<Register>, step: u32, otherwise: Label) {
        let active = self.masked.then_some(EXEC);
        let from = if step == 0 {
            low
        } else {
            let table = std::array::from_fn(|n| n as u32 * step);
            let args: [Arg; 2] = [zmm(0).into(), low.into()];
            self.asm.op_table(EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32, &args, table, Masking::default());
            zmm(0)
        };
        self.first(zmm(1), from);
        self.equal(from, zmm(1), active);
        if let Some(high) = high {
            self.first(zmm(2), high);
            self.equal(high, zmm(2), Some(K2));
        }
        self.unless_all(otherwise);
        self.asm.op(EVEX_Vmovd_rm32_xmm, &[Register::EAX.into(), xmm(zmm(1)).into()]);
        if high.is_some() {
            self.asm.op(EVEX_Vmovd_rm32_xmm, &[Register::ECX.into(), xmm(zmm(2)).into()]);
        }
    }

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

    // LDS.

    fn lds(&mut self, access: &Access) {
        let address = self.registers.read(self.asm, access.address);
        let data = self.data(access);
        let paths = self.paths();
        let step = u32::from(access.bytes.max(4));
        let blocks = access.bytes >= 4 && (access.bytes == 4 || !self.masked);
        let end = access.offsets[..access.count.into()].iter().max().copied().unwrap_or(0)
            + i32::from(access.bytes);
        if blocks {
            let otherwise = if access.load { paths.uniform } else { paths.any };
            self.spaced(address, None, step, otherwise);
            // All of the block must be inside.
            lds_bound(self.asm, end + 15 * step as i32, paths.any);
            for k in 0..usize::from(access.count) {
                let base = (LDS, RAX, access.offsets[k]);
                if access.load {
                    self.load_block(access, &data.host[k], base);
                } else {
                    self.store_block(access, &data.host[k], base);
                }
            }
            self.asm.jmp(paths.done);
        }
        self.asm.bind(paths.consecutive);
        self.asm.bind(paths.uniform);
        if access.load && access.bytes >= 4 {
            self.spaced(address, None, 0, paths.any);
            lds_bound(self.asm, end, paths.any);
            for k in 0..usize::from(access.count) {
                self.load_one(access, &data.host[k], (LDS, RAX, access.offsets[k]));
            }
            self.asm.jmp(paths.done);
        }
        self.asm.bind(paths.any);
        let reach = end - i32::from(access.bytes) + i32::from(access.bytes.max(4));
        lds_limit(self.asm, reach, self.careful);
        self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_r32, &[zmm(0).into(), Register::EAX.into()]);
        self.outside(address, zmm(0));
        if access.bytes == 16 && !access.load {
            self.whole_or_careful(address, access.offsets[0]);
        }
        let mut index = address;
        if access.load && access.count == 2 {
            // The first element's destination may be the address register.
            self.asm.op(MOVE, &[zmm(5).into(), address.into()]);
            index = zmm(5);
        }
        for k in 0..usize::from(access.count) {
            self.indexed(access, &data.host[k], LDS, index, access.offsets[k]);
        }
        self.asm.bind(paths.done);
    }

    /// Goes to the interpreter if an active lane's address is above the limit.
    fn outside(&mut self, address: Register, limit: Register) {
        let masking = Masking { by: self.masked.then_some(EXEC), zero: false, quiet: false };
        let args: [Arg; 4] = [K2.into(), address.into(), limit.into(), 6u8.into()];
        self.asm.with(EVEX_Vpcmpud_kr_k1_zmm_zmmm512b32_imm8, &args, masking);
        self.asm.op(VEX_Kortestw_kr_kr, &[K2.into(), K2.into()]);
        self.asm.jcc(Condition::NotEqual, self.careful);
    }

    /// Elements that are stored in two parts must not overlap in part: all are aligned, or the interpreter
    /// stores them.
    fn whole_or_careful(&mut self, low: Register, offset: i32) {
        self.asm.broadcast(zmm(0), offset as u32);
        self.asm.op(EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32, &[zmm(0).into(), zmm(0).into(), low.into()]);
        let masking = Masking { by: self.masked.then_some(EXEC), zero: false, quiet: false };
        let args: [Arg; 2] = [K2.into(), zmm(0).into()];
        self.asm.op_table(EVEX_Vptestmd_kr_k1_zmm_zmmm512b32, &args, [15; 16], masking);
        self.asm.op(VEX_Kortestw_kr_kr, &[K2.into(), K2.into()]);
        self.asm.jcc(Condition::NotEqual, self.careful);
    }

    // Blocks.

    fn load_block(
        &mut self,
        access: &Access,
        d: &[Register; 4],
        (base, index, offset): (Register, Register, i32),
    ) {
        let masking = self.masking();
        let place = |k: i32| -> Arg { at_index(base, index, offset + 64 * k).into() };
        match access.bytes {
            1 | 2 => {
                let code = match (access.bytes, access.signed) {
                    (1, false) => EVEX_Vpmovzxbd_zmm_k1z_xmmm128,
                    (1, true) => EVEX_Vpmovsxbd_zmm_k1z_xmmm128,
                    (_, false) => EVEX_Vpmovzxwd_zmm_k1z_ymmm256,
                    (_, true) => EVEX_Vpmovsxwd_zmm_k1z_ymmm256,
                };
                self.asm.with(code, &[d[0].into(), place(0)], masking);
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

    /// Temporaries 0 to 3 hold four lanes' elements of four dwords each: `d` gets one dword of all lanes each.
    fn transpose_load(&mut self, d: &[Register; 4]) {
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

    fn store_block(
        &mut self,
        access: &Access,
        d: &[Register; 4],
        (base, index, offset): (Register, Register, i32),
    ) {
        let masking = Masking { by: self.masked.then_some(EXEC), zero: false, quiet: false };
        let place = |k: i32| -> Arg { at_index(base, index, offset + 64 * k).into() };
        match access.bytes {
            4 => self.asm.with(STORE, &[place(0), d[0].into()], masking),
            8 => {
                self.interleave(d[0], d[1], [zmm(0), zmm(1)]);
                self.asm.with(EVEX_Vmovdqu64_zmmm512_k1z_zmm, &[place(0), zmm(0).into()], masking);
                let mut upper = self.upper_masking();
                upper.zero = false;
                self.asm.with(EVEX_Vmovdqu64_zmmm512_k1z_zmm, &[place(1), zmm(1).into()], upper);
            }
            _ => {
                // Lanes' first and second pairs of dwords, then both together.
                for half in 0..2 {
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
                        self.asm.op(STORE, &[place((2 * half + quarter) as i32), zmm(2).into()]);
                    }
                }
            }
        }
    }

    /// One element for all lanes.
    fn load_one(
        &mut self,
        access: &Access,
        d: &[Register; 4],
        (base, index, offset): (Register, Register, i32),
    ) {
        if access.bytes >= 8 {
            // Pairs of dwords in one piece.
            for pair in 0..usize::from(access.bytes / 8) {
                let place: Arg = at_index(base, index, offset + 8 * pair as i32).into();
                self.asm.op(EVEX_Vpbroadcastq_zmm_k1z_xmmm64, &[zmm(0).into(), place]);
                self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_xmmm32, &[d[2 * pair].into(), xmm(zmm(0)).into()]);
                let shift: [Arg; 3] = [zmm(0).into(), zmm(0).into(), 32u8.into()];
                self.asm.op(EVEX_Vpsrlq_zmm_k1z_zmmm512b64_imm8, &shift);
                self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_xmmm32, &[d[2 * pair + 1].into(), xmm(zmm(0)).into()]);
            }
        } else {
            let place: Arg = at_index(base, index, offset).into();
            self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_xmmm32, &[d[0].into(), place]);
        }
    }

    // Gathers and scatters.

    /// Elements at `base` + 32-bit offsets that are below 2^31.
    fn indexed(&mut self, access: &Access, d: &[Register; 4], base: Register, index: Register, offset: i32) {
        self.halves();
        if access.bytes <= 4 {
            let place = at_index(base, index, offset);
            if access.load {
                self.asm.with(EVEX_Vpgatherdd_zmm_k1_vm32z, &[zmm(3).into(), place.into()], by(K2));
                self.extract_small(access, d[0], zmm(3));
            } else {
                self.asm.with(EVEX_Vpscatterdd_vm32z_k1_zmm, &[place.into(), d[0].into()], by(K2));
            }
            return;
        }
        let upper: [Arg; 3] = [ymm(zmm(1)).into(), index.into(), 1u8.into()];
        self.asm.op(EVEX_Vextracti64x4_ymmm256_k1z_zmm_imm8, &upper);
        self.asm.op(MOVE, &[zmm(0).into(), index.into()]);
        let pieces = usize::from(access.bytes / 8);
        for piece in 0..pieces {
            let offset = offset + 8 * piece as i32;
            let places = [ymm(zmm(0)), ymm(zmm(1))].map(|index| at_index(base, index, offset));
            if piece != 0 {
                self.halves();
            }
            let codes = (EVEX_Vpgatherdq_zmm_k1_vm32y, EVEX_Vpscatterdq_vm32y_k1_zmm);
            self.pairs(access, [d[2 * piece], d[2 * piece + 1]], places, codes);
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

    /// Elements of fewer than four bytes from dwords.
    fn extract_small(&mut self, access: &Access, d: Register, from: Register) {
        let unused = 32 - 8 * access.bytes;
        if unused == 0 {
            self.asm.op(MOVE, &[d.into(), from.into()]);
            return;
        }
        self.asm.op(EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8, &[zmm(3).into(), from.into(), unused.into()]);
        let down = if access.signed {
            EVEX_Vpsrad_zmm_k1z_zmmm512b32_imm8
        } else {
            EVEX_Vpsrld_zmm_k1z_zmmm512b32_imm8
        };
        self.asm.op(down, &[d.into(), zmm(3).into(), unused.into()]);
    }

    // Global memory.

    fn global(&mut self, access: &Access) {
        let low = self.registers.read(self.asm, access.address);
        let high = if access.base.is_none() {
            Some(self.registers.read(self.asm, access.address + 1))
        } else {
            None
        };
        let data = self.data(access);
        let d = &data.host[0];
        let paths = self.paths();
        let offset = access.offsets[0];
        translation(self.asm, access, self.careful);
        let step = u32::from(access.bytes);
        let otherwise = if access.load { paths.uniform } else { paths.any };
        self.spaced(low, high, step, otherwise);
        // The low halves must not wrap around within the block.
        self.asm.op(Cmp_rm32_imm32, &[Register::EAX.into(), Arg::Dword(u32::MAX - 16 * step)]);
        self.asm.jcc(Condition::Above, paths.any);
        address(self.asm, access, offset);
        within(self.asm, 16 * step as i32, paths.any);
        if access.load {
            self.load_block(access, d, (RAX, Register::None, 0));
        } else {
            self.store_block(access, d, (RAX, Register::None, 0));
        }
        self.asm.jmp(paths.done);
        self.asm.bind(paths.consecutive);
        self.asm.bind(paths.uniform);
        if access.load && access.bytes >= 4 {
            self.spaced(low, high, 0, paths.any);
            address(self.asm, access, offset);
            within(self.asm, access.bytes.into(), self.careful);
            self.load_one(access, d, (RAX, Register::None, 0));
            self.asm.jmp(paths.done);
        }
        self.asm.bind(paths.any);
        let reach = i32::from(access.bytes.max(4));
        match (access.base, high) {
            (Some(base), _) => {
                lane_limit(self.asm, access, base, reach, self.careful);
                self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_r32, &[zmm(0).into(), Register::ECX.into()]);
                self.outside(low, zmm(0));
                lane_base(self.asm, access);
                self.indexed(access, d, RAX, low, 0);
            }
            (None, Some(high)) => self.gather_wide(access, d, low, high, reach),
            (None, None) => {}
        }
        self.asm.bind(paths.done);
    }

    /// Elements at 64-bit addresses.
    fn gather_wide(&mut self, access: &Access, d: &[Register; 4], low: Register, high: Register, reach: i32) {
        let offset = access.offsets[0];
        self.interleave(low, high, [zmm(0), zmm(1)]);
        self.asm.op(Mov_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.start), access)]);
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
        self.asm.jcc(Condition::NotEqual, self.careful);
        self.asm.op(Mov_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.start), access)]);
        self.asm.op(Add_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.delta), access)]);
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
        for piece in 0..usize::from(access.bytes / 8) {
            self.halves();
            let places = [zmm(0), zmm(1)].map(|index| at_index(RAX, index, 8 * piece as i32));
            let codes = (EVEX_Vpgatherqq_zmm_k1_vm64z, EVEX_Vpscatterqq_vm64z_k1_zmm);
            self.pairs(access, [d[2 * piece], d[2 * piece + 1]], places, codes);
        }
    }
}

/// A mask that the instruction clears.
fn by(mask: Register) -> Masking {
    Masking { by: Some(mask), zero: false, quiet: false }
}
