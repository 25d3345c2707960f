//! Streams: queues of work on a device, in order.
//!
//! # Safety
//! A stream's handle is valid from its creation until `hipStreamDestroy`, which only the drop of the last [`Stream`]
//! reaches, under the lock that every use without a borrowed `Stream` takes too.
//!
//! `StreamShared` is `Send` and `Sync`: its handle names an object of the runtime, whose calls may come from any thread
//! (HIP Programming Guide, "Multi-threading"), and nothing in Rust reads through it.
#![allow(unsafe_code)]

mod cu_mask;

use crate::device::Current;
use crate::error::{Call, ErrorCode};
use crate::event::Marker;
use crate::graph::Captured;
use crate::{Device, Error, ErrorKind, Event, Result, Runtime};
use hip_sys::{hipError_t, hipStream_t};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

/// `hipStreamNonBlocking` of hip_runtime_api.h.
const NON_BLOCKING: u32 = 1;

/// How a stream is made.
///
/// ```
/// let flags = hip::StreamFlags::new().non_blocking(true).priority(-1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamFlags {
    non_blocking: bool,
    priority: Option<i32>,
}

impl StreamFlags {
    /// A stream that waits for the default stream, at the default priority.
    pub const fn new() -> Self {
        Self { non_blocking: false, priority: None }
    }

    /// Whether the stream runs beside the default stream instead of waiting for it.
    #[doc(alias = "hipStreamNonBlocking")]
    pub const fn non_blocking(self, non_blocking: bool) -> Self {
        Self { non_blocking, ..self }
    }

    /// The priority; smaller is more urgent. HIP clamps it to [`Device::stream_priorities`].
    pub const fn priority(self, priority: i32) -> Self {
        Self { priority: Some(priority), ..self }
    }
}

/// What a stream and the memory that it used share.
pub(crate) struct StreamShared {
    device: Device,
    id: u64,
    handle: hipStream_t,
    /// Everything that was ever enqueued is done, and the handle is destroyed.
    finished: AtomicBool,
    /// Held while the handle is used by somebody who does not borrow the `Stream`, and while it is destroyed.
    alive: Mutex<()>,
    /// What goes into a graph instead of to the device. Such a stream is never used for anything else.
    captured: Option<Arc<Captured>>,
}

// SAFETY: the handle names an object of the runtime that may be used from any thread (see the head of this file).
unsafe impl Send for StreamShared {}
// SAFETY: as above.
unsafe impl Sync for StreamShared {}

impl StreamShared {
    /// The null stream of a device.
    pub(crate) fn null(device: Device) -> Self {
        Self::with_handle(device, std::ptr::null_mut())
    }

    pub(crate) fn with_handle(device: Device, handle: hipStream_t) -> Self {
        let id = device.runtime().next_stream_id();
        Self { device, id, handle, finished: AtomicBool::new(false), alive: Mutex::new(()), captured: None }
    }

    /// Distinguishes the stream from all others of the runtime, earlier ones included.
    #[inline]
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    #[inline]
    pub(crate) fn device(&self) -> Device {
        self.device
    }

    /// The handle, for calls while a [`Stream`] is borrowed or [`hold`](Self::hold) is held.
    #[inline]
    pub(crate) fn handle(&self) -> hipStream_t {
        self.handle
    }

    /// Whether the stream is gone, and with it all its work.
    pub(crate) fn is_finished(&self) -> bool {
        self.finished.load(Ordering::Acquire)
    }

