//! MUBUF and MTBUF instructions: a descriptor in four scalar registers (Vega ISA, "Vector Memory Buffer
//! Instructions").

use vega_isa::memory::{D16, Half};

use super::components::{Components, number};
use super::flat::{Act, act, finish};
use super::lanes::LaneFault;
use super::{AtomicShape, Shape};
use crate::image::TexelFormat;
use crate::image::descriptor::Select;
use crate::interp::level::{Handler, Vector};
use crate::interp::record::{Record, code};
use crate::interp::wave::Wave;
use crate::interp::worker::Worker;

/// In `consts[0]`, whose high half is the scalar offset if that is a constant: the vector address holds an
/// index.
pub(crate) const IDXEN: u64 = 1;
/// The vector address holds an offset (after the index, if there is one).
pub(crate) const OFFEN: u64 = 2;
/// The data goes to LDS.
pub(crate) const LDS: u64 = 4;
/// A register behind the data tells which lanes failed: none does, since there are no partly resident buffers.
pub(crate) const TFE: u64 = 8;

/// A buffer descriptor.
#[derive(Clone, Copy, Debug)]
struct Descriptor {
    base: u64,
    stride: u64,
    records: u64,
    swizzle: bool,
    add_tid: bool,
    index_stride: u64,
    format: Option<TexelFormat>,
    select: [Select; 4],
}

impl Descriptor {
    fn new(words: [u32; 4]) -> Self {
        let [w0, w1, w2, w3] = words;
        let add_tid = w3 >> 23 & 1 != 0;
        let stride = u64::from(w1 >> 16 & 0x3fff);
        // With ADD_TID the data format's bits are more bits of the stride.
        let stride = if add_tid { stride | u64::from(w3 >> 15 & 15) << 14 } else { stride };
        Self {
            base: u64::from(w0) | u64::from(w1 & 0xffff) << 32,
            stride,
            records: w2.into(),
            swizzle: w1 >> 31 != 0,
            add_tid,
            index_stride: 8 << (w3 >> 21 & 3),
            format: TexelFormat::buffer(w3 >> 15 & 15, w3 >> 12 & 7),
            select: [0, 3, 6, 9].map(|at| Select::from_bits(w3 >> at)),
        }
    }

    /// The element's offset from the base, without the scalar offset; `None` out of range.
    ///
    /// The range counts records where instructions give an index and the buffer has a stride, else bytes.
    fn offset(&self, indexed: bool, index: u64, offset: u64, bytes: u64, scalar: u64) -> Option<u64> {
        let inside = if indexed && self.stride != 0 {
            index < self.records
        } else {
            offset.checked_add(bytes)?.checked_add(scalar)? <= self.records
        };
        if !inside {
            return None;
        }
        if !self.swizzle {
            return Some(index * self.stride + offset);
        }
        let (index_msb, index_lsb) = (index / self.index_stride, index % self.index_stride);
        let (offset_msb, offset_lsb) = (offset / 4, offset % 4);
        Some((index_msb * self.stride + offset_msb * 4) * self.index_stride + index_lsb * 4 + offset_lsb)
    }
}

/// The operands that all lanes share.
#[derive(Clone, Copy)]
struct Shared {
    descriptor: Descriptor,
    flags: u64,
    scalar: u64,
}

impl Shared {
    fn new(wave: &Wave, record: &Record) -> Self {
        let s = record.src[1] as usize;
        let flags = record.consts[0];
        let scalar = match record.src[2] {
            code::CONST => flags >> 32,
            _ => u64::from(wave.scalar32(record, 2)),
        };
        let descriptor = Descriptor::new([wave.s[s], wave.s[s + 1], wave.s[s + 2], wave.s[s + 3]]);
        Self { descriptor, flags, scalar }
    }

    /// Puts the addresses of elements at `offset` into `worker.addresses`; returns the lanes in range.
    fn addresses(&self, wave: &Wave, worker: &mut Worker, record: &Record, offset: u64, bytes: u64) -> u64 {
        let Self { descriptor, flags, scalar } = self;
        let mut inside = 0u64;
        for lane in 0..64 {
            let vector = |n: usize| match record.src[0] {
                code::NONE => 0,
                vgpr => u64::from(wave.v[(vgpr - code::VGPR) as usize + n][lane]),
            };
            let (mut index, mut offset) = (0, record.imm as u64 + offset);
            if flags & IDXEN != 0 {
                index = vector(0);
            }
            if flags & OFFEN != 0 {
                offset += vector(usize::from(flags & IDXEN != 0));
            }
            if descriptor.add_tid {
                index += lane as u64;
            }
            let indexed = flags & IDXEN != 0;
            if let Some(at) = descriptor.offset(indexed, index, offset, bytes, *scalar) {
                inside |= 1 << lane;
                worker.addresses[lane] = descriptor.base.wrapping_add(*scalar).wrapping_add(at);
            }
        }
        inside
    }

