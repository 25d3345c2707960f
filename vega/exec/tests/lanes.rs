//! Every lane-local instruction of the table, in every form, as the engine executes it, against
//! `vega_exec::semantics`, which the numeric tests hold against independent arithmetic.

mod common;

use std::time::Duration;

use common::instructions::{LANE_EPILOGUE, LANE_PROLOGUE};
use common::{Card, DATA, Random, on_each_engine, watchdog};
use vega_exec::semantics::{LaneIn, LanePlan};
use vega_isa::{
    Dpp, DppCtrl, Form, InlineFloat, Inst, Kind, Legal, Micro, Modifiers, Operand, Role, Row, Sdwa, Sel,
    Slot, Table, Ty, Unused, encode, sgpr,
};

/// Workgroups of 64 items for each instruction.
const GROUPS: usize = 2;
const ITEMS: usize = 64 * GROUPS;

/// What the prologue puts into s[30:35].
const SCALARS: [u32; 6] = [0x4049_0fdb, 0xc000_3c00, 0x0000_0003, 0x7ff0_0000, 0xffff_fff0, 0x3ff0_0000];

/// Bit patterns that are special in some format: f16 pairs, f32, halves of f64, integers.
const EDGES: [u32; 32] = [
    0,
    1,
    2,
    31,
    32,
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
];

fn value(random: &mut Random) -> u32 {
    match random.next() % 4 {
        0 | 1 => EDGES[random.next() as usize % EDGES.len()],
        // A float of moderate size.
        2 => (random.word() & 0x807f_ffff) | (0x70 + random.word() % 32) << 23,
        _ => random.word(),
    }
}

/// Where source `n` of an instruction comes from in this variant.
fn source(slot: &Slot, n: usize, variant: u64, form: Form) -> Option<Operand> {
    let vgpr = Operand::Vgpr(2 + 4 * n as u8);
    match slot.kind {
        Kind::LaneMask if form == Form::E64 => Some(Operand::Sgpr(22)),
        Kind::LaneMask => Some(Operand::Sgpr(sgpr::VCC_LO)),
        Kind::Literal => Some(Operand::Literal(0x4123_3c01)),
        Kind::Vgpr | Kind::VectorOnly => Some(vgpr),
        Kind::Vector => Some(match (variant >> (2 * n) & 3, form) {
            (_, Form::Dpp) => vgpr,
            (1, Form::Native) if n == 0 => Operand::Literal(0xc0a0_0005),
            (1, _) if n == 0 => Operand::Sgpr(30),
            (2, Form::Native | Form::E64) if n == 0 => Operand::InlineInt(-9),
            (3, Form::Native | Form::E64) if n == 0 => Operand::InlineFloat(InlineFloat::MinusFour),
            (2, Form::E64) if n == 2 => Operand::InlineFloat(InlineFloat::Half),
            _ => vgpr,
        }),
        _ => None,
    }
}

