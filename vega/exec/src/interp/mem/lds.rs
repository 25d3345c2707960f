//! DS instructions: the workgroup's LDS.
//!
//! LDS belongs to one workgroup, and a workgroup runs on one thread, so its accesses are plain. Bytes out of
//! range read as zero, stores to them are dropped. Address and offset are added in 32 bits: compilers fold
//! negative addresses with large offsets (LLVM does from GFX7 on).
//!
//! # Safety
//! A lane's offset is compared with the last one at which the element fits before LDS is accessed through
//! its pointer. Register pointers are of registers that the lowering bounded.

use vega_isa::memory::Atomic;

use super::{ATOMICS, AtomicShape, Shape, Word, lanes::finish_load};
use crate::interp::elem::CHUNK;
use crate::interp::level::{Handler, Vector};
use crate::interp::record::{Record, code};
use crate::interp::wave::{SPARE, Wave, extra};
use crate::interp::worker::Worker;

/// The addresses of a DS instruction.
#[inline(always)]
fn addresses(wave: &mut Wave, record: &Record) -> *const u32 {
    wave.source(record, 0, 1)
}

/// The largest address at which `bytes` bytes at `offset` lie inside LDS; `None` if there is none.
#[inline(always)]
fn limit(worker: &Worker, offset: u32, bytes: u32) -> Option<u32> {
    (worker.lds_bytes as u32).checked_sub(offset.checked_add(bytes)?)
}

/// The lanes of `mask` whose address is at most `limit`.
#[inline(always)]
unsafe fn inside<V: Vector>(addresses: *const u32, limit: Option<u32>, mask: u64) -> u64 {
    let Some(limit) = limit else { return 0 };
    // SAFETY: `addresses` points to a register.
    let chunk = |n: usize| unsafe { addresses.add(CHUNK * n).cast::<[u32; CHUNK]>().read() };
    let beyond = |a: [u32; CHUNK]| {
        let mut r = [0u32; CHUNK];
        for lane in 0..CHUNK {
            r[lane] = if a[lane] > limit { !0 } else { 0 };
        }
        u64::from(V::top_bits(&r))
    };
    // Most often all lanes are inside: one comparison with the largest of each four tells.
    let mut largest = chunk(0);
    for n in 1..4 {
        let a = chunk(n);
        for lane in 0..CHUNK {
            largest[lane] = largest[lane].max(a[lane]);
        }
    }
    if beyond(largest) == 0 {
        return mask;
    }
    let outside = (0..4).fold(0, |bits, n| bits | beyond(chunk(n)) << (CHUNK * n));
    mask & !outside
}

/// Sixteen addresses that begin at `first` and are `bytes` apart.
#[inline(always)]
fn consecutive(first: u32, bytes: u32) -> [u32; CHUNK] {
    let steps = steps(bytes);
    let mut r = [0; CHUNK];
    for lane in 0..CHUNK {
        r[lane] = steps[lane].wrapping_add(first);
    }
    r
}

/// Four lanes' elements of four dwords, from anywhere, to lanes of four registers.
///
/// # Safety
/// 16 bytes are readable at each of `rows`, and four lanes of four registers writable at `d`.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn transpose(rows: [*const u8; 4], d: *mut u32) {
    use std::arch::x86_64::*;
    // SAFETY: SSE2 is part of x86-64; the caller's pointers.
    unsafe {
        let [a, b, c, e] = rows.map(|row| _mm_loadu_si128(row.cast()));
        let (ab_low, ce_low) = (_mm_unpacklo_epi32(a, b), _mm_unpacklo_epi32(c, e));
        let (ab_high, ce_high) = (_mm_unpackhi_epi32(a, b), _mm_unpackhi_epi32(c, e));
        _mm_storeu_si128(d.cast(), _mm_unpacklo_epi64(ab_low, ce_low));
        _mm_storeu_si128(d.add(64).cast(), _mm_unpackhi_epi64(ab_low, ce_low));
        _mm_storeu_si128(d.add(128).cast(), _mm_unpacklo_epi64(ab_high, ce_high));
        _mm_storeu_si128(d.add(192).cast(), _mm_unpackhi_epi64(ab_high, ce_high));
    }
}

/// The same without vector instructions.
///
/// # Safety
/// As above.
#[cfg(not(target_arch = "x86_64"))]
#[inline(always)]
unsafe fn transpose(rows: [*const u8; 4], d: *mut u32) {
    for (lane, row) in rows.into_iter().enumerate() {
        for k in 0..4 {
            // SAFETY: the caller's pointers.
            unsafe { d.add(64 * k + lane).write(row.cast::<u32>().add(k).read_unaligned()) };
        }
    }
}

