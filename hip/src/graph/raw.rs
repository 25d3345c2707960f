//! A graph's handle.
//!
//! # Safety
//! The handle is valid from its creation until the drop of the last owner. Handles of nodes are those of this graph, and live
//! as long as it: nodes are never removed. HIP does not say that a graph can be changed by two threads at once, so every call
//! on one takes its lock. Out-pointers are to live locals, arrays have the length that is told.
//!
//! `RawGraph` and `RawNode` are `Send` and `Sync`, as their handles name objects of the runtime, whose calls may come from
//! any thread, and nothing in Rust reads through them.
#![allow(unsafe_code)]

use crate::error::Call;
use crate::{Device, Result};
use hip_sys::abi::{GraphNodeType, Version};
use hip_sys::{Api, MissingSymbol, hipError_t, hipGraph_t, hipGraphNode_t, hipGraphNodeType};
use std::sync::{Mutex, MutexGuard};

/// The handle of a graph.
pub(super) struct RawGraph {
    device: Device,
    handle: hipGraph_t,
    lock: Mutex<()>,
}

// SAFETY: the handle names an object of the runtime that may be used from any thread (see the head of this file).
unsafe impl Send for RawGraph {}
// SAFETY: as above; calls that change it take its lock.
unsafe impl Sync for RawGraph {}

/// The handle of a node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct RawNode(pub(super) hipGraphNode_t);

// SAFETY: as for the graph.
unsafe impl Send for RawNode {}
// SAFETY: as for the graph.
unsafe impl Sync for RawNode {}

impl RawGraph {
    pub(super) fn create(device: Device) -> Result<Self> {
        let mut handle = std::ptr::null_mut();
        // SAFETY: the out-pointer is to a live local; 0 is the only flag there is.
        let status = unsafe { device.runtime().usable_api()?.hipGraphCreate(&mut handle, 0) };
        device.runtime().check(status, || Call::new("hipGraphCreate").on(device.raw()))?;
        Ok(Self::own(device, handle))
    }

    /// The owner of a handle that nobody else owns.
    pub(super) fn own(device: Device, handle: hipGraph_t) -> Self {
        Self { device, handle, lock: Mutex::new(()) }
    }

    pub(super) fn device(&self) -> Device {
        self.device
    }

    pub(super) fn handle(&self) -> hipGraph_t {
        self.handle
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Makes a call on the graph, on its device and under its lock.
    pub(super) fn call(
        &self,
        name: &'static str,
        call: impl FnOnce(&Api) -> Result<hipError_t, MissingSymbol>,
    ) -> Result<()> {
        let _current = self.device.enter()?;
        let status = {
            let _locked = self.lock();
            call(self.device.runtime().api())
        };
        let described = || Call::new(name).arg("graph", self.handle).on(self.device.raw());
        self.device.runtime().check(status, described)
    }

    pub(super) fn copy(&self) -> Result<Self> {
        let mut handle = std::ptr::null_mut();
        // SAFETY: the handle is alive; the out-pointer is to a live local.
        self.call("hipGraphClone", |api| unsafe { api.hipGraphClone(&mut handle, self.handle) })?;
        Ok(Self::own(self.device, handle))
    }

    /// The node of this copy that `original` became.
    pub(super) fn counterpart(&self, original: RawNode) -> Result<RawNode> {
        let mut node = std::ptr::null_mut();
        self.call("hipGraphNodeFindInClone", |api| {
            // SAFETY: both handles are alive; the out-pointer is to a live local.
            unsafe { api.hipGraphNodeFindInClone(&mut node, original.0, self.handle) }
        })?;
        Ok(RawNode(node))
    }

    /// How many nodes there are, those of captured calls included.
    pub(super) fn node_count(&self) -> Result<usize> {
        let mut count = 0;
        self.call("hipGraphGetNodes", |api| {
            // SAFETY: without an array, only the count is written.
            unsafe { api.hipGraphGetNodes(self.handle, std::ptr::null_mut(), &mut count) }
        })?;
        Ok(count)
    }

    pub(super) fn edges(&self) -> Result<Vec<(RawNode, RawNode)>> {
        let mut count = 0;
        self.call("hipGraphGetEdges", |api| {
            let nothing = std::ptr::null_mut();
            // SAFETY: without arrays, only the count is written.
            unsafe { api.hipGraphGetEdges(self.handle, nothing, nothing, &mut count) }
        })?;
        let (mut from, mut to) = (vec![std::ptr::null_mut(); count], vec![std::ptr::null_mut(); count]);
        if count > 0 {
            self.call("hipGraphGetEdges", |api| {
                // SAFETY: both arrays have room for as many as are told.
                unsafe { api.hipGraphGetEdges(self.handle, from.as_mut_ptr(), to.as_mut_ptr(), &mut count) }
            })?;
        }
        Ok(from.into_iter().zip(to).take(count).map(|(from, to)| (RawNode(from), RawNode(to))).collect())
    }

    /// What a node does; `None` for what this crate's headers do not know.
    pub(super) fn node_type(&self, node: RawNode) -> Result<Option<GraphNodeType>> {
        let mut raw = hipGraphNodeType(0);
        self.call("hipGraphNodeGetType", |api| {
            // SAFETY: the node is alive; the out-pointer is to a live local.
            unsafe { api.hipGraphNodeGetType(node.0, &mut raw) }
        })?;
        let version = self.device.runtime().version();
        Ok(GraphNodeType::decode(raw, Version::new(version.major, version.minor)))
    }
}

impl Drop for RawGraph {
    fn drop(&mut self) {
        if crate::callback::is_inside() {
            let late = Self::own(self.device, self.handle);
            return self.device.runtime().shared().deferred.later(Box::new(late));
        }
        // SAFETY: nobody has the handle any more.
        let status = unsafe { self.device.runtime().api().hipGraphDestroy(self.handle) };
        let call = || Call::new("hipGraphDestroy").arg("graph", self.handle).on(self.device.raw());
        self.device.runtime().check_in_drop(status, call);
    }
}
