//! Graphs: work that is described once and launched many times.
//!
//! A [`Graph`] is built node by node, or [captured](Graph::capture) from calls on a stream. It owns what its nodes use: device
//! memory, modules, host memory, functions and events live as long as a graph or a [`GraphExec`] needs them, so launching
//! after a buffer was dropped is safe. A launch takes part in the order of work like any other: it waits for earlier work on
//! each of the graph's buffers, and later work on them waits for it.
//!
//! ```no_run
//! use hip::{Device, DeviceBuffer, Graph};
//!
//! let device = Device::first()?;
//! let stream = device.stream()?;
//! let (mut x, mut y) = (DeviceBuffer::<f32>::uninit(device, 100)?, DeviceBuffer::<f32>::uninit(device, 100)?);
//! let mut graph = Graph::new(device)?;
//! let fill = graph.fill(&mut x, 1.5, &[])?;
//! graph.copy(&x, &mut y, &[fill])?;
//! let exec = graph.instantiate()?;
//! drop(x);
//! exec.launch(&stream)?;
//! assert_eq!(y.to_vec(&stream)?, [1.5; 100]);
//! # Ok::<(), hip::Error>(())
//! ```
//!
//! Only the memory of [`DeviceBuffer`](crate::DeviceBuffer)s can be in a graph, and host memory that was moved into it: see
//! [`HostSlot`]. Memory that the host may touch at any time is refused.

mod arguments;
mod capture;
mod dot;
mod entered;
mod exec;
mod node;
mod parameters;
mod raw;
mod resource;
mod shape;

pub use capture::Capture;
pub use exec::GraphExec;
pub use node::Node;
pub(crate) use node::object_not_ownable;
pub use resource::{HostGuard, HostSlot};

pub(crate) use capture::Captured;

use crate::{Device, Error, ErrorKind, Result};
use hip_sys::hipGraphNode_t;
use raw::RawGraph;
use resource::Resources;
use shape::NodeShape;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Work and its dependencies, for one device.
///
/// ```no_run
/// # let device = hip::Device::first()?;
/// # let stream = device.stream()?;
/// let mut y = hip::DeviceBuffer::<f32>::uninit(device, 1000)?;
/// let mut graph = hip::Graph::new(device)?;
/// let x = hip::DeviceBuffer::<f32>::zeroed(&stream, 1000)?;
/// let copy = graph.copy(&x, &mut y, &[])?;
/// graph.fill(y.slice_mut(..10)?, 1.0, &[copy])?;
/// graph.instantiate()?.launch(&stream)?;
/// # Ok::<(), hip::Error>(())
/// ```
#[doc(alias = "hipGraph_t")]
#[doc(alias = "hipGraphDestroy")]
pub struct Graph {
    raw: Arc<RawGraph>,
    nodes: Vec<Entry>,
    /// The dependencies, each as the indices of a node and one that comes after it, in the order in which they were added.
    edges: Vec<(usize, usize)>,
    /// What the graph uses, but no node of the list accounts for: captured work, and nodes whose creation failed late.
    others: Vec<Resources>,
}

/// A node as the graph knows it.
#[derive(Clone)]
struct Entry {
    raw: raw::RawNode,
    /// Distinguishes the node from all others but its counterparts in copies of the graph.
    id: u64,
    shape: NodeShape,
    label: String,
    resources: Resources,
    /// The nodes that it comes after.
    after: Vec<usize>,
}

/// What a node does, as far as its parameters can be set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NodeKind {
    Kernel,
    Copy,
    Fill,
    Other,
}

impl NodeKind {
    fn name(self) -> &'static str {
        match self {
            Self::Kernel => "a kernel",
            Self::Copy => "a copy",
            Self::Fill => "a fill",
            Self::Other => "something else",
        }
    }
}

impl Graph {
    /// `hipGraphCreate`: a graph without nodes.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipGraphCreate")]
    pub fn new(device: Device) -> Result<Self> {
        Ok(Self::of(RawGraph::create(device)?))
    }

    fn of(raw: RawGraph) -> Self {
        Self { raw: Arc::new(raw), nodes: Vec::new(), edges: Vec::new(), others: Vec::new() }
    }

