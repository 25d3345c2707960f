//! Asynchronous copies of borrowed host memory, which a scope waits for.
//!
//! # Safety
//! Host memory that a scope is given stays borrowed until the scope ends, as with [`std::thread::scope`]: the scope's
//! lifetime is invariant and chosen by [`scope`], which returns only when the device is done. That does not depend on
//! anybody's destructor. Where nothing can tell that the device is done, the process ends.
#![allow(unsafe_code)]

use super::copy::{Copy, same_length};
use super::unified::device_address;
use super::view::elements;
use super::{Access, Allocation, View, ViewMut};
use crate::error::Call;
use crate::memory::block::Kept;
use crate::stream::StreamShared;
use crate::{Device, Error, Result, Stream, callback};
use bytemuck::Pod;
use hip_sys::hipHostRegisterMapped;
use std::ffi::c_void;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex};

/// Lends host memory to asynchronous copies: whatever `body` starts with the scope is done when this returns.
///
/// It is to copies what [`std::thread::scope`] is to threads. Copies of page-locked memory
/// ([`PinnedBuffer`](crate::PinnedBuffer), or memory that the scope [registers](Scope::register)) run beside kernels and
/// this thread; the runtime may wait for copies of any other.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let input = vec![1.0f32; 1000];
/// let mut output = vec![0.0f32; 1000];
/// let mut buffer = hip::DeviceBuffer::uninit(device, 1000)?;
/// hip::scope(|scope| {
///     scope.upload(&stream, &input, &mut buffer)?;
///     scope.download(&stream, &buffer, &mut output)
///     // Other work of this thread; `output` is out of reach.
/// })?;
/// assert_eq!(output, input);
/// # Ok::<(), hip::Error>(())
/// ```
///
/// # Errors
/// The error that `body` returns, or the failure of the work.
///
/// # Panics
/// When `body` does, after the copies are done. When HIP cannot tell whether they are, the process is aborted: nothing else
/// would be sound.
pub fn scope<'env, R>(body: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> Result<R>) -> Result<R> {
    callback::refuse()?;
    let scope = Scope { lent: Mutex::new(Lent::default()), scope: PhantomData, env: PhantomData };
    let finish = Finish(&scope.lent);
    let outcome = body(&scope);
    std::mem::forget(finish);
    let finished = finish_all(&scope.lent);
    let value = outcome?;
    finished.map(|()| value)
}

/// Where borrowed host memory is lent to the device; see [`scope`].
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let mut output = [0.0f32; 1000];
/// let buffer = hip::DeviceBuffer::<f32>::zeroed(&stream, 1000)?;
/// hip::scope(|scope: &hip::Scope<'_, '_>| scope.download(&stream, &buffer, &mut output))?;
/// # Ok::<(), hip::Error>(())
/// ```
pub struct Scope<'scope, 'env: 'scope> {
    lent: Mutex<Lent>,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

/// What has to be done before the scope can end.
#[derive(Default)]
struct Lent {
    streams: Vec<Arc<StreamShared>>,
    registered: Vec<Registration>,
}

struct Registration {
    allocation: Arc<Allocation>,
    host: *mut c_void,
}

// SAFETY: the pointer is only given back.
unsafe impl Send for Registration {}

/// Finishes when `body` panics.
struct Finish<'a>(&'a Mutex<Lent>);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        if let Err(error) = finish_all(self.0) {
            // The panic goes on; there is no other place for the error.
            let lent = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            if let Some(stream) = lent.streams.first() {
                stream.device().runtime().report(&error);
            }
        }
    }
}

/// Waits for everything that the host memory was lent to, and unlocks what was locked.
fn finish_all(lent: &Mutex<Lent>) -> Result<()> {
    let mut lent = lent.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let mut outcome = Ok(());
    for stream in &lent.streams {
        let Some(_held) = stream.hold() else { continue };
        outcome = outcome.and(stream.synchronize().or_else(|error| done_at_least(stream.device(), error)));
    }
    for Registration { allocation, host } in lent.registered.drain(..) {
        let device = allocation.device();
        let waited = allocation.uses().wait_on_host().or_else(|error| done_at_least(device, error));
        outcome = outcome.and(waited).and(unregister(device, host));
    }
    outcome
}

/// Makes sure that the device does nothing any more after waiting for a stream failed. Returns the error, or not at all.
#[cold]
fn done_at_least(device: Device, error: Error) -> Result<()> {
    if device.synchronize().is_err() {
        device.runtime().report(&error);
        device.runtime().report(&Error::new(
            crate::ErrorKind::DeviceFailure,
            "nothing tells whether the device still uses memory that was lent to it in a scope: aborting",
        ));
        std::process::abort();
    }
    Err(error)
}

fn unregister(device: Device, host: *mut c_void) -> Result<()> {
    let _current = device.enter()?;
    // SAFETY: the scope registered it, once, and everything that used it is done.
    let status = unsafe { device.runtime().api().hipHostUnregister(host) };
    device.runtime().check(status, || Call::new("hipHostUnregister").arg("hostPtr", host).on(device.raw()))
}