/// An instruction of the row in this form, or `None` where the variant does not exist.
fn instance(row: &'static Row, form: Form, variant: u64, random: &mut Random) -> Option<Inst> {
    let mut slots = [Operand::None; vega_isa::inst::MAX_OPERANDS];
    let mut next = 0;
    for (slot, operand) in row.operands.iter().zip(&mut slots) {
        *operand = match (slot.role, slot.kind) {
            (Role::Dst | Role::Both, Kind::Vgpr) => Operand::Vgpr(14),
            (Role::Dst, Kind::LaneMask) if form == Form::E64 => Operand::Sgpr(20),
            (Role::Dst, Kind::LaneMask) => Operand::Sgpr(sgpr::VCC_LO),
            (Role::Src, Kind::LaneMask) => source(slot, 0, variant, form)?,
            (Role::Src, _) => {
                let operand = source(slot, next, variant, form)?;
                next += 1;
                operand
            }
            _ => return None,
        };
    }
    let mut m = Modifiers::default();
    let legal = |flag: Legal| row.legal.has(flag);
    let packed = matches!(row.micro, Micro::Packed2(..) | Micro::Packed3(..) | Micro::MadMix(_));
    if packed {
        m.op_sel_hi = 7 & !(u8::MAX << next);
    }
    if variant != 0 && (packed || form != Form::Native) {
        let bits = random.next();
        let sources = !(u8::MAX << next);
        let sources = if matches!(form, Form::Sdwa | Form::Dpp) { sources & 3 } else { sources };
        if legal(Legal::NEG) {
            m.neg = bits as u8 & sources;
        }
        if legal(Legal::ABS) {
            m.abs = (bits >> 8) as u8 & sources;
        }
        let more = variant > 4;
        m.clamp = more && legal(Legal::CLAMP) && form != Form::Dpp && bits >> 16 & 1 == 1;
        if more && legal(Legal::OMOD) && form == Form::E64 {
            m.omod = (bits >> 17) as u8 & 3;
        }
        if more && legal(Legal::OP_SEL) && (packed || form == Form::E64) {
            m.op_sel = (bits >> 20) as u8 & (sources | if packed { 0 } else { 8 });
            if packed {
                m.op_sel_hi = (bits >> 24) as u8 & sources;
            }
        }
        if form == Form::Sdwa {
            let sel = |n: u64| {
                [Sel::Byte0, Sel::Byte1, Sel::Byte2, Sel::Byte3, Sel::Word0, Sel::Word1, Sel::Dword]
                    [n as usize % 7]
            };
            let masks = row.operands.iter().any(|slot| slot.role == Role::Dst && slot.kind == Kind::LaneMask)
                && !row.operands.iter().any(|slot| slot.kind == Kind::Vgpr && slot.role != Role::Src);
            m.sdwa = Sdwa {
                dst: if masks { Sel::Dword } else { sel(bits >> 32) },
                unused: if masks {
                    Unused::Pad
                } else {
                    [Unused::Pad, Unused::Sext, Unused::Preserve][(bits >> 36) as usize % 3]
                },
                src0: sel(bits >> 40),
                src1: if next > 1 { sel(bits >> 44) } else { Sel::Dword },
                sext: if legal(Legal::SEXT) { (bits >> 48) as u8 & sources } else { 0 },
            };
            if m.sdwa.sext != 0 {
                (m.neg, m.abs) = (0, 0);
            }
        }
    }
    if form == Form::Sdwa && variant == 0 {
        m.sdwa = Sdwa { dst: Sel::Dword, src0: Sel::Dword, src1: Sel::Dword, ..Sdwa::default() };
    }
    if form == Form::Dpp {
        let bits = if variant == 0 { 0xffe4 } else { random.word() };
        let [ctrl, masks, bound, _] = bits.to_le_bytes();
        // The other permutations are `exchange`'s business.
        let ctrl = DppCtrl::QuadPerm(ctrl);
        m.dpp = Dpp { ctrl, row_mask: masks & 15, bank_mask: masks >> 4, bound_ctrl: bound & 1 == 1 };
    }
    let inst = Inst { row, form, size_bytes: 0, slots, modifiers: m };
    let words = encode(&inst)?;
    // What counts is what the engine will see.
    vega_isa::decode(words.as_slice()).ok().filter(|decoded| decoded.row.mnemonic == row.mnemonic)
}

/// The four dwords of a source in the item's 16.
fn raw(dwords: &[u32], operand: Operand, slot: &Slot) -> u128 {
    let count = usize::from(slot.dwords.max(slot.ty.dwords()));
    let of = |words: &[u32]| words.iter().take(count).rev().fold(0, |bits, w| bits << 32 | u128::from(*w));
    match operand {
        Operand::Vgpr(n) => of(&dwords[usize::from(n) - 2..]),
        Operand::Sgpr(n) => of(&SCALARS[usize::from(n) - 30..]),
        Operand::InlineInt(n) if count == 2 => i64::from(n) as u64 as u128,
        Operand::InlineInt(n) => i32::from(n) as u32 as u128,
        Operand::InlineFloat(f) => match (slot.ty.bits(), count) {
            (16, _) => f.f16().into(),
            (_, 2) => f.f64().into(),
            _ => f.f32().into(),
        },
        Operand::Literal(word) if slot.ty == Ty::F64 => u128::from(word) << 32,
        Operand::Literal(word) if slot.ty == Ty::I64 => i64::from(word as i32) as u64 as u128,
        Operand::Literal(word) => word.into(),
        other => panic!("{other:?}"),
    }
}

/// The lane whose first source this lane reads, whether this lane writes at all, and whether it also writes (as if
/// the source were 0) when that lane is inactive.
fn permuted(inst: &Inst, lane: usize) -> (usize, bool, bool) {
    match (inst.form, inst.modifiers.dpp) {
        (Form::Dpp, Dpp { ctrl: DppCtrl::QuadPerm(p), row_mask, bank_mask, bound_ctrl }) => {
            let writes = row_mask >> (lane / 16) & bank_mask >> (lane / 4 % 4) & 1 == 1;
            (lane / 4 * 4 + usize::from(p >> (2 * (lane % 4)) & 3), writes, bound_ctrl)
        }
        _ => (lane, true, true),
    }
}

