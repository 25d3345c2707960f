//! Scalar code in front of the strips of a region whose addresses are affine: what the first lane has, what must hold so that
//! the others have it plus their stride, and translations.

use std::mem::offset_of;

use iced_x86::{Code, MemoryOperand, Register};
use vega_isa::memory::Space;

use super::address::{first_host, translation};
use super::affine::Spread;
use super::assembler::{Arg, Assembler, Condition, Label, Masking, at};
use super::context::Context;
use super::layout::{WAVE, context, scalar, zmm};
use super::spread::{SpreadRegion, first, held};
use super::strip::K2;
use super::value::{Guard, Op, Order, Slot};
use crate::interp::wave::Wave;
use Code::*;

const RAX: Register = Register::RAX;
const RCX: Register = Register::RCX;
const EAX: Register = Register::EAX;
const ECX: Register = Register::ECX;

/// Lanes of a wave behind the first.
pub(super) const BEHIND: u32 = 63;

impl SpreadRegion<'_> {
    /// Where the first lane's value is.
    pub fn place(&self, slot: Slot) -> MemoryOperand {
        match self.affine.op(slot) {
            Op::Scalar(number) => scalar(number),
            _ => context(offset_of!(Context, firsts) + 4 * slot),
        }
    }

    pub fn get(&self, asm: &mut Assembler, to: Register, slot: Slot) {
        asm.op(Mov_r32_rm32, &[to.into(), self.place(slot).into()]);
    }

    /// Computes the first lane's values, checks them, and translates addresses.
    pub fn prologue(&self, asm: &mut Assembler, ordinary: Label) {
        if self.known.is_none() {
            self.inputs(asm, ordinary);
        }
        let spreads = self.affine.spreads.iter().flat_map(|spread| [Some(spread.low), spread.high]);
        let results = self.results().iter().map(|(_, (slot, _))| *slot);
        let masks = self.masks().iter().map(|(_, slot)| *slot);
        let (slots, guards) = self.affine.needed(spreads.flatten().chain(results).chain(masks));
        for slot in slots {
            self.compute(asm, slot);
        }
        for guard in guards {
            self.guard(asm, guard, ordinary);
        }
        for (n, spread) in self.affine.spreads.iter().enumerate() {
            self.translate(asm, n, spread, ordinary);
        }
    }

    /// Falls through where the inputs have their strides.
    fn inputs(&self, asm: &mut Assembler, ordinary: Label) {
        for input in self.affine.inputs() {
            let register = |strip: i32| -> Arg {
                at(WAVE, offset_of!(Wave, v) as i32 + i32::from(input.register) * 256 + 64 * strip).into()
            };
            asm.op(EVEX_Vpbroadcastd_zmm_k1z_xmmm32, &[zmm(0).into(), register(0)]);
            for strip in 0..4 {
                let masking = Masking { by: (strip > 0).then_some(K2), zero: false, quiet: false };
                let mut expected = zmm(0);
                if input.stride != 0 {
                    expected = zmm(1);
                    let table = std::array::from_fn(|n| (n as u32 + 16 * strip as u32) * input.stride);
                    let args: [Arg; 2] = [expected.into(), zmm(0).into()];
                    asm.op_table(EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32, &args, table, Masking::default());
                }
                let args: [Arg; 3] = [K2.into(), expected.into(), register(strip)];
                asm.with(EVEX_Vpcmpeqd_kr_k1_zmm_zmmm512b32, &args, masking);
            }
            asm.op(VEX_Kortestw_kr_kr, &[K2.into(), K2.into()]);
            asm.jcc(Condition::AboveEqual, ordinary);
        }
    }

    fn compute(&self, asm: &mut Assembler, slot: Slot) {
        let op = self.affine.op(slot);
        match op {
            Op::Scalar(_) => return,
            Op::Input(n) => {
                let register = self.affine.register(n);
                let from = match self.known {
                    None => at(WAVE, offset_of!(Wave, v) as i32 + 256 * i32::from(register)),
                    Some(known) => held(known.get(&register).map_or(0, |held| held.slot)),
                };
                asm.op(Mov_r32_rm32, &[EAX.into(), from.into()]);
            }
            Op::Constant(value) => {
                asm.op(Mov_rm32_imm32, &[self.place(slot).into(), Arg::Dword(value)]);
                return;
            }
            Op::Add(a, b) | Op::Sub(a, b) | Op::Or(a, b) | Op::AddCarry(a, b, _) => {
                self.get(asm, EAX, a);
                let code = match op {
                    Op::Sub(..) => Sub_r32_rm32,
                    Op::Or(..) => Or_r32_rm32,
                    _ => Add_r32_rm32,
                };
                asm.op(code, &[EAX.into(), self.place(b).into()]);
                if let Op::AddCarry(_, _, carry) = op {
                    asm.op(Add_r32_rm32, &[EAX.into(), self.place(carry).into()]);
                }
            }
            Op::Carry(a, b, carry) => {
                self.get(asm, EAX, a);
                for slot in [Some(b), carry].into_iter().flatten() {
                    self.get(asm, ECX, slot);
                    asm.op(Add_r64_rm64, &[RAX.into(), RCX.into()]);
                }
                asm.op(Shr_rm64_imm8, &[RAX.into(), 32u8.into()]);
            }
            Op::Compare { a, b, order } => {
                self.get(asm, EAX, a);
                self.get(asm, ECX, b);
                compare(asm, order);
            }
            Op::Shl(a, by) => {
                self.get(asm, EAX, a);
                asm.op(Shl_rm32_imm8, &[EAX.into(), by.into()]);
            }
            Op::Sign(a) => {
                self.get(asm, EAX, a);
                asm.op(Sar_rm32_imm8, &[EAX.into(), 31u8.into()]);
            }
            Op::ShlHigh { low, high, by } => {
                self.get(asm, EAX, low);
                self.get(asm, ECX, high);
                asm.op(Shl_rm64_imm8, &[RCX.into(), 32u8.into()]);
                asm.op(Or_r64_rm64, &[RAX.into(), RCX.into()]);
                asm.op(Shl_rm64_imm8, &[RAX.into(), by.into()]);
                asm.op(Shr_rm64_imm8, &[RAX.into(), 32u8.into()]);
            }
        }
        asm.op(Mov_rm32_r32, &[self.place(slot).into(), EAX.into()]);
    }

    /// How much more the last lane has than the first one.
    fn behind(&self, asm: &mut Assembler, to: Register, stride: u32) {
        match self.known {
            None => asm.op(Mov_r32_imm32, &[to.into(), Arg::Dword(BEHIND * stride)]),
            Some(_) => {
                let lanes = context(offset_of!(Context, behind));
                asm.op(Imul_r32_rm32_imm32, &[to.into(), lanes.into(), Arg::Dword(stride)]);
            }
        }
    }

    fn guard(&self, asm: &mut Assembler, guard: Guard, ordinary: Label) {
        let slot = guard.slot();
        match (guard, self.affine.op(slot)) {
            (Guard::Decided(_), Op::Compare { a, b, order }) => {
                return self.decided(asm, slot, (a, b, order), ordinary);
            }
            (Guard::Disjoint(_), Op::Or(a, b)) => return self.disjoint(asm, [a, b], ordinary),
            _ => {}
        }
        let stride = self.affine.stride(slot).unwrap_or(0);
        if stride == 0 || matches!(guard, Guard::Uniform(_)) {
            return;
        }
        self.behind(asm, Register::EDX, stride);
        self.get(asm, EAX, slot);
        if matches!(guard, Guard::OneSign(_)) {
            asm.op(Mov_r32_rm32, &[ECX.into(), EAX.into()]);
        }
        asm.op(Add_r32_rm32, &[EAX.into(), Register::EDX.into()]);
        if matches!(guard, Guard::OneSign(_)) {
            asm.op(Xor_r32_rm32, &[EAX.into(), ECX.into()]);
            asm.op(Shl_rm32_imm8, &[EAX.into(), 1u8.into()]);
        }
        asm.jcc(Condition::Below, ordinary);
    }

    /// A comparison comes out for the last lane as for the first one, and neither side wraps around in between.
    fn decided(&self, asm: &mut Assembler, slot: Slot, (a, b, order): (Slot, Slot, Order), ordinary: Label) {
        let wraps = if order.signed { Condition::Overflow } else { Condition::Below };
        for (side, register) in [(a, EAX), (b, ECX)] {
            self.get(asm, register, side);
            match self.affine.stride(side) {
                None | Some(0) => {}
                Some(stride) => {
                    self.behind(asm, Register::EDX, stride);
                    asm.op(Add_r32_rm32, &[register.into(), Register::EDX.into()]);
                    asm.jcc(wraps, ordinary);
                }
            }
        }
        compare(asm, order);
        asm.op(Cmp_r32_rm32, &[EAX.into(), self.place(slot).into()]);
        asm.jcc(Condition::NotEqual, ordinary);
    }

    /// No bit up to the highest one of the side that grows is set in the other, and it does not wrap around.
    fn disjoint(&self, asm: &mut Assembler, [a, b]: [Slot; 2], ordinary: Label) {
        let stride = |slot| self.affine.stride(slot).unwrap_or(0);
        let (grows, other) = if stride(a) == 0 { (b, a) } else { (a, b) };
        if stride(grows) == 0 {
            return;
        }
        self.behind(asm, Register::EDX, stride(grows));
        self.get(asm, EAX, grows);
        asm.op(Add_r32_rm32, &[EAX.into(), Register::EDX.into()]);
        asm.jcc(Condition::Below, ordinary);
        asm.op(Lzcnt_r32_rm32, &[ECX.into(), EAX.into()]);
        asm.op(Mov_r32_imm32, &[EAX.into(), Arg::Dword(u32::MAX)]);
        asm.op(Shr_rm64_CL, &[RAX.into(), Register::CL.into()]);
        asm.op(Test_rm32_r32, &[self.place(other).into(), EAX.into()]);
        asm.jcc(Condition::NotEqual, ordinary);
    }

    /// The host address of a spread's first element goes to the context.
    fn translate(&self, asm: &mut Assembler, number: usize, spread: &Spread, ordinary: Label) {
        let Spread { access, low, high, stride, from, to } = spread;
        if access.space != Space::Lds {
            translation(asm, access, ordinary);
        }
        self.get(asm, EAX, *low);
        if let Some(high) = high {
            self.get(asm, ECX, *high);
        }
        self.behind(asm, Register::EDX, *stride);
        first_host(asm, access, *from, *to, ordinary);
        asm.op(Mov_rm64_r64, &[first(number).into(), RAX.into()]);
    }

    /// Falls through where no load sees what a store of another lane stores.
    pub fn apart(&self, asm: &mut Assembler, ordinary: Label) {
        let spreads = || self.affine.spreads.iter().enumerate();
        let global = |spread: &Spread| spread.access.space != Space::Lds;
        for (n, store) in spreads().filter(|(_, spread)| !spread.access.load && global(spread)) {
            for (m, load) in spreads().filter(|(_, spread)| spread.access.load && global(spread)) {
                let done = asm.label();
                for (to, number, from) in [(RAX, n, store.from), (RCX, m, load.from)] {
                    asm.op(Mov_r64_rm64, &[to.into(), first(number).into()]);
                    asm.op(Add_rm64_imm32, &[to.into(), Arg::Dword(from as u32)]);
                }
                asm.op(Sub_r64_rm64, &[RAX.into(), RCX.into()]);
                let one = |spread: &Spread| spread.to - spread.from == spread.stride as i32;
                if one(load) && one(store) && load.stride == store.stride {
                    // Each lane stores where it has loaded.
                    asm.jcc(Condition::Equal, done);
                }
                // The store begins behind the loads' end, or ends before they begin.
                for spread in [load, store] {
                    self.behind(asm, Register::EDX, spread.stride);
                    asm.op(
                        Add_rm64_imm32,
                        &[Register::RDX.into(), Arg::Dword((spread.to - spread.from) as u32)],
                    );
                    asm.op(Cmp_r64_rm64, &[RAX.into(), Register::RDX.into()]);
                    asm.jcc(Condition::Below, ordinary);
                    asm.op(Neg_rm64, &[RAX.into()]);
                }
                asm.bind(done);
            }
        }
    }
}

/// EAX: 1 if EAX and ECX compare so, else 0.
fn compare(asm: &mut Assembler, order: Order) {
    asm.op(Cmp_r32_rm32, &[EAX.into(), ECX.into()]);
    // setcc al; movzx eax, al
    asm.raw(&[0x0f, 0x90 + order.holds as u8, 0xc0, 0x0f, 0xb6, 0xc0]);
}
