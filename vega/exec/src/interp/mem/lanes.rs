//! Lanes of GPU addresses: translation, loads, stores, atomics.
//!
//! # Safety
//! Every call of a leaf routine passes host addresses of lanes whose whole element lies in a range that the
//! page table gave, with the right checked, while the worker's slot announces the access. Register pointers
//! are of registers that the lowering bounded.

use vega_isa::memory::{Atomic, Half};

use super::{AtomicShape, Shape, Word};
use crate::interp::elem::CHUNK;
use crate::interp::level::Vector;
use crate::interp::wave::{SPARE, Wave};
use crate::interp::worker::Worker;
use crate::memory::leaf::{self, Done};
use crate::memory::{Access, FaultReason, GuestFault, Range, Rights};
use crate::report::FaultKind;

/// A fault of one lane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LaneFault {
    pub lane: u32,
    pub fault: GuestFault,
}

impl LaneFault {
    /// As the worker reports it.
    pub fn parts(self) -> (FaultKind, Option<u32>) {
        (FaultKind::Memory(self.fault), Some(self.lane))
    }
}

/// The lanes whose element lies in the range.
#[inline(always)]
fn lanes_in<V: Vector>(addresses: &[u64; 64], range: Range, bytes: u64) -> u64 {
    if range.len < bytes {
        return 0;
    }
    let last = range.len - bytes;
    let mut mask = 0;
    for chunk in 0..4 {
        let mut inside = [0u32; CHUNK];
        for lane in 0..CHUNK {
            let offset = addresses[CHUNK * chunk + lane].wrapping_sub(range.start);
            inside[lane] = if offset <= last { !0 } else { 0 };
        }
        mask |= u64::from(V::top_bits(&inside)) << (CHUNK * chunk);
    }
    mask
}

impl Worker {
    /// The translation in an instruction's cache, if it is still valid and allows the access.
    #[inline(always)]
    pub fn cached(&self, cache: u16, access: Access) -> Option<Range> {
        let entry = &self.caches[cache as usize % crate::interp::worker::CACHES];
        let valid = entry.epoch == self.space.epoch();
        (valid && entry.rights.contains(Rights::needed_by(access))).then_some(entry.range)
    }

    /// Puts the translation of an address into a cache; false if it is there already, or if the access is not allowed.
    #[cold]
    pub fn renew(&mut self, cache: u16, va: u64, access: Access) -> bool {
        if self.cached(cache, access).is_some_and(|range| va.wrapping_sub(range.start) < range.len) {
            return false;
        }
        self.slot.enter();
        let found = self.space.translate(va, access);
        self.slot.leave();
        let Ok(found) = found else { return false };
        self.caches[cache as usize % crate::interp::worker::CACHES] = found;
        true
    }

    /// Calls `leaf` with sub-masks of `mask`, ascending, for which `hosts` holds host addresses; `addresses`
    /// holds the lanes' GPU addresses.
    #[inline(always)]
    pub fn for_lanes<V: Vector>(
        &mut self,
        cache: u16,
        mask: u64,
        bytes: u64,
        access: Access,
        mut leaf: impl FnMut(&[u64; 64], u64) -> Done,
    ) -> Result<(), LaneFault> {
        if mask == 0 {
            return Ok(());
        }
        self.slot.enter();
        let result = (|| {
            let mut rest = mask;
            if let Some(range) = self.cached(cache, access) {
                let inside = lanes_in::<V>(&self.addresses, range, bytes);
                if inside & mask == mask {
                    rest = 0;
                    self.call(range, mask, bytes, access, &mut leaf)?;
                }
            }
            while rest != 0 {
                rest &= !self.piece::<V>(cache, rest, bytes, access, &mut leaf)?;
            }
            Ok(())
        })();
        self.slot.leave();
        result
    }

    /// Translates the first lane of `rest` and serves every lane up to the first one outside its range.
    #[cold]
    #[inline(never)]
    fn piece<V: Vector>(
        &mut self,
        cache: u16,
        rest: u64,
        bytes: u64,
        access: Access,
        leaf: &mut impl FnMut(&[u64; 64], u64) -> Done,
    ) -> Result<u64, LaneFault> {
        let lane = rest.trailing_zeros();
        let va = self.addresses[lane as usize];
        let fail = |va, reason| LaneFault { lane, fault: GuestFault { va, access, reason } };
        let entry = self.space.translate(va, access).map_err(|reason| fail(va, reason))?;
        self.caches[cache as usize % crate::interp::worker::CACHES] = entry;
        let range = entry.range;
        let inside = lanes_in::<V>(&self.addresses, range, bytes) & rest;
        if inside >> lane & 1 == 1 {
            // Ascending order across ranges: stop at the first lane outside.
            let outside = rest & !inside;
            let served = if outside == 0 { inside } else { inside & ((1 << outside.trailing_zeros()) - 1) };
            self.call(range, served, bytes, access, leaf)?;
            return Ok(served);
        }
        // The element reaches into the next mapping: both must allow it and lie side by side on the host.
        let end = va.wrapping_add(bytes - 1);
        let next = self
            .space
            .translate(end, access)
            .map_err(|reason| fail(range.start.wrapping_add(range.len), reason))?;
        if next.range.delta != range.delta {
            return Err(fail(next.range.start, FaultReason::Misaligned));
        }
        let both = Range { len: range.len + next.range.len, ..range };
        self.call(both, 1 << lane, bytes, access, leaf)?;
        Ok(1 << lane)
    }

