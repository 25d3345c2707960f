//! Instructions from the table: every row in every form, with every class of operand and every modifier.

use vega_isa::{
    Dpp, DppCtrl, Encoding, Field, Flags, Form, InlineFloat, Inst, Kind, Legal, Modifiers, Operand, Role,
    Row, Slot, Special, Table, Ty, encode,
};

use crate::rng::Rng;
use crate::variants::modifiers;

/// A generated instruction and its words.
pub struct Case {
    pub inst: Inst,
    pub words: Vec<u32>,
}

impl AsRef<[u32]> for Case {
    fn as_ref(&self) -> &[u32] {
        &self.words
    }
}

/// All cases of a table: systematic ones and `random` more for each row and form.
pub fn cases(table: &Table, random: usize, seed: u64) -> Vec<Case> {
    let mut rng = Rng(seed);
    let mut cases = Vec::new();
    for row in table.rows() {
        for form in row.forms.iter() {
            row_cases(row, form, random, &mut rng, &mut cases);
        }
    }
    cases
}

fn row_cases(row: &'static Row, form: Form, random: usize, rng: &mut Rng, cases: &mut Vec<Case>) {
    let base = base(row, form);
    let mut push = |inst: Inst| {
        let inst = complete(inst);
        let words =
            encode(&inst).unwrap_or_else(|| panic!("{} in {form:?}: cannot encode {inst:?}", row.mnemonic));
        cases.push(Case { inst, words: words.as_slice().to_vec() });
    };
    push(base);
    for i in 0..row.operands.len() {
        for operand in operands(&base, i) {
            push(with_operand(base, i, operand));
        }
    }
    let variants = modifiers(row, form);
    for m in &variants {
        push(Inst { modifiers: *m, ..base });
    }
    for _ in 0..random {
        let mut inst = base;
        if !variants.is_empty() {
            inst.modifiers = rng.pick(&variants);
        }
        let mut literal = None;
        for i in 0..row.operands.len() {
            let mut choice = rng.pick(&operands(&inst, i));
            // One literal at most, whatever its value.
            if let Operand::Literal(value) = choice {
                choice = Operand::Literal(*literal.get_or_insert(value));
            }
            inst.slots[i] = choice;
        }
        push(inst);
    }
}

/// Replaces one operand; a second literal takes the first one's value.
fn with_operand(mut inst: Inst, i: usize, operand: Operand) -> Inst {
    inst.slots[i] = operand;
    if let Operand::Literal(_) = operand {
        for slot in &mut inst.slots {
            if let Operand::Literal(_) = slot {
                *slot = operand;
            }
        }
    }
    inst
}

/// Makes operands and modifiers agree: what one of them says to be absent is absent.
fn complete(mut inst: Inst) -> Inst {
    if inst.row.mnemonic == "buffer_store_lds_dword" {
        inst.modifiers.flags = inst.modifiers.flags.with(Flags::LDS);
    }
    if inst.row.mnemonic.contains("_gws_") || inst.row.mnemonic == "ds_ordered_count" {
        inst.modifiers.flags = inst.modifiers.flags.with(Flags::GDS);
    }
    let flags = inst.modifiers.flags;
    let mut no_vaddr = false;
    for (slot, operand) in inst.row.operands.iter().zip(&mut inst.slots) {
        let absent = match (inst.row.encoding, slot.field) {
            (Encoding::Mubuf | Encoding::Mtbuf, Field::Addr) => {
                !flags.has(Flags::IDXEN) && !flags.has(Flags::OFFEN)
            }
            (Encoding::Mubuf, Field::Data0) => flags.has(Flags::LDS),
            (Encoding::Global | Encoding::Scratch, Field::Dst) if flags.has(Flags::LDS) => true,
            (_, Field::Dst) => slot.role == Role::DstIfGlc && !flags.has(Flags::GLC),
            (Encoding::Exp, Field::Export(n)) => inst.modifiers.dmask >> n & 1 == 0,
            _ => false,
        };
        if absent {
            *operand = Operand::None;
        }
        if slot.field == Field::SAddr && *operand != Operand::None {
            no_vaddr = inst.row.encoding == Encoding::Scratch;
        }
    }
    if no_vaddr {
        for (slot, operand) in inst.row.operands.iter().zip(&mut inst.slots) {
            if slot.field == Field::Addr {
                *operand = Operand::None;
            }
        }
    }
    if inst.row.encoding == Encoding::Exp && flags.has(Flags::COMPR) {
        // Two halves share a register.
        for pair in [1, 3] {
            if let (a @ Operand::Vgpr(_), Operand::Vgpr(_)) = (inst.slots[pair], inst.slots[pair + 1]) {
                inst.slots[pair + 1] = a;
            }
        }
    }
    if inst.row.legal.has(Legal::OFFSET2) {
        inst.modifiers.offset = i32::from(inst.modifiers.offset0) | i32::from(inst.modifiers.offset1) << 8;
    }
    // Register groups end at v255 at the latest.
    for i in 0..inst.row.operands.len() {
        if let Operand::Vgpr(n) = inst.slots[i] {
            // LLVM wants room for the most that an image opcode can transfer.
            let dwords = if inst.row.encoding == Encoding::Mimg { 5 } else { inst.dwords(i).max(1) };
            inst.slots[i] = Operand::Vgpr(n.min((256 - u16::from(dwords)) as u8));
        }
    }
    if inst.row.encoding == Encoding::Smem && inst.slots.iter().all(|s| !matches!(s, Operand::None)) {
        // Without an offset operand there is nowhere to put an offset.
        inst.modifiers.offset = 0;
    }
    inst
}

