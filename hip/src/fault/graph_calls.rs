//! The simulated runtime's C functions for graphs.
//!
//! # Safety
//! As for [`calls`](super::calls); structs of parameters are live locals of the wrapper's.
#![allow(unsafe_code)]

use super::calls::{functions, kernel, put};
use super::graphs::Kind;
use super::state::{INVALID_HANDLE, INVALID_VALUE, Op, SUCCESS, State, pointer};
use crate::Dim3;
use hip_sys::{
    dim3, hipError_t, hipGraphExecUpdateResult, hipGraphNodeType, hipHostNodeParams, hipKernelNodeParams,
    hipMemcpyKind, hipMemsetParams, hipStreamCaptureMode,
};
use std::ffi::{c_char, c_uint, c_void};

functions! {
    hipStreamBeginCapture |state| (stream: *mut c_void, _mode: hipStreamCaptureMode) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        let graph = state.graphs.create();
        if let Some(stream) = state.streams.get_mut(&stream) { stream.capture = Some(graph); }
        SUCCESS
    }
    hipStreamEndCapture |state| (stream: *mut c_void, out: *mut *mut c_void) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        let graph = state.streams.get_mut(&stream).and_then(|stream| stream.capture.take());
        let Some(graph) = graph else { return INVALID_VALUE };
        put(out, pointer(graph));
        SUCCESS
    }
    hipGraphCreate |state| (out: *mut *mut c_void, _flags: c_uint) {
        put(out, pointer(state.graphs.create()));
        SUCCESS
    }
    hipGraphDestroy |state| (graph: *mut c_void) { state.graphs.destroy(graph.addr()) }
    hipGraphAddEmptyNode |state| (out: *mut *mut c_void, graph: *mut c_void, after: *const *mut c_void, count: usize) {
        add(state, out, graph, after, count, (Kind::Other, Vec::new()))
    }
    hipGraphAddKernelNode |state| (
        out: *mut *mut c_void, graph: *mut c_void, after: *const *mut c_void, count: usize, parameters: *const hipKernelNodeParams
    ) {
        match kernel_node(state, parameters) {
            Some(op) => add(state, out, graph, after, count, (Kind::Kernel, vec![op])),
            None => INVALID_HANDLE,
        }
    }
    hipGraphAddMemcpyNode1D |state| (
        out: *mut *mut c_void, graph: *mut c_void, after: *const *mut c_void, count: usize, to: *mut c_void,
        from: *const c_void, bytes: usize, _kind: hipMemcpyKind
    ) {
        let op = Op::Copy { to: to.expose_provenance(), from: from.expose_provenance(), bytes };
        add(state, out, graph, after, count, (Kind::Copy, vec![op]))
    }
    hipGraphAddMemsetNode |state| (
        out: *mut *mut c_void, graph: *mut c_void, after: *const *mut c_void, count: usize, parameters: *const hipMemsetParams
    ) {
        add(state, out, graph, after, count, (Kind::Fill, vec![memset_node(parameters)]))
    }
    hipGraphAddHostNode |state| (
        out: *mut *mut c_void, graph: *mut c_void, after: *const *mut c_void, count: usize, parameters: *const hipHostNodeParams
    ) {
        // SAFETY: the wrapper passes a live local.
        let parameters = unsafe { *parameters };
        let Some(function) = parameters.fn_ else { return INVALID_VALUE };
        let op = Op::Host(function, parameters.userData.expose_provenance());
        add(state, out, graph, after, count, (Kind::Other, vec![op]))
    }
    hipGraphAddChildGraphNode |state| (
        out: *mut *mut c_void, graph: *mut c_void, after: *const *mut c_void, count: usize, child: *mut c_void
    ) {
        match state.graphs.work(child.addr()) {
            Some(work) => add(state, out, graph, after, count, (Kind::Other, work)),
            None => INVALID_HANDLE,
        }
    }
    hipGraphAddEventRecordNode |state| (
        out: *mut *mut c_void, graph: *mut c_void, after: *const *mut c_void, count: usize, _event: *mut c_void
    ) {
        add(state, out, graph, after, count, (Kind::Other, Vec::new()))
    }
    hipGraphAddEventWaitNode |state| (
        out: *mut *mut c_void, graph: *mut c_void, after: *const *mut c_void, count: usize, event: *mut c_void
    ) {
        let wait = match state.events.get(&event.addr()) {
            Some(&Some((stream, until))) => Op::Wait { stream, until },
            Some(None) => Op::Nothing,
            None => return INVALID_HANDLE,
        };
        add(state, out, graph, after, count, (Kind::Other, vec![wait]))
    }
    hipGraphAddDependencies |state| (graph: *mut c_void, from: *const *mut c_void, to: *const *mut c_void, count: usize) {
        for (from, to) in handles(from, count).into_iter().zip(handles(to, count)) {
            let code = state.graphs.depend(graph.addr(), from, to);
            if code != SUCCESS { return code; }
        }
        SUCCESS
    }
    hipGraphClone |state| (out: *mut *mut c_void, graph: *mut c_void) {
        let Some(copy) = state.graphs.copy(graph.addr()) else { return INVALID_HANDLE };
        put(out, pointer(copy));
        SUCCESS
    }
    hipGraphNodeFindInClone |_state| (out: *mut *mut c_void, node: *mut c_void, _graph: *mut c_void) {
        // Nodes of a copy have the handles of the original's.
        put(out, node);
        SUCCESS
    }
    hipGraphGetNodes |state| (graph: *mut c_void, _nodes: *mut *mut c_void, count: *mut usize) {
        let Some(nodes) = state.graphs.count(graph.addr()) else { return INVALID_HANDLE };
        put(count, nodes);
        SUCCESS
    }
    hipGraphGetEdges |state| (graph: *mut c_void, from: *mut *mut c_void, to: *mut *mut c_void, count: *mut usize) {
        let Some(edges) = state.graphs.edges(graph.addr()) else { return INVALID_HANDLE };
        put(count, edges.len());
        if !from.is_null() && !to.is_null() {
            for (index, (before, after)) in edges.into_iter().enumerate() {
                put(from.wrapping_add(index), pointer(before));
                put(to.wrapping_add(index), pointer(after));
            }
        }
        SUCCESS
    }
    hipGraphNodeGetType |_state| (_node: *mut c_void, out: *mut hipGraphNodeType) {
        put(out, hipGraphNodeType(0));
        SUCCESS
    }
    hipGraphInstantiate |state| (
        out: *mut *mut c_void, graph: *mut c_void, _node: *mut *mut c_void, _log: *mut c_char, _len: usize
    ) {
        let Some(exec) = state.graphs.instantiate(graph.addr()) else { return INVALID_VALUE };
        put(out, pointer(exec));
        SUCCESS
    }
    hipGraphExecDestroy |state| (exec: *mut c_void) { state.graphs.destroy_exec(exec.addr()) }
    hipGraphUpload |_state| (_exec: *mut c_void, _stream: *mut c_void) { SUCCESS }
    hipGraphLaunch |state| (exec: *mut c_void, stream: *mut c_void) {
        let Some(stream) = state.stream(stream) else { return INVALID_HANDLE };
        state.launch_graph(exec.addr(), stream)
    }
    hipGraphExecUpdate |state| (
        exec: *mut c_void, graph: *mut c_void, _node: *mut *mut c_void, result: *mut hipGraphExecUpdateResult
    ) {
        let Some(updated) = state.graphs.update(exec.addr(), graph.addr()) else { return INVALID_HANDLE };
        put(result, if updated { hip_sys::hipGraphExecUpdateSuccess } else { hip_sys::hipGraphExecUpdateErrorTopologyChanged });
        if updated { SUCCESS } else { hip_sys::hipErrorGraphExecUpdateFailure.0 }
    }
    hipGraphExecKernelNodeSetParams |state| (exec: *mut c_void, node: *mut c_void, parameters: *const hipKernelNodeParams) {
        match kernel_node(state, parameters) {
            Some(op) => state.set_node(exec.addr(), node.addr(), Kind::Kernel, op),
            None => INVALID_HANDLE,
        }
    }
    hipGraphExecMemcpyNodeSetParams1D |state| (
        exec: *mut c_void, node: *mut c_void, to: *mut c_void, from: *const c_void, bytes: usize, _kind: hipMemcpyKind
    ) {
        let op = Op::Copy { to: to.expose_provenance(), from: from.expose_provenance(), bytes };
        state.set_node(exec.addr(), node.addr(), Kind::Copy, op)
    }
    hipGraphExecMemsetNodeSetParams |state| (exec: *mut c_void, node: *mut c_void, parameters: *const hipMemsetParams) {
        state.set_node(exec.addr(), node.addr(), Kind::Fill, memset_node(parameters))
    }
}

