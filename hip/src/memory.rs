//! Memory: on the device, on the host, and the ways between them.
//!
//! | type | where | who may touch it |
//! |---|---|---|
//! | [`DeviceBuffer`], [`View`], [`ViewMut`] | device | work on streams; the wrapper orders it |
//! | [`PinnedBuffer`] | host, page-locked | the host, unless it is inside a [`Pending`] |
//! | [`Pending`] | host | the device, until it is waited for |
//!
//! Work that touches only device memory borrows it for the call alone, although it runs later: each allocation knows the
//! streams that used it last, so later work on it waits for earlier work, and a dropped buffer's memory is given to the
//! next buffer together with that knowledge. Memory that the host can see is moved into a [`Pending`] until the device is
//! done with it; forgetting the `Pending` leaks the memory and does nothing else.

mod block;
mod buffer;
mod copy;
mod fill;
mod pending;
mod pinned;
mod uses;
mod view;

pub(crate) use block::{Allocation, BlockCache};
pub use buffer::DeviceBuffer;
pub use copy::HostMemory;
pub use pending::Pending;
pub use pinned::PinnedBuffer;
pub(crate) use uses::{Access, Ticket, Uses};
pub use view::{View, ViewMut};
