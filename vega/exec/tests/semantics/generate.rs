//! Random instructions from the table, and random states for them to run in.
//!
//! Some registers have a fixed part, so that every memory access lies in the model's memory: v0 and v1 are small multiples
//! of 16, v\[2:3\] an address of global memory, v\[4:5\] one of any aperture, s\[8:9\] the memory's address, s10 and s11 small
//! offsets, s\[4:7\] and s\[12:15\] buffer descriptors. Generated instructions write none of them.

use vega_isa::{
    Dpp, DppCtrl, Encoding, Field, Flags, Form, InlineFloat, Inst, Kind, Legal, Modifiers, Operand, Role,
    Row, Sdwa, Sel, Slot, Special, Ty, Unused, encode, sgpr,
};

use crate::common::Random;
use crate::harness::{LDS, VGPRS};
use crate::model::{MEMORY, MEMORY_BYTES, Wave};

/// The first vector and scalar registers that instructions may write.
const FIRST_VGPR: u64 = 6;
const FIRST_SGPR: u64 = 16;

/// Bit patterns that are special in some format: f16 pairs, f32, halves of f64, integers.
const EDGES: [u32; 36] = [
    0,
    1,
    2,
    31,
    32,
    63,
    0x7f,
    0xff,
    0x8000,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x3f80_0000,
    0xbf80_0000,
    0x7f80_0000,
    0xff80_0000,
    0x7fc0_1234,
    0x7f80_0001,
    0xffa0_0001,
    0x0080_0000,
    0x807f_ffff,
    0x7f7f_ffff,
    0x4f00_0000,
    0xcf00_0001,
    0x3c00_bc00,
    0x7c00_fc00,
    0x7e01_7d01,
    0x0400_83ff,
    0x3ff0_0000,
    0x7ff0_0000,
    0xfff8_0000,
    0x7ff4_0001,
    0x000f_ffff,
    0x0010_0000,
    0x0010_0010,
];

pub fn value(random: &mut Random) -> u32 {
    match random.next() % 8 {
        0..=2 => EDGES[random.next() as usize % EDGES.len()],
        // A float of moderate size.
        3 | 4 => (random.word() & 0x807f_ffff) | (0x70 + random.word() % 32) << 23,
        5 => random.word() % 70,
        _ => random.word(),
    }
}

fn below(random: &mut Random, n: u64) -> u64 {
    random.next() % n
}

/// Registers with random and edge values, and memory if it is wanted.
pub fn state(random: &mut Random, mode: u32, memory_too: bool) -> Wave {
    let mut wave = Wave {
        v: (0..VGPRS).map(|_| [0; 64].map(|_: u32| value(random))).collect(),
        s: [0; 128],
        scc: random.next().is_multiple_of(2),
        mode,
        indexing: false,
        lds: Vec::new(),
        memory: Vec::new(),
    };
    // Values that meet: equal sources, and each other's neighbours.
    for n in FIRST_VGPR as usize..VGPRS {
        for lane in 0..64 {
            if random.next().is_multiple_of(8) {
                let other =
                    wave.v[FIRST_VGPR as usize + below(random, VGPRS as u64 - FIRST_VGPR) as usize][lane];
                wave.v[n][lane] = other.wrapping_add((random.next() % 3) as u32).wrapping_sub(1);
            }
        }
    }
    // The same for pairs, and for scalars.
    for lane in 0..64 {
        let pair = |random: &mut Random| (FIRST_VGPR + 2 * below(random, 13)) as u8;
        let (from, to) = (pair(random), pair(random));
        let value = wave.vgprs(from, 2, lane);
        wave.set_vgprs(to, 2, lane, value);
    }
    wave.s[..92].iter_mut().for_each(|s| *s = value(random));
    for n in 16..90 {
        if random.next().is_multiple_of(4) {
            wave.s[n] = wave.s[16 + below(random, 74) as usize].wrapping_add((random.next() % 2) as u32);
        }
    }
    wave.set_pair(sgpr::VCC_LO, random.next());
    wave.s[usize::from(sgpr::M0)] = (below(random, 4) << 2) as u32;
    let exec = match random.next() % 16 {
        0..=5 => u64::MAX,
        6 => 0,
        7 => 1 << below(random, 64),
        8 => random.next() & random.next() & random.next(),
        _ => random.next(),
    };
    wave.set_pair(sgpr::EXEC_LO, exec);
    let memory = MEMORY + 0x1000;
    for lane in 0..64 {
        wave.v[0][lane] = 16 * below(random, 64) as u32;
        wave.v[1][lane] = 16 * below(random, 64) as u32;
        let at = memory + 16 * below(random, 256);
        wave.set_vgprs(2, 2, lane, at.into());
        let (shared, private) = ((1 << 48) + 16 * below(random, 64), (2 << 48) + 16 * below(random, 64));
        let any = [at, shared, private][below(random, 3) as usize];
        wave.set_vgprs(4, 2, lane, any.into());
    }
    wave.set_pair(sgpr::FLAT_SCR_LO, MEMORY + 0x4000);
    wave.set_pair(8, memory);
    wave.s[10] = 16 * below(random, 8) as u32;
    wave.s[11] = 16 * below(random, 4) as u32;
    for (first, swizzled) in [(4, false), (12, true)] {
        let words = descriptor(random, memory, swizzled);
        wave.s[first..first + 4].copy_from_slice(&words);
    }
    if !memory_too {
        return wave;
    }
    // Some of it equals register pairs, for comparisons.
    wave.lds = (0..LDS / 8)
        .flat_map(|_| {
            let pair = u64::from(value(random)) | u64::from(value(random)) << 32;
            let register = (FIRST_VGPR + 2 * below(random, 13)) as u8;
            let same = wave.vgprs(register, 2, below(random, 64) as usize) as u64;
            if random.next().is_multiple_of(4) { same } else { pair }.to_le_bytes()
        })
        .collect();
    wave.memory = (0..MEMORY_BYTES / 4).flat_map(|_| random.word().to_le_bytes()).collect();
    wave
}

