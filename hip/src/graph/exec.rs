//! Graphs that are ready to be launched.
//!
//! # Safety
//! The exec owns what its work uses: what the graph owned when it was instantiated, and what was [set or
//! updated](super::parameters) since. Its
//! handle is destroyed once, after every launch is done; what cannot be waited for is leaked. Launches of one exec are a use
//! of it, so HIP never sees two that are not in order.
#![allow(unsafe_code)]

use super::entered::Entered;
use super::raw::{RawGraph, RawNode};
use super::resource::{Resource, Resources, Slot};
use super::shape::Shape;
use super::{Entry, Graph, Node, NodeKind, foreign_node};
use crate::error::Call;
use crate::event::wrong_device;
use crate::memory::{Access, Allocation, Uses};
use crate::observe::{Operation, observe};
use crate::{Device, Error, ErrorKind, Result, Stream};
use hip_sys::{hipError_t, hipGraphExec_t};
use std::ffi::c_char;
use std::fmt;
use std::mem::ManuallyDrop;
use std::sync::{Arc, Mutex, MutexGuard};

/// A graph that can be launched, any number of times. Dropping it waits for its launches.
///
/// Launches of one exec run one after the other, whichever streams they are on.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let mut buffer = hip::DeviceBuffer::<f32>::uninit(device, 1000)?;
/// let mut graph = hip::Graph::new(device)?;
/// let fill = graph.fill(&mut buffer, 1.0, &[])?;
/// let mut exec = graph.instantiate()?;
/// exec.launch(&stream)?;
/// exec.set_fill(fill, &mut buffer, 2.0)?;
/// exec.launch(&stream)?;
/// exec.wait()?;
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipGraphExec_t")]
#[doc(alias = "hipGraphExecDestroy")]
pub struct GraphExec {
    handle: hipGraphExec_t,
    /// The nodes are this graph's.
    pub(super) graph: Arc<RawGraph>,
    pub(super) shape: Shape,
    nodes: Vec<ExecNode>,
    pub(super) uses: Uses,
    /// Held by whoever calls HIP with the handle, by launches until they are entered.
    lock: Mutex<()>,
    pub(super) held: ManuallyDrop<Held>,
}

/// A node as the exec knows it.
struct ExecNode {
    raw: RawNode,
    id: u64,
    kind: NodeKind,
}

/// What the exec's work uses.
#[derive(Default)]
pub(super) struct Held {
    /// By node, where one node accounts for it.
    pub(super) nodes: Vec<Vec<Resources>>,
    pub(super) others: Vec<Resources>,
    /// The device memory, each allocation once.
    pub(super) memory: Vec<(Allocation, Access)>,
    pub(super) slots: Vec<Arc<dyn Slot>>,
}

// SAFETY: the handle names an object of the runtime that may be used from any thread, one at a time.
unsafe impl Send for GraphExec {}
// SAFETY: as above.
unsafe impl Sync for GraphExec {}

impl Held {
    /// Makes the lists that a launch goes through.
    pub(super) fn collect(&mut self) {
        type Lists = (Vec<(Allocation, Access)>, Vec<Arc<dyn Slot>>);
        fn visit(held: &mut Lists, resources: &Resources) {
            for resource in resources.iter() {
                match resource {
                    Resource::Memory(allocation, access) => {
                        match held.0.iter_mut().find(|(known, _)| known.address() == allocation.address()) {
                            Some((_, known)) if *access == Access::Write => *known = Access::Write,
                            Some(_) => {}
                            None => held.0.extend(allocation.share().map(|shared| (shared, *access))),
                        }
                    }
                    Resource::Host(slot) if !held.1.iter().any(|known| Arc::ptr_eq(known, slot)) => {
                        held.1.push(slot.clone());
                    }
                    Resource::Child(resources) => visit(held, resources),
                    Resource::Host(_)
                    | Resource::Function(_)
                    | Resource::Callback(_)
                    | Resource::Event(_) => {}
                }
            }
        }
        let mut lists = (Vec::new(), Vec::new());
        self.all().for_each(|resources| visit(&mut lists, resources));
        (self.memory, self.slots) = lists;
    }

    fn all(&self) -> impl Iterator<Item = &Resources> {
        self.nodes.iter().flatten().chain(&self.others)
    }

