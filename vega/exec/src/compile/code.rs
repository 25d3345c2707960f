//! Compiled code of a program, and the way into it.
//!
//! # Safety
//! Code is entered at the places that its compiler marked, with the wave, the worker and the records of the
//! program that it was made from. It calls the records' handlers and [`careful`] with the same; it keeps
//! Rust's calling convention and touches other memory only as `super::memory` and `super::scalar` say.

use std::io;

use super::buffer::Executable;
use super::context::Context;
use super::line::disband;
use super::target::Target;
use super::together::Together;
use crate::interp::program::Program;
use crate::interp::record::{EXIT, Record};
use crate::interp::registers::memory_bases;
use crate::interp::wave::Wave;
use crate::interp::worker::Worker;
use crate::memory::Access;
use crate::memory::leaf::landing::{Landing, Site};
use crate::observe::stats::Counts;

/// An instruction of a region: its record, and the lane mask that it writes.
#[derive(Clone, Copy)]
pub(crate) struct Member {
    /// The record.
    pub record: Record,
    /// Its number.
    pub ip: u32,
    /// The first scalar register of the mask; [`Member::NO_MASK`] if there is none.
    pub mask: u16,
    /// EXEC takes the mask, too.
    pub to_exec: bool,
    /// The source was permuted before the region: the number of the lanes that write.
    pub enabled: Option<u8>,
}

impl Member {
    /// No lane mask is written.
    pub const NO_MASK: u16 = u16::MAX;
}

/// What is known of a program's records once they are compiled.
pub(super) struct Records {
    /// Where the code of each begins, as an offset; 0 where control cannot come in.
    pub entries: Box<[u32]>,
    /// Which are left to the interpreter.
    pub called: Box<[bool]>,
}

/// See the file's head.
pub(crate) struct Code {
    /// Gone before the code is.
    _landing: Landing,
    executable: Executable,
    records: Records,
    regions: Box<[Box<[Member]>]>,
    target: Target,
    pub(super) together: Option<Together>,
}

impl Code {
    /// Puts code in place.
    ///
    /// # Errors
    /// When the host refuses executable memory, or there is too much code.
    pub(super) fn new(
        code: &[u8],
        records: Records,
        regions: Vec<Box<[Member]>>,
        sites: &[Site],
        (target, together): (Target, Option<Together>),
    ) -> io::Result<Self> {
        let executable = Executable::new(code)?;
        let landing = Landing::new(executable.start(), executable.len(), sites);
        let landing = landing.ok_or_else(|| io::Error::other("too many programs"))?;
        Ok(Self { _landing: landing, executable, records, regions: regions.into(), target, together })
    }

    /// Bytes of the mapping.
    pub(super) fn len(&self) -> usize {
        self.executable.len()
    }

    /// Where the code of a record begins, if control can come in there.
    #[inline(always)]
    fn entry(&self, ip: usize) -> Option<u32> {
        self.records.entries.get(ip).copied().filter(|offset| *offset != 0)
    }

    /// Completes the counts of the program's records: code counts only where control comes in.
    pub(crate) fn complete(&self, counts: &mut [Counts]) {
        let mut entered = 0;
        for ((counts, entry), called) in
            counts.iter_mut().zip(&self.records.entries).zip(&self.records.called)
        {
            if *entry != 0 {
                entered = std::mem::take(&mut counts.entered);
            }
            // Of a wave's strips, some may have been interpreted.
            let strips = u64::from(64 / self.target.lanes());
            let left = std::mem::take(&mut counts.strips).div_ceil(strips).min(entered);
            let called_out = if *called { entered } else { left };
            counts.called_out += called_out;
            counts.compiled += entered - called_out;
        }
    }

    /// Runs the wave from `ip` on until it stops, or until a record has no entry: its number is returned. Code that counts
    /// does so in `counts`, which has room for the program's records then.
    pub(crate) fn run(
        &self,
        program: &Program,
        wave: &mut Wave,
        worker: &mut Worker,
        ip: usize,
        counts: *mut Counts,
    ) -> Option<usize> {
        let entry = self.entry(ip)?;
        // SAFETY: a place where control can come in.
        Some(unsafe { self.enter(program, wave, worker, entry as usize, counts) })
    }

