//! Modifiers around fast handlers: neg and abs, DPP, SDWA. Sources are brought into spare registers as the
//! modifier sees them, the plain handler runs on those, and its result goes where the modifier says.
//!
//! # Safety
//! As in the other files of handlers: register numbers are bounded by the lowering, and the spare registers
//! are sources and destinations like any other. The plain handlers run under the same contract as their
//! caller.

use vega_isa::{Dpp, Inst, Sel, Unused};

use super::level::{Handler, Vector};
use super::planned::dpp_source;
use super::program::Details;
use super::record::{Record, code};
use super::wave::{LANES, SPARE, Vgpr, Wave};
use super::worker::Worker;

/// In `Record::cache` of a record with modifiers, for source n: bit n absolute, bit 4 + n negated, bit 8 + n
/// 64 bits wide, bit 12 + n 16 bits wide.
pub(crate) mod sign {
    pub const ABS: u16 = 1;
    pub const NEG: u16 = 1 << 4;
    pub const WIDE: u16 = 1 << 8;
    pub const HALF: u16 = 1 << 12;
    /// Any source's sign changes.
    pub const ANY: u16 = 0x77;
}

/// The register of a source in its modified form; a second dword is in the one that follows.
const fn spare(source: usize) -> usize {
    SPARE + 2 * source
}

/// The register of a result that does not go to the destination as it is.
const RESULT: usize = SPARE + 8;

/// A fast operation with neg and abs on its sources, and no other modifier.
pub(crate) struct Signs;

impl Handler for Signs {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let mut plain = *record;
        for source in 0..3 {
            let flags = record.cache >> source;
            if flags & (sign::ABS | sign::NEG) == 0 {
                continue;
            }
            let wide = flags & sign::WIDE != 0;
            let from = wave.source(record, source, if wide { 2 } else { 1 });
            let spare = spare(source);
            let bit = if flags & sign::HALF != 0 { 1 << 15 } else { 1 << 31 };
            let keep = if flags & sign::ABS != 0 { !bit } else { !0 };
            let flip = if flags & sign::NEG != 0 { bit } else { 0 };
            // SAFETY: `from` is one register, or two for wide sources; the copies keep them whole.
            unsafe {
                let first = from.cast::<Vgpr>().read();
                if wide {
                    let second = from.add(LANES).cast::<Vgpr>().read();
                    wave.v[spare] = first;
                    wave.v[spare + 1] = second.map(|x| x & keep ^ flip);
                } else {
                    wave.v[spare] = first.map(|x| x & keep ^ flip);
                }
            }
            plain.src[source] = code::VGPR + spare as u16;
        }
        // SAFETY: the caller's.
        unsafe { (record.plain)(wave, worker, &plain, ip) }
    }
}

/// The operation itself, behind neg and abs.
#[inline(always)]
unsafe fn operate<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) {
    // SAFETY: the caller's.
    unsafe {
        if record.cache & sign::ANY == 0 {
            (record.plain)(wave, worker, record, ip);
        } else {
            Signs::exec::<V>(wave, worker, record, ip);
        }
    }
}

/// A source of one dword.
#[inline(always)]
fn whole(wave: &mut Wave, record: &Record, source: usize) -> Vgpr {
    let from = wave.source(record, source, 1);
    // SAFETY: a register.
    unsafe { from.cast::<Vgpr>().read() }
}

/// How DPP permutes a source, lane by lane.
pub(crate) struct Shuffle {
    /// Where each lane's value comes from: below 64.
    from: [u8; LANES],
    /// Lanes that have such a source.
    valid: u64,
    /// Lanes whose rows and banks write.
    rows: u64,
    /// Lanes without source read 0 instead of not writing.
    bound: bool,
    /// Which of the record's sources is permuted.
    source: usize,
}

impl Shuffle {
    /// Of the modifier, for the record's source of this number.
    pub fn new(dpp: Dpp, source: usize) -> Self {
        let mut shuffle =
            Self { from: [0; LANES], valid: 0, rows: 0, bound: dpp.bound_ctrl, source: source.min(2) };
        for lane in 0..LANES {
            if let Some(from) = dpp_source(dpp.ctrl, lane) {
                shuffle.from[lane] = from as u8 & 63;
                shuffle.valid |= 1 << lane;
            }
            let writes = dpp.row_mask >> (lane / 16) & dpp.bank_mask >> (lane / 4 % 4) & 1;
            shuffle.rows |= u64::from(writes) << lane;
        }
        shuffle
    }

    /// Lanes whose source is there and active.
    #[inline(always)]
    fn supplied(&self, exec: u64) -> u64 {
        if exec == !0 {
            return self.valid;
        }
        let mut supplied = 0;
        for lane in 0..LANES {
            supplied |= (exec >> (self.from[lane] & 63) & 1) << lane;
        }
        supplied & self.valid
    }
}

/// A fast operation whose first source is permuted. Lanes that DPP disables are inactive for it.
pub(crate) struct Shuffled;

