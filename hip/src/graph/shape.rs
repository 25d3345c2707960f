//! The shape of a graph: what an exec must have in common with the graph that it is updated from.
//!
//! HIP compares it, too, but 5.2 does not look at dependencies. Nor can it be asked about children: of a child with fewer
//! nodes, 5.2 follows those that are not there; of one with more, it leaves the rest as it is and says that all is well; and
//! 6.4 says so and updates no node of a child.

use super::{Graph, NodeKind};
use crate::Result;

/// What adds a child.
pub(super) const CHILD: &str = "hipGraphAddChildGraphNode";

/// Nodes and dependencies, in the order in which they were added.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Shape {
    nodes: Vec<NodeShape>,
    edges: Vec<(usize, usize)>,
    /// The nodes of captured calls, of which no more is known. No child is among them.
    captured: usize,
}

/// The C function that adds such a node tells what it is.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct NodeShape {
    pub(super) added_by: &'static str,
    pub(super) kind: NodeKind,
}

impl Shape {
    pub(super) fn of(graph: &Graph) -> Result<Self> {
        let nodes: Vec<_> = graph.nodes.iter().map(|entry| entry.shape.clone()).collect();
        let captured = if nodes.is_empty() { graph.raw.node_count()? } else { 0 };
        Ok(Self { nodes, edges: graph.edges.clone(), captured })
    }

    /// Whether another graph is a node of it.
    pub(super) fn has_children(&self) -> bool {
        self.nodes.iter().any(|node| node.added_by == CHILD)
    }
}