/// Runs the instruction on random and edge values and compares every lane.
fn check(card: &Card, inst: &Inst, random: &mut Random, strict: bool) {
    let plan = LanePlan::new(inst).expect("lane-local");
    let exec = if random.next().is_multiple_of(2) { !0 } else { random.next() };
    let mask = random.next();
    let data: Vec<u32> = (0..16 * ITEMS).map(|_| value(random)).collect();
    card.write(DATA, &data);
    let mut code = LANE_PROLOGUE.to_vec();
    code.extend(encode(inst).expect("encoded before").as_slice());
    code.extend(LANE_EPILOGUE);
    let mut args = vec![DATA as u32, (DATA >> 32) as u32];
    args.extend([mask as u32, (mask >> 32) as u32, exec as u32, (exec >> 32) as u32]);
    args.extend(SCALARS);
    card.write(common::CODE, &code);
    card.write(common::KERNARG, &args);
    let mut dispatch = card.dispatch([ITEMS as u32, 1, 1], [64, 1, 1]);
    // Strict: f32 denormals flushed, rounding toward zero for f16 and f64.
    let mode: u32 = if strict { 0b1100_1100 } else { 0xf0 } | 3 << 8;
    dispatch.rsrc1 = (mode & 0xff) << 12 | 1 << 21 | 1 << 23;
    let outcome = card.run(&dispatch);
    assert_eq!(outcome, vega_exec::Outcome::Done, "{inst}");
    let after = card.read(DATA, 16 * ITEMS);
    let writes_exec =
        matches!(inst.row.micro, Micro::Compare { exec: true, .. } | Micro::CompareClass { exec: true, .. });
    let mask_slot = inst.iter().find(|(slot, _)| slot.role == Role::Dst && slot.kind == Kind::LaneMask);
    for group in 0..GROUPS {
        let mut written = 0u64;
        for lane in 0..64 {
            let at = 16 * (64 * group + lane);
            let (before, found) = (&data[at..at + 16], &after[at..at + 16]);
            let (from, writes, bound) = permuted(inst, lane);
            let supplied = exec >> from & 1 == 1;
            let mut input =
                LaneIn { mask: mask >> lane & 1 == 1, lane: lane as u32, mode, ..LaneIn::default() };
            let sources =
                inst.iter().filter(|(slot, _)| slot.role == Role::Src && slot.kind != Kind::LaneMask);
            let both = inst.iter().filter(|(slot, _)| slot.role == Role::Both);
            // A fourth one is a half of the destination that stays.
            for (n, (slot, operand)) in sources.chain(both).enumerate().take(3) {
                input.src[n] = match n {
                    0 if !supplied => 0,
                    0 => raw(&data[16 * (64 * group + from)..], operand, slot),
                    _ => raw(before, operand, slot),
                };
            }
            let dst = inst
                .iter()
                .find(|(slot, _)| matches!(slot.role, Role::Dst | Role::Both) && slot.kind == Kind::Vgpr);
            let mut expected = before[12..16].to_vec();
            if exec >> lane & 1 == 1 && writes && (supplied || bound) {
                if let Some((slot, _)) = dst {
                    input.old = raw(before, Operand::Vgpr(14), slot);
                }
                let out = plan.lane(&input);
                if let Some((slot, _)) = dst {
                    for (k, word) in
                        expected.iter_mut().enumerate().take(slot.dwords.max(slot.ty.dwords()).into())
                    {
                        *word = (out.dst >> (32 * k)) as u32;
                    }
                }
                written |= u64::from(out.mask) << lane;
            }
            assert_eq!(
                found[12..16],
                expected,
                "{inst} lane {lane}: sources {:x?}, mask {}, exec {exec:#x}, strict {strict}",
                input.src,
                input.mask
            );
        }
        let found = &after[16 * 64 * group..];
        let pair = |n: usize| u64::from(found[n]) | u64::from(found[n + 1]) << 32;
        match mask_slot {
            Some((_, Operand::Sgpr(20))) => assert_eq!((pair(8), pair(10)), (written, mask), "{inst}"),
            Some(_) => assert_eq!((pair(8), pair(10)), (0, written), "{inst}"),
            None => assert_eq!((pair(8), pair(10)), (0, mask), "{inst}"),
        }
        assert_eq!(pair(4), if writes_exec { written } else { exec }, "{inst}: EXEC");
    }
}

/// Runs every row whose number is `part` modulo 2.
fn check_rows(part: usize, strict: bool) {
    watchdog(Duration::from_secs(500));
    let card = Card::new(1);
    let mut random = Random(part as u64 + 1);
    let mut checked = 0;
    for (n, row) in Table::gfx900().rows().iter().enumerate().filter(|(n, _)| n % 2 == part) {
        for form in row.forms.iter() {
            for variant in 0..8 {
                let Some(inst) = instance(row, form, variant, &mut random) else { continue };
                if LanePlan::new(&inst).is_none() {
                    continue;
                }
                check(&card, &inst, &mut random, strict);
                checked += 1;
            }
        }
        assert!(n < 10_000);
    }
    assert!(checked > 1500, "only {checked} instructions were generated");
}

#[test]
fn every_vector_instruction_in_the_default_mode_first_half() {
    on_each_engine(|| {
        check_rows(0, false);
    });
}

#[test]
fn every_vector_instruction_in_the_default_mode_second_half() {
    on_each_engine(|| {
        check_rows(1, false);
    });
}

#[test]
fn every_vector_instruction_in_another_mode() {
    on_each_engine(|| {
        check_rows(0, true);
        check_rows(1, true);
    });
}