impl Handler for Shuffled {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let Some(Details::Shuffle(shuffle)) = wave.program().and_then(|program| program.details(ip)) else {
            return ip + 1;
        };
        let exec = wave.exec();
        let supplied = shuffle.supplied(exec);
        let data = whole(wave, record, shuffle.source);
        let mut values = [0; LANES];
        for lane in 0..LANES {
            values[lane] = data[usize::from(shuffle.from[lane] & 63)];
        }
        if shuffle.bound && supplied != !0 {
            for lane in 0..LANES {
                values[lane] = if supplied >> lane & 1 == 1 { values[lane] } else { 0 };
            }
        }
        let spare = spare(shuffle.source);
        wave.v[spare] = values;
        let mut plain = *record;
        plain.src[shuffle.source] = code::VGPR + spare as u16;
        let lanes = exec & shuffle.rows & if shuffle.bound { !0 } else { supplied };
        wave.set_exec(lanes);
        // SAFETY: the caller's.
        unsafe { operate::<V>(wave, worker, &plain, ip) };
        wave.set_exec(exec);
        ip + 1
    }
}

/// A part of a dword.
#[derive(Clone, Copy)]
struct Part {
    shift: u32,
    bits: u32,
    sext: bool,
}

impl Part {
    fn new(sel: Sel, sext: bool) -> Self {
        let (shift, bits) = match sel {
            Sel::Byte0 => (0, 8),
            Sel::Byte1 => (8, 8),
            Sel::Byte2 => (16, 8),
            Sel::Byte3 => (24, 8),
            Sel::Word0 => (0, 16),
            Sel::Word1 => (16, 16),
            Sel::Dword => (0, 32),
        };
        Self { shift, bits, sext }
    }

    fn is_whole(self) -> bool {
        self.bits == 32
    }

    #[inline(always)]
    fn of(self, values: &Vgpr) -> Vgpr {
        let (up, down) = (32 - self.shift - self.bits, 32 - self.bits);
        if self.sext {
            values.map(|x| ((x << up) as i32 >> down) as u32)
        } else {
            values.map(|x| x << up >> down)
        }
    }
}

/// Which parts of its operands SDWA uses.
pub(crate) struct Parts {
    /// Of the record's first two sources.
    sources: [Part; 2],
    /// Of the destination, and what becomes of the rest; the whole one if there is none.
    dst: Part,
    unused: Unused,
}

impl Parts {
    /// Of an instruction; `swapped` if the record has its first two sources in the other order.
    pub fn new(inst: &Inst, swapped: bool, has_dst: bool) -> Self {
        let sdwa = inst.modifiers.sdwa;
        let mut sources =
            [(sdwa.src0, 1), (sdwa.src1, 2)].map(|(sel, bit)| Part::new(sel, sdwa.sext & bit != 0));
        if swapped {
            sources.swap(0, 1);
        }
        let dst = if has_dst { sdwa.dst } else { Sel::Dword };
        Self { sources, dst: Part::new(dst, false), unused: sdwa.unused }
    }

    /// Puts a result into the active lanes of the destination.
    #[inline(always)]
    fn place(&self, wave: &mut Wave, dst: usize) {
        let Part { shift, bits, .. } = self.dst;
        let field = ((1u32 << bits) - 1) << shift;
        let above = u32::MAX.checked_shl(shift + bits).unwrap_or(0);
        let exec = wave.exec();
        let mut values = wave.v[RESULT].map(|x| x << shift & field);
        match self.unused {
            Unused::Pad => {}
            Unused::Sext => {
                let sign = 1 << (shift + bits - 1);
                values = values.map(|x| if x & sign != 0 { x | above } else { x });
            }
            Unused::Preserve => {
                let old = wave.v[dst];
                for lane in 0..LANES {
                    values[lane] |= old[lane] & !field;
                }
            }
        }
        let to = &mut wave.v[dst];
        for lane in 0..LANES {
            to[lane] = if exec >> lane & 1 == 1 { values[lane] } else { to[lane] };
        }
    }
}

/// A fast operation on parts of dwords.
pub(crate) struct OnParts;

impl Handler for OnParts {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let Some(Details::Parts(parts)) = wave.program().and_then(|program| program.details(ip)) else {
            return ip + 1;
        };
        let mut plain = *record;
        for (source, part) in parts.sources.iter().enumerate().filter(|(_, part)| !part.is_whole()) {
            let values = whole(wave, record, source);
            wave.v[spare(source)] = part.of(&values);
            plain.src[source] = code::VGPR + spare(source) as u16;
        }
        if parts.dst.is_whole() {
            // SAFETY: the caller's.
            unsafe { operate::<V>(wave, worker, &plain, ip) };
        } else {
            plain.dst = RESULT as u16;
            // SAFETY: the caller's.
            unsafe { operate::<V>(wave, worker, &plain, ip) };
            parts.place(wave, record.dst as usize);
        }
        ip + 1
    }
}
