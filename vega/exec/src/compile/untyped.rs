//! Untyped MUBUF accesses of a strip: raw buffers, and scratch memory.
//!
//! What the descriptor says is looked at when the code runs. Without swizzling it is a base for the lanes' offsets; with
//! ADD_TID and lanes' dwords in turn it is scratch memory, where one offset for all lanes makes a block. Other
//! descriptors, and lanes out of range, are the interpreter's.

use std::mem::offset_of;

use iced_x86::{Code, Register};

use super::address::{range, translation};
use super::assembler::{Arg, Condition, Masking, at_index};
use super::groups::Class;
use super::ir::{Access, Buffer, BufferOffset};
use super::layout::{STRIP, field, scalar, xmm, zmm};
use super::memory::{Data, ways};
use super::strip::{EXEC, K2, LOAD, STORE, Strip};
use crate::interp::wave::Wave;
use crate::memory::RangeCache;
use Code::*;

const RAX: Register = Register::RAX;
const RCX: Register = Register::RCX;
const RDX: Register = Register::RDX;
const RSI: Register = Register::RSI;
const R11: Register = Register::R11;

/// ADD_TID and an index stride of 64, in the descriptor's last dword.
const BY_LANE: u32 = 1 << 23 | 3 << 21;
/// ADD_TID.
const ADD_TID: u32 = 1 << 23;

