//! The way into compiled code and out of it, calls of the interpreter, and what is left when all records are done.

use std::mem::offset_of;

use iced_x86::{Code as Op, Register};

use super::assembler::{Arg, Condition, Label, at};
use super::code::{Code, Records};
use super::compiler::{Compiler, Unfinished};
use super::context::Context;
use super::layout::{CONTEXT, LDS, SCALAR_BIAS, SCALARS, SLOT, WAVE, context};
use super::lockstep::Beginning;
use super::region::leave_slot;
use super::together::Together;
use crate::interp::record::Record;
use crate::interp::wave::Wave;

impl Compiler<'_> {
    /// The way in and out, and calls of the interpreter.
    pub fn frame(&mut self) {
        use Register::*;
        let saved = [RBX, RBP, R12, R13, R14, R15];
        for register in saved {
            self.asm.op(Op::Push_r64, &[register.into()]);
        }
        self.asm.op(Op::Sub_rm64_imm8, &[RSP.into(), 8u8.into()]);
        self.asm.op(Op::Mov_r64_rm64, &[CONTEXT.into(), RDI.into()]);
        let wave: Arg = context(offset_of!(Context, wave)).into();
        self.asm.op(Op::Mov_r64_rm64, &[WAVE.into(), wave]);
        self.scalars();
        self.asm.op(Op::Mov_r64_rm64, &[LDS.into(), context(offset_of!(Context, lds)).into()]);
        self.asm.op(Op::Mov_r64_rm64, &[SLOT.into(), context(offset_of!(Context, slot)).into()]);
        self.asm.op(Op::Jmp_rm64, &[RSI.into()]);

        self.asm.bind(self.dispatch);
        self.asm.op(Op::Cmp_r64_rm64, &[RAX.into(), context(offset_of!(Context, count)).into()]);
        self.asm.jcc(Condition::AboveEqual, self.leave);
        self.asm.op(Op::Mov_r64_rm64, &[RCX.into(), context(offset_of!(Context, entries)).into()]);
        let entry = iced_x86::MemoryOperand::with_base_index_scale(RCX, RAX, 4);
        self.asm.op(Op::Mov_r32_rm32, &[ECX.into(), entry.into()]);
        self.asm.op(Op::Test_rm32_r32, &[ECX.into(), ECX.into()]);
        self.asm.jcc(Condition::Equal, self.leave);
        self.asm.op(Op::Add_r64_rm64, &[RCX.into(), context(offset_of!(Context, base)).into()]);
        self.asm.op(Op::Jmp_rm64, &[RCX.into()]);

        self.asm.bind(self.leave);
        self.vzeroupper();
        self.asm.op(Op::Add_rm64_imm8, &[RSP.into(), 8u8.into()]);
        for register in saved.into_iter().rev() {
            self.asm.op(Op::Pop_r64, &[register.into()]);
        }
        self.asm.op(Op::Retnq, &[]);

        self.asm.bind(self.handler);
        self.asm.op(Op::Sub_rm64_imm8, &[RSP.into(), 8u8.into()]);
        self.vzeroupper();
        self.asm.op(Op::Mov_r64_rm64, &[RDX.into(), RCX.into()]);
        self.asm.op(Op::Shl_rm64_imm8, &[RDX.into(), 6u8.into()]);
        self.asm.op(Op::Add_r64_rm64, &[RDX.into(), context(offset_of!(Context, records)).into()]);
        self.asm.op(Op::Mov_r64_rm64, &[RDI.into(), WAVE.into()]);
        self.asm.op(Op::Mov_r64_rm64, &[RSI.into(), context(offset_of!(Context, worker)).into()]);
        self.asm.op(Op::Call_rm64, &[at(RDX, offset_of!(Record, run) as i32).into()]);
        self.back();

        self.asm.bind(self.interpret);
        self.asm.op(Op::Sub_rm64_imm8, &[RSP.into(), 8u8.into()]);
        self.vzeroupper();
        // Where waves run together it is not the one that came in.
        self.asm.op(Op::Mov_rm64_r64, &[wave, WAVE.into()]);
        self.asm.op(Op::Call_rm64, &[context(offset_of!(Context, careful)).into()]);
        self.back();

        for (label, function) in [
            (self.rest, offset_of!(Context, rest)),
            (self.translate, offset_of!(Context, translate)),
            (self.disband, offset_of!(Context, disband)),
        ] {
            self.asm.bind(label);
            self.asm.op(Op::Sub_rm64_imm8, &[RSP.into(), 8u8.into()]);
            self.vzeroupper();
            self.asm.op(Op::Mov_rm64_r64, &[wave, WAVE.into()]);
            self.asm.op(Op::Call_rm64, &[context(function).into()]);
            self.back();
        }
    }

    /// The wave's scalar registers are at hand.
    pub fn scalars(&mut self) {
        let scalars = at(WAVE, offset_of!(Wave, s) as i32 + SCALAR_BIAS);
        self.asm.op(Op::Lea_r64_m, &[SCALARS.into(), scalars.into()]);
    }

    /// Returns from Rust to compiled code.
    pub fn back(&mut self) {
        self.asm.op(Op::Add_rm64_imm8, &[Register::RSP.into(), 8u8.into()]);
        self.asm.op(Op::Retnq, &[]);
    }

    pub fn vzeroupper(&mut self) {
        self.asm.op(Op::VEX_Vzeroupper, &[]);
    }

    pub fn slow_paths(&mut self) {
        for Unfinished { rest, ip, entered, after } in std::mem::take(&mut self.unfinished) {
            self.asm.bind(rest);
            if entered {
                leave_slot(&mut self.asm);
            }
            self.asm.op(Op::Mov_r64_rm64, &[Register::RDX.into(), Register::RDI.into()]);
            self.asm.op(Op::Mov_r64_rm64, &[Register::RDI.into(), CONTEXT.into()]);
            self.asm.op(Op::Mov_r32_imm32, &[Register::ESI.into(), Arg::Dword(ip as u32)]);
            self.asm.call(self.rest);
            self.asm.op(Op::Test_rm64_r64, &[Register::RAX.into(), Register::RAX.into()]);
            self.asm.jcc(Condition::NotEqual, self.leave);
            self.asm.jmp(after);
        }
        for (label, ip) in std::mem::take(&mut self.slow) {
            self.asm.bind(label);
            self.asm.op(Op::Mov_r32_imm32, &[Register::ECX.into(), Arg::Dword(ip as u32)]);
            self.asm.call(self.handler);
            self.asm.jmp(self.dispatch);
        }
    }

    pub fn finish(self, called: Box<[bool]>, together: Option<Beginning>) -> Result<Code, String> {
        let finished = self.asm.finish()?;
        let place = |label: Label| finished.place(label).unwrap_or(0);
        let entries = self.entries.iter().map(|entry| entry.map_or(0, |label| place(label) as u32)).collect();
        let mut sites: Vec<_> =
            self.sites.iter().map(|(begin, end, to)| (place(*begin), place(*end), place(*to))).collect();
        sites.sort_unstable();
        let together = together.map(|beginning| Together {
            entry: place(beginning.entry),
            line: beginning.line.map(place),
            exits: beginning.exits.into(),
            sides: beginning.sides.into(),
        });
        Code::new(&finished.code, Records { entries, called }, self.regions, &sites, (self.target, together))
            .map_err(|error| error.to_string())
    }
}
