//! Launch-blocking mode: whoever is to blame is named.
//!
//! Each operation is waited for before the call returns, so an error is that of this operation. AMD's runtime answers a memory
//! fault or an illegal instruction by aborting the process; for that, the operation's name is written to standard error on
//! `SIGABRT`.
//!
//! # Safety
//! The handler reads atomics in static memory and calls only `write`, which POSIX allows there. It returns, so that the
//! process aborts as it would have.
#![allow(unsafe_code)]

use super::Operation;
use crate::{Result, Stream};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

/// Text for the handler, in memory that is always there. A line that is written while the handler reads it is garbled.
struct Line {
    taken: AtomicBool,
    len: AtomicUsize,
    bytes: [AtomicU8; 256],
}

/// As many threads can be named that wait for an operation at a time.
static LINES: [Line; 16] = [const {
    Line { taken: AtomicBool::new(false), len: AtomicUsize::new(0), bytes: [const { AtomicU8::new(0) }; 256] }
}; 16];

/// Tells the handler of an operation for as long as it lives.
pub(super) struct Announced(Option<&'static Line>);

impl Announced {
    pub(super) fn new(stream: &Stream, operation: &Operation) -> Self {
        let line = LINES.iter().find(|line| !line.taken.swap(true, Ordering::Acquire));
        if let Some(line) = line {
            let device = stream.device().ordinal();
            let mut text =
                format!("hip: the process aborts while device {device} runs {operation}").into_bytes();
            text.truncate(line.bytes.len() - 1);
            text.push(b'\n');
            line.bytes.iter().zip(&text).for_each(|(to, byte)| to.store(*byte, Ordering::Relaxed));
            line.len.store(text.len(), Ordering::Release);
        }
        Self(line)
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        if let Some(line) = self.0 {
            line.len.store(0, Ordering::Release);
            line.taken.store(false, Ordering::Release);
        }
    }
}

/// Waits for the operation that `stream` was just given, and says of an error that it is this operation's.
pub(super) fn wait(stream: &Stream, operation: &Operation) -> Result<()> {
    stream.shared().synchronize().map_err(|error| error.blamed(operation))
}

#[cfg(all(unix, not(miri)))]
pub(super) fn announce_on_abort() {
    use std::ffi::{c_int, c_void};
    use std::sync::Once;

    unsafe extern "C" {
        fn signal(number: c_int, handler: extern "C" fn(c_int)) -> *const c_void;
        fn write(file: c_int, from: *const c_void, bytes: usize) -> isize;
    }

    /// POSIX leaves the number open; every system that HIP runs on has this one.
    const SIGABRT: c_int = 6;

    extern "C" fn aborting(_: c_int) {
        for line in &LINES {
            let mut text = [0u8; 256];
            let len = line.len.load(Ordering::Acquire).min(text.len());
            text.iter_mut().zip(&line.bytes).for_each(|(to, byte)| *to = byte.load(Ordering::Relaxed));
            if len > 0 {
                // SAFETY: so many bytes are the local's; 2 is standard error.
                unsafe { write(2, text.as_ptr().cast(), len) };
            }
        }
    }

    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the handler does only what a handler may.
        unsafe { signal(SIGABRT, aborting) };
    });
}

/// There is no such signal on Windows, nor under Miri; errors are attributed all the same.
#[cfg(not(all(unix, not(miri))))]
pub(super) fn announce_on_abort() {}
