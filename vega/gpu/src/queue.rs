//! One queue: what the driver, the doorbell watcher and the queue's own thread share.
//!
//! A queue's thread sleeps while there is nothing to read. Waking it cannot be lost: the thread announces
//! that it goes to sleep and looks at the write pointer once more afterwards; whoever rings looks at the
//! announcement after the write pointer was stored.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use vega_exec::{CancelToken, ComputeUnits, GuestFault};

use crate::aql::packet as aql_packet;
use crate::card::Shared;
use crate::config::{QueueConfig, QueueId, QueueKind, QueueUpdate};
use crate::{clock, hub, layout, processor};

/// How long an idle queue looks at its write pointer before its thread sleeps: a program that waits for a kernel mostly
/// launches the next one soon. It does not where the program needs the only processor for that.
const LINGER: Duration = Duration::from_micros(150);

/// Looks between two glances at the clock.
const LOOKS: u32 = 32;

/// From here on a packet takes long: the queue does not count as lively any more.
const LONG: Duration = Duration::from_millis(1);

/// Where the packets are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ring {
    pub va: u64,
    /// A power of two.
    pub bytes: u64,
}

struct State {
    ring: Ring,
    suspended: bool,
    stop: bool,
    rung: bool,
    /// The processor that the thread is on which has rung.
    rung_on: Option<usize>,
    ended: bool,
}

/// Why a queue's thread goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// A packet is there.
    Packet,
    /// The queue is being destroyed.
    Quit,
}

pub(crate) struct Queue {
    pub id: QueueId,
    pub kind: QueueKind,
    pub card: Arc<Shared>,
    pub read_ptr_va: u64,
    pub write_ptr_va: u64,
    /// Stops the running kernel when the queue is destroyed.
    pub cancel: CancelToken,
    pub priority: AtomicU32,
    pub cu_mask: Mutex<Vec<u32>>,
    /// How far the queue is read: packets (AQL) or bytes (SDMA). Only the queue's thread stores to it.
    read: AtomicU64,
    sleeping: AtomicBool,
    linger: Duration,
    /// Its thread has been woken, and has not lingered since.
    woken: AtomicBool,
    /// When its thread last found a packet, in nanoseconds since boot.
    active: AtomicU64,
    /// An error ended the queue; nothing but destroying it helps.
    failed: AtomicBool,
    state: Mutex<State>,
    wake: Condvar,
}

/// Nanoseconds since boot.
fn now() -> u64 {
    u64::try_from(clock::since_boot().as_nanos()).unwrap_or(u64::MAX)
}

/// A suspended queue is one without a share of the card, or without a ring.
fn is_suspended(ring_va: u64, ring_bytes: u64, percentage: u32) -> bool {
    percentage == 0 || ring_va == 0 || ring_bytes == 0
}

