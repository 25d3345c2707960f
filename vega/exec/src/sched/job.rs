//! A dispatch under way.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::group::Spares;
use super::launch::Launch;
use super::places::Places;
use super::registers;
use super::shift::{NAP, Shift};
use crate::cancel::CancelToken;
use crate::dispatch::Dispatch;
use crate::host::Host;
use crate::interp::program::Program;
use crate::interp::wave::Wave;
use crate::interp::worker::Worker;
use crate::interp::{self, Beginning};
use crate::memory::AddressSpace;
use crate::observe::Observe;
use crate::observe::observer::{self, Observer};
use crate::observe::schedule::{InstructionClock, Launches};
use crate::report::{FaultKind, FaultReport, Position};

/// After this much work alone, the caller asks the helpers.
const HELP_AFTER: Duration = Duration::from_micros(20);

/// With a schedule, turns without progress after which another dispatch may run for a while: what this one waits
/// for may come from there.
const PATIENCE: usize = 4096;

/// How a dispatch is run.
pub(crate) struct Limits {
    /// How long it may take.
    pub watchdog: Option<Duration>,
    /// What is observed of it.
    pub observe: Observe,
    /// What all dispatches share if there is a schedule.
    pub scheduled: Option<Arc<Scheduled>>,
}

/// What dispatches share when they run one after the other.
#[derive(Debug, Default)]
pub(crate) struct Scheduled {
    turn: Mutex<()>,
    instructions: Arc<AtomicU64>,
    launches: Launches,
}

impl Limits {
    /// The device that the waves see.
    fn host(&self, device: Arc<dyn Host>) -> Arc<dyn Host> {
        match &self.scheduled {
            None => device,
            Some(scheduled) => {
                Arc::new(InstructionClock { device, instructions: Arc::clone(&scheduled.instructions) })
            }
        }
    }
}

impl Scheduled {
    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A number that threads change, in cache lines of its own.
#[derive(Default)]
#[repr(align(128))]
pub(super) struct Shared(pub AtomicU64);

/// A dispatch under way. It is kept afterwards: the next one finds its room there.
pub(crate) struct Job {
    pub dispatch: Dispatch,
    pub space: Arc<AddressSpace>,
    pub host: Arc<dyn Host>,
    pub program: Arc<Program>,
    pub cancel: CancelToken,
    pub(super) launch: Launch,
    groups: [u32; 3],
    total: u64,
    chunk: u64,
    next: Shared,
    /// Workgroups that a worker has taken and given back, and how many ranges of them there are.
    returned: Mutex<Vec<Range<u64>>>,
    returns: AtomicU32,
    /// Workgroups that have ended.
    pub(super) ended: Shared,
    /// Those whose waves began together, and in line.
    together: [AtomicU64; 2],
    stop: AtomicBool,
    fault: Mutex<Option<Box<FaultReport>>>,
    pub(super) places: Places,
    /// When the watchdog ends it.
    deadline: Option<(Instant, Duration)>,
    pub(super) limits: Limits,
    observed: observer::Shared,
    /// Helpers inside; the caller waits until there are none.
    helpers: Mutex<u32>,
    left: Condvar,
}

impl Job {
    /// A job without a dispatch.
    pub fn idle(nothing: &References) -> Self {
        Self {
            launch: Launch::default(),
            groups: [0; 3],
            total: 0,
            chunk: 1,
            dispatch: Dispatch::default(),
            space: Arc::clone(&nothing.space),
            host: Arc::clone(&nothing.host),
            program: Arc::clone(&nothing.program),
            cancel: nothing.cancel.clone(),
            next: Shared::default(),
            returned: Mutex::default(),
            returns: AtomicU32::new(0),
            ended: Shared::default(),
            together: Default::default(),
            stop: AtomicBool::new(false),
            fault: Mutex::new(None),
            places: Places::default(),
            deadline: None,
            limits: Limits { watchdog: None, observe: Observe::default(), scheduled: None },
            observed: observer::Shared::default(),
            helpers: Mutex::new(0),
            left: Condvar::new(),
        }
    }

    /// Lets go of everything that belongs to the dispatch, which is over.
    pub fn rest(&mut self, nothing: &References) {
        self.total = 0;
        self.dispatch.kernel = None;
        self.space = Arc::clone(&nothing.space);
        self.host = Arc::clone(&nothing.host);
        self.program = Arc::clone(&nothing.program);
        self.cancel = nothing.cancel.clone();
    }