    #[inline(always)]
    fn call(
        &mut self,
        range: Range,
        mask: u64,
        bytes: u64,
        access: Access,
        leaf: &mut impl FnMut(&[u64; 64], u64) -> Done,
    ) -> Result<(), LaneFault> {
        for lane in 0..64 {
            self.hosts[lane] = self.addresses[lane].wrapping_add(range.delta);
        }
        let done = leaf(&self.hosts, mask);
        if done.fault == 0 { Ok(()) } else { Err(self.gone(mask, bytes, access, done.fault)) }
    }

    /// Which lane a host fault belongs to: the first whose element the address lies in.
    #[cold]
    #[inline(never)]
    fn gone(&self, mask: u64, bytes: u64, access: Access, host: u64) -> LaneFault {
        let hit = |lane: &u32| {
            mask >> lane & 1 == 1 && host.wrapping_sub(self.hosts[*lane as usize]) < bytes.max(1)
        };
        let lane = (0..64).find(hit).unwrap_or(mask.trailing_zeros() % 64);
        let va = self.addresses[lane as usize];
        LaneFault { lane, fault: GuestFault { va, access, reason: FaultReason::HostMemoryGone } }
    }

    /// Loads an element for each lane of `mask` from `addresses` to registers from `dst` on.
    #[inline(always)]
    pub fn load_lanes<V: Vector>(
        &mut self,
        wave: &mut Wave,
        cache: u16,
        mask: u64,
        shape: Shape,
        dst: usize,
    ) -> Result<(), LaneFault> {
        let direct = shape.half == Half::Whole;
        let to = wave.register(if direct { dst } else { SPARE + 8 });
        self.for_lanes::<V>(cache, mask, u64::from(shape.bytes), Access::Read, |hosts, mask| {
            let hosts = hosts.as_ptr();
            // SAFETY: see the file's head.
            unsafe {
                match shape.bytes {
                    1 => leaf::gather1(to, hosts, mask),
                    2 => leaf::gather2(to, hosts, mask),
                    4 => leaf::gather4(to, hosts, mask),
                    8 => leaf::gather8(to, hosts, mask),
                    12 => leaf::gather12(to, hosts, mask),
                    _ => leaf::gather16(to, hosts, mask),
                }
            }
        })?;
        if shape.signed || !direct {
            finish_load(wave, mask, shape, dst);
        }
        Ok(())
    }

    /// Stores an element for each lane of `mask` from registers from `data` on to `addresses`.
    #[inline(always)]
    pub fn store_lanes<V: Vector>(
        &mut self,
        wave: &mut Wave,
        cache: u16,
        mask: u64,
        shape: Shape,
        data: usize,
    ) -> Result<(), LaneFault> {
        let mut from = data;
        if shape.half == Half::High {
            from = SPARE + 8;
            wave.v[from] = wave.v[data].map(|x| x >> 16);
        }
        wave.store_outstanding = true;
        let from = wave.register(from).cast_const();
        self.for_lanes::<V>(cache, mask, u64::from(shape.bytes), Access::Write, |hosts, mask| {
            let hosts = hosts.as_ptr();
            // SAFETY: see the file's head.
            unsafe {
                match shape.bytes {
                    1 => leaf::scatter1(from, hosts, mask),
                    2 => leaf::scatter2(from, hosts, mask),
                    4 => leaf::scatter4(from, hosts, mask),
                    8 => leaf::scatter8(from, hosts, mask),
                    12 => leaf::scatter12(from, hosts, mask),
                    _ => leaf::scatter16(from, hosts, mask),
                }
            }
        })
    }

