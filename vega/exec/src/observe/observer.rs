//! Everything that is observed, in a thread that runs a dispatch.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use vega_isa::{Class, Row};

use super::Observe;
use super::check::LdsAccess;
use super::schedule::Random;
use super::stats::{Stats, Tally};
use super::tracer::Tracer;
use crate::dispatch::Dispatch;
use crate::interp::program::Program;
use crate::interp::wave::Wave;
use crate::interp::worker::{BUDGET, Worker};
use crate::memory::AddressSpace;
use crate::report::FaultKind;

/// A random schedule takes the turn away in front of one memory instruction in so many.
const MEMORY_YIELDS: usize = 8;

/// What the observers of one dispatch share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// The dispatch's headline is in the trace.
    pub announced: Arc<AtomicBool>,
    /// With a schedule: the dispatch's number.
    pub launch: u64,
    /// The dispatch is counted.
    pub counted: AtomicBool,
}

/// One worker's view of the dispatch that it works at.
pub(crate) struct Observer {
    /// With a random schedule.
    pub random: Option<Random>,
    kernel: Option<Arc<str>>,
    stats: Option<(Arc<Stats>, Tally)>,
    /// With a schedule: the clock that it counts, and the hash of what was executed if somebody asks for it.
    clock: Option<Arc<AtomicU64>>,
    hash: Option<u64>,
    entry: u64,
    tracer: Option<Tracer>,
    /// With the check of LDS: the accesses of instructions, by address.
    accesses: Option<HashMap<u64, Option<LdsAccess>>>,
    workgroups: u64,
    waves: u64,
    /// The turn was taken away here: the instruction is next when it comes back.
    yielded: bool,
    /// The instruction at hand is in the trace.
    traced: bool,
}

/// What becomes of an instruction that is about to be executed.
pub(crate) enum Verdict {
    Execute,
    Yield,
    Fault(u32, FaultKind),
}

impl Observer {
    /// `None` when nothing about the dispatch is observed.
    pub fn new(
        observe: &Observe,
        dispatch: &Dispatch,
        shared: &Shared,
        clock: Option<&Arc<AtomicU64>>,
    ) -> Option<Box<Self>> {
        if !observe.is_on() {
            return None;
        }
        let tracer = observe.trace.as_ref().and_then(|t| Tracer::new(t, dispatch, &shared.announced));
        let stats = observe.stats.as_ref();
        if let Some(stats) = stats.filter(|_| !shared.counted.swap(true, Ordering::Relaxed)) {
            stats.add(dispatch.kernel.as_ref(), |kernel| kernel.dispatches += 1);
        }
        let schedule = observe.schedule;
        Some(Box::new(Self {
            random: schedule.and_then(|schedule| schedule.random(shared.launch)),
            kernel: dispatch.kernel.clone(),
            stats: stats.map(|stats| (Arc::clone(stats), Tally::default())),
            clock: clock.cloned(),
            hash: schedule.filter(|_| stats.is_some()).map(|_| 0),
            entry: dispatch.entry_va,
            tracer,
            accesses: observe.check_lds.then(HashMap::new),
            workgroups: 0,
            waves: 0,
            yielded: false,
            traced: false,
        }))
    }

    /// Whether the wave runs in the loop for waves that are observed.
    pub fn wants(&self, wave: &Wave) -> bool {
        self.stats.is_some() || self.wants_each(wave)
    }

    /// Whether the wave must be interpreted instruction by instruction. For statistics alone compiled code runs as well: it
    /// counts in the [`Tally`].
    pub fn wants_each(&self, wave: &Wave) -> bool {
        self.clock.is_some()
            || self.accesses.is_some()
            || self.tracer.as_ref().is_some_and(|tracer| tracer.wants(wave))
    }

    /// A workgroup begins.
    pub fn started(&mut self, waves: usize) {
        self.workgroups += 1;
        self.waves += waves as u64;
    }

    /// A wave goes on.
    pub fn resume(&mut self, wave: &mut Wave) {
        self.traced = self.tracer.as_ref().is_some_and(|tracer| tracer.wants(wave));
        if let Some(random) = &mut self.random {
            wave.budget = 1 + random.below(BUDGET as usize / 4) as u32;
        }
        let [x, y, z] = wave.workgroup.map(u64::from);
        self.mix(x ^ y.rotate_left(20) ^ z.rotate_left(40) ^ u64::from(wave.number).rotate_left(56));
    }

    fn mix(&mut self, value: u64) {
        if let Some(hash) = &mut self.hash {
            *hash = (hash.rotate_left(5) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    /// The wave is about to execute an instruction.
    pub fn before(
        &mut self,
        wave: &Wave,
        worker: &Worker,
        program: &Program,
        ip: usize,
        row: &Row,
    ) -> Verdict {
        let pc = program.pc(ip);
        if let Some(random) = &mut self.random
            && row.class == Class::Memory
        {
            // It is executed when the turn comes back, however often that is drawn.
            self.yielded = !self.yielded && random.once_in(MEMORY_YIELDS);
            if self.yielded {
                return Verdict::Yield;
            }
        }
        if let Some(accesses) = &mut self.accesses
            && row.class == Class::Memory
        {
            let access = accesses.entry(pc).or_insert_with(|| lds_access(&worker.space, pc));
            if let Some((lane, kind)) = access.and_then(|access| access.check(wave, worker)) {
                return Verdict::Fault(lane, kind);
            }
        }
        if let Some(clock) = &self.clock {
            // One worker at a time: nobody else counts.
            clock.store(clock.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            self.mix(pc.wrapping_sub(self.entry));
        }
        if let Some(tracer) = self.tracer.as_mut().filter(|_| self.traced) {
            tracer.before(wave, pc, &worker.space);
        }
        Verdict::Execute
    }

    /// It has executed the instruction at `pc` under the mask `exec`.
    pub fn after(&mut self, wave: &Wave, exec: u64, pc: u64) {
        if let Some(tracer) = self.tracer.as_mut().filter(|_| self.traced) {
            tracer.after(wave, exec, pc);
        }
    }

    /// The counters of a program's records, if anybody counts.
    pub fn tally(&mut self) -> Option<&mut Tally> {
        self.stats.as_mut().map(|(_, tally)| tally)
    }

    /// The wave gives way to others.
    pub fn pause(&mut self) {
        if let Some(tracer) = self.tracer.as_mut().filter(|_| self.traced) {
            tracer.flush();
        }
    }

    /// The worker leaves the dispatch: its counts go where others can read them.
    pub fn finish(mut self, programs: &[Arc<Program>]) {
        let Some((stats, mut tally)) = self.stats.take() else { return };
        stats.add(self.kernel.as_ref(), |kernel| {
            kernel.workgroups += self.workgroups;
            kernel.waves += self.waves;
            tally.flush(programs, kernel);
        });
        if let Some(hash) = self.hash {
            stats.add_hash(hash);
        }
    }
}

/// How the instruction at an address accesses LDS.
fn lds_access(space: &AddressSpace, pc: u64) -> Option<LdsAccess> {
    let mut bytes = [0; 8];
    space.fetch_bytes(pc, &mut bytes).ok()?;
    let words =
        [0, 4].map(|at| bytes.get(at..at + 4).and_then(|w| w.try_into().ok()).map_or(0, u32::from_le_bytes));
    LdsAccess::of(&vega_isa::decode(&words).ok()?)
}
