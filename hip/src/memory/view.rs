//! Parts of device buffers.
//!
//! # Safety
//! A view's address is computed with `wrapping_add` and never followed by the host. The views are `Send` and `Sync` as
//! `&[T]` and `&mut [T]` would be: all that they allow is to enqueue work, and `Pod` elements own nothing.
#![allow(unsafe_code)]

use super::Allocation;
use crate::{Device, Error, Result, Stream};
use bytemuck::Pod;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Bound, RangeBounds};

macro_rules! common {
    ($name:ident) => {
        impl<'a, T: Pod> $name<'a, T> {
            #[inline]
            pub(crate) fn new(allocation: &'a Allocation, address: *mut T, len: usize) -> Self {
                Self { allocation, address, len, marker: PhantomData }
            }

            /// The number of elements.
            #[inline]
            pub fn len(&self) -> usize {
                self.len
            }

            /// Whether there are no elements.
            pub fn is_empty(&self) -> bool {
                self.len == 0
            }

            /// The device whose memory it is.
            pub fn device(&self) -> Device {
                self.allocation.device()
            }

            /// The address on the device, for calls that this crate does not wrap. The host cannot follow it, and work
            /// enqueued behind the wrapper's back is not ordered by it.
            #[inline]
            pub fn address(&self) -> *mut T {
                self.address
            }

            #[inline]
            pub(crate) fn allocation(&self) -> &'a Allocation {
                self.allocation
            }

            /// The elements of `range` alone.
            ///
            /// # Errors
            /// [`ErrorKind::Length`](crate::ErrorKind::Length) when the range reaches beyond the view.
            pub fn slice(self, range: impl RangeBounds<usize>) -> Result<Self> {
                let (start, len) = resolve(range, self.len)?;
                Ok(Self::new(self.allocation, self.address.wrapping_add(start), len))
            }

            /// The first `mid` elements, and the others.
            ///
            /// # Errors
            /// [`ErrorKind::Length`](crate::ErrorKind::Length) when there are fewer than `mid`.
            pub fn split_at(self, mid: usize) -> Result<(Self, Self)> {
                let Some(rest) = self.len.checked_sub(mid) else {
                    return Err(Error::length("splitting a view", mid, self.len));
                };
                let behind = self.address.wrapping_add(mid);
                Ok((Self::new(self.allocation, self.address, mid), Self::new(self.allocation, behind, rest)))
            }
        }

        // SAFETY: as for `&[T]` and `&mut [T]`, see the head of this file.
        unsafe impl<T: Pod + Sync> Send for $name<'_, T> {}
        // SAFETY: as above.
        unsafe impl<T: Pod + Sync> Sync for $name<'_, T> {}

        impl<T: Pod> fmt::Debug for $name<'_, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("address", &self.address)
                    .field("len", &self.len)
                    .finish()
            }
        }
    };
}

/// Elements of a device buffer, borrowed to be read: what `&[T]` is to a `Vec<T>`.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let buffer = hip::DeviceBuffer::from_slice(&stream, &[1, 2, 3, 4])?;
/// let (head, tail) = buffer.view().split_at(1)?;
/// assert_eq!((head.to_vec(&stream)?, tail.len()), (vec![1], 3));
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct View<'a, T: Pod> {
    allocation: &'a Allocation,
    address: *mut T,
    len: usize,
    marker: PhantomData<&'a [T]>,
}

/// Elements of a device buffer, borrowed to be written: what `&mut [T]` is to a `Vec<T>`.
///
/// [`split_at`](Self::split_at) makes two of it that can be used by different streams or threads.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let other = device.stream()?;
/// let mut buffer = hip::DeviceBuffer::<f32>::uninit(device, 1000)?;
/// let (left, right) = buffer.view_mut().split_at(500)?;
/// stream.fill(left, 1.0)?;
/// other.fill(right, 2.0)?;
/// # Ok::<(), hip::Error>(())
/// ```
pub struct ViewMut<'a, T: Pod> {
    allocation: &'a Allocation,
    address: *mut T,
    len: usize,
    marker: PhantomData<&'a mut [T]>,
}