    /// Does `act` at the addresses in `worker.addresses`.
    fn act<V: Vector>(
        &self,
        wave: &mut Wave,
        worker: &mut Worker,
        record: &Record,
        mask: u64,
        act: Act,
    ) -> Result<(), LaneFault> {
        if self.descriptor.add_tid && self.descriptor.swizzle {
            // A descriptor that tells lanes apart and interleaves them is that of scratch memory.
            worker.check_scratch(wave, mask, act)?;
        }
        worker.act::<V>(wave, record, mask, act)
    }
}

/// MUBUF loads, stores and atomics of untyped data. Lanes out of range read zero and store nothing.
pub(crate) struct Buffer;

impl Handler for Buffer {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let shared = Shared::new(wave, record);
        let act = Act::of(record);
        let (bytes, atomic) = match act {
            Act::Load(shape) | Act::Store(shape) => (shape.bytes, false),
            Act::Atomic(shape) => (shape.bytes, true),
        };
        let exec = wave.exec();
        let result = if atomic || bytes <= 4 {
            whole::<V>(wave, worker, record, &shared, exec, act)
        } else if shared.descriptor.swizzle {
            dwords::<V>(wave, worker, record, &shared, bytes / 4, exec)
        } else {
            in_order::<V>(wave, worker, record, &shared, exec, act)
        };
        finish(worker, wave, ip, result)
    }
}

/// Elements that are in or out of range as a whole.
fn whole<V: Vector>(
    wave: &mut Wave,
    worker: &mut Worker,
    record: &Record,
    shared: &Shared,
    lanes: u64,
    act: Act,
) -> Result<(), LaneFault> {
    let inside = shared.addresses(wave, worker, record, 0, act.bytes().into());
    zero_outside(wave, record, act, lanes & !inside);
    shared.act::<V>(wave, worker, record, lanes & inside, act)
}

/// Lane by lane where elements are in range in part, so that overlapping lanes store in ascending order whatever the
/// others do.
fn in_order<V: Vector>(
    wave: &mut Wave,
    worker: &mut Worker,
    record: &Record,
    shared: &Shared,
    lanes: u64,
    act: Act,
) -> Result<(), LaneFault> {
    let begun = shared.addresses(wave, worker, record, 0, 4);
    let partial = lanes & begun & !shared.addresses(wave, worker, record, 0, act.bytes().into());
    let mut rest = lanes;
    while rest != 0 {
        let first = rest & rest.wrapping_neg();
        let ahead = rest & partial;
        let part = if ahead == 0 { rest } else { rest & ((ahead & ahead.wrapping_neg()) - 1) };
        rest &= !(part | first);
        if part == 0 {
            dwords::<V>(wave, worker, record, shared, act.bytes() / 4, first)?;
        } else {
            whole::<V>(wave, worker, record, shared, part, act)?;
        }
    }
    Ok(())
}

/// Dword by dword: each is in or out of range by itself, and those of a swizzled buffer are no neighbours.
fn dwords<V: Vector>(
    wave: &mut Wave,
    worker: &mut Worker,
    record: &Record,
    shared: &Shared,
    count: u8,
    lanes: u64,
) -> Result<(), LaneFault> {
    let shape = Shape { bytes: 4, signed: false, half: Half::Whole };
    let act = if record.consts[1] == act::LOAD { Act::Load(shape) } else { Act::Store(shape) };
    // The addresses may lie in the registers that are loaded: all of them are formed first.
    let mut places = [(0, [0; 64]); 4];
    for (k, (inside, addresses)) in (0..count).zip(&mut places) {
        *inside = shared.addresses(wave, worker, record, 4 * u64::from(k), 4);
        *addresses = *worker.addresses;
    }
    for (k, (inside, addresses)) in (0..count).zip(places) {
        *worker.addresses = addresses;
        let mut piece = *record;
        piece.dst = record.dst + u16::from(k);
        piece.sdst = record.sdst + u16::from(k);
        zero_outside(wave, &piece, act, lanes & !inside);
        shared.act::<V>(wave, worker, &piece, lanes & inside, act)?;
    }
    Ok(())
}

/// Loads (and returned values) of lanes out of range are zero.
fn zero_outside(wave: &mut Wave, record: &Record, act: Act, lanes: u64) {
    let (dwords, half) = match act {
        Act::Load(shape) => (shape.dwords(), shape.half),
        Act::Atomic(AtomicShape { bytes, returns: true, .. }) => (usize::from(bytes / 4), Half::Whole),
        _ => return,
    };
    for lane in (0..64).filter(|lane| lanes >> lane & 1 == 1) {
        for k in 0..dwords {
            let cell = &mut wave.v[record.dst as usize + k][lane];
            *cell = match half {
                Half::Whole => 0,
                Half::Low => *cell & 0xffff_0000,
                Half::High => *cell & 0xffff,
            };
        }
    }
}

/// MUBUF instructions with [`TFE`] or [`LDS`], around another handler that does the access: `record.plain`.
pub(crate) struct Detour;

