//! Memory through FLAT, GLOBAL, SCRATCH, MUBUF and SMEM instructions, byte by byte.

use vega_isa::{Encoding, Field, Flags, Inst, Operand, sgpr};

use super::wave::{MEMORY, Unknown, Wave};

/// What an access moves, by the rest of a mnemonic.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    /// Bytes, sign extension, and the half that is replaced.
    Load(u8, bool, Option<u32>),
    /// Bytes, and the shift of the data.
    Store(u8, u32),
    /// Operation and bytes.
    Atomic(&'a str, u8),
}

impl<'a> Act<'a> {
    /// `load_ubyte_d16`, `store_dwordx2`, `atomic_add_x2`.
    fn of(text: &'a str) -> Option<Self> {
        let (verb, rest) = text.split_once('_')?;
        if verb == "atomic" {
            return Some(match rest.strip_suffix("_x2") {
                Some(op) => Self::Atomic(op, 8),
                None => Self::Atomic(rest, 4),
            });
        }
        let (what, half) = match (rest.strip_suffix("_d16_hi"), rest.strip_suffix("_d16")) {
            (Some(what), _) => (what, Some(16)),
            (_, Some(what)) => (what, Some(0)),
            _ => (rest, None),
        };
        let (bytes, signed) = match what {
            "byte" | "ubyte" => (1, false),
            "sbyte" => (1, true),
            "short" | "ushort" => (2, false),
            "sshort" => (2, true),
            "dword" => (4, false),
            "dwordx2" => (8, false),
            "dwordx3" => (12, false),
            "dwordx4" => (16, false),
            "dwordx8" => (32, false),
            "dwordx16" => (64, false),
            _ => return None,
        };
        match verb {
            "load" => Some(Self::Load(bytes, signed, half)),
            "store" => Some(Self::Store(bytes, half.unwrap_or(0))),
            _ => None,
        }
    }

    fn bytes(self) -> u8 {
        match self {
            Self::Load(bytes, ..) | Self::Store(bytes, _) | Self::Atomic(_, bytes) => bytes,
        }
    }
}

/// Where a byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Memory(u64),
    Lds(u64),
    /// Reads zero, drops stores.
    Nowhere,
}

impl Wave {
    fn byte(&mut self, place: Place) -> Result<Option<&mut u8>, Unknown> {
        match place {
            Place::Memory(va) => {
                self.memory.get_mut(va.wrapping_sub(MEMORY) as usize).map(Some).ok_or(Unknown)
            }
            Place::Lds(at) => Ok(self.lds.get_mut(at as usize)),
            Place::Nowhere => Ok(None),
        }
    }

    /// An element whose bytes are where `at` says.
    pub fn read(&mut self, bytes: u8, at: impl Fn(u64) -> Place) -> Result<u128, Unknown> {
        let mut value = 0;
        for k in 0..bytes {
            let byte = self.byte(at(k.into()))?.map_or(0, |byte| *byte);
            value |= u128::from(byte) << (8 * k);
        }
        Ok(value)
    }

    pub fn write(&mut self, bytes: u8, at: impl Fn(u64) -> Place, value: u128) -> Result<(), Unknown> {
        for k in 0..bytes {
            if let Some(byte) = self.byte(at(k.into()))? {
                *byte = (value >> (8 * k)) as u8;
            }
        }
        Ok(())
    }

