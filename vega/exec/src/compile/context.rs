//! What compiled code finds by a pointer: the wave, the worker, room for values that registers do not hold.
//!
//! # Safety
//! The pointers are set by [`super::code::Code::run`] before compiled code starts and are not used
//! afterwards; wave, worker and program outlive the call.

use crate::interp::record::Record;
use crate::interp::wave::Wave;
use crate::interp::worker::Worker;
use crate::memory::RangeCache;
use crate::observe::stats::Counts;

/// How the addresses of a group of accesses lie in the strip at hand.
#[repr(C)]
pub(crate) struct Known {
    /// The number of a [`Class`](super::groups::Class).
    pub class: u64,
    /// The host address of the first lane, without the instructions' offsets; nothing for class 0.
    pub first: u64,
}

/// Vector registers of a wave.
pub(super) const VECTORS: usize = 272;

/// See the file's head.
#[repr(C, align(64))]
pub(crate) struct Context {
    /// The wave that runs.
    pub wave: *mut Wave,
    /// The first wave of the workgroup, where its waves run together.
    pub first_wave: *mut Wave,
    /// Some of those took the branch at hand.
    pub taken: u64,
    /// Lanes of the workgroup behind the first, where its waves run together.
    pub behind: u64,
    /// The thread's things.
    pub worker: *mut Worker,
    /// The program's records.
    pub records: *const Record,
    /// Where compiled code begins.
    pub base: *const u8,
    /// For each record the distance of its code from `base`, or 0.
    pub entries: *const u32,
    /// How many records there are.
    pub count: u64,
    /// The page table's epoch.
    pub epoch: *const u64,
    /// The thread's announcement of accesses.
    pub slot: *mut u32,
    /// Translations.
    pub caches: *const RangeCache,
    /// The workgroup's LDS.
    pub lds: *mut u8,
    /// Bytes of LDS.
    pub lds_bytes: u64,
    /// The high half of addresses in the aperture of LDS.
    pub lds_aperture: u32,
    /// The hardware register `SH_MEM_BASES`.
    pub memory_bases: u32,
    /// Interprets a region for one strip.
    pub careful: usize,
    /// Interprets an instruction for some lanes.
    pub rest: usize,
    /// Looks for the translation of an access.
    pub translate: usize,
    /// Gives waves that run together as one line what they lack.
    pub disband: usize,
    /// The places where they do.
    pub sides: *const super::line::Side,
    /// Where a translation was last looked for: the region and the strip, and how often in a row.
    pub missed: [u32; 3],
    /// The compiled program's regions.
    pub regions: *const Box<[super::code::Member]>,
    /// The counters of the program's records, if compiled code counts.
    pub counts: *mut Counts,
    /// MXCSR: as it should be, and as it was read.
    pub mxcsr: [u32; 2],
    /// Dwords for single values.
    pub scratch: [u64; 4],
    /// Host addresses of the strip's elements, one for each lane.
    pub places: [u64; 16],
    /// Their values, where elements are smaller than a dword.
    pub values: [u32; 16],
    /// What inactive lanes access instead.
    pub sink: [u64; 8],
    /// What the wave's first lane has, for each affine value of the region at hand.
    pub firsts: [u32; super::affine::MOST],
    /// The host address of each spread's first element.
    pub spreads: [u64; super::affine::MOST],
    /// What the workgroup's first lane has in registers that are affine over all its waves.
    pub held: [u32; super::line::HELD],
    /// What is known of each group of accesses.
    pub groups: [Known; super::groups::MOST],
    /// Lane masks of the strip at hand.
    pub pending: [u32; 128],
    /// The strip's part of EXEC, where no mask register holds it: as bits, and as a vector of all ones or zeroes.
    pub active: u64,
    /// See `active`.
    pub exec: [u32; 8],
    /// The lanes that write, as such a vector, where those are not all of EXEC.
    pub writing: [u32; 8],
    /// Lanes of interest to the instruction at hand, as such vectors.
    pub waiting: [[u32; 8]; 2],
    /// The first active lane, in every lane.
    pub first: [u32; 8],
    /// Elements of lanes on their way to or from scattered places.
    pub elements: [u32; 32],
    /// Lanes that write, for instructions whose sources were permuted before their region.
    pub enabled: [u64; 8],
    /// Vector registers of the strip at hand, then lane masks.
    pub spilled: [[u32; 16]; VECTORS + 64],
}

// SAFETY: the pointers mean nothing outside of a call of compiled code, which sets them.
unsafe impl Send for Context {}

impl Context {
    /// A context without a call under way.
    pub fn boxed() -> Box<Self> {
        // SAFETY: integers and null pointers may be all zero.
        unsafe { Box::new_zeroed().assume_init() }
    }
}
