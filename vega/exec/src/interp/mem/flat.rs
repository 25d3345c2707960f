//! GLOBAL, FLAT and SCRATCH instructions.
//!
//! # Safety
//! Register pointers are of registers that the lowering bounded; see `lanes` for the accesses themselves.

use vega_isa::memory::Half;
use vega_isa::sgpr;

use super::lanes::LaneFault;
use super::{AtomicShape, Shape};
use crate::interp::elem::CHUNK;
use crate::interp::level::{Handler, Vector};
use crate::interp::record::{EXIT, Record, code};
use crate::interp::wave::{SPARE, Wave};
use crate::interp::worker::Worker;
use crate::memory::{Access, FaultReason, GuestFault};

/// Stops the wave with the lane's fault.
#[cold]
#[inline(never)]
fn fault(worker: &mut Worker, wave: &mut Wave, ip: usize, fault: LaneFault) -> usize {
    let (kind, lane) = fault.parts();
    worker.fail(wave, ip, kind, lane)
}

/// The next record, or the exit of a faulting wave.
#[inline(always)]
fn next(worker: &mut Worker, wave: &mut Wave, ip: usize, result: Result<(), LaneFault>) -> usize {
    match result {
        Ok(()) => ip + 1,
        Err(lane) => fault(worker, wave, ip, lane),
    }
}

/// `worker.addresses` = 64-bit address registers, or scalar base and 32-bit offset register, plus `imm`.
#[inline(always)]
fn global_addresses(wave: &mut Wave, worker: &mut Worker, record: &Record) {
    let saddr = record.src[1];
    let vgpr = record.src[0].wrapping_sub(code::VGPR) as usize;
    if saddr != code::NONE {
        let base = wave.s64(saddr as usize).wrapping_add_signed(record.imm.into());
        for lane in 0..64 {
            worker.addresses[lane] = base.wrapping_add(u64::from(wave.v[vgpr][lane]));
        }
        return;
    }
    for lane in 0..64 {
        let address = u64::from(wave.v[vgpr][lane]) | u64::from(wave.v[vgpr + 1][lane]) << 32;
        worker.addresses[lane] = address.wrapping_add_signed(record.imm.into());
    }
}

/// 0, 4, 8, …: the distances of consecutive dwords.
const DWORDS: [u32; CHUNK] = {
    let mut r = [0; CHUNK];
    let mut lane = 0;
    while lane < CHUNK {
        r[lane] = 4 * lane as u32;
        lane += 1;
    }
    r
};

/// When each 16 lanes access consecutive dwords: where each row begins, as host addresses.
#[inline(always)]
fn rows<V: Vector>(wave: &mut Wave, worker: &Worker, record: &Record, access: Access) -> Option<[u64; 4]> {
    if record.src[1] != code::NONE || wave.exec() != !0 {
        return None;
    }
    let range = worker.cached(record.cache, access)?;
    let vgpr = record.src[0].wrapping_sub(code::VGPR) as usize;
    let mut bases = [0; 4];
    for chunk in 0..4 {
        let lanes = CHUNK * chunk..CHUNK * (chunk + 1);
        let low: &[u32; CHUNK] = wave.v[vgpr][lanes.clone()].try_into().ok()?;
        let high: &[u32; CHUNK] = wave.v[vgpr + 1][lanes].try_into().ok()?;
        let mut expected = [0u32; CHUNK];
        for lane in 0..CHUNK {
            expected[lane] = low[0].wrapping_add(DWORDS[lane]);
        }
        if !V::equal(low, &expected) || !V::equal(high, &[high[0]; CHUNK]) || low[0] > u32::MAX - 63 {
            return None;
        }
        let va = u64::from(low[0]) | u64::from(high[0]) << 32;
        let va = va.wrapping_add_signed(record.imm.into());
        if va.wrapping_sub(range.start) > range.len.checked_sub(64)? {
            return None;
        }
        bases[chunk] = va.wrapping_add(range.delta);
    }
    Some(bases)
}

/// `global_load_dword`: rows of consecutive dwords go as blocks.
pub(crate) struct LoadDword;

impl Handler for LoadDword {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        worker.slot.enter();
        if let Some(bases) = rows::<V>(wave, worker, record, Access::Read) {
            let d = wave.register(record.dst as usize);
            // SAFETY: the rows lie in a range that was translated for reading while the access is announced.
            let done = unsafe { V::load_rows(d, &bases) };
            worker.slot.leave();
            if done.fault == 0 {
                return ip + 1;
            }
        } else {
            worker.slot.leave();
        }
        // SAFETY: the caller's.
        unsafe { GlobalLoad::<4>::exec::<V>(wave, worker, record, ip) }
    }
}