common!(View);
common!(ViewMut);

impl<T: Pod> View<'_, T> {
    /// `hipMemcpyWithStream`: a copy of the elements on the host, after everything that was enqueued on them.
    ///
    /// # Errors
    /// Those of [`Stream::download`].
    pub fn to_vec(self, stream: &Stream) -> Result<Vec<T>> {
        let mut elements = Vec::new();
        if elements.try_reserve_exact(self.len).is_err() {
            return Err(super::block::overflow(self.len));
        }
        elements.resize(self.len, T::zeroed());
        stream.download(self, &mut elements)?;
        Ok(elements)
    }
}

impl<T: Pod> ViewMut<'_, T> {
    /// The same elements again, for as long as `self` is not used.
    #[inline]
    pub fn reborrow(&mut self) -> ViewMut<'_, T> {
        ViewMut::new(self.allocation, self.address, self.len)
    }

    /// The same elements, to read.
    #[inline]
    pub fn as_view(&self) -> View<'_, T> {
        View::new(self.allocation, self.address, self.len)
    }
}

/// What every owner of elements has that a device reaches: their number, and views of all of them.
macro_rules! elements {
    ([$($generics:tt)*] $owner:ty) => {
        impl<$($generics)*> $owner {
            /// The number of elements.
            pub fn len(&self) -> usize {
                self.len
            }

            /// Whether there are no elements.
            pub fn is_empty(&self) -> bool {
                self.len == 0
            }

            /// All elements, for the device to read.
            #[inline]
            pub fn view(&self) -> $crate::View<'_, T> {
                $crate::View::new(&self.allocation, self.allocation.address().cast(), self.len)
            }

            /// All elements, for the device to write.
            #[inline]
            pub fn view_mut(&mut self) -> $crate::ViewMut<'_, T> {
                $crate::ViewMut::new(&self.allocation, self.allocation.address().cast(), self.len)
            }
        }

        impl<'view, $($generics)*> From<&'view $owner> for $crate::View<'view, T> {
            #[inline]
            fn from(owner: &'view $owner) -> Self {
                owner.view()
            }
        }

        impl<'view, $($generics)*> From<&'view mut $owner> for $crate::ViewMut<'view, T> {
            #[inline]
            fn from(owner: &'view mut $owner) -> Self {
                owner.view_mut()
            }
        }
    };
}
pub(super) use elements;

/// The start and the length of a range within `len` elements.
fn resolve(range: impl RangeBounds<usize>, len: usize) -> Result<(usize, usize)> {
    let start = match range.start_bound() {
        Bound::Included(&start) => Some(start),
        Bound::Excluded(&before) => before.checked_add(1),
        Bound::Unbounded => Some(0),
    };
    let end = match range.end_bound() {
        Bound::Included(&last) => last.checked_add(1),
        Bound::Excluded(&end) => Some(end),
        Bound::Unbounded => Some(len),
    };
    match (start, end) {
        (Some(start), Some(end)) if start <= end && end <= len => Ok((start, end - start)),
        (start, end) => Err(Error::length("a range of a view", end.max(start).unwrap_or(usize::MAX), len)),
    }
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn ranges_stay_within() {
        assert_eq!(resolve(.., 5).unwrap(), (0, 5));
        assert_eq!(resolve(2..4, 5).unwrap(), (2, 2));
        assert_eq!(resolve(2..=4, 5).unwrap(), (2, 3));
        assert_eq!(resolve(5.., 5).unwrap(), (5, 0));
        assert!(resolve(..6, 5).is_err());
        assert!(resolve(..=usize::MAX, 5).is_err());
        #[expect(clippy::reversed_empty_ranges, reason = "that is the case under test")]
        let backwards = 4..2;
        assert!(resolve(backwards, 5).is_err());
    }
}
