//! Vector instructions as the compiler sees them: operands resolved, modifiers taken apart.

use vega_isa::memory::{Half, MemKind, MemOp, Space};
use vega_isa::micro::MixDst;
use vega_isa::{Dpp, DppCtrl, Form, Inst, Kind, Legal, Micro, Role, Unused, sgpr};

use super::form::CROSS;
use super::operand::{Halves, Operand, Part, Place, Source, part, place};
use super::set::{ScalarSet, VectorSet};
use crate::interp::level::{Level, run};
use crate::interp::lower::operands::{scalar_register, source, sources};
use crate::interp::mem::buffer;
use crate::interp::mem::lds::Write;
use crate::interp::modified::{Signs, sign};
use crate::interp::record::{Record, code};
use crate::interp::wave::extra;

/// The scalar offset of a buffer access.
#[derive(Clone, Copy, Debug)]
pub(super) enum BufferOffset {
    /// A constant.
    Constant(u32),
    /// A scalar register.
    Register(u16),
}

/// What an access by a buffer descriptor has besides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Buffer {
    /// The first scalar register of the descriptor.
    pub rsrc: u16,
    /// The scalar offset.
    pub offset: BufferOffset,
    /// The address register holds offsets.
    pub offen: bool,
}

impl Buffer {
    fn new(record: &Record) -> Option<Self> {
        let flags = record.consts[0];
        let offset = match record.src[2] {
            code::CONST => BufferOffset::Constant((flags >> 32) as u32),
            number if number < 128 => BufferOffset::Register(number),
            _ => return None,
        };
        let plain = flags & (buffer::IDXEN | buffer::LDS | buffer::TFE) == 0;
        let rsrc = record.src[1];
        (plain && rsrc <= 124).then_some(Self { rsrc, offset, offen: flags & buffer::OFFEN != 0 })
    }
}

/// What a memory instruction does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
    /// LDS, or global memory.
    pub space: Space,
    /// Lanes' addresses may be in an aperture, which no translation covers: the interpreter sees to those.
    pub flat: bool,
    /// Loads rather than stores.
    pub load: bool,
    /// Bytes of each element.
    pub bytes: u8,
    /// Bytes of the parts that the instruction moves: two of them may be neighbours and make one element.
    pub part: u8,
    /// Sign extension of small elements.
    pub signed: bool,
    /// Which half of the register takes part; loads keep the other one.
    pub half: Half,
    /// Byte offsets of the elements: one, or two.
    pub offsets: [i32; 2],
    /// How many elements.
    pub count: u8,
    /// First data (or destination) register of each element.
    pub data: [u16; 2],
    /// The address register; 64 bits if there is no base and the space is not LDS.
    pub address: u16,
    /// Scalar base address.
    pub base: Option<u16>,
    /// The slot in the worker's translation caches.
    pub cache: u16,
    /// It goes by a buffer descriptor.
    pub buffer: Option<Buffer>,
    /// Its addresses have been looked at for the whole wave: the number of the spread, and its stride.
    pub spread: Option<(u16, u8)>,
}

impl Access {
    /// The right that it needs: 1 for loads, 2 for stores.
    pub fn right(&self) -> u8 {
        if self.load { 1 } else { 2 }
    }

    /// Bytes behind an element's address that are accessed at most: loads take what is smaller out of a dword, and
    /// three dwords out of four.
    pub fn reach(&self) -> i32 {
        match self.bytes {
            1 | 2 if self.load => 4,
            12 if self.load => 16,
            bytes => bytes.into(),
        }
    }

    /// Registers of one element.
    pub fn dwords(&self) -> u16 {
        u16::from(self.bytes.div_ceil(4))
    }

    /// The register of a dword of an element.
    pub fn register(&self, element: usize, dword: u16) -> u16 {
        self.data[element] + dword
    }

    fn registers(&self) -> impl Iterator<Item = u16> + '_ {
        let dwords = self.dwords();
        (0..usize::from(self.count)).flat_map(move |k| (0..dwords).map(move |j| self.register(k, j)))
    }
}

