//! Noticing that the program has rung a doorbell.
//!
//! A doorbell is a plain store into a page that the program has mapped. The watcher thread makes that page
//! write-protected while the queues are idle, and sleeps until a store hits it:
//!
//! | way | how a store is noticed | why it might not work |
//! |---|---|---|
//! | [`uffd`] | userfaultfd write protection; the storing thread sleeps in the kernel meanwhile | forbidden in a container, kernel before 5.19 |
//! | [`trap`] | `mprotect`, and our SIGSEGV handler lets the store go on | a thread that blocked SIGSEGV before |
//! | poll | looks at the write pointers every few microseconds | uses the CPU when idle |
//!
//! After a doorbell the page stays writable while a queue's thread looks at its write pointer by itself, so that a burst
//! of packets does not fault each time. The watcher sleeps meanwhile: the processors are for those who have work. The order *protect, look at the write pointers, sleep* loses nothing: the program stores its
//! write pointer before it rings.

pub mod trap;
pub mod uffd;

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use vega_gpu::Card;

use crate::config::DoorbellMode;
use crate::files::{self, DeviceFile};
use crate::signals;
use trap::Trap;
use uffd::Uffd;

/// How long the watcher sleeps before it looks again whether a queue is lively. A queue that is not may wait so long for
/// its first packet, if another one is.
const NAP: Duration = Duration::from_micros(50);
/// The longest that a store to a doorbell waits for the queue's thread to wake up.
const HAND_OVER: Duration = Duration::from_micros(100);
/// How often the write pointers are looked at where nothing else works.
const POLL_INTERVAL: Duration = Duration::from_micros(50);

/// A mapped doorbell page of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its address.
    pub va: u64,
    /// Its size.
    pub bytes: u64,
}

/// What the watcher thread and the ioctls share.
struct Shared {
    cards: Vec<Arc<Card>>,
    /// The pages. The watcher holds the lock while it protects or unprotects them.
    pages: Mutex<Vec<Watched>>,
    /// Counts changes that the watcher must look at before it sleeps.
    changes: AtomicU64,
    changed: Condvar,
    /// A word of the watcher's own that wakes it like a doorbell.
    wake: Box<uffd::WakePage>,
    queues: AtomicBool,
}

struct Watched {
    page: Page,
    registered: bool,
}

/// The watcher of all doorbell pages of the process.
pub struct Doorbells {
    shared: Arc<Shared>,
    way: &'static str,
}

/// The way that the watcher uses.
enum Way {
    Uffd(Uffd),
    Trap(&'static Trap),
    Poll,
}

impl Way {
    fn name(&self) -> &'static str {
        match self {
            Way::Uffd(_) => "uffd",
            Way::Trap(_) => "trap",
            Way::Poll => "poll",
        }
    }

    /// The best one that works and is allowed. `own_table`: this thread's descriptors are its own.
    fn choose(mode: DoorbellMode, own_table: bool, wake: &uffd::WakePage) -> Way {
        if matches!(mode, DoorbellMode::Auto | DoorbellMode::Uffd)
            && own_table
            && let Ok(uffd) = Uffd::new(wake)
        {
            return Way::Uffd(uffd);
        }
        if mode == DoorbellMode::Poll { Way::Poll } else { Way::Trap(trap::get()) }
    }
}

/// The way that a watcher with this configuration would use in this process, for `vega info`.
pub fn way(mode: DoorbellMode) -> &'static str {
    match uffd::WakePage::new() {
        Ok(wake) => Way::choose(mode, true, &wake).name(),
        Err(_) => "none",
    }
}

impl Doorbells {
    /// Starts the watcher thread, which also becomes the keeper of the two device files.
    ///
    /// # Errors
    /// When the thread or its page cannot be had.
    pub fn start(
        mode: DoorbellMode,
        cards: Vec<Arc<Card>>,
        kfd: &DeviceFile,
        render: &DeviceFile,
    ) -> io::Result<Doorbells> {
        let shared = Arc::new(Shared {
            cards,
            pages: Mutex::default(),
            changes: AtomicU64::new(0),
            changed: Condvar::new(),
            wake: uffd::WakePage::new()?,
            queues: AtomicBool::new(false),
        });
        let mut keep = [kfd.first_fd(), render.first_fd()];
        keep.sort_unstable();
        let (sender, receiver) = mpsc::channel();
        let for_thread = Arc::clone(&shared);
        let run = move || {
            let own_table = files::leave_the_programs_table(&keep).is_ok();
            let way = Way::choose(mode, own_table, &for_thread.wake);
            let tid = if own_table { signals::thread_id() } else { 0 };
            if let Way::Trap(trap) = way {
                trap.begin();
            }
            // The receiver waits for this one message; afterwards nobody listens.
            let _ = sender.send((tid, way.name()));
            for_thread.watch(&way);
        };
        signals::with_all_blocked(|| std::thread::Builder::new().name("vega-doorbell".into()).spawn(run))?;
        let (tid, way) = receiver.recv().map_err(io::Error::other)?;
        kfd.kept_by(tid);
        render.kept_by(tid);
        Ok(Doorbells { shared, way })
    }

