//! The helper threads.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::group::Spares;
use super::job::{Job, References, Seat};
use super::thread;
use crate::cancel::CancelToken;
use crate::host::NoHost;
use crate::interp::code::CodeCache;
use crate::interp::gds::Shares;
use crate::interp::worker::Worker;
use crate::memory::AddressSpace;

/// A worker with its spare parts, as callers borrow it.
pub(crate) struct Kit {
    pub worker: Worker,
    pub spares: Spares,
}

struct Queue {
    jobs: VecDeque<Arc<Job>>,
    closed: bool,
}

/// Priorities that a queue can have.
const PRIORITIES: usize = 16;

/// How long a helper waits when there are jobs and none of them can be helped.
const PATIENCE: Duration = Duration::from_micros(50);

/// How long jobs of higher priority may stand still before others start workgroups.
const STANDSTILL: Duration = Duration::from_millis(100);

/// Every job that runs, to find out which of them come first.
#[derive(Default)]
struct Ranks {
    /// Jobs of each priority.
    counts: [AtomicU32; PRIORITIES],
    jobs: Mutex<Vec<Arc<Job>>>,
}

/// A job that is among the ranks.
struct Ranked<'a>(&'a Ranks, &'a Arc<Job>);

impl Ranks {
    fn priority(job: &Job) -> usize {
        (job.dispatch.priority as usize).min(PRIORITIES - 1)
    }

    fn enlist<'a>(&'a self, job: &'a Arc<Job>) -> Ranked<'a> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(job));
        self.counts[Self::priority(job)].fetch_add(1, Ordering::Relaxed);
        Ranked(self, job)
    }

    /// Whether jobs of higher priority run and get on: their workgroups have the threads first. Without
    /// progress for a while they may be waiting for this one.
    fn outrank(&self, job: &Job, seen: &Cell<(u64, Instant)>) -> bool {
        let priority = Self::priority(job);
        if self.counts[priority + 1..].iter().all(|count| count.load(Ordering::Relaxed) == 0) {
            return false;
        }
        let jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let higher = jobs.iter().filter(|job| Self::priority(job) > priority && !job.is_held());
        let Some(progress) = higher.map(|job| job.progress()).reduce(u64::wrapping_add) else {
            return false;
        };
        drop(jobs);
        let (before, since) = seen.get();
        if before != progress {
            seen.set((progress, Instant::now()));
        }
        before != progress || since.elapsed() < STANDSTILL
    }
}

impl Drop for Ranked<'_> {
    fn drop(&mut self) {
        let Ranked(ranks, job) = self;
        ranks.counts[Ranks::priority(job)].fetch_sub(1, Ordering::Relaxed);
        ranks.jobs.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| !Arc::ptr_eq(other, job));
    }
}

/// A helper inside a job.
struct Presence<'a>(&'a Job);

impl Drop for Presence<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.abandon();
        }
        self.0.leave();
    }
}

/// What helpers and callers share.
pub(crate) struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    ranks: Ranks,
    kits: Mutex<Vec<Kit>>,
    pub code: Arc<CodeCache>,
    shares: Arc<Shares>,
    /// Jobs without a dispatch, for the next ones.
    idle: Mutex<Vec<Arc<Job>>>,
    /// What jobs and workers refer to that have nothing to do: no memory, no device, no code.
    nothing: References,
}

/// Jobs that are kept.
const KEPT: usize = 16;

impl Shared {
    /// References to do yet.
    pub fn new(code: Arc<CodeCache>, threads: usize) -> Arc<Self> {
        let space = AddressSpace::new();
        let nothing = References {
            program: code.program(&space, 0, false),
            space,
            host: Arc::new(NoHost),
            cancel: CancelToken::new(),
        };
        // One that runs, and one that each helper may still hold.
        let idle = (0..=threads).map(|_| Arc::new(Job::idle(&nothing))).collect();
        Arc::new(Self {
            queue: Mutex::new(Queue { jobs: VecDeque::new(), closed: false }),
            wake: Condvar::new(),
            ranks: Ranks::default(),
            kits: Mutex::new(Vec::new()),
            code,
            shares: Arc::default(),
            idle: Mutex::new(idle),
            nothing,
        })
    }

