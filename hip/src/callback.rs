//! Functions of the host that a stream calls.
//!
//! # Safety
//! HIP is given a number, not a pointer: the function is looked up and taken out under it, so a call that failed although
//! it was enqueued finds nothing instead of freed memory. No panic leaves the C functions.
#![allow(unsafe_code)]

use crate::error::Call;
use crate::{Error, ErrorKind, Result, Stream};
use hip_sys::{hipError_t, hipStream_t};
use std::any::Any;
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{LazyLock, Mutex, MutexGuard};

thread_local! {
    /// Whether this thread is one of HIP's, inside a callback.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// An error inside a callback: HIP may wait for itself there.
#[inline]
pub(crate) fn refuse() -> Result<()> {
    if INSIDE.get() { Err(inside()) } else { Ok(()) }
}

/// Whether this thread is inside a callback.
pub(crate) fn is_inside() -> bool {
    INSIDE.get()
}

#[cold]
fn inside() -> Error {
    let message = "a function that a stream calls cannot use HIP: the runtime could wait for itself";
    Error::new(ErrorKind::InCallback, message)
}

type Function = Box<dyn FnOnce() + Send>;

/// The functions that are enqueued and have not been called yet.
static WAITING: LazyLock<Mutex<HashMap<usize, Function>>> = LazyLock::new(Mutex::default);

fn waiting() -> MutexGuard<'static, HashMap<usize, Function>> {
    WAITING.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Runs something that one of HIP's threads calls: HIP cannot be used in it.
pub(crate) fn run_inside<R>(function: impl FnOnce() -> R) -> R {
    INSIDE.set(true);
    let outcome = function();
    INSIDE.set(false);
    outcome
}

fn run(number: *mut c_void) {
    let Some(function) = waiting().remove(&number.addr()) else { return };
    // The function has caught its own panic; this one would be of a value that it dropped. What it carries might panic again.
    if let Err(panic) = run_inside(|| catch_unwind(AssertUnwindSafe(function))) {
        std::mem::forget(panic);
    }
}

extern "C" fn stream_callback(_: hipStream_t, _: hipError_t, number: *mut c_void) {
    run(number);
}

extern "C" fn host_function(number: *mut c_void) {
    run(number);
}

/// The result of a function that a stream calls; see [`Stream::call`].
#[must_use = "a panic of the function comes back from `wait`"]
pub struct HostCall<R> {
    result: Receiver<Result<R, Box<dyn Any + Send>>>,
}

impl<R> HostCall<R> {
    /// Waits until the function has been called, and returns what it returned.
    ///
    /// # Errors
    /// [`ErrorKind::DeviceFailure`] when the runtime dropped the function without calling it.
    ///
    /// # Panics
    /// When the function did: its panic goes on here.
    pub fn wait(self) -> Result<R> {
        match self.result.recv() {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_) => Err(Error::new(ErrorKind::DeviceFailure, "the stream never called the function")),
        }
    }

    /// What the function returned, if it has been called.
    ///
    /// # Errors
    /// The call itself, when it has not been called yet.
    ///
    /// # Panics
    /// When the function did: its panic goes on here.
    pub fn try_wait(self) -> Result<R, Self> {
        match self.result.try_recv() {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => Err(self),
        }
    }
}

impl<R> fmt::Debug for HostCall<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostCall").finish_non_exhaustive()
    }
}

impl Stream {
    /// `hipLaunchHostFunc`, or `hipStreamAddCallback` where that is missing: calls a function of the host when everything
    /// that the stream was given before is done. Later work of the stream waits for it.
    ///
    /// The function runs in a thread of the runtime, in which every operation of this crate that enqueues or waits returns
    /// [`ErrorKind::InCallback`]. A panic in it comes back from [`HostCall::wait`]; where the `HostCall` was dropped, it goes
    /// no further than the panic hook.
    ///
    /// ```no_run
    /// # let stream = hip::Device::first()?.stream()?;
    /// let call = stream.call(|| std::time::Instant::now())?;
    /// println!("the stream came so far at {:?}", call.wait()?);
    /// # Ok::<(), hip::Error>(())
    /// ```
    ///
    /// # Errors
    /// The failure of the call; the function is dropped then.
    #[doc(alias = "hipLaunchHostFunc")]
    #[doc(alias = "hipStreamAddCallback")]
    pub fn call<R: Send + 'static>(
        &self,
        function: impl FnOnce() -> R + Send + 'static,
    ) -> Result<HostCall<R>> {
        let (sender, result) = channel();
        let function: Function = Box::new(move || {
            let outcome = catch_unwind(AssertUnwindSafe(function));
            // Nobody listens when the HostCall was dropped.
            let _ = sender.send(outcome);
        });
        let _current = self.shared().enter()?;
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        waiting().insert(number, function);
        let (api, data) = (self.runtime().api(), std::ptr::without_provenance_mut(number));
        let (name, status) = if self.runtime().supports("hipLaunchHostFunc") {
            // SAFETY: the stream is alive; the function takes a number, which outlives everything.
            ("hipLaunchHostFunc", unsafe { api.hipLaunchHostFunc(self.raw(), Some(host_function), data) })
        } else {
            // SAFETY: as above; 0 is the only flag there is.
            let status = unsafe { api.hipStreamAddCallback(self.raw(), Some(stream_callback), data, 0) };
            ("hipStreamAddCallback", status)
        };
        let call = || Call::new(name).arg("stream", self.raw()).on(self.device().raw());
        if let Err(error) = self.runtime().check(status, call) {
            // Out of the lock before it is dropped: its captures may do anything.
            let function = waiting().remove(&number);
            drop(function);
            return Err(error);
        }
        Ok(HostCall { result })
    }
}
