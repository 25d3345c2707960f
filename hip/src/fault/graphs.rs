//! Graphs of the simulation.

use super::state::{INVALID_HANDLE, INVALID_VALUE, Op, SUCCESS, State, new_handle};
use std::collections::{BTreeMap, HashMap};

/// What a node is. The runtime takes parameters for those of the node's own kind without looking.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Kernel,
    Copy,
    Fill,
    Other,
}

/// A node: what it does, and the nodes that it comes after.
#[derive(Clone)]
struct Node {
    handle: usize,
    kind: Kind,
    work: Vec<Op>,
    after: Vec<usize>,
}

/// All graphs, and what was instantiated from them. A captured graph is a chain.
#[derive(Default)]
pub(super) struct Graphs {
    graphs: BTreeMap<usize, Vec<Node>>,
    execs: HashMap<usize, Vec<Node>>,
}

impl Graphs {
    fn handle(&self) -> usize {
        new_handle()
    }

    pub(super) fn create(&mut self) -> usize {
        let handle = self.handle();
        self.graphs.insert(handle, Vec::new());
        handle
    }

    pub(super) fn destroy(&mut self, graph: usize) -> u32 {
        if self.graphs.remove(&graph).is_some() { SUCCESS } else { INVALID_HANDLE }
    }

    /// A node, by its handle. None for a graph or a dependency that does not exist.
    pub(super) fn add(
        &mut self,
        graph: usize,
        after: Vec<usize>,
        kind: Kind,
        work: Vec<Op>,
    ) -> Option<usize> {
        let handle = self.handle();
        let nodes = self.graphs.get_mut(&graph)?;
        let exists = |wanted: &usize| nodes.iter().any(|node| node.handle == *wanted);
        let twice = after.iter().enumerate().any(|(at, one)| after.iter().take(at).any(|other| other == one));
        if twice || !after.iter().all(exists) {
            return None;
        }
        nodes.push(Node { handle, kind, work, after });
        Some(handle)
    }

    /// A node behind the last one: for a capture.
    pub(super) fn append(&mut self, graph: usize, op: Op) {
        let last = self.graphs.get(&graph).and_then(|nodes| nodes.last()).map(|node| node.handle);
        self.add(graph, last.into_iter().collect(), Kind::Other, vec![op]);
    }

    pub(super) fn work(&self, graph: usize) -> Option<Vec<Op>> {
        Some(in_order(self.graphs.get(&graph)?)?.into_iter().flat_map(|node| node.work).collect())
    }

    pub(super) fn copy(&mut self, graph: usize) -> Option<usize> {
        let nodes = self.graphs.get(&graph)?.clone();
        let handle = self.handle();
        self.graphs.insert(handle, nodes);
        Some(handle)
    }

    pub(super) fn depend(&mut self, graph: usize, from: usize, to: usize) -> u32 {
        let Some(nodes) = self.graphs.get_mut(&graph) else { return INVALID_HANDLE };
        match nodes.iter_mut().find(|node| node.handle == to) {
            Some(node) => node.after.push(from),
            None => return INVALID_VALUE,
        }
        SUCCESS
    }

    pub(super) fn count(&self, graph: usize) -> Option<usize> {
        self.graphs.get(&graph).map(Vec::len)
    }

    pub(super) fn edges(&self, graph: usize) -> Option<Vec<(usize, usize)>> {
        let nodes = self.graphs.get(&graph)?;
        Some(nodes.iter().flat_map(|node| node.after.iter().map(|&from| (from, node.handle))).collect())
    }

    /// None for a graph that does not exist or has a cycle.
    pub(super) fn instantiate(&mut self, graph: usize) -> Option<usize> {
        let nodes = in_order(self.graphs.get(&graph)?)?;
        let handle = self.handle();
        self.execs.insert(handle, nodes);
        Some(handle)
    }

    pub(super) fn destroy_exec(&mut self, exec: usize) -> u32 {
        if self.execs.remove(&exec).is_some() { SUCCESS } else { INVALID_HANDLE }
    }

    /// Whether the node was of that kind. None for a node that does not exist.
    fn set(&mut self, exec: usize, node: usize, kind: Kind, op: Op) -> Option<bool> {
        let node = self.execs.get_mut(&exec)?.iter_mut().find(|it| it.handle == node)?;
        node.work = vec![op];
        Some(node.kind == kind)
    }

    /// Whether the exec could take over the graph's parameters, and did.
    pub(super) fn update(&mut self, exec: usize, graph: usize) -> Option<bool> {
        let new = in_order(self.graphs.get(&graph)?)?;
        let old = self.execs.get_mut(&exec)?;
        if old.len() != new.len() {
            return Some(false);
        }
        old.iter_mut().zip(new).for_each(|(old, new)| old.work = new.work);
        Some(true)
    }
}

impl State {
    /// Sets a node's parameters, and notes when they are another kind's.
    pub(super) fn set_node(&mut self, exec: usize, node: usize, kind: Kind, op: Op) -> u32 {
        match self.graphs.set(exec, node, kind, op) {
            Some(true) => SUCCESS,
            Some(false) => {
                self.violations.push("a node of a graph was given parameters of another kind".to_owned());
                SUCCESS
            }
            None => INVALID_VALUE,
        }
    }

    /// Gives an exec's work to a stream.
    pub(super) fn launch_graph(&mut self, exec: usize, stream: usize) -> u32 {
        let Some(nodes) = self.graphs.execs.get(&exec) else { return INVALID_HANDLE };
        let work: Vec<Op> = nodes.iter().flat_map(|node| node.work.clone()).collect();
        work.into_iter().for_each(|op| self.enqueue(stream, op));
        SUCCESS
    }
}

/// The nodes so that each comes after those that it depends on. None when there is a cycle.
fn in_order(nodes: &[Node]) -> Option<Vec<Node>> {
    let mut done: Vec<Node> = Vec::new();
    while done.len() < nodes.len() {
        let is_done = |handle: usize| done.iter().any(|node| node.handle == handle);
        let ready = |node: &&Node| !is_done(node.handle) && node.after.iter().all(|&after| is_done(after));
        let next = nodes.iter().find(ready)?.clone();
        done.push(next);
    }
    Some(done)
}
