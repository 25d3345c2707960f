//! The device that a thread's HIP calls concern.
//!
//! # Safety
//! `hipGetDevice` writes to a live local; `hipSetDevice` is given ordinals that HIP handed out.
#![allow(unsafe_code)]

use crate::error::Call;
use crate::{Device, Result};

/// Keeps a device current in this thread, and makes the previous one current again when dropped.
///
/// HIP is asked each time: libraries change the current device behind anybody's back, so a remembered one is wrong
/// sooner or later.
pub(crate) struct Current {
    device: Device,
    previous: Option<i32>,
}

impl Current {
    #[inline]
    pub(crate) fn enter(device: Device) -> Result<Self> {
        device.runtime().refuse()?;
        let runtime = device.runtime();
        let mut current = -1;
        // SAFETY: the out-pointer is to a live local.
        let status = unsafe { runtime.api().hipGetDevice(&mut current) };
        runtime.check(status, || Call::new("hipGetDevice"))?;
        if current == device.raw() {
            return Ok(Self { device, previous: None });
        }
        set(device, device.raw())?;
        Ok(Self { device, previous: Some(current) })
    }
}

impl Drop for Current {
    #[inline]
    fn drop(&mut self) {
        if let Some(previous) = self.previous
            && let Err(error) = set(self.device, previous)
        {
            self.device.runtime().report(&error);
        }
    }
}

#[cold]
fn set(device: Device, ordinal: i32) -> Result<()> {
    let runtime = device.runtime();
    // SAFETY: the ordinal is one that HIP counted or returned.
    let status = unsafe { runtime.api().hipSetDevice(ordinal) };
    runtime.check(status, || Call::new("hipSetDevice").arg("deviceId", ordinal))
}