/// An instruction with a different plain register in each slot.
fn base(row: &'static Row, form: Form) -> Inst {
    let mut inst =
        Inst { row, form, size_bytes: 0, slots: [Operand::None; 5], modifiers: neutral(row, form) };
    for (i, slot) in row.operands.iter().enumerate() {
        inst.slots[i] = match slot.kind {
            _ if implied(row, form, slot) => Operand::Sgpr(106),
            Kind::Vgpr | Kind::Vector | Kind::VectorOnly => Operand::Vgpr(3 + 9 * i as u8),
            Kind::Scalar | Kind::LaneSelect
                if slot.field == Field::SOffset && row.encoding == Encoding::Smem =>
            {
                Operand::None
            }
            Kind::Scalar | Kind::LaneSelect | Kind::LaneMask | Kind::Sgpr => Operand::Sgpr(4 + 16 * i as u8),
            Kind::Literal => Operand::Literal(0x1234_5678),
            _ => Operand::Imm(1),
        };
    }
    inst
}

/// VCC stands where the form has no field for the mask.
fn implied(row: &Row, form: Form, slot: &Slot) -> bool {
    slot.kind == Kind::LaneMask
        && form != Form::E64
        && !(form == Form::Sdwa && row.encoding == Encoding::Vopc)
}

pub fn neutral(row: &Row, form: Form) -> Modifiers {
    let mut m = Modifiers::default();
    match row.encoding {
        Encoding::Vop3p => m.op_sel_hi = (1 << sources(row).count_ones()) - 1,
        Encoding::Mubuf if row.mnemonic == "buffer_store_lds_dword" => m.flags = Flags::LDS,
        Encoding::Mubuf | Encoding::Mtbuf if row.legal.has(Legal::ADDRESSED) => m.flags = Flags::OFFEN,
        Encoding::Mimg => m.dmask = 1,
        Encoding::Exp => m.dmask = 15,
        _ => {}
    }
    if row.encoding == Encoding::Mtbuf {
        (m.dfmt, m.nfmt) = (4, 7);
    }
    if form == Form::Dpp {
        m.dpp = Dpp { ctrl: DppCtrl::QuadPerm(0x1b), row_mask: 15, bank_mask: 15, bound_ctrl: false };
    }
    m
}

/// Sources of a row, bit n for src n.
pub fn sources(row: &Row) -> u8 {
    sources_where(row, |_| true)
}

pub fn sources_where(row: &Row, f: impl Fn(&Slot) -> bool) -> u8 {
    let bit = |s: &Slot| match s.field {
        Field::Src0 => 1,
        Field::Src1 => 2,
        Field::Src2 => 4,
        _ => 0,
    };
    row.operands.iter().filter(|s| f(s)).fold(0, |mask, s| mask | bit(s))
}