    /// One lane's access: `data` and `dst` are vector registers.
    fn access(
        &mut self,
        act: Act,
        lane: usize,
        (data, dst): (u8, u8),
        returns: bool,
        at: impl Fn(u64) -> Place + Copy,
    ) -> Result<(), Unknown> {
        match act {
            Act::Load(bytes, signed, half) => {
                let mut value = self.read(bytes, at)?;
                if signed {
                    value = super::vector::number(value, u32::from(bytes) * 8, true) as u32 as u128;
                }
                if let Some(shift) = half {
                    let old = u128::from(self.v[usize::from(dst)][lane]);
                    value = old & 0xffff << (16 - shift) | (value & 0xffff) << shift;
                }
                self.set_vgprs(dst, bytes.div_ceil(4), lane, value);
            }
            Act::Store(bytes, shift) => {
                let value = self.vgprs(data, bytes.div_ceil(4), lane) >> shift;
                self.write(bytes, at, value)?;
            }
            Act::Atomic(op, bytes) => {
                let dwords = bytes / 4;
                let (d, second) = (
                    self.vgprs(data, dwords, lane),
                    if op == "cmpswap" { self.vgprs(data + dwords, dwords, lane) } else { 0 },
                );
                let old = self.read(bytes, at)?;
                self.write(bytes, at, atomic(op, bytes, old, d, second).ok_or(Unknown)?)?;
                if returns {
                    self.set_vgprs(dst, dwords, lane, old);
                }
            }
        }
        Ok(())
    }
}

/// The new value of an atomic operation: m in memory, data d, second data.
pub fn atomic(op: &str, bytes: u8, m: u128, d: u128, second: u128) -> Option<u128> {
    let bits = 8 * u32::from(bytes);
    let signed = |x: u128| super::vector::number(x, bits, true);
    let value = match op {
        "swap" => d,
        // New value first, then the one to compare.
        "cmpswap" => {
            if m == second {
                d
            } else {
                m
            }
        }
        "add" => m + d,
        "sub" => m.wrapping_sub(d),
        "rsub" => d.wrapping_sub(m),
        "smin" => signed(m).min(signed(d)) as u128,
        "smax" => signed(m).max(signed(d)) as u128,
        "umin" => m.min(d),
        "umax" => m.max(d),
        "and" => m & d,
        "or" => m | d,
        "xor" => m ^ d,
        "inc" if m >= d => 0,
        "inc" => m + 1,
        "dec" if m == 0 || m > d => d,
        "dec" => m - 1,
        _ => return None,
    };
    Some(value & ((1 << bits) - 1))
}

fn field(inst: &Inst, wanted: Field) -> Option<Operand> {
    inst.iter().find(|(slot, operand)| slot.field == wanted && *operand != Operand::None).map(|(_, o)| o)
}

fn vgpr(inst: &Inst, wanted: Field) -> Option<u8> {
    match field(inst, wanted) {
        Some(Operand::Vgpr(n)) => Some(n),
        _ => None,
    }
}

fn sgpr_of(inst: &Inst, wanted: Field) -> Option<u8> {
    match field(inst, wanted) {
        Some(Operand::Sgpr(n)) => Some(n),
        _ => None,
    }
}

pub fn step(wave: &mut Wave, inst: &Inst) -> Result<(), Unknown> {
    let flags = inst.modifiers.flags;
    if flags.has(Flags::LDS) || flags.has(Flags::TFE) {
        return Err(Unknown);
    }
    let name = inst.row.mnemonic;
    if inst.row.encoding == Encoding::Smem {
        return scalar(wave, inst);
    }
    // No cache lies between waves and memory.
    if name.starts_with("buffer_wbinvl1") {
        return Ok(());
    }
    let act = name.split_once('_').and_then(|(_, text)| Act::of(text)).ok_or(Unknown)?;
    let registers = (
        vgpr(inst, Field::Data0).unwrap_or(0),
        vgpr(inst, Field::Dst).or(vgpr(inst, Field::Data0)).unwrap_or(0),
    );
    let before = wave.clone_registers();
    for lane in before.active_lanes() {
        let first = address(&before, inst, lane, act.bytes())?;
        wave.access(act, lane, registers, flags.has(Flags::GLC), |k| first.at(k))?;
    }
    Ok(())
}

/// Where a lane's element begins and how its bytes follow each other.
#[derive(Clone, Copy, Debug)]
enum Address {
    Linear(u64),
    Lds(u64),
    /// Private memory: dwords of the 64 lanes alternate.
    Private {
        base: u64,
        offset: u64,
        lane: u64,
    },
    /// A swizzled buffer: base, index, offset, stride, lanes that alternate.
    Swizzled {
        base: u64,
        index: u64,
        offset: u64,
        stride: u64,
        every: u64,
    },
    Nowhere,
}