/// A buffer descriptor: raw or of elements, swizzled if it may be, of a size that some accesses miss.
fn descriptor(random: &mut Random, base: u64, swizzled: bool) -> [u32; 4] {
    let raw = random.next().is_multiple_of(2);
    let swizzle = swizzled && !raw && random.next().is_multiple_of(2);
    let stride: u32 = if raw { 0 } else { 16 };
    let records = match (raw, random.next() % 2) {
        (true, 0) => 0x400,
        (true, _) => 0x1_0000,
        (false, 0) => 512,
        (false, _) => 0x1_0000,
    };
    let add_tid = !raw && random.next().is_multiple_of(4);
    let word1 = (base >> 32) as u32 & 0xffff | stride << 16 | u32::from(swizzle) << 31;
    // dst_sel xyzw, data format 32, index stride 8 to 64.
    let format = if add_tid { 0 } else { 4 << 15 };
    let word3 = 0xfac | format | (random.word() & 3) << 21 | u32::from(add_tid) << 23;
    [base as u32, word1, records, word3]
}

/// The classes of operands that a slot can hold, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Operands {
    Absent,
    Vgpr,
    Sgpr,
    Vcc,
    M0,
    Exec,
    Integer,
    Float,
    Literal,
    Special,
    Immediate,
}

impl Operands {
    pub fn of(operand: Operand) -> Self {
        match operand {
            Operand::None => Self::Absent,
            Operand::Vgpr(_) => Self::Vgpr,
            Operand::Sgpr(sgpr::VCC_LO | sgpr::VCC_HI) => Self::Vcc,
            Operand::Sgpr(sgpr::M0) => Self::M0,
            Operand::Sgpr(sgpr::EXEC_LO | sgpr::EXEC_HI) => Self::Exec,
            Operand::Sgpr(_) => Self::Sgpr,
            Operand::InlineInt(_) => Self::Integer,
            Operand::InlineFloat(_) => Self::Float,
            Operand::Literal(_) => Self::Literal,
            Operand::Special(_) => Self::Special,
            Operand::Imm(_) => Self::Immediate,
        }
    }
}

/// A random instruction of a row in a form; `None` where a choice cannot be encoded.
pub fn instance(row: &'static Row, form: Form, random: &mut Random) -> Option<Inst> {
    let mut inst = Inst {
        row,
        form,
        size_bytes: 0,
        slots: [Operand::None; vega_isa::inst::MAX_OPERANDS],
        modifiers: Modifiers::default(),
    };
    inst.modifiers = modifiers(row, form, random);
    // One scalar register, or one literal, among the vector sources: the card has one constant bus.
    let mut bus = true;
    for (n, slot) in row.operands.iter().enumerate() {
        inst.slots[n] = operand(&inst, slot, &mut bus, random);
    }
    let words = encode(&inst)?;
    let decoded = vega_isa::decode(words.as_slice()).ok()?;
    (std::ptr::eq(decoded.row, row) && decoded.form == form).then_some(decoded)
}

