//! How the addresses of a strip's lanes lie: code that finds out, once for each group of accesses.
//!
//! What it finds is kept in the context: the class, and the host address of the first lane. Class 0 sends every
//! access of the group on its long path, which looks at each lane's address.

use std::mem::offset_of;

use iced_x86::{Code, Register};
use vega_isa::memory::Space;

use super::address::{first_host, translation};
use super::assembler::{Arg, Assembler, Condition, Label, Masking};
use super::context::{Context, Known};
use super::groups::{Class, Group};
use super::ir::Access;
use super::layout::{context, xmm, zmm};
use super::memory::Rare;
use super::strip::{EXEC, K2, Strip};
use Code::*;

const RAX: Register = Register::RAX;
const RSI: Register = Register::RSI;
const EDX: Register = Register::EDX;
const ESI: Register = Register::ESI;

/// Where it is noted how a group's addresses lie.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// The class is in ESI, the first lane's host address in RAX.
    Registers,
    /// The context has both, for this group.
    Context(usize),
}

/// A field of what is known of a group.
fn known(group: usize, field: usize) -> Arg {
    context(offset_of!(Context, groups) + group * size_of::<Known>() + field).into()
}

/// Notes the class, which is in ESI, and the first lane's host address, which is in RAX; binds where the class is known
/// not to be one.
pub(super) fn remember(asm: &mut Assembler, number: usize, group: &Group, put: Label) -> Place {
    if group.accesses == 1 {
        asm.bind(put);
        return Place::Registers;
    }
    asm.op(Mov_rm64_r64, &[known(number, offset_of!(Known, first)), RAX.into()]);
    asm.bind(put);
    asm.op(Mov_rm64_r64, &[known(number, offset_of!(Known, class)), RSI.into()]);
    Place::Context(number)
}

/// Falls through where the group is of this class, with RAX as the first lane's host address.
pub(super) fn unless_class(asm: &mut Assembler, place: Place, class: Class, otherwise: Label) {
    let number: Arg = class.number().into();
    match place {
        Place::Registers => asm.op(Cmp_rm32_imm8, &[ESI.into(), number]),
        Place::Context(group) => {
            asm.op(Cmp_rm8_imm8, &[known(group, offset_of!(Known, class)), number]);
        }
    }
    asm.jcc(Condition::NotEqual, otherwise);
    if let Place::Context(group) = place {
        asm.op(Mov_r64_rm64, &[RAX.into(), known(group, offset_of!(Known, first))]);
    }
}

impl Strip<'_> {
    /// Sees to it that the class of an access's group is known: in the context, or in ESI, with the first lane's host
    /// address in RAX, if the group has no other access.
    pub fn classify(&mut self, access: &Access, (low, high): (Register, Option<Register>)) -> Option<Place> {
        let (number, group) = self.groups.of(self.registers.position())?;
        if group.classes.is_empty() {
            return None;
        }
        if self.classified.contains(&number) {
            return Some(Place::Context(number));
        }
        let group = group.clone();
        self.classified.push(number);
        let (any, found, put) = (self.asm.label(), self.asm.label(), self.asm.label());
        self.rare.push(Rare::NoClass { begin: any, back: put });
        if access.space != Space::Lds {
            let missed = self.miss(access, (low, high));
            translation(self.asm, access, missed);
        }
        if let Some(high) = high {
            self.first(zmm(2), high);
            self.equal(high, zmm(2));
            self.unless_all(any);
        }
        self.distances(low);
        for (n, class) in group.classes.iter().enumerate() {
            let last = n + 1 == group.classes.len();
            let next = if last { any } else { self.asm.label() };
            self.spaced(low, class.step(), next);
            self.asm.op(Mov_r32_imm32, &[EDX.into(), Arg::Dword(15 * class.step())]);
            self.asm.op(Mov_r32_imm32, &[ESI.into(), Arg::Dword(class.number().into())]);
            if !last {
                self.asm.jmp(found);
                self.asm.bind(next);
            }
        }
        self.asm.bind(found);
        // RDX: bytes from the first lane's element to the last one's.
        self.asm.op(EVEX_Vmovd_rm32_xmm, &[Register::EAX.into(), xmm(zmm(1)).into()]);
        if high.is_some() {
            self.asm.op(EVEX_Vmovd_rm32_xmm, &[Register::ECX.into(), xmm(zmm(2)).into()]);
        }
        first_host(self.asm, access, group.from, group.to, any);
        Some(remember(self.asm, number, &group, put))
    }

    /// The value of the first active lane of `from` in all lanes of `to`.
    pub fn first(&mut self, to: Register, from: Register) {
        let mut first = from;
        if self.masked {
            self.asm.with(EVEX_Vpcompressd_zmmm512_k1z_zmm, &[to.into(), from.into()], self.masking());
            first = to;
        }
        self.asm.op(EVEX_Vpbroadcastd_zmm_k1z_xmmm32, &[to.into(), xmm(first).into()]);
    }

    /// Jumps where K2 is not all of the active lanes.
    pub fn unless_all(&mut self, to: Label) {
        if self.masked {
            self.asm.op(VEX_Kxorw_kr_kr_kr, &[K2.into(), K2.into(), EXEC.into()]);
            self.asm.op(VEX_Kortestw_kr_kr, &[K2.into(), K2.into()]);
            self.asm.jcc(Condition::NotEqual, to);
        } else {
            self.asm.op(VEX_Kortestw_kr_kr, &[K2.into(), K2.into()]);
            self.asm.jcc(Condition::AboveEqual, to);
        }
    }

    /// K2: the active lanes in which both are equal.
    pub fn equal(&mut self, a: Register, b: Register) {
        let masking = Masking { by: self.masked.then_some(EXEC), zero: false, quiet: false };
        self.asm.with(EVEX_Vpcmpeqd_kr_k1_zmm_zmmm512b32, &[K2.into(), a.into(), b.into()], masking);
    }

    /// Before [`spaced`](Self::spaced): temporary 0 gets the distances from the first lane if all lanes are active.
    pub fn distances(&mut self, low: Register) {
        if !self.masked {
            self.first(zmm(1), low);
            self.asm.op(EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32, &[zmm(0).into(), low.into(), zmm(1).into()]);
        }
    }

    /// Falls through where addresses are `step` apart, with the first lane's (as if it were active) in temporary 1.
    pub fn spaced(&mut self, low: Register, step: u32, otherwise: Label) {
        let table = std::array::from_fn(|n| n as u32 * step);
        if !self.masked {
            if step == 0 {
                let args: [Arg; 3] = [K2.into(), zmm(0).into(), zmm(0).into()];
                self.asm.op(EVEX_Vptestnmd_kr_k1_zmm_zmmm512b32, &args);
            } else {
                let args: [Arg; 2] = [K2.into(), zmm(0).into()];
                self.asm.op_table(EVEX_Vpcmpeqd_kr_k1_zmm_zmmm512b32, &args, table, Masking::default());
            }
            return self.unless_all(otherwise);
        }
        let from = if step == 0 {
            low
        } else {
            let args: [Arg; 2] = [zmm(0).into(), low.into()];
            self.asm.op_table(EVEX_Vpsubd_zmm_k1z_zmm_zmmm512b32, &args, table, Masking::default());
            zmm(0)
        };
        self.first(zmm(1), from);
        self.equal(from, zmm(1));
        self.unless_all(otherwise);
    }
}
