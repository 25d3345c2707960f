//! The helper threads.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::group::Spares;
use super::job::Job;
use super::thread;
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
    kits: Mutex<Vec<Kit>>,
    pub code: Arc<CodeCache>,
    shares: Arc<Shares>,
    idle: Arc<AddressSpace>,
}

impl Shared {
    /// Nothing to do yet.
    pub fn new(code: Arc<CodeCache>) -> Arc<Self> {
        Arc::new(Self {
            queue: Mutex::new(Queue { jobs: VecDeque::new(), closed: false }),
            wake: Condvar::new(),
            kits: Mutex::new(Vec::new()),
            code,
            shares: Arc::default(),
            idle: AddressSpace::new(),
        })
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
                    if let Some(job) = queue.jobs.front() {
                        break Arc::clone(job);
                    }
                    queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
                }
            };
            if job.enter() {
                // Leaves on the way out, even if a handler panics: the caller waits for it.
                let presence = Presence(&job);
                job.work(&mut kit.worker, &mut kit.spares, None);
                kit.worker.end(&self.idle);
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
        let help: Option<&dyn Fn()> = if helpers { Some(&publish) } else { None };
        thread::with_default_floats(|| job.work(&mut kit.worker, &mut kit.spares, help));
        job.wait();
        kit.worker.end(&self.idle);
        self.kits.lock().unwrap_or_else(PoisonError::into_inner).push(kit);
    }

    /// Ends the helpers.
    pub fn close(&self) {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.wake.notify_all();
    }
}
