//! Exchange between lanes of the whole wave: code outside of regions, on the four strips at once.

use std::mem::offset_of;

use iced_x86::{Code, MemoryOperand, Register};
use vega_isa::micro::{Cross, Un};
use vega_isa::{Dpp, Inst, Micro, sgpr};

use super::assembler::{Arg, Assembler, Masking, at};
use super::avx2::Eight;
use super::context::Context;
use super::form::{CROSS, written};
use super::layout::{CONTEXT, SCALAR_BIAS, SCALARS, WAVE, context, scalar, zmm};
use super::math::where_;
use super::scalar::fetchable;
use super::scalar_fields::fetch;
use super::set::{ScalarSet, VectorSet};
use super::strip::{LOAD, MOVE, STORE};
use super::target::Target;
use crate::interp::planned::dpp_source;
use crate::interp::record::{Record, code};
use crate::interp::wave::{Wave, extra};
use Code::*;

const K1: Register = Register::K1;
const K2: Register = Register::K2;
const K3: Register = Register::K3;
/// The strips of the data.
const DATA: [u8; 4] = [0, 1, 2, 3];
/// The strips of the result.
const RESULT: u8 = 20;

/// An instruction that exchanges lanes.
#[derive(Clone, Copy)]
pub(super) struct Whole {
    kind: Kind,
    record: Record,
    /// Vector registers that it reads.
    pub reads: VectorSet,
    /// Vector registers that it writes.
    pub writes: VectorSet,
    /// Scalar registers that it reads, EXEC apart.
    pub scalars: ScalarSet,
}

#[derive(Clone, Copy)]
enum Kind {
    Cross(Cross),
    Swap,
}

/// Where lanes come from.
pub(super) enum Indices {
    /// A lane for each lane, of those that are valid.
    Table([u8; 64], u64),
    /// Addresses in a register, plus an offset.
    Register(u16, u32),
}

/// How a target exchanges lanes. Results wait until they are stored.
pub(super) trait Exchange {
    /// The result is the data of other lanes, 0 from inactive ones.
    fn pull(asm: &mut Assembler, indices: &Indices, data: u16);
    /// The result is what the active lanes push, 0 where none does.
    fn push(asm: &mut Assembler, addresses: u16, offset: u32, data: u16);
    /// The result goes to the active lanes of a register.
    fn store(asm: &mut Assembler, number: u16);
    /// Active lanes of two registers change places.
    fn swap(asm: &mut Assembler, a: u16, b: u16);
    /// Puts a permuted source into a register that only compiled code knows, and the lanes that write into the context.
    fn permute(asm: &mut Assembler, dpp: Dpp, source: u16, slot: u8);
}

impl Whole {
    /// The instruction, if it is one.
    pub fn new(inst: &Inst, record: &Record) -> Option<Self> {
        let kind = match inst.row.micro {
            Micro::Cross(cross @ (Cross::Swizzle | Cross::Permute | Cross::Bpermute | Cross::WriteLane)) => {
                Kind::Cross(cross)
            }
            Micro::Lane1(Un::Swap, _) => Kind::Swap,
            _ => return None,
        };
        let mut this = Self {
            kind,
            record: *record,
            reads: VectorSet::default(),
            writes: VectorSet::default(),
            scalars: ScalarSet::default(),
        };
        let vector = |n: usize| record.src[n].checked_sub(code::VGPR).filter(|v| *v < 256);
        match kind {
            Kind::Cross(Cross::WriteLane) => {
                if !fetchable(record, 0) || !fetchable(record, 1) {
                    return None;
                }
                for n in record.src.iter().take(2) {
                    match *n {
                        extra::VCCZ => this.scalars.add(sgpr::VCC_LO.into(), 2),
                        extra::EXECZ => this.scalars.add(sgpr::EXEC_LO.into(), 2),
                        n if n < 128 => this.scalars.add(n, 1),
                        _ => {}
                    }
                }
            }
            Kind::Swap => {
                this.reads.add(record.dst, 1);
                this.reads.add(vector(0)?, 1);
                this.writes.add(vector(0)?, 1);
            }
            Kind::Cross(cross) => {
                this.reads.add(vector(0)?, 1);
                if cross != Cross::Swizzle {
                    this.reads.add(Some(record.sdst).filter(|v| *v < 256)?, 1);
                }
            }
        }
        this.writes.add(record.dst, 1);
        Some(this)
    }

