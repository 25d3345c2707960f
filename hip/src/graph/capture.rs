//! Graphs captured from calls on a stream.
//!
//! The wrapper adds the nodes itself. The runtime's own capture is not relied on: older releases run some calls at once
//! instead of capturing them (5.2.3 does so with `hipModuleLaunchKernel`).
//!
//! # Safety
//! What goes into a capture is owned by its graph before it goes there: an operation whose memory cannot be owned is refused,
//! and so are operations that a graph must not hold. A kernel's parameters are those of a launch, which
//! was vouched for, checked, and compared with the code object as any other.
#![allow(unsafe_code)]

use super::arguments::{NodeCopy, kernel_parameters, memset_parameters};
use super::node::share;
use super::raw::RawGraph;
use super::resource::Resources;
use super::{Graph, HostSlot, Node};
use crate::error::Call;
use crate::kernel::Function;
use crate::memory::{Access, Allocation, HostMemory, Pattern};
use crate::{Device, Error, ErrorKind, LaunchConfig, Result, Stream, View, ViewMut};
use hip_sys::{hipMemcpyDeviceToDevice, hipStream_t, hipStreamCaptureModeThreadLocal};
use std::ffi::c_void;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard};

/// Where the work of a captured stream goes.
pub(crate) struct Captured {
    shared: Arc<Mutex<Shared>>,
    /// The nodes that the next one comes after.
    last: Mutex<Vec<Node>>,
}

/// What all branches of a capture share.
struct Shared {
    graph: Graph,
    /// The capture is over, and its graph belongs to somebody: a branch that is still there adds nothing to it.
    over: bool,
}

impl Captured {
    fn new(graph: Graph) -> Self {
        let shared = Arc::new(Mutex::new(Shared { graph, over: false }));
        Self { shared, last: Mutex::default() }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn last(&self) -> MutexGuard<'_, Vec<Node>> {
        self.last.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Adds something behind everything that this branch was given.
    fn add<R>(&self, add: impl FnOnce(&mut Graph, &[Node]) -> Result<(R, Node)>) -> Result<R> {
        let mut last = self.last();
        let mut shared = self.shared();
        if shared.over {
            return Err(Error::new(ErrorKind::Capturing, "the capture that the branch belongs to is over"));
        }
        let (value, node) = add(&mut shared.graph, &last)?;
        *last = vec![node];
        Ok(value)
    }

    /// Memory is owned from here on. What uses it is added later: a branch in another thread may be late, and is refused then,
    /// but no graph ever has a node without its memory.
    pub(crate) fn own(&self, allocation: &Allocation, access: Access) -> Result<()> {
        let resources: Resources = Arc::new([share(allocation, access)?]);
        self.shared().graph.others.push(resources);
        Ok(())
    }

    /// # Safety
    /// The arguments are those of a launch of the function: as for `LaunchTarget::enqueue`.
    pub(crate) unsafe fn kernel(
        &self,
        function: &Function,
        config: LaunchConfig,
        arguments: *mut *mut c_void,
    ) -> Result<()> {
        let parameters = kernel_parameters(function, config, arguments);
        // SAFETY: the caller's promise.
        self.add(|graph, after| unsafe { graph.add_kernel(function, config, &parameters, Vec::new(), after) })
    }

    /// # Safety
    /// Both ends are memory of the device of that length, which the graph will own.
    pub(crate) unsafe fn copy(
        &self,
        source: *const c_void,
        destination: *mut c_void,
        bytes: usize,
    ) -> Result<()> {
        let copy = NodeCopy::of(source, destination, bytes, hipMemcpyDeviceToDevice);
        self.add(|graph, after| Ok(((), graph.add_copy(copy, Vec::new(), after)?)))
    }

    /// # Safety
    /// The destination is memory of the device of that length, which the graph will own.
    pub(crate) unsafe fn fill(&self, destination: *mut c_void, pattern: Pattern, bytes: usize) -> Result<()> {
        let parameters = memset_parameters(destination, pattern, bytes);
        self.add(|graph, after| Ok(((), graph.add_fill(parameters, bytes, Vec::new(), after)?)))
    }
}

/// A stream whose work goes into a graph: see [`Graph::capture`].
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// let mut x = hip::DeviceBuffer::<f32>::uninit(device, 1000)?;
/// let mut y = hip::DeviceBuffer::<f32>::uninit(device, 1000)?;
/// let graph = hip::Graph::capture(device, |capture| {
///     // Two branches that may run side by side.
///     let branch = capture.fork()?;
///     capture.fill(&mut x, 1.0)?;
///     branch.fill(&mut y, 2.0)?;
///     capture.join(&branch)
/// })?;
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Debug)]
pub struct Capture {
    stream: Stream,
    captured: Arc<Captured>,
}