impl Address {
    fn at(self, k: u64) -> Place {
        match self {
            Self::Linear(va) => Place::Memory(va.wrapping_add(k)),
            Self::Lds(at) => Place::Lds(at + k),
            Self::Private { base, offset, lane } => {
                let offset = offset + k;
                Place::Memory(base.wrapping_add(offset / 4 * 256 + 4 * lane + offset % 4))
            }
            Self::Swizzled { base, index, offset, stride, every } => {
                let offset = offset + k;
                let block = index / every * stride + offset / 4 * 4;
                Place::Memory(base.wrapping_add(block * every + index % every * 4 + offset % 4))
            }
            Self::Nowhere => Place::Nowhere,
        }
    }
}

impl Wave {
    /// A copy for addresses: loads may overwrite their own.
    fn clone_registers(&self) -> Self {
        Self { memory: Vec::new(), lds: Vec::new(), ..self.clone() }
    }
}

fn address(wave: &Wave, inst: &Inst, lane: usize, bytes: u8) -> Result<Address, Unknown> {
    let imm = i64::from(inst.modifiers.offset);
    let vector = vgpr(inst, Field::Addr);
    let scalar = sgpr_of(inst, Field::SAddr);
    Ok(match inst.row.encoding {
        Encoding::Global => {
            let v = vector.ok_or(Unknown)?;
            Address::Linear(match scalar {
                Some(s) => {
                    wave.pair(s).wrapping_add(wave.v[usize::from(v)][lane].into()).wrapping_add_signed(imm)
                }
                None => (wave.vgprs(v, 2, lane) as u64).wrapping_add_signed(imm),
            })
        }
        Encoding::Flat => {
            let va = (wave.vgprs(vector.ok_or(Unknown)?, 2, lane) as u64).wrapping_add_signed(imm);
            // The apertures that a dispatch of the tests has.
            match va >> 32 {
                0x1_0000 => Address::Lds(va & 0xffff_ffff),
                0x2_0000 => private(wave, va & 0xffff_ffff, lane),
                _ => Address::Linear(va),
            }
        }
        Encoding::Scratch => {
            let v = vector.map_or(0, |v| wave.v[usize::from(v)][lane]);
            let s = scalar.map_or(0, |s| wave.s[usize::from(s)]);
            private(wave, v.wrapping_add(s).wrapping_add_signed(imm as i32).into(), lane)
        }
        _ => buffer(wave, inst, lane, bytes)?,
    })
}

fn private(wave: &Wave, offset: u64, lane: usize) -> Address {
    Address::Private { base: wave.pair(sgpr::FLAT_SCR_LO), offset, lane: lane as u64 }
}

fn soffset(wave: &Wave, inst: &Inst) -> Result<u64, Unknown> {
    match inst.iter().find(|(slot, operand)| slot.field == Field::SOffset && *operand != Operand::None) {
        Some((slot, operand)) => Ok(wave.scalar(slot, operand)? as u32 as u64),
        None => Ok(0),
    }
}