/// 0, n, 2n, … as addresses of consecutive elements.
const fn steps(bytes: u32) -> [u32; CHUNK] {
    let mut r = [0; CHUNK];
    let mut lane = 0;
    while lane < CHUNK {
        r[lane] = lane as u32 * bytes;
        lane += 1;
    }
    r
}

/// Loads elements of `4 * DWORDS` bytes at the addresses plus `offset`.
///
/// Per 16 lanes: one address for all is a broadcast, consecutive addresses are a block, the rest goes lane
/// by lane.
#[inline(always)]
unsafe fn load<V: Vector, const DWORDS: usize>(
    wave: &mut Wave,
    worker: &Worker,
    from: *const u32,
    offset: u32,
    dst: usize,
) {
    let exec = wave.exec();
    // SAFETY: `from` points to a register.
    let ok = unsafe { inside::<V>(from, limit(worker, offset, 4 * DWORDS as u32), exec) };
    let lds = worker.lds.as_ptr();
    let d = wave.register(dst);
    if ok == !0 {
        for chunk in 0..4 {
            // SAFETY: all 64 elements lie inside LDS; `d` points to DWORDS registers.
            unsafe {
                let a = from.add(CHUNK * chunk).cast::<[u32; CHUNK]>().read();
                let first = lds.add(a[0] as usize + offset as usize);
                let d = d.add(CHUNK * chunk);
                if V::equal(&a, &[a[0]; CHUNK]) {
                    for k in 0..DWORDS {
                        let value = first.cast::<u32>().add(k).read_unaligned();
                        d.add(64 * k).cast::<[u32; CHUNK]>().write([value; CHUNK]);
                    }
                } else if DWORDS == 4 {
                    for lane in (0..CHUNK).step_by(4) {
                        let row = |n: usize| lds.add(a[lane + n] as usize + offset as usize);
                        transpose([row(0), row(1), row(2), row(3)], d.add(lane));
                    }
                } else if DWORDS == 1 && V::equal(&a, &consecutive(a[0], 4)) {
                    d.cast::<[u32; CHUNK]>().write(first.cast::<[u32; CHUNK]>().read_unaligned());
                } else {
                    for lane in 0..CHUNK {
                        let element = lds.add(a[lane] as usize + offset as usize).cast::<[u32; DWORDS]>();
                        let element = element.read_unaligned();
                        for k in 0..DWORDS {
                            d.add(64 * k + lane).write(element[k]);
                        }
                    }
                }
            }
        }
        return;
    }
    for lane in (0..64).filter(|lane| exec >> lane & 1 == 1) {
        // SAFETY: the lane's element lies inside LDS if its bit is set in `ok`; `from` and `d` are registers.
        unsafe {
            let a = from.add(lane).read();
            for k in 0..DWORDS {
                let at = u64::from(a.wrapping_add(offset)) + 4 * k as u64;
                let value = if ok >> lane & 1 == 1 {
                    lds.add(at as usize).cast::<u32>().read_unaligned()
                } else {
                    worker.lds_read(at, 4) as u32
                };
                d.add(64 * k + lane).write(value);
            }
        }
    }
}

impl Worker {
    /// Up to 8 bytes of LDS, those out of range zero.
    pub fn lds_read(&self, at: u64, bytes: u64) -> u64 {
        let mut value = 0;
        for byte in 0..bytes {
            let inside = at.checked_add(byte).filter(|at| *at < self.lds_bytes as u64);
            let bits = inside.and_then(|at| self.lds.get(at as usize)).copied().unwrap_or(0);
            value |= u64::from(bits) << (8 * byte);
        }
        value
    }

    /// Stores up to 8 bytes of LDS, dropping those out of range.
    pub fn lds_write(&mut self, at: u64, bytes: u64, value: u64) {
        for byte in 0..bytes {
            let inside = at.checked_add(byte).filter(|at| *at < self.lds_bytes as u64);
            if let Some(cell) = inside.and_then(|at| self.lds.get_mut(at as usize)) {
                *cell = (value >> (8 * byte)) as u8;
            }
        }
    }

    /// An atomic operation on LDS; returns the old value.
    pub fn lds_atomic(&mut self, at: u64, op: Atomic, bytes: u8, d: u64, d2: u64) -> u64 {
        let old = self.lds_read(at, bytes.into());
        let new = if bytes == 8 {
            u64::apply(op, old, d, d2)
        } else {
            u32::apply(op, old as u32, d as u32, d2 as u32).map(u64::from)
        };
        if let Some(new) = new {
            self.lds_write(at, bytes.into(), new);
        }
        old
    }
}

/// `ds_read_b32`, `b64`, `b96`, `b128`.
pub(crate) struct Read<const DWORDS: usize>;