impl Deref for Capture {
    type Target = Stream;

    fn deref(&self) -> &Stream {
        &self.stream
    }
}

impl std::fmt::Debug for Captured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Captured").field("last", &self.last().len()).finish_non_exhaustive()
    }
}

impl Capture {
    fn of(device: Device, captured: Captured) -> Result<Self> {
        let captured = Arc::new(captured);
        Ok(Self { stream: Stream::for_capture(device, captured.clone())?, captured })
    }

    /// A second branch, behind everything that this one was given so far. What the two are given from here on has no order;
    /// [`join`](Self::join) makes one wait for the other.
    ///
    /// # Errors
    /// The failure of `hipStreamCreateWithFlags`.
    pub fn fork(&self) -> Result<Self> {
        let last = Mutex::new(self.captured.last().clone());
        Self::of(self.device(), Captured { shared: self.captured.shared.clone(), last })
    }

    /// Later work of this branch comes behind everything that `branch` was given so far.
    ///
    /// # Errors
    /// [`ErrorKind::ForeignNode`] for a branch of another capture.
    pub fn join(&self, branch: &Capture) -> Result<()> {
        if !Arc::ptr_eq(&self.captured.shared, &branch.captured.shared) {
            return Err(super::foreign_node());
        }
        let theirs = branch.captured.last().clone();
        let mut last = self.captured.last();
        let new: Vec<Node> = theirs.into_iter().filter(|node| !last.contains(node)).collect();
        last.extend(new);
        Ok(())
    }

    /// As [`Graph::upload`].
    ///
    /// # Errors
    /// Those of [`Graph::upload`].
    pub fn upload_slot<'a, H: HostMemory>(
        &self,
        source: H,
        destination: impl Into<ViewMut<'a, H::Element>>,
    ) -> Result<HostSlot<H>> {
        let destination = destination.into();
        self.captured.add(|graph, after| graph.upload(source, destination, after))
    }

    /// As [`Graph::download`].
    ///
    /// # Errors
    /// Those of [`Graph::download`].
    pub fn download_slot<'a, H: HostMemory>(
        &self,
        source: impl Into<View<'a, H::Element>>,
        destination: H,
    ) -> Result<HostSlot<H>> {
        let source = source.into();
        self.captured.add(|graph, after| graph.download(source, destination, after))
    }

    /// As [`Graph::host`].
    ///
    /// # Errors
    /// Those of [`Graph::host`].
    pub fn host(&self, function: impl Fn() + Send + Sync + 'static) -> Result<()> {
        self.captured.add(|graph, after| Ok(((), graph.host(function, after)?)))
    }

    /// `hipStreamBeginCapture` and `hipStreamEndCapture`, thread-local: what `work` gives to the raw stream, by calls that
    /// this crate does not wrap (those of a library, say), becomes one node.
    ///
    /// # Safety
    /// The stream is used for nothing else, by calls that the runtime captures, and not after `work` is over. What they use is
    /// alive, and not used by others, at each launch of the graph. An exec of it is [updated](crate::GraphExec::update) only
    /// from graphs whose `work` gives the stream calls of the same kinds, in the same order.
    ///
    /// # Errors
    /// The error of `work`, or the failure of a call.
    #[doc(alias = "hipStreamBeginCapture")]
    #[doc(alias = "hipStreamEndCapture")]
    pub unsafe fn raw_calls(&self, work: impl FnOnce(hipStream_t) -> Result<()>) -> Result<()> {
        let (device, runtime, raw) = (self.device(), self.runtime(), self.stream.raw());
        // SAFETY: the stream is alive, and nothing was ever enqueued on it.
        let status = unsafe { runtime.api().hipStreamBeginCapture(raw, hipStreamCaptureModeThreadLocal) };
        let call = || Call::new("hipStreamBeginCapture").arg("stream", raw).on(device.raw());
        runtime.check(status, call)?;
        let running = Running(&self.stream);
        let outcome = work(raw);
        let child = running.end();
        outcome?;
        let child = Graph::of(child?);
        self.captured.add(|graph, after| Ok(((), graph.child(&child, after)?)))
    }
}