/// `global_store_dword`.
pub(crate) struct StoreDword;

impl Handler for StoreDword {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        worker.slot.enter();
        if let Some(bases) = rows::<V>(wave, worker, record, Access::Write) {
            wave.store_outstanding = true;
            let d = wave.register(record.sdst as usize);
            // SAFETY: the rows lie in a range that was translated for writing while the access is announced.
            let done = unsafe { V::store_rows(d, &bases) };
            worker.slot.leave();
            if done.fault == 0 {
                return ip + 1;
            }
        } else {
            worker.slot.leave();
        }
        // SAFETY: the caller's.
        unsafe { GlobalStore::<4>::exec::<V>(wave, worker, record, ip) }
    }
}

/// Loads of whole dwords.
pub(crate) struct GlobalLoad<const BYTES: u8>;

impl<const BYTES: u8> Handler for GlobalLoad<BYTES> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        global_addresses(wave, worker, record);
        let shape = Shape { bytes: BYTES, signed: false, half: Half::Whole };
        let exec = wave.exec();
        let result = worker.load_lanes::<V>(wave, record.cache, exec, shape, record.dst as usize);
        next(worker, wave, ip, result)
    }
}

/// Stores of whole dwords.
pub(crate) struct GlobalStore<const BYTES: u8>;

impl<const BYTES: u8> Handler for GlobalStore<BYTES> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        global_addresses(wave, worker, record);
        let shape = Shape { bytes: BYTES, signed: false, half: Half::Whole };
        let exec = wave.exec();
        let result = worker.store_lanes::<V>(wave, record.cache, exec, shape, record.sdst as usize);
        next(worker, wave, ip, result)
    }
}

/// What a FLAT-family instruction does with its addresses.
#[derive(Clone, Copy)]
pub(crate) enum Act {
    /// A load to the destination.
    Load(Shape),
    /// A store of the data.
    Store(Shape),
    /// An atomic operation.
    Atomic(AtomicShape),
}

impl Act {
    /// Bytes of a lane's element.
    pub fn bytes(self) -> u8 {
        match self {
            Self::Load(shape) | Self::Store(shape) => shape.bytes,
            Self::Atomic(shape) => shape.bytes,
        }
    }
}

/// In `consts[1]`: which of [`Act`] `consts[2]` is for.
pub(crate) mod act {
    pub const LOAD: u64 = 0;
    pub const STORE: u64 = 1;
    pub const ATOMIC: u64 = 2;
}

impl Act {
    #[inline(always)]
    pub fn of(record: &Record) -> Self {
        match record.consts[1] {
            act::LOAD => Self::Load(Shape::unpack(record.consts[2])),
            act::STORE => Self::Store(Shape::unpack(record.consts[2])),
            _ => Self::Atomic(AtomicShape::unpack(record.consts[2])),
        }
    }
}

impl Worker {
    /// Does `act` at the GPU addresses in `addresses`.
    #[inline(always)]
    pub fn act<V: Vector>(
        &mut self,
        wave: &mut Wave,
        record: &Record,
        mask: u64,
        act: Act,
    ) -> Result<(), LaneFault> {
        let (dst, data) = (record.dst as usize, record.sdst as usize);
        match act {
            Act::Load(shape) => self.load_lanes::<V>(wave, record.cache, mask, shape, dst),
            Act::Store(shape) => self.store_lanes::<V>(wave, record.cache, mask, shape, data),
            Act::Atomic(shape) => self.atomic_lanes::<V>(wave, record.cache, mask, shape, data, dst),
        }
    }

    /// Refuses `act` if a lane of `mask` has a dword beyond the wave's scratch memory.
    #[inline(always)]
    pub fn check_scratch(&self, wave: &Wave, mask: u64, act: Act) -> Result<(), LaneFault> {
        let Some(lane) = wave.beyond_scratch(&self.addresses, mask) else { return Ok(()) };
        let access = match act {
            Act::Load(_) => Access::Read,
            Act::Store(_) => Access::Write,
            Act::Atomic(_) => Access::Atomic,
        };
        let va = self.addresses[lane as usize] & !3;
        Err(LaneFault { lane, fault: GuestFault { va, access, reason: FaultReason::BeyondScratch } })
    }

