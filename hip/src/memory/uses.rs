//! Who used an allocation last: what later work on it has to wait for.
//!
//! An allocation's uses are those that were enqueued and that nobody has waited for yet, one entry per stream. The usual
//! allocation is used by one stream alone; then its number stands in `sole`, and a use costs one load before the call and
//! one compare-and-swap after it. Events are recorded only when a second stream comes along.
//!
//! A use has two halves, around the call that enqueues the work: [`Uses::before`] makes the stream wait for others,
//! [`Uses::after`] enters the use. Two uses can overlap in time only if Rust let two threads have views at once, that is, if
//! both only read, or if their elements are disjoint. Neither has to wait for the other then, but none may be lost: an
//! entry is removed only by a writer that waited for exactly that entry, and a stream that finds itself in `sole` after its
//! call makes it known by a read-modify-write, which whoever ends that state must see.
//!
//! Whoever waits does so with the list locked, and the streams in it held. A function of the host that runs meanwhile must not
//! want either: inside of one everything here that takes a lock is refused.

use crate::event::Marker;
use crate::stream::StreamShared;
use crate::{Result, callback};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// What work does to an allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// `sole`: nobody has used the allocation.
const NOBODY: u64 = 0;
/// `sole`: the list has to be read.
const SEVERAL: u64 = u64::MAX;

/// The uses of one allocation that somebody may have to wait for.
pub(crate) struct Uses {
    /// The only stream with uses, [`NOBODY`] or [`SEVERAL`].
    sole: AtomicU64,
    list: Mutex<List>,
}

struct List {
    /// Counts uses, as far as they reach the list.
    epoch: u64,
    entries: Vec<Entry>,
}

struct Entry {
    stream: Arc<StreamShared>,
    /// The epoch of the stream's last read, 0 for none.
    read: u64,
    /// The epoch of the stream's last write, 0 for none.
    write: u64,
    /// The stream runs behind all writes up to this epoch.
    behind_writes: u64,
    /// The stream runs behind all uses up to this epoch.
    behind_uses: u64,
}

impl Entry {
    fn last(&self) -> u64 {
        self.read.max(self.write)
    }
}

/// What [`Uses::before`] hands to [`Uses::after`].
#[derive(Clone, Copy)]
pub(crate) struct Ticket {
    /// The epoch up to which the stream waited.
    synced: u64,
    access: Access,
}

impl Uses {
    pub(crate) const fn new() -> Self {
        Self { sole: AtomicU64::new(NOBODY), list: Mutex::new(List { epoch: 0, entries: Vec::new() }) }
    }

    /// Makes `stream` wait for earlier uses that an access of that kind must not overtake.
    #[inline]
    pub(crate) fn before(&self, stream: &StreamShared, access: Access) -> Result<Ticket> {
        let sole = self.sole.load(Ordering::Acquire);
        if sole == stream.id() || sole == NOBODY {
            return Ok(Ticket { synced: 0, access });
        }
        self.wait(stream, access)
    }

    /// Enters the use. The work has been enqueued, or may have been.
    #[inline]
    pub(crate) fn after(&self, stream: &Arc<StreamShared>, ticket: Ticket) {
        let id = stream.id();
        if self.sole.compare_exchange(id, id, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            self.enter(stream, ticket);
        }
    }

    /// Enters a use that neither waits for others nor is waited for by streams: it only keeps the memory.
    pub(crate) fn keep(&self, stream: &Arc<StreamShared>) {
        self.enter(stream, Ticket { synced: 0, access: Access::Read });
    }