fn vgpr(random: &mut Random, dwords: u8, first: u64) -> Operand {
    Operand::Vgpr((first + below(random, VGPRS as u64 - first - u64::from(dwords.max(1)) + 1)) as u8)
}

fn sgpr(random: &mut Random, dwords: u8, first: u64) -> Operand {
    let align = u64::from(dwords.clamp(1, 4).next_power_of_two());
    let places = (88 - first - u64::from(dwords)) / align;
    Operand::Sgpr((first + align * below(random, places)) as u8)
}

fn operand(inst: &Inst, slot: &Slot, bus: &mut bool, random: &mut Random) -> Operand {
    let (row, form) = (inst.row, inst.form);
    let dwords = slot.dwords.max(slot.ty.dwords());
    let short = form != Form::E64 && !(form == Form::Sdwa && row.encoding == Encoding::Vopc);
    let memory = matches!(
        row.encoding,
        Encoding::Ds
            | Encoding::Flat
            | Encoding::Global
            | Encoding::Scratch
            | Encoding::Mubuf
            | Encoding::Smem
    );
    match slot.kind {
        Kind::LaneMask if short => Operand::Sgpr(sgpr::VCC_LO),
        Kind::LaneMask if random.next().is_multiple_of(3) => Operand::Sgpr(sgpr::VCC_LO),
        Kind::LaneMask => sgpr(random, 2, FIRST_SGPR),
        Kind::Vgpr | Kind::VectorOnly | Kind::Vector if memory => memory_vgpr(inst, slot, random),
        Kind::Vgpr => vgpr(random, dwords, if slot.role == Role::Src { 0 } else { FIRST_VGPR }),
        Kind::Sgpr | Kind::Scalar if memory => memory_sgpr(inst, slot, random),
        // Room for M0's index.
        _ if row.mnemonic.starts_with("s_movrel") => {
            let align = u64::from(dwords);
            Operand::Sgpr((FIRST_SGPR + align * below(random, 50 / align)) as u8)
        }
        Kind::Sgpr if slot.role == Role::Src && row.encoding != Encoding::Sopk => sgpr(random, dwords, 0),
        Kind::Sgpr if slot.role == Role::Src => sgpr(random, dwords, FIRST_SGPR),
        // Few rows read what they write: they name special registers more often.
        Kind::Sgpr => match random.next() % (if slot.role == Role::Both { 4 } else { 16 }) {
            0 => Operand::Sgpr(sgpr::VCC_LO),
            1 if dwords == 1 => Operand::Sgpr(sgpr::M0),
            2 if row.encoding != Encoding::Sopk && !row.mnemonic.contains("exec") => {
                Operand::Sgpr(sgpr::EXEC_LO)
            }
            _ => sgpr(random, dwords, FIRST_SGPR),
        },
        Kind::Scalar | Kind::LaneSelect => scalar(inst, slot, random),
        Kind::Vector | Kind::VectorOnly => vector(inst, slot, bus, random),
        Kind::Literal => Operand::Literal(value(random)),
        Kind::Simm16 | Kind::Branch => Operand::Imm(i32::from(value(random) as i16)),
        Kind::Uimm16 => Operand::Imm((value(random) & 0xffff) as i32),
        Kind::Waitcnt => Operand::Imm(0xc07f),
        Kind::GprIdxMode => Operand::Imm(below(random, 16) as i32),
        // A field of MODE.
        Kind::HwReg => {
            let offset = below(random, 10);
            let bits = 1 + below(random, 10 - offset);
            Operand::Imm((1 | offset << 6 | (bits - 1) << 11) as i32)
        }
        _ => Operand::Imm(0),
    }
}

fn constant(random: &mut Random) -> Operand {
    match random.next() % 2 {
        0 => Operand::InlineInt([0, 1, 2, 15, 31, 32, 63, 64, -1, -2, -16][below(random, 11) as usize]),
        _ => Operand::InlineFloat(InlineFloat::ALL[below(random, 9) as usize]),
    }
}