    /// Prepares a dispatch; an error says what it asks too much of.
    pub fn renew(
        &mut self,
        dispatch: &Dispatch,
        references: References,
        threads: usize,
        limits: Limits,
    ) -> Result<(), &'static str> {
        let groups = dispatch.workgroups();
        if dispatch.workgroup.contains(&0) || dispatch.workgroup_items() > 1024 {
            return Err("a workgroup has 1 to 1024 work-items");
        }
        if dispatch.lds_bytes as usize > crate::interp::worker::LDS_MAX {
            return Err("a workgroup has at most 64 KiB of LDS");
        }
        let uses_scratch = dispatch.rsrc2 & 1 == 1 || dispatch.private_segment_bytes != 0;
        let scratch = dispatch.scratch.filter(|scratch| uses_scratch && scratch.wave_bytes != 0);
        if !self.places.renew(dispatch, scratch.map(|scratch| scratch.waves)) {
            return Err("scratch memory holds less than one workgroup");
        }
        self.launch.renew(dispatch);
        self.groups = groups;
        self.total = groups.iter().map(|&n| u64::from(n)).product::<u64>();
        self.chunk = (self.total / (threads as u64 * 16)).clamp(1, 64);
        self.dispatch.clone_from(dispatch);
        self.host = limits.host(references.host);
        (self.space, self.program, self.cancel) = (references.space, references.program, references.cancel);
        self.next = Shared::default();
        self.returned.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        self.returns = AtomicU32::new(0);
        self.ended = Shared::default();
        self.together = Default::default();
        self.stop = AtomicBool::new(false);
        self.fault = Mutex::new(None);
        self.deadline = limits.watchdog.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        if limits.observe.is_on() {
            let launch = limits.scheduled.as_ref().map_or(0, |scheduled| scheduled.launches.number(dispatch));
            self.observed = observer::Shared { launch, ..observer::Shared::default() };
        }
        self.limits = limits;
        self.helpers = Mutex::new(0);
        Ok(())
    }

    /// Whether workgroups are left that nobody has taken.
    pub fn has_work(&self) -> bool {
        let left = || self.next.0.load(Ordering::Relaxed) < self.total;
        !self.is_stopped() && (left() || self.returns.load(Ordering::Relaxed) != 0)
    }

    /// Whether one of those could start now.
    pub fn is_waiting(&self) -> bool {
        self.has_work() && !self.is_held() && self.places.has_room()
    }

    /// A number that changes as workgroups start and end.
    pub fn progress(&self) -> u64 {
        self.next.0.load(Ordering::Relaxed) + self.ended.0.load(Ordering::Relaxed)
    }

    /// Whether waves must not run now.
    pub fn is_held(&self) -> bool {
        self.cancel.is_held()
    }

    /// Some workgroups to start.
    pub(super) fn take(&self) -> Range<u64> {
        if self.returns.load(Ordering::Relaxed) != 0 {
            let mut returned = self.returned.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(range) = returned.pop() {
                self.returns.fetch_sub(1, Ordering::Relaxed);
                return range;
            }
        }
        if self.next.0.load(Ordering::Relaxed) >= self.total {
            return 0..0;
        }
        let from = self.next.0.fetch_add(self.chunk, Ordering::Relaxed).min(self.total);
        from..(from + self.chunk).min(self.total)
    }

    /// The id of a workgroup, from its number.
    pub(super) fn id(&self, number: u64) -> [u32; 3] {
        let [x, y, _] = self.groups;
        match u32::try_from(number) {
            Ok(number) if number < x => [number, 0, 0],
            // Nearly always: a division of 32 bits is several times as fast.
            Ok(number) => [number % x, number / x % y, number / x / y],
            Err(_) => {
                let [x, y] = [x, y].map(u64::from);
                [(number % x) as u32, (number / x % y) as u32, (number / x / y) as u32]
            }
        }
    }

