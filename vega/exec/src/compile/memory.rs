//! Loads and stores of a strip: LDS and global memory.
//!
//! Addresses are looked at when the code runs, see [`super::classify`]: blocks and broadcasts where they lie so, the
//! rest lane by lane (in ascending order, as the host's scatter does it). Whatever is out of the range that the
//! instruction's translation covers goes to the interpreter.
//!
//! A naturally aligned element is moved in one piece: those of up to 8 bytes in vector accesses, gathers and scatters
//! are single accesses, and elements of 16 bytes move by aligned vector accesses of 16 bytes or more, of which
//! processors with AVX-512 split none at a place that is not a multiple of 16 bytes. (Lock-free code takes it that a
//! lane's 16 bytes move so, rocPRIM's look-back scans do.)

use std::mem::offset_of;

use iced_x86::{Code, MemoryOperand, Register};
use vega_isa::memory::{Half, Space};

use super::address::{lane_base, lane_limit, lds_limit, missing, translation};
use super::assembler::{Arg, Condition, Label, Masking};
use super::classify::unless_class;
use super::context::Context;
use super::groups::Class;
use super::ir::{Access, Lane};
use super::layout::{LDS, STRIP, context, scalar, zmm};
use super::spread::first;
use super::strip::{EXEC, K2, Strip};
use Code::*;

const RAX: Register = Register::RAX;

/// Host registers that an access moves, by element and dword.
pub(super) type Data = [[Register; 4]; 2];

/// Code of a strip that is out of the way.
pub(super) enum Rare {
    /// An access whose lanes are looked at one by one.
    Each { access: Access, data: Data, address: (Register, Option<Register>), begin: Label, back: Label },
    /// A FLAT access of which some lanes are in the aperture of LDS, as K2 tells.
    Aperture { access: Access, data: Data, low: Register, begin: Label, back: Label },
    /// A group of accesses turns out to have no class.
    NoClass { begin: Label, back: Label },
    /// An access whose translation is missing, or of another place.
    Miss { access: Access, address: (Register, Option<Register>), begin: Label },
}

/// The classes for which an access has a short path.
pub(super) fn ways(access: &Access, masked: bool) -> Vec<Class> {
    let mut ways = Vec::new();
    let power = access.bytes.is_power_of_two();
    if power && (access.bytes < 16 || !masked) {
        ways.push(Class::Stride(access.bytes));
    }
    // Neighbours that are loaded together may belong to lanes that lie closer.
    if access.part < access.bytes && access.part.is_power_of_two() {
        ways.push(Class::Stride(access.part));
    }
    if access.load {
        ways.push(Class::Uniform);
    }
    ways
}

