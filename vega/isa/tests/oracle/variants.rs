//! Every modifier value of a row in a form.

use vega_isa::{Dpp, DppCtrl, Encoding, Flags, Form, Kind, Legal, Modifiers, Row, Sdwa, Sel, Unused};

use crate::generator::{neutral, sources, sources_where};

/// Every modifier value of a row in a form.
pub fn modifiers(row: &Row, form: Form) -> Vec<Modifiers> {
    let neutral = neutral(row, form);
    let mut all = Vec::new();
    let mut vary = |f: &dyn Fn(&mut Modifiers)| {
        let mut m = neutral;
        f(&mut m);
        all.push(m);
    };
    match form {
        Form::E64 => vop3_modifiers(row, &mut vary),
        Form::Sdwa => sdwa_modifiers(row, &mut vary),
        Form::Dpp => dpp_modifiers(row, &mut vary),
        Form::Native => native_modifiers(row, &mut vary),
    }
    all
}

type Vary<'a> = &'a mut dyn FnMut(&dyn Fn(&mut Modifiers));

fn float_sources(row: &Row) -> u8 {
    sources_where(row, |s| s.ty.is_float())
}

fn subsets(mask: u8) -> impl Iterator<Item = u8> {
    (1..=mask).filter(move |m| m & !mask == 0)
}

fn vop3_modifiers(row: &Row, vary: Vary) {
    let floats = match float_sources(row) {
        0 => sources_where(row, |s| s.kind == Kind::Vector),
        floats => floats,
    };
    let legal = row.legal;
    if legal.has(Legal::NEG) {
        subsets(floats).for_each(|neg| vary(&|m| m.neg = neg));
    }
    if legal.has(Legal::ABS) {
        subsets(floats).for_each(|abs| vary(&|m| m.abs = abs));
    }
    if legal.has(Legal::NEG.with(Legal::ABS)) {
        subsets(floats).for_each(|mask| {
            vary(&|m| (m.neg, m.abs) = (mask, floats & !mask | floats & floats.wrapping_neg()))
        });
    }
    if legal.has(Legal::CLAMP) {
        vary(&|m| m.clamp = true);
    }
    if legal.has(Legal::OMOD) {
        (1..4).for_each(|omod| vary(&|m| m.omod = omod));
    }
    if legal.has(Legal::OP_SEL) {
        subsets(sources(row) | 8).for_each(|sel| vary(&|m| m.op_sel = sel));
    }
    if legal.has(Legal::HIGH) {
        vary(&|m| m.flags = Flags::HIGH);
    }
    if legal.has(Legal::CLAMP.with(Legal::OMOD)) {
        vary(&|m| (m.clamp, m.omod) = (true, 3));
    }
    if legal.has(Legal::CLAMP.with(Legal::OP_SEL)) {
        vary(&|m| (m.clamp, m.op_sel) = (true, 8));
    }
}

fn sdwa_modifiers(row: &Row, vary: Vary) {
    const SELS: [Sel; 7] =
        [Sel::Byte0, Sel::Byte1, Sel::Byte2, Sel::Byte3, Sel::Word0, Sel::Word1, Sel::Dword];
    let compare = row.encoding == Encoding::Vopc;
    let floats = float_sources(row) & 3;
    let all = sources(row) & 3;
    let plain = Sdwa { src0: Sel::Dword, src1: Sel::Dword, dst: Sel::Dword, ..Sdwa::default() };
    for sel in SELS {
        vary(&|m| m.sdwa = Sdwa { src0: sel, ..plain });
        if all & 2 != 0 {
            vary(&|m| m.sdwa = Sdwa { src1: sel, ..plain });
        }
        if !compare {
            vary(&|m| m.sdwa = Sdwa { dst: sel, ..plain });
        }
    }
    subsets(floats).for_each(|neg| vary(&|m| m.neg = neg));
    subsets(floats).for_each(|abs| vary(&|m| (m.abs, m.neg) = (abs, 1 & floats)));
    subsets(all & !floats).for_each(|sext| vary(&|m| m.sdwa = Sdwa { sext, ..plain }));
    if !compare {
        vary(&|m| m.sdwa = Sdwa { unused: Unused::Sext, ..plain });
        vary(&|m| m.sdwa = Sdwa { unused: Unused::Preserve, ..plain });
        vary(&|m| m.clamp = true);
        if row.operands.first().is_some_and(|s| s.ty.is_float()) {
            (1..4).for_each(|omod| vary(&|m| m.omod = omod));
            vary(&|m| (m.clamp, m.omod) = (true, 1));
        }
    }
}