    /// Atomic operations in ascending lane order; `data` is the first data register, a compare value
    /// follows it.
    #[inline(never)]
    pub fn atomic_lanes<V: Vector>(
        &mut self,
        wave: &mut Wave,
        cache: u16,
        mask: u64,
        shape: AtomicShape,
        data: usize,
        dst: usize,
    ) -> Result<(), LaneFault> {
        let bytes = u64::from(shape.bytes);
        for lane in (0..64).filter(|lane| mask >> lane & 1 == 1) {
            let va = self.addresses[lane];
            if !va.is_multiple_of(bytes) {
                let reason = FaultReason::Misaligned;
                let fault = GuestFault { va, access: Access::Atomic, reason };
                return Err(LaneFault { lane: lane as u32, fault });
            }
        }
        let wide = shape.bytes == 8;
        self.for_lanes::<V>(cache, mask, bytes, Access::Atomic, |hosts, mask| {
            for lane in (0..64).filter(|lane| mask >> lane & 1 == 1) {
                let read = |register: usize| {
                    let low = u64::from(wave.v[register][lane]);
                    if wide { low | u64::from(wave.v[register + 1][lane]) << 32 } else { low }
                };
                let (d, d2) = (read(data), read(data + if wide { 2 } else { 1 }));
                // SAFETY: see the file's head; the address is aligned.
                let done = unsafe {
                    if wide {
                        atomic::<u64>(hosts[lane], shape.op, d, d2)
                    } else {
                        atomic::<u32>(hosts[lane], shape.op, d, d2)
                    }
                };
                if done.fault != 0 {
                    return done;
                }
                if shape.returns {
                    wave.v[dst][lane] = done.value as u32;
                    if wide {
                        wave.v[dst + 1][lane] = (done.value >> 32) as u32;
                    }
                }
            }
            Done { value: 0, fault: 0 }
        })
    }
}

/// A word in host memory.
pub(super) trait HostWord: Word {
    /// From the low bits.
    fn from_u64(bits: u64) -> Self;
    /// To the low bits.
    fn to_u64(self) -> u64;
    /// Loads one.
    unsafe fn load(host: u64) -> Done;
    /// Exchanges one.
    unsafe fn swap(host: u64, value: u64) -> Done;
    /// Adds to one.
    unsafe fn add(host: u64, value: u64) -> Done;
    /// Compares and exchanges one.
    unsafe fn cas(host: u64, current: u64, new: u64) -> Done;
}

macro_rules! host_word {
    ($ty:ty, $load:ident $swap:ident $add:ident $cas:ident) => {
        impl HostWord for $ty {
            fn from_u64(bits: u64) -> Self {
                bits as $ty
            }
            fn to_u64(self) -> u64 {
                self.into()
            }
            unsafe fn load(host: u64) -> Done {
                // SAFETY: the caller's.
                unsafe { leaf::$load(host) }
            }
            unsafe fn swap(host: u64, value: u64) -> Done {
                // SAFETY: the caller's.
                unsafe { leaf::$swap(host, value) }
            }
            unsafe fn add(host: u64, value: u64) -> Done {
                // SAFETY: the caller's.
                unsafe { leaf::$add(host, value) }
            }
            unsafe fn cas(host: u64, current: u64, new: u64) -> Done {
                // SAFETY: the caller's.
                unsafe { leaf::$cas(host, current, new) }
            }
        }
    };
}
host_word!(u32, load4 swap4 add4 cas4);
host_word!(u64, load8 swap8 add8 cas8);

/// One atomic operation on host memory; returns the old value.
pub(super) unsafe fn atomic<T: HostWord>(host: u64, op: Atomic, d: u64, d2: u64) -> Done {
    // SAFETY: the caller's: a translated, aligned address.
    unsafe {
        match op {
            Atomic::Add => return T::add(host, d),
            Atomic::Swap => return T::swap(host, d),
            Atomic::CmpSwap => return T::cas(host, d2, d),
            _ => {}
        }
        let mut old = T::load(host);
        loop {
            if old.fault != 0 {
                return old;
            }
            let memory = T::from_u64(old.value);
            let Some(new) = T::apply(op, memory, T::from_u64(d), T::from_u64(d2)) else { return old };
            let seen = T::cas(host, memory.to_u64(), new.to_u64());
            if seen.fault != 0 || T::from_u64(seen.value) == memory {
                return seen;
            }
            old = seen;
        }
    }
}

/// Sign extension and merging of halves, after the bits of a load are in place.
pub(crate) fn finish_load(wave: &mut Wave, mask: u64, shape: Shape, dst: usize) {
    for lane in (0..64).filter(|lane| mask >> lane & 1 == 1) {
        let from = if shape.half == Half::Whole { dst } else { SPARE + 8 };
        let mut value = wave.v[from][lane];
        if shape.signed {
            value = if shape.bytes == 1 { value as i8 as u32 } else { value as i16 as u32 };
        }
        let old = wave.v[dst][lane];
        wave.v[dst][lane] = match shape.half {
            Half::Whole => value,
            Half::Low => old & 0xffff_0000 | value & 0xffff,
            Half::High => old & 0xffff | value << 16,
        };
    }
}
