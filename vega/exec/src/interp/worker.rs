//! What one executing thread keeps: translations, scratch space for addresses, the fault of its wave.

use std::collections::HashMap;
use std::sync::Arc;

use super::code::CodeCache;
use super::gds::Shares;
use super::program::Program;
use super::wave::Wave;
use crate::dispatch::{Apertures, Dispatch};
use crate::host::{Host, NoHost};
use crate::memory::quiesce::SlotGuard;
use crate::memory::{AddressSpace, RangeCache};
use crate::observe::observer::Observer;
use crate::observe::schedule::Random;
use crate::report::FaultKind;
use crate::sched::job::References;

/// Translation cache entries; instructions share them by their number.
pub(crate) const CACHES: usize = 1024;

/// Back edges that a wave may take before others get their turn.
pub(crate) const BUDGET: u32 = 256;

/// The fault of the wave that just stopped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WaveFault {
    pub kind: FaultKind,
    pub lane: Option<u32>,
}

/// What hardware registers tell of a dispatch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct DispatchRegisters {
    /// `COMPUTE_PGM_RSRC1` and `COMPUTE_PGM_RSRC2`.
    pub resources: [u32; 2],
    /// Bytes of LDS of a workgroup.
    pub lds_bytes: u32,
    /// Waves of a full workgroup.
    pub waves: u32,
}

impl DispatchRegisters {
    /// Those of a dispatch.
    pub fn new(dispatch: &Dispatch) -> Self {
        Self {
            resources: [dispatch.rsrc1, dispatch.rsrc2],
            lds_bytes: dispatch.lds_bytes,
            waves: dispatch.waves_per_workgroup(),
        }
    }
}

/// One executing thread's own things.
pub(crate) struct Worker {
    /// The page table of the dispatch's card.
    pub space: Arc<AddressSpace>,
    /// The device around.
    pub host: Arc<dyn Host>,
    /// Predecoded code of all spaces.
    pub code: Arc<CodeCache>,
    /// Global data shares of all cards.
    pub shares: Arc<Shares>,
    /// What hardware registers tell of the dispatch.
    pub registers: DispatchRegisters,
    /// Apertures of FLAT instructions.
    pub apertures: Apertures,
    /// The announcement of accesses to guest memory.
    pub slot: SlotGuard,
    /// Translations, by `Record::cache`.
    pub caches: Box<[RangeCache; CACHES]>,
    /// GPU addresses of the instruction at hand, one for each lane.
    pub addresses: Box<[u64; 64]>,
    /// Host addresses of the instruction at hand.
    pub hosts: Box<[u64; 64]>,
    /// LDS of the workgroup at hand.
    pub lds: Box<[u8]>,
    /// Bytes of `lds` that the workgroup has.
    pub lds_bytes: usize,
    /// What compiled code finds by a pointer.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    pub context: Box<crate::compile::context::Context>,
    /// How many workgroups have begun with their waves together, and nobody was told yet.
    pub together: u64,
    /// And in line, up to where they part.
    pub in_line: u64,
    /// The fault of the wave that stopped with `Stop::Fault`.
    pub fault: Option<WaveFault>,
    /// What is observed of the dispatch at hand.
    pub observer: Option<Box<Observer>>,
    /// Every program that waves of the dispatch at hand may point to.
    pub programs: Vec<Arc<Program>>,
    /// Where indirect jumps of this dispatch went: the program's number and the record in it.
    jumps: HashMap<(u64, bool), (usize, usize)>,
    /// So many of the programs are not to be entered any more.
    forgotten: usize,
}

/// Bytes behind the last LDS byte, so that the widest access at the last address stays inside.
pub(crate) const LDS_PAD: usize = 64;

/// The most LDS that a workgroup can have.
pub(crate) const LDS_MAX: usize = 65536;