/// A buffer's element (Vega ISA, "Buffer Addressing").
fn buffer(wave: &Wave, inst: &Inst, lane: usize, bytes: u8) -> Result<Address, Unknown> {
    let s = sgpr_of(inst, Field::Rsrc).ok_or(Unknown)?;
    let word = |n: u8| u64::from(wave.s[usize::from(s + n)]);
    let flags = inst.modifiers.flags;
    let (idxen, offen) = (flags.has(Flags::IDXEN), flags.has(Flags::OFFEN));
    let vector = vgpr(inst, Field::Addr).map(usize::from);
    let read = |n: usize| vector.map_or(0, |v| u64::from(wave.v[v + n][lane]));
    let mut index = if idxen { read(0) } else { 0 };
    let offset = inst.modifiers.offset as u64 + if offen { read(usize::from(idxen)) } else { 0 };
    let (base, mut stride, records) = (word(0) | (word(1) & 0xffff) << 32, word(1) >> 16 & 0x3fff, word(2));
    let (swizzle, add_tid) = (word(1) >> 31 == 1, word(3) >> 23 & 1 == 1);
    if add_tid {
        index += lane as u64;
        stride |= (word(3) >> 15 & 15) << 14;
    }
    let scalar = soffset(wave, inst)?;
    let base = base + scalar;
    // Records where an index is given and the buffer has a stride, else bytes.
    let inside =
        if idxen && stride != 0 { index < records } else { offset + u64::from(bytes) + scalar <= records };
    if !inside {
        return Ok(Address::Nowhere);
    }
    if swizzle {
        // The dwords of an element are no neighbours.
        if bytes == 8 && inst.row.mnemonic.contains("atomic") {
            return Err(Unknown);
        }
        let every = 8 << (word(3) >> 21 & 3);
        return Ok(Address::Swizzled { base, index, offset, stride, every });
    }
    Ok(Address::Linear(base + index * stride + offset))
}

/// SMEM.
fn scalar(wave: &mut Wave, inst: &Inst) -> Result<(), Unknown> {
    let name = inst.row.mnemonic;
    if name.starts_with("s_dcache") {
        return Ok(());
    }
    let text = name.strip_prefix("s_").ok_or(Unknown)?;
    let (text, buffer) = text.strip_prefix("buffer_").map_or((text, false), |text| (text, true));
    let act = Act::of(text).ok_or(Unknown)?;
    let base = sgpr_of(inst, Field::SBase).ok_or(Unknown)?;
    let data = sgpr_of(inst, Field::SData).ok_or(Unknown)?;
    let offset = soffset(wave, inst)?.wrapping_add_signed(inst.modifiers.offset.into());
    let (first, size) = if buffer {
        let stride = u64::from(wave.s[usize::from(base) + 1] >> 16 & 0x3fff);
        let records = u64::from(wave.s[usize::from(base) + 2]);
        (wave.pair(base) & 0xffff_ffff_ffff & !3, records * stride.max(1))
    } else {
        (wave.pair(base), u64::MAX)
    };
    let offset = if buffer { offset & !3 } else { offset };
    let first_va = first.wrapping_add(offset) & !3;
    let place = |k: u64| {
        if buffer && offset.saturating_add(k / 4 * 4 + 4) > size {
            Place::Nowhere
        } else {
            Place::Memory(first_va.wrapping_add(k))
        }
    };
    let dwords = |bytes: u8| usize::from(bytes) / 4;
    match act {
        Act::Load(bytes, ..) => {
            let mut values = Vec::new();
            for k in 0..dwords(bytes) {
                values.push(wave.read(4, |byte| place(4 * k as u64 + byte))? as u32);
            }
            wave.s[usize::from(data)..][..values.len()].copy_from_slice(&values);
        }
        Act::Store(bytes, _) => {
            for k in 0..dwords(bytes) {
                let value = wave.s[usize::from(data) + k].into();
                wave.write(4, |byte| place(4 * k as u64 + byte), value)?;
            }
        }
        Act::Atomic(op, bytes) => {
            let read = |at: usize| {
                let low = u128::from(wave.s[usize::from(data) + at]);
                if bytes == 8 { low | u128::from(wave.s[usize::from(data) + at + 1]) << 32 } else { low }
            };
            let (d, second) = (read(0), if op == "cmpswap" { read(dwords(bytes)) } else { 0 });
            let old = wave.read(bytes, place)?;
            wave.write(bytes, place, atomic(op, bytes, old, d, second).ok_or(Unknown)?)?;
            if inst.modifiers.flags.has(Flags::GLC) {
                for k in 0..dwords(bytes) {
                    wave.s[usize::from(data) + k] = (old >> (32 * k)) as u32;
                }
            }
        }
    }
    Ok(())
}