    /// How doorbells are noticed.
    pub fn way(&self) -> &'static str {
        self.way
    }

    /// Watches a page that the program has just mapped.
    pub fn watch(&self, va: u64, bytes: u64) {
        let page = Page { va, bytes };
        let mut pages = self.shared.lock();
        if pages.iter().all(|watched| watched.page != page) {
            pages.push(Watched { page, registered: false });
        }
        drop(pages);
        self.shared.poke();
    }

    /// Stops watching the page at `va`, before the program unmaps it.
    pub fn forget(&self, va: u64) {
        let mut pages = self.shared.lock();
        pages.retain(|watched| watched.page.va != va);
        trap::get().forget(va);
    }

    /// A queue exists now: there is something to watch for.
    pub fn queue_created(&self) {
        self.shared.queues.store(true, Ordering::Release);
        self.shared.poke();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the watcher look, wherever it sleeps.
    fn poke(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
        drop(self.lock());
        self.changed.notify_all();
        trap::get().wake();
        self.wake.touch();
    }

    fn ring(&self) {
        self.cards.iter().for_each(|card| card.ring());
    }

    fn pending(&self) -> bool {
        self.cards.iter().any(|card| card.pending())
    }

    /// The watcher's life.
    fn watch(&self, way: &Way) -> ! {
        loop {
            let seen = self.changes.load(Ordering::SeqCst);
            self.ring();
            if !self.queues.load(Ordering::Acquire) || self.lock().is_empty() {
                self.wait_for_change(seen);
                continue;
            }
            if matches!(way, Way::Poll) {
                std::thread::sleep(POLL_INTERVAL);
                continue;
            }
            self.linger();
            self.protect(way);
            fence(Ordering::SeqCst);
            if self.pending() || self.changes.load(Ordering::SeqCst) != seen {
                self.unprotect(way, None);
                continue;
            }
            match way {
                Way::Uffd(uffd) => {
                    if let Some(stored) = uffd.wait() {
                        self.hand_over(stored.thread);
                        // The page may have left the list since it was protected; its store must go on all the same.
                        uffd.protect(stored.page, false);
                        self.unprotect(way, Some(stored.page));
                        continue;
                    }
                }
                Way::Trap(trap) => trap.wait(),
                Way::Poll => {}
            }
            self.unprotect(way, None);
        }
    }

    /// Wakes the queues that packets wait for before the thread that has rung goes on: it will wait for them, perhaps in a
    /// loop that leaves its processor to nobody. Not for long, because other threads may have all the processors.
    fn hand_over(&self, thread: u32) {
        let processor = processor_of(thread);
        self.cards.iter().for_each(|card| card.ring_from(processor));
        let begin = Instant::now();
        while self.pending() && begin.elapsed() < HAND_OVER {
            std::thread::yield_now();
        }
    }

    fn wait_for_change(&self, seen: u64) {
        let mut pages = self.lock();
        while self.changes.load(Ordering::SeqCst) == seen {
            pages = self.changed.wait(pages).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Looks at the write pointers once more, and now and then until no queue looks by itself.
    fn linger(&self) {
        loop {
            std::thread::sleep(NAP);
            self.ring();
            if !self.cards.iter().any(|card| card.is_lively()) {
                break;
            }
        }
    }

    fn protect(&self, way: &Way) {
        let mut pages = self.lock();
        match way {
            Way::Uffd(uffd) => {
                for watched in pages.iter_mut() {
                    if !watched.registered {
                        watched.registered = uffd.register(watched.page).is_ok();
                    }
                    uffd.protect(watched.page, true);
                }
                uffd.protect(self.wake.page(), true);
            }
            Way::Trap(trap) => trap.arm(pages.iter().map(|watched| watched.page)),
            Way::Poll => {}
        }
    }

    /// Makes all pages writable, except one that is already: each costs the processors an interrupt.
    fn unprotect(&self, way: &Way, except: Option<Page>) {
        let pages = self.lock();
        match way {
            Way::Uffd(uffd) => {
                let pages = pages.iter().map(|watched| watched.page).chain([self.wake.page()]);
                pages.filter(|page| Some(*page) != except).for_each(|page| uffd.protect(page, false));
            }
            Way::Trap(trap) => trap.disarm(),
            Way::Poll => {}
        }
    }
}

/// The processor that a thread of this process was last on: field 39 of its `stat`, see proc(5).
fn processor_of(thread: u32) -> Option<usize> {
    // The file's whole text at once: it is made anew for each read.
    let mut text = [0; 1024];
    let length = File::open(format!("/proc/self/task/{thread}/stat")).ok()?.read(&mut text).ok()?;
    let stat = String::from_utf8_lossy(text.get(..length)?);
    // The second field is a name in parentheses, which may contain anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(36)?.parse().ok()
}
