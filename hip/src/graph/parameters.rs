//! What an exec does, changed without making another: its nodes' parameters, one by one or all at once.
//!
//! # Safety
//! Parameters are set when no launch runs, for a node of the kind that they are for, and what they refer to is owned by the
//! exec from then on. When a call fails, what was owned before stays owned, too: it may have done its work.
#![allow(unsafe_code)]

use super::arguments::{NodeCopy, memset};
use super::node::{copy_resources, own, with_kernel};
use super::resource::Resource;
use super::shape::Shape;
use super::{Graph, GraphExec, Node, NodeKind};
use crate::event::wrong_device;
use crate::kernel::{Args, Kernel, Signature, Vouched};
use crate::memory::Access;
use crate::{Error, ErrorKind, LaunchConfig, Result, View, ViewMut};
use bytemuck::Pod;
use hip_sys::{hipError_t, hipGraphExec_t, hipGraphExecUpdateResult};

impl GraphExec {
    /// `hipGraphExecKernelNodeSetParams`: gives a kernel node another kernel, configuration or other arguments. Waits for the
    /// launches there were.
    ///
    /// # Errors
    /// Those of [`Graph::kernel`], [`ErrorKind::WrongNode`] for a node that is no kernel, or the failure of the call.
    #[doc(alias = "hipGraphExecKernelNodeSetParams")]
    #[doc(alias = "hipGraphKernelNodeSetParams")]
    pub fn set_kernel<K: Vouched, A: Args<K::Params>>(
        &mut self,
        node: Node,
        kernel: &Kernel<K>,
        config: LaunchConfig,
        arguments: A,
    ) -> Result<()> {
        kernel.vouch(&config, &arguments)?;
        // SAFETY: somebody vouched for the kernel, and the check accepted the launch.
        unsafe { self.set_kernel_unchecked(node, kernel, config, arguments) }
    }

    /// `hipGraphExecKernelNodeSetParams`: as [`set_kernel`](Self::set_kernel), for a kernel that nobody vouched for.
    ///
    /// # Safety
    /// As for [`Kernel::launch_unchecked`], at each launch of the graph.
    ///
    /// # Errors
    /// Those of [`GraphExec::set_kernel`].
    #[doc(alias = "hipGraphExecKernelNodeSetParams")]
    pub unsafe fn set_kernel_unchecked<K: Signature, A: Args<K::Params>>(
        &mut self,
        node: Node,
        kernel: &Kernel<K>,
        config: LaunchConfig,
        arguments: A,
    ) -> Result<()> {
        if !kernel.admits(&config)? {
            return Err(Error::new(ErrorKind::InvalidLaunch, "a node's grid cannot become empty"));
        }
        let device = self.device();
        with_kernel(device, kernel, config, arguments, |parameters, mut resources| {
            resources.push(Resource::Function((**kernel).clone()));
            self.set(
                "hipGraphExecKernelNodeSetParams",
                (NodeKind::Kernel, node),
                resources,
                |api, exec, node| {
                    // SAFETY: both handles are alive; the parameters live across the call; the caller answers for the kernel.
                    unsafe { api.hipGraphExecKernelNodeSetParams(exec, node, parameters) }
                },
            )
        })
    }

    /// `hipGraphExecMemcpyNodeSetParams1D`: gives a node that copies on the device other ends. Waits for the launches there
    /// were.
    ///
    /// # Errors
    /// Those of [`Graph::copy`], [`ErrorKind::WrongNode`] for a node that is no copy, or the failure of the call.
    #[doc(alias = "hipGraphExecMemcpyNodeSetParams1D")]
    #[doc(alias = "hipGraphExecMemcpyNodeSetParams")]
    #[doc(alias = "hipGraphMemcpyNodeSetParams1D")]
    #[doc(alias = "hipGraphMemcpyNodeSetParams")]
    pub fn set_copy<'a, 'b, T: Pod>(
        &mut self,
        node: Node,
        source: impl Into<View<'a, T>>,
        destination: impl Into<ViewMut<'b, T>>,
    ) -> Result<()> {
        let (source, destination) = (source.into(), destination.into());
        let NodeCopy { source: from, destination: to, bytes, kind, .. } =
            NodeCopy::on_device(&source, &destination)?;
        let resources = copy_resources(self.device(), &source, &destination)?;
        self.set("hipGraphExecMemcpyNodeSetParams1D", (NodeKind::Copy, node), resources, |api, exec, node| {
            // SAFETY: both handles are alive; both ends are owned by the exec and of that length.
            unsafe { api.hipGraphExecMemcpyNodeSetParams1D(exec, node, to, from, bytes, kind) }
        })
    }