/// One vector instruction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lane {
    /// Its record.
    pub ip: usize,
    /// Its meaning.
    pub micro: Micro,
    /// Its sources in the micro-operation's order.
    pub src: [Operand; 3],
    /// First destination register and how many.
    pub dst: Option<(u16, u8)>,
    /// The lane mask that it reads.
    pub mask_in: Option<u16>,
    /// The lane mask that it writes.
    pub mask_out: Option<u16>,
    /// EXEC takes the mask, too.
    pub to_exec: bool,
    /// Floats are clamped to \[0, 1\].
    pub clamp: bool,
    /// The part of the destination that it writes; `None` for all of it.
    pub place: Option<Place>,
    /// How a source is permuted.
    pub dpp: Option<Dpp>,
    /// The source was permuted before the region, to the register of this number.
    pub cross: Option<u8>,
    /// Halves of a packed operation.
    pub halves: Halves,
    /// The first two sources of a packed operation change places once their halves are chosen.
    pub reversed_halves: bool,
    /// A memory access.
    pub access: Option<Access>,
    /// The instruction has a second store behind this one, or is that: all lanes of one come before any of the other.
    pub part: Store,
}

/// Which of an instruction's two stores a [`Lane`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Store {
    /// There is only one.
    Whole,
    /// The first; the second one follows.
    First,
    /// The second.
    Second,
}

impl Lane {
    /// The vector instruction, unless it is none or has a form that is not compiled.
    pub fn new(inst: &Inst, record: &Record, ip: usize) -> Option<Self> {
        match inst.row.micro {
            Micro::Mem(op) => Self::memory(inst, op, record, ip),
            Micro::Lane1(..)
            | Micro::Lane2(..)
            | Micro::Lane3(..)
            | Micro::Carry { .. }
            | Micro::Select
            | Micro::Convert { .. }
            | Micro::Compare { .. }
            | Micro::CompareClass { .. }
            | Micro::DivScale(_)
            | Micro::DivFmas(_)
            | Micro::DivFixup(_)
            | Micro::Packed2(..)
            | Micro::Packed3(..)
            | Micro::MadMix(_)
            | Micro::MadWide(_) => Self::arithmetic(inst, ip),
            _ => None,
        }
    }

    fn blank(inst: &Inst, ip: usize) -> Self {
        Self {
            ip,
            micro: inst.row.micro,
            src: [Operand::NONE; 3],
            dst: None,
            mask_in: None,
            mask_out: None,
            to_exec: false,
            clamp: false,
            place: None,
            dpp: None,
            cross: None,
            halves: Halves::default(),
            reversed_halves: false,
            access: None,
            part: Store::Whole,
        }
    }

    /// What the interpreter executes for it.
    pub fn record(&self, record: Record) -> Record {
        if let Some(slot) = self.cross {
            // The operation on the permuted source, without the permutation.
            let run =
                if record.cache & sign::ANY == 0 { record.plain } else { run::<Signs>(Level::detect()) };
            let mut record = Record { run, ..record };
            for (to, _) in record.src.iter_mut().zip(&self.src).filter(|(_, operand)| operand.permuted) {
                *to = code::VGPR + CROSS + u16::from(slot);
            }
            return record;
        }
        let Some(access) = self.access.filter(|_| self.part != Store::Whole) else { return record };
        let run = if access.bytes == 4 { run::<Write<1>> } else { run::<Write<2>> };
        Record { run: run(Level::detect()), imm: access.offsets[0], sdst: access.data[0], ..record }
    }

    /// The second store of an instruction, from its first one.
    pub fn second(mut self) -> Option<Self> {
        let access = self.access.as_mut().filter(|_| self.part == Store::First)?;
        access.offsets.swap(0, 1);
        access.data.swap(0, 1);
        self.part = Store::Second;
        Some(self)
    }

