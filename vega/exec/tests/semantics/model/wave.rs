//! Registers, operands, one step.

use vega_isa::{
    Dpp, DppCtrl, Encoding, Field, Form, InlineFloat, Inst, Kind, Legal, Operand, Role, Sdwa, Sel, Slot,
    Special, Ty, Unused, sgpr,
};

use super::float::{self, Fmt, Fp};
use super::scalar::{self, Sources};
use super::vector::{self, In};
use super::{exchange, lds, memory};

/// Where the model has memory, and how much.
pub const MEMORY: u64 = crate::common::DATA + 0x8_0000;
pub const MEMORY_BYTES: usize = 0x1_8000;

/// The model does not say what an instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unknown;

/// A wave and the memory that it reaches.
#[derive(Clone, Debug, PartialEq)]
pub struct Wave {
    pub v: Vec<[u32; 64]>,
    pub s: [u32; 128],
    pub scc: bool,
    pub mode: u32,
    /// `s_set_gpr_idx` is on.
    pub indexing: bool,
    pub lds: Vec<u8>,
    pub memory: Vec<u8>,
}

impl Wave {
    pub fn pair(&self, n: u8) -> u64 {
        u64::from(self.s[usize::from(n)]) | u64::from(self.s[usize::from(n) + 1]) << 32
    }

    pub fn set_pair(&mut self, n: u8, value: u64) {
        self.s[usize::from(n)] = value as u32;
        self.s[usize::from(n) + 1] = (value >> 32) as u32;
    }

    pub fn exec(&self) -> u64 {
        self.pair(sgpr::EXEC_LO)
    }

    /// The lanes whose EXEC bit is set now.
    pub fn active_lanes(&self) -> impl Iterator<Item = usize> + use<> {
        let exec = self.exec();
        (0..64).filter(move |lane| exec >> lane & 1 == 1)
    }

    pub fn active(&self, lane: usize) -> bool {
        self.exec() >> lane & 1 == 1
    }

    /// `dwords` registers of a lane.
    pub fn vgprs(&self, first: u8, dwords: u8, lane: usize) -> u128 {
        (0..dwords).fold(0, |all, k| all | u128::from(self.v[usize::from(first + k)][lane]) << (32 * k))
    }

    pub fn set_vgprs(&mut self, first: u8, dwords: u8, lane: usize, value: u128) {
        for k in 0..dwords {
            self.v[usize::from(first + k)][lane] = (value >> (32 * k)) as u32;
        }
    }

    /// An operand that is the same for all lanes.
    pub fn scalar(&self, slot: &Slot, operand: Operand) -> Result<u128, Unknown> {
        let dwords = slot.dwords.max(slot.ty.dwords());
        let wide = dwords == 2;
        Ok(match operand {
            Operand::Sgpr(n) => {
                (0..dwords).fold(0, |all, k| all | u128::from(self.s[usize::from(n + k)]) << (32 * k))
            }
            Operand::InlineInt(n) if wide => u128::from(i64::from(n) as u64),
            Operand::InlineInt(n) => u128::from(i32::from(n) as u32),
            Operand::InlineFloat(value) => inline(value, slot.ty, wide),
            Operand::Literal(word) if slot.ty == Ty::F64 => u128::from(word) << 32,
            Operand::Literal(word) if slot.ty == Ty::I64 => u128::from(i64::from(word as i32) as u64),
            Operand::Literal(word) => word.into(),
            Operand::Imm(n) => u128::from(n as u32),
            Operand::Special(Special::Vccz) => (self.pair(sgpr::VCC_LO) == 0).into(),
            Operand::Special(Special::Execz) => (self.exec() == 0).into(),
            Operand::Special(Special::Scc) => self.scc.into(),
            _ => return Err(Unknown),
        })
    }

    /// An operand as a lane sees it.
    pub fn operand(&self, slot: &Slot, operand: Operand, lane: usize) -> Result<u128, Unknown> {
        match operand {
            Operand::Vgpr(n) => Ok(self.vgprs(n, slot.dwords.max(slot.ty.dwords()), lane)),
            other => self.scalar(slot, other),
        }
    }

