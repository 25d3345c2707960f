//! Building a graph, node by node.
//!
//! # Safety
//! What a node's parameters refer to is owned by the graph before the node exists, and by every exec made from it: device
//! memory as shares of its allocation, host memory and functions by reference count. It stays owned when a call fails, as it
//! may have made the node nevertheless. The parameters themselves are copied by HIP, kernel arguments included, with the
//! sizes that were compared with the code object.
#![allow(unsafe_code)]

use super::arguments::{NodeCopy, kernel_parameters, memset, same_length};
use super::resource::{HostFunction, Resource, call_host_function};
use super::shape::{CHILD, NodeShape};
use super::{Entry, Graph, HostSlot, NodeKind, raw::RawNode};
use crate::event::wrong_device;
use crate::kernel::{Args, Function, Kernel, Memory, Signature, Vouched};
use crate::memory::{Access, Allocation, HostMemory};
use crate::{Device, Error, ErrorKind, Event, LaunchConfig, Result, View, ViewMut};
use bytemuck::Pod;
use hip_sys::{
    Api, MissingSymbol, hipError_t, hipGraph_t, hipGraphNode_t, hipHostNodeParams, hipKernelNodeParams,
    hipMemcpyDeviceToHost, hipMemcpyHostToDevice, hipMemsetParams,
};
use std::ffi::c_void;
use std::sync::Arc;

/// A node of a [`Graph`]: something that other nodes can come after.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// let mut buffer = hip::DeviceBuffer::<f32>::uninit(device, 1000)?;
/// let mut graph = hip::Graph::new(device)?;
/// let first = graph.fill(&mut buffer, 1.0, &[])?;
/// let second = graph.empty(&[first])?;
/// assert_eq!(graph.edges()?, [(first, second)]);
/// # Ok::<(), hip::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Node {
    pub(super) id: u64,
    pub(super) index: usize,
}

/// The common arguments of all calls that add a node: where to, and after which nodes.
type AddArguments = (*mut hipGraphNode_t, hipGraph_t, *const hipGraphNode_t, usize);

impl Graph {
    /// `hipGraphAddKernelNode`: launches a kernel, whose arguments are passed as to [`Kernel::launch`].
    ///
    /// # Errors
    /// Those of [`Kernel::launch`], [`ErrorKind::ForeignNode`], or [`ErrorKind::NotOwnable`] for memory that a graph cannot
    /// own.
    #[doc(alias = "hipGraphAddKernelNode")]
    pub fn kernel<K: Vouched, A: Args<K::Params>>(
        &mut self,
        kernel: &Kernel<K>,
        config: LaunchConfig,
        arguments: A,
        after: &[Node],
    ) -> Result<Node> {
        kernel.vouch(&config, &arguments)?;
        // SAFETY: somebody vouched for the kernel, and the check accepted the launch.
        unsafe { self.kernel_unchecked(kernel, config, arguments, after) }
    }

    /// `hipGraphAddKernelNode`: as [`kernel`](Self::kernel), for a kernel that nobody vouched for.
    ///
    /// # Safety
    /// As for [`Kernel::launch_unchecked`], at each launch of the graph.
    ///
    /// # Errors
    /// Those of [`Graph::kernel`].
    #[doc(alias = "hipGraphAddKernelNode")]
    pub unsafe fn kernel_unchecked<K: Signature, A: Args<K::Params>>(
        &mut self,
        kernel: &Kernel<K>,
        config: LaunchConfig,
        arguments: A,
        after: &[Node],
    ) -> Result<Node> {
        if !kernel.admits(&config)? {
            return self.empty(after);
        }
        with_kernel(self.device(), kernel, config, arguments, |parameters, resources| {
            // SAFETY: the caller answers for the kernel; the parameters live across the call.
            let added = unsafe { self.add_kernel(kernel, config, parameters, resources, after) };
            added.map(|((), node)| node)
        })
    }

    /// # Safety
    /// The parameters are those of the function; the kernel stays within what it is passed, at each launch.
    pub(super) unsafe fn add_kernel(
        &mut self,
        function: &Function,
        config: LaunchConfig,
        parameters: &hipKernelNodeParams,
        mut resources: Vec<Resource>,
        after: &[Node],
    ) -> Result<((), Node)> {
        resources.push(Resource::Function(function.clone()));
        let label = format!("{} {} x {}", function.name(), config.grid, config.block);
        let add = |api: &Api, (node, graph, after, count): AddArguments| {
            // SAFETY: `add` passes valid arguments; the caller answers for the parameters.
            unsafe { api.hipGraphAddKernelNode(node, graph, after, count, parameters) }
        };
        Ok(((), self.add("hipGraphAddKernelNode", (NodeKind::Kernel, label), after, resources, add)?))
    }