    /// A job to be prepared: nobody else refers to it.
    pub fn job(&self) -> Arc<Job> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = idle.iter_mut().position(|job| Arc::get_mut(job).is_some());
        match unused {
            Some(index) => idle.swap_remove(index),
            None => Arc::new(Job::idle(&self.nothing)),
        }
    }

    /// Takes a job back whose dispatch is over.
    pub fn give_back(&self, mut job: Arc<Job>) {
        if let Some(job) = Arc::get_mut(&mut job) {
            job.rest(&self.nothing);
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(job);
        }
    }

    /// Starts a helper.
    pub fn spawn(self: &Arc<Self>, number: usize) -> std::io::Result<()> {
        let shared = Arc::clone(self);
        std::thread::Builder::new().name(format!("vega-{number}")).spawn(move || {
            thread::block_signals();
            thread::with_default_floats(|| shared.help());
        })?;
        Ok(())
    }

    fn help(&self) {
        let mut kit = Kit {
            worker: Worker::new(Arc::clone(&self.code), Arc::clone(&self.shares)),
            spares: Spares::default(),
        };
        loop {
            let job = {
                let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
                loop {
                    queue.jobs.retain(|job| job.has_work());
                    if queue.closed {
                        return;
                    }
                    // The next helper begins with another job, if there is one.
                    let others = usize::from(queue.jobs.len() > 1);
                    queue.jobs.rotate_left(others);
                    let first = queue.jobs.iter().filter(|job| job.is_waiting());
                    if let Some(job) = first.max_by_key(|job| job.dispatch.priority) {
                        break Arc::clone(job);
                    }
                    queue = if queue.jobs.is_empty() {
                        self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner)
                    } else {
                        let woken = self.wake.wait_timeout(queue, PATIENCE);
                        woken.unwrap_or_else(PoisonError::into_inner).0
                    };
                }
            };
            if job.enter() {
                // Leaves on the way out, even if a handler panics: the caller waits for it.
                let presence = Presence(&job);
                let seen = Cell::new((0, Instant::now()));
                let outranked = || self.ranks.outrank(&job, &seen);
                let seat = Seat { is_helper: true, help: None, outranked: &outranked };
                job.work(&mut kit.worker, &mut kit.spares, &seat);
                kit.worker.end(&self.nothing);
                drop(presence);
            }
        }
    }

    /// Lets helpers take part in a job.
    pub fn publish(&self, job: &Arc<Job>) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).jobs.push_back(Arc::clone(job));
        self.wake.notify_all();
    }

    /// Runs a job on the calling thread, with the helpers' help if it takes long.
    pub fn run(&self, job: &Arc<Job>, helpers: bool) {
        let kit = self.kits.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut kit = kit.unwrap_or_else(|| Kit {
            worker: Worker::new(Arc::clone(&self.code), Arc::clone(&self.shares)),
            spares: Spares::default(),
        });
        let publish = || self.publish(job);
        let seen = Cell::new((0, Instant::now()));
        let outranked = || self.ranks.outrank(job, &seen);
        let seat = Seat { is_helper: false, help: helpers.then_some(&publish), outranked: &outranked };
        let ranked = self.ranks.enlist(job);
        // Again if a helper left without having started all that it had taken.
        while {
            thread::with_default_floats(|| job.work(&mut kit.worker, &mut kit.spares, &seat));
            job.wait();
            job.has_work()
        } {}
        drop(ranked);
        if helpers {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.jobs.retain(|other| !Arc::ptr_eq(other, job));
        }
        kit.worker.end(&self.nothing);
        self.kits.lock().unwrap_or_else(PoisonError::into_inner).push(kit);
    }

    /// Ends the helpers.
    pub fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.wake.notify_all();
    }
}
