//! Vector instructions: a fast handler, or the plan for the slow one.

use vega_isa::inst::DppCtrl;
use vega_isa::micro::{Tri, Un};
use vega_isa::{Form, FpTraits, Inst, Kind, Legal, Micro, OtherHalf, Role, Ty};

use super::operands::{destinations, put, sources};
use super::{Handled, Refusal, some};
use crate::interp::alu::{self, Make};
use crate::interp::lanes::{Carry, Mbcnt, Select, TO_EXEC};
use crate::interp::level::Level;
use crate::interp::modified::{OnParts, Parts, Shuffle, Shuffled, Signs, sign};
use crate::interp::planned::{Fmas, MaskIn, Plan, Planned};
use crate::interp::program::Details;
use crate::interp::record::{Record, code};
use crate::interp::{control, cross};
use crate::semantics::LanePlan;

/// The fast handler of an instruction without modifiers, in the default MODE; sets `imm`.
fn fast(inst: &Inst, record: &mut Record) -> Option<Make> {
    match inst.row.micro {
        Micro::Lane1(un, ty) => alu::un(un, ty),
        Micro::Lane2(vega_isa::micro::Bin::MbcntLo, _) => some::<Mbcnt<false>>().ok(),
        Micro::Lane2(vega_isa::micro::Bin::MbcntHi, _) => some::<Mbcnt<true>>().ok(),
        Micro::Lane2(bin, ty) => alu::bin(bin, ty),
        Micro::Lane3(tri, ty) => alu::tri(tri, ty),
        Micro::Packed2(bin, ty) => alu::packed2(bin, ty),
        Micro::Packed3(tri, ty) => alu::packed3(tri, ty),
        Micro::Convert { from, to, how } => alu::convert(from, to, how),
        Micro::Select => some::<Select>().ok(),
        Micro::MadWide(ty) => Some(alu::mad_wide(ty)),
        Micro::DivScale(ty) => alu::div_scale(ty),
        Micro::DivFixup(ty) => alu::div_fixup(ty),
        Micro::Carry { subtract, carry_in } => match (subtract, carry_in) {
            (false, false) => some::<Carry<false, false>>().ok(),
            (false, true) => some::<Carry<false, true>>().ok(),
            (true, false) => some::<Carry<true, false>>().ok(),
            (true, true) => some::<Carry<true, true>>().ok(),
        },
        Micro::Compare { cond, ty, exec } => {
            let (make, imm) = alu::compare(cond, ty)?;
            record.imm = imm | if exec { TO_EXEC } else { 0 };
            Some(make)
        }
        Micro::CompareClass { ty, exec } => {
            record.imm = if exec { TO_EXEC } else { 0 };
            alu::class(ty)
        }
        _ => None,
    }
}

/// What stands between an instruction and its fast handler.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Modified {
    No,
    /// Only signs of sources.
    Signs,
    /// DPP.
    Shuffled,
    /// SDWA.
    Parts,
    /// There is no fast handler for it.
    Yes,
}

fn modified(inst: &Inst, strict: bool) -> Modified {
    let m = &inst.modifiers;
    let packed = matches!(inst.row.micro, Micro::Packed2(..) | Micro::Packed3(..));
    let (neg, abs) = legal_signs(inst);
    let halves = sources(inst).count() as u32;
    let all_high = (1u8 << halves) - 1;
    if m.clamp
        || m.omod != 0
        || m.op_sel != 0
        || (packed && m.op_sel_hi & all_high != all_high)
        || inst.row.other_half == OtherHalf::Kept
        || (strict && inst.row.fp != FpTraits::NONE)
        || (packed && (neg | abs) != 0)
    {
        return Modified::Yes;
    }
    // Parts and permutations are of single dwords.
    let single = inst.iter().all(|(slot, _)| {
        matches!(slot.kind, Kind::LaneMask | Kind::Sgpr) || slot.dwords.max(slot.ty.dwords()) <= 1
    });
    match inst.form {
        Form::Sdwa | Form::Dpp if !single => Modified::Yes,
        Form::Sdwa => Modified::Parts,
        Form::Dpp => match (inst.row.micro, inst.modifiers.dpp.ctrl) {
            (Micro::Compare { .. } | Micro::CompareClass { .. }, _) | (_, DppCtrl::Reserved(_)) => {
                Modified::Yes
            }
            _ => Modified::Shuffled,
        },
        _ if neg | abs != 0 => Modified::Signs,
        _ => Modified::No,
    }
}

/// The neg and abs bits that mean something for the row; the card ignores the others.
fn legal_signs(inst: &Inst) -> (u8, u8) {
    let legal = |flag: Legal, bits: u8| if inst.row.legal.has(flag) { bits } else { 0 };
    // In packed instructions, abs is the negation of the high halves.
    let abs = legal(Legal::ABS, inst.modifiers.abs) | legal(Legal::NEG_HI, inst.modifiers.abs);
    (legal(Legal::NEG, inst.modifiers.neg), abs)
}

