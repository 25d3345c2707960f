//! A queue's thread: its command processor.
//!
//! # Safety
//! `sigfillset`, `sigdelset` and `pthread_sigmask` get pointers to signal sets on the stack, which are
//! initialised before they are read.

use std::io;
use std::mem::MaybeUninit;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use crate::config::QueueKind;
use crate::queue::{Next, Queue};
use crate::stop::{self, Stop};
use crate::{aql, sdma};

/// Signals that a thread causes itself: accesses to guest memory need them delivered.
const SYNCHRONOUS: [i32; 6] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP, libc::SIGABRT];

/// Blocks the calling thread's asynchronous signals; returns its mask.
fn block_signals() -> libc::sigset_t {
    let mut block = MaybeUninit::<libc::sigset_t>::uninit();
    let mut old = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: sigfillset initialises `block` before the others read it; pthread_sigmask writes `old`, and
    // an all-zero sigset_t is an empty set should it not.
    unsafe {
        libc::sigfillset(block.as_mut_ptr());
        for signal in SYNCHRONOUS {
            libc::sigdelset(block.as_mut_ptr(), signal);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, block.as_ptr(), old.as_mut_ptr());
        old.assume_init()
    }
}

fn restore_signals(mask: &libc::sigset_t) {
    // SAFETY: `mask` is a signal set that pthread_sigmask filled in.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, std::ptr::null_mut()) };
}

/// Starts the queue's thread. It inherits a mask without asynchronous signals: the program's handlers
/// must never run on it, not even in its first instant.
pub(crate) fn spawn(queue: Arc<Queue>) -> io::Result<()> {
    let name = format!("vega-queue-{}", queue.id);
    let mask = block_signals();
    let spawned = thread::Builder::new().name(name).spawn(move || {
        run(&queue);
        queue.ended();
    });
    restore_signals(&mask);
    spawned.map(drop)
}

fn run(queue: &Arc<Queue>) {
    while queue.next() == Next::Packet {
        let process = || match queue.kind {
            QueueKind::Aql => aql::processor::process(queue),
            QueueKind::Sdma => sdma::processor::process(queue),
        };
        // A mistake of the card must end the program with a message, not leave it waiting.
        let done = panic::catch_unwind(AssertUnwindSafe(process));
        let done = done.unwrap_or_else(|_| {
            let text = "the packet processor failed: a mistake of the virtual card".to_owned();
            Err(Stop::Packet { va: queue.packet_va(), text })
        });
        match done {
            Ok(()) => {}
            Err(Stop::Canceled) => return,
            Err(stop) => stop::announce(queue, &stop),
        }
    }
}
