//! Exchange between lanes of the whole wave: code outside of regions, eight lanes at a time.
//!
//! Lanes are gathered from the wave's own memory. Results wait in the context until all lanes have read theirs.

use std::mem::offset_of;

use iced_x86::{Code, MemoryOperand, Register};
use vega_isa::{Dpp, sgpr};

use super::lane::SHR_BY;
use super::strip::{AND, LOAD, STORE, XOR, expand, ymm};
use crate::compile::assembler::{Arg, Assembler, Condition, Masking, at};
use crate::compile::context::Context;
use crate::compile::form::{CROSS, written};
use crate::compile::layout::{CONTEXT, SCALAR_BIAS, SCALARS, WAVE, context};
use crate::compile::whole::{Exchange, Indices, valid_sources};
use crate::interp::wave::Wave;
use Code::*;

const RCX: Register = Register::RCX;
const RDX: Register = Register::RDX;
const RSI: Register = Register::RSI;
const EAX: Register = Register::EAX;
const EDI: Register = Register::EDI;
const ESI: Register = Register::ESI;

/// Strips of a wave.
const STRIPS: u8 = 8;

/// Rooms of 64 dwords in the context: the result, EXEC as a vector, lane numbers.
const RESULT: usize = 0;
const ACTIVE: usize = 1;
const NUMBERS: usize = 2;

fn room(number: usize) -> i32 {
    (offset_of!(Context, spilled) + 256 * number) as i32
}

/// A strip of a room.
fn piece(number: usize, strip: u8) -> Arg {
    at(CONTEXT, room(number) + 32 * i32::from(strip)).into()
}

fn place(number: u16) -> i32 {
    offset_of!(Wave, v) as i32 + i32::from(number) * 256
}

/// A strip of a vector register.
fn register(number: u16, strip: u8) -> Arg {
    at(WAVE, place(number) + 32 * i32::from(strip)).into()
}

/// A strip of EXEC.
fn exec(strip: u8) -> Arg {
    at(SCALARS, i32::from(sgpr::EXEC_LO) * 4 - SCALAR_BIAS + i32::from(strip)).into()
}

fn indexed(base: Register, index: Register, displacement: i32) -> Arg {
    MemoryOperand::with_base_index_scale_displ_size(base, index, 4, displacement.into(), 1).into()
}

/// EXEC as a vector.
fn activity(asm: &mut Assembler) {
    for strip in 0..STRIPS {
        asm.op(VEX_Vpbroadcastb_ymm_xmmm8, &[ymm(0).into(), exec(strip)]);
        expand(asm, ymm(0));
        asm.op(STORE, &[piece(ACTIVE, strip), ymm(0).into()]);
    }
}

/// Temporary 3: a strip's data from other lanes, zero where the source is not there or inactive; temporary 4: where it is.
fn gather(asm: &mut Assembler, indices: &Indices, data: u16, strip: u8) {
    let (index, ones) = (ymm(1), ymm(2));
    let mut missing = None;
    match indices {
        Indices::Table(from, lanes) => {
            let first = usize::from(strip) * 8;
            let table = std::array::from_fn(|n| from.get(first + n).copied().unwrap_or(0).into());
            asm.op_table(LOAD, &[index.into()], table, Masking::default());
            let valid = (lanes >> first) as u8;
            if valid != u8::MAX {
                missing = Some(std::array::from_fn(|n| if valid >> (n % 8) & 1 == 1 { !0 } else { 0 }));
            }
        }
        Indices::Register(number, offset) => numbers(asm, index, *number, *offset, strip),
    }
    for (to, base, displacement) in [(ymm(3), WAVE, place(data)), (ymm(4), CONTEXT, room(ACTIVE))] {
        asm.broadcast(ones, !0);
        let args = [to.into(), indexed(base, index, displacement), ones.into()];
        asm.op(VEX_Vpgatherdd_ymm_vm32y_ymm, &args);
    }
    if let Some(table) = missing {
        asm.op_table(AND, &[ymm(4).into(), ymm(4).into()], table, Masking::default());
    }
    asm.op(AND, &[ymm(3).into(), ymm(3).into(), ymm(4).into()]);
}

/// The lanes that addresses name.
fn numbers(asm: &mut Assembler, to: Register, addresses: u16, offset: u32, strip: u8) {
    asm.op(LOAD, &[to.into(), register(addresses, strip)]);
    if offset != 0 {
        asm.op_table(VEX_Vpaddd_ymm_ymm_ymmm256, &[to.into(), to.into()], [offset; 16], Masking::default());
    }
    asm.op(SHR_BY, &[to.into(), to.into(), 2u8.into()]);
    asm.op_table(AND, &[to.into(), to.into()], [63; 16], Masking::default());
}

