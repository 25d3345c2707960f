//! Emission of a region's instructions for one strip of eight lanes.

use std::mem::offset_of;

use iced_x86::{Code, MemoryOperand, Register};
use vega_isa::sgpr;

use super::accesses::{Rare, ways};
use crate::compile::assembler::{Arg, Assembler, Condition, Label, Masking};
use crate::compile::context::{Context, VECTORS};
use crate::compile::dwords::Dwords;
use crate::compile::form::PERMUTED;
use crate::compile::groups::Groups;
use crate::compile::ir::Lane;
use crate::compile::layout::{context, mask, scalar, vector};
use crate::compile::operand::{Operand, Source};
use crate::compile::region::Exits;
use crate::compile::registers::{Registers, mask_value};
use crate::compile::set::VectorSet;
use crate::compile::shape::Shape;
use crate::compile::strip::{Emission, Watch};
use crate::compile::target::File;
use Code::*;

/// A copy between registers or memory and registers.
pub(super) const MOVE: Code = VEX_Vmovdqa_ymm_ymmm256;
/// A load.
pub(super) const LOAD: Code = VEX_Vmovdqu_ymm_ymmm256;
/// A store.
pub(super) const STORE: Code = VEX_Vmovdqu_ymmm256_ymm;
pub(super) const AND: Code = VEX_Vpand_ymm_ymm_ymmm256;
pub(super) const ANDN: Code = VEX_Vpandn_ymm_ymm_ymmm256;
pub(super) const OR: Code = VEX_Vpor_ymm_ymm_ymmm256;
pub(super) const XOR: Code = VEX_Vpxor_ymm_ymm_ymmm256;

/// The register that gathers NaNs, where results are looked at.
pub(super) const NANS: Register = Register::YMM15;
/// The registers without it, and all of them.
static FILES: [File; 2] = [file(15), file(16)];

const fn file(count: usize) -> File {
    File { base: Register::YMM0, first: 5, count, load: LOAD, store: STORE, masks: true }
}

/// A vector register by its number; the first five are for single instructions.
pub(super) fn ymm(number: u8) -> Register {
    Register::YMM0 + u32::from(number)
}

/// Its low half.
pub(super) fn xmm(register: Register) -> Register {
    Register::XMM0 + (register as u32 - Register::YMM0 as u32)
}

/// The strip's part of EXEC as a vector, in the masked variant.
pub(super) fn exec() -> MemoryOperand {
    context(offset_of!(Context, exec))
}

/// A strip's bits, in every byte of the register, to a vector.
pub(super) fn expand(asm: &mut Assembler, register: Register) {
    let bits = std::array::from_fn(|n| 1 << (n % 8));
    for code in [AND, VEX_Vpcmpeqd_ymm_ymm_ymmm256] {
        asm.op_table(code, &[register.into(), register.into()], bits, Masking::default());
    }
}

/// See the file's head.
pub(in crate::compile) struct Strip<'a> {
    /// The code.
    pub(super) asm: &'a mut Assembler,
    /// Vector registers.
    pub(super) registers: Registers,
    /// EXEC is not all ones.
    pub(super) masked: bool,
    /// Where the strip is begun again by the interpreter.
    pub(super) careful: Label,
    /// Where it is begun again with another translation.
    pub(super) missed: Label,
    /// Accesses whose addresses are looked at together.
    pub(super) groups: Groups,
    /// The groups that have been looked at.
    pub(super) classified: Vec<usize>,
    /// Code out of the way.
    pub(super) rare: Vec<Rare>,
    /// How NaNs are noticed.
    pub(super) watch: Watch,
    /// Some result has not been looked at.
    pub(super) unchecked: bool,
    /// The result of the instruction at hand need not be watched.
    pub(super) excused: bool,
    /// Where the strip is begun again in code that repairs NaNs.
    imprecise: Label,
    /// Some lanes of EXEC do not write.
    pub(super) enabled: bool,
    /// Behind the last spare register that the instruction at hand uses.
    pub(super) spares: u16,
}

impl<'a> Strip<'a> {
    /// A strip of these instructions.
    pub fn new(
        asm: &'a mut Assembler,
        (lanes, live): (&[Lane], &VectorSet),
        masked: bool,
        Exits { careful, missed, imprecise }: Exits,
        watch: Watch,
    ) -> Self {
        let registers = Registers::new(lanes, live, &FILES[usize::from(watch != Watch::Results)]);
        Self {
            asm,
            registers,
            masked,
            careful,
            missed,
            groups: Groups::new(lanes, |access| ways(access, masked)),
            classified: Vec::new(),
            rare: Vec::new(),
            watch,
            imprecise,
            unchecked: false,
            excused: false,
            enabled: false,
            spares: PERMUTED,
        }
    }

