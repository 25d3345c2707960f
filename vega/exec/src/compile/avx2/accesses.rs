//! Loads and stores of a strip: how its lanes' addresses lie, and which path an access takes.
//!
//! As for AVX-512, addresses are looked at once for each group of accesses, and the context keeps what is found; see
//! `compile::classify`. Here a path moves all lanes of a block, whether they are active or not, or one element for all;
//! what lies otherwise moves lane by lane, out of the way.

use iced_x86::{Code, MemoryOperand, Register};
use vega_isa::memory::{Half, Space};

use super::strip::{LOAD, Strip, ymm};
use crate::compile::address::{first_host, missing, translation};
use crate::compile::assembler::{Arg, Label};
use crate::compile::classify::{Place, remember, unless_class};
use crate::compile::groups::Class;
use crate::compile::ir::{Access, Lane};
use crate::compile::layout::scalar;
use Code::*;

const RAX: Register = Register::RAX;
const RCX: Register = Register::RCX;
const R8: Register = Register::R8;
const ECX: Register = Register::ECX;

/// Registers that an access moves, by element and dword.
pub(super) type Data = [[Register; 4]; 2];

/// Where a value is while an access runs.
#[derive(Clone, Copy)]
pub(super) enum Value {
    Register(Register),
    Memory(MemoryOperand),
}

/// The addresses: the low half, and the high one if there is one.
pub(super) type Address = (Value, Option<Value>);

/// Code of a strip that is out of the way.
pub(super) enum Rare {
    /// An access whose lanes are looked at one by one.
    Each { access: Access, data: Data, address: Address, begin: Label, back: Label },
    /// A group of accesses turns out to have no class.
    NoClass { begin: Label, back: Label },
    /// An access whose translation is missing, or of another place.
    Miss { access: Access, address: Address, begin: Label },
}

/// The classes for which an access has a short path.
pub(super) fn ways(access: &Access, masked: bool) -> Vec<Class> {
    let mut ways = Vec::new();
    let dwords = matches!(access.bytes, 4 | 8 | 16);
    let small = access.bytes < 4 && access.load;
    if small || dwords && (access.load || access.bytes == 4 || !masked) {
        ways.push(Class::Stride(access.bytes));
    }
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
    pub(super) fn memory(&mut self, lane: &Lane) {
        let Some(access) = lane.access else { return };
        if !access.load {
            self.settle();
        }
        let ways = ways(&access, self.masked);
        let number = self.groups.of(self.registers.position()).map(|(number, _)| number);
        // Where the class is known already, addresses are of use only out of the way.
        let known = !ways.is_empty() && number.is_some_and(|number| self.classified.contains(&number));
        let wide = access.base.is_none() && access.space != Space::Lds;
        let (low, high) = (access.address, wide.then_some(access.address + 1));
        // Before the destination, which may be the same register.
        if !known {
            [Some(low), high].into_iter().flatten().for_each(|v| {
                self.registers.read(self.asm, v);
            });
        }
        let before = [Some(low), high].map(|v| v.and_then(|v| self.registers.peek(v)));
        let data = self.data(&access);
        let value = |v: u16, before: Option<Register>| match before {
            Some(register) if self.registers.peek(v) == before => Value::Register(register),
            _ => Value::Memory(self.registers.home(v)),
        };
        let address = (value(low, before[0]), high.map(|v| value(v, before[1])));
        let group = if ways.is_empty() { None } else { self.classify(&access, address) };
        let Some(group) = group else {
            return self.each(&access, &data, address);
        };
        let done = self.asm.label();
        let mut next = done;
        for (n, class) in ways.iter().enumerate() {
            next = self.asm.label();
            unless_class(self.asm, group, *class, next);
            for (k, d) in data.iter().enumerate().take(access.count.into()) {
                let place = (RAX, Register::None, access.offsets[k]);
                match (class, access.load) {
                    (Class::Stride(step), true) => self.load_parts(&access, *step, d, place),
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

    /// Registers that an access moves.
    fn data(&mut self, access: &Access) -> Data {
        let mut host = [[ymm(0); 4]; 2];
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

    /// Sees to it that the class of an access's group is known, as for AVX-512.
    fn classify(&mut self, access: &Access, (low, high): Address) -> Option<Place> {
        let (number, group) = self.groups.of(self.registers.position())?;
        if group.classes.is_empty() {
            return None;
        }
        if self.classified.contains(&number) {
            return Some(Place::Context(number));
        }
        let group = group.clone();
        self.classified.push(number);
        let missed = (access.space != Space::Lds).then(|| self.miss(access, (low, high)));
        let low = self.value(low, ymm(3));
        let high = high.map(|high| self.value(high, ymm(4)));
        let (any, found, put) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.rare.push(Rare::NoClass { begin: any, back: put });
        if let Some(missed) = missed {
            translation(self.asm, access, missed);
        }
        for (n, class) in group.classes.iter().enumerate() {
            let last = n + 1 == group.classes.len();
            let next = if last { any } else { self.asm.label() };
            self.spaced(low, high, class.step(), next);
            self.asm.op(Mov_r32_imm32, &[Register::EDX.into(), Arg::Dword(7 * class.step())]);
            self.asm.op(Mov_r32_imm32, &[Register::ESI.into(), Arg::Dword(class.number().into())]);
            if !last {
                self.asm.jmp(found);
                self.asm.bind(next);
            }
        }
        self.asm.bind(found);
        // RDX: bytes from the first lane's element to the last one's.
        first_host(self.asm, access, group.from, group.to, any);
        Some(remember(self.asm, number, &group, put))
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
    pub(super) fn miss(&mut self, access: &Access, address: Address) -> Label {
        let begin = self.asm.label();
        self.rare.push(Rare::Miss { access: *access, address, begin });
        begin
    }

    /// A value in a register: a temporary, if it is in none.
    pub(super) fn value(&mut self, value: Value, temporary: Register) -> Register {
        match value {
            Value::Register(register) => register,
            Value::Memory(place) => {
                self.asm.op(LOAD, &[temporary.into(), place.into()]);
                temporary
            }
        }
    }

    /// R8 and ECX: the first active lane's address, and which translation is for it.
    fn wanted(&mut self, access: &Access, (low, high): Address) {
        let low = self.value(low, ymm(2));
        self.first(ymm(1), low);
        self.asm.op(VEX_Vmovd_rm32_xmm, &[Register::R8D.into(), Register::XMM1.into()]);
        if let Some(base) = access.base {
            self.asm.op(Add_r64_rm64, &[R8.into(), scalar(base).into()]);
        }
        if let Some(high) = high {
            let high = self.value(high, ymm(2));
            self.first(ymm(1), high);
            self.asm.op(VEX_Vmovd_rm32_xmm, &[ECX.into(), Register::XMM1.into()]);
            self.asm.op(Shl_rm64_imm8, &[RCX.into(), 32u8.into()]);
            self.asm.op(Or_r64_rm64, &[R8.into(), RCX.into()]);
        }
        missing(self.asm, access);
    }
}