    /// `hipGraphAddMemcpyNode1D`: copies on the device.
    ///
    /// # Errors
    /// [`ErrorKind::Length`] when the two lengths differ, [`ErrorKind::WrongDevice`], [`ErrorKind::ForeignNode`],
    /// [`ErrorKind::NotOwnable`], or the failure of the call.
    #[doc(alias = "hipGraphAddMemcpyNode1D")]
    #[doc(alias = "hipGraphAddMemcpyNode")]
    pub fn copy<'a, 'b, T: Pod>(
        &mut self,
        source: impl Into<View<'a, T>>,
        destination: impl Into<ViewMut<'b, T>>,
        after: &[Node],
    ) -> Result<Node> {
        let (source, destination) = (source.into(), destination.into());
        let copy = NodeCopy::on_device(&source, &destination)?;
        let resources = copy_resources(self.device(), &source, &destination)?;
        self.add_copy(copy, resources, after)
    }

    /// `hipGraphAddMemcpyNode1D`: copies host memory, which is moved into the graph, to the device.
    ///
    /// # Errors
    /// Those of [`Graph::copy`]; the host memory is dropped then.
    #[doc(alias = "hipGraphAddMemcpyNode1D")]
    pub fn upload<'a, H: HostMemory>(
        &mut self,
        source: H,
        destination: impl Into<ViewMut<'a, H::Element>>,
        after: &[Node],
    ) -> Result<(HostSlot<H>, Node)> {
        let destination = destination.into();
        let slot = HostSlot::new(self.device(), source);
        let ((elements, len), to) = (slot.elements(), destination.address());
        same_length(len, destination.len())?;
        let copy = NodeCopy::new(elements.cast_const(), to, len, hipMemcpyHostToDevice);
        let resources = vec![slot.resource(), own(self.device(), destination.allocation(), Access::Write)?];
        let node = self.add_copy(copy, resources, after)?;
        Ok((slot, node))
    }

    /// `hipGraphAddMemcpyNode1D`: copies device memory to host memory, which is moved into the graph.
    ///
    /// # Errors
    /// Those of [`Graph::copy`]; the host memory is dropped then.
    #[doc(alias = "hipGraphAddMemcpyNode1D")]
    pub fn download<'a, H: HostMemory>(
        &mut self,
        source: impl Into<View<'a, H::Element>>,
        destination: H,
        after: &[Node],
    ) -> Result<(HostSlot<H>, Node)> {
        let source = source.into();
        let slot = HostSlot::new(self.device(), destination);
        let (elements, len) = slot.elements();
        same_length(source.len(), len)?;
        let copy = NodeCopy::new(source.address().cast_const(), elements, len, hipMemcpyDeviceToHost);
        let resources = vec![slot.resource(), own(self.device(), source.allocation(), Access::Read)?];
        let node = self.add_copy(copy, resources, after)?;
        Ok((slot, node))
    }

    pub(super) fn add_copy(
        &mut self,
        copy: NodeCopy,
        resources: Vec<Resource>,
        after: &[Node],
    ) -> Result<Node> {
        let NodeCopy { source, destination, bytes, kind, direction } = copy;
        if bytes == 0 {
            return self.empty(after);
        }
        let label = format!("copy {bytes} bytes, {direction}");
        self.add(
            "hipGraphAddMemcpyNode1D",
            (NodeKind::Copy, label),
            after,
            resources,
            |api, (node, graph, after, count)| {
                // SAFETY: `add` passes valid arguments; both ends are owned by the graph and of that length.
                unsafe {
                    api.hipGraphAddMemcpyNode1D(node, graph, after, count, destination, source, bytes, kind)
                }
            },
        )
    }

    /// `hipGraphAddMemsetNode`: sets every element to `value`.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] for an element whose bytes do not repeat after 1, 2 or 4 bytes, and for a range that begins and
    /// ends between two multiples of eight bytes; [`ErrorKind::WrongDevice`], [`ErrorKind::ForeignNode`],
    /// [`ErrorKind::NotOwnable`], or the failure of the call.
    #[doc(alias = "hipGraphAddMemsetNode")]
    pub fn fill<'a, T: Pod>(
        &mut self,
        destination: impl Into<ViewMut<'a, T>>,
        value: T,
        after: &[Node],
    ) -> Result<Node> {
        let destination = destination.into();
        let Some(parameters) = memset(&destination, value)? else { return self.empty(after) };
        let resources = vec![own(self.device(), destination.allocation(), Access::Write)?];
        self.add_fill(parameters, destination.len() * size_of::<T>(), resources, after)
    }

    pub(super) fn add_fill(
        &mut self,
        parameters: hipMemsetParams,
        bytes: usize,
        resources: Vec<Resource>,
        after: &[Node],
    ) -> Result<Node> {
        let label = format!("fill {bytes} bytes");
        self.add(
            "hipGraphAddMemsetNode",
            (NodeKind::Fill, label),
            after,
            resources,
            |api, (node, graph, after, count)| {
                // SAFETY: `add` passes valid arguments; the memory is owned by the graph and of that length.
                unsafe { api.hipGraphAddMemsetNode(node, graph, after, count, &parameters) }
            },
        )
    }

    /// `hipGraphAddHostNode`: calls a function of the host at each launch. Inside it, HIP cannot be used
    /// ([`ErrorKind::InCallback`]). A panic in it goes on in [`GraphExec::wait`](super::GraphExec::wait).
    ///
    /// # Errors
    /// [`ErrorKind::ForeignNode`], or the failure of the call.
    #[doc(alias = "hipGraphAddHostNode")]
    pub fn host(&mut self, function: impl Fn() + Send + Sync + 'static, after: &[Node]) -> Result<Node> {
        let function = HostFunction::new(function);
        let parameters = hipHostNodeParams { fn_: Some(call_host_function), userData: function.data() };
        let resources = vec![Resource::Callback(function)];
        self.add(
            "hipGraphAddHostNode",
            (NodeKind::Other, "host".to_owned()),
            after,
            resources,
            |api, (node, graph, after, count)| {
                // SAFETY: `add` passes valid arguments; the function is owned by the graph.
                unsafe { api.hipGraphAddHostNode(node, graph, after, count, &parameters) }
            },
        )
    }

    /// `hipGraphAddEmptyNode`: does nothing: a point that several nodes come before and several after.
    ///
    /// # Errors
    /// [`ErrorKind::ForeignNode`], or the failure of the call.
    #[doc(alias = "hipGraphAddEmptyNode")]
    pub fn empty(&mut self, after: &[Node]) -> Result<Node> {
        let label = "empty".to_owned();
        self.add(
            "hipGraphAddEmptyNode",
            (NodeKind::Other, label),
            after,
            Vec::new(),
            |api, (node, graph, after, count)| {
                // SAFETY: `add` passes valid arguments.
                unsafe { api.hipGraphAddEmptyNode(node, graph, after, count) }
            },
        )
    }

    /// `hipGraphAddEventRecordNode`: records an event.
    ///
    /// # Errors
    /// [`ErrorKind::WrongDevice`], [`ErrorKind::ForeignNode`], or the failure of the call.
    #[doc(alias = "hipGraphAddEventRecordNode")]
    pub fn record(&mut self, event: &Arc<Event>, after: &[Node]) -> Result<Node> {
        if event.device() != self.device() {
            return Err(wrong_device("the event", self.device(), event.device()));
        }
        let (label, raw) = ("record event".to_owned(), event.raw());
        let resources = vec![Resource::Event(event.clone())];
        self.add(
            "hipGraphAddEventRecordNode",
            (NodeKind::Other, label),
            after,
            resources,
            |api, (node, graph, after, count)| {
                // SAFETY: `add` passes valid arguments; the event is owned by the graph.
                unsafe { api.hipGraphAddEventRecordNode(node, graph, after, count, raw) }
            },
        )
    }

    /// `hipGraphAddEventWaitNode`: waits for an event.
    ///
    /// # Errors
    /// [`ErrorKind::WrongDevice`] for an event of another runtime, [`ErrorKind::ForeignNode`], or the failure of the call.
    #[doc(alias = "hipGraphAddEventWaitNode")]
    pub fn wait(&mut self, event: &Arc<Event>, after: &[Node]) -> Result<Node> {
        self.device().expect_runtime_of(event.device(), "the event")?;
        let (label, raw) = ("wait for event".to_owned(), event.raw());
        let resources = vec![Resource::Event(event.clone())];
        self.add(
            "hipGraphAddEventWaitNode",
            (NodeKind::Other, label),
            after,
            resources,
            |api, (node, graph, after, count)| {
                // SAFETY: `add` passes valid arguments; the event is owned by the graph.
                unsafe { api.hipGraphAddEventWaitNode(node, graph, after, count, raw) }
            },
        )
    }

    /// `hipGraphAddChildGraphNode`: does all that another graph does, as it is now.
    ///
    /// # Errors
    /// [`ErrorKind::WrongDevice`], [`ErrorKind::ForeignNode`], or the failure of the call.
    #[doc(alias = "hipGraphAddChildGraphNode")]
    pub fn child(&mut self, child: &Graph, after: &[Node]) -> Result<Node> {
        if child.device() != self.device() {
            return Err(wrong_device("the child", self.device(), child.device()));
        }
        if child.nodes.is_empty() && child.raw.node_count()? == 0 {
            // HIP 5.2 launches it by a null pointer.
            return self.empty(after);
        }
        let resources = child.all_resources().cloned().map(Resource::Child).collect();
        let (label, raw) = (format!("graph of {} nodes", child.nodes.len()), child.raw());
        self.add(CHILD, (NodeKind::Other, label), after, resources, |api, (node, graph, after, count)| {
            // SAFETY: `add` passes valid arguments; HIP copies the child.
            unsafe { api.hipGraphAddChildGraphNode(node, graph, after, count, raw) }
        })
    }

    /// `hipGraphAddDependencies`: makes a node come after another one.
    ///
    /// # Errors
    /// [`ErrorKind::ForeignNode`], [`ErrorKind::Cycle`] when `before` is `after` or comes after it already, or the failure of the
    /// call.
    #[doc(alias = "hipGraphAddDependencies")]
    pub fn depend(&mut self, before: Node, after: Node) -> Result<()> {
        let (from, to) = (self.entry(before)?.raw.0, self.entry(after)?.raw.0);
        if self.comes_after(before.index, after.index) {
            // HIP 5.2 follows a cycle until its stack ends.
            return Err(Error::new(ErrorKind::Cycle, "a node of a graph cannot come after itself"));
        }
        // Also when the call fails: it may have done its work.
        if let Some(entry) = self.nodes.get_mut(after.index) {
            entry.after.push(before.index);
        }
        self.edges.push((before.index, after.index));
        self.raw.call("hipGraphAddDependencies", |api| {
            // SAFETY: all handles are alive; one element each.
            unsafe { api.hipGraphAddDependencies(self.raw.handle(), &from, &to, 1) }
        })
    }

    /// Adds a node by a call that takes `arguments` first.
    fn add(
        &mut self,
        name: &'static str,
        (kind, label): (NodeKind, String),
        after: &[Node],
        resources: Vec<Resource>,
        call: impl FnOnce(&Api, AddArguments) -> Result<hipError_t, MissingSymbol>,
    ) -> Result<Node> {
        let before = self.raw_nodes(after)?;
        let after: Vec<usize> = after.iter().map(|node| node.index).collect();
        let resources = resources.into();
        let mut raw = std::ptr::null_mut();
        let arguments = (&raw mut raw, self.raw.handle(), before.as_ptr(), before.len());
        if let Err(error) = self.raw.call(name, |api| call(api, arguments)) {
            // The node may exist all the same.
            self.others.push(resources);
            return Err(error);
        }
        let shape = NodeShape { added_by: name, kind };
        let index = self.nodes.len();
        self.edges.extend(after.iter().map(|&before| (before, index)));
        let entry = Entry { raw: RawNode(raw), id: Entry::new_id(), shape, label, resources, after };
        let node = entry.node(index);
        self.nodes.push(entry);
        Ok(node)
    }
}