    /// Keeps the handle from being destroyed. `None` when it already is.
    pub(crate) fn hold(&self) -> Option<MutexGuard<'_, ()>> {
        let guard = self.alive.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        (!self.is_finished()).then_some(guard)
    }

    /// Makes what a call on this stream needs current: the null stream is that of the current device, any other knows its
    /// device.
    ///
    /// Refuses a stream that is captured: what can go into a graph asks [`captured`](Self::captured) before.
    #[inline]
    pub(crate) fn enter(&self) -> Result<Option<Current>> {
        self.refuse_capture()?;
        if self.handle.is_null() {
            return self.device.enter().map(Some);
        }
        self.device.runtime().refuse()?;
        Ok(None)
    }

    /// An error when the stream is captured.
    #[inline]
    pub(crate) fn refuse_capture(&self) -> Result<()> {
        if self.captured.is_some() { Err(capturing()) } else { Ok(()) }
    }

    /// An error where nothing can be given to the stream that owns host memory: when it is captured, or inside a callback.
    pub(crate) fn refuse_owned(&self) -> Result<()> {
        self.refuse_capture()?;
        self.device.runtime().refuse()
    }

    /// What the stream is captured into, if it is.
    #[inline]
    pub(crate) fn captured(&self) -> Option<&Arc<Captured>> {
        self.captured.as_ref()
    }

    /// Makes later work of this stream wait for what `earlier` has been given so far.
    pub(crate) fn wait_for(&self, earlier: &StreamShared) -> Result<()> {
        let Some(_held) = earlier.hold() else { return Ok(()) };
        let marker = Marker::record(earlier)?;
        self.wait_marker(&marker)
    }

    /// Makes later work of this stream wait for what is marked. The stream's handle is alive.
    pub(crate) fn wait_marker(&self, marker: &Marker) -> Result<()> {
        let _current = self.enter()?;
        let runtime = self.device.runtime();
        // SAFETY: both handles are alive; 0 is the only flag there is.
        let status = unsafe { runtime.api().hipStreamWaitEvent(self.handle, marker.raw(), 0) };
        runtime.check(status, || {
            Call::new("hipStreamWaitEvent").arg("stream", self.handle).on(self.device.raw())
        })
    }

    /// Waits in this thread for everything the stream has been given. Called with the handle alive.
    pub(crate) fn synchronize(&self) -> Result<()> {
        let _current = self.enter()?;
        let runtime = self.device.runtime();
        // SAFETY: the handle is alive.
        let status = unsafe { runtime.api().hipStreamSynchronize(self.handle) };
        runtime.check(status, || {
            Call::new("hipStreamSynchronize").arg("stream", self.handle).on(self.device.raw())
        })
    }

    /// Finishes the stream's work and destroys it. Leaks it when its work cannot be waited for: memory that it used must
    /// then never be freed.
    fn destroy(&self) -> Result<()> {
        let Some(_held) = self.hold() else { return Ok(()) };
        let runtime = self.device.runtime();
        // Nothing but a capture that is over was ever enqueued on a captured stream.
        if self.captured.is_none() {
            self.synchronize()?;
        }
        self.finished.store(true, Ordering::Release);
        // SAFETY: the owner is being dropped, everybody else asks `hold` first.
        let status = unsafe { runtime.api().hipStreamDestroy(self.handle) };
        let call = || Call::new("hipStreamDestroy").arg("stream", self.handle).on(self.device.raw());
        runtime.check(status, call)
    }
}

#[cold]
fn capturing() -> Error {
    let message =
        "the stream is being captured: only kernels, fills and copies on the device can go into a graph";
    Error::new(ErrorKind::Capturing, message)
}

/// A queue of work on one device. Work of one stream runs in order; that of several streams may overlap.
///
/// Memory takes care of itself across streams: work on a buffer waits for earlier work on it, whichever streams the two
/// are on, so programs need [`Stream::wait`] only for what the wrapper cannot see.
///
/// A stream may be used from any thread, by several at once. Dropping it waits for its work.
///
/// ```no_run
/// let device = hip::Device::first()?;
/// let stream = device.stream()?;
/// let buffer = hip::DeviceBuffer::from_slice(&stream, &[1.0f32, 2.0, 3.0])?;
/// assert_eq!(buffer.to_vec(&stream)?, [1.0, 2.0, 3.0]);
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipStreamDestroy")]
pub struct Stream {
    shared: Arc<StreamShared>,
}

impl Stream {
    /// `hipStreamCreateWithFlags`: a stream that waits for the default stream, at the default priority.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipStreamCreate")]
    #[doc(alias = "hipStreamCreateWithFlags")]
    pub fn new(device: Device) -> Result<Self> {
        Self::with_flags(device, StreamFlags::new())
    }

    /// `hipStreamCreateWithFlags`, or `hipStreamCreateWithPriority` when a priority is given.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipStreamCreateWithFlags")]
    #[doc(alias = "hipStreamCreateWithPriority")]
    pub fn with_flags(device: Device, flags: StreamFlags) -> Result<Self> {
        let _current = device.enter()?;
        let api = device.runtime().api();
        let bits = if flags.non_blocking { NON_BLOCKING } else { 0 };
        let mut handle: hipStream_t = std::ptr::null_mut();
        match flags.priority {
            Some(priority) => {
                // SAFETY: the out-pointer is to a live local.
                let status = unsafe { api.hipStreamCreateWithPriority(&mut handle, bits, priority) };
                let call =
                    || Call::new("hipStreamCreateWithPriority").arg("flags", bits).arg("priority", priority);
                device.runtime().check(status, || call().on(device.raw()))?;
            }
            None => {
                // SAFETY: the out-pointer is to a live local.
                let status = unsafe { api.hipStreamCreateWithFlags(&mut handle, bits) };
                let call = || Call::new("hipStreamCreateWithFlags").arg("flags", bits).on(device.raw());
                device.runtime().check(status, call)?;
            }
        }
        Ok(Self { shared: Arc::new(StreamShared::with_handle(device, handle)) })
    }

    pub(crate) fn from_shared(shared: Arc<StreamShared>) -> Self {
        Self { shared }
    }

    #[inline]
    pub(crate) fn shared(&self) -> &Arc<StreamShared> {
        &self.shared
    }