    /// Executes one instruction that does not change the flow.
    pub fn step(&mut self, inst: &Inst) -> Result<(), Unknown> {
        let relative = if self.indexing { self.relative(inst)? } else { *inst };
        let name = inst.row.mnemonic;
        match inst.row.encoding {
            Encoding::Sop1 | Encoding::Sop2 | Encoding::Sopk | Encoding::Sopc | Encoding::Sopp => {
                self.scalar_step(inst)
            }
            Encoding::Vop3p => self.packed_step(&relative),
            Encoding::Ds => lds::step(self, inst),
            Encoding::Smem | Encoding::Flat | Encoding::Global | Encoding::Scratch | Encoding::Mubuf => {
                memory::step(self, inst)
            }
            Encoding::Vop1 | Encoding::Vop2 | Encoding::Vop3 | Encoding::Vopc => match name {
                "v_nop" | "v_clrexcp" => Ok(()),
                "v_readfirstlane_b32" | "v_readlane_b32" | "v_writelane_b32" | "v_swap_b32" => {
                    exchange::step(self, &relative)
                }
                _ => self.vector_step(&relative),
            },
            _ => Err(Unknown),
        }
    }

    /// The instruction with the vector registers that `s_set_gpr_idx` makes it use.
    fn relative(&self, inst: &Inst) -> Result<Inst, Unknown> {
        let m0 = self.s[usize::from(sgpr::M0)];
        let mut relative = *inst;
        for (slot, operand) in inst.row.operands.iter().zip(&mut relative.slots) {
            let bit = match (slot.field, slot.role) {
                (Field::Dst, _) => 15,
                (Field::Src0, _) => 12,
                (Field::Src1, _) => 13,
                (Field::Src2, _) => 14,
                _ => continue,
            };
            if let (Operand::Vgpr(n), true) = (&mut *operand, m0 >> bit & 1 == 1) {
                let moved = u32::from(*n) + (m0 & 0xff);
                if moved as usize + usize::from(slot.dwords) > self.v.len() {
                    return Err(Unknown);
                }
                *n = moved as u8;
            }
        }
        Ok(relative)
    }

    fn scalar_step(&mut self, inst: &Inst) -> Result<(), Unknown> {
        let row = inst.row;
        let m0 = usize::from(sgpr::M0);
        let find = |wanted: Field| inst.iter().find(|(slot, _)| slot.field == wanted);
        let mut s = Sources { a: 0, b: 0, scc: self.scc, old: 0, exec: self.exec(), imm: 0 };
        for (slot, operand) in inst.iter() {
            match slot.field {
                Field::Src0 if slot.kind != Kind::GprIdxMode => s.a = self.scalar(slot, operand)? as u64,
                Field::Src1 if slot.kind != Kind::GprIdxMode => s.b = self.scalar(slot, operand)? as u64,
                Field::SDst => s.old = self.scalar(slot, operand)? as u64,
                Field::Imm16 => s.imm = self.scalar(slot, operand)? as i16,
                _ => {}
            }
        }
        let imm = |field: Field| match find(field) {
            Some((_, Operand::Imm(n))) => n as u32,
            _ => 0,
        };
        let word = |x: u32, low: u32, bits: u32| x & ((1 << bits) - 1) << low;
        match row.mnemonic {
            // Nothing that the program can see.
            "s_nop"
            | "s_waitcnt"
            | "s_setprio"
            | "s_sleep"
            | "s_wakeup"
            | "s_barrier"
            | "s_icache_inv"
            | "s_incperflevel"
            | "s_decperflevel"
            | "s_ttracedata"
            | "s_cbranch_cdbgsys"
            | "s_cbranch_cdbguser"
            | "s_cbranch_cdbgsys_or_user"
            | "s_cbranch_cdbgsys_and_user" => return Ok(()),
            "s_set_gpr_idx_on" => {
                self.s[m0] =
                    self.s[m0] & !0xf0ff | word(s.a as u32, 0, 8) | word(imm(Field::Src1), 0, 4) << 12;
                self.indexing = true;
                return Ok(());
            }
            "s_set_gpr_idx_off" => {
                self.indexing = false;
                return Ok(());
            }
            "s_set_gpr_idx_idx" => {
                self.s[m0] = self.s[m0] & !0xff | word(s.a as u32, 0, 8);
                return Ok(());
            }
            "s_set_gpr_idx_mode" => {
                self.s[m0] = self.s[m0] & !0xf000 | word(imm(Field::Imm16), 0, 4) << 12;
                return Ok(());
            }
            "s_movrels_b32" | "s_movrels_b64" | "s_movreld_b32" | "s_movreld_b64" => {
                return self.move_relative(inst);
            }
            "s_getreg_b32" | "s_setreg_b32" | "s_setreg_imm32_b32" => {
                return self.hardware_register(inst, s.old);
            }
            _ => {}
        }
        let (dst, scc, exec) = scalar::model(row, s).ok_or(Unknown)?;
        self.set_pair(sgpr::EXEC_LO, exec);
        self.scc = scc;
        if let Some((slot, Operand::Sgpr(n))) = inst.iter().find(|(slot, _)| slot.role != Role::Src) {
            self.s[usize::from(n)] = dst as u32;
            if slot.ty.dwords() == 2 {
                self.s[usize::from(n) + 1] = (dst >> 32) as u32;
            }
        }
        Ok(())
    }

