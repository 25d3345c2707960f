//! A dispatch allocates nothing, once the engine has run a few: its memory is there.
//!
//! # Safety
//! The allocator passes every call on to the system's and counts.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::{CODE, Card, DATA, KERNARG, programs, watchdog};
use vega_exec::{CancelToken, EngineKind, Outcome};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// One test alone: another one's allocations would count.
#[test]
fn dispatches_and_workgroups_allocate_nothing() {
    watchdog(Duration::from_secs(200));
    let kinds = EngineKind::available().iter().copied();
    for (kind, threads) in kinds.flat_map(|kind| [(kind, 1), (kind, 2)]) {
        let card = Card::with_engine(threads, kind);
        card.write(CODE, programs::SET_FLAG);
        card.write(KERNARG, &[DATA as u32, (DATA >> 32) as u32]);
        let cases = [([64, 1, 1], [64, 1, 1]), ([256 * 300, 1, 1], [256, 1, 1]), ([100, 7, 1], [30, 2, 1])];
        let dispatches = cases.map(|(grid, workgroup)| card.dispatch(grid, workgroup));
        let token = CancelToken::new();
        let run = |times: usize| {
            for dispatch in (0..times).flat_map(|_| &dispatches) {
                assert_eq!(card.engine.run(&card.space, dispatch, &card.host, &token), Outcome::Done);
            }
        };
        run(30);
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        run(100);
        let allocated = ALLOCATIONS.load(Ordering::Relaxed) - before;
        // What a helper needs it allocates when it takes part for the first time, which may be late.
        let late = if threads == 1 { 0 } else { 150 };
        assert!(allocated <= late, "{kind}, {threads} threads: {allocated} allocations in 300 dispatches");
    }
}
