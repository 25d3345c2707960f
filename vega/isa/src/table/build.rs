//! Rows under construction: defaults by encoding, and the columns that follow from the micro-operation.

use crate::micro::{Control, Micro};
use crate::operand::{Field, Role, Slot, Ty};
use crate::row::{Class, Encoding, Faults, Form, Forms, Implicit, Legal, OtherHalf, Row};
use crate::table::derive;

const NATIVE: u8 = Form::Native as u8;
const E64: u8 = Form::E64 as u8;
const SDWA: u8 = Form::Sdwa as u8;
const DPP: u8 = Form::Dpp as u8;

const fn row(
    encoding: Encoding,
    opcode: u16,
    mnemonic: &'static str,
    operands: &'static [Slot],
    micro: Micro,
) -> Row {
    let fp = derive::fp(micro);
    Row {
        mnemonic,
        encoding,
        opcode,
        vop3: None,
        operands,
        forms: Forms(NATIVE),
        legal: Legal::NONE,
        class: derive::class(micro),
        micro,
        reversed: false,
        exec: derive::exec(micro),
        reads: derive::reads(micro, fp),
        writes: derive::writes(micro),
        fp,
        other_half: derive::other_half(operands),
        faults: derive::faults(micro),
        source: derive::source(encoding),
    }
}

/// A scalar row (SOP2, SOPK, SOP1, SOPC, SOPP).
pub(crate) const fn sop(e: Encoding, op: u16, name: &'static str, ops: &'static [Slot], m: Micro) -> Row {
    row(e, op, name, ops, m)
}

/// A VOP2 row: all four forms.
pub(crate) const fn vop2(op: u16, name: &'static str, ops: &'static [Slot], m: Micro) -> Row {
    vector(Encoding::Vop2, op, 0x100, name, ops, m, NATIVE | E64 | SDWA | DPP)
}

/// A VOP1 row: all four forms.
pub(crate) const fn vop1(op: u16, name: &'static str, ops: &'static [Slot], m: Micro) -> Row {
    vector(Encoding::Vop1, op, 0x140, name, ops, m, NATIVE | E64 | SDWA | DPP)
}

/// A VOPC row: no DPP form.
pub(crate) const fn vopc(op: u16, name: &'static str, ops: &'static [Slot], m: Micro) -> Row {
    vector(Encoding::Vopc, op, 0, name, ops, m, NATIVE | E64 | SDWA)
}

/// A row that only VOP3 has.
pub(crate) const fn vop3(op: u16, name: &'static str, ops: &'static [Slot], m: Micro) -> Row {
    let mut r = row(Encoding::Vop3, op, name, ops, m);
    r.forms = Forms(E64);
    r.legal = derive::vector_legal(ops);
    r
}

/// A VOP3P row.
pub(crate) const fn vop3p(op: u16, name: &'static str, ops: &'static [Slot], m: Micro) -> Row {
    let mut r = row(Encoding::Vop3p, op, name, ops, m);
    r.legal = Legal::OP_SEL.with(Legal::CLAMP);
    if ops[1].ty.is_float() {
        r.legal = r.legal.with(Legal::NEG).with(Legal::NEG_HI);
    }
    r
}

const fn vector(
    encoding: Encoding,
    op: u16,
    vop3_base: u16,
    name: &'static str,
    ops: &'static [Slot],
    m: Micro,
    forms: u8,
) -> Row {
    let mut r = row(encoding, op, name, ops, m);
    r.vop3 = Some(vop3_base + op);
    r.forms = Forms(forms);
    r.legal = derive::vector_legal(ops);
    let mut i = 0;
    while i < ops.len() {
        // 64-bit values have neither SDWA nor DPP.
        if ops[i].dwords > 1 && !matches!(ops[i].field, Field::SDst | Field::Src2) {
            r.forms = Forms(r.forms.0 & !(SDWA | DPP));
        }
        i += 1;
    }
    r
}

/// A memory or graphics row with its legal modifiers.
pub(crate) const fn mem(
    e: Encoding,
    op: u16,
    name: &'static str,
    ops: &'static [Slot],
    legal: Legal,
    m: Micro,
) -> Row {
    let mut r = row(e, op, name, ops, m);
    r.legal = legal;
    if legal.has(Legal::LDS) {
        // Transfers to LDS take their base from M0.
        r.reads = r.reads.with(Implicit::M0);
    }
    r
}

impl Row {
    /// The micro-operation's first two sources change places.
    pub(crate) const fn rev(mut self) -> Self {
        self.reversed = true;
        self
    }

    /// Without SDWA and DPP forms.
    pub(crate) const fn plain(mut self) -> Self {
        self.forms = Forms(self.forms.0 & !(SDWA | DPP));
        self
    }

    /// Without the SDWA form.
    pub(crate) const fn no_sdwa(mut self) -> Self {
        self.forms = Forms(self.forms.0 & !SDWA);
        self
    }

    /// The 32-bit form only.
    pub(crate) const fn e32_only(mut self) -> Self {
        self.forms = Forms(NATIVE);
        self.legal = Legal::NONE;
        self.vop3 = None;
        self
    }

    /// These modifiers, too.
    pub(crate) const fn may(mut self, more: Legal) -> Self {
        self.legal = self.legal.with(more);
        self
    }

    /// Not these modifiers.
    pub(crate) const fn may_not(mut self, less: Legal) -> Self {
        self.legal = self.legal.without(less);
        self
    }

    /// A 16-bit VOP3 opcode: op_sel chooses halves, the other half of the destination stays.
    pub(crate) const fn halves(mut self) -> Self {
        self.legal = self.legal.with(Legal::OP_SEL).without(Legal::OMOD);
        if matches!(self.other_half, OtherHalf::Zeroed) {
            self.other_half = OtherHalf::Kept;
        }
        self
    }

    /// `v_mad_mix`: absolute values where packed opcodes negate high halves.
    pub(crate) const fn mix(mut self) -> Self {
        self.legal = self.legal.without(Legal::NEG_HI).with(Legal::ABS);
        self
    }

    /// Its VOP3 number, where it is not the usual one.
    pub(crate) const fn e64_at(mut self, op: u16) -> Self {
        self.vop3 = Some(op);
        self.forms = Forms(self.forms.0 | E64);
        self
    }
}

/// Whether a slot list has a destination of a 16-bit type, for [`derive::other_half`].
pub(crate) const fn writes_half(ops: &[Slot]) -> bool {
    let mut i = 0;
    while i < ops.len() {
        if !matches!(ops[i].role, Role::Src) && matches!(ops[i].ty, Ty::F16 | Ty::I16 | Ty::U16 | Ty::B16) {
            return matches!(ops[i].field, Field::Dst);
        }
        i += 1;
    }
    false
}

/// Program flow that enters or leaves the wave, for [`derive::faults`].
pub(crate) const fn traps(control: Control) -> bool {
    matches!(control, Control::Trap | Control::ReturnFromException | Control::ReturnFromExceptionRestore)
}

/// The fault set of graphics-only rows.
pub(crate) const GRAPHICS_FAULTS: Faults = Faults::ILLEGAL;

/// The class of graphics-only rows.
pub(crate) const GRAPHICS: Class = Class::Graphics;
