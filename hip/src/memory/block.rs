//! Blocks of memory that a device reaches: allocated, shared, and given back.
//!
//! # Safety
//! A block's address came from an allocating call of HIP and is given back exactly once: to the device's cache, or by its
//! [`Owner`]. `Block` is `Send` and `Sync`: its pointer is an address on the device, which the host never follows.
#![allow(unsafe_code)]

use super::{Access, Uses};
use crate::error::{Call, ErrorCode, ErrorKind};
use crate::stream::StreamShared;
use crate::{Device, Error, Result};
use hip_sys::{Api, MissingSymbol, hipError_t};
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The alignment that `hipMalloc` promises (AMD's runtime aligns to pages; the programming guide promises 256 bytes).
pub(crate) const ALIGNMENT: usize = 256;

/// A piece of memory, and who used it last.
///
/// Graphs share it with the buffer. The cache keeps the same `Arc`, so that using a block again allocates nothing on the host.
pub(crate) struct Block(Arc<BlockState>);

pub(crate) struct BlockState {
    /// Null for a block of no bytes.
    pub(super) address: *mut c_void,
    pub(super) bytes: usize,
    pub(super) uses: Uses,
    /// The allocations that share the block: the last one gives it back.
    holders: AtomicUsize,
    /// Other processes may use it: it is never given back.
    exported: AtomicBool,
}

// SAFETY: the address is one on the device, see the head of this file.
unsafe impl Send for BlockState {}
// SAFETY: as above; `Uses` is Sync by itself.
unsafe impl Sync for BlockState {}

impl Block {
    pub(super) fn new(address: *mut c_void, bytes: usize) -> Self {
        Self(Arc::new(BlockState {
            address,
            bytes,
            uses: Uses::new(),
            holders: AtomicUsize::new(1),
            exported: AtomicBool::new(false),
        }))
    }

    /// As [`new`](Self::new), in the place of a block that was given back and has no uses.
    pub(super) fn renew(mut self, address: *mut c_void, bytes: usize) -> Self {
        match Arc::get_mut(&mut self.0) {
            Some(state) => {
                (state.address, state.bytes) = (address, bytes);
                self
            }
            // A holder that was not the last is still about to let go.
            None => Self::new(address, bytes),
        }
    }
}

impl Deref for Block {
    type Target = BlockState;

    #[inline]
    fn deref(&self) -> &BlockState {
        &self.0
    }
}

/// Who gets a block back that is not the cache's.
pub(crate) trait Owner: Send + Sync {
    /// Gives the block back, after everything that uses it. When that fails, block and owner are leaked.
    fn release(&mut self, device: Device, block: &mut Block) -> Result<()>;

    /// Whether a device that has access to the memory's device reaches this memory, too.
    fn is_for(&self, _peer: Device) -> bool {
        true
    }
}

/// The owner of a block that only its own device reaches, whatever access others have.
pub(crate) struct Local<O>(pub(crate) O);

impl<O: Owner> Owner for Local<O> {
    fn release(&mut self, device: Device, block: &mut Block) -> Result<()> {
        self.0.release(device, block)
    }

    fn is_for(&self, _: Device) -> bool {
        false
    }
}

/// The owner of a block that one C function gives back.
pub(crate) struct Freed {
    name: &'static str,
    free: Free,
}

/// A method of [`Api`] that takes the address to give back.
///
/// # Safety
/// The address is one that the function takes, and nothing uses it any more.
pub(crate) type Free = unsafe fn(&Api, *mut c_void) -> Result<hipError_t, MissingSymbol>;

impl Freed {
    pub(crate) fn by(name: &'static str, free: Free) -> Self {
        Self { name, free }
    }
}

impl Owner for Freed {
    fn release(&mut self, device: Device, block: &mut Block) -> Result<()> {
        block.uses.finish()?;
        if block.address.is_null() {
            return Ok(());
        }
        let _current = device.enter()?;
        // SAFETY: whoever made this owner paired the function with the address; everything that used it is done.
        let status = unsafe { (self.free)(device.runtime().api(), block.address) };
        device.runtime().check(status, || Call::new(self.name).arg("ptr", block.address).on(device.raw()))
    }
}

/// An owner for blocks whose memory somebody else gives back: `K` keeps it alive.
pub(crate) struct Kept<K>(pub(crate) K);

impl<K: Send + Sync> Owner for Kept<K> {
    fn release(&mut self, _: Device, block: &mut Block) -> Result<()> {
        block.uses.finish()
    }
}

/// A block that a buffer, its views and the work on it share. When it goes, the block is kept for the next buffer, which
/// inherits its uses: nobody has to wait for the work that still runs on it. A block with an [`Owner`] goes back there.
pub(crate) struct Allocation {
    device: Device,
    block: ManuallyDrop<Block>,
    owner: Option<Box<dyn Owner>>,
}

impl Allocation {
    /// At least `bytes` of memory on `device`, with whatever contents.
    pub(crate) fn new(device: Device, bytes: usize) -> Result<Self> {
        if bytes == 0 {
            return Ok(Self::empty(device));
        }
        let block = device.state().cache.take(device, bytes)?;
        Ok(Self { device, block: ManuallyDrop::new(block), owner: None })
    }

    /// No memory at all.
    pub(crate) fn empty(device: Device) -> Self {
        let block = Block::new(std::ptr::null_mut(), 0);
        Self { device, block: ManuallyDrop::new(block), owner: None }
    }

    /// Memory that is not the cache's. `address` is what the device knows it by.
    pub(crate) fn owned(
        device: Device,
        address: *mut c_void,
        bytes: usize,
        owner: impl Owner + 'static,
    ) -> Self {
        let block = Block::new(address, bytes);
        Self { device, block: ManuallyDrop::new(block), owner: Some(Box::new(owner)) }
    }

    /// The same memory again, which goes back when both are gone. `None` for memory with an [`Owner`]: the host may reach
    /// that as soon as whoever it belongs to says so.
    pub(crate) fn share(&self) -> Option<Self> {
        if self.owner.is_some() {
            return None;
        }
        self.block.holders.fetch_add(1, Ordering::Relaxed);
        let block = ManuallyDrop::new(Block(self.block.0.clone()));
        Some(Self { device: self.device, block, owner: None })
    }

    #[inline]
    pub(crate) fn device(&self) -> Device {
        self.device
    }

    /// The address on the device, null for no bytes.
    #[inline]
    pub(crate) fn address(&self) -> *mut c_void {
        self.block.address
    }

    /// Keeps the memory from ever being given back or used again.
    pub(super) fn export(&self) {
        self.block.exported.store(true, Ordering::Release);
    }

    #[inline]
    pub(crate) fn uses(&self) -> &Uses {
        &self.block.uses
    }

    /// Has the graph that the stream is captured into own the memory, before anything that uses it goes there.
    ///
    /// # Errors
    /// [`ErrorKind::NotOwnable`].
    #[cold]
    pub(crate) fn go_into_graph(&self, stream: &StreamShared, access: Access) -> Result<()> {
        match stream.captured() {
            Some(captured) => captured.own(self, access),
            None => Ok(()),
        }
    }

    /// Whether work of that device can use the memory.
    #[inline]
    pub(crate) fn is_reached_by(&self, device: Device) -> bool {
        device == self.device || self.is_reached_by_peer(device)
    }

    #[cold]
    fn is_reached_by_peer(&self, peer: Device) -> bool {
        peer.reaches(self.device) && self.is_for(peer)
    }

    /// Whether the memory is not for its own device alone, which is not that one.
    pub(crate) fn is_for(&self, device: Device) -> bool {
        device == self.device || self.owner.as_ref().is_none_or(|owner| owner.is_for(device))
    }

    /// Whether the memory is the device's own, out of its cache.
    pub(crate) fn is_cached(&self) -> bool {
        self.owner.is_none()
    }
}

impl Drop for Allocation {
    fn drop(&mut self) {
        // SAFETY: the block is not touched again.
        let mut block = unsafe { ManuallyDrop::take(&mut self.block) };
        let owner = self.owner.take();
        if owner.is_some() && crate::callback::is_inside() {
            let late = Self { device: self.device, block: ManuallyDrop::new(block), owner };
            return self.device.runtime().shared().deferred.later(Box::new(late));
        }
        let Some(mut owner) = owner else {
            // As with `Arc`, the last holder sees what the others did; only a holder makes more of them.
            let sole = block.holders.load(Ordering::Acquire) == 1;
            let last = sole || block.holders.fetch_sub(1, Ordering::AcqRel) == 1;
            if last && !block.address.is_null() && !block.exported.load(Ordering::Relaxed) {
                block.holders.store(1, Ordering::Relaxed);
                self.device.state().cache.put(block);
            }
            return;
        };
        if let Err(error) = owner.release(self.device, &mut block) {
            self.device.runtime().report(&error);
            // Something may still use the memory, and with it what the owner keeps.
            std::mem::forget(owner);
        }
    }
}

/// The outcome of a call that allocates. `None` when there is no memory left, which releases before 6 also report as
/// success with a null pointer.
pub(super) fn allocated(
    device: Device,
    status: Result<hipError_t, MissingSymbol>,
    address: *mut c_void,
    call: impl FnOnce() -> Call,
) -> Result<Option<NonNull<c_void>>> {
    match status {
        Ok(hipError_t(0)) => Ok(NonNull::new(address)),
        Ok(hipError_t(code)) if ErrorCode(code) == ErrorCode::OUT_OF_MEMORY => {
            device.runtime().clear_last_error();
            Ok(None)
        }
        other => Err(device.runtime().failure(other, call())),
    }
}

/// As [`allocated`], with an error where there is no memory left.
pub(crate) fn required(
    device: Device,
    requested: usize,
    status: Result<hipError_t, MissingSymbol>,
    address: *mut c_void,
    call: impl Fn() -> Call,
) -> Result<NonNull<c_void>> {
    let out = || out_of_memory(requested, call(), "out of memory");
    allocated(device, status, address, &call)?.ok_or_else(out)
}

#[cold]
pub(super) fn out_of_memory(requested: usize, call: Call, message: impl Into<String>) -> Error {
    Error::hip(ErrorKind::OutOfMemory { requested }, ErrorCode::OUT_OF_MEMORY, call, message.into())
}

/// The size of `len` elements in bytes, as far as Rust allows a slice of them.
pub(super) fn slice_bytes<T>(len: usize) -> Result<usize> {
    let bytes = len.checked_mul(size_of::<T>()).filter(|&bytes| bytes <= isize::MAX as usize);
    bytes.ok_or_else(|| overflow(len))
}

/// A length times an element's size that does not fit.
#[cold]
pub(crate) fn overflow(length: usize) -> Error {
    Error::new(
        ErrorKind::Overflow,
        format!("a buffer of {length} elements does not fit into the address space"),
    )
}