    /// Does `act` in private memory: `addresses` holds byte offsets, dwords of the 64 lanes alternate from
    /// `base` on.
    pub fn act_private<V: Vector>(
        &mut self,
        wave: &mut Wave,
        record: &Record,
        mask: u64,
        act: Act,
        base: u64,
    ) -> Result<(), LaneFault> {
        let offsets = *self.addresses;
        let swizzle = |offset: u64, lane: usize| {
            base.wrapping_add((offset & !3).wrapping_mul(64)).wrapping_add(4 * lane as u64 + (offset & 3))
        };
        let (bytes, dst, data) = match act {
            Act::Load(shape) => (shape.bytes, record.dst as usize, 0),
            Act::Store(shape) => (shape.bytes, 0, record.sdst as usize),
            Act::Atomic(shape) => (shape.bytes, 0, 0),
        };
        for lane in 0..64 {
            self.addresses[lane] = swizzle(offsets[lane].wrapping_add(u64::from(bytes) - 1), lane);
        }
        self.check_scratch(wave, mask, act)?;
        if let Act::Atomic(shape) = act {
            for lane in 0..64 {
                self.addresses[lane] = swizzle(offsets[lane], lane);
            }
            if shape.bytes == 8 && mask != 0 {
                // The two dwords of a lane are not neighbours: the card cannot do it either.
                let lane = mask.trailing_zeros();
                let va = self.addresses[lane as usize];
                let fault = GuestFault { va, access: Access::Atomic, reason: FaultReason::Misaligned };
                return Err(LaneFault { lane, fault });
            }
            return self.act::<V>(wave, record, mask, act);
        }
        let step: u8 = if bytes >= 4 { 4 } else { bytes };
        let straddles = |offset: u64| offset % 4 + u64::from(step) > 4;
        if (0..64).any(|lane| mask >> lane & 1 == 1 && straddles(offsets[lane])) {
            return self.act_private_bytes::<V>(wave, record, mask, act, &swizzle, &offsets);
        }
        for k in 0..bytes.div_ceil(4) {
            for lane in 0..64 {
                self.addresses[lane] = swizzle(offsets[lane].wrapping_add(4 * u64::from(k)), lane);
            }
            let part = |shape: Shape| Shape { bytes: step, ..shape };
            match act {
                Act::Load(shape) => {
                    self.load_lanes::<V>(wave, record.cache, mask, part(shape), dst + usize::from(k))?;
                }
                Act::Store(shape) => {
                    self.store_lanes::<V>(wave, record.cache, mask, part(shape), data + usize::from(k))?;
                }
                Act::Atomic(_) => {}
            }
        }
        Ok(())
    }

    /// The same where some element crosses its dword: byte by byte.
    #[cold]
    fn act_private_bytes<V: Vector>(
        &mut self,
        wave: &mut Wave,
        record: &Record,
        mask: u64,
        act: Act,
        swizzle: &dyn Fn(u64, usize) -> u64,
        offsets: &[u64; 64],
    ) -> Result<(), LaneFault> {
        let byte = Shape { bytes: 1, signed: false, half: Half::Whole };
        let spare = SPARE + 9;
        let (shape, data, loading) = match act {
            Act::Load(shape) => (shape, record.dst as usize, true),
            Act::Store(shape) => (shape, record.sdst as usize, false),
            Act::Atomic(_) => return Ok(()),
        };
        let first_bit = if !loading && shape.half == Half::High { 2 } else { 0 };
        if loading {
            for k in 0..shape.dwords() {
                wave.v[SPARE + 10 + k] = [0; 64];
            }
        }
        for at in 0..usize::from(shape.bytes) {
            for lane in 0..64 {
                self.addresses[lane] = swizzle(offsets[lane].wrapping_add(at as u64), lane);
            }
            let (dword, shift) = ((at + first_bit) / 4, 8 * ((at + first_bit) % 4));
            if loading {
                self.load_lanes::<V>(wave, record.cache, mask, byte, spare)?;
                for lane in 0..64 {
                    wave.v[SPARE + 10 + dword][lane] |= (wave.v[spare][lane] & 0xff) << shift;
                }
            } else {
                wave.v[spare] = wave.v[data + dword].map(|x| x >> shift);
                self.store_lanes::<V>(wave, record.cache, mask, byte, spare)?;
            }
        }
        if loading && shape.bytes < 4 {
            wave.v[SPARE + 8] = wave.v[SPARE + 10];
            for lane in (0..64).filter(|lane| shape.half == Half::Whole && mask >> lane & 1 == 1) {
                wave.v[data][lane] = wave.v[SPARE + 10][lane];
            }
            super::lanes::finish_load(wave, mask, shape, data);
        } else if loading {
            for k in 0..shape.dwords() {
                for lane in (0..64).filter(|lane| mask >> lane & 1 == 1) {
                    wave.v[data + k][lane] = wave.v[SPARE + 10 + k][lane];
                }
            }
        }
        Ok(())
    }

