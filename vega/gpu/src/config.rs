//! What the driver says when it creates a card or a queue.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

/// Properties of one card.
#[derive(Clone, Debug)]
pub struct CardConfig {
    /// The id that the driver shows in its topology; reports name it.
    pub gpu_id: u32,
    /// Compute units: what a queue's CU mask may name.
    pub compute_units: u32,
    /// The control of the tests: dispatches complete without their kernels being executed. A test that
    /// passes on such a card proves nothing. Never set otherwise.
    pub complete_without_executing: bool,
}

impl Default for CardConfig {
    fn default() -> Self {
        CardConfig { gpu_id: 0x1a2b, compute_units: 56, complete_without_executing: false }
    }
}

/// Which packets a queue holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// Architected queuing language (`KFD_IOC_QUEUE_TYPE_COMPUTE_AQL`): 64-byte packets, ids that count
    /// packets. The read pointer lies at offset 0x80 of the queue's `amd_queue_t`.
    Aql,
    /// The copy engine's packets (`KFD_IOC_QUEUE_TYPE_SDMA`): dwords, pointers that count bytes.
    Sdma,
}

/// What `CREATE_QUEUE` says. Addresses are the card's (GPU virtual addresses).
///
/// There is no doorbell among them: user space stores the write pointer to memory before it rings, so a
/// doorbell is only the reason to look ([`Card::ring`](crate::Card::ring)), its value is never needed.
#[derive(Clone, Copy, Debug)]
pub struct QueueConfig {
    /// Which packets the queue holds.
    pub kind: QueueKind,
    /// Start of the ring buffer.
    pub ring_va: u64,
    /// Size of the ring buffer in bytes: a power of two, at least 1 KiB.
    pub ring_bytes: u64,
    /// Where the card stores how far it has read.
    pub read_ptr_va: u64,
    /// Where user space stores how far it has written.
    pub write_ptr_va: u64,
    /// 0 suspends the queue.
    pub percentage: u32,
    /// 0 (lowest) to 15: workgroups of higher queues start first.
    pub priority: u32,
}

/// What `UPDATE_QUEUE` says.
#[derive(Clone, Copy, Debug)]
pub struct QueueUpdate {
    /// Start of the ring buffer; 0 suspends the queue and leaves the ring as it was.
    pub ring_va: u64,
    /// Size of the ring buffer in bytes; 0 suspends the queue and leaves the ring as it was.
    pub ring_bytes: u64,
    /// 0 suspends the queue.
    pub percentage: u32,
    /// 0 (lowest) to 15.
    pub priority: u32,
}

/// Names a queue. Unique in the process, over all cards, and never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueueId(pub u32);

impl QueueId {
    pub(crate) fn next() -> QueueId {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        QueueId(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Why a queue operation was refused.
#[derive(Debug)]
pub enum QueueError {
    /// The ring's size is not a power of two of at least 1 KiB, or its address is not aligned to 256 bytes.
    BadRing {
        /// The address that was given.
        va: u64,
        /// The size that was given.
        bytes: u64,
    },
    /// A read or write pointer is not aligned to 8 bytes.
    BadPointer(u64),
    /// The card has no queue of that id.
    NoSuchQueue(QueueId),
    /// The CU mask names no compute unit of the card.
    NoComputeUnit,
    /// The host could not start the queue's thread.
    Thread(std::io::Error),
}

impl fmt::Display for QueueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QueueError::BadRing { va, bytes } => {
                write!(f, "a ring of {bytes} bytes at {va:#x} is not a power of two, or not aligned")
            }
            QueueError::BadPointer(va) => write!(f, "the queue pointer {va:#x} is not aligned to 8 bytes"),
            QueueError::NoSuchQueue(id) => write!(f, "the card has no queue {id}"),
            QueueError::NoComputeUnit => f.write_str("the CU mask names no compute unit of the card"),
            QueueError::Thread(e) => write!(f, "cannot start the queue's thread: {e}"),
        }
    }
}

impl std::error::Error for QueueError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            QueueError::Thread(e) => Some(e),
            _ => None,
        }
    }
}