impl<const DWORDS: usize> Handler for Read<DWORDS> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let from = addresses(wave, record);
        let mut copy = [0u32; 64];
        let from = keep(from, record, DWORDS, &mut copy);
        // SAFETY: `from` is 64 addresses.
        unsafe { load::<V, DWORDS>(wave, worker, from, record.imm as u32, record.dst as usize) };
        ip + 1
    }
}

/// Addresses in a place that the destination does not overlap.
#[inline(always)]
fn keep(from: *const u32, record: &Record, dwords: usize, copy: &mut [u32; 64]) -> *const u32 {
    let at = record.src[0].wrapping_sub(code::VGPR).wrapping_sub(record.dst);
    if record.src[0] < code::VGPR || usize::from(at) >= dwords {
        return from;
    }
    // SAFETY: `from` points to a register.
    *copy = unsafe { from.cast::<[u32; 64]>().read() };
    copy.as_ptr()
}

/// `ds_read2_b32`, `b64` and the `st64` ones: `consts[1]` is the second offset in bytes, `imm` the first.
pub(crate) struct Read2<const DWORDS: usize>;

impl<const DWORDS: usize> Handler for Read2<DWORDS> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let from = addresses(wave, record);
        let mut copy = [0u32; 64];
        let from = keep(from, record, 2 * DWORDS, &mut copy);
        let dst = record.dst as usize;
        // SAFETY: `from` is 64 addresses.
        unsafe {
            load::<V, DWORDS>(wave, worker, from, record.imm as u32, dst);
            load::<V, DWORDS>(wave, worker, from, record.consts[1] as u32, dst + DWORDS);
        }
        ip + 1
    }
}

#[inline(always)]
unsafe fn store<V: Vector, const DWORDS: usize>(
    wave: &mut Wave,
    worker: &mut Worker,
    to: *const u32,
    offset: u32,
    data: usize,
) {
    let exec = wave.exec();
    // SAFETY: `to` points to a register.
    let ok = unsafe { inside::<V>(to, limit(worker, offset, 4 * DWORDS as u32), exec) };
    let d = wave.register(data);
    let lds = worker.lds.as_mut_ptr();
    if ok == !0 && DWORDS == 1 {
        for chunk in 0..4 {
            // SAFETY: all 64 elements lie inside LDS.
            unsafe {
                let a = to.add(CHUNK * chunk).cast::<[u32; CHUNK]>().read();
                let values = d.add(CHUNK * chunk).cast::<[u32; CHUNK]>().read();
                if V::equal(&a, &consecutive(a[0], 4)) {
                    let block = lds.add(a[0] as usize + offset as usize).cast::<[u32; CHUNK]>();
                    block.write_unaligned(values);
                } else {
                    for lane in 0..CHUNK {
                        let element = lds.add(a[lane] as usize + offset as usize).cast::<u32>();
                        element.write_unaligned(values[lane]);
                    }
                }
            }
        }
        return;
    }
    for lane in (0..64).filter(|lane| exec >> lane & 1 == 1) {
        // SAFETY: the lane's element lies inside LDS if its bit is set in `ok`; `to` and `d` are registers.
        unsafe {
            let a = to.add(lane).read();
            for k in 0..DWORDS {
                let at = u64::from(a.wrapping_add(offset)) + 4 * k as u64;
                let value = d.add(64 * k + lane).read();
                if ok >> lane & 1 == 1 {
                    worker.lds.as_mut_ptr().add(at as usize).cast::<u32>().write_unaligned(value);
                } else {
                    worker.lds_write(at, 4, value.into());
                }
            }
        }
    }
}

/// `ds_write_b32`, `b64`, `b96`, `b128`.
pub(crate) struct Write<const DWORDS: usize>;

impl<const DWORDS: usize> Handler for Write<DWORDS> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let to = addresses(wave, record);
        // SAFETY: `to` is 64 addresses.
        unsafe { store::<V, DWORDS>(wave, worker, to, record.imm as u32, record.sdst as usize) };
        ip + 1
    }
}

/// `ds_write2_b32`, `b64` and the `st64` ones: `consts[1]` is the second offset in bytes, `imm` the first.
pub(crate) struct Write2<const DWORDS: usize>;

impl<const DWORDS: usize> Handler for Write2<DWORDS> {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let to = addresses(wave, record);
        // SAFETY: `to` is 64 addresses.
        unsafe {
            store::<V, DWORDS>(wave, worker, to, record.imm as u32, record.sdst as usize);
            store::<V, DWORDS>(wave, worker, to, record.consts[1] as u32, record.consts[0] as usize);
        }
        ip + 1
    }
}

/// Loads of 1 and 2 bytes; `consts[2]` is the [`Shape`].
pub(crate) struct ReadSmall;

