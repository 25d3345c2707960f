//! The state of one wave.
//!
//! # Safety
//! A wave points to its program without owning it: the worker that runs it keeps every program of the
//! dispatch alive in [`Worker::programs`](super::worker::Worker::programs) until no wave of it is left.

use vega_isa::sgpr;

use super::program::Program;
use crate::gws::Ticket;
use crate::report::WaveState;

/// Lanes of a wave.
pub(crate) const LANES: usize = 64;

/// One vector register: a dword for each lane.
pub(crate) type Vgpr = [u32; LANES];

/// The number of the first of the registers beyond the 256 of the architecture. Handlers that need sources
/// in vector form (broadcasts, modifiers) put them there.
pub(crate) const SPARE: usize = 256;

/// Vector registers with the spare ones.
const VGPRS: usize = SPARE + 16;

/// Scalar registers with what else scalar operands can name: see [`extra`].
pub(crate) const SCALARS: usize = 144;

/// Numbers in the scalar file beyond the 128 of the architecture.
pub(crate) mod extra {
    /// `src_shared_base`, two dwords; limit, private base and private limit follow.
    pub const APERTURES: usize = 132;
    /// What LDS direct reads gave.
    pub const LDS_DIRECT: u16 = 128;
    /// From here on, numbers are no storage: they are computed from other state.
    pub const COMPUTED: u16 = 140;
    /// 1 when VCC is zero.
    pub const VCCZ: u16 = 140;
    /// 1 when EXEC is zero.
    pub const EXECZ: u16 = 141;
    /// The scalar condition code.
    pub const SCC: u16 = 142;
}

/// Why a wave left the interpreter. Compiled code writes it, too: the tag, and behind it what goes with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Stop {
    /// It has not begun, or its time was up at a back edge.
    #[default]
    Yield,
    /// `s_sleep`, or a wait for other workgroups: somebody else should run.
    Sleep,
    /// `s_barrier`.
    Barrier,
    /// It never resumes, and does not end.
    Halt,
    /// `s_endpgm`.
    End,
    /// A jump to an address that is not resolved yet.
    Jump(u64),
    /// Vector operands are relative from now on, or vector instructions skipped; or no longer.
    Indexing,
    /// See the worker's fault.
    Fault,
}

impl Stop {
    /// Where that is which goes with a tag.
    pub const PAYLOAD: usize = 8;

    /// Its tag.
    pub fn tag(self) -> u64 {
        // SAFETY: an enum of this representation begins with its tag.
        unsafe { (&raw const self).cast::<u64>().read() }
    }

    /// What the wave does; `None` once it has ended.
    pub fn state(self) -> Option<WaveState> {
        match self {
            Self::End => None,
            Self::Barrier => Some(WaveState::AtBarrier),
            Self::Sleep => Some(WaveState::Sleeping),
            _ => Some(WaveState::Running),
        }
    }
}

/// One wave: registers and where to resume.
#[repr(C, align(64))]
pub(crate) struct Wave {
    /// Vector registers, then the spare ones.
    pub v: [Vgpr; VGPRS],
    /// Scalar registers by hardware number (VCC at 106, M0 at 124, EXEC at 126), then `extra`.
    pub s: [u32; SCALARS],
    /// The scalar condition code.
    pub scc: bool,
    /// A store has been issued since the last barrier between stores and loads.
    pub store_outstanding: bool,
    /// The MODE register: rounding in bits 0..4, denormals in 4..8, dx10_clamp 8, ieee 9.
    pub mode: u32,
    /// `s_set_gpr_idx`: bits 0..4 say which operands M0 indexes, when on.
    pub gpr_idx: bool,
    /// `s_setvskip`: vector instructions do nothing.
    pub skip_vector: bool,
    /// The TRAPSTS register: no exception is raised, but programs can write it.
    pub trap_status: u32,
    /// Index of the next record.
    pub ip: usize,
    /// Back edges left before the wave yields.
    pub budget: u32,
    /// What it waits for at a `ds_gws` instruction, which it executes again.
    pub ticket: Option<Ticket>,
    /// Why it is not running.
    pub stop: Stop,
    /// Its number in the workgroup.
    pub number: u32,
    /// Where it runs: the hardware register HW_ID.
    pub hw_id: u32,
    /// The workgroup's id.
    pub workgroup: [u32; 3],
    /// The next wave of its workgroup, from the last one the first. Used while they run together.
    pub next: *mut Wave,
    /// What it executes; null before the first start.
    pub program: *const Program,
    /// Its part of scratch memory: first address and bytes. Empty when the dispatch uses none.
    pub scratch: (u64, u32),
    /// Go on in the strict version of the code at the next jump.
    pub strict: bool,
}