fn scalar(inst: &Inst, slot: &Slot, random: &mut Random) -> Operand {
    let dwords = slot.dwords;
    let literals =
        inst.form == Form::Native && slot.kind == Kind::Scalar && inst.row.encoding != Encoding::Sopk;
    let taken = inst.slots.iter().any(|o| matches!(o, Operand::Literal(_)));
    match random.next() % 16 {
        0..=2 => constant(random),
        3 | 4 if literals && !taken => Operand::Literal(value(random)),
        5 => Operand::Sgpr(sgpr::VCC_LO),
        6 if dwords == 1 => Operand::Sgpr(sgpr::M0),
        7 => Operand::Sgpr(sgpr::EXEC_LO),
        8 if slot.kind == Kind::Scalar => {
            Operand::Special([Special::Vccz, Special::Execz, Special::Scc][below(random, 3) as usize])
        }
        _ => sgpr(random, dwords, 0),
    }
}

fn vector(inst: &Inst, slot: &Slot, bus: &mut bool, random: &mut Random) -> Operand {
    let (row, form) = (inst.row, inst.form);
    let only_vgpr = form == Form::Dpp
        || slot.field == Field::Src1 && form == Form::Native && row.encoding != Encoding::Vop3p
        || slot.kind == Kind::VectorOnly && slot.dwords > 1;
    let register = vgpr(random, slot.dwords, 0);
    if only_vgpr || row.mnemonic == "v_writelane_b32" && slot.field != Field::Src0 {
        return register;
    }
    // v_writelane takes its value and lane from scalars.
    let scalar_value = row.mnemonic == "v_writelane_b32";
    let constants = slot.kind == Kind::Vector && form != Form::Sdwa;
    let literals = form == Form::Native
        && row.encoding != Encoding::Vop3p
        && constants
        && *bus
        && !row.operands.iter().any(|s| s.kind == Kind::Literal);
    let operand = match random.next() % 16 {
        0 | 1 if constants => constant(random),
        2 if literals => Operand::Literal(value(random)),
        3..=5 if *bus => sgpr(random, slot.dwords, 0),
        6 if *bus => Operand::Sgpr(sgpr::VCC_LO),
        7 if *bus && slot.dwords == 1 => Operand::Sgpr(sgpr::M0),
        8 if *bus => Operand::Sgpr(sgpr::EXEC_LO),
        9 if *bus && constants && slot.dwords == 1 => {
            Operand::Special([Special::Vccz, Special::Execz, Special::Scc][below(random, 3) as usize])
        }
        _ if scalar_value => sgpr(random, 1, 0),
        _ => register,
    };
    *bus &= !matches!(operand, Operand::Sgpr(_) | Operand::Literal(_) | Operand::Special(_));
    operand
}

fn memory_vgpr(inst: &Inst, slot: &Slot, random: &mut Random) -> Operand {
    let flags = inst.modifiers.flags;
    let dwords = slot.dwords.max(slot.ty.dwords());
    match (inst.row.encoding, slot.field) {
        // Data that ds_swizzle and the lane numbers of ds_permute take may be anything.
        (Encoding::Ds, Field::Addr)
            if inst.row.mnemonic.contains("swizzle") || inst.row.mnemonic.contains("permute") =>
        {
            vgpr(random, 1, 0)
        }
        (Encoding::Ds, Field::Addr) => Operand::Vgpr(below(random, 2) as u8),
        (Encoding::Mubuf, Field::Addr) => match flags.has(Flags::IDXEN) | flags.has(Flags::OFFEN) {
            true => Operand::Vgpr(0),
            false => Operand::None,
        },
        // Two dwords of a lane's private memory are no neighbours: x2 atomics stay in global memory.
        (Encoding::Flat, Field::Addr) if inst.row.mnemonic.ends_with("_x2") => Operand::Vgpr(2),
        (Encoding::Flat, Field::Addr) => Operand::Vgpr(4),
        (Encoding::Global, Field::Addr) => Operand::Vgpr(if inst.modifiers.slc() { 0 } else { 2 }),
        (Encoding::Scratch, Field::Addr) if inst.modifiers.slc() => Operand::None,
        (Encoding::Scratch, Field::Addr) => Operand::Vgpr(0),
        (_, Field::Dst) if slot.role == Role::DstIfGlc && !flags.has(Flags::GLC) => Operand::None,
        _ => vgpr(random, dwords, if slot.role == Role::Src { 0 } else { FIRST_VGPR }),
    }
}

/// The generator's own use of a bit that changes no result: whether the address has a scalar part.
trait ScalarAddress {
    fn slc(&self) -> bool;
}

impl ScalarAddress for Modifiers {
    fn slc(&self) -> bool {
        self.flags.has(Flags::SLC)
    }
}