impl Strip<'_> {
    /// Emits a memory instruction.
    pub fn memory(&mut self, lane: &Lane) {
        let Some(access) = lane.access else { return };
        if !access.load {
            self.settle();
        }
        // Before the destination, which may be the same register.
        if let Some(buffer) = &access.buffer {
            return self.untyped(&access, buffer);
        }
        if let Some((number, stride)) = access.spread {
            return self.spread(&access, number.into(), stride);
        }
        let address = self.address(&access);
        let data = self.data(&access);
        let ways = ways(&access, self.masked);
        let done = self.asm.label();
        if let Some(high) = address.1.filter(|_| access.flat) {
            let begin = self.asm.label();
            let aperture = context(offset_of!(Context, lds_aperture));
            self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_xmmm32, &[zmm(0).into(), aperture.into()]);
            self.equal(high, zmm(0));
            self.asm.op(VEX_Kortestw_kr_kr, &[K2.into(), K2.into()]);
            self.asm.jcc(Condition::NotEqual, begin);
            self.rare.push(Rare::Aperture { access, data, low: address.0, begin, back: done });
        }
        let group = if ways.is_empty() { None } else { self.classify(&access, address) };
        let Some(group) = group else {
            self.each(&access, &data, address);
            return self.asm.bind(done);
        };
        let mut next = done;
        for (n, class) in ways.iter().enumerate() {
            next = self.asm.label();
            unless_class(self.asm, group, *class, next);
            for (k, d) in data.iter().enumerate().take(access.count.into()) {
                let place = (RAX, access.offsets[k]);
                match (class, access.load) {
                    (Class::Stride(step), true) => self.load_block(&access, *step, d, place),
                    (Class::Stride(_), false) => self.store_block(&access, d, place),
                    _ => self.load_one(&access, d, place),
                }
            }
            if n + 1 != ways.len() {
                self.asm.jmp(done);
                self.asm.bind(next);
            }
        }
        self.asm.bind(done);
        self.rare.push(Rare::Each { access, data, address, begin: next, back: done });
    }

    /// An access whose first element's host address is known for the whole wave.
    fn spread(&mut self, access: &Access, number: usize, stride: u8) {
        let data = self.data(access);
        self.asm.op(Mov_r64_rm64, &[RAX.into(), first(number).into()]);
        if stride != 0 {
            let strip = MemoryOperand::with_base_index_scale(RAX, STRIP, u32::from(stride / 4));
            self.asm.op(Lea_r64_m, &[RAX.into(), strip.into()]);
        }
        for (k, d) in data.iter().enumerate().take(access.count.into()) {
            let place = (RAX, access.offsets[k]);
            match (stride, access.load) {
                (0, _) => self.load_one(access, d, place),
                (_, true) => self.load_block(access, stride, d, place),
                (_, false) => self.store_block(access, d, place),
            }
        }
    }

    /// Emits what is out of the way, behind the strip's end.
    pub fn rare(&mut self, end: Label) {
        if !self.rare.is_empty() {
            self.asm.jmp(end);
        }
        while let Some(rare) = self.rare.pop() {
            let back = match rare {
                Rare::Each { access, data, address, begin, back } => {
                    self.asm.bind(begin);
                    self.each(&access, &data, address);
                    back
                }
                Rare::Aperture { access, data, low, begin, back } => {
                    self.asm.bind(begin);
                    self.unless_all(self.careful);
                    if access.offsets[0] != 0 {
                        // The sum must not wrap around.
                        lds_limit(self.asm, access.bytes.into(), self.careful);
                        self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_r32, &[zmm(0).into(), Register::EAX.into()]);
                        self.outside(low, zmm(0), self.careful);
                    }
                    self.lds(&Access { space: Space::Lds, ..access }, &data, low);
                    back
                }
                Rare::NoClass { begin, back } => {
                    self.asm.bind(begin);
                    self.asm.op(Xor_r32_rm32, &[Register::ESI.into(), Register::ESI.into()]);
                    back
                }
                Rare::Miss { access, address, begin } => {
                    self.asm.bind(begin);
                    self.wanted(&access, address);
                    self.missed
                }
            };
            self.asm.jmp(back);
        }
    }

    /// Where an access goes whose translation is missing.
    pub fn miss(&mut self, access: &Access, address: (Register, Option<Register>)) -> Label {
        let begin = self.asm.label();
        self.rare.push(Rare::Miss { access: *access, address, begin });
        begin
    }

    /// R8 and ECX: the first active lane's address, and which translation is for it. Of an access by a descriptor, all
    /// lanes are taken to be where it begins.
    fn wanted(&mut self, access: &Access, (low, high): (Register, Option<Register>)) {
        if let Some(buffer) = &access.buffer {
            self.buffer_start(buffer, Register::R8);
        } else {
            self.first(zmm(1), low);
            self.asm.op(EVEX_Vmovd_rm32_xmm, &[Register::R8D.into(), Register::XMM1.into()]);
            if let Some(base) = access.base {
                self.asm.op(Add_r64_rm64, &[Register::R8.into(), scalar(base).into()]);
            }
        }
        if let Some(high) = high {
            self.first(zmm(1), high);
            self.asm.op(EVEX_Vmovd_rm32_xmm, &[Register::ECX.into(), Register::XMM1.into()]);
            self.asm.op(Shl_rm64_imm8, &[Register::RCX.into(), 32u8.into()]);
            self.asm.op(Or_r64_rm64, &[Register::R8.into(), Register::RCX.into()]);
        }
        missing(self.asm, access);
    }

    /// An access to elements anywhere.
    fn each(&mut self, access: &Access, data: &Data, (low, high): (Register, Option<Register>)) {
        match access.space {
            Space::Lds => self.lds(access, data, low),
            _ => self.global(access, &data[0], low, high),
        }
    }

    /// The registers that the access moves.
    pub fn data(&mut self, access: &Access) -> Data {
        let mut host = [[zmm(0); 4]; 2];
        for (k, registers) in host.iter_mut().enumerate().take(access.count.into()) {
            for (j, register) in registers.iter_mut().enumerate().take(access.dwords().into()) {
                let v = access.register(k, j as u16);
                if !access.load || access.half != Half::Whole {
                    *register = self.registers.read(self.asm, v);
                }
                if access.load {
                    *register = self.registers.write(self.asm, v);
                }
            }
        }
        host
    }

    /// The address registers: the low half, and the high one if there is one.
    pub fn address(&mut self, access: &Access) -> (Register, Option<Register>) {
        let low = self.registers.read(self.asm, access.address);
        let wide = access.base.is_none() && access.space != Space::Lds;
        (low, wide.then(|| self.registers.read(self.asm, access.address + 1)))
    }

    /// Goes elsewhere if an active lane's address is above the limit.
    pub fn outside(&mut self, address: Register, limit: Register, otherwise: Label) {
        let masking = Masking { by: self.masked.then_some(EXEC), zero: false, quiet: false };
        let args: [Arg; 4] = [K2.into(), address.into(), limit.into(), 6u8.into()];
        self.asm.with(EVEX_Vpcmpud_kr_k1_zmm_zmmm512b32_imm8, &args, masking);
        self.asm.op(VEX_Kortestw_kr_kr, &[K2.into(), K2.into()]);
        self.asm.jcc(Condition::NotEqual, otherwise);
    }

    /// LDS from anywhere. Offsets are added as the LDS unit does it, in 32 bits: compilers fold what is negative into
    /// the address.
    fn lds(&mut self, access: &Access, data: &Data, address: Register) {
        let [first, second] = access.offsets;
        // Not in the address register, which may be the first element's destination.
        let mut place = address;
        if first != 0 || access.count == 2 {
            place = zmm(5);
            self.plus(place, address, first);
        }
        // What is read behind an element is not used, and lies in the buffer behind LDS at most.
        lds_limit(self.asm, access.bytes.into(), self.careful);
        self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_r32, &[zmm(0).into(), Register::EAX.into()]);
        self.outside(place, zmm(0), self.careful);
        if access.count == 2 {
            self.plus(zmm(4), place, second - first);
            self.outside(zmm(4), zmm(0), self.careful);
        }
        if !access.load && !matches!(access.bytes, 4 | 8) {
            self.lds_places(place);
            self.store_each(access, &data[0]);
            return;
        }
        self.indexed(access, &data[0], LDS, place);
        if access.count == 2 {
            self.plus(place, place, second - first);
            self.indexed(access, &data[1], LDS, place);
        }
    }

    /// `to` = `from` + `number` in each lane; uses temporary 1.
    pub fn plus(&mut self, to: Register, from: Register, number: i32) {
        self.asm.broadcast(zmm(1), number as u32);
        self.asm.op(EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32, &[to.into(), from.into(), zmm(1).into()]);
    }

    /// Global memory from anywhere.
    fn global(&mut self, access: &Access, d: &[Register; 4], low: Register, high: Option<Register>) {
        let missed = self.miss(access, (low, high));
        translation(self.asm, access, missed);
        let reach = access.reach().max(4);
        let each = access.bytes > 8 || !access.load && access.bytes < 4;
        if each {
            self.global_places(access, low, high, access.reach());
            if access.load {
                self.load_each(d, access)
            } else {
                self.store_each(access, d)
            }
            return;
        }
        match (access.base, high) {
            (Some(base), _) => {
                lane_limit(self.asm, access, base, reach, missed);
                self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_r32, &[zmm(0).into(), Register::ECX.into()]);
                self.outside(low, zmm(0), missed);
                lane_base(self.asm, access);
                self.indexed(access, d, RAX, low);
            }
            (None, Some(high)) => self.gather_wide(access, d, low, high, reach),
            (None, None) => {}
        }
    }
}