// SAFETY: the fields that are not Send by themselves are the program pointer, which is null or points to a
// program that is immutable and shared between threads (see the file's head), and the next wave's, which means nothing
// outside of the call of compiled code that sets it.
unsafe impl Send for Wave {}

impl Wave {
    /// A wave on the heap, all zero, without touching its pages.
    pub fn boxed() -> Box<Self> {
        // SAFETY: all-zero bytes are a valid wave: integers, false, a null pointer, and a `Stop` whose tag
        // is written below before anything reads it.
        let mut wave: Box<Self> = unsafe { Box::new_zeroed().assume_init() };
        wave.stop = Stop::Yield;
        wave
    }

    /// Tells the waves of a workgroup which comes next.
    pub fn link(waves: &mut [Box<Self>]) {
        let mut next: *mut Self = std::ptr::null_mut();
        for wave in waves.iter_mut().rev() {
            wave.next = next;
            next = &raw mut **wave;
        }
        if let Some(last) = waves.last_mut() {
            last.next = next;
        }
    }

    /// Is where the first wave of its workgroup is that has run for both.
    pub fn catch_up(&mut self, first: &Self) {
        self.stop = Stop::Yield;
        self.workgroup = first.workgroup;
        self.store_outstanding |= first.store_outstanding;
    }

    /// The program, if one is set.
    #[inline(always)]
    pub fn program<'a>(&self) -> Option<&'a Program> {
        // SAFETY: see the file's head.
        unsafe { self.program.as_ref() }
    }

    /// The address of a record of the program.
    pub fn pc(&self, ip: usize) -> u64 {
        self.program().map_or(0, |program| program.pc(ip))
    }

    /// The address behind a record's instruction.
    pub fn pc_after(&self, ip: usize) -> u64 {
        self.program().map_or(0, |program| program.pc_after(ip))
    }

    /// The execution mask.
    #[inline(always)]
    pub fn exec(&self) -> u64 {
        self.s64(sgpr::EXEC_LO as usize)
    }

    /// Sets the execution mask.
    #[inline(always)]
    pub fn set_exec(&mut self, mask: u64) {
        self.set_s64(sgpr::EXEC_LO as usize, mask);
    }

    /// The vector condition code.
    #[inline(always)]
    pub fn vcc(&self) -> u64 {
        self.s64(sgpr::VCC_LO as usize)
    }

    /// Two scalar registers.
    #[inline(always)]
    pub fn s64(&self, number: usize) -> u64 {
        u64::from(self.s[number]) | u64::from(self.s[number + 1]) << 32
    }

    /// Sets two scalar registers.
    #[inline(always)]
    pub fn set_s64(&mut self, number: usize, value: u64) {
        self.s[number] = value as u32;
        self.s[number + 1] = (value >> 32) as u32;
    }

    /// The first lane of `mask` whose address lies outside the wave's part of scratch memory. None where the
    /// dispatch has no scratch memory: whatever the code takes for it is its own affair.
    #[inline(always)]
    pub fn beyond_scratch(&self, addresses: &[u64; LANES], mask: u64) -> Option<u32> {
        let (start, bytes) = self.scratch;
        let outside = |lane: &u32| {
            mask >> lane & 1 == 1 && addresses[*lane as usize].wrapping_sub(start) >= u64::from(bytes)
        };
        if bytes == 0 { None } else { (0..LANES as u32).find(outside) }
    }

    /// M0.
    #[inline(always)]
    pub fn m0(&self) -> u32 {
        self.s[sgpr::M0 as usize]
    }
}