    /// Runs code from a place on until it leaves, with this wave at hand.
    ///
    /// # Safety
    /// The place must be one where control can come in, and the wave's ring complete if waves run together there.
    #[inline(always)]
    pub(super) unsafe fn enter(
        &self,
        program: &Program,
        wave: *mut Wave,
        worker: &mut Worker,
        place: usize,
        counts: *mut Counts,
    ) -> usize {
        let worker: *mut Worker = worker;
        // SAFETY: a live worker; the context is its own, behind a pointer of its own.
        let context = unsafe {
            let w = &mut *worker;
            let bases = memory_bases(w);
            let context = &mut *w.context;
            context.wave = wave;
            context.first_wave = wave;
            context.taken = 0;
            context.worker = worker;
            context.records = program.records.as_ptr();
            context.base = self.executable.start() as *const u8;
            context.entries = self.records.entries.as_ptr();
            context.count = self.records.entries.len() as u64;
            context.epoch = w.space.epoch_pointer();
            context.slot = w.slot.sequence();
            context.caches = w.caches.as_ptr();
            context.lds = w.lds.as_mut_ptr();
            context.lds_bytes = w.lds_bytes as u64;
            context.lds_aperture = (w.apertures.lds >> 32) as u32;
            context.memory_bases = bases;
            context.careful = match self.target {
                Target::Avx2 => careful::<{ Target::Avx2.lanes() }> as *const () as usize,
                Target::Avx512 => careful::<{ Target::Avx512.lanes() }> as *const () as usize,
            };
            context.rest = rest as *const () as usize;
            context.translate = translate as *const () as usize;
            context.disband = disband as *const () as usize;
            context.sides =
                self.together.as_ref().map_or(std::ptr::null(), |together| together.sides.as_ptr());
            context.regions = self.regions.as_ptr();
            context.counts = counts;
            context.mxcsr = [0x1f80, 0];
            &raw mut *context
        };
        // SAFETY: the code begins with a function of this type; see the file's head.
        unsafe {
            let run: unsafe extern "sysv64" fn(*mut Context, *const u8) -> usize =
                std::mem::transmute(self.executable.start());
            run(context, (self.executable.start() + place) as *const u8)
        }
    }
}

/// The most times in a row that a strip is begun again because a translation was missing. (Accesses that share a slot for
/// translations could take it from each other for ever.)
const MISSES: u32 = 32;

/// Looks for the translation of an access: `wanted` has its slot in the low half and the right in the high one. Returns
/// whether it is worth beginning the strip again.
///
/// # Safety
/// Called by compiled code only, with its context, the number of one of its regions and the first lane of a strip times four.
unsafe extern "sysv64" fn translate(
    context: *mut Context,
    region: u32,
    strip: u32,
    wanted: u32,
    va: u64,
) -> usize {
    // SAFETY: the context's pointers are those of the call under way; compiled code does not run meanwhile.
    let (context, worker) = unsafe { (&mut *context, &mut *(*context).worker) };
    let [.., count] = context.missed;
    let again = context.missed == [region, strip, count];
    context.missed = [region, strip, if again { count + 1 } else { 0 }];
    if again && count >= MISSES {
        context.missed = [u32::MAX; 3];
        return 0;
    }
    let access = if wanted >> 16 == 1 { Access::Read } else { Access::Write };
    worker.renew(wanted as u16, va, access).into()
}

/// Interprets a record for the lanes of a mask. Returns 0, or the exit.
///
/// # Safety
/// Called by compiled code only, with its context and the number of one of its records.
unsafe extern "sysv64" fn rest(context: *mut Context, ip: u32, mask: u64) -> usize {
    // SAFETY: the context's pointers are those of the call under way; compiled code does not run meanwhile.
    unsafe {
        let record = &*(*context).records.add(ip as usize);
        let wave = &mut *(*context).wave;
        let exec = wave.exec();
        wave.set_exec(mask);
        let next = (record.run)(wave, &mut *(*context).worker, record, ip as usize);
        wave.set_exec(exec);
        if next == EXIT { EXIT } else { 0 }
    }
}

/// Interprets a region's instructions for the lanes of one strip, which is told by its first lane times four.
/// Returns 0, or the exit.
///
/// # Safety
/// Called by compiled code only, with its context and the number of one of its regions.
pub(super) unsafe extern "sysv64" fn careful<const LANES: u32>(
    context: *mut Context,
    region: u32,
    strip: u32,
) -> usize {
    // SAFETY: the context's pointers are those of the call under way; compiled code does not run meanwhile.
    unsafe {
        let members = &*(*context).regions.add(region as usize);
        let wave = &mut *(*context).wave;
        let worker = &mut *(*context).worker;
        let lanes = ((1u64 << LANES) - 1) << (strip / 4);
        let mut exec = wave.exec();
        wave.set_exec(exec & lanes);
        for member in members {
            let ip = member.ip as usize;
            if !(*context).counts.is_null() {
                (*(*context).counts.add(ip)).strips += 1;
            }
            let mask = usize::from(member.mask);
            let before = if member.mask == Member::NO_MASK { 0 } else { wave.s64(mask) };
            let active = wave.exec();
            if let Some(slot) = member.enabled {
                wave.set_exec(active & (*context).enabled[usize::from(slot) % (*context).enabled.len()]);
            }
            if (member.record.run)(wave, worker, &member.record, ip) == EXIT {
                wave.set_exec(exec);
                return EXIT;
            }
            if member.enabled.is_some() && !member.to_exec {
                wave.set_exec(active);
            }
            if member.to_exec {
                exec = exec & !lanes | wave.exec() & lanes;
            }
            if member.mask != Member::NO_MASK {
                let after = wave.s64(mask);
                wave.set_s64(mask, before & !lanes | after & lanes);
            }
        }
        wave.set_exec(exec);
    }
    0
}