impl Handler for Detour {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let mut plain = *record;
        let to_lds = record.consts[0] & LDS != 0;
        if to_lds {
            plain.dst = crate::interp::wave::SPARE as u16 + 12;
        }
        // SAFETY: the caller's; the destination is a register, or spare ones.
        let next = unsafe { (record.plain)(wave, worker, &plain, ip) };
        if next != ip + 1 {
            return next;
        }
        if to_lds {
            super::lds::from_memory(wave, worker, plain.dst as usize, record.imm);
        }
        if record.consts[0] & TFE != 0 {
            let exec = wave.exec();
            // The register's number stands where untyped and formatted accesses have nothing.
            let status = (record.consts[0] >> 8 & 0xff) as usize + record.dst as usize;
            for lane in (0..64).filter(|lane| exec >> lane & 1 == 1) {
                wave.v[status][lane] = 0;
            }
        }
        ip + 1
    }
}

/// `buffer_store_lds_dword`: an LDS dword of each lane, from M0 on, to memory.
pub(crate) struct StoreLds;

impl Handler for StoreLds {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let data = crate::interp::wave::SPARE + 12;
        super::lds::to_registers(wave, worker, data, record.imm);
        let plain = Record { sdst: data as u16, ..*record };
        // SAFETY: the caller's; the data lies in a spare register.
        unsafe { Buffer::exec::<V>(wave, worker, &plain, ip) }
    }
}

/// A formatted access, in a form that fits a record's constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FormatShape {
    pub store: bool,
    pub components: u8,
    pub d16: D16,
    /// Data and number format of the instruction; the descriptor has them for MUBUF.
    pub typed: Option<(u8, u8)>,
}

impl FormatShape {
    /// As a record's constant.
    pub fn pack(self) -> u64 {
        let d16 = match self.d16 {
            D16::No => 0,
            D16::Packed => 1,
            D16::High => 2,
        };
        let (typed, data, number) = self.typed.map_or((0, 0, 0), |(data, number)| (1, data, number));
        u64::from(self.store)
            | u64::from(self.components) << 1
            | d16 << 4
            | typed << 6
            | u64::from(data) << 8
            | u64::from(number) << 16
    }

    /// From a record's constant.
    fn unpack(bits: u64) -> Self {
        let d16 = [D16::No, D16::Packed, D16::High, D16::No][(bits >> 4 & 3) as usize];
        let typed = (bits >> 6 & 1 == 1).then_some(((bits >> 8) as u8, (bits >> 16) as u8));
        Self { store: bits & 1 == 1, components: (bits >> 1 & 7) as u8, d16, typed }
    }
}

/// Formatted loads and stores; `consts[2]` is the [`FormatShape`]. Elements are in range as a whole.
pub(crate) struct Formatted;

impl Handler for Formatted {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let result = formatted(wave, worker, record);
        finish(worker, wave, ip, result)
    }
}

fn formatted(wave: &mut Wave, worker: &mut Worker, record: &Record) -> Result<(), LaneFault> {
    let shape = FormatShape::unpack(record.consts[2]);
    let shared = Shared::new(wave, record);
    const IDENTITY: [Select; 4] =
        [Select::Component(0), Select::Component(1), Select::Component(2), Select::Component(3)];
    let (format, select) = match shape.typed {
        Some((data, number)) => (TexelFormat::buffer(data.into(), number.into()), IDENTITY),
        None => (shared.descriptor.format, shared.descriptor.select),
    };
    let size = format.map_or(0, TexelFormat::size);
    let inside = shared.addresses(wave, worker, record, 0, size.max(1).into());
    let exec = wave.exec();
    let inside = if format.is_some() { exec & inside } else { 0 };
    let components = usize::from(shape.components);
    let register = if shape.store { record.sdst } else { record.dst } as usize;
    let registers = Components { register, d16: shape.d16, number: number(format) };
    let one = format.map_or(1, TexelFormat::one);
    wave.store_outstanding |= shape.store;
    for lane in (0..64).filter(|lane| exec >> lane & 1 == 1) {
        let va = worker.addresses[lane];
        let fail = |fault| LaneFault { lane: lane as u32, fault };
        let here = inside >> lane & 1 == 1;
        match format {
            Some(format) if shape.store && here => {
                let mut texel = [0; 4];
                for (n, from) in select.iter().enumerate().take(components).rev() {
                    if let Select::Component(to) = from {
                        texel[usize::from(to & 3)] = registers.read(wave, lane, n);
                    }
                }
                worker.store_element(record.cache, va, size, format.encode(texel)).map_err(fail)?;
            }
            _ if shape.store => {}
            format => {
                // Out of range, only constant components are not zero.
                let texel = match format {
                    Some(format) if here => {
                        format.decode(worker.load_element(record.cache, va, size).map_err(fail)?)
                    }
                    _ => [0; 4],
                };
                let value = |from: &Select| match from {
                    Select::Zero => 0,
                    Select::One => one,
                    Select::Component(n) => texel[usize::from(n & 3)],
                };
                registers.write(wave, lane, select.iter().take(components).map(value));
            }
        }
    }
    Ok(())
}
