//! Streams on some of the compute units.
//!
//! # Safety
//! A mask is passed with its length, to be read or written within it.
#![allow(unsafe_code)]

use super::{Stream, StreamShared};
use crate::error::Call;
use crate::{Device, Error, Result};
use hip_sys::hipStream_t;
use std::sync::Arc;

impl Stream {
    /// `hipExtStreamCreateWithCUMask`: a stream whose kernels run on some of the device's compute units only, those whose
    /// bits are set: compute unit 0 is bit 0 of the first word.
    ///
    /// ```no_run
    /// # let device = hip::Device::first()?;
    /// let stream = hip::Stream::with_cu_mask(device, &[0x00FF])?; // eight compute units
    /// # Ok::<(), hip::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Length`](crate::ErrorKind::Length) for an empty mask, or the failure of the call.
    #[doc(alias = "hipExtStreamCreateWithCUMask")]
    pub fn with_cu_mask(device: Device, mask: &[u32]) -> Result<Self> {
        let words = length(mask)?;
        let _current = device.enter()?;
        let mut handle: hipStream_t = std::ptr::null_mut();
        let api = device.runtime().api();
        // SAFETY: the out-pointer is to a live local; HIP reads that many words.
        let status = unsafe { api.hipExtStreamCreateWithCUMask(&mut handle, words, mask.as_ptr()) };
        let call = || Call::new("hipExtStreamCreateWithCUMask").arg("cuMask", mask).on(device.raw());
        device.runtime().check(status, call)?;
        Ok(Self { shared: Arc::new(StreamShared::with_handle(device, handle)) })
    }

    /// `hipExtStreamGetCUMask`: the compute units that the stream's kernels may run on, in as many words as the device needs.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipExtStreamGetCUMask")]
    pub fn cu_mask(&self) -> Result<Vec<u32>> {
        let units = self.device().properties()?.multi_processor_count;
        let mut mask = vec![0; units.div_ceil(32).max(1) as usize];
        let words = length(&mask)?;
        let _current = self.shared.enter()?;
        // SAFETY: the stream is alive; HIP writes that many words.
        let status =
            unsafe { self.runtime().api().hipExtStreamGetCUMask(self.raw(), words, mask.as_mut_ptr()) };
        let call = || Call::new("hipExtStreamGetCUMask").arg("stream", self.raw()).on(self.device().raw());
        self.runtime().check(status, call)?;
        Ok(mask)
    }
}

fn length(mask: &[u32]) -> Result<u32> {
    match u32::try_from(mask.len()) {
        Ok(words) if words != 0 => Ok(words),
        _ => Err(Error::length("a mask of compute units", 1, mask.len())),
    }
}