/// Two values by lanes of EXEC: `to` = `from` where they are active, else what it has.
fn blend(asm: &mut Assembler, to: Register, from: Register, strip: u8) {
    asm.op(LOAD, &[ymm(4).into(), piece(ACTIVE, strip)]);
    asm.op(VEX_Vblendvps_ymm_ymm_ymmm256_ymm, &[to.into(), to.into(), from.into(), ymm(4).into()]);
}

/// See the file's head.
pub(in crate::compile) struct Eight;

impl Exchange for Eight {
    fn pull(asm: &mut Assembler, indices: &Indices, data: u16) {
        activity(asm);
        for strip in 0..STRIPS {
            gather(asm, indices, data, strip);
            asm.op(STORE, &[piece(RESULT, strip), ymm(3).into()]);
        }
    }

    fn push(asm: &mut Assembler, addresses: u16, offset: u32, data: u16) {
        activity(asm);
        asm.broadcast(ymm(0), 0);
        for strip in 0..STRIPS {
            asm.op(STORE, &[piece(RESULT, strip), ymm(0).into()]);
            numbers(asm, ymm(1), addresses, offset, strip);
            asm.op(STORE, &[piece(NUMBERS, strip), ymm(1).into()]);
        }
        // In ascending order: the highest lane wins.
        let (top, end) = (asm.label(), asm.label());
        asm.op(Mov_r64_rm64, &[RCX.into(), exec(0)]);
        asm.bind(top);
        asm.op(Test_rm64_r64, &[RCX.into(), RCX.into()]);
        asm.jcc(Condition::Equal, end);
        asm.op(Tzcnt_r64_rm64, &[RDX.into(), RCX.into()]);
        asm.op(Mov_r32_rm32, &[ESI.into(), indexed(CONTEXT, RDX, room(NUMBERS))]);
        asm.op(Mov_r32_rm32, &[EDI.into(), indexed(WAVE, RDX, place(data))]);
        asm.op(Mov_rm32_r32, &[indexed(CONTEXT, RSI, room(RESULT)), EDI.into()]);
        asm.op(VEX_Blsr_r64_rm64, &[RCX.into(), RCX.into()]);
        asm.jmp(top);
        asm.bind(end);
    }

    fn store(asm: &mut Assembler, number: u16) {
        for strip in 0..STRIPS {
            asm.op(LOAD, &[ymm(0).into(), register(number, strip)]);
            asm.op(LOAD, &[ymm(1).into(), piece(RESULT, strip)]);
            blend(asm, ymm(0), ymm(1), strip);
            asm.op(STORE, &[register(number, strip), ymm(0).into()]);
        }
    }

    fn swap(asm: &mut Assembler, a: u16, b: u16) {
        activity(asm);
        for strip in 0..STRIPS {
            asm.op(LOAD, &[ymm(0).into(), register(a, strip)]);
            asm.op(LOAD, &[ymm(1).into(), register(b, strip)]);
            // Their difference turns each into the other.
            asm.op(XOR, &[ymm(2).into(), ymm(0).into(), ymm(1).into()]);
            asm.op(AND, &[ymm(2).into(), ymm(2).into(), piece(ACTIVE, strip)]);
            for (number, value) in [(a, ymm(0)), (b, ymm(1))] {
                asm.op(XOR, &[value.into(), value.into(), ymm(2).into()]);
                asm.op(STORE, &[register(number, strip), value.into()]);
            }
        }
    }

    fn permute(asm: &mut Assembler, dpp: Dpp, source: u16, slot: u8) {
        let indices = valid_sources(dpp);
        let rows = written(dpp);
        activity(asm);
        for strip in 0..STRIPS {
            gather(asm, &indices, source, strip);
            asm.op(STORE, &[register(CROSS + u16::from(slot), strip), ymm(3).into()]);
            asm.op(Movzx_r32_rm8, &[EAX.into(), exec(strip)]);
            asm.op(And_rm32_imm32, &[EAX.into(), Arg::Dword((rows >> (8 * strip)) as u32 & 0xff)]);
            if !dpp.bound_ctrl {
                asm.op(VEX_Vmovmskps_r32_ymm, &[Register::ECX.into(), ymm(4).into()]);
                asm.op(And_r32_rm32, &[EAX.into(), Register::ECX.into()]);
            }
            let to = offset_of!(Context, enabled) + 8 * usize::from(slot) + usize::from(strip);
            asm.op(Mov_rm8_r8, &[context(to).into(), Register::AL.into()]);
        }
    }
}
