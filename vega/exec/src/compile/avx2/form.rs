//! What stands around operations: parts of dwords that enter or are written, and lanes permuted within a strip.

use std::mem::offset_of;

use iced_x86::{Code, Register};
use vega_isa::{Dpp, DppCtrl};

use super::strip::{AND, ANDN, LOAD, STORE, Strip, exec, expand, xmm, ymm};
use crate::compile::assembler::{Arg, Masking, at_index};
use crate::compile::context::Context;
use crate::compile::dwords::Dwords;
use crate::compile::form::{EXTRA, EXTRAS, PERMUTED, RESULT, row_sources, written};
use crate::compile::ir::Lane;
use crate::compile::layout::{CONTEXT, PIECE, context};
use crate::compile::operand::Source;
use crate::compile::shape::Shape;
use Code::*;

const PERMUTE: Code = VEX_Vpermd_ymm_ymm_ymmm256;

/// Whether lanes come from the same eight.
pub(in crate::compile) fn stays(dpp: &Dpp) -> bool {
    matches!(dpp.ctrl, DppCtrl::QuadPerm(_) | DppCtrl::RowHalfMirror)
}

/// Where the lanes that write are kept, as a vector.
fn enabled() -> Arg {
    context(offset_of!(Context, writing)).into()
}

impl Strip<'_> {
    /// One instruction in whatever form.
    pub(super) fn instruction(&mut self, lane: &Lane, shape: Shape) {
        let mut inner = *lane;
        let merges = match lane.cross {
            Some(slot) => self.load_enabled(slot),
            None => lane.dpp.is_some_and(|dpp| self.permute(&mut inner, dpp)),
        };
        self.enabled = merges;
        if let Some((d, dwords)) = lane.dst.filter(|_| merges || lane.place.is_some()) {
            inner.dst = Some((RESULT, dwords));
            self.spare(RESULT);
            self.operate(&inner, shape);
            let result = self.registers.read(self.asm, RESULT);
            if let Some(place) = lane.place {
                self.place(place, result, d);
            }
            if merges {
                let old = self.registers.read(self.asm, d);
                self.asm.op(LOAD, &[ymm(0).into(), enabled()]);
                let args: [Arg; 4] = [result.into(), old.into(), result.into(), ymm(0).into()];
                self.asm.op(VEX_Vblendvps_ymm_ymm_ymmm256_ymm, &args);
            }
            let to = self.registers.write(self.asm, d);
            self.copy(to, result);
        } else {
            self.operate(&inner, shape);
        }
        self.enabled = false;
        for spare in PERMUTED..std::mem::replace(&mut self.spares, PERMUTED) {
            self.registers.discard(spare);
        }
    }

    /// A register for a value of an operation's own.
    pub(super) fn extra(&mut self, n: u16) -> Register {
        debug_assert!(n < EXTRAS);
        self.spare(EXTRA + n)
    }

    /// The instruction at hand needs them no more.
    pub(super) fn forget_extras(&mut self) {
        for extra in EXTRA..self.spares {
            self.registers.discard(extra);
        }
        self.spares = self.spares.min(EXTRA);
    }

    fn spare(&mut self, number: u16) -> Register {
        self.spares = self.spares.max(number + 1);
        self.registers.write(self.asm, number)
    }

    /// Lanes that write, as the code before the region left them.
    fn load_enabled(&mut self, slot: u8) -> bool {
        let place = offset_of!(Context, enabled) + 8 * usize::from(slot);
        let from = at_index(CONTEXT, PIECE, place as i32);
        self.asm.op(VEX_Vpbroadcastb_ymm_xmmm8, &[ymm(0).into(), from.into()]);
        expand(self.asm, ymm(0));
        self.asm.op(STORE, &[enabled(), ymm(0).into()]);
        true
    }

    /// Permutes the lanes of the first source within the strip. Whether some lanes of EXEC do not write: the context has
    /// those that do then.
    fn permute(&mut self, lane: &mut Lane, dpp: Dpp) -> bool {
        let (_, from) = row_sources(dpp);
        let Some(operand) = lane.src.iter_mut().find(|operand| operand.permuted) else { return false };
        let Source::Vector(v) = operand.from else { return false };
        operand.from = Source::Vector(PERMUTED);
        let source = self.registers.read(self.asm, v);
        let to = self.spare(PERMUTED);
        self.asm.op_table(LOAD, &[ymm(0).into()], from, Masking::default());
        self.three(PERMUTE, to, ymm(0), source);
        // Temporary 1: lanes whose source is active.
        if self.masked {
            self.asm.op(PERMUTE, &[ymm(1).into(), ymm(0).into(), exec().into()]);
            if dpp.bound_ctrl {
                self.three(AND, to, to, ymm(1));
            }
        }
        let rows = written(dpp);
        if rows == u64::MAX && (dpp.bound_ctrl || !self.masked) {
            return false;
        }
        // mov rax, rows; the strip's first lane is its number times 32, divided by four.
        self.asm.raw(&[0x48, 0xb8]);
        self.asm.raw(&rows.to_le_bytes());
        self.asm.op(Mov_r32_rm32, &[Register::ECX.into(), Register::EBP.into()]);
        self.asm.op(Shr_rm32_imm8, &[Register::ECX.into(), 2u8.into()]);
        self.asm.op(Shr_rm64_CL, &[Register::RAX.into(), Register::CL.into()]);
        self.asm.op(VEX_Vmovd_xmm_rm32, &[xmm(ymm(0)).into(), Register::EAX.into()]);
        self.asm.op(VEX_Vpbroadcastb_ymm_xmmm8, &[ymm(0).into(), xmm(ymm(0)).into()]);
        expand(self.asm, ymm(0));
        if self.masked {
            if !dpp.bound_ctrl {
                self.three(AND, ymm(0), ymm(0), ymm(1));
            }
            self.asm.op(AND, &[ymm(0).into(), ymm(0).into(), exec().into()]);
        }
        self.asm.op(STORE, &[enabled(), ymm(0).into()]);
        true
    }

    /// `to` = `from` in the lanes that count for a lane mask.
    pub(super) fn counting(&mut self, to: Register, from: Register) {
        if self.enabled {
            self.asm.op(AND, &[to.into(), from.into(), enabled()]);
        } else if self.masked {
            self.asm.op(AND, &[to.into(), from.into(), exec().into()]);
        } else {
            self.copy(to, from);
        }
    }

    /// `d` = `other` where a vector of all ones or zeroes says so.
    pub(super) fn choose(&mut self, d: Register, other: Register, mask: Register) {
        let args: [Arg; 4] = [d.into(), d.into(), other.into(), mask.into()];
        self.asm.op(VEX_Vblendvps_ymm_ymm_ymmm256_ymm, &args);
    }

    /// `d` = zero where a vector of all ones or zeroes says so.
    pub(super) fn clear(&mut self, d: Register, mask: Register) {
        self.three(ANDN, d, mask, d);
    }
}