/// Every class of operand for a slot.
fn operands(inst: &Inst, i: usize) -> Vec<Operand> {
    let (row, form, slot) = (inst.row, inst.form, &inst.row.operands[i]);
    if implied(row, form, slot) {
        return vec![Operand::Sgpr(106)];
    }
    let wide = slot.dwords.max(1);
    let vgprs = [0, 1, 100, (256 - u16::from(wide)) as u8].map(Operand::Vgpr);
    match slot.kind {
        Kind::Vgpr => vgprs.to_vec(),
        Kind::Vector | Kind::VectorOnly if form == Form::Dpp || fixed_vgpr(inst, slot) => vgprs.to_vec(),
        Kind::VectorOnly if wide > 1 => vgprs.to_vec(),
        Kind::VectorOnly => {
            let mut all = vgprs.to_vec();
            all.extend(scalars(wide));
            all.push(Operand::Special(Special::LdsDirect));
            all
        }
        Kind::Vector => {
            let mut all = vgprs.to_vec();
            all.extend(scalars(wide));
            all.extend(constants(wide));
            if form == Form::Native && row.encoding != Encoding::Vop3p {
                all.extend(literals(slot.ty));
            }
            all
        }
        Kind::Scalar if slot.field == Field::SOffset && row.encoding == Encoding::Smem => {
            let mut all = vec![Operand::None];
            all.extend(scalars(1).into_iter().filter(|s| matches!(s, Operand::Sgpr(_))));
            all
        }
        Kind::Scalar | Kind::LaneSelect => {
            let mut all = scalars(wide);
            all.extend(constants(wide));
            if form == Form::Native
                && matches!(row.encoding, Encoding::Sop1 | Encoding::Sop2 | Encoding::Sopc)
            {
                all.extend(literals(slot.ty));
            }
            all
        }
        Kind::Sgpr if slot.field == Field::SAddr => {
            let dwords = if row.encoding == Encoding::Scratch { 1 } else { 2 };
            let mut all = vec![Operand::None];
            // 127 says "none".
            all.extend(scalars(dwords).into_iter().filter(|&s| s != Operand::Sgpr(127)));
            all
        }
        Kind::Sgpr | Kind::LaneMask => registers(wide, slot.field),
        Kind::Literal => literals(slot.ty),
        Kind::Simm16 => [0, 1, -1, 64, -16, 0x7fff, -0x8000].map(Operand::Imm).to_vec(),
        Kind::Uimm16 | Kind::Branch if slot.kind == Kind::Uimm16 => {
            [0, 1, 15, 64, 0x7fff, 0xffff].map(Operand::Imm).to_vec()
        }
        Kind::Uimm16 | Kind::Branch => [0, 1, -1, 100, -0x8000, 0x7fff].map(Operand::Imm).to_vec(),
        Kind::Waitcnt => {
            [0, 0xcf7f, 0x0f70, 0xc07f, 0x0070, 0x4f7f, 0x8171, 0xff7f].map(Operand::Imm).to_vec()
        }
        Kind::Message => (0..0x400).chain([0x1001, 0x8000, 0xffff]).map(Operand::Imm).collect(),
        Kind::HwReg => {
            (0..64).map(|id| 31 << 11 | id).chain([1, 0x1041, 0xf841, 0x07c2]).map(Operand::Imm).collect()
        }
        Kind::GprIdxMode => {
            let most = if slot.field == Field::Src1 { 0 } else { 0x10 };
            (0..16 + most).map(Operand::Imm).collect()
        }
        Kind::Attribute => [0, 3, 5, 18, 0x83, 0xff].map(Operand::Imm).to_vec(),
        Kind::InterpSlot => [0, 1, 2, 3, 255].map(Operand::Imm).to_vec(),
        Kind::ExportTarget => (0..64).map(Operand::Imm).collect(),
        Kind::ProbeBits => [0, 1, 64, 65, 127].map(Operand::Imm).to_vec(),
    }
}

/// Sources that the form can only take from vector registers.
fn fixed_vgpr(inst: &Inst, slot: &Slot) -> bool {
    slot.field == Field::Src1
        && inst.form == Form::Native
        && matches!(inst.row.encoding, Encoding::Vop2 | Encoding::Vopc | Encoding::Vintrp)
}

/// Scalar registers and read-only sources.
fn scalars(dwords: u8) -> Vec<Operand> {
    let numbers: &[u8] = match dwords {
        1 => &[0, 1, 101, 102, 103, 104, 105, 106, 107, 108, 123, 124, 126, 127],
        2 => &[0, 2, 100, 102, 104, 106, 108, 122, 126],
        4 => &[0, 4, 96, 108, 120],
        8 => &[0, 4, 92, 108, 116],
        _ => &[0, 4, 88, 108],
    };
    numbers.iter().copied().map(Operand::Sgpr).collect()
}

/// Scalar registers that an instruction may write or use as a base.
fn registers(dwords: u8, field: Field) -> Vec<Operand> {
    let even = field == Field::SBase && dwords == 2;
    scalars(if even { 2 } else { dwords })
}

fn constants(dwords: u8) -> Vec<Operand> {
    let mut all: Vec<_> = [0, 1, 15, 16, 64, -1, -16].map(Operand::InlineInt).to_vec();
    all.extend(InlineFloat::ALL.map(Operand::InlineFloat));
    all.extend(
        [
            Special::SharedBase,
            Special::SharedLimit,
            Special::PrivateBase,
            Special::PrivateLimit,
            Special::PopsExitingWaveId,
            Special::Vccz,
            Special::Execz,
            Special::Scc,
        ]
        .map(Operand::Special),
    );
    if dwords == 1 {
        all.push(Operand::Special(Special::LdsDirect));
    }
    all
}

/// Literals: plain ones, and those whose bits are an inline constant of some type.
fn literals(ty: Ty) -> Vec<Operand> {
    let mut bits =
        vec![0x1234_5678, 0xdead_beef, 0, 1, 64, 65, 0xffff_ffff, 0xffff_fff0, 0x8000_0000, 0xffff];
    bits.extend([0x3f80_0000, 0xbf00_0000, 0x4080_0000, 0x3e22_f983, 0x3ff0_0000]);
    if ty.bits() == 16 {
        bits.extend([0x3c00, 0xb800, 0x3118, 0x4400, 0x0001_3c00]);
    }
    bits.into_iter().map(Operand::Literal).collect()
}
