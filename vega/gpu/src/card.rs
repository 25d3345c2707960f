//! The card: its page table, its queues, and the lines to the driver.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use vega_exec::gws::Gws;
use vega_exec::{AddressSpace, Engine, Host};

use crate::config::{CardConfig, QueueConfig, QueueError, QueueId, QueueUpdate};
use crate::notify::Notify;
use crate::queue::Queue;
use crate::{clock, worker};

/// Smallest ring in bytes, and the alignment of a ring (the hardware's ring registers count 256 bytes).
const MIN_RING: u64 = 1024;
const RING_ALIGN: u64 = 256;

/// What all queues of a card share.
pub(crate) struct Shared {
    pub config: CardConfig,
    pub space: Arc<AddressSpace>,
    pub engine: Arc<Engine>,
    pub notify: Arc<dyn Notify>,
    pub host: Arc<dyn Host>,
}

/// A virtual Vega.
///
/// Every queue has a thread of its own that sleeps while the queue is empty: queues never wait for each
/// other, and an idle card costs nothing. The threads end with the process; nothing needs to be joined
/// when it exits.
pub struct Card {
    shared: Arc<Shared>,
    queues: RwLock<BTreeMap<QueueId, Arc<Queue>>>,
}

/// The device that waves see around them.
struct Device {
    notify: Arc<dyn Notify>,
    gws: Gws,
}

/// The shader clock that a Vega 56 boosts to, in units of 10 MHz.
const SHADER_CLOCK: u64 = 159;

impl Host for Device {
    fn interrupt(&self, _m0: u32) {
        self.notify.raise_interrupt();
    }

    fn shader_clock(&self) -> u64 {
        let nanoseconds = u64::try_from(clock::since_boot().as_nanos()).unwrap_or(u64::MAX);
        nanoseconds / 100 * SHADER_CLOCK + nanoseconds % 100 * SHADER_CLOCK / 100
    }

    fn realtime_clock(&self) -> u64 {
        clock::ticks()
    }

    fn gws(&self) -> Option<&Gws> {
        Some(&self.gws)
    }
}

impl Card {
    /// A card without queues, with an empty page table.
    pub fn new(config: CardConfig, engine: Arc<Engine>, notify: Arc<dyn Notify>) -> Arc<Card> {
        let host = Arc::new(Device { notify: Arc::clone(&notify), gws: Gws::default() });
        let shared = Arc::new(Shared { config, space: AddressSpace::new(), engine, notify, host });
        Arc::new(Card { shared, queues: RwLock::new(BTreeMap::new()) })
    }

    /// The card's page table; the driver maps and unmaps memory here.
    pub fn space(&self) -> &Arc<AddressSpace> {
        &self.shared.space
    }

    /// The properties that the card was created with.
    pub fn config(&self) -> &CardConfig {
        &self.shared.config
    }

    /// Creates a queue and starts its thread. Packets that are in the ring already are processed.
    ///
    /// The read pointer's current value is where it starts, so that memory must be mapped before.
    ///
    /// # Errors
    /// A ring whose size is not a power of two, a pointer that is not aligned, or no thread to be had.
    pub fn create_queue(&self, config: QueueConfig) -> Result<QueueId, QueueError> {
        check_ring(config.ring_va, config.ring_bytes)?;
        for pointer in [config.read_ptr_va, config.write_ptr_va] {
            if !pointer.is_multiple_of(8) {
                return Err(QueueError::BadPointer(pointer));
            }
        }
        let queue = Arc::new(Queue::new(Arc::clone(&self.shared), &config));
        worker::spawn(Arc::clone(&queue)).map_err(QueueError::Thread)?;
        let id = queue.id;
        self.queues.write().unwrap_or_else(PoisonError::into_inner).insert(id, queue);
        Ok(id)
    }

