//! Memory of other devices: access from kernels, and copies.
//!
//! # Safety
//! A copy's two ends have the same length, and their allocations' uses keep them. Whether a device may touch another's
//! memory is remembered once HIP said yes, and not taken back by safe code.
#![allow(unsafe_code)]

use super::copy::same_length;
use super::{Access, View, ViewMut};
use crate::error::{Call, ErrorCode};
use crate::event::wrong_device;
use crate::{Device, Error, ErrorKind, Result, Stream};
use bytemuck::Pod;
use hip_sys::{
    hipDevP2PAttrAccessSupported, hipDevP2PAttrHipArrayAccessSupported, hipDevP2PAttrNativeAtomicSupported,
    hipDevP2PAttrPerformanceRank, hipDeviceP2PAttr, hipError_t,
};
use std::sync::atomic::{AtomicU64, Ordering};

/// The devices whose memory a device may touch.
#[derive(Default)]
pub(crate) struct Peers(AtomicU64);

/// What lies between two devices.
///
/// ```no_run
/// # let runtime = hip::Runtime::load()?;
/// let link = runtime.device(0)?.peer_link(runtime.device(1)?)?;
/// println!("{} hops over links of kind {}", link.hops, link.kind);
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PeerLink {
    /// The kind of link, as HSA numbers them (`hsa_amd_link_info_type_t`): 2 is PCIe, 4 is xGMI.
    pub kind: u32,
    /// Links on the way.
    pub hops: u32,
}

/// What HIP says about a device and its peer.
///
/// ```no_run
/// # let runtime = hip::Runtime::load()?;
/// use hip::memory::PeerAttribute;
/// let (near, far) = (runtime.device(0)?, runtime.device(1)?);
/// let atomics = near.peer_attribute(far, PeerAttribute::NativeAtomicSupported)? != 0;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PeerAttribute {
    /// How fast the link is, compared with others; 0 is the fastest.
    PerformanceRank,
    /// Whether access is possible.
    AccessSupported,
    /// Whether the link does atomic operations.
    NativeAtomicSupported,
    /// Whether arrays can be reached.
    ArrayAccessSupported,
}

impl PeerAttribute {
    fn raw(self) -> hipDeviceP2PAttr {
        match self {
            Self::PerformanceRank => hipDevP2PAttrPerformanceRank,
            Self::AccessSupported => hipDevP2PAttrAccessSupported,
            Self::NativeAtomicSupported => hipDevP2PAttrNativeAtomicSupported,
            Self::ArrayAccessSupported => hipDevP2PAttrHipArrayAccessSupported,
        }
    }
}

impl Device {
    /// `hipDeviceCanAccessPeer`: whether kernels of this device could touch `peer`'s memory.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipDeviceCanAccessPeer")]
    pub fn can_access_peer(self, peer: Device) -> Result<bool> {
        self.expect_runtime_of(peer, "the peer")?;
        let mut yes = 0;
        let api = self.runtime().usable_api()?;
        // SAFETY: the out-pointer is to a live local.
        let status = unsafe { api.hipDeviceCanAccessPeer(&mut yes, self.raw(), peer.raw()) };
        let call = || Call::new("hipDeviceCanAccessPeer").arg("peerDeviceId", peer.raw()).on(self.raw());
        self.runtime().check(status, call)?;
        Ok(yes != 0)
    }