    fn arithmetic(inst: &Inst, ip: usize) -> Option<Self> {
        let m = &inst.modifiers;
        // Output scaling has an effect where denormals are flushed only.
        let scaled = m.omod != 0 && inst.row.fp.denormals == vega_isa::Denormals::Flush;
        let single = inst.iter().all(|(slot, _)| {
            matches!(slot.kind, Kind::LaneMask | Kind::Sgpr) || slot.dwords.max(slot.ty.dwords()) <= 1
        });
        if scaled || matches!(inst.form, Form::Sdwa | Form::Dpp) && !single {
            return None;
        }
        let mut lane = Self::blank(inst, ip);
        let packed = matches!(inst.row.micro, Micro::Packed2(..) | Micro::Packed3(..) | Micro::MadMix(_));
        if inst.form == Form::Dpp {
            if matches!(m.dpp.ctrl, DppCtrl::Reserved(_)) {
                return None;
            }
            lane.dpp = Some(m.dpp);
        }
        if packed {
            let legal = |flag: Legal, bits: u8| if inst.row.legal.has(flag) { bits } else { 0 };
            let high = legal(Legal::NEG_HI, m.abs) | legal(Legal::ABS, m.abs);
            lane.halves = Halves {
                low: m.op_sel,
                high: m.op_sel_hi,
                negate_low: legal(Legal::NEG, m.neg),
                negate_high: high,
            };
            lane.reversed_halves = inst.row.reversed;
        }
        let legal = |flag: Legal, bits: u8| if inst.row.legal.has(flag) { bits } else { 0 };
        let (neg, abs) = (legal(Legal::NEG, m.neg), legal(Legal::ABS, m.abs));
        let plain = sources(inst).filter(|(slot, _)| slot.kind != Kind::LaneMask);
        // A fourth one is a destination of which a half stays.
        for (n, (slot, operand)) in plain.enumerate().take(3) {
            let (number, constant) = source(slot, operand).ok()?;
            let from = match number {
                code::CONST => Source::Constant(constant),
                code::NONE => return None,
                number if number >= code::VGPR => Source::Vector(number - code::VGPR),
                number if number < extra::COMPUTED => Source::Scalar(number),
                _ => return None,
            };
            let dwords = slot.dwords.max(slot.ty.dwords()).max(1);
            let (abs, neg) = if packed { (false, false) } else { (abs >> n & 1 == 1, neg >> n & 1 == 1) };
            let part = if packed { Part::WHOLE } else { part(inst, slot, n) };
            let (from, part) = match from {
                Source::Constant(value) if !part.is_whole() => {
                    (Source::Constant(part.of(value as u32).into()), Part::WHOLE)
                }
                from => (from, part),
            };
            let permuted = lane.dpp.is_some() && n == 0;
            if permuted && !matches!(from, Source::Vector(_)) {
                return None;
            }
            *lane.src.get_mut(n)? = Operand { from, dwords, ty: slot.ty, abs, neg, part, permuted };
        }
        if inst.row.reversed && !packed {
            lane.src.swap(0, 1);
        }
        for (slot, operand) in inst.iter() {
            match (slot.role, slot.kind, operand) {
                (Role::Dst | Role::Both, Kind::Vgpr, vega_isa::Operand::Vgpr(n)) => {
                    lane.place = place(inst, slot.ty);
                    lane.dst = Some((n.into(), slot.dwords.max(slot.ty.dwords()).max(1)));
                }
                (Role::Src, Kind::LaneMask, operand) => {
                    let (number, _) = source(slot, operand).ok()?;
                    lane.mask_in = Some(number).filter(|n| *n < 128);
                    lane.mask_in?;
                }
                (Role::Dst, Kind::LaneMask | Kind::Sgpr, operand) => {
                    lane.mask_out = Some(scalar_register(slot, operand).ok()?);
                }
                _ => {}
            }
        }
        lane.to_exec = matches!(
            inst.row.micro,
            Micro::Compare { exec: true, .. } | Micro::CompareClass { exec: true, .. }
        );
        if matches!(inst.row.micro, Micro::DivFmas(_)) {
            lane.mask_in = Some(sgpr::VCC_LO.into());
        }
        if let Micro::MadMix(dst) = inst.row.micro {
            lane.place = match dst {
                MixDst::F32 => None,
                MixDst::LowF16 => Some(Place { shift: 0, bits: 16, unused: Unused::Preserve }),
                MixDst::HighF16 => Some(Place { shift: 16, bits: 16, unused: Unused::Preserve }),
            };
        }
        lane.clamp = m.clamp;
        Some(lane)
    }

    /// Whether lanes or bits of the destination stay although they could be written.
    fn merges(&self) -> bool {
        self.dpp.is_some() || self.place.is_some_and(|place| place.unused == Unused::Preserve)
    }