fn dpp_modifiers(row: &Row, vary: Vary) {
    let floats = float_sources(row) & 3;
    let plain = Dpp { ctrl: DppCtrl::QuadPerm(0xe4), row_mask: 15, bank_mask: 15, bound_ctrl: false };
    for bits in (0..0x200).filter(|&b| b % 17 == 0 || b >= 0x100) {
        let ctrl = DppCtrl::from_bits(bits);
        vary(&|m| m.dpp = Dpp { ctrl, ..plain });
    }
    for mask in [0, 1, 2, 4, 8, 5] {
        vary(&|m| m.dpp = Dpp { row_mask: mask, ..plain });
        vary(&|m| m.dpp = Dpp { bank_mask: mask, ..plain });
    }
    vary(&|m| m.dpp = Dpp { bound_ctrl: true, ..plain });
    subsets(floats).for_each(|neg| vary(&|m| m.neg = neg));
    subsets(floats).for_each(|abs| vary(&|m| (m.abs, m.neg) = (abs, 1 & floats)));
}

fn native_modifiers(row: &Row, vary: Vary) {
    let legal = row.legal;
    if row.encoding == Encoding::Vop3p {
        return packed_modifiers(row, vary);
    }
    let flags = [
        (Legal::GLC, Flags::GLC),
        (Legal::SLC, Flags::SLC),
        (Legal::TFE, Flags::TFE),
        (Legal::LDS, Flags::LDS),
        (Legal::GDS, Flags::GDS),
        (Legal::ADDRESSED, Flags::IDXEN),
        (Legal::ADDRESSED, Flags::IDXEN.with(Flags::OFFEN)),
        (Legal::IMAGE, Flags::UNORM),
        (Legal::IMAGE, Flags::DA),
        (Legal::IMAGE, Flags::LWE),
        (Legal::A16, Flags::A16),
        (Legal::D16, Flags::D16),
        (Legal::EXPORT, Flags::COMPR),
        (Legal::EXPORT, Flags::DONE),
        (Legal::EXPORT, Flags::VM),
    ];
    for (needs, flag) in flags {
        // A transfer to LDS has no data register that a failed texture access could write.
        if legal.has(needs) {
            vary(&|m| m.flags = m.flags.with(flag));
            vary(&|m| m.flags = flag);
        }
    }
    if legal.has(Legal::ADDRESSED) {
        vary(&|m| m.flags = Flags::default());
    }
    let offsets: &[i32] = match row.encoding {
        Encoding::Ds => &[0, 1, 255, 256, 0x8000, 0xffff],
        Encoding::Smem => &[0, 4, 0xf_ffff, -1, -0x10_0000],
        Encoding::Global | Encoding::Scratch => &[0, 1, 4095, -1, -4096],
        _ => &[0, 1, 2048, 4095],
    };
    if legal.has(Legal::OFFSET) {
        offsets.iter().for_each(|&offset| vary(&|m| m.offset = offset));
    }
    if legal.has(Legal::OFFSET2) {
        for (a, b) in [(1, 2), (0, 7), (7, 0), (255, 255)] {
            vary(&|m| (m.offset0, m.offset1) = (a, b));
        }
    }
    if row.mnemonic == "ds_swizzle_b32" {
        (0..0x400).for_each(|n| vary(&|m| m.offset = n * 61 % 0x10000));
        [0x8000, 0x80e4, 0x041f, 0x7c1f, 0x001e, 0x3c1f, 0xc000, 0xe01f, 0x0c1c]
            .into_iter()
            .for_each(|n| vary(&|m| m.offset = n));
    }
    if legal.has(Legal::FORMAT) {
        for n in 0..128 {
            vary(&|m| (m.dfmt, m.nfmt) = (n & 15, n >> 4));
        }
    }
    if matches!(row.encoding, Encoding::Mimg | Encoding::Exp) {
        for dmask in 0..16 {
            vary(&|m| m.dmask = dmask);
            for (needs, flag) in &flags {
                if legal.has(*needs) {
                    vary(&|m| (m.dmask, m.flags) = (dmask, *flag));
                }
            }
        }
        if legal.has(Legal::D16) {
            for dmask in 0..16 {
                vary(&|m| (m.dmask, m.flags) = (dmask, Flags::D16.with(Flags::TFE)));
            }
        }
    }
}

fn packed_modifiers(row: &Row, vary: Vary) {
    let all = sources(row);
    subsets(all).for_each(|sel| vary(&|m| m.op_sel = sel));
    (0..=all).for_each(|sel| vary(&|m| m.op_sel_hi = sel));
    vary(&|m| m.clamp = true);
    if row.legal.has(Legal::NEG) {
        subsets(all).for_each(|neg| vary(&|m| m.neg = neg));
        subsets(all).for_each(|abs| vary(&|m| m.abs = abs));
        vary(&|m| (m.neg, m.abs, m.op_sel, m.clamp) = (1, 2, all, true));
    }
}