fn memory_sgpr(inst: &Inst, slot: &Slot, random: &mut Random) -> Operand {
    let scalar_address = inst.modifiers.slc();
    match (inst.row.encoding, slot.field) {
        (Encoding::Global, Field::SAddr) if scalar_address => Operand::Sgpr(8),
        (Encoding::Scratch, Field::SAddr) if scalar_address => Operand::Sgpr(11),
        (_, Field::SAddr) => Operand::None,
        // The dwords of a swizzled element are no neighbours: no 64-bit atomic there.
        (_, Field::Rsrc) if inst.row.mnemonic.ends_with("_x2") => Operand::Sgpr(4),
        (_, Field::Rsrc) => Operand::Sgpr(12),
        (Encoding::Smem, Field::SBase) => Operand::Sgpr(if slot.dwords == 4 { 12 } else { 8 }),
        (Encoding::Smem, Field::SOffset) => [Operand::None, Operand::Sgpr(10)][below(random, 2) as usize],
        (_, Field::SOffset) => match random.next() % 4 {
            0 => Operand::InlineInt(16 * below(random, 4) as i8),
            1 => Operand::InlineInt(0),
            _ => Operand::Sgpr(10),
        },
        _ => sgpr(random, slot.dwords, FIRST_SGPR),
    }
}

fn modifiers(row: &Row, form: Form, random: &mut Random) -> Modifiers {
    let mut m = Modifiers::default();
    let legal = |flag: Legal| row.legal.has(flag);
    let sources = row.operands.iter().filter(|s| s.role == Role::Src && s.kind != Kind::LaneMask).count();
    let all = (1u8 << sources) - 1;
    let packed = row.encoding == Encoding::Vop3p;
    let memory =
        !packed && !matches!(row.encoding, Encoding::Vop1 | Encoding::Vop2 | Encoding::Vop3 | Encoding::Vopc);
    if packed {
        m.op_sel_hi = all;
    }
    // A third of the instructions is plain.
    let bits = if random.next().is_multiple_of(3) { 0 } else { random.next() };
    if memory {
        memory_modifiers(row, &mut m, random);
        return m;
    }
    if bits != 0 && (packed || form != Form::Native) {
        let signed = if matches!(form, Form::Sdwa | Form::Dpp) { all & 3 } else { all };
        if legal(Legal::NEG) {
            m.neg = bits as u8 & signed;
        }
        if legal(Legal::ABS) || legal(Legal::NEG_HI) {
            m.abs = (bits >> 8) as u8 & signed;
        }
        m.clamp = legal(Legal::CLAMP) && form != Form::Dpp && bits >> 16 & 3 == 3;
        if legal(Legal::OMOD) && form != Form::Dpp && !packed {
            m.omod = (bits >> 18) as u8 & (bits >> 26) as u8 & 3;
        }
        if legal(Legal::OP_SEL) && (packed || form == Form::E64) {
            // The destination's bit means something where half a register is written.
            let half = row.operands[0].ty.bits() == 16 && !packed;
            m.op_sel = (bits >> 20) as u8 & (all | if half { 8 } else { 0 });
            if packed {
                m.op_sel_hi = (bits >> 24) as u8 & all;
            }
        }
    }
    if form == Form::Sdwa {
        m.sdwa = sdwa(row, sources, random);
        // A sign extension takes the negation's bit.
        m.neg &= !m.sdwa.sext;
        m.abs &= !m.sdwa.sext;
    }
    if form == Form::Dpp {
        let ctrl = match random.next() % 3 {
            0 => DppCtrl::QuadPerm(random.next() as u8),
            1 => DppCtrl::from_bits(0x101 + (random.next() % 0x2f) as u16),
            _ => DppCtrl::from_bits(
                [0x130, 0x134, 0x138, 0x13c, 0x140, 0x141, 0x142, 0x143][below(random, 8) as usize],
            ),
        };
        let ctrl = if matches!(ctrl, DppCtrl::Reserved(_)) { DppCtrl::RowMirror } else { ctrl };
        let mask =
            |random: &mut Random| if random.next().is_multiple_of(2) { 15 } else { random.next() as u8 & 15 };
        m.dpp = Dpp {
            ctrl,
            row_mask: mask(random),
            bank_mask: mask(random),
            bound_ctrl: random.next().is_multiple_of(2),
        };
    }
    m
}

