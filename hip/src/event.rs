//! Events: points in a stream's work.
//!
//! # Safety
//! An event's handle is valid from its creation until its owner's drop. `Event` and `Marker` are `Send` and `Sync`, as
//! their handles name objects of the runtime, whose calls may come from any thread, and nothing in Rust reads through
//! them.
#![allow(unsafe_code)]

use crate::error::{Call, ErrorCode, ErrorKind};
use crate::stream::StreamShared;
use crate::{Device, Error, Result, Stream};
use hip_sys::{hipError_t, hipEvent_t, hipEventInterprocess};
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;

/// `hipEventBlockingSync` of hip_runtime_api.h.
const BLOCKING_SYNC: u32 = 1;
/// `hipEventDisableTiming` of hip_runtime_api.h.
const DISABLE_TIMING: u32 = 2;

/// How an event is made.
///
/// ```
/// let flags = hip::EventFlags::new().timing(false).blocking(true);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventFlags {
    timing: bool,
    blocking: bool,
    interprocess: bool,
}

impl EventFlags {
    /// An event that keeps the time, and whose waiters may spin.
    pub const fn new() -> Self {
        Self { timing: true, blocking: false, interprocess: false }
    }

    /// Whether the event keeps the time at which it was reached. Without, it is cheaper.
    #[doc(alias = "hipEventDisableTiming")]
    pub const fn timing(self, timing: bool) -> Self {
        Self { timing, ..self }
    }

    /// Whether a thread that waits for the event sleeps instead of spinning.
    #[doc(alias = "hipEventBlockingSync")]
    pub const fn blocking(self, blocking: bool) -> Self {
        Self { blocking, ..self }
    }

    /// Whether other processes can open the event ([`Event::ipc_handle`]); such an event keeps no time.
    #[doc(alias = "hipEventInterprocess")]
    pub const fn interprocess(self, interprocess: bool) -> Self {
        Self { interprocess, ..self }
    }

    const fn bits(self) -> u32 {
        (if self.timing && !self.interprocess { 0 } else { DISABLE_TIMING })
            | (if self.blocking { BLOCKING_SYNC } else { 0 })
            | (if self.interprocess { hipEventInterprocess } else { 0 })
    }
}

impl Default for EventFlags {
    fn default() -> Self {
        Self::new()
    }
}

fn create(device: Device, flags: u32) -> Result<hipEvent_t> {
    let _current = device.enter()?;
    let mut handle: hipEvent_t = std::ptr::null_mut();
    // SAFETY: the out-pointer is to a live local.
    let status = unsafe { device.runtime().api().hipEventCreateWithFlags(&mut handle, flags) };
    device
        .runtime()
        .check(status, || Call::new("hipEventCreateWithFlags").arg("flags", flags).on(device.raw()))?;
    Ok(handle)
}

/// Records `event` at the end of `stream`. Both handles are alive.
fn record(event: hipEvent_t, stream: &StreamShared) -> Result<()> {
    let _current = stream.enter()?;
    let runtime = stream.device().runtime();
    // SAFETY: both handles are alive, says the caller.
    let status = unsafe { runtime.api().hipEventRecord(event, stream.handle()) };
    let call = || Call::new("hipEventRecord").arg("event", event).arg("stream", stream.handle());
    runtime.check(status, || call().on(stream.device().raw()))
}

/// Whether `event` has been reached. The handle is alive.
fn query(device: Device, event: hipEvent_t) -> Result<bool> {
    device.runtime().refuse()?;
    // SAFETY: the handle is alive, says the caller.
    let status = unsafe { device.runtime().api().hipEventQuery(event) };
    if let Ok(hipError_t(code)) = status
        && ErrorCode(code) == ErrorCode::NOT_READY
    {
        return Ok(false);
    }
    device.runtime().check(status, || Call::new("hipEventQuery").arg("event", event).on(device.raw()))?;
    Ok(true)
}

/// Waits for `event`. The handle is alive.
fn synchronize(device: Device, event: hipEvent_t) -> Result<()> {
    device.runtime().refuse()?;
    // SAFETY: the handle is alive, says the caller.
    let status = unsafe { device.runtime().api().hipEventSynchronize(event) };
    device.runtime().check(status, || Call::new("hipEventSynchronize").arg("event", event).on(device.raw()))
}

fn destroy(device: Device, event: hipEvent_t) {
    // SAFETY: the handle is alive and its owner is being dropped; HIP keeps what waits for it.
    let status = unsafe { device.runtime().api().hipEventDestroy(event) };
    device
        .runtime()
        .check_in_drop(status, || Call::new("hipEventDestroy").arg("event", event).on(device.raw()));
}

/// A point in a stream's work, and the time at which it was reached.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let start = hip::Event::new(device)?;
/// let stop = hip::Event::new(device)?;
/// start.record(&stream)?;
/// // … work on the stream …
/// stop.record(&stream)?;
/// stop.synchronize()?;
/// println!("{:?}", start.elapsed_until(&stop)?);
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipEventDestroy")]
pub struct Event {
    device: Device,
    handle: hipEvent_t,
}

// SAFETY: the handle names an object of the runtime that may be used from any thread (see the head of this file).
unsafe impl Send for Event {}
// SAFETY: as above.
unsafe impl Sync for Event {}

impl Event {
    /// `hipEventCreateWithFlags`: an event that keeps the time.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipEventCreate")]
    pub fn new(device: Device) -> Result<Self> {
        Self::with_flags(device, EventFlags::new())
    }

    /// `hipEventCreateWithFlags`.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipEventCreateWithFlags")]
    pub fn with_flags(device: Device, flags: EventFlags) -> Result<Self> {
        Ok(Self { device, handle: create(device, flags.bits())? })
    }