impl Handler for ReadSmall {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let shape = Shape::unpack(record.consts[2]);
        let from = addresses(wave, record);
        let exec = wave.exec();
        let dst = record.dst as usize;
        let to = if shape.half == vega_isa::memory::Half::Whole { dst } else { SPARE + 8 };
        for lane in (0..64).filter(|lane| exec >> lane & 1 == 1) {
            // SAFETY: `from` is 64 addresses.
            let at = u64::from(unsafe { from.add(lane).read() }.wrapping_add(record.imm as u32));
            wave.v[to][lane] = worker.lds_read(at, shape.bytes.into()) as u32;
        }
        finish_load(wave, exec, shape, dst);
        ip + 1
    }
}

/// Stores of 1 and 2 bytes; `consts[2]` is the [`Shape`].
pub(crate) struct WriteSmall;

impl Handler for WriteSmall {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let shape = Shape::unpack(record.consts[2]);
        let shift = if shape.half == vega_isa::memory::Half::High { 16 } else { 0 };
        let to = addresses(wave, record);
        let exec = wave.exec();
        for lane in (0..64).filter(|lane| exec >> lane & 1 == 1) {
            // SAFETY: `to` is 64 addresses.
            let at = u64::from(unsafe { to.add(lane).read() }.wrapping_add(record.imm as u32));
            let value = u64::from(wave.v[record.sdst as usize][lane] >> shift);
            worker.lds_write(at, shape.bytes.into(), value);
        }
        ip + 1
    }
}

/// LDS atomics, in ascending lane order; `consts[2]` is the [`AtomicShape`].
pub(crate) struct LdsAtomic;

impl Handler for LdsAtomic {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, record: &Record, ip: usize) -> usize {
        let AtomicShape { op, bytes, returns } = AtomicShape::unpack(record.consts[2]);
        let at = addresses(wave, record);
        let mut copy = [0u32; 64];
        let at = keep(at, record, usize::from(bytes / 4), &mut copy);
        let exec = wave.exec();
        let (first, second) = (record.sdst as usize, record.consts[0] as usize);
        for lane in (0..64).filter(|lane| exec >> lane & 1 == 1) {
            // SAFETY: `at` is 64 addresses.
            let at = u64::from(unsafe { at.add(lane).read() }.wrapping_add(record.imm as u32));
            let read = |register: usize| {
                let low = u64::from(wave.v[register][lane]);
                if bytes == 8 { low | u64::from(wave.v[register + 1][lane]) << 32 } else { low }
            };
            let (mut d, mut d2) = (read(first), read(second));
            // In LDS the compare value comes first (DS_CMPST).
            if matches!(op, Atomic::CmpSwap | Atomic::CmpSwapF) {
                std::mem::swap(&mut d, &mut d2);
            }
            let old = worker.lds_atomic(at, op, bytes, d, d2);
            if returns {
                wave.v[record.dst as usize][lane] = old as u32;
                if bytes == 8 {
                    wave.v[record.dst as usize + 1][lane] = (old >> 32) as u32;
                }
            }
        }
        ip + 1
    }
}

/// Before an instruction with the source `src_lds_direct`: every lane reads the same place, which M0 tells with its type.
pub(crate) struct LdsDirect;

impl Handler for LdsDirect {
    #[inline(always)]
    unsafe fn exec<V: Vector>(wave: &mut Wave, worker: &mut Worker, _: &Record, ip: usize) -> usize {
        let m0 = wave.m0();
        let read = |bytes| worker.lds_read(u64::from(m0 & 0xffff), bytes) as u32;
        wave.s[extra::LDS_DIRECT as usize] = match m0 >> 16 & 7 {
            0 => read(1),
            1 => read(2),
            4 => read(1) as u8 as i8 as u32,
            5 => read(2) as u16 as i16 as u32,
            _ => read(4),
        };
        ip + 1
    }
}

/// Where each lane's dword is in transfers between memory and LDS.
fn transfer_address(wave: &Wave, imm: i32, lane: usize) -> u64 {
    u64::from((wave.m0() & 0xffff).wrapping_add_signed(imm).wrapping_add(4 * lane as u32))
}

/// The last half of a load to LDS: dwords of active lanes, from a register to consecutive places from M0 on.
pub(crate) fn from_memory(wave: &Wave, worker: &mut Worker, register: usize, imm: i32) {
    let exec = wave.exec();
    for lane in (0..64).filter(|lane| exec >> lane & 1 == 1) {
        worker.lds_write(transfer_address(wave, imm, lane), 4, wave.v[register][lane].into());
    }
}

/// The first half of a store from LDS.
pub(crate) fn to_registers(wave: &mut Wave, worker: &Worker, register: usize, imm: i32) {
    for lane in 0..64 {
        wave.v[register][lane] = worker.lds_read(transfer_address(wave, imm, lane), 4) as u32;
    }
}

const _: () = assert!(ATOMICS.len() < 256, "an atomic's number fits a byte of the record's constant");