    /// An instruction of three registers.
    pub(super) fn three(&mut self, code: Code, d: Register, a: Register, b: Register) {
        self.asm.op(code, &[d.into(), a.into(), b.into()]);
    }

    /// An instruction of two registers and an immediate.
    pub(super) fn immediate(&mut self, code: Code, d: Register, a: Register, value: u8) {
        self.asm.op(code, &[d.into(), a.into(), value.into()]);
    }

    /// An instruction whose last source is the same constant in every lane.
    pub(super) fn with_constant(&mut self, code: Code, d: Register, a: Register, value: u32) {
        self.asm.op_table(code, &[d.into(), a.into()], [value; 16], Masking::default());
    }

    /// The same constant in every 64-bit lane, from its low and high half.
    pub(super) fn with_wide_constant(&mut self, code: Code, d: Register, a: Register, [low, high]: [u32; 2]) {
        let table = std::array::from_fn(|n| if n % 2 == 0 { low } else { high });
        self.asm.op_table(code, &[d.into(), a.into()], table, Masking::default());
    }

    pub(super) fn copy(&mut self, d: Register, a: Register) {
        if d != a {
            self.asm.op(MOVE, &[d.into(), a.into()]);
        }
    }

    /// The destination's register. Sources are still in theirs, unless it is the same guest register.
    pub(super) fn result(&mut self, lane: &Lane) -> Register {
        match lane.dst {
            Some((d, _)) => self.registers.write(self.asm, d),
            None => ymm(4),
        }
    }

    /// A source of 32 bits with its modifiers; temporary `n` takes what is in no register.
    pub(super) fn source(&mut self, operand: &Operand, n: u8) -> Register {
        let temporary = ymm(n);
        let mut from = temporary;
        match operand.from {
            Source::Vector(v) => from = self.registers.read(self.asm, v),
            Source::Scalar(s) => {
                self.asm.op(VEX_Vpbroadcastd_ymm_xmmm32, &[temporary.into(), scalar(s).into()]);
            }
            Source::Constant(value) => self.asm.broadcast(temporary, value as u32),
            Source::None => {}
        }
        if !operand.part.is_whole() {
            self.part(operand, from, temporary);
            from = temporary;
        }
        let sign = if operand.ty.bits() == 16 { 0x8000u32 } else { 0x8000_0000 };
        for (wanted, code, bits) in [(operand.abs, AND, !sign), (operand.neg, XOR, sign)] {
            if wanted {
                self.with_constant(code, temporary, from, bits);
                from = temporary;
            }
        }
        from
    }

    /// One half of a source of 64 bits with its modifiers, in temporary `n`.
    pub(super) fn wide_source(&mut self, operand: &Operand, half: usize, n: u8) -> Register {
        let t = ymm(n);
        let unpack = if half == 0 { VEX_Vpunpckldq_ymm_ymm_ymmm256 } else { VEX_Vpunpckhdq_ymm_ymm_ymmm256 };
        match operand.from {
            Source::Vector(v) if operand.dwords == 1 => {
                // An operand of 32 bits among wide ones: a shift count, or a factor.
                let low = self.registers.read(self.asm, v);
                self.three(XOR, t, t, t);
                self.three(unpack, t, low, t);
            }
            Source::Vector(v) => {
                let low = self.registers.read(self.asm, v);
                let high = self.registers.read(self.asm, v + 1);
                self.three(unpack, t, low, high);
            }
            Source::Scalar(s) if operand.dwords == 1 => {
                self.asm.op(VEX_Vpbroadcastd_ymm_xmmm32, &[t.into(), scalar(s).into()]);
                self.immediate(VEX_Vpsrlq_ymm_ymm_imm8, t, t, 32);
            }
            Source::Scalar(s) => {
                self.asm.op(VEX_Vpbroadcastq_ymm_xmmm64, &[t.into(), scalar(s).into()]);
            }
            Source::Constant(value) => {
                let high = if operand.dwords == 1 { 0 } else { (value >> 32) as u32 };
                let table = std::array::from_fn(|n| if n % 2 == 0 { value as u32 } else { high });
                self.asm.op_table(LOAD, &[t.into()], table, Masking::default());
            }
            Source::None => {}
        }
        if operand.abs {
            self.with_wide_constant(AND, t, t, [!0, 0x7fff_ffff]);
        }
        if operand.neg {
            self.with_wide_constant(XOR, t, t, [0, 0x8000_0000]);
        }
        t
    }

