//! Memory: on the device, on the host, and the ways between them.
//!
//! | type | where | who may touch it |
//! |---|---|---|
//! | [`DeviceBuffer`], [`View`], [`ViewMut`] | device | work on streams; the wrapper orders it |
//! | [`PinnedBuffer`] | host, page-locked | the host, unless it is inside a [`Pending`] |
//! | [`PitchedBuffer`], [`Region`], [`RegionMut`] | device, in 2D and 3D | work on streams |
//! | [`Pending`] | host | the device, until it is waited for |
//! | [`ManagedBuffer`], [`MappedBuffer`] | both see it | work on streams; the host after waiting for that |
//! | [`Registered`] | host, page-locked in a [`scope`](scope()) | work on streams, until the scope ends |
//!
//! Work that touches only device memory borrows it for the call alone, although it runs later: each allocation knows the
//! streams that used it last, so later work on it waits for earlier work, and a dropped buffer's memory is given to the
//! next buffer together with that knowledge. Memory that the host can see is moved into a [`Pending`] until the device is
//! done with it, or borrowed in a [`scope`](scope()) that waits; forgetting the `Pending` leaks the memory and does nothing
//! else.

mod block;
mod buffer;
mod cache;
mod copy;
mod fill;
mod global;
mod host;
#[cfg(feature = "ndarray")]
mod host_array;
#[cfg(feature = "futures")]
mod in_order;
mod ipc;
mod peer;
mod pending;
mod pinned;
mod pitched;
mod pointer;
mod pool;
mod reserved;
mod scope;
mod signal;
mod unified;
mod uses;
mod view;
mod volume;

pub(crate) use block::{Allocation, Freed, Local, required};
pub use buffer::DeviceBuffer;
pub(crate) use cache::BlockCache;
pub use cache::MemoryStatistics;
pub use copy::HostMemory;
pub(crate) use fill::Pattern;
pub use global::Global;
pub use host::HostFlags;
#[cfg(feature = "futures")]
pub use in_order::InOrder;
pub use ipc::{IpcEventHandle, IpcMemoryHandle};
pub(crate) use peer::Peers;
pub use peer::{PeerAttribute, PeerLink};
pub use pending::Pending;
pub use pinned::PinnedBuffer;
pub use pitched::PitchedBuffer;
pub(crate) use pitched::download;
pub use pointer::{AddressRange, MemoryKind, PointerAttributes};
pub use pool::{MemoryPool, PoolReuse, PoolStatistics};
pub use reserved::ReservedBuffer;
pub use scope::{Registered, Scope, scope};
pub use signal::{Signal, WaitFor};
pub use unified::{
    Advice, Managed, ManagedBuffer, Mapped, MappedBuffer, MemoryPlace, UnifiedBuffer, UnifiedKind,
};
pub(crate) use uses::{Access, Ticket, Uses};
pub use view::{View, ViewMut};
pub(crate) use volume::Place;
pub use volume::{Extent, Region, RegionMut};