    /// `hipGraphClone`: a copy. [`Node`]s of this graph stand for their counterparts in the copy, too; the memory is shared.
    ///
    /// # Errors
    /// The failure of a call.
    #[doc(alias = "hipGraphClone")]
    #[doc(alias = "hipGraphNodeFindInClone")]
    pub fn try_clone(&self) -> Result<Self> {
        let raw = self.raw.copy()?;
        let mut nodes = Vec::with_capacity(self.nodes.len());
        for entry in &self.nodes {
            nodes.push(Entry { raw: raw.counterpart(entry.raw)?, ..entry.clone() });
        }
        Ok(Self { raw: Arc::new(raw), nodes, edges: self.edges.clone(), others: self.others.clone() })
    }

    /// `hipGraphInstantiate`: makes the graph ready to be launched. Later changes of the graph do not concern the result.
    ///
    /// # Errors
    /// The failure of the call, with what the runtime has to say of a graph that it cannot launch.
    #[doc(alias = "hipGraphInstantiate")]
    #[doc(alias = "hipGraphInstantiateWithFlags")]
    pub fn instantiate(&self) -> Result<GraphExec> {
        GraphExec::new(self)
    }

    /// `hipGraphGetNodes`: the nodes, in the order in which they were added.
    #[doc(alias = "hipGraphGetNodes")]
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = Node> + '_ {
        self.nodes.iter().enumerate().map(|(index, entry)| entry.node(index))
    }

    /// `hipGraphGetEdges`: the dependencies, each as a node and one that comes after it.
    ///
    /// # Errors
    /// The failure of the call.
    #[doc(alias = "hipGraphGetEdges")]
    #[doc(alias = "hipGraphNodeGetDependencies")]
    #[doc(alias = "hipGraphNodeGetDependentNodes")]
    #[doc(alias = "hipGraphGetRootNodes")]
    pub fn edges(&self) -> Result<Vec<(Node, Node)>> {
        let node = |raw: raw::RawNode| {
            let (index, entry) = self.nodes.iter().enumerate().find(|(_, entry)| entry.raw == raw)?;
            Some(entry.node(index))
        };
        let edges = self.raw.edges()?;
        Ok(edges.into_iter().filter_map(|(from, to)| Some((node(from)?, node(to)?))).collect())
    }

    /// `hipGraphNodeGetType`: what a node does; `None` for what the headers that this crate was made from do not have.
    ///
    /// # Errors
    /// [`ErrorKind::ForeignNode`], or the failure of the call.
    #[doc(alias = "hipGraphNodeGetType")]
    pub fn kind(&self, node: Node) -> Result<Option<hip_sys::abi::GraphNodeType>> {
        self.raw.node_type(self.entry(node)?.raw)
    }

    /// The device whose work it is.
    pub fn device(&self) -> Device {
        self.raw.device()
    }

    /// The handle, for calls that this crate does not wrap.
    pub fn raw(&self) -> hip_sys::hipGraph_t {
        self.raw.handle()
    }

    fn entry(&self, node: Node) -> Result<&Entry> {
        let entry = self.nodes.get(node.index).filter(|entry| entry.id == node.id);
        entry.ok_or_else(foreign_node)
    }

    /// The handles of nodes, each once: releases from 5.7 on refuse a node that stands twice.
    fn raw_nodes(&self, nodes: &[Node]) -> Result<Vec<hipGraphNode_t>> {
        let mut handles = Vec::with_capacity(nodes.len());
        for &node in nodes {
            let handle = self.entry(node)?.raw.0;
            if !handles.contains(&handle) {
                handles.push(handle);
            }
        }
        Ok(handles)
    }

    /// Whether the node of the first index comes after that of the second, or is it.
    fn comes_after(&self, later: usize, earlier: usize) -> bool {
        let (mut seen, mut open) = (vec![false; self.nodes.len()], vec![later]);
        while let Some(index) = open.pop() {
            let Some(seen) = seen.get_mut(index).filter(|seen| !**seen) else { continue };
            *seen = true;
            if index == earlier {
                return true;
            }
            open.extend(self.nodes.get(index).iter().flat_map(|entry| &entry.after));
        }
        false
    }

    /// Everything that the graph's work uses.
    fn all_resources(&self) -> impl Iterator<Item = &Resources> {
        self.nodes.iter().map(|entry| &entry.resources).chain(&self.others)
    }
}

impl Entry {
    fn new_id() -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    fn node(&self, index: usize) -> Node {
        Node { id: self.id, index }
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let labels: Vec<&str> = self.nodes.iter().map(|entry| entry.label.as_str()).collect();
        f.debug_struct("Graph").field("device", &self.device()).field("nodes", &labels).finish()
    }
}

#[cold]
fn foreign_node() -> Error {
    Error::new(ErrorKind::ForeignNode, "the node belongs to another graph")
}