    /// `hipDeviceEnablePeerAccess`: from now on, work on this device may use `peer`'s memory as its own. The other way round
    /// is a call of its own. Arrays, textures, surfaces, variables of modules and reserved buffers stay for their device alone,
    /// and the memory of a pool is for whom [`MemoryPool::set_access`](super::MemoryPool::set_access) says.
    ///
    /// ```no_run
    /// # let runtime = hip::Runtime::load()?;
    /// let (near, far) = (runtime.device(0)?, runtime.device(1)?);
    /// let (here, there) = (near.stream()?, far.stream()?);
    /// near.enable_peer_access(far)?;
    /// let source = hip::DeviceBuffer::from_slice(&there, &[1.0f32; 1000])?;
    /// let mut target = hip::DeviceBuffer::uninit(near, 1000)?;
    /// here.copy(&source, &mut target)?; // or a kernel on `here` that reads `source`
    /// # Ok::<(), hip::Error>(())
    /// ```
    ///
    /// # Errors
    /// The failure of the call. Access that is already enabled is none.
    #[doc(alias = "hipDeviceEnablePeerAccess")]
    pub fn enable_peer_access(self, peer: Device) -> Result<()> {
        self.expect_runtime_of(peer, "the peer")?;
        if self == peer {
            return Ok(());
        }
        let bit = peer_bit(peer)?;
        let _current = self.enter()?;
        // SAFETY: the ordinal is one that HIP counted; 0 is the only flag there is.
        let status = unsafe { self.runtime().api().hipDeviceEnablePeerAccess(peer.raw(), 0) };
        if matches!(status, Ok(hipError_t(code)) if ErrorCode(code) == ErrorCode::PEER_ACCESS_ALREADY_ENABLED)
        {
            self.runtime().clear_last_error();
        } else {
            let call = || Call::new("hipDeviceEnablePeerAccess").arg("peerDeviceId", peer.raw());
            self.runtime().check(status, || call().on(self.raw()))?;
        }
        self.state().peers.0.fetch_or(bit, Ordering::Release);
        Ok(())
    }

    /// `hipDeviceDisablePeerAccess`: takes back what [`enable_peer_access`](Self::enable_peer_access) gave.
    ///
    /// # Safety
    /// No work on this device uses `peer`'s memory: none that was enqueued and is not done, and none that another thread is
    /// enqueueing.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipDeviceDisablePeerAccess")]
    pub unsafe fn disable_peer_access(self, peer: Device) -> Result<()> {
        self.expect_runtime_of(peer, "the peer")?;
        let bit = peer_bit(peer)?;
        let _current = self.enter()?;
        self.state().peers.0.fetch_and(!bit, Ordering::AcqRel);
        // SAFETY: the ordinal is one that HIP counted; the caller answers for the work.
        let status = unsafe { self.runtime().api().hipDeviceDisablePeerAccess(peer.raw()) };
        let call = || Call::new("hipDeviceDisablePeerAccess").arg("peerDeviceId", peer.raw());
        self.runtime().check(status, || call().on(self.raw()))
    }

    /// `hipDeviceGetP2PAttribute`: what the link to `peer` can do.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipDeviceGetP2PAttribute")]
    pub fn peer_attribute(self, peer: Device, attribute: PeerAttribute) -> Result<i32> {
        self.expect_runtime_of(peer, "the peer")?;
        let (mut value, api) = (0, self.runtime().usable_api()?);
        // SAFETY: the out-pointer is to a live local.
        let status =
            unsafe { api.hipDeviceGetP2PAttribute(&mut value, attribute.raw(), self.raw(), peer.raw()) };
        let call = || Call::new("hipDeviceGetP2PAttribute").arg("attr", attribute).arg("dst", peer.raw());
        self.runtime().check(status, || call().on(self.raw()))?;
        Ok(value)
    }

    /// `hipExtGetLinkTypeAndHopCount`: what lies between the two devices.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipExtGetLinkTypeAndHopCount")]
    pub fn peer_link(self, peer: Device) -> Result<PeerLink> {
        self.expect_runtime_of(peer, "the peer")?;
        let mut link = PeerLink { kind: 0, hops: 0 };
        let (api, kind, hops) = (self.runtime().usable_api()?, &raw mut link.kind, &raw mut link.hops);
        // SAFETY: the out-pointers are to live locals.
        let status = unsafe { api.hipExtGetLinkTypeAndHopCount(self.raw(), peer.raw(), kind, hops) };
        let call = || Call::new("hipExtGetLinkTypeAndHopCount").arg("device2", peer.raw());
        self.runtime().check(status, || call().on(self.raw()))?;
        Ok(link)
    }