/// Ends the runtime's capture when the work panics.
struct Running<'a>(&'a Stream);

impl Running<'_> {
    fn end(self) -> Result<RawGraph> {
        let stream = self.0;
        std::mem::forget(self);
        end(stream)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        drop(end(self.0));
    }
}

fn end(stream: &Stream) -> Result<RawGraph> {
    let mut handle = std::ptr::null_mut();
    // SAFETY: the stream is alive; the out-pointer is to a live local.
    let status = unsafe { stream.runtime().api().hipStreamEndCapture(stream.raw(), &mut handle) };
    let call = || Call::new("hipStreamEndCapture").arg("stream", stream.raw()).on(stream.device().raw());
    stream.runtime().check(status, call)?;
    if handle.is_null() {
        return Err(Error::failed(ErrorKind::Hip, call(), "there is no graph".to_owned()));
    }
    Ok(RawGraph::own(stream.device(), handle))
}

impl Graph {
    /// The graph of everything that `work` gives to the stream that it is called with. Nothing runs before the graph is
    /// launched, and nothing but that stream is concerned: other streams, and other threads, work on.
    ///
    /// Kernels, fills and copies on the device can be captured. Whatever waits, touches host memory, or concerns work outside
    /// of the graph returns [`ErrorKind::Capturing`]; for copies from and to the host there is
    /// [`Capture::upload_slot`] and [`Capture::download_slot`].
    ///
    /// ```no_run
    /// # let device = hip::Device::first()?;
    /// # let stream = device.stream()?;
    /// let mut buffer = hip::DeviceBuffer::<f32>::uninit(device, 1000)?;
    /// let graph = hip::Graph::capture(device, |capture| capture.fill(&mut buffer, 1.0))?;
    /// graph.instantiate()?.launch(&stream)?;
    /// assert_eq!(buffer.to_vec(&stream)?, [1.0; 1000]);
    /// # Ok::<(), hip::Error>(())
    /// ```
    ///
    /// # Errors
    /// The error of `work`, or the failure of a call. Work with memory that a graph cannot own is refused with
    /// [`ErrorKind::NotOwnable`] when it is given to the stream.
    pub fn capture(device: Device, work: impl FnOnce(&Capture) -> Result<()>) -> Result<Self> {
        let capture = Capture::of(device, Captured::new(Self::new(device)?))?;
        work(&capture)?;
        let mut shared = capture.captured.shared();
        let raw = shared.graph.raw.clone();
        shared.over = true;
        let (nodes, edges, others) = (
            std::mem::take(&mut shared.graph.nodes),
            std::mem::take(&mut shared.graph.edges),
            std::mem::take(&mut shared.graph.others),
        );
        Ok(Self { raw, nodes, edges, others })
    }
}