    /// Makes a panic of a host function go on in this thread.
    fn resume_panic(&self) {
        fn find(resources: &Resources) -> Option<Box<dyn std::any::Any + Send>> {
            resources.iter().find_map(|resource| match resource {
                Resource::Callback(function) => function.take_panic(),
                Resource::Child(resources) => find(resources),
                _ => None,
            })
        }
        if let Some(panic) = self.all().find_map(find) {
            std::panic::resume_unwind(panic);
        }
    }
}

impl GraphExec {
    pub(super) fn new(graph: &Graph) -> Result<Self> {
        let shape = Shape::of(graph)?;
        let mut handle = std::ptr::null_mut();
        let mut log = [0 as c_char; 1024];
        let made = graph.raw.call("hipGraphInstantiate", |api| {
            let (raw, node) = (graph.raw.handle(), std::ptr::null_mut());
            // SAFETY: the handle is alive; the out-pointer is to a live local; the log has the size that is told.
            unsafe { api.hipGraphInstantiate(&mut handle, raw, node, log.as_mut_ptr(), log.len()) }
        });
        made.map_err(|error| {
            let text: Vec<u8> = log.iter().take_while(|&&c| c != 0).map(|&c| c as u8).collect();
            error.with_log(&String::from_utf8_lossy(&text))
        })?;
        let nodes = graph.nodes.iter().map(|entry| vec![entry.resources.clone()]).collect();
        let others = graph.others.clone();
        let mut held = Held { nodes, others, memory: Vec::new(), slots: Vec::new() };
        held.collect();
        Ok(Self {
            handle,
            graph: graph.raw.clone(),
            shape,
            nodes: graph
                .nodes
                .iter()
                .map(|&Entry { raw, id, ref shape, .. }| ExecNode { raw, id, kind: shape.kind })
                .collect(),
            uses: Uses::new(),
            lock: Mutex::new(()),
            held: ManuallyDrop::new(held),
        })
    }

    /// `hipGraphLaunch`: launches the graph in stream order, after earlier work on its memory and after earlier launches of
    /// this exec.
    ///
    /// HIP 6.4.3 crashes or hangs now and then, in its own code, where a graph with branches is launched while another thread
    /// uses HIP. 5.2.3 and 5.7.1 do not.
    ///
    /// # Errors
    /// [`ErrorKind::WrongDevice`] for a stream of another device, [`ErrorKind::Busy`] while a
    /// [`HostGuard`](super::HostGuard) of the graph's memory is alive, or the failure of the call.
    #[doc(alias = "hipGraphLaunch")]
    pub fn launch(&self, stream: &Stream) -> Result<()> {
        // Before anything is locked that a thread which waits for this one may hold.
        stream.runtime().refuse()?;
        if self.device() != stream.device() {
            return Err(wrong_device("the graph", stream.device(), self.device()));
        }
        stream.shared().refuse_capture()?;
        let operation = || {
            Operation::new("graph", "launch")
                .detail("nodes", self.nodes.len())
                .detail("exec", Address(self.handle))
        };
        // Until the launch is entered: another one that comes between would not wait for this one.
        let turn = self.turn();
        let mut entered = Entered::new(self, stream);
        entered.enter()?;
        observe(stream, operation, || {
            self.on_stream(&turn, stream, "hipGraphLaunch", |api, exec, stream| {
                // SAFETY: both handles are alive, and all that the work uses is entered as used.
                unsafe { api.hipGraphLaunch(exec, stream) }
            })
        })
        // `entered` is dropped here: also when it failed, as it may have been enqueued.
    }