    /// Whether work on this device may use memory of `owner`.
    #[inline]
    pub(crate) fn reaches(self, owner: Device) -> bool {
        self == owner || self.reaches_peer(owner)
    }

    #[cold]
    fn reaches_peer(self, owner: Device) -> bool {
        let enabled = self.state().peers.0.load(Ordering::Acquire);
        self.runtime() == owner.runtime() && peer_bit(owner).is_ok_and(|bit| enabled & bit != 0)
    }
}

/// The bit that stands for a device.
pub(super) fn peer_bit(device: Device) -> Result<u64> {
    let bit = u32::try_from(device.ordinal()).ok().and_then(|ordinal| 1u64.checked_shl(ordinal));
    bit.ok_or_else(|| Error::new(ErrorKind::Overflow, "peer access is for the first 64 devices"))
}

impl Stream {
    /// `hipMemcpyPeerAsync`: copies between the memory of two devices, in stream order, without waiting. Neither needs
    /// access to the other; the stream belongs to either.
    ///
    /// ```no_run
    /// # let runtime = hip::Runtime::load()?;
    /// let (here, there) = (runtime.device(0)?.stream()?, runtime.device(1)?.stream()?);
    /// let source = hip::DeviceBuffer::from_slice(&there, &[1.0f32; 1000])?;
    /// let mut target = hip::DeviceBuffer::uninit(here.device(), 1000)?;
    /// here.copy_peer(&source, &mut target)?;
    /// assert_eq!(target.to_vec(&here)?, [1.0; 1000]);
    /// # Ok::<(), hip::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Length`](crate::ErrorKind::Length) when the two lengths differ, [`WrongDevice`](crate::ErrorKind::WrongDevice) when
    /// the stream is of a third device, or the failure of the call.
    #[doc(alias = "hipMemcpyPeer")]
    #[doc(alias = "hipMemcpyPeerAsync")]
    pub fn copy_peer<'a, 'b, T: Pod>(
        &self,
        source: impl Into<View<'a, T>>,
        destination: impl Into<ViewMut<'b, T>>,
    ) -> Result<()> {
        let (source, destination) = (source.into(), destination.into());
        same_length("copying between devices", source.len(), destination.len())?;
        let (from, to) = (source.device(), destination.device());
        if self.device() != from && self.device() != to || from.runtime() != to.runtime() {
            return Err(wrong_device("the memory", self.device(), to));
        }
        // HIP has either device run the copy.
        for (allocation, other) in [(source.allocation(), to), (destination.allocation(), from)] {
            if !allocation.is_for(other) {
                return Err(wrong_device(
                    "memory that other devices do not reach",
                    other,
                    allocation.device(),
                ));
            }
        }
        // The product cannot overflow: the memory exists.
        let bytes = source.len() * size_of::<T>();
        if bytes == 0 {
            return Ok(());
        }
        let (read, written) = (source.allocation().uses(), destination.allocation().uses());
        let tickets =
            (read.before(self.shared(), Access::Read)?, written.before(self.shared(), Access::Write)?);
        let outcome = self.shared().enter().and_then(|_current| {
            let (api, destination, source) =
                (self.runtime().api(), destination.address().cast(), source.address().cast());
            // SAFETY: both ends are valid for that many bytes and kept by their uses; the stream is alive.
            let status = unsafe {
                api.hipMemcpyPeerAsync(destination, to.raw(), source, from.raw(), bytes, self.raw())
            };
            let call =
                || Call::new("hipMemcpyPeerAsync").arg("dstDeviceId", to.raw()).arg("srcDevice", from.raw());
            self.runtime().check(status, || call().arg("sizeBytes", bytes).on(self.device().raw()))
        });
        // Also when it failed: some of the work may have been enqueued.
        read.after(self.shared(), tickets.0);
        written.after(self.shared(), tickets.1);
        outcome
    }
}