    /// Whether the stream's work goes into a graph instead of to the device.
    #[inline]
    pub(crate) fn is_capture(&self) -> bool {
        self.shared.captured.is_some()
    }

    /// A new stream whose work goes into `captured`.
    pub(crate) fn for_capture(device: Device, captured: Arc<Captured>) -> Result<Self> {
        let mut stream = Self::with_flags(device, StreamFlags::new().non_blocking(true))?;
        if let Some(shared) = Arc::get_mut(&mut stream.shared) {
            shared.captured = Some(captured);
        }
        Ok(stream)
    }

    /// The device that the stream's work runs on.
    #[inline]
    pub fn device(&self) -> Device {
        self.shared.device
    }

    /// The runtime that the stream belongs to.
    pub fn runtime(&self) -> Runtime {
        self.shared.device.runtime()
    }

    /// The handle, for calls that this crate does not wrap. Null for the default stream.
    pub fn raw(&self) -> hipStream_t {
        self.shared.handle
    }

    /// `hipStreamSynchronize`: waits in this thread for everything the stream has been given.
    ///
    /// # Errors
    /// The failure of the call, or of the work.
    #[doc(alias = "hipStreamSynchronize")]
    pub fn synchronize(&self) -> Result<()> {
        self.shared.synchronize()?;
        self.runtime().shared().deferred.sweep();
        Ok(())
    }

    /// `hipStreamQuery`: whether everything the stream has been given is done.
    ///
    /// # Errors
    /// The failure of the call, or of the work; "not ready" is no failure.
    #[doc(alias = "hipStreamQuery")]
    pub fn is_idle(&self) -> Result<bool> {
        let _current = self.shared.enter()?;
        // SAFETY: the handle is alive while `self` is.
        let status = unsafe { self.runtime().api().hipStreamQuery(self.shared.handle) };
        if let Ok(hipError_t(code)) = status
            && ErrorCode(code) == ErrorCode::NOT_READY
        {
            return Ok(false);
        }
        self.runtime().check(status, || {
            Call::new("hipStreamQuery").arg("stream", self.raw()).on(self.device().raw())
        })?;
        Ok(true)
    }

    /// `hipStreamWaitEvent`: makes later work of this stream wait for the event, without blocking this thread. The event
    /// may be of another device. An event that was never recorded is not waited for.
    ///
    /// # Errors
    /// [`ErrorKind::WrongDevice`] for an event of another runtime, or the failure of the call.
    #[doc(alias = "hipStreamWaitEvent")]
    pub fn wait(&self, event: &Event) -> Result<()> {
        self.device().expect_runtime_of(event.device(), "the event")?;
        let _current = self.shared.enter()?;
        // SAFETY: both handles are alive while they are borrowed; 0 is the only flag there is.
        let status = unsafe { self.runtime().api().hipStreamWaitEvent(self.raw(), event.raw(), 0) };
        let call = || Call::new("hipStreamWaitEvent").arg("stream", self.raw()).arg("event", event.raw());
        self.runtime().check(status, || call().on(self.device().raw()))
    }

    /// `hipStreamGetPriority`: the priority that the stream really has.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipStreamGetPriority")]
    pub fn priority(&self) -> Result<i32> {
        let _current = self.shared.enter()?;
        let mut priority = 0;
        // SAFETY: the handle is alive while `self` is; the out-pointer is to a live local.
        let status = unsafe { self.runtime().api().hipStreamGetPriority(self.raw(), &mut priority) };
        let call = || Call::new("hipStreamGetPriority").arg("stream", self.raw()).on(self.device().raw());
        self.runtime().check(status, call)?;
        Ok(priority)
    }

    /// `hipStreamGetFlags`: whether the stream runs beside the default stream instead of waiting for it.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipStreamGetFlags")]
    pub fn is_non_blocking(&self) -> Result<bool> {
        let _current = self.shared.enter()?;
        let mut flags = 0;
        // SAFETY: the handle is alive while `self` is; the out-pointer is to a live local.
        let status = unsafe { self.runtime().api().hipStreamGetFlags(self.raw(), &mut flags) };
        let call = || Call::new("hipStreamGetFlags").arg("stream", self.raw()).on(self.device().raw());
        self.runtime().check(status, call)?;
        Ok(flags & NON_BLOCKING != 0)
    }
}

impl Drop for Stream {
    /// Waits for the stream's work. The default stream belongs to the device and stays.
    fn drop(&mut self) {
        if self.shared.handle.is_null() {
            return;
        }
        if crate::callback::is_inside() {
            let late = Self { shared: self.shared.clone() };
            return self.runtime().shared().deferred.later(Box::new(late));
        }
        if let Err(error) = self.shared.destroy() {
            self.runtime().report(&error);
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("device", &self.device()).field("handle", &self.raw()).finish()
    }
}