    /// Stores a 64-bit result that is in two halves.
    pub(super) fn wide_result(&mut self, lane: &Lane, from: [Register; 2]) {
        let Some((d, _)) = lane.dst else { return };
        for (k, order) in [(0, 0x88u8), (1, 0xdd)] {
            let to = self.registers.write(self.asm, d + k);
            let args: [Arg; 4] = [to.into(), from[0].into(), from[1].into(), order.into()];
            self.asm.op(VEX_Vshufps_ymm_ymm_ymmm256_imm8, &args);
        }
    }

    /// The register that holds a lane mask.
    pub(super) fn read_mask(&mut self, number: u16) -> Register {
        let (to, empty) = self.registers.find_or_take(self.asm, mask_value(number));
        if empty {
            self.asm.op(VEX_Vpbroadcastb_ymm_xmmm8, &[to.into(), mask(number).into()]);
            expand(self.asm, to);
        }
        to
    }

    /// The lane masks that an instruction writes get a new value, of which the active lanes count.
    pub(super) fn put_mask(&mut self, lane: &Lane, from: Register) {
        let exec_too = lane.to_exec.then_some(sgpr::EXEC_LO.into());
        for number in [lane.mask_out, exec_too].into_iter().flatten() {
            let to = self.registers.write(self.asm, mask_value(number));
            self.counting(to, from);
        }
    }

    /// Sets the zero flag where no active lane of a vector has a bit.
    pub(super) fn test(&mut self, lanes: Register) {
        let other = if self.masked { Arg::from(exec()) } else { lanes.into() };
        self.asm.op(VEX_Vptest_ymm_ymmm256, &[lanes.into(), other]);
    }

    /// Begins again if a result since the last time may be wrong. Comes before anything that others can see.
    pub(super) fn settle(&mut self) {
        if !std::mem::take(&mut self.unchecked) {
            return;
        }
        match self.watch {
            Watch::Nothing | Watch::Mend => return,
            Watch::Results => self.test(NANS),
            Watch::Flag => {
                let read = context(offset_of!(Context, mxcsr) + 4);
                self.asm.op(VEX_Vstmxcsr_m32, &[read.into()]);
                self.asm.op(Test_rm8_imm8, &[read.into(), 1u8.into()]);
            }
        }
        self.asm.jcc(Condition::NotEqual, self.imprecise);
    }
}

impl Emission for Strip<'_> {
    fn next(&mut self, position: usize, excused: bool) {
        self.registers.begin(position);
        self.excused = excused;
    }

    fn begin(&mut self) {
        if self.masked {
            let bits = mask(sgpr::EXEC_LO.into());
            let place = |offset: usize| -> Arg { context(offset).into() };
            self.asm.op(Movzx_r32_rm8, &[Register::EAX.into(), bits.into()]);
            self.asm.op(Mov_rm64_r64, &[place(offset_of!(Context, active)), Register::RAX.into()]);
            self.asm.op(VEX_Vpbroadcastb_ymm_xmmm8, &[ymm(0).into(), bits.into()]);
            expand(self.asm, ymm(0));
            self.asm.op(STORE, &[exec().into(), ymm(0).into()]);
            self.asm.op(Tzcnt_r32_rm32, &[Register::EAX.into(), Register::EAX.into()]);
            self.asm.op(VEX_Vmovd_xmm_rm32, &[Register::XMM1.into(), Register::EAX.into()]);
            self.asm.op(VEX_Vpbroadcastd_ymm_xmmm32, &[ymm(1).into(), Register::XMM1.into()]);
            self.asm.op(STORE, &[place(offset_of!(Context, first)), ymm(1).into()]);
        }
        if self.watch == Watch::Results {
            self.three(XOR, NANS, NANS, NANS);
        }
    }

    fn lane(&mut self, lane: &Lane, shape: Shape) {
        self.instruction(lane, shape);
    }

    fn end(&mut self) {
        self.settle();
        let masked = self.masked;
        if masked {
            self.asm.op(LOAD, &[ymm(2).into(), exec().into()]);
        }
        self.registers.finish(self.asm, ymm(1), &mut |asm, v, from| {
            if let Some(pair) = v.checked_sub(VECTORS as u16) {
                asm.op(VEX_Vmovmskps_r32_ymm, &[Register::EAX.into(), from.into()]);
                asm.op(Mov_rm8_r8, &[mask(2 * pair).into(), Register::AL.into()]);
                return;
            }
            let mut from = from;
            if masked {
                // Blending and storing whole keeps later loads of the register fast.
                asm.op(LOAD, &[ymm(0).into(), vector(v).into()]);
                let args: [Arg; 4] = [ymm(0).into(), ymm(0).into(), from.into(), ymm(2).into()];
                asm.op(VEX_Vblendvps_ymm_ymm_ymmm256_ymm, &args);
                from = ymm(0);
            }
            asm.op(STORE, &[vector(v).into(), from.into()]);
        });
    }
}
