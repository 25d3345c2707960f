//! A safe wrapper of AMD's HIP runtime.

mod deferred;
mod device;
mod error;
mod event;
pub mod kernel;
pub mod memory;
mod runtime;
mod stream;

pub use device::{Device, MemoryInfo, PriorityRange, Properties};
pub use error::{Error, ErrorCode, ErrorKind, Result};
pub use event::{Event, EventFlags};
pub use hip_sys as sys;
pub use kernel::{
    ByValue, Dim3, Embedded, In, InOut, LaunchConfig, Named, Param, Params, Shapes, Signature, Vouched,
    require,
};
pub use memory::{DeviceBuffer, Pending, PinnedBuffer, View, ViewMut};
pub use runtime::{Runtime, Version};
pub use stream::{Stream, StreamFlags};