    /// An event that was made elsewhere, and is destroyed here.
    pub(crate) fn from_handle(device: Device, handle: hipEvent_t) -> Self {
        Self { device, handle }
    }

    /// `hipEventRecord`: the event is reached when everything that the stream was given before is done. Recording it
    /// again moves it.
    ///
    /// # Errors
    /// [`ErrorKind::WrongDevice`] for a stream of another device, or the failure of the call.
    #[doc(alias = "hipEventRecord")]
    pub fn record(&self, stream: &Stream) -> Result<()> {
        if self.device != stream.device() {
            return Err(wrong_device("the event", stream.device(), self.device));
        }
        record(self.handle, stream.shared())
    }

    /// `hipEventQuery`: whether the event has been reached; one that was never recorded has.
    ///
    /// # Errors
    /// The failure of the call, or of the work; "not ready" is no failure.
    #[doc(alias = "hipEventQuery")]
    pub fn is_reached(&self) -> Result<bool> {
        query(self.device, self.handle)
    }

    /// `hipEventSynchronize`: waits in this thread until the event is reached.
    ///
    /// # Errors
    /// The failure of the call, or of the work.
    #[doc(alias = "hipEventSynchronize")]
    pub fn synchronize(&self) -> Result<()> {
        synchronize(self.device, self.handle)
    }

    /// `hipEventElapsedTime`: the time on the device from this event to `stop`, with a resolution of about 1 µs. It is zero
    /// if `stop` was reached first.
    ///
    /// # Errors
    /// [`ErrorKind::NotReady`] when one of them has not been reached; [`ErrorKind::WrongDevice`] when they belong to different
    /// runtimes; the failure of the call when one was never recorded or keeps no time.
    #[doc(alias = "hipEventElapsedTime")]
    pub fn elapsed_until(&self, stop: &Event) -> Result<Duration> {
        self.device.expect_runtime_of(stop.device, "the event")?;
        let mut milliseconds = 0.0f32;
        let api = self.device.runtime().usable_api()?;
        // SAFETY: both handles are alive while they are borrowed; the out-pointer is to a live local.
        let status = unsafe { api.hipEventElapsedTime(&mut milliseconds, self.handle, stop.handle) };
        let call = || Call::new("hipEventElapsedTime").arg("start", self.handle).arg("stop", stop.handle);
        self.device.runtime().check(status, || call().on(self.device.raw()))?;
        Ok(Duration::try_from_secs_f64(f64::from(milliseconds) / 1e3).unwrap_or_default())
    }

    /// The device that the event belongs to.
    pub fn device(&self) -> Device {
        self.device
    }

    /// The handle, for calls that this crate does not wrap.
    pub fn raw(&self) -> hipEvent_t {
        self.handle
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        if crate::callback::is_inside() {
            let late = Self { device: self.device, handle: self.handle };
            return self.device.runtime().shared().deferred.later(Box::new(late));
        }
        destroy(self.device, self.handle);
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event").field("device", &self.device).field("handle", &self.handle).finish()
    }
}

#[cold]
pub(crate) fn wrong_device(what: &str, stream: Device, object: Device) -> Error {
    Error::new(
        ErrorKind::WrongDevice { expected: stream.ordinal(), actual: object.ordinal() },
        format!("{what} belongs to device {}, the stream to device {}", object.ordinal(), stream.ordinal()),
    )
}

/// A recorded event without timing, out of the device's pool: the wrapper's own.
pub(crate) struct Marker {
    device: Device,
    handle: hipEvent_t,
}

// SAFETY: the handle names an object of the runtime that may be used from any thread (see the head of this file).
unsafe impl Send for Marker {}

impl Marker {
    /// Records the end of what `stream` has been given so far. The stream's handle is alive.
    pub(crate) fn record(stream: &StreamShared) -> Result<Self> {
        let device = stream.device();
        let handle = match device.state().markers.pop() {
            Some(handle) => handle,
            None => create(device, DISABLE_TIMING)?,
        };
        let marker = Self { device, handle };
        record(handle, stream)?;
        Ok(marker)
    }

    pub(crate) fn raw(&self) -> hipEvent_t {
        self.handle
    }

    /// Whether the marked work is done.
    pub(crate) fn passed(&self) -> Result<bool> {
        query(self.device, self.handle)
    }

    /// Waits for the marked work.
    pub(crate) fn wait(&self) -> Result<()> {
        synchronize(self.device, self.handle)
    }
}

impl Drop for Marker {
    /// Back to the pool: whoever waits for the marker waits for what it marked at that time.
    fn drop(&mut self) {
        if self.device.state().markers.push(self.handle) {
            return;
        }
        if crate::callback::is_inside() {
            let late = Self { device: self.device, handle: self.handle };
            return self.device.runtime().shared().deferred.later(Box::new(late));
        }
        destroy(self.device, self.handle);
    }
}

/// Events that wait to be recorded again.
#[derive(Default)]
pub(crate) struct MarkerPool(Mutex<Vec<PooledHandle>>);

struct PooledHandle(hipEvent_t);

// SAFETY: the handle names an object of the runtime that may be used from any thread (see the head of this file).
unsafe impl Send for PooledHandle {}

impl MarkerPool {
    /// More than these are destroyed instead.
    const LIMIT: usize = 256;

    fn pop(&self) -> Option<hipEvent_t> {
        let mut pool = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        pool.pop().map(|handle| handle.0)
    }

    fn push(&self, handle: hipEvent_t) -> bool {
        let mut pool = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let room = pool.len() < Self::LIMIT;
        if room {
            pool.push(PooledHandle(handle));
        }
        room
    }
}
