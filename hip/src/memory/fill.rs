//! Fills: the same element, many times.
//!
//! # Safety
//! A fill writes exactly the bytes of a mutably borrowed view, whose allocation keeps them alive until it is done.
#![allow(unsafe_code)]

use super::{Access, ViewMut};
use crate::error::Call;
use crate::observe::{Operation, observe};
use crate::{Result, Stream};
use bytemuck::Pod;
use hip_sys::{MissingSymbol, hipError_t};
use std::ffi::c_void;

/// A value of 1, 2 or 4 bytes that repeats: what `hipMemset` can write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pattern {
    D8(u8),
    D16(u16),
    D32(u32),
}

impl Pattern {
    /// The shortest period of `bytes`, if it is one that HIP can write.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let (&first, _) = bytes.split_first()?;
        if bytes.iter().all(|&byte| byte == first) {
            return Some(Self::D8(first));
        }
        if let Some(pair) = period(bytes) {
            return Some(Self::D16(u16::from_ne_bytes(pair)));
        }
        period(bytes).map(|quad| Self::D32(u32::from_ne_bytes(quad)))
    }

    /// Whether HIP writes the pattern to these bytes, and to no others.
    ///
    /// HIP 5.2 writes what stands in front of the next multiple of eight bytes by itself. Where there is less than that to
    /// write, it counts below zero, and writes gigabytes. Nor does it look whether a whole number of patterns stands there.
    pub(crate) fn fits(self, address: *mut c_void, bytes: usize) -> bool {
        let (size, address) = (self.parts().0 as usize, address.addr());
        address.is_multiple_of(size) && address.wrapping_neg() % 8 <= bytes
    }

    /// The bytes of the pattern, and its value.
    pub(crate) fn parts(self) -> (u32, u32) {
        match self {
            Self::D8(value) => (1, value.into()),
            Self::D16(value) => (2, value.into()),
            Self::D32(value) => (4, value),
        }
    }
}

/// The first `N` bytes, if all of `bytes` repeats them.
fn period<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let (chunks, rest) = bytes.as_chunks::<N>();
    let first = chunks.first()?;
    (rest.is_empty() && chunks.iter().all(|chunk| chunk == first)).then_some(*first)
}

fn fits<T: Pod>(pattern: Pattern, destination: &ViewMut<'_, T>) -> bool {
    // The product cannot overflow: the memory exists.
    pattern.fits(destination.address().cast(), destination.len() * size_of::<T>())
}