    /// Changes a queue. Suspending stops a running kernel where it is, until the queue is resumed.
    ///
    /// # Errors
    /// No such queue, or a ring whose size is not a power of two.
    pub fn update_queue(&self, id: QueueId, update: QueueUpdate) -> Result<(), QueueError> {
        let queue = self.queue(id)?;
        if update.ring_va != 0 && update.ring_bytes != 0 {
            check_ring(update.ring_va, update.ring_bytes)?;
        }
        queue.update(&update);
        Ok(())
    }

    /// Destroys a queue, whatever it does: a kernel that runs, even one that spins for ever, is stopped.
    /// Returns when nothing of the queue touches memory any more.
    ///
    /// # Errors
    /// No such queue.
    pub fn destroy_queue(&self, id: QueueId) -> Result<(), QueueError> {
        let removed = self.queues.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let queue = removed.ok_or(QueueError::NoSuchQueue(id))?;
        queue.stop();
        queue.wait_for_end();
        Ok(())
    }

    /// Restricts a queue to compute units, one bit each: bit n is compute unit n / 4 of shader engine n % 4.
    /// Takes effect with the next dispatch.
    ///
    /// # Errors
    /// No such queue, or a mask without any compute unit of the card.
    pub fn set_cu_mask(&self, id: QueueId, mask: &[u32]) -> Result<(), QueueError> {
        let queue = self.queue(id)?;
        let has_unit = |(i, word): (usize, &u32)| {
            (0..32).any(|bit| word >> bit & 1 == 1 && i as u32 * 32 + bit < self.shared.config.compute_units)
        };
        if !mask.iter().enumerate().any(has_unit) {
            return Err(QueueError::NoComputeUnit);
        }
        *queue.cu_mask.lock().unwrap_or_else(PoisonError::into_inner) = mask.to_vec();
        Ok(())
    }

    /// Look at the write pointers: a doorbell was rung. Wakes the threads of queues that have packets.
    pub fn ring(&self) {
        self.ring_from(None);
    }

    /// The same where it is known on which of the host's processors the thread is that has rung: queues' threads leave that
    /// one to it, if there is another.
    pub fn ring_from(&self, processor: Option<usize>) {
        for queue in self.snapshot() {
            if queue.overslept() {
                queue.kick(processor);
            }
        }
    }

    /// Whether a queue has packets that its thread does not know of, because nobody has called
    /// [`ring`](Self::ring) since they were written. A watcher of doorbells arms itself, asks this, and
    /// sleeps if the answer is false: whatever is written later rings a doorbell that it sees, and
    /// whatever was written before is in the hands of threads that are awake.
    pub fn pending(&self) -> bool {
        self.snapshot().iter().any(|queue| queue.overslept())
    }

    /// Whether a queue's thread looks at its write pointer by itself: a watcher of doorbells need not arm itself yet.
    pub fn is_lively(&self) -> bool {
        self.snapshot().iter().any(|queue| queue.is_lively())
    }

    fn snapshot(&self) -> Vec<Arc<Queue>> {
        self.queues.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn queue(&self, id: QueueId) -> Result<Arc<Queue>, QueueError> {
        let queues = self.queues.read().unwrap_or_else(PoisonError::into_inner);
        queues.get(&id).cloned().ok_or(QueueError::NoSuchQueue(id))
    }
}

fn check_ring(va: u64, bytes: u64) -> Result<(), QueueError> {
    let good = bytes >= MIN_RING
        && bytes.is_power_of_two()
        && va.is_multiple_of(RING_ALIGN)
        && va.checked_add(bytes).is_some();
    if good { Ok(()) } else { Err(QueueError::BadRing { va, bytes }) }
}

impl Drop for Card {
    /// Stops all queues and waits until they touch nothing any more.
    fn drop(&mut self) {
        let queues = self.snapshot();
        queues.iter().for_each(|queue| queue.stop());
        queues.iter().for_each(|queue| queue.wait_for_end());
    }
}