    /// Out of range, a source is s0 and a destination is not written (Vega ISA, "Out-of-Range Behavior").
    fn move_relative(&mut self, inst: &Inst) -> Result<(), Unknown> {
        let to = inst.row.mnemonic.starts_with("s_movreld");
        let slot = &inst.row.operands[1];
        let Operand::Sgpr(first) = inst.slots[usize::from(!to)] else { return Err(Unknown) };
        let Operand::Sgpr(dst) = inst.slots[0] else { return Err(Unknown) };
        let moved = u64::from(first) + u64::from(self.s[usize::from(sgpr::M0)]);
        let inside = moved + u64::from(slot.dwords) <= 102;
        if inside && moved + u64::from(slot.dwords) > 92 {
            // The harness's own registers.
            return Err(Unknown);
        }
        let from = if to { inst.slots[1] } else { Operand::Sgpr(if inside { moved as u8 } else { 0 }) };
        let value = self.scalar(slot, from)?;
        let dst = if !to {
            dst
        } else if inside {
            moved as u8
        } else {
            return Ok(());
        };
        for k in 0..inst.row.operands[0].dwords {
            self.s[usize::from(dst + k)] = (value >> (32 * k)) as u32;
        }
        Ok(())
    }

    /// MODE only: other registers are the device's matter.
    fn hardware_register(&mut self, inst: &Inst, source: u64) -> Result<(), Unknown> {
        let mut imm = 0;
        let mut value = source as u32;
        for operand in inst.operands() {
            match operand {
                Operand::Imm(n) => imm = *n as u32,
                Operand::Literal(word) => value = *word,
                _ => {}
            }
        }
        let (id, offset, bits) = (imm & 63, imm >> 6 & 31, (imm >> 11) + 1);
        if id != 1 || offset + bits > 10 {
            return Err(Unknown);
        }
        let mask = (1 << bits) - 1;
        if inst.row.mnemonic == "s_getreg_b32" {
            let Operand::Sgpr(n) = inst.slots[0] else { return Err(Unknown) };
            self.s[usize::from(n)] = self.mode >> offset & mask;
        } else {
            self.mode = self.mode & !(mask << offset) | (value & mask) << offset;
        }
        Ok(())
    }