impl<'scope> Scope<'scope, '_> {
    /// `hipMemcpyAsync`: copies host memory to the device, in stream order. The copy is done when the scope ends.
    ///
    /// # Errors
    /// Those of [`Stream::upload`].
    #[doc(alias = "hipMemcpyAsync")]
    pub fn upload<'a, T: Pod>(
        &'scope self,
        stream: &Stream,
        source: &'scope [T],
        destination: impl Into<ViewMut<'a, T>>,
    ) -> Result<()> {
        let destination = destination.into();
        same_length("copying to the device", source.len(), destination.len())?;
        let copy = Copy::host_to_device(source.as_ptr(), destination.address(), source.len());
        self.lend_to(stream)?;
        stream.with_use(destination.allocation(), Access::Write, copy.bytes, || copy.run(stream, false))
    }

    /// `hipMemcpyAsync`: copies device memory to the host, in stream order. The copy is done when the scope ends.
    ///
    /// # Errors
    /// Those of [`Stream::download`].
    #[doc(alias = "hipMemcpyAsync")]
    pub fn download<'a, T: Pod>(
        &'scope self,
        stream: &Stream,
        source: impl Into<View<'a, T>>,
        destination: &'scope mut [T],
    ) -> Result<()> {
        let source = source.into();
        same_length("copying to the host", source.len(), destination.len())?;
        let copy = Copy::device_to_host(source.address(), destination.as_mut_ptr(), source.len());
        self.lend_to(stream)?;
        stream.with_use(source.allocation(), Access::Read, copy.bytes, || copy.run(stream, false))
    }

    /// `hipHostRegister`: locks the pages of host memory until the scope ends, so that the device reaches them: kernels in
    /// place, copies at full speed.
    ///
    /// ```no_run
    /// # let device = hip::Device::first()?;
    /// # let stream = device.stream()?;
    /// let mut numbers = vec![0u32; 1 << 20];
    /// hip::scope(|scope| {
    ///     let mut numbers = scope.register(device, &mut numbers)?;
    ///     stream.fill(&mut numbers, 7)
    /// })?;
    /// assert_eq!(numbers[12345], 7);
    /// # Ok::<(), hip::Error>(())
    /// ```
    ///
    /// # Errors
    /// The failure of a call.
    #[doc(alias = "hipHostRegister")]
    #[doc(alias = "hipHostUnregister")]
    #[doc(alias = "hipHostGetDevicePointer")]
    pub fn register<T: Pod>(
        &'scope self,
        device: Device,
        memory: &'scope mut [T],
    ) -> Result<Registered<'scope, T>> {
        let (len, bytes) = (memory.len(), size_of_val(memory));
        if bytes == 0 {
            return Ok(Registered {
                allocation: Arc::new(Allocation::empty(device)),
                len,
                memory: PhantomData,
            });
        }
        let host = memory.as_mut_ptr().cast::<c_void>();
        let _current = device.enter()?;
        // SAFETY: the memory is borrowed until the scope ends, which unregisters it.
        let status = unsafe { device.runtime().api().hipHostRegister(host, bytes, hipHostRegisterMapped) };
        let call = || Call::new("hipHostRegister").arg("hostPtr", host).arg("sizeBytes", bytes);
        device.runtime().check(status, || call().on(device.raw()))?;
        let address = match device_address(device, host) {
            Ok(address) => address,
            Err(error) => {
                // Nothing uses it yet.
                let _ = unregister(device, host);
                return Err(error);
            }
        };
        // The scope itself unregisters: whether anybody drops or forgets the `Registered` does not matter.
        let allocation = Arc::new(Allocation::owned(device, address, bytes, Kept(())));
        let mut lent = self.lent.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        lent.registered.push(Registration { allocation: allocation.clone(), host });
        Ok(Registered { allocation, len, memory: PhantomData })
    }

    /// Has the scope wait for the stream, before anything is lent to its work.
    pub(super) fn lend_to(&self, stream: &Stream) -> Result<()> {
        stream.shared().refuse_capture()?;
        let mut lent = self.lent.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if !lent.streams.iter().any(|known| Arc::ptr_eq(known, stream.shared())) {
            lent.streams.push(stream.shared().clone());
        }
        Ok(())
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// Host memory that is page-locked until its scope ends; see [`Scope::register`]. Its
/// [views](Self::view) go wherever those of a [`DeviceBuffer`](crate::DeviceBuffer) go; the host gets it back after the scope.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let mut numbers = vec![0.0f32; 1 << 20];
/// hip::scope(|scope| {
///     let mut registered: hip::Registered<'_, f32> = scope.register(device, &mut numbers)?;
///     stream.fill(&mut registered, 1.0)
/// })?;
/// # Ok::<(), hip::Error>(())
/// ```
pub struct Registered<'scope, T: Pod> {
    allocation: Arc<Allocation>,
    len: usize,
    memory: PhantomData<&'scope mut [T]>,
}

elements! { ['scope, T: Pod] Registered<'scope, T> }

impl<T: Pod> fmt::Debug for Registered<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registered").field("len", &self.len).finish_non_exhaustive()
    }
}