    fn memory(inst: &Inst, op: MemOp, record: &Record, ip: usize) -> Option<Self> {
        let lds = match op.space {
            Space::Lds => true,
            Space::Global | Space::Flat | Space::Buffer => false,
            _ => return None,
        };
        let by_descriptor = op.space == Space::Buffer;
        let buffer = if by_descriptor { Some(Buffer::new(record)?) } else { None };
        let flags = inst.modifiers.flags;
        if flags.has(vega_isa::Flags::LDS)
            || flags.has(vega_isa::Flags::TFE)
            || flags.has(vega_isa::Flags::GDS)
        {
            return None;
        }
        // Without an offset register nothing is read there.
        let given = buffer.is_none_or(|buffer| buffer.offen);
        let address = if given { record.src[0].checked_sub(code::VGPR)? } else { 0 };
        if address >= 256 {
            return None;
        }
        let mut access = Access {
            space: if lds { Space::Lds } else { Space::Global },
            flat: op.space == Space::Flat,
            load: true,
            bytes: 0,
            part: 0,
            signed: false,
            half: Half::Whole,
            offsets: [record.imm, 0],
            count: 1,
            data: [record.dst, 0],
            address,
            base: (record.src[1] != code::NONE && !lds && !by_descriptor).then_some(record.src[1]),
            cache: record.cache,
            buffer,
            spread: None,
        };
        let mut part = Store::Whole;
        match op.kind {
            MemKind::Load { bytes, signed, half } => {
                (access.bytes, access.signed, access.half) = (bytes, signed, half);
            }
            MemKind::Store { bytes, half } => {
                access.load = false;
                (access.bytes, access.half) = (bytes, half);
                access.data[0] = record.sdst;
            }
            MemKind::Load2 { bytes, .. } => {
                access.bytes = bytes;
                access.count = 2;
                access.offsets[1] = record.consts[1] as i32;
                access.data[1] = record.dst + u16::from(bytes / 4);
            }
            MemKind::Store2 { bytes, .. } => {
                access.load = false;
                access.bytes = bytes;
                part = Store::First;
                access.offsets[1] = record.consts[1] as i32;
                access.data = [record.sdst, record.consts[0] as u16];
            }
            _ => return None,
        }
        access.part = access.bytes;
        if access.load
            && access.count == 2
            && access.offsets[1] == access.offsets[0] + i32::from(access.bytes)
        {
            // Neighbours are one element.
            (access.bytes, access.count) = (2 * access.bytes, 1);
        }
        let last = access.data.iter().map(|first| first + access.dwords()).max()?;
        (last <= 256).then_some(Self { access: Some(access), part, ..Self::blank(inst, ip) })
    }

    /// Adds the vector registers that it reads.
    pub fn vector_reads(&self, set: &mut VectorSet) {
        for operand in &self.src {
            if let Source::Vector(n) = operand.from {
                set.add(n, operand.dwords.into());
            }
        }
        if let Some((n, dwords)) = self.dst.filter(|_| self.merges()) {
            set.add(n, dwords.into());
        }
        if let Some(access) = &self.access {
            let wide = access.base.is_none() && access.space != Space::Lds;
            match access.buffer {
                _ if access.spread.is_some() => {}
                Some(buffer) if !buffer.offen => {}
                Some(_) => set.add(access.address, 1),
                None => set.add(access.address, if wide { 2 } else { 1 }),
            }
            if !access.load || access.half != Half::Whole {
                access.registers().for_each(|v| set.add(v, 1));
            }
        }
    }

    /// Adds the vector registers that it writes.
    pub fn vector_writes(&self, set: &mut VectorSet) {
        if let Some((n, dwords)) = self.dst {
            set.add(n, dwords.into());
        }
        if let Some(access) = self.access.as_ref().filter(|access| access.load) {
            access.registers().for_each(|v| set.add(v, 1));
        }
    }

    /// Adds the scalar registers that it reads as values, the same in every lane.
    pub fn scalar_reads(&self, set: &mut ScalarSet) {
        for operand in &self.src {
            if let Source::Scalar(n) = operand.from {
                set.add(n, operand.dwords.into());
            }
        }
        if let Some(base) = self.access.as_ref().and_then(|access| access.base) {
            set.add(base, 2);
        }
        if let Some(buffer) = self.access.as_ref().and_then(|access| access.buffer) {
            set.add(buffer.rsrc, 4);
            if let BufferOffset::Register(number) = buffer.offset {
                set.add(number, 1);
            }
        }
    }

    /// Adds the scalar registers that it reads as lane masks. (EXEC is not told: all read it.)
    pub fn mask_reads(&self, set: &mut ScalarSet) {
        if let Some(n) = self.mask_in {
            set.add(n, 2);
        }
    }

    /// Adds the scalar registers that it writes as lane masks.
    pub fn mask_writes(&self, set: &mut ScalarSet) {
        if let Some(n) = self.mask_out {
            set.add(n, 2);
        }
        if self.to_exec {
            set.add(sgpr::EXEC_LO.into(), 2);
        }
    }
}