/// Lowers a vector instruction.
pub(super) fn lower(
    inst: &Inst,
    record: &mut Record,
    details: &mut Option<Details>,
    swapped: &mut bool,
    strict: bool,
    level: Level,
) -> Handled {
    match inst.row.micro {
        Micro::Lane1(Un::Nop | Un::ClearExceptions, _) => return some::<control::Nop>(),
        Micro::Lane1(Un::ScreenPartition, _) => return Err(Refusal::Graphics),
        Micro::Lane1(Un::Swap, _) => return swap(inst, record),
        _ => {}
    }
    destinations(inst, record)?;
    let plain = sources(inst).filter(|(slot, _)| slot.kind != Kind::LaneMask);
    for (n, (slot, operand)) in plain.enumerate().take(3) {
        put(record, n, slot, operand)?;
    }
    let mut mask_in = MaskIn::None;
    if let Some((slot, operand)) =
        inst.iter().find(|(slot, _)| slot.kind == Kind::LaneMask && slot.role == Role::Src)
    {
        put(record, 2, slot, operand)?;
        mask_in = MaskIn::Source;
    }
    if matches!(inst.row.micro, Micro::DivFmas(_)) {
        mask_in = MaskIn::Vcc;
    }
    let modified = modified(inst, strict);
    if modified != Modified::Yes
        && let Some(make) = fast(inst, record)
    {
        if inst.row.reversed {
            record.src.swap(0, 1);
            record.consts.swap(0, 1);
            *swapped = true;
        }
        if modified == Modified::No {
            return Ok(make);
        }
        record.cache = signs(inst);
        record.plain = make(level);
        return match modified {
            Modified::Shuffled => {
                let source = usize::from(*swapped);
                *details = Some(Details::Shuffle(Box::new(Shuffle::new(inst.modifiers.dpp, source))));
                some::<Shuffled>()
            }
            Modified::Parts => {
                let written = |role: Role| matches!(role, Role::Dst | Role::Both);
                let has_dst = inst.iter().any(|(slot, _)| slot.kind == Kind::Vgpr && written(slot.role));
                *details = Some(Details::Parts(Box::new(Parts::new(inst, *swapped, has_dst))));
                some::<OnParts>()
            }
            _ => some::<Signs>(),
        };
    }
    if let Micro::Compare { exec: true, .. } | Micro::CompareClass { exec: true, .. } = inst.row.micro {
        record.imm = TO_EXEC;
    } else {
        record.imm = 0;
    }
    *details = Some(Details::Plan(Box::new(planned(inst, mask_in)?)));
    if let (Micro::DivFmas(ty), Modified::No) = (inst.row.micro, modified)
        && let Some(fma) = alu::tri(Tri::Fma, ty)
    {
        record.plain = fma(level);
        return some::<Fmas>();
    }
    some::<Planned>()
}

fn planned(inst: &Inst, mask_in: MaskIn) -> Result<Plan, Refusal> {
    if inst.form == Form::Dpp && matches!(inst.modifiers.dpp.ctrl, DppCtrl::Reserved(_)) {
        return Err(Refusal::Undecodable);
    }
    let lane = LanePlan::new(inst).ok_or(Refusal::Undecodable)?;
    let mut dwords = [0; 3];
    let mut count = 0;
    for (n, slot) in LanePlan::sources(inst).enumerate().take(3) {
        dwords[n] = slot.dwords.max(slot.ty.dwords());
        count = n as u8 + 1;
    }
    let written = |role: Role| matches!(role, Role::Dst | Role::Both);
    let dst = inst.iter().find(|(slot, _)| slot.kind == Kind::Vgpr && written(slot.role));
    let dst = dst.map_or(0, |(slot, _)| slot.dwords.max(slot.ty.dwords()));
    let dpp = (inst.form == Form::Dpp).then_some(inst.modifiers.dpp);
    Ok(Plan { lane, dwords, sources: count, dst, mask_in, dpp })
}

/// Flags for [`Signs`], for the sources in the micro-operation's order.
fn signs(inst: &Inst) -> u16 {
    let (neg, abs) = legal_signs(inst);
    let mut flags = 0;
    for (n, (slot, _)) in sources(inst).filter(|(slot, _)| slot.kind != Kind::LaneMask).enumerate().take(3) {
        let to = match (inst.row.reversed, n) {
            (true, 0) => 1,
            (true, 1) => 0,
            _ => n,
        };
        let bit = |set: bool, flag: u16| if set { flag << to } else { 0 };
        flags |= bit(abs >> n & 1 == 1, sign::ABS) | bit(neg >> n & 1 == 1, sign::NEG);
        flags |= bit(slot.ty == Ty::F64, sign::WIDE) | bit(slot.ty == Ty::F16, sign::HALF);
    }
    flags
}

fn swap(inst: &Inst, record: &mut Record) -> Handled {
    let mut registers = inst.operands().iter().filter_map(|operand| match operand {
        vega_isa::Operand::Vgpr(n) => Some(u16::from(*n)),
        _ => None,
    });
    let (Some(a), Some(b)) = (registers.next(), registers.next()) else { return Err(Refusal::Undecodable) };
    record.dst = a;
    record.src[0] = code::VGPR + b;
    some::<cross::Swap>()
}