fn kernel_node(state: &State, parameters: *const hipKernelNodeParams) -> Option<Op> {
    // SAFETY: the wrapper passes a live local.
    let parameters = unsafe { *parameters };
    let extent = |it: dim3| Dim3::new(it.x, it.y, it.z);
    let (grid, block) = (extent(parameters.gridDim), extent(parameters.blockDim));
    kernel(state, parameters.func, grid, block, parameters.kernelParams)
}

fn memset_node(parameters: *const hipMemsetParams) -> Op {
    // SAFETY: the wrapper passes a live local.
    let parameters = unsafe { *parameters };
    let element = parameters.value.to_ne_bytes();
    let pattern = element.get(..parameters.elementSize as usize).unwrap_or(&element).to_vec();
    Op::Fill {
        to: parameters.dst.expose_provenance(),
        pattern,
        count: parameters.width * parameters.height.max(1),
    }
}

fn handles(from: *const *mut c_void, count: usize) -> Vec<usize> {
    // SAFETY: the wrapper passes that many handles.
    (0..count).map(|index| unsafe { *from.add(index) }.addr()).collect()
}

fn add(
    state: &mut State,
    out: *mut *mut c_void,
    graph: *mut c_void,
    after: *const *mut c_void,
    count: usize,
    (kind, work): (Kind, Vec<Op>),
) -> u32 {
    let Some(node) = state.graphs.add(graph.addr(), handles(after, count), kind, work) else {
        return INVALID_HANDLE;
    };
    put(out, pointer(node));
    SUCCESS
}