    /// Workgroups that were taken and not started.
    pub(super) fn give_back(&self, range: Range<u64>) {
        if !range.is_empty() {
            self.returned.lock().unwrap_or_else(PoisonError::into_inner).push(range);
            self.returns.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How waves of this worker's next workgroup can begin.
    pub(super) fn beginning(&self, worker: &Worker) -> Beginning {
        if self.launch.is_uniform() && worker.observer.is_none() {
            interp::beginning(&self.program)
        } else {
            Beginning::Alone
        }
    }

    /// How many workgroups have begun with their waves together, and how many in line.
    pub fn together(&self) -> [u64; 2] {
        self.together.each_ref().map(|count| count.load(Ordering::Relaxed))
    }

    /// The first fault, if any wave faulted.
    pub fn take_fault(&self) -> Option<Box<FaultReport>> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.cancel.is_canceled()
    }

    /// A helper enters, if there is something to do.
    pub fn enter(&self) -> bool {
        let mut helpers = self.helpers.lock().unwrap_or_else(PoisonError::into_inner);
        let enters = self.has_work();
        *helpers += u32::from(enters);
        enters
    }

    /// A helper leaves.
    pub fn leave(&self) {
        *self.helpers.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.left.notify_all();
    }

    /// A helper lost its workgroups to a bug: the dispatch must not count as done.
    pub fn abandon(&self) {
        self.stop.store(true, Ordering::Relaxed);
        let report = Self::refusal(&self.dispatch, "a worker thread of the engine panicked");
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(report);
    }

    /// Waits until no helper is inside.
    pub fn wait(&self) {
        let mut helpers = self.helpers.lock().unwrap_or_else(PoisonError::into_inner);
        while *helpers != 0 {
            helpers = self.left.wait(helpers).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Works until no workgroup is left to take and the taken ones have ended.
    pub fn work(&self, worker: &mut Worker, spares: &mut Spares, seat: &Seat<'_>) {
        let mut run = Shift::new(self, seat, std::mem::take(&mut spares.groups));
        worker.begin(&self.space, &self.host, &self.dispatch, &self.program);
        let scheduled = self.limits.scheduled.as_deref();
        let clock = scheduled.map(|scheduled| &scheduled.instructions);
        worker.observer = Observer::new(&self.limits.observe, &self.dispatch, &self.observed, clock);
        let mut turn = scheduled.map(Scheduled::turn);
        let mut help = seat.help.map(|help| (help, Instant::now()));
        let _running = self.cancel.run();
        while !self.is_stopped() {
            if self.cancel.is_held() {
                drop(turn);
                self.cancel.wait();
                turn = scheduled.map(Scheduled::turn);
                continue;
            }
            if let Some((ask, since)) = help
                && since.elapsed() > HELP_AFTER
                && self.has_work()
            {
                ask();
                help = None;
            }
            if !run.step(worker, spares) {
                break;
            }
            if let Some(scheduled) = scheduled.filter(|_| run.idle > PATIENCE) {
                run.idle = 0;
                drop(turn);
                std::thread::sleep(NAP);
                turn = Some(scheduled.turn());
            }
        }
        drop(turn);
        self.give_back(run.taken.clone());
        while let Some(group) = run.groups.pop_front() {
            run.release(group, spares);
        }
        run.settle();
        for (count, own) in self.together.iter().zip([&mut worker.together, &mut worker.in_line]) {
            count.fetch_add(std::mem::take(own), Ordering::Relaxed);
        }
        spares.groups = run.groups;
    }

    /// Whether the watchdog's time is up, and how long it was.
    pub(super) fn is_overdue(&self) -> Option<Duration> {
        self.deadline.filter(|(end, _)| Instant::now() > *end).map(|(_, limit)| limit)
    }

    pub(super) fn report(&self, wave: &Wave, worker: &mut Worker, positions: Vec<Position>) {
        self.stop.store(true, Ordering::Relaxed);
        let Some(fault) = worker.fault.take() else { return };
        let pc = wave.pc(wave.ip);
        let mut words = Vec::new();
        let mut word = [0; 4];
        while words.len() < 5 {
            let at = pc.wrapping_add(4 * words.len() as u64);
            if self.space.fetch_bytes(at, &mut word).is_err() {
                break;
            }
            words.push(u32::from_le_bytes(word));
        }
        let report = FaultReport {
            kind: fault.kind,
            pc,
            registers: registers::read(wave, &words, fault.lane),
            words,
            workgroup: wave.workgroup,
            wave: wave.number,
            lane: fault.lane,
            exec: wave.exec(),
            positions,
            schedule: self.limits.observe.schedule,
        };
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(Box::new(report));
    }

    /// The report of a dispatch that cannot start.
    pub fn refusal(dispatch: &Dispatch, reason: &'static str) -> Box<FaultReport> {
        Box::new(FaultReport {
            kind: FaultKind::Resources { reason },
            pc: dispatch.entry_va,
            words: Vec::new(),
            workgroup: [0; 3],
            wave: 0,
            lane: None,
            exec: 0,
            registers: Vec::new(),
            positions: Vec::new(),
            schedule: None,
        })
    }
}

/// What a dispatch works with, and others own, too.
pub(crate) struct References {
    /// The page table of its card.
    pub space: Arc<AddressSpace>,
    /// The device around.
    pub host: Arc<dyn Host>,
    /// Its code.
    pub program: Arc<Program>,
    /// What stops it.
    pub cancel: CancelToken,
}

/// How a thread takes part in a job.
pub(crate) struct Seat<'a> {
    /// A helper leaves when there is no room; the caller stays until all workgroups have ended.
    pub is_helper: bool,
    /// Called once when there turns out to be enough work for more threads.
    pub help: Option<&'a dyn Fn()>,
    /// Whether a dispatch of higher priority comes first.
    pub outranked: &'a dyn Fn() -> bool,
}