impl Stream {
    /// `hipMemsetD8Async`, `hipMemsetD16Async` or `hipMemsetD32Async`: sets every element to `value`, in stream order.
    ///
    /// An element whose bytes do not repeat after 1, 2 or 4 bytes (most values of 8-byte types, structs) is not what HIP can
    /// fill with; it is filled on the host and copied, which waits. So is what begins and ends between two multiples of eight
    /// bytes.
    ///
    /// # Errors
    /// [`WrongDevice`](crate::ErrorKind::WrongDevice), [`Overflow`](crate::ErrorKind::Overflow), or the failure of the call.
    #[doc(alias = "hipMemset")]
    #[doc(alias = "hipMemsetAsync")]
    #[doc(alias = "hipMemsetD8")]
    #[doc(alias = "hipMemsetD8Async")]
    #[doc(alias = "hipMemsetD16")]
    #[doc(alias = "hipMemsetD16Async")]
    #[doc(alias = "hipMemsetD32")]
    #[doc(alias = "hipMemsetD32Async")]
    pub fn fill<'a, T: Pod>(&self, destination: impl Into<ViewMut<'a, T>>, value: T) -> Result<()> {
        let destination = destination.into();
        match Pattern::of(bytemuck::bytes_of(&value)) {
            Some(pattern) if fits(pattern, &destination) => self.set(destination, pattern),
            _ if destination.is_empty() => self.set(destination, Pattern::D8(0)),
            Some(_) => self.fill_from_host(destination, value),
            None if size_of::<T>() == 0 => Ok(()),
            None => self.fill_from_host(destination, value),
        }
    }

    /// `hipMemsetD8Async`: sets every byte to zero, in stream order.
    ///
    /// # Errors
    /// Those of [`Stream::fill`].
    pub fn fill_zero<'a, T: Pod>(&self, destination: impl Into<ViewMut<'a, T>>) -> Result<()> {
        let destination = destination.into();
        match fits(Pattern::D8(0), &destination) || destination.is_empty() {
            true => self.set(destination, Pattern::D8(0)),
            false => self.fill_from_host(destination, T::zeroed()),
        }
    }

    fn set<T: Pod>(&self, destination: ViewMut<'_, T>, pattern: Pattern) -> Result<()> {
        // The product cannot overflow: the memory exists.
        let bytes = destination.len() * size_of::<T>();
        let address = destination.address().cast();
        let (api, stream) = (self.runtime().api(), self.raw());
        let enqueue = || {
            if let Some(captured) = self.shared().captured() {
                // SAFETY: the view is valid for that many bytes; the graph owns it or fails.
                return unsafe { captured.fill(address, pattern, bytes) };
            }
            let _current = self.shared().enter()?;
            let (name, status): (_, Result<hipError_t, MissingSymbol>) = match pattern {
                Pattern::D8(value) => {
                    // SAFETY: the view is valid for that many bytes, the stream is alive.
                    ("hipMemsetD8Async", unsafe { api.hipMemsetD8Async(address, value, bytes, stream) })
                }
                Pattern::D16(value) => {
                    // SAFETY: as above; the pattern divides the element, and so the view.
                    ("hipMemsetD16Async", unsafe { api.hipMemsetD16Async(address, value, bytes / 2, stream) })
                }
                Pattern::D32(value) => {
                    let value = value.cast_signed();
                    // SAFETY: as above.
                    ("hipMemsetD32Async", unsafe { api.hipMemsetD32Async(address, value, bytes / 4, stream) })
                }
            };
            self.runtime().check(status, || {
                let call = Call::new(name).arg("dest", address).arg("value", pattern);
                call.arg("bytes", bytes).arg("stream", stream).on(self.device().raw())
            })
        };
        let operation = || Operation::new("fill", format!("{pattern:?}")).detail("bytes", bytes);
        self.with_use(destination.allocation(), Access::Write, bytes, || observe(self, operation, enqueue))
    }

    /// In chunks, so that the host needs at most 1 MiB.
    fn fill_from_host<T: Pod>(&self, destination: ViewMut<'_, T>, value: T) -> Result<()> {
        let chunk = ((1 << 20) / size_of::<T>()).clamp(1, destination.len().max(1));
        let elements = vec![value; chunk.min(destination.len())];
        let mut rest = destination;
        while !rest.is_empty() {
            let (head, tail) = {
                let len = rest.len();
                rest.split_at(chunk.min(len))?
            };
            self.upload(elements.get(..head.len()).unwrap_or(&[]), head)?;
            rest = tail;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_as_short_as_possible() {
        assert_eq!(Pattern::of(bytemuck::bytes_of(&0u64)), Some(Pattern::D8(0)));
        assert_eq!(Pattern::of(bytemuck::bytes_of(&0x0102_0102u32)), Some(Pattern::D16(0x0102)));
        assert_eq!(Pattern::of(bytemuck::bytes_of(&1.0f32)), Some(Pattern::D32(0x3f80_0000)));
        assert_eq!(Pattern::of(bytemuck::bytes_of(&[7u32, 7])), Some(Pattern::D32(7)));
        assert_eq!(Pattern::of(bytemuck::bytes_of(&1.0f64)), None);
        assert_eq!(Pattern::of(&[1, 2, 3]), None);
        assert_eq!(Pattern::of(&[]), None);
    }

    #[test]
    fn patterns_reach_a_multiple_of_eight() {
        let fits =
            |pattern: Pattern, address, bytes| pattern.fits(std::ptr::without_provenance_mut(address), bytes);
        for (start, least) in [(256, 0), (257, 7), (258, 6), (263, 1)] {
            for bytes in 0..20 {
                assert_eq!(fits(Pattern::D8(1), start, bytes), bytes >= least, "{bytes} bytes at {start}");
            }
        }
        assert!(fits(Pattern::D16(1), 262, 2) && !fits(Pattern::D16(1), 258, 4));
        assert!(!fits(Pattern::D16(1), 257, 100) && !fits(Pattern::D32(1), 258, 100));
        assert!(fits(Pattern::D32(1), 260, 4));
    }
}