/// A share of memory that is used by a node.
pub(super) fn own(device: Device, allocation: &Allocation, access: Access) -> Result<Resource> {
    if !allocation.is_reached_by(device) {
        return Err(wrong_device("the memory", device, allocation.device()));
    }
    share(allocation, access)
}

/// A share of memory of which it is known that the device reaches it.
pub(super) fn share(allocation: &Allocation, access: Access) -> Result<Resource> {
    let refused = || not_ownable("memory that the host may touch at any time");
    allocation.share().map(|shared| Resource::Memory(shared, access)).ok_or_else(refused)
}

/// A kernel would reach memory through an object that a graph cannot keep.
#[cold]
pub(crate) fn object_not_ownable() -> Error {
    not_ownable("a texture or surface, which its owner destroys")
}

#[cold]
fn not_ownable(what: &str) -> Error {
    let message = format!("a graph can own the memory of a DeviceBuffer, but not {what}");
    Error::new(ErrorKind::NotOwnable, message)
}

pub(super) fn copy_resources<T: Pod>(
    device: Device,
    source: &View<'_, T>,
    destination: &ViewMut<'_, T>,
) -> Result<Vec<Resource>> {
    let source = own(device, source.allocation(), Access::Read)?;
    Ok(vec![source, own(device, destination.allocation(), Access::Write)?])
}

/// Calls `then` with the parameters of a kernel node, which are good for the call, and with what the node will use.
pub(super) fn with_kernel<K: Signature, A: Args<K::Params>, R>(
    device: Device,
    kernel: &Kernel<K>,
    config: LaunchConfig,
    arguments: A,
    then: impl FnOnce(&hipKernelNodeParams, Vec<Resource>) -> Result<R>,
) -> Result<R> {
    if kernel.device() != device {
        return Err(wrong_device("the kernel", device, kernel.device()));
    }
    arguments.with_pointers(|memory: &[Option<Memory<'_>>], pointers: *mut *mut c_void| {
        let mut resources = Vec::new();
        for memory in memory.iter().flatten() {
            if memory.by_object {
                return Err(object_not_ownable());
            }
            resources.push(own(device, memory.allocation, memory.access)?);
        }
        then(&kernel_parameters(kernel, config, pointers), resources)
    })
}