impl Worker {
    /// A worker without a dispatch.
    pub fn new(code: Arc<CodeCache>, shares: Arc<Shares>) -> Self {
        Self {
            space: AddressSpace::new(),
            host: Arc::new(NoHost),
            code,
            shares,
            registers: DispatchRegisters::default(),
            apertures: Apertures::default(),
            slot: SlotGuard::take(),
            caches: Box::new([RangeCache::default(); CACHES]),
            addresses: Box::new([0; 64]),
            hosts: Box::new([0; 64]),
            lds: Box::default(),
            lds_bytes: 0,
            #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
            context: crate::compile::context::Context::boxed(),
            together: 0,
            in_line: 0,
            fault: None,
            observer: None,
            programs: Vec::new(),
            jumps: HashMap::new(),
            forgotten: 0,
        }
    }

    /// Makes ready for a dispatch that begins in `program`.
    pub fn begin(
        &mut self,
        space: &Arc<AddressSpace>,
        host: &Arc<dyn Host>,
        dispatch: &Dispatch,
        program: &Arc<Program>,
    ) {
        self.space = Arc::clone(space);
        self.host = Arc::clone(host);
        self.apertures = dispatch.apertures;
        self.registers = DispatchRegisters::new(dispatch);
        self.fault = None;
        self.programs.push(Arc::clone(program));
    }

    /// Lets go of the dispatch. No wave of it may be left.
    pub fn end(&mut self, nothing: &References) {
        if let Some(observer) = self.observer.take() {
            observer.finish(&self.programs);
        }
        self.space = Arc::clone(&nothing.space);
        self.host = Arc::clone(&nothing.host);
        self.programs.clear();
        self.jumps.clear();
        self.forgotten = 0;
    }

    /// The random numbers of a random schedule.
    pub fn random(&mut self) -> Option<&mut Random> {
        self.observer.as_mut()?.random.as_mut()
    }

    /// Sends the wave to an address: in a program that this dispatch has seen, or a new one.
    pub fn jump(&mut self, wave: &mut Wave, va: u64) {
        let strict = wave.strict;
        let known = self.jumps.get(&(va, strict)).copied().or_else(|| {
            let programs = self.programs.iter().enumerate().skip(self.forgotten);
            let mut programs = programs.filter(|(_, p)| p.strict == strict);
            programs.find_map(|(n, program)| program.find(va).map(|ip| (n, ip)))
        });
        let (number, ip) = known.filter(|(n, ip)| !self.is_stale(*n, *ip)).unwrap_or_else(|| {
            self.programs.push(self.code.program(&self.space, va, strict));
            (self.programs.len() - 1, 0)
        });
        self.jumps.insert((va, strict), (number, ip));
        if let Some(program) = self.programs.get(number) {
            program.warm(1);
            wave.program = Arc::as_ptr(program);
            wave.ip = ip;
        }
    }

    /// `s_icache_inv`: where memory does not hold the code any more that the wave executes, what it executes from here on
    /// is fetched again, and so is what other waves jump to later.
    pub fn invalidate_code(&mut self, wave: &mut Wave, ip: usize) -> usize {
        if wave.program().is_none_or(|program| program.is_current(&self.space)) {
            return ip + 1;
        }
        self.forgotten = self.programs.len();
        self.jumps.clear();
        let next = wave.pc_after(ip);
        (wave.ip, wave.stop) = (ip, super::wave::Stop::Jump(next));
        super::record::EXIT
    }

    /// Whether the record could not be fetched when it was decoded.
    fn is_stale(&self, number: usize, ip: usize) -> bool {
        self.programs.get(number).is_none_or(|program| program.is_unfetchable(ip))
    }

    /// Stops the wave at the record `ip` with a fault.
    #[cold]
    #[inline(never)]
    pub fn fail(&mut self, wave: &mut Wave, ip: usize, kind: FaultKind, lane: Option<u32>) -> usize {
        wave.stop = super::wave::Stop::Fault;
        wave.ip = ip;
        self.fault = Some(WaveFault { kind, lane });
        super::record::EXIT
    }
}