    /// Emits the instruction.
    pub fn emit(&self, asm: &mut Assembler, target: Target) {
        match target {
            Target::Avx2 => self.exchange::<Eight>(asm),
            Target::Avx512 => self.exchange::<Sixteen>(asm),
        }
    }

    fn exchange<E: Exchange>(&self, asm: &mut Assembler) {
        let record = &self.record;
        let source = record.src[0].wrapping_sub(code::VGPR);
        match self.kind {
            Kind::Cross(Cross::Swizzle) => E::pull(asm, &swizzled(record.imm as usize), source),
            Kind::Cross(Cross::Bpermute) => {
                E::pull(asm, &Indices::Register(source, record.imm as u32), record.sdst);
            }
            Kind::Cross(Cross::Permute) => E::push(asm, source, record.imm as u32, record.sdst),
            Kind::Swap => return E::swap(asm, record.dst, source),
            Kind::Cross(_) => {
                fetch(asm, record, 0, false, Register::EAX, Register::RAX);
                fetch(asm, record, 1, false, Register::ECX, Register::RCX);
                asm.op(And_rm32_imm8, &[Register::ECX.into(), 63u8.into()]);
                let place = offset_of!(Wave, v) as i64 + i64::from(record.dst) * 256;
                let to = MemoryOperand::with_base_index_scale_displ_size(WAVE, Register::RCX, 4, place, 1);
                return asm.op(Mov_rm32_r32, &[to.into(), Register::EAX.into()]);
            }
        }
        E::store(asm, record.dst);
    }
}

/// A strip of a vector register.
fn register(number: u16, strip: u8) -> MemoryOperand {
    at(WAVE, offset_of!(Wave, v) as i32 + i32::from(number) * 256 + i32::from(strip) * 64)
}

/// A strip of EXEC.
fn exec(strip: u8) -> MemoryOperand {
    at(SCALARS, i32::from(sgpr::EXEC_LO) * 4 - SCALAR_BIAS + i32::from(strip) * 2)
}

/// Where `ds_swizzle` takes lanes from (Vega ISA, "DS_SWIZZLE_B32").
fn swizzled(pattern: usize) -> Indices {
    let from = |lane: usize| {
        if pattern & 0x8000 != 0 {
            return lane & !3 | pattern >> (2 * (lane & 3)) & 3;
        }
        let (and, or, xor) = (pattern & 31, pattern >> 5 & 31, pattern >> 10 & 31);
        lane & 32 | ((lane & 31 & and) | or) ^ xor
    };
    Indices::Table(std::array::from_fn(|lane| from(lane) as u8), u64::MAX)
}

/// Whether DPP takes lanes from other strips.
pub(super) fn crosses_rows(dpp: Dpp) -> bool {
    (0..64).any(|lane| dpp_source(dpp.ctrl, lane).is_some_and(|from| from / 16 != lane / 16))
}

/// Puts a permuted source in front of a region.
pub(super) fn permute(asm: &mut Assembler, target: Target, dpp: Dpp, source: u16, slot: u8) {
    match target {
        Target::Avx2 => Eight::permute(asm, dpp, source, slot),
        Target::Avx512 => Sixteen::permute(asm, dpp, source, slot),
    }
}

/// Where DPP takes lanes from.
pub(super) fn valid_sources(dpp: Dpp) -> Indices {
    let mut valid = 0;
    let from = std::array::from_fn(|lane| {
        let from = dpp_source(dpp.ctrl, lane);
        valid |= u64::from(from.is_some()) << lane;
        from.unwrap_or(0) as u8
    });
    Indices::Table(from, valid)
}

