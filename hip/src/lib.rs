//! A safe wrapper of AMD's HIP runtime: devices, streams, memory and kernels, without a line of `unsafe` but one, the
//! promise about the kernel.
//!
//! ```no_run
//! # static CODE: &[u8] = &[];
//! use hip::{Device, DeviceBuffer, LaunchConfig};
//!
//! hip::kernel! { struct Saxpy = "saxpy"(f32, &[f32], &mut [f32], i32) in CODE; }
//!
//! // SAFETY: saxpy reads x[i] and y[i] and writes y[i] for i < n, and touches nothing else. Its i is an int.
//! unsafe impl hip::Vouched for Saxpy {
//!     fn check(config: &LaunchConfig, &(_, x, y, n): &hip::Shapes<Self>) -> Result<(), &'static str> {
//!         hip::require(config.threads()[0] <= 1 << 31, "an index would wrap around")?;
//!         hip::require(n as usize <= x.min(y), "n is larger than a vector")
//!     }
//! }
//!
//! fn main() -> hip::Result<()> {
//!     let stream = Device::first()?.stream()?;
//!     let saxpy = hip::Module::from_static(stream.device(), CODE)?.kernel::<Saxpy>()?;
//!     let x = DeviceBuffer::from_slice(&stream, &[1.0; 1000])?;
//!     let mut y = DeviceBuffer::from_slice(&stream, &[2.0; 1000])?;
//!     saxpy.launch(&stream, LaunchConfig::for_len(1000), (3.0, &x, &mut y, 1000))?;
//!     assert_eq!(y.to_vec(&stream)?, [5.0; 1000]);
//!     Ok(())
//! }
//! ```
//!
//! With `hip-build`, the declaration of the kernel is generated from its source; see [`mod@kernel`].
//!
//! # Layers
//!
//! | layer | what it is |
//! |---|---|
//! | this crate | values with owners, checked launches, `Result` |
//! | [`sys`] | the raw functions, loaded at run time; one build serves HIP 5, 6 and 7 (7 is *untested*) |
//! | libamdhip64 | AMD's runtime |
//!
//! Every object carries the [`Runtime`] that it belongs to. `raw()` gives a handle for calls that this crate does not wrap,
//! and [`Runtime::api`] the functions to make them.
//!
//! Those who come from CUDA or from HIP C++ find a chapter in [`guide`], and each C function in [`functions`].
//!
//! # What the wrapper takes care of
//!
//! * **Order.** Work on a buffer waits for earlier work on it, whichever streams the two are on. See [`memory`].
//! * **Lifetimes.** Memory, modules and streams outlive the work that uses them, however they are dropped or forgotten.
//! * **Launches.** A kernel's parameters are compared with its code object once, its limits at each launch.
//! * **Errors.** An [`Error`] names the call, its arguments and the device. None surfaces in `drop`; see
//!   [`Runtime::on_drop_error`].
//! * **The current device** of a thread is what it was, after every call.
//!
//! # Features
//!
//! * `half`: re-exports the crate `half`. Its `f16` and `bf16` are elements and arguments without it, too: their own feature
//!   `bytemuck` is all that it takes.
//! * `num-complex`: re-exports the crate `num-complex`, whose `Complex<f32>` and `Complex<f64>` are elements and arguments.
//! * `ndarray`: `from_array` and `to_array` of `DeviceBuffer`, and of `PitchedBuffer` for matrices.
//! * `serde`: `Properties`, `Version`, `LaunchConfig`, `Dim3`, `Extent`, `MemoryInfo`, statistics, IPC handles and `ErrorCode`
//!   are serialized and back, a `Trace` and its spans are serialized.
//! * `futures`: `InOrder`, a `futures_core::Stream` of pending values. Futures themselves need no feature.
//! * `tracing`: a span around each operation, of target `hip` and level DEBUG.
//! * `fault`: the module `fault`, a runtime in memory on which every call can be made to fail: for tests of one's own error
//!   handling, without a GPU and without ROCm.
// A file that needs unsafe code says at its head why that is sound.
#![deny(unsafe_code)]

/// What an element of device memory is: generated kernels implement its traits for their structs.
pub use bytemuck;
#[cfg(feature = "half")]
pub use half;
#[cfg(feature = "ndarray")]
pub use ndarray;
#[cfg(feature = "num-complex")]
pub use num_complex;

mod callback;
mod deferred;
mod device;
mod error;
mod event;
#[cfg(feature = "fault")]
pub mod fault;
pub mod functions;
mod graph;
pub mod guide;
pub mod kernel;
pub mod left_out;
pub mod memory;
mod module;
mod observe;
pub mod rtc;
mod runtime;
mod stream;
pub mod texture;

pub use callback::HostCall;
pub use device::{CacheConfig, Device, Limit, MemoryInfo, PriorityRange, Properties, Schedule, attribute};
pub use error::{Error, ErrorCode, ErrorKind, Result};
pub use event::{Event, EventFlags};
pub use graph::{Capture, Graph, GraphExec, HostGuard, HostSlot, Node};
pub use hip_sys as sys;
pub use kernel::{
    Arg, Args, ByValue, Dim3, Embedded, Function, In, InOut, Kernel, Launch, LaunchConfig, MultiLaunch,
    Named, Param, Params, Shapes, Signature, Vouched, require,
};
#[cfg(feature = "futures")]
pub use memory::InOrder;
pub use memory::{
    Advice, DeviceBuffer, Extent, Global, HostFlags, HostMemory, ManagedBuffer, MappedBuffer, MemoryPlace,
    MemoryStatistics, Pending, PinnedBuffer, PitchedBuffer, Region, RegionMut, Registered, Scope, View,
    ViewMut, scope,
};
pub use module::Module;
pub use observe::{Span, Timeline, Trace, TraceSpan};
pub use runtime::{Runtime, Version};
pub use stream::{Stream, StreamFlags};

/// Every type's `Send` and `Sync` has its reason where it is implemented; here they are asserted, so that no change
/// loses one by accident.
const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Runtime>();
    shared::<Device>();
    shared::<Stream>();
    shared::<Event>();
    shared::<DeviceBuffer<f32>>();
    shared::<View<'_, f32>>();
    shared::<ViewMut<'_, f32>>();
    shared::<PinnedBuffer<f32>>();
    shared::<ManagedBuffer<f32>>();
    shared::<MappedBuffer<f32>>();
    shared::<Registered<'_, f32>>();
    shared::<PitchedBuffer<f32>>();
    shared::<Region<'_, f32>>();
    shared::<RegionMut<'_, f32>>();
    shared::<Global<f32>>();
    shared::<memory::MemoryPool>();
    shared::<memory::ReservedBuffer<f32>>();
    shared::<memory::Signal>();
    shared::<texture::Array<f32>>();
    shared::<texture::MipmappedArray<f32>>();
    shared::<texture::Texture<f32>>();
    shared::<texture::Surface<f32>>();
    shared::<Scope<'_, '_>>();
    shared::<Graph>();
    shared::<GraphExec>();
    shared::<Capture>();
    shared::<HostSlot<Vec<f32>>>();
    shared::<HostGuard<'_, Vec<f32>>>();
    shared::<Module>();
    shared::<Function>();
    shared::<Kernel<(f32, In<f32>)>>();
    shared::<Error>();
    const fn sent<T: Send>() {}
    sent::<Pending<PinnedBuffer<f32>>>();
    sent::<HostCall<f32>>();
};