impl Queue {
    pub fn new(card: Arc<Shared>, config: &QueueConfig) -> Queue {
        // A new queue starts where its read pointer says, which user space has set to 0.
        let read = card.space.read::<u64>(config.read_ptr_va).unwrap_or(0);
        Queue {
            id: QueueId::next(),
            kind: config.kind,
            card,
            read_ptr_va: config.read_ptr_va,
            write_ptr_va: config.write_ptr_va,
            cancel: CancelToken::new(),
            priority: AtomicU32::new(config.priority),
            cu_mask: Mutex::new(Vec::new()),
            read: AtomicU64::new(read),
            sleeping: AtomicBool::new(false),
            linger: if processor::is_only() { Duration::ZERO } else { LINGER },
            woken: AtomicBool::new(false),
            active: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            state: Mutex::new(State {
                ring: Ring { va: config.ring_va, bytes: config.ring_bytes },
                suspended: is_suspended(config.ring_va, config.ring_bytes, config.percentage),
                stop: false,
                rung: false,
                rung_on: None,
                ended: false,
            }),
            wake: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `amd_queue_t` of an AQL queue.
    pub fn amd_queue_va(&self) -> u64 {
        self.read_ptr_va.wrapping_sub(layout::queue::READ_DISPATCH_ID)
    }

    pub fn ring(&self) -> Ring {
        self.lock().ring
    }

    pub fn position(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// The packet in front is done: tells user space that its place is free.
    pub fn advance(&self, by: u64) -> Result<(), GuestFault> {
        let read = self.position().wrapping_add(by);
        self.read.store(read, Ordering::Relaxed);
        self.card.space.write::<u64>(self.read_ptr_va, read)
    }

    /// Whether a packet is there to be read. Memory that cannot be read holds none: the card touches
    /// nothing of an idle queue, so a program may free its memory before the queue is destroyed.
    fn packet_is_there(&self, ring: Ring) -> bool {
        let space = &self.card.space;
        let read = self.position();
        let Ok(write) = space.read::<u64>(self.write_ptr_va) else { return false };
        // Both count for ever, modulo 2^64.
        if (write.wrapping_sub(read) as i64) <= 0 {
            return false;
        }
        match self.kind {
            QueueKind::Sdma => true,
            QueueKind::Aql => {
                let slot = ring.va.wrapping_add(read.wrapping_mul(aql_packet::BYTES) & (ring.bytes - 1));
                space.read::<u16>(slot).is_ok_and(|header| !aql_packet::is_invalid(header))
            }
        }
    }

    /// Whether the queue's thread sleeps although a packet waits for it.
    pub fn overslept(&self) -> bool {
        // Pairs with the fence in `next`.
        fence(Ordering::SeqCst);
        if !self.sleeping.load(Ordering::SeqCst) || self.failed.load(Ordering::Relaxed) {
            return false;
        }
        let state = self.lock();
        !state.suspended && !state.stop && self.packet_is_there(state.ring)
    }

    /// Whether its thread looks at the write pointer by itself, or will soon: nobody need tell it of packets.
    pub fn is_lively(&self) -> bool {
        let awake = !self.sleeping.load(Ordering::SeqCst) && !self.failed.load(Ordering::Relaxed);
        awake && now().saturating_sub(self.active.load(Ordering::Relaxed)) < LONG.as_nanos() as u64
    }

    /// Wakes the thread, for somebody on that processor.
    pub fn kick(&self, processor: Option<usize>) {
        let mut state = self.lock();
        state.rung = true;
        state.rung_on = processor;
        drop(state);
        self.wake.notify_all();
    }

    /// Blocks the queue's thread until there is a packet to process.
    pub fn next(&self) -> Next {
        let mut looks = 0;
        let mut idle_since: Option<Instant> = None;
        let mut state = self.lock();
        loop {
            if state.stop {
                return Next::Quit;
            }
            let runnable = !state.suspended && !self.failed.load(Ordering::Relaxed);
            if runnable && self.packet_is_there(state.ring) {
                self.active.store(now(), Ordering::Relaxed);
                return Next::Packet;
            }
            looks += 1;
            let lingers =
                looks % LOOKS != 0 || idle_since.get_or_insert_with(Instant::now).elapsed() < self.linger;
            if runnable && lingers {
                drop(state);
                if self.woken.swap(false, Ordering::Relaxed) {
                    // Whoever has woken it may still hold back the program's thread, and have this processor only.
                    std::thread::yield_now();
                }
                std::hint::spin_loop();
                state = self.lock();
                continue;
            }
            self.sleeping.store(true, Ordering::SeqCst);
            fence(Ordering::SeqCst);
            if !(runnable && self.packet_is_there(state.ring)) {
                while !state.rung && !state.stop {
                    state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            }
            state.rung = false;
            self.woken.store(true, Ordering::Relaxed);
            self.sleeping.store(false, Ordering::SeqCst);
            if let Some(ringer) = state.rung_on.take().filter(|ringer| processor::current() == Some(*ringer))
            {
                drop(state);
                processor::leave(ringer);
                state = self.lock();
            }
            (looks, idle_since) = (0, None);
        }
    }

    /// Blocks the queue's thread, and nobody else, until `done` holds (true) or the queue is destroyed
    /// (false). What it waits for may be changed by any queue, any kernel or the host, so it looks again
    /// after every signal of this process and, ever less often, after a while.
    pub fn wait_until(&self, mut done: impl FnMut() -> Result<bool, GuestFault>) -> Result<bool, GuestFault> {
        let mut patience = hub::Patience::new();
        loop {
            let seen = hub::generation();
            {
                let mut state = self.lock();
                while state.suspended && !state.stop {
                    state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                if state.stop {
                    return Ok(false);
                }
            }
            if done()? {
                return Ok(true);
            }
            patience.wait(seen);
        }
    }

    /// Nothing of this queue runs any more, until it is destroyed.
    pub fn fail(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    /// The compute units that its dispatches may use.
    pub fn compute_units(&self) -> ComputeUnits {
        let mask = self.cu_mask.lock().unwrap_or_else(PoisonError::into_inner);
        let word = |n| u64::from(mask.get(n).copied().unwrap_or(0));
        ComputeUnits::new(word(0) | word(1) << 32)
    }

    /// Takes over what `UPDATE_QUEUE` says. A queue that it suspends executes nothing any more when this
    /// returns: waves of a running kernel stay where they are.
    pub fn update(&self, update: &QueueUpdate) {
        self.priority.store(update.priority, Ordering::Relaxed);
        let mut state = self.lock();
        let suspended = is_suspended(update.ring_va, update.ring_bytes, update.percentage);
        state.suspended = suspended;
        if update.ring_va != 0 && update.ring_bytes != 0 {
            state.ring = Ring { va: update.ring_va, bytes: update.ring_bytes };
        }
        state.rung = true;
        drop(state);
        self.wake.notify_all();
        hub::changed();
        if suspended {
            self.cancel.hold();
        } else {
            self.cancel.resume();
        }
    }

    /// Asks the thread to end, whatever it does.
    pub fn stop(&self) {
        self.lock().stop = true;
        self.cancel.cancel();
        self.wake.notify_all();
        hub::changed();
    }

    /// Waits until the thread touches nothing any more.
    pub fn wait_for_end(&self) {
        let mut state = self.lock();
        while !state.ended {
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The thread's last act.
    pub fn ended(&self) {
        self.lock().ended = true;
        self.wake.notify_all();
    }
}