impl Strip<'_> {
    /// Emits the access.
    pub fn untyped(&mut self, access: &Access, buffer: &Buffer) {
        let low = buffer.offen.then(|| self.registers.read(self.asm, access.address));
        let data = self.data(access);
        let (private, done) = (self.asm.label(), self.asm.label());
        let missed = self.miss(access, (zmm(0), None));
        translation(self.asm, access, missed);
        let word = |n: u16| -> Arg { scalar(buffer.rsrc + n).into() };
        self.buffer_start(buffer, RAX);
        self.asm.op(Mov_r64_rm64, &[RCX.into(), word(0)]);
        self.asm.op(Mov_r32_rm32, &[Register::ESI.into(), word(3)]);
        // R11: the largest vector offset in range.
        self.asm.op(Mov_r32_rm32, &[Register::R11D.into(), word(2)]);
        self.asm.op(Sub_r64_rm64, &[R11.into(), RDX.into()]);
        self.asm.jcc(Condition::Below, self.careful);
        let end = access.offsets[0] + i32::from(access.bytes);
        self.asm.op(Sub_rm64_imm32, &[R11.into(), Arg::Dword(end as u32)]);
        self.asm.jcc(Condition::Below, self.careful);
        // The swizzling bit is the second dword's highest.
        self.asm.op(Shr_rm64_imm8, &[RCX.into(), 63u8.into()]);
        self.asm.jcc(Condition::NotEqual, private);
        self.asm.op(And_rm32_imm32, &[Register::ESI.into(), Arg::Dword(ADD_TID)]);
        self.asm.jcc(Condition::NotEqual, self.careful);
        self.raw(access, &data, low);
        self.asm.jmp(done);
        self.asm.bind(private);
        self.asm.op(And_rm32_imm32, &[Register::ESI.into(), Arg::Dword(BY_LANE)]);
        self.asm.op(Cmp_rm32_imm32, &[Register::ESI.into(), Arg::Dword(BY_LANE)]);
        self.asm.jcc(Condition::NotEqual, self.careful);
        self.private(access, &data[0], low);
        self.asm.bind(done);
    }

    /// A register: the base, of 48 bits, and the scalar offset; that is in RDX.
    pub fn buffer_start(&mut self, buffer: &Buffer, to: Register) {
        match buffer.offset {
            BufferOffset::Constant(value) => {
                self.asm.op(Mov_r32_imm32, &[Register::EDX.into(), Arg::Dword(value)]);
            }
            BufferOffset::Register(number) => {
                self.asm.op(Mov_r32_rm32, &[Register::EDX.into(), scalar(number).into()]);
            }
        }
        self.asm.op(Mov_r64_rm64, &[to.into(), scalar(buffer.rsrc).into()]);
        self.asm.op(Shl_rm64_imm8, &[to.into(), 16u8.into()]);
        self.asm.op(Shr_rm64_imm8, &[to.into(), 16u8.into()]);
        self.asm.op(Add_r64_rm64, &[to.into(), RDX.into()]);
    }

    /// RDX: how far behind RAX, a GPU address, an access of `reach` bytes may begin, at most 2^31 - 1. RAX becomes a
    /// host address.
    fn room(&mut self, access: &Access, reach: i32) {
        let range = |field| range(field, access);
        let missed = self.miss(access, (zmm(0), None));
        self.asm.op(Mov_r64_rm64, &[RCX.into(), RAX.into()]);
        self.asm.op(Sub_r64_rm64, &[RCX.into(), range(offset_of!(RangeCache, range.start))]);
        self.asm.jcc(Condition::Below, missed);
        self.asm.op(Mov_r64_rm64, &[RDX.into(), range(offset_of!(RangeCache, range.len))]);
        self.asm.op(Sub_rm64_imm32, &[RDX.into(), Arg::Dword(reach as u32)]);
        self.asm.op(Sub_r64_rm64, &[RDX.into(), RCX.into()]);
        self.asm.jcc(Condition::Below, missed);
        self.asm.op(Mov_r32_imm32, &[Register::ECX.into(), Arg::Dword(0x7fff_ffff)]);
        self.at_most(RDX, RCX);
        self.asm.op(Add_r64_rm64, &[RAX.into(), range(offset_of!(RangeCache, range.delta))]);
    }

    /// The smaller one.
    fn at_most(&mut self, register: Register, limit: Register) {
        self.asm.op(Cmp_r64_rm64, &[register.into(), limit.into()]);
        self.asm.op(Cmova_r64_rm64, &[register.into(), limit.into()]);
    }

    /// Goes to the interpreter if an active lane of `offsets` is above a general register.
    fn none_above(&mut self, offsets: Register, limit: Register) {
        self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_r32, &[zmm(0).into(), limit.into()]);
        self.outside(offsets, zmm(0), self.careful);
    }

    /// Bytes from a base on; RAX is the base, R11 the largest vector offset.
    fn raw(&mut self, access: &Access, data: &Data, low: Option<Register>) {
        let d = &data[0];
        if access.offsets[0] != 0 {
            self.asm.op(Add_rm64_imm32, &[RAX.into(), Arg::Dword(access.offsets[0] as u32)]);
        }
        self.room(access, access.reach().max(4));
        let Some(low) = low else {
            if access.load {
                self.load_one(access, d, (RAX, 0));
            } else {
                // All lanes store to one place.
                self.asm.jmp(self.careful);
            }
            return;
        };
        self.at_most(R11, RDX);
        self.none_above(low, Register::R11D);
        let done = self.asm.label();
        self.distances(low);
        for class in ways(access, self.masked) {
            let next = self.asm.label();
            self.spaced(low, class.step(), next);
            // Lane 0, if it is inactive, may seem to lie below the base.
            self.asm.op(EVEX_Vmovd_rm32_xmm, &[Register::ECX.into(), xmm(zmm(1)).into()]);
            self.asm.op(Movsxd_r64_rm32, &[RCX.into(), Register::ECX.into()]);
            self.asm.op(Add_r64_rm64, &[RCX.into(), RAX.into()]);
            self.asm.op(Mov_r64_rm64, &[RSI.into(), RCX.into()]);
            match (class, access.load) {
                (Class::Stride(step), true) => self.load_block(access, step, d, (RSI, 0)),
                (Class::Stride(_), false) => self.store_block(access, d, (RSI, 0)),
                _ => self.load_one(access, d, (RSI, 0)),
            }
            self.asm.jmp(done);
            self.asm.bind(next);
        }
        if access.bytes > 8 || !access.load && access.bytes < 4 {
            self.extend(low, [zmm(0), zmm(1)], false);
            self.places();
            if access.load { self.load_each(d, access) } else { self.store_each(access, d) }
        } else {
            self.indexed(access, d, RAX, low);
        }
        self.asm.bind(done);
    }

    /// Scratch memory: the lanes' dwords alternate. RAX is the wave's part, R11 the largest vector offset.
    fn private(&mut self, access: &Access, d: &[Register; 4], low: Option<Register>) {
        let dwords = i32::from(access.dwords());
        let reach = 4 + 256 * (dwords - 1);
        let limited = self.asm.label();
        // Where the wave's part of scratch memory is known, nothing reaches beyond it.
        let start: Arg = field(offset_of!(Wave, scratch) + SCRATCH_START).into();
        let bytes: Arg = field(offset_of!(Wave, scratch) + SCRATCH_BYTES).into();
        self.asm.op(Mov_r32_imm32, &[Register::ESI.into(), Arg::Dword(0x7fff_ffff)]);
        self.asm.op(Cmp_rm32_imm8, &[bytes, 0u8.into()]);
        self.asm.jcc(Condition::Equal, limited);
        self.asm.op(Mov_r64_rm64, &[RCX.into(), RAX.into()]);
        self.asm.op(Sub_r64_rm64, &[RCX.into(), start]);
        self.asm.jcc(Condition::Below, self.careful);
        self.asm.op(Mov_r32_rm32, &[Register::ESI.into(), bytes]);
        self.asm.op(Sub_rm64_imm32, &[RSI.into(), Arg::Dword(reach as u32)]);
        self.asm.jcc(Condition::Below, self.careful);
        self.asm.op(Sub_r64_rm64, &[RSI.into(), RCX.into()]);
        self.asm.jcc(Condition::Below, self.careful);
        self.asm.bind(limited);
        self.room(access, reach);
        self.at_most(RDX, RSI);
        let offset = access.offsets[0];
        let small = access.bytes < 4;
        let Some(low) = low else {
            let straddles = offset % 4 + i32::from(access.bytes.min(4)) > 4;
            let index = offset / 4 * 256 + offset % 4;
            if straddles || small {
                return self.asm.jmp(self.careful);
            }
            self.asm.op(Cmp_rm64_imm32, &[RDX.into(), Arg::Dword((index + 252) as u32)]);
            self.asm.jcc(Condition::Below, self.careful);
            for (d, k) in d.iter().zip(0..dwords) {
                let place: Arg = at_index(RAX, STRIP, index + 256 * k).into();
                let masking = self.masking();
                if access.load {
                    self.asm.with(LOAD, &[(*d).into(), place], masking);
                } else {
                    self.asm.with(STORE, &[place, (*d).into()], Masking { zero: false, ..masking });
                }
            }
            return;
        };
        self.none_above(low, Register::R11D);
        // Temporary 5: the offsets, then where they are.
        let t = zmm(5);
        let add: [Arg; 2] = [t.into(), low.into()];
        self.asm.op_table(EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32, &add, [offset as u32; 16], Masking::default());
        let step: u32 = if small { access.bytes.into() } else { 4 };
        if step > 1 {
            let masking = Masking { by: self.masked.then_some(EXEC), zero: false, quiet: false };
            let test: [Arg; 2] = [K2.into(), t.into()];
            self.asm.op_table(EVEX_Vptestmd_kr_k1_zmm_zmmm512b32, &test, [step - 1; 16], masking);
            self.asm.op(VEX_Kortestw_kr_kr, &[K2.into(), K2.into()]);
            self.asm.jcc(Condition::NotEqual, self.careful);
        }
        self.asm.op(Sub_rm64_imm32, &[RDX.into(), Arg::Dword(if small { 255 } else { 252 })]);
        self.asm.jcc(Condition::Below, self.careful);
        self.asm.op(Shr_rm64_imm8, &[RDX.into(), 6u8.into()]);
        self.none_above(t, Register::EDX);
        let three: [Arg; 2] = [zmm(0).into(), t.into()];
        self.asm.op_table(EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32, &three, [3; 16], Masking::default());
        self.asm.op(EVEX_Vpsrld_zmm_k1z_zmmm512b32_imm8, &[t.into(), t.into(), 2u8.into()]);
        self.asm.op(EVEX_Vpslld_zmm_k1z_zmmm512b32_imm8, &[t.into(), t.into(), 8u8.into()]);
        let lanes = std::array::from_fn(|n| 4 * n as u32);
        let add = EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32;
        self.asm.op(add, &[t.into(), t.into(), zmm(0).into()]);
        self.asm.op_table(add, &[t.into(), t.into()], lanes, Masking::default());
        self.asm.op(Lea_r64_m, &[RAX.into(), at_index(RAX, STRIP, 0).into()]);
        if small && !access.load {
            self.extend(t, [zmm(0), zmm(1)], false);
            self.places();
            return self.store_each(access, d);
        }
        let part = Access { bytes: access.bytes.min(4), ..*access };
        for (d, k) in d.iter().zip(0..dwords) {
            if k != 0 {
                self.plus(t, t, 256);
            }
            self.indexed(&part, &[*d; 4], RAX, t);
        }
    }
}

/// Where the parts of the wave's scratch memory are.
const SCRATCH_START: usize = offset_of!((u64, u32), 0);
const SCRATCH_BYTES: usize = offset_of!((u64, u32), 1);
