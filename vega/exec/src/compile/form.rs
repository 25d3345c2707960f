//! What stands around a vector operation: parts of dwords (SDWA, op_sel), permuted lanes (DPP), lanes that do not
//! write.

use std::mem::offset_of;

use iced_x86::{Code, Register};
use vega_isa::Dpp;

use super::assembler::{Arg, Masking, at_index};
use super::context::Context;
use super::dwords::Dwords;
use super::ir::Lane;
use super::layout::{CONTEXT, PIECE, zmm};
use super::operand::Source;
use super::shape::Shape;
use super::strip::{ENABLED, EXEC, K3, LOAD, MOVE, Strip};
use crate::interp::planned::dpp_source;
use crate::interp::wave::SPARE;
use Code::*;

/// The register of the permuted source: the first spare one.
pub(super) const PERMUTED: u16 = SPARE as u16;
/// The register of a result that does not go to the destination as it is.
pub(super) const RESULT: u16 = PERMUTED + 1;
/// Registers that operations take for values of their own.
pub(super) const EXTRA: u16 = RESULT + 1;
/// How many of them there are.
pub(super) const EXTRAS: u16 = 6;
/// From here on, registers with sources that the code before the region permuted; the interpreter uses none of them.
pub(super) const CROSS: u16 = SPARE as u16 + 9;
/// How many of them there are.
pub(super) const CROSSES: u8 = 7;

/// Lanes of a row that have a source, and where it is.
pub(super) fn row_sources(dpp: Dpp) -> (u16, [u32; 16]) {
    let mut valid = 0;
    let from = std::array::from_fn(|lane| match dpp_source(dpp.ctrl, lane) {
        Some(from) if from < 16 => {
            valid |= 1 << lane;
            from as u32
        }
        _ => 0,
    });
    (valid, from)
}

/// Lanes whose rows and banks write.
pub(super) fn written(dpp: Dpp) -> u64 {
    (0..64).fold(0, |mask, lane| {
        let writes = dpp.row_mask >> (lane / 16) & dpp.bank_mask >> (lane / 4 % 4) & 1;
        mask | u64::from(writes) << lane
    })
}

impl Strip<'_> {
    /// One instruction in whatever form.
    pub fn instruction(&mut self, lane: &Lane, shape: Shape) {
        let mut inner = *lane;
        let mut merges = false;
        if let Some(slot) = lane.cross {
            self.load_enabled(slot);
            merges = true;
        } else if let Some(dpp) = lane.dpp {
            merges = self.permute(&mut inner, dpp);
        }
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
                self.registers.read(self.asm, d);
            }
            let to = self.registers.write(self.asm, d);
            let by = merges.then_some(ENABLED);
            self.asm.with(MOVE, &[to.into(), result.into()], Masking { by, zero: false, quiet: false });
        } else {
            self.operate(&inner, shape);
        }
        self.enabled = false;
        for spare in PERMUTED..std::mem::replace(&mut self.spares, PERMUTED) {
            self.registers.discard(spare);
        }
    }

    /// A register for a value of an operation's own: `n` is below [`EXTRAS`].
    pub fn extra(&mut self, n: u16) -> Register {
        debug_assert!(n < EXTRAS);
        self.spare(EXTRA + n)
    }

    /// A register beyond the guest's, until the instruction's end.
    fn spare(&mut self, number: u16) -> Register {
        self.spares = self.spares.max(number + 1);
        self.registers.write(self.asm, number)
    }

    /// Lanes that write, as the code before the region left them.
    fn load_enabled(&mut self, slot: u8) {
        let place = offset_of!(Context, enabled) + 8 * usize::from(slot);
        let from = at_index(CONTEXT, PIECE, place as i32);
        self.asm.op(VEX_Kmovw_kr_km16, &[ENABLED.into(), from.into()]);
    }

    /// Permutes the lanes of the first source within their row. Whether some lanes of EXEC do not write: they are not in
    /// `ENABLED` then.
    fn permute(&mut self, lane: &mut Lane, dpp: Dpp) -> bool {
        let (valid, from) = row_sources(dpp);
        let Some(operand) = lane.src.iter_mut().find(|operand| operand.permuted) else { return false };
        let Source::Vector(v) = operand.from else { return false };
        operand.from = Source::Vector(PERMUTED);
        let source = self.registers.read(self.asm, v);
        let to = self.spare(PERMUTED);
        self.asm.op_table(LOAD, &[zmm(0).into()], from, Masking::default());
        let rows = written(dpp);
        let all_rows = rows == u64::MAX;
        // K3: lanes whose source is there and active.
        let supplied = self.masked || valid != u16::MAX;
        if supplied {
            self.asm.op(Mov_r32_imm32, &[Register::EAX.into(), Arg::Dword(valid.into())]);
            self.asm.op(VEX_Kmovw_kr_r32, &[K3.into(), Register::EAX.into()]);
            if self.masked {
                self.asm.op(EVEX_Vpmovm2d_zmm_kr, &[zmm(1).into(), EXEC.into()]);
                let permute = EVEX_Vpermd_zmm_k1z_zmm_zmmm512b32;
                self.asm.op(permute, &[zmm(1).into(), zmm(0).into(), zmm(1).into()]);
                self.asm.op(EVEX_Vpmovd2m_kr_zmm, &[ENABLED.into(), zmm(1).into()]);
                self.asm.op(VEX_Kandw_kr_kr_kr, &[K3.into(), K3.into(), ENABLED.into()]);
            }
        }
        let by = (supplied && dpp.bound_ctrl).then_some(K3);
        let args: [Arg; 3] = [to.into(), zmm(0).into(), source.into()];
        self.asm.with(EVEX_Vpermd_zmm_k1z_zmm_zmmm512b32, &args, Masking { by, zero: true, quiet: false });
        if all_rows && (dpp.bound_ctrl || !supplied) {
            return false;
        }
        let strips: [u16; 4] = std::array::from_fn(|strip| (rows >> (16 * strip)) as u16);
        if strips.iter().all(|strip| *strip == strips[0]) {
            self.asm.op(Mov_r32_imm32, &[Register::EAX.into(), Arg::Dword(strips[0].into())]);
        } else {
            // mov rax, rows; the strip's first lane is its number times 64, divided by four.
            self.asm.raw(&[0x48, 0xb8]);
            self.asm.raw(&rows.to_le_bytes());
            self.asm.op(Mov_r32_rm32, &[Register::ECX.into(), Register::EBP.into()]);
            self.asm.op(Shr_rm32_imm8, &[Register::ECX.into(), 2u8.into()]);
            self.asm.op(Shr_rm64_CL, &[Register::RAX.into(), Register::CL.into()]);
        }
        self.asm.op(VEX_Kmovw_kr_r32, &[ENABLED.into(), Register::EAX.into()]);
        if !dpp.bound_ctrl && supplied {
            self.asm.op(VEX_Kandw_kr_kr_kr, &[ENABLED.into(), ENABLED.into(), K3.into()]);
        }
        if self.masked {
            self.asm.op(VEX_Kandw_kr_kr_kr, &[ENABLED.into(), ENABLED.into(), EXEC.into()]);
        }
        true
    }
}