fn constant_mask(asm: &mut Assembler, to: Register, bits: u16) {
    asm.op(Mov_r32_imm32, &[Register::EAX.into(), Arg::Dword(bits.into())]);
    asm.op(VEX_Kmovw_kr_r32, &[to.into(), Register::EAX.into()]);
}

/// The data's strips, and both halves of EXEC in every lane of zmm4 and zmm5.
fn load(asm: &mut Assembler, data: u16) {
    for strip in DATA {
        asm.op(LOAD, &[zmm(strip).into(), register(data, strip).into()]);
    }
    for half in 0..2 {
        let from = scalar(u16::from(sgpr::EXEC_LO) + half);
        asm.op(EVEX_Vpbroadcastd_zmm_k1z_xmmm32, &[zmm(4 + half as u8).into(), from.into()]);
    }
}

/// One strip of the result, and in K3 which of its lanes have a source that is there and active.
fn strip_from(asm: &mut Assembler, indices: &Indices, strip: u8) {
    let (index, low, high, r) = (zmm(6), zmm(7), zmm(8), zmm(RESULT + strip));
    let with = |asm: &mut Assembler, code: Code, to: Register, from: Register, value: u32| {
        asm.op_table(code, &[to.into(), from.into()], [value; 16], Masking::default());
    };
    let mut valid = u16::MAX;
    match indices {
        Indices::Table(from, lanes) => {
            let table = std::array::from_fn(|n| u32::from(from[16 * usize::from(strip) + n]));
            asm.op_table(LOAD, &[index.into()], table, Masking::default());
            valid = (lanes >> (16 * strip)) as u16;
        }
        Indices::Register(number, offset) => lane_numbers(asm, index, *number, *offset, strip),
    }
    // K2: lanes of the upper half.
    asm.broadcast(low, 32);
    asm.op(EVEX_Vptestmd_kr_k1_zmm_zmmm512b32, &[K2.into(), index.into(), low.into()]);
    let permute = EVEX_Vpermi2d_zmm_k1z_zmm_zmmm512b32;
    asm.op(MOVE, &[low.into(), index.into()]);
    asm.op(permute, &[low.into(), zmm(0).into(), zmm(1).into()]);
    asm.op(MOVE, &[high.into(), index.into()]);
    asm.op(permute, &[high.into(), zmm(2).into(), zmm(3).into()]);
    asm.with(MOVE, &[low.into(), high.into()], where_(K2));
    // The source's bit of EXEC.
    with(asm, EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32, index, index, 31);
    asm.op(MOVE, &[high.into(), zmm(4).into()]);
    asm.with(MOVE, &[high.into(), zmm(5).into()], where_(K2));
    asm.op(EVEX_Vpsrlvd_zmm_k1z_zmm_zmmm512b32, &[high.into(), high.into(), index.into()]);
    asm.broadcast(index, 1);
    asm.op(EVEX_Vptestmd_kr_k1_zmm_zmmm512b32, &[K3.into(), high.into(), index.into()]);
    if valid != u16::MAX {
        constant_mask(asm, K2, valid);
        asm.op(VEX_Kandw_kr_kr_kr, &[K3.into(), K3.into(), K2.into()]);
    }
    asm.with(MOVE, &[r.into(), low.into()], Masking { by: Some(K3), zero: true, quiet: false });
}

/// The lanes that addresses name.
fn lane_numbers(asm: &mut Assembler, to: Register, addresses: u16, offset: u32, strip: u8) {
    asm.op(LOAD, &[to.into(), register(addresses, strip).into()]);
    if offset != 0 {
        let code = EVEX_Vpaddd_zmm_k1z_zmm_zmmm512b32;
        asm.op_table(code, &[to.into(), to.into()], [offset; 16], Masking::default());
    }
    asm.op(EVEX_Vpsrld_zmm_k1z_zmmm512b32_imm8, &[to.into(), to.into(), 2u8.into()]);
    let code = EVEX_Vpandd_zmm_k1z_zmm_zmmm512b32;
    asm.op_table(code, &[to.into(), to.into()], [63; 16], Masking::default());
}