fn sdwa(row: &Row, sources: usize, random: &mut Random) -> Sdwa {
    const SELS: [Sel; 7] =
        [Sel::Byte0, Sel::Byte1, Sel::Byte2, Sel::Byte3, Sel::Word0, Sel::Word1, Sel::Dword];
    let mut sel = || SELS[below(random, 7) as usize];
    let (dst, src0, src1) = (sel(), sel(), sel());
    let compare = row.encoding == Encoding::Vopc;
    let integers = row
        .operands
        .iter()
        .filter(|s| s.role == Role::Src && s.kind != Kind::LaneMask)
        .enumerate()
        .filter(|(_, s)| !s.ty.is_float())
        .fold(0u8, |mask, (n, _)| mask | 1 << n);
    Sdwa {
        dst: if compare { Sel::Dword } else { dst },
        unused: if compare {
            Unused::Pad
        } else {
            [Unused::Pad, Unused::Sext, Unused::Preserve][below(random, 3) as usize]
        },
        src0,
        src1: if sources > 1 { src1 } else { Sel::Dword },
        sext: if row.legal.has(Legal::SEXT) { random.next() as u8 & 3 & integers } else { 0 },
    }
}

fn memory_modifiers(row: &Row, m: &mut Modifiers, random: &mut Random) {
    let atomic = row.mnemonic.contains("atomic");
    let step = if atomic || row.encoding == Encoding::Smem { 8 } else { 1 };
    let mut small = || (step * below(random, 64 / step)) as i32;
    let offset = small();
    let flag = |m: &mut Modifiers, flag: Flags| m.flags = m.flags.with(flag);
    if row.legal.has(Legal::OFFSET2) {
        (m.offset0, m.offset1) = (random.next() as u8 & 31, random.next() as u8 & 31);
        m.offset = i32::from(m.offset0) | i32::from(m.offset1) << 8;
    } else if row.mnemonic == "ds_swizzle_b32" || row.mnemonic.contains("_src2_") {
        m.offset = (random.next() & 0xffff) as i32;
    } else if row.encoding == Encoding::Ds && row.legal.has(Legal::OFFSET) {
        // Some reach beyond the end.
        m.offset = 16 * below(random, 256) as i32;
    } else if row.legal.has(Legal::OFFSET) {
        m.offset = offset;
        let signed = matches!(row.encoding, Encoding::Global | Encoding::Smem);
        if signed && !row.mnemonic.starts_with("s_buffer") && random.next().is_multiple_of(2) {
            m.offset = -m.offset;
        }
        // Pieces of elements that cross swizzled elements are not what anybody does.
        if matches!(row.encoding, Encoding::Mubuf | Encoding::Scratch | Encoding::Flat) {
            m.offset &= !15;
        }
    }
    if row.legal.has(Legal::GLC) && random.next().is_multiple_of(2) {
        flag(m, Flags::GLC);
    }
    if row.legal.has(Legal::SLC) && random.next().is_multiple_of(2) {
        flag(m, Flags::SLC);
    }
    if row.legal.has(Legal::ADDRESSED) {
        for way in [Flags::IDXEN, Flags::OFFEN] {
            if random.next().is_multiple_of(2) {
                flag(m, way);
            }
        }
    }
}

/// Whether instructions of the row can stand anywhere in a program: they do not change the flow, and what they do does not
/// depend on the device.
pub fn is_plain(row: &Row) -> bool {
    const OTHERS: [&str; 15] = [
        "s_getpc_b64",
        "s_setpc_b64",
        "s_swappc_b64",
        "s_call_b64",
        "s_endpgm",
        "s_endpgm_saved",
        "s_endpgm_ordered_ps_done",
        "s_sendmsg",
        "s_sendmsghalt",
        "s_sethalt",
        "s_setkill",
        "s_trap",
        "s_setvskip",
        "s_memtime",
        "s_memrealtime",
    ];
    let name = row.mnemonic;
    let jumps =
        ["s_branch", "s_cbranch", "s_rfe", "s_atc", "ds_gws", "s_set_gpr_idx", "s_scratch", "s_setreg"];
    !OTHERS.contains(&name)
        && !jumps.iter().any(|p| name.starts_with(p) && !name.contains("cdbg"))
        && !matches!(row.encoding, Encoding::Exp | Encoding::Vintrp | Encoding::Mimg | Encoding::Mtbuf)
        && !name.contains("interp")
        && !name.starts_with("v_screen_partition")
        && row.operands.iter().all(|slot| slot.ty != Ty::B8)
}
