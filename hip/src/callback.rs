//! Functions of the host that a stream calls.
//!
//! # Safety
//! HIP is given a number, not a pointer: the function is looked up and taken out under it, so a call that failed although
//! it was enqueued finds nothing instead of freed memory. No panic leaves the C functions.
#![allow(unsafe_code)]

mod outcome;

use crate::error::Call;
use crate::stream::StreamShared;
use crate::{Error, ErrorKind, Result, Stream};
use hip_sys::{hipError_t, hipStream_t};
use outcome::{Outcome, Returned};
use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard};
use std::task::{Context, Poll};

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
///
/// It is a future, too, which needs no executor of any kind: the runtime's thread wakes the task. Dropping it does not keep
/// the function from being called.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let call = stream.call(|| std::thread::current().id())?;
/// // … other work of this thread …
/// println!("called in {:?}", call.wait()?);
/// # Ok::<(), hip::Error>(())
/// ```
#[must_use = "a panic of the function comes back from `wait`"]
pub struct HostCall<R>(Outcome<R>);

impl<R> HostCall<R> {
    /// Waits until the function has been called, and returns what it returned.
    ///
    /// # Errors
    /// [`ErrorKind::DeviceFailure`] when the runtime dropped the function without calling it; [`ErrorKind::InCallback`] inside
    /// another one, when it has not been called yet.
    ///
    /// # Panics
    /// When the function did: its panic goes on here.
    pub fn wait(self) -> Result<R> {
        if is_inside() {
            // Its turn may come behind that of the one that would wait.
            return self.try_wait().map_err(|_| inside());
        }
        finish(self.0.wait())
    }

    /// What the function returned, if it has been called.
    ///
    /// # Errors
    /// The call itself, when it has not been called yet.
    ///
    /// # Panics
    /// When the function did: its panic goes on here.
    pub fn try_wait(self) -> Result<R, Self> {
        match self.0.take() {
            Some(Some(Ok(value))) => Ok(value),
            Some(Some(Err(panic))) => resume_unwind(panic),
            Some(None) | None => Err(self),
        }
    }
}

impl<R> Future for HostCall<R> {
    type Output = Result<R>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<R>> {
        self.0.poll(context).map(finish)
    }
}

fn finish<R>(outcome: Option<Returned<R>>) -> Result<R> {
    match outcome {
        Some(Ok(value)) => Ok(value),
        Some(Err(panic)) => resume_unwind(panic),
        None => Err(Error::new(ErrorKind::DeviceFailure, "the stream never called the function")),
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
        let (promise, outcome) = outcome::pair();
        enqueue(
            self.shared(),
            // Nobody listens when the HostCall was dropped.
            Box::new(move || promise.keep(catch_unwind(AssertUnwindSafe(function)))),
        )?;
        Ok(HostCall(outcome))
    }

    /// A future that is ready when everything that the stream has been given so far is done.
    ///
    /// It needs no executor of any kind: a function that the stream calls wakes the task. Dropping it changes nothing.
    ///
    /// ```no_run
    /// # async fn f() -> hip::Result<()> {
    /// # let stream = hip::Device::first()?.stream()?;
    /// # let mut buffer = hip::DeviceBuffer::<f32>::zeroed(&stream, 1000)?;
    /// stream.fill(&mut buffer, 1.0)?;
    /// stream.finished()?.await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`Stream::call`].
    #[doc(alias = "hipLaunchHostFunc")]
    #[doc(alias = "hipStreamAddCallback")]
    pub fn finished(&self) -> Result<HostCall<()>> {
        self.call(|| ())
    }
}

/// Has the stream call `function`. The stream's handle is alive.
pub(crate) fn enqueue(stream: &StreamShared, function: Function) -> Result<()> {
    let _current = stream.enter()?;
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    waiting().insert(number, function);
    let (runtime, handle) = (stream.device().runtime(), stream.handle());
    let (api, data) = (runtime.api(), std::ptr::without_provenance_mut(number));
    let (name, status) = if runtime.supports("hipLaunchHostFunc") {
        // SAFETY: the stream is alive; the function takes a number, which outlives everything.
        ("hipLaunchHostFunc", unsafe { api.hipLaunchHostFunc(handle, Some(host_function), data) })
    } else {
        // SAFETY: as above; 0 is the only flag there is.
        let status = unsafe { api.hipStreamAddCallback(handle, Some(stream_callback), data, 0) };
        ("hipStreamAddCallback", status)
    };
    let call = || Call::new(name).arg("stream", handle).on(stream.device().raw());
    if let Err(error) = runtime.check(status, call) {
        // Out of the lock before it is dropped: its captures may do anything.
        let function = waiting().remove(&number);
        drop(function);
        return Err(error);
    }
    Ok(())
}

/// A wake-up call from a stream, for the task that polls.
pub(crate) struct Alarm(Outcome<()>);

impl Alarm {
    /// Rings when everything that the stream has been given so far is done. The stream's handle is alive.
    pub(crate) fn set(stream: &StreamShared) -> Result<Self> {
        let (promise, outcome) = outcome::pair();
        enqueue(stream, Box::new(move || promise.keep(Ok(()))))?;
        Ok(Self(outcome))
    }

    /// Ready when it rang, or never will.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<()> {
        self.0.poll(context).map(drop)
    }
}