/// The wave as four strips of sixteen lanes.
struct Sixteen;

impl Exchange for Sixteen {
    fn pull(asm: &mut Assembler, indices: &Indices, data: u16) {
        load(asm, data);
        for strip in 0..4 {
            strip_from(asm, indices, strip);
        }
    }

    /// A scatter writes elements in order, so that the highest lane wins.
    fn push(asm: &mut Assembler, addresses: u16, offset: u32, data: u16) {
        let room = offset_of!(Context, spilled);
        asm.broadcast(zmm(0), 0);
        for strip in DATA {
            asm.op(STORE, &[context(room + 64 * usize::from(strip)).into(), zmm(0).into()]);
        }
        for strip in 0..4 {
            lane_numbers(asm, zmm(1), addresses, offset, strip);
            asm.op(LOAD, &[zmm(2).into(), register(data, strip).into()]);
            asm.op(VEX_Kmovw_kr_km16, &[K1.into(), exec(strip).into()]);
            let to = MemoryOperand::with_base_index_scale_displ_size(CONTEXT, zmm(1), 4, room as i64, 1);
            asm.with(EVEX_Vpscatterdd_vm32z_k1_zmm, &[to.into(), zmm(2).into()], where_(K1));
        }
        for strip in 0..4 {
            asm.op(LOAD, &[zmm(RESULT + strip).into(), context(room + 64 * usize::from(strip)).into()]);
        }
    }

    fn store(asm: &mut Assembler, number: u16) {
        for strip in 0..4 {
            let place = register(number, strip);
            asm.op(LOAD, &[zmm(6).into(), place.into()]);
            asm.op(VEX_Kmovw_kr_km16, &[K1.into(), exec(strip).into()]);
            asm.with(MOVE, &[zmm(6).into(), zmm(RESULT + strip).into()], where_(K1));
            asm.op(STORE, &[place.into(), zmm(6).into()]);
        }
    }

    fn swap(asm: &mut Assembler, a: u16, b: u16) {
        for strip in 0..4 {
            let (a, b) = (register(a, strip), register(b, strip));
            asm.op(LOAD, &[zmm(0).into(), a.into()]);
            asm.op(LOAD, &[zmm(1).into(), b.into()]);
            asm.op(VEX_Kmovw_kr_km16, &[K1.into(), exec(strip).into()]);
            for (from, old, to) in [(1, 0, a), (0, 1, b)] {
                let args: [Arg; 3] = [zmm(2).into(), zmm(old).into(), zmm(from).into()];
                asm.with(EVEX_Vpblendmd_zmm_k1z_zmm_zmmm512b32, &args, where_(K1));
                asm.op(STORE, &[to.into(), zmm(2).into()]);
            }
        }
    }

    fn permute(asm: &mut Assembler, dpp: Dpp, source: u16, slot: u8) {
        let indices = valid_sources(dpp);
        let rows = written(dpp);
        load(asm, source);
        for strip in 0..4 {
            strip_from(asm, &indices, strip);
            asm.op(STORE, &[register(CROSS + u16::from(slot), strip).into(), zmm(RESULT + strip).into()]);
            // K3 has the lanes that were supplied.
            let row = (rows >> (16 * strip)) as u16;
            constant_mask(asm, K2, row);
            asm.op(VEX_Kmovw_kr_km16, &[K1.into(), exec(strip).into()]);
            asm.op(VEX_Kandw_kr_kr_kr, &[K1.into(), K1.into(), K2.into()]);
            if !dpp.bound_ctrl {
                asm.op(VEX_Kandw_kr_kr_kr, &[K1.into(), K1.into(), K3.into()]);
            }
            let place = offset_of!(Context, enabled) + 8 * usize::from(slot) + 2 * usize::from(strip);
            asm.op(VEX_Kmovw_m16_kr, &[context(place).into(), K1.into()]);
        }
    }
}