    /// Sources without lane masks, those that are also written last, and the mask.
    fn sources(inst: &Inst) -> (Vec<(&'static Slot, Operand)>, Option<Operand>) {
        let is_mask = |slot: &Slot| slot.kind == Kind::LaneMask;
        let of = |role: Role| inst.iter().filter(move |(slot, _)| slot.role == role && !is_mask(slot));
        let mask = inst.iter().find(|(slot, _)| is_mask(slot) && slot.role == Role::Src).map(|(_, o)| o);
        (of(Role::Src).chain(of(Role::Both)).collect(), mask)
    }

    fn vector_step(&mut self, inst: &Inst) -> Result<(), Unknown> {
        let (sources, mask) = Self::sources(inst);
        let name = inst.row.mnemonic;
        let reads = match mask {
            Some(Operand::Sgpr(n)) => self.pair(n),
            Some(_) => return Err(Unknown),
            None if name.starts_with("v_div_fmas") => self.pair(sgpr::VCC_LO),
            None => 0,
        };
        let dst = inst.iter().find(|(slot, _)| slot.kind == Kind::Vgpr && slot.role != Role::Src);
        let mut results = Vec::new();
        let mut written = 0u64;
        for lane in self.active_lanes() {
            let mut input = In {
                bit: reads >> lane & 1 == 1,
                lane: lane as u32,
                mode: self.mode,
                clamp: inst.modifiers.clamp,
                ..In::default()
            };
            let mut from = Some(lane);
            if inst.form == Form::Dpp {
                let Some(found) = self.dpp(&inst.modifiers.dpp, lane)? else { continue };
                from = found;
            }
            for (n, (slot, operand)) in sources.iter().enumerate() {
                let raw = match (n, from) {
                    (0, None) => 0,
                    (0, Some(from)) => self.operand(slot, *operand, from)?,
                    _ => self.operand(slot, *operand, lane)?,
                };
                input.s[n] = modified(inst, slot, n, raw);
            }
            let old = match dst {
                Some((slot, Operand::Vgpr(n))) => self.vgprs(n, slot.dwords, lane),
                _ => 0,
            };
            input.old = old;
            let (value, bit) = vector::lane(name, &input).ok_or(Unknown)?;
            written |= u64::from(bit) << lane;
            if let Some((slot, Operand::Vgpr(n))) = dst {
                results.push((n, slot.dwords, lane, placed(inst, slot, value, old, self.mode)));
            }
        }
        for (n, dwords, lane, value) in results {
            self.set_vgprs(n, dwords, lane, value);
        }
        let mask = inst.iter().find(|(slot, _)| slot.kind == Kind::LaneMask && slot.role == Role::Dst);
        if let Some((_, Operand::Sgpr(n))) = mask {
            self.set_pair(n, written);
            if name.starts_with("v_cmpx") {
                self.set_pair(sgpr::EXEC_LO, written);
            }
        }
        Ok(())
    }

    /// The lane whose src0 a lane reads: `None` if the lane writes nothing, `Some(None)` if it reads zero.
    #[allow(clippy::option_option)]
    fn dpp(&self, dpp: &Dpp, lane: usize) -> Result<Option<Option<usize>>, Unknown> {
        let (row, bank, at) = (lane / 16, lane / 4 % 4, (lane % 16) as i32);
        if dpp.row_mask >> row & 1 == 0 || dpp.bank_mask >> bank & 1 == 0 {
            return Ok(None);
        }
        let first = 16 * row as i32;
        let within = |to: i32| (0..16).contains(&to).then_some(first + to);
        let l = lane as i32;
        let from = match dpp.ctrl {
            DppCtrl::QuadPerm(p) => Some(l / 4 * 4 + i32::from(p >> (2 * (lane % 4)) & 3)),
            DppCtrl::RowShl(n) => within(at + i32::from(n)),
            DppCtrl::RowShr(n) => within(at - i32::from(n)),
            DppCtrl::RowRor(n) => Some(first + (at - i32::from(n)).rem_euclid(16)),
            DppCtrl::WaveShl => Some(l + 1),
            DppCtrl::WaveShr => Some(l - 1),
            DppCtrl::WaveRol => Some((l + 1) % 64),
            DppCtrl::WaveRor => Some((l - 1).rem_euclid(64)),
            DppCtrl::RowMirror => Some(first + 15 - at),
            DppCtrl::RowHalfMirror => Some(l / 8 * 8 + 7 - l % 8),
            DppCtrl::RowBcast15 => Some(first - 1),
            DppCtrl::RowBcast31 => Some(if lane < 32 { -1 } else { 31 }),
            DppCtrl::Reserved(_) => return Err(Unknown),
        };
        let from = from.filter(|from| (0..64).contains(from)).map(|from| from as usize);
        let from = from.filter(|from| self.active(*from));
        Ok(if from.is_none() && !dpp.bound_ctrl { None } else { Some(from) })
    }

    fn packed_step(&mut self, inst: &Inst) -> Result<(), Unknown> {
        let (sources, _) = Self::sources(inst);
        let m = &inst.modifiers;
        let (slot, Operand::Vgpr(to)) = (&inst.row.operands[0], inst.slots[0]) else { return Err(Unknown) };
        let mix = inst.row.mnemonic.starts_with("v_mad_mix");
        let float = slot.ty.is_float();
        let mut results = Vec::new();
        for lane in self.active_lanes() {
            let mut raw = [0u128; 3];
            for ((slot, operand), raw) in sources.iter().zip(&mut raw) {
                *raw = self.operand(slot, *operand, lane)? & 0xffff_ffff;
            }
            let old = self.v[usize::from(to)][lane];
            if mix {
                results.push((lane, self.mix(inst, raw, old)));
                continue;
            }
            let mut value = 0;
            for half in 0..2 {
                let (select, negate) = if half == 1 { (m.op_sel_hi, m.abs) } else { (m.op_sel, m.neg) };
                let mut input = In { lane: lane as u32, mode: self.mode, clamp: m.clamp, ..In::default() };
                for (n, raw) in raw.iter().enumerate() {
                    let x = raw >> (16 * (select >> n & 1)) & 0xffff;
                    input.s[n] = if float && negate >> n & 1 == 1 { x ^ 0x8000 } else { x };
                }
                let mut x = vector::packed(inst.row.mnemonic, &input).ok_or(Unknown)?;
                if float {
                    x = float::modify(Fmt::F16, x as u64, 0, m.clamp, Fp::new(self.mode, Fmt::F16)).into();
                }
                value |= (x as u32 & 0xffff) << (16 * half);
            }
            results.push((lane, value));
        }
        for (lane, value) in results {
            self.v[usize::from(to)][lane] = value;
        }
        Ok(())
    }

    /// `v_mad_mix`: f32 arithmetic on f32 or f16 sources, unfused, denormals flushed.
    fn mix(&self, inst: &Inst, raw: [u128; 3], old: u32) -> u32 {
        let m = &inst.modifiers;
        let (single, half) = (Fp::new(self.mode, Fmt::F32).flushing(), Fp::new(self.mode, Fmt::F16));
        let mut x = [0u64; 3];
        for n in 0..3 {
            let mut value = raw[n] as u64;
            if m.op_sel_hi >> n & 1 == 1 {
                let bits = value >> (16 * (m.op_sel >> n & 1)) & 0xffff;
                value = float::convert(Fmt::F16, Fmt::F32, half.input(Fmt::F16, bits), single.round);
            }
            if m.abs >> n & 1 == 1 {
                value &= 0x7fff_ffff;
            }
            if m.neg >> n & 1 == 1 {
                value ^= 0x8000_0000;
            }
            x[n] = value;
        }
        let sum = float::mad(Fmt::F32, x[0], x[1], x[2], single, false);
        if inst.row.mnemonic == "v_mad_mix_f32" {
            return float::modify(Fmt::F32, sum, 0, m.clamp, single) as u32;
        }
        let narrow = float::convert(Fmt::F32, Fmt::F16, single.input(Fmt::F32, sum), half.round);
        let narrow = float::modify(Fmt::F16, half.output(Fmt::F16, narrow), 0, m.clamp, half) as u32;
        if inst.row.mnemonic == "v_mad_mixlo_f16" {
            old & 0xffff_0000 | narrow
        } else {
            old & 0xffff | narrow << 16
        }
    }
}

fn inline(value: InlineFloat, ty: Ty, wide: bool) -> u128 {
    let number = match value {
        InlineFloat::Half => 0.5,
        InlineFloat::MinusHalf => -0.5,
        InlineFloat::One => 1.0,
        InlineFloat::MinusOne => -1.0,
        InlineFloat::Two => 2.0,
        InlineFloat::MinusTwo => -2.0,
        InlineFloat::Four => 4.0,
        InlineFloat::MinusFour => -4.0,
        // Not the nearest one: the manual cuts it.
        InlineFloat::InvTwoPi => (std::f64::consts::FRAC_1_PI / 2.0).next_down(),
    };
    match (ty.bits(), wide) {
        (16, _) => {
            float::convert(Fmt::F64, Fmt::F16, f64::to_bits(number), rustc_apfloat::Round::NearestTiesToEven)
                .into()
        }
        (_, true) => f64::to_bits(number).into(),
        _ => (number as f32).to_bits().into(),
    }
}

/// Shift and bits of an SDWA selection.
fn part(sel: Sel) -> (u32, u32) {
    [(0, 8), (8, 8), (16, 8), (24, 8), (0, 16), (16, 16), (0, 32)][sel as usize]
}

/// A source with its modifiers.
fn modified(inst: &Inst, slot: &Slot, n: usize, raw: u128) -> u128 {
    let (m, bit) = (&inst.modifiers, |mask: u8| mask >> n & 1 == 1);
    let mut x = raw;
    match inst.form {
        Form::Sdwa if n < 2 => {
            let Sdwa { src0, src1, sext, .. } = m.sdwa;
            let (shift, bits) = part(if n == 0 { src0 } else { src1 });
            // Halves take the low half of a whole dword.
            let bits = if slot.ty.bits() == 16 { bits.min(16) } else { bits };
            x = vector::number(x >> shift & 0xffff_ffff, bits, bit(sext)) as u32 as u128;
        }
        Form::E64 if slot.ty.bits() == 16 => x = x >> (if bit(m.op_sel) { 16 } else { 0 }) & 0xffff,
        _ => {}
    }
    if inst.form != Form::Native && inst.row.legal.has(Legal::NEG) {
        let sign = 1u128 << (if slot.ty.bits() == 16 { 15 } else { 32 * u32::from(slot.ty.dwords()) - 1 });
        if bit(m.abs) && inst.row.legal.has(Legal::ABS) {
            x &= !sign;
        }
        if bit(m.neg) {
            x ^= sign;
        }
    }
    x
}

/// Opcodes of gfx9 that write half a register and keep the other half.
fn keeps_half(name: &str) -> bool {
    let three = ["v_mad_", "v_fma_", "v_div_fixup_", "v_min3_", "v_max3_", "v_med3_"];
    let two = ["v_add_i16", "v_sub_i16"];
    (three.iter().any(|p| name.starts_with(p)) && !name.contains("legacy")) || two.contains(&name)
}

/// The destination's registers after a result was written to them.
fn placed(inst: &Inst, slot: &Slot, value: u128, old: u128, mode: u32) -> u128 {
    let m = &inst.modifiers;
    let mut value = value;
    let f = match slot.ty {
        Ty::F16 => Some(Fmt::F16),
        Ty::F32 => Some(Fmt::F32),
        Ty::F64 => Some(Fmt::F64),
        _ => None,
    };
    if let Some(f) = f {
        value = float::modify(f, value as u64, m.omod, m.clamp, Fp::new(mode, f)).into();
    }
    if slot.ty == Ty::PkF16 {
        let half = |x: u128| {
            u128::from(float::modify(Fmt::F16, x as u64 & 0xffff, m.omod, m.clamp, Fp::new(mode, Fmt::F16)))
        };
        return half(value) | half(value >> 16) << 16;
    }
    let (shift, bits, unused) = match inst.form {
        Form::Sdwa => {
            let (shift, bits) = part(m.sdwa.dst);
            (shift, bits, m.sdwa.unused)
        }
        _ if slot.ty.bits() != 16 => return value,
        Form::E64 if m.op_sel & 8 != 0 => (16, 16, Unused::Preserve),
        _ if keeps_half(inst.row.mnemonic) => (0, 16, Unused::Preserve),
        _ => (0, 16, Unused::Pad),
    };
    if bits == 32 {
        return value;
    }
    let field = (1u128 << bits) - 1;
    let rest = match unused {
        Unused::Pad => 0,
        Unused::Preserve => old & 0xffff_ffff & !(field << shift),
        Unused::Sext if value >> (bits - 1) & 1 == 1 => 0xffff_ffff & !((1 << (shift + bits)) - 1),
        Unused::Sext => 0,
    };
    (value & field) << shift | rest
}