    /// `hipGraphExecMemsetNodeSetParams`: gives a node that fills another value or destination. Waits for the launches there
    /// were.
    ///
    /// # Errors
    /// Those of [`Graph::fill`], [`ErrorKind::WrongNode`] for a node that is no fill, or the failure of the call.
    #[doc(alias = "hipGraphExecMemsetNodeSetParams")]
    #[doc(alias = "hipGraphMemsetNodeSetParams")]
    pub fn set_fill<'a, T: Pod>(
        &mut self,
        node: Node,
        destination: impl Into<ViewMut<'a, T>>,
        value: T,
    ) -> Result<()> {
        let destination = destination.into();
        let Some(parameters) = memset(&destination, value)? else {
            return Err(Error::new(ErrorKind::InvalidLaunch, "a node's destination cannot become empty"));
        };
        let resources = vec![own(self.device(), destination.allocation(), Access::Write)?];
        self.set("hipGraphExecMemsetNodeSetParams", (NodeKind::Fill, node), resources, |api, exec, node| {
            // SAFETY: both handles are alive; the memory is owned by the exec and of that length.
            unsafe { api.hipGraphExecMemsetNodeSetParams(exec, node, &parameters) }
        })
    }

    /// `hipGraphNodeSetEnabled`: whether a node does its work, or nothing, in later launches.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] before 5.5, [`ErrorKind::ForeignNode`], or the failure of the call.
    #[doc(alias = "hipGraphNodeSetEnabled")]
    pub fn set_enabled(&mut self, node: Node, enabled: bool) -> Result<()> {
        let node = self.raw_node(node)?;
        self.call("hipGraphNodeSetEnabled", |api, exec| {
            // SAFETY: both handles are alive.
            unsafe { api.hipGraphNodeSetEnabled(exec, node.0, u32::from(enabled)) }
        })
    }

    /// `hipGraphNodeGetEnabled`: whether a node does its work.
    ///
    /// # Errors
    /// As [`GraphExec::set_enabled`].
    #[doc(alias = "hipGraphNodeGetEnabled")]
    pub fn is_enabled(&self, node: Node) -> Result<bool> {
        let node = self.raw_node(node)?;
        let mut enabled = 0;
        self.call("hipGraphNodeGetEnabled", |api, exec| {
            // SAFETY: both handles are alive; the out-pointer is to a live local.
            unsafe { api.hipGraphNodeGetEnabled(exec, node.0, &mut enabled) }
        })?;
        Ok(enabled != 0)
    }

    /// `hipGraphExecUpdate`: takes over all parameters of a graph of the same shape. Waits for the launches there were.
    ///
    /// Two graphs are of one shape when their nodes are of the same kinds and come after each other in the same way, added in
    /// the same order.
    ///
    /// # Errors
    /// [`ErrorKind::Refused`] for a graph with [children](Graph::child): HIP 6.4 says that it has updated them, and has not.
    /// [`ErrorKind::GraphChanged`] when the shapes differ, and when HIP sees another difference: some nodes may have their new
    /// parameters then. The failure of the call.
    #[doc(alias = "hipGraphExecUpdate")]
    pub fn update(&mut self, graph: &Graph) -> Result<()> {
        if graph.device() != self.device() {
            return Err(wrong_device("the graph", self.device(), graph.device()));
        }
        if Shape::of(graph)? != self.shape {
            let message =
                "the graph cannot be updated: its nodes, or their order, are not those of the other graph";
            return Err(Error::new(ErrorKind::GraphChanged, message));
        }
        if self.shape.has_children() {
            let reason = "no release can be relied on to update the nodes of a child";
            let message = format!("the graph has a child and cannot be updated: {reason}");
            return Err(Error::new(ErrorKind::Refused { reason }, message));
        }
        self.uses.finish()?;
        let mut node = std::ptr::null_mut();
        let mut result = hipGraphExecUpdateResult(0);
        let updated = {
            let _graph = graph.raw.lock();
            self.call("hipGraphExecUpdate", |api, exec| {
                // SAFETY: both handles are alive; the out-pointers are to live locals.
                unsafe { api.hipGraphExecUpdate(exec, graph.raw(), &mut node, &mut result) }
            })
        };
        let changed = result != hip_sys::hipGraphExecUpdateSuccess;
        let held = &mut *self.held;
        let new = graph.all_resources().cloned();
        if updated.is_ok() && !changed {
            // Which node of this exec is which of the graph's is HIP's to know.
            held.nodes.iter_mut().for_each(Vec::clear);
            held.others = new.collect();
        } else {
            held.others.extend(new);
        }
        held.collect();
        match updated {
            Err(error)
                if error.code() != Some(crate::ErrorCode(hip_sys::hipErrorGraphExecUpdateFailure.0)) =>
            {
                Err(error)
            }
            _ if changed => {
                let message = format!("the graph cannot be updated: {result:?}");
                Err(Error::new(ErrorKind::GraphChanged, message))
            }
            outcome => outcome,
        }
    }

    /// Sets a node's parameters, after all launches.
    fn set(
        &mut self,
        name: &'static str,
        (kind, node): (NodeKind, Node),
        resources: Vec<Resource>,
        call: impl FnOnce(
            &hip_sys::Api,
            hipGraphExec_t,
            hip_sys::hipGraphNode_t,
        ) -> Result<hipError_t, hip_sys::MissingSymbol>,
    ) -> Result<()> {
        let raw = self.node_of_kind(node, kind)?;
        self.uses.finish()?;
        let outcome = {
            let _graph = self.graph.lock();
            self.call(name, |api, exec| call(api, exec, raw.0))
        };
        let held = &mut *self.held;
        if let Some(of_node) = held.nodes.get_mut(node.index) {
            // When it failed, some of the parameters may be set all the same.
            if outcome.is_ok() {
                of_node.clear();
            }
            of_node.push(resources.into());
        }
        held.collect();
        outcome
    }
}
