//! The shape of a graph: what an exec must have in common with the graph that it is updated from.
//!
//! HIP compares it, too, but 5.2 neither looks at dependencies nor into children: it follows the nodes that a smaller child
//! does not have, and of a larger one it leaves the rest as it is and says that all is well.

use super::{Graph, NodeKind};
use crate::Result;
use std::sync::Arc;

/// Nodes and dependencies, in the order in which they were added, children included.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Shape {
    nodes: Vec<NodeShape>,
    edges: Vec<(usize, usize)>,
    /// The nodes of captured calls, of which no more is known.
    captured: usize,
}

/// The C function that adds such a node tells what it is.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct NodeShape {
    pub(super) added_by: &'static str,
    pub(super) kind: NodeKind,
    pub(super) child: Option<Arc<Shape>>,
}

impl Shape {
    pub(super) fn of(graph: &Graph) -> Result<Self> {
        let nodes: Vec<_> = graph.nodes.iter().map(|entry| entry.shape.clone()).collect();
        let captured = if nodes.is_empty() { graph.raw.node_count()? } else { 0 };
        Ok(Self { nodes, edges: graph.edges.clone(), captured })
    }
}
