//! Numbers that streams write and wait for.
//!
//! # Safety
//! The memory is 8 bytes that `hipExtMallocWithFlags` returned; its uses keep it alive. They do not order: a stream that
//! waits must not keep another from writing what it waits for.
#![allow(unsafe_code)]

use super::Allocation;
use super::block::{Freed, required};
use crate::error::Call;
use crate::event::wrong_device;
use crate::{Device, Result, Stream};
use hip_sys::{
    hipMallocSignalMemory, hipStreamWaitValueAnd, hipStreamWaitValueEq, hipStreamWaitValueGte,
    hipStreamWaitValueNor,
};
use std::fmt;

/// What a stream waits for; see [`Stream::wait_value`].
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// use hip::memory::{Signal, WaitFor};
/// let (signal, other) = (Signal::new(&stream)?, device.stream()?);
/// other.wait_value(&signal, WaitFor::AnyBit(0b100))?;
/// stream.write_value(&signal, 0b110)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WaitFor {
    /// The signal is this or, as a signed difference, more.
    #[doc(alias = "hipStreamWaitValueGte")]
    AtLeast(u64),
    /// The signal is this.
    #[doc(alias = "hipStreamWaitValueEq")]
    Equal(u64),
    /// The signal has one of these bits.
    #[doc(alias = "hipStreamWaitValueAnd")]
    AnyBit(u64),
    /// Some bit is set neither here nor in the signal.
    #[doc(alias = "hipStreamWaitValueNor")]
    NotAllBits(u64),
}

impl WaitFor {
    fn raw(self) -> (u64, u32) {
        match self {
            Self::AtLeast(value) => (value, hipStreamWaitValueGte),
            Self::Equal(value) => (value, hipStreamWaitValueEq),
            Self::AnyBit(bits) => (bits, hipStreamWaitValueAnd),
            Self::NotAllBits(bits) => (bits, hipStreamWaitValueNor),
        }
    }
}

/// A number of 64 bits that streams write and wait for, in the order of their work.
///
/// Dropping it waits for the streams that use it: write what they wait for before.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// use hip::memory::{Signal, WaitFor};
/// let (producer, consumer) = (device.stream()?, device.stream()?);
/// let signal = Signal::new(&producer)?;
/// consumer.wait_value(&signal, WaitFor::AtLeast(1))?;
/// producer.write_value(&signal, 1)?;
/// consumer.synchronize()?;
/// # Ok::<(), hip::Error>(())
/// ```
pub struct Signal(Allocation);

impl Signal {
    /// `hipExtMallocWithFlags`: a signal of the stream's device, which the stream sets to zero.
    ///
    /// # Errors
    /// The failure of a call.
    #[doc(alias = "hipExtMallocWithFlags")]
    pub fn new(stream: &Stream) -> Result<Self> {
        const BYTES: usize = 8;
        let device = stream.device();
        let _current = device.enter()?;
        let mut address = std::ptr::null_mut();
        let api = device.runtime().api();
        // SAFETY: the out-pointer is to a live local.
        let status = unsafe { api.hipExtMallocWithFlags(&mut address, BYTES, hipMallocSignalMemory) };
        let call = || Call::new("hipExtMallocWithFlags").arg("flags", "hipMallocSignalMemory");
        let address = required(device, BYTES, status, address, || call().on(device.raw()))?;
        // SAFETY: hipFree takes what hipExtMallocWithFlags returns.
        let owner = Freed::by("hipFree", |api, address| unsafe { api.hipFree(address) });
        let signal = Self(Allocation::owned(device, address.as_ptr(), BYTES, owner));
        stream.write_value(&signal, 0)?;
        stream.synchronize()?;
        Ok(signal)
    }

    /// The device that the signal belongs to.
    pub fn device(&self) -> Device {
        self.0.device()
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("device", &self.device()).finish_non_exhaustive()
    }
}

impl Stream {
    /// `hipStreamWriteValue64`: writes to the signal when the stream comes to this point.
    ///
    /// # Errors
    /// [`WrongDevice`](crate::ErrorKind::WrongDevice), or the failure of the call.
    #[doc(alias = "hipStreamWriteValue32")]
    #[doc(alias = "hipStreamWriteValue64")]
    pub fn write_value(&self, signal: &Signal, value: u64) -> Result<()> {
        self.with_signal(signal, || {
            let (api, address) = (self.runtime().api(), signal.0.address());
            // SAFETY: the signal's uses keep it; the stream is alive; 0 is the only flag there is.
            let status = unsafe { api.hipStreamWriteValue64(self.raw(), address, value, 0) };
            let call = || Call::new("hipStreamWriteValue64").arg("value", value).on(self.device().raw());
            self.runtime().check(status, call)
        })
    }

    /// `hipStreamWaitValue64`: later work of this stream waits until the signal is as it should be.
    ///
    /// # Errors
    /// [`WrongDevice`](crate::ErrorKind::WrongDevice), or the failure of the call.
    #[doc(alias = "hipStreamWaitValue32")]
    #[doc(alias = "hipStreamWaitValue64")]
    pub fn wait_value(&self, signal: &Signal, until: WaitFor) -> Result<()> {
        self.with_signal(signal, || {
            let ((value, flags), all) = (until.raw(), u64::MAX);
            let (api, address) = (self.runtime().api(), signal.0.address());
            // SAFETY: the signal's uses keep it; the stream is alive.
            let status = unsafe { api.hipStreamWaitValue64(self.raw(), address, value, flags, all) };
            let call = || Call::new("hipStreamWaitValue64").arg("until", until).on(self.device().raw());
            self.runtime().check(status, call)
        })
    }

    fn with_signal(&self, signal: &Signal, enqueue: impl FnOnce() -> Result<()>) -> Result<()> {
        if !signal.0.is_reached_by(self.device()) {
            return Err(wrong_device("the signal", self.device(), signal.device()));
        }
        let _current = self.shared().enter()?;
        let outcome = enqueue();
        // Also when it failed: it may have been enqueued.
        signal.0.uses().keep(self.shared());
        outcome
    }
}