    /// `hipGraphUpload`: brings what the graph needs to the device, so that the first launch need not.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] before 5.3, or the failure of the call.
    #[doc(alias = "hipGraphUpload")]
    pub fn upload(&self, stream: &Stream) -> Result<()> {
        stream.runtime().refuse()?;
        if self.device() != stream.device() {
            return Err(wrong_device("the graph", stream.device(), self.device()));
        }
        stream.shared().refuse_capture()?;
        let turn = self.turn();
        let ticket = self.uses.before(stream.shared(), Access::Write)?;
        let outcome = self.on_stream(&turn, stream, "hipGraphUpload", |api, exec, stream| {
            // SAFETY: both handles are alive; what is enqueued is entered as a use of the exec.
            unsafe { api.hipGraphUpload(exec, stream) }
        });
        self.uses.after(stream.shared(), ticket);
        outcome
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn on_stream(
        &self,
        _turn: &MutexGuard<'_, ()>,
        stream: &Stream,
        name: &'static str,
        call: impl FnOnce(
            &hip_sys::Api,
            hipGraphExec_t,
            hip_sys::hipStream_t,
        ) -> Result<hipError_t, hip_sys::MissingSymbol>,
    ) -> Result<()> {
        let _current = stream.shared().enter()?;
        let status = call(stream.runtime().api(), self.handle, stream.raw());
        stream.runtime().check(status, || {
            Call::new(name)
                .arg("graphExec", self.handle)
                .arg("stream", stream.raw())
                .on(stream.device().raw())
        })
    }

    /// Waits in this thread for every launch.
    ///
    /// # Errors
    /// The failure of a call, or of the work.
    ///
    /// # Panics
    /// When a function of the host that the graph called did: its panic goes on here.
    pub fn wait(&self) -> Result<()> {
        self.uses.finish()?;
        self.held.resume_panic();
        Ok(())
    }

    pub(super) fn raw_node(&self, node: Node) -> Result<RawNode> {
        self.find(node).map(|found| found.raw)
    }

    /// A node that does what `kind` says: the runtime takes any node for one of the kind that the parameters are for.
    pub(super) fn node_of_kind(&self, node: Node, kind: NodeKind) -> Result<RawNode> {
        let found = self.find(node)?;
        if found.kind == kind { Ok(found.raw) } else { Err(wrong_node(kind, found.kind)) }
    }

    fn find(&self, node: Node) -> Result<&ExecNode> {
        self.nodes.get(node.index).filter(|found| found.id == node.id).ok_or_else(foreign_node)
    }

    pub(super) fn call(
        &self,
        name: &'static str,
        call: impl FnOnce(&hip_sys::Api, hipGraphExec_t) -> Result<hipError_t, hip_sys::MissingSymbol>,
    ) -> Result<()> {
        let device = self.device();
        let _current = device.enter()?;
        let status = {
            let _turn = self.turn();
            call(device.runtime().api(), self.handle)
        };
        device.runtime().check(status, || Call::new(name).arg("graphExec", self.handle).on(device.raw()))
    }

    /// The device whose work it is.
    pub fn device(&self) -> Device {
        self.graph.device()
    }

    /// The handle, for calls that this crate does not wrap.
    pub fn raw(&self) -> hipGraphExec_t {
        self.handle
    }
}

impl Drop for GraphExec {
    /// Waits for the launches. What cannot be waited for may still run, and stays where it is.
    fn drop(&mut self) {
        let device = self.device();
        if crate::callback::is_inside() {
            let late = Self {
                handle: self.handle,
                graph: self.graph.clone(),
                shape: self.shape.clone(),
                nodes: Vec::new(),
                uses: std::mem::replace(&mut self.uses, Uses::new()),
                lock: Mutex::new(()),
                held: ManuallyDrop::new(std::mem::take(&mut *self.held)),
            };
            return device.runtime().shared().deferred.later(Box::new(late));
        }
        let destroy = || {
            self.uses.finish()?;
            self.call("hipGraphExecDestroy", |api, exec| {
                // SAFETY: nobody has the handle any more, and nothing runs.
                unsafe { api.hipGraphExecDestroy(exec) }
            })
        };
        match destroy() {
            // SAFETY: they are not touched again.
            Ok(()) => unsafe { ManuallyDrop::drop(&mut self.held) },
            Err(error) => {
                // The runtime may still refer to the graph that it was made from.
                std::mem::forget(self.graph.clone());
                device.runtime().report(&error);
            }
        }
    }
}

impl fmt::Debug for GraphExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphExec").field("device", &self.device()).field("nodes", &self.nodes.len()).finish()
    }
}

#[cold]
fn wrong_node(expected: NodeKind, actual: NodeKind) -> Error {
    let (expected, actual) = (expected.name(), actual.name());
    Error::new(
        ErrorKind::WrongNode,
        format!("the parameters are those of {expected}, but the node is {actual}"),
    )
}

struct Address(hipGraphExec_t);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}