    #[cold]
    fn wait(&self, stream: &StreamShared, access: Access) -> Result<Ticket> {
        callback::refuse()?;
        if stream.captured().is_some() {
            // A graph waits when it is launched.
            return Ok(Ticket { synced: 0, access });
        }
        let mut list = self.lock();
        self.leave_sole(&mut list);
        list.entries.retain(|entry| !entry.stream.is_finished());
        let own = list.entries.iter().find(|entry| entry.stream.id() == stream.id());
        let (writes, uses) = own.map_or((0, 0), |entry| (entry.behind_writes, entry.behind_uses));
        for entry in list.entries.iter().filter(|entry| entry.stream.id() != stream.id()) {
            if entry.write > writes || (access == Access::Write && entry.read > uses) {
                stream.wait_for(&entry.stream)?;
            }
        }
        Ok(Ticket { synced: list.epoch, access })
    }

    #[cold]
    fn enter(&self, stream: &Arc<StreamShared>, ticket: Ticket) {
        if stream.captured().is_some() || callback::is_inside() {
            // The graph owns the memory, and a use of it is entered when it is launched. Inside a callback nothing was enqueued.
            return;
        }
        let mut list = self.lock();
        self.leave_sole(&mut list);
        let id = stream.id();
        let write = ticket.access == Access::Write;
        list.entries.retain(|entry| {
            let waited_for = write && entry.stream.id() != id && entry.last() <= ticket.synced;
            !waited_for && !entry.stream.is_finished()
        });
        list.epoch += 1;
        let epoch = list.epoch;
        let index = list.entries.iter().position(|entry| entry.stream.id() == id).unwrap_or_else(|| {
            list.entries.push(Entry {
                stream: stream.clone(),
                read: 0,
                write: 0,
                behind_writes: 0,
                behind_uses: 0,
            });
            list.entries.len() - 1
        });
        if let Some(entry) = list.entries.get_mut(index) {
            *(if write { &mut entry.write } else { &mut entry.read }) = epoch;
            entry.behind_writes = entry.behind_writes.max(ticket.synced);
            if write {
                entry.behind_uses = entry.behind_uses.max(ticket.synced);
            }
        }
        if list.entries.len() == 1 {
            self.sole.store(id, Ordering::Release);
        }
    }

    /// Makes the list complete: uses that found their stream in `sole` did not enter themselves.
    fn leave_sole(&self, list: &mut List) {
        let sole = self.sole.swap(SEVERAL, Ordering::AcqRel);
        if sole == NOBODY || sole == SEVERAL {
            return;
        }
        list.epoch += 1;
        let epoch = list.epoch;
        if let Some(entry) = list.entries.iter_mut().find(|entry| entry.stream.id() == sole) {
            entry.write = epoch;
        }
    }

    /// The ends of all uses on streams other than that one, for whoever lets it wait for them.
    pub(crate) fn markers(&self, except: u64) -> Result<Vec<Marker>> {
        callback::refuse()?;
        let mut list = self.lock();
        self.leave_sole(&mut list);
        let mut markers = Vec::new();
        for entry in list.entries.iter().filter(|entry| entry.stream.id() != except) {
            if let Some(_held) = entry.stream.hold() {
                markers.push(Marker::record(&entry.stream)?);
            }
        }
        Ok(markers)
    }

    /// Waits in this thread until all uses are done.
    pub(crate) fn finish(&self) -> Result<()> {
        if self.sole.load(Ordering::Acquire) == NOBODY {
            return Ok(());
        }
        callback::refuse()?;
        let mut list = self.lock();
        self.leave_sole(&mut list);
        for entry in &list.entries {
            if let Some(_held) = entry.stream.hold() {
                entry.stream.synchronize()?;
            }
        }
        list.entries.clear();
        self.sole.store(NOBODY, Ordering::Release);
        Ok(())
    }

    /// Waits in this thread until all uses that were entered before are done: for the host, before it touches the memory.
    pub(crate) fn wait_on_host(&self) -> Result<()> {
        callback::refuse()?;
        let streams: Vec<_> = self.lock().entries.iter().map(|entry| entry.stream.clone()).collect();
        for stream in streams {
            if let Some(_held) = stream.hold() {
                stream.synchronize()?;
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