    /// Does `act` in LDS at the offsets in `addresses`, for FLAT addresses in the LDS aperture.
    fn act_shared(&mut self, wave: &mut Wave, record: &Record, mask: u64, act: Act) {
        let (dst, data) = (record.dst as usize, record.sdst as usize);
        for lane in (0..64).filter(|lane| mask >> lane & 1 == 1) {
            let at = self.addresses[lane];
            match act {
                Act::Load(shape) => {
                    let to = if shape.half == Half::Whole { dst } else { SPARE + 8 };
                    for k in 0..shape.dwords() {
                        let bytes = u64::from(shape.bytes).min(4);
                        wave.v[to + k][lane] = self.lds_read(at + 4 * k as u64, bytes) as u32;
                    }
                    super::lanes::finish_load(wave, 1 << lane, shape, dst);
                }
                Act::Store(shape) => {
                    let shift = if shape.half == Half::High { 16 } else { 0 };
                    for k in 0..shape.dwords() {
                        let value = u64::from(wave.v[data + k][lane] >> shift);
                        self.lds_write(at + 4 * k as u64, u64::from(shape.bytes).min(4), value);
                    }
                }
                Act::Atomic(AtomicShape { op, bytes, returns }) => {
                    let wide = bytes == 8;
                    let read = |register: usize| {
                        let low = u64::from(wave.v[register][lane]);
                        if wide { low | u64::from(wave.v[register + 1][lane]) << 32 } else { low }
                    };
                    let (d, d2) = (read(data), read(data + if wide { 2 } else { 1 }));
                    let old = self.lds_atomic(at, op, bytes, d, d2);
                    if returns {
                        wave.v[dst][lane] = old as u32;
                        if wide {
                            wave.v[dst + 1][lane] = (old >> 32) as u32;
                        }
                    }
                }
            }
        }
    }
}

/// GLOBAL instructions without a handler of their own.
pub(crate) struct Global;

impl Handler for Global {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        global_addresses(wave, worker, record);
        let exec = wave.exec();
        let result = worker.act::<V>(wave, record, exec, Act::of(record));
        next(worker, wave, ip, result)
    }
}

/// FLAT instructions: each lane's address chooses global memory, LDS or scratch.
pub(crate) struct Flat;

impl Handler for Flat {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        global_addresses(wave, worker, record);
        let exec = wave.exec();
        let (shared, private) = (worker.apertures.lds, worker.apertures.private);
        let (mut in_shared, mut in_private) = (0u64, 0u64);
        for lane in 0..64 {
            let high = worker.addresses[lane] >> 32;
            in_shared |= u64::from(high == shared >> 32) << lane;
            in_private |= u64::from(high == private >> 32) << lane;
        }
        let (in_shared, in_private) = (in_shared & exec, in_private & exec);
        let act = Act::of(record);
        if in_shared | in_private == 0 {
            let result = worker.act::<V>(wave, record, exec, act);
            return next(worker, wave, ip, result);
        }
        let addresses = *worker.addresses;
        if in_shared != 0 {
            *worker.addresses = addresses.map(|va| va & 0xffff_ffff);
            worker.act_shared(wave, record, in_shared, act);
        }
        let mut result = Ok(());
        if in_private != 0 {
            *worker.addresses = addresses.map(|va| va & 0xffff_ffff);
            let base = wave.s64(sgpr::FLAT_SCR_LO as usize);
            result = worker.act_private::<V>(wave, record, in_private, act, base);
        }
        let rest = exec & !in_shared & !in_private;
        if result.is_ok() && rest != 0 {
            *worker.addresses = addresses;
            result = worker.act::<V>(wave, record, rest, act);
        }
        next(worker, wave, ip, result)
    }
}

/// SCRATCH instructions: a 32-bit register or scalar, plus `imm`, in the lane's private memory.
pub(crate) struct Scratch;

impl Handler for Scratch {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let saddr = record.src[1];
        let scalar = if saddr == code::NONE { 0 } else { wave.s[saddr as usize] };
        let vgpr = record.src[0];
        for lane in 0..64 {
            let vector = if vgpr == code::NONE { 0 } else { wave.v[(vgpr - code::VGPR) as usize][lane] };
            let offset = vector.wrapping_add(scalar).wrapping_add_signed(record.imm);
            worker.addresses[lane] = offset.into();
        }
        let base = wave.s64(sgpr::FLAT_SCR_LO as usize);
        let exec = wave.exec();
        let result = worker.act_private::<V>(wave, record, exec, Act::of(record), base);
        next(worker, wave, ip, result)
    }
}

/// What the other memory handlers return.
#[inline(always)]
pub(crate) fn finish(worker: &mut Worker, wave: &mut Wave, ip: usize, r: Result<(), LaneFault>) -> usize {
    let to = next(worker, wave, ip, r);
    debug_assert!(to == EXIT || to == ip + 1);
    to
}
