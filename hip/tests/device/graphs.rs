//! Graphs, built and captured.

use crate::setup;
use hip::{DeviceBuffer, ErrorKind, Event, Graph, LaunchConfig, PinnedBuffer};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const LEN: usize = 1000;
const CONFIG: fn() -> LaunchConfig = || LaunchConfig::for_len(LEN);

#[test]
fn a_graph_is_built_node_by_node_and_launched() {
    let Some((stream, saxpy)) = setup() else { return };
    let device = stream.device();
    let mut x = DeviceBuffer::<f32>::uninit(device, LEN).unwrap();
    let mut y = DeviceBuffer::<f32>::uninit(device, LEN).unwrap();
    let calls = Arc::new(AtomicU32::new(0));
    let counter = calls.clone();
    let mut graph = Graph::new(device).unwrap();
    let source = PinnedBuffer::from_slice(device, &[1.0f32; LEN]).unwrap();
    let (input, upload) = graph.upload(source, &mut x, &[]).unwrap();
    let fill = graph.fill(&mut y, 0.5, &[]).unwrap();
    let kernel = graph.kernel(&saxpy, CONFIG(), (2.0, &x, &mut y, LEN as i32), &[upload, fill]).unwrap();
    let count = move || {
        counter.fetch_add(1, Ordering::Relaxed);
    };
    let host = graph.host(count, &[kernel]).unwrap();
    let (output, _) = graph.download(&y, PinnedBuffer::zeroed(device, LEN).unwrap(), &[host]).unwrap();
    let exec = graph.instantiate().unwrap();
    // The graph alone keeps its memory and its kernel.
    drop((x, y, saxpy, graph));
    let others = [(); 4].map(|()| DeviceBuffer::<f32>::zeroed(&stream, LEN).unwrap());
    for round in 0..5 {
        input.lock().unwrap().fill(round as f32);
        exec.launch(&stream).unwrap();
        assert_eq!(*output.lock().unwrap(), [2.0 * round as f32 + 0.5; LEN]);
        assert_eq!(calls.load(Ordering::Relaxed), round + 1);
    }
    assert!(others.iter().all(|other| other.to_vec(&stream).unwrap() == [0.0; LEN]));
}

#[test]
fn a_captured_graph_outlives_its_buffers() {
    let Some((stream, saxpy)) = setup() else { return };
    let device = stream.device();
    let mut x = DeviceBuffer::<f32>::zeroed(&stream, LEN).unwrap();
    let mut y = DeviceBuffer::<f32>::from_slice(&stream, &[1.0; LEN]).unwrap();
    let graph = Graph::capture(device, |capture| {
        capture.fill(&mut x, 2.0)?;
        saxpy.launch(capture, CONFIG(), (3.0, &x, &mut y, LEN as i32))
    })
    .unwrap();
    let exec = graph.instantiate().unwrap();
    assert_eq!(y.to_vec(&stream).unwrap(), [1.0; LEN], "nothing ran yet");
    drop((graph, saxpy, x));
    let others = [(); 4].map(|()| DeviceBuffer::<f32>::zeroed(&stream, LEN).unwrap());
    for _ in 0..3 {
        exec.launch(&stream).unwrap();
    }
    assert_eq!(y.to_vec(&stream).unwrap(), [19.0; LEN]);
    drop(y);
    exec.launch(&stream).unwrap();
    exec.wait().unwrap();
    assert!(others.iter().all(|other| other.to_vec(&stream).unwrap() == [0.0; LEN]));
}

#[test]
fn parameters_of_a_graph_are_replaced() {
    let Some((stream, saxpy)) = setup() else { return };
    let device = stream.device();
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; LEN]).unwrap();
    let [mut y, mut z] = [(); 2].map(|()| DeviceBuffer::<f32>::zeroed(&stream, LEN).unwrap());
    let mut graph = Graph::new(device).unwrap();
    let kernel = graph.kernel(&saxpy, CONFIG(), (1.0, &x, &mut y, LEN as i32), &[]).unwrap();
    let mut exec = graph.instantiate().unwrap();
    exec.launch(&stream).unwrap();
    assert_eq!(y.to_vec(&stream).unwrap(), [1.0; LEN]);
    exec.set_kernel(kernel, &saxpy, CONFIG(), (5.0, &x, &mut z, LEN as i32)).unwrap();
    exec.launch(&stream).unwrap();
    assert_eq!((y.to_vec(&stream).unwrap()[0], z.to_vec(&stream).unwrap()), (1.0, vec![5.0; LEN]));
    let mut same_shape = Graph::new(device).unwrap();
    same_shape.kernel(&saxpy, CONFIG(), (7.0, &x, &mut z, LEN as i32), &[]).unwrap();
    exec.update(&same_shape).unwrap();
    drop((same_shape, graph));
    exec.launch(&stream).unwrap();
    assert_eq!(z.to_vec(&stream).unwrap(), [12.0; LEN]);
}

#[test]
fn an_update_reaches_every_node_of_the_same_shape() {
    let Some((stream, saxpy)) = setup() else { return };
    let device = stream.device();
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; LEN]).unwrap();
    let calls = [(); 2].map(|()| Arc::new(AtomicU32::new(0)));
    let events = [(); 2].map(|()| Arc::new(Event::new(device).unwrap()));
    let build = |at: usize, y: &mut DeviceBuffer<f32>, z: &mut DeviceBuffer<f32>| {
        let mut graph = Graph::new(device).unwrap();
        let fill = graph.fill(&mut *y, 0.5 + at as f32, &[]).unwrap();
        let kernel = graph.kernel(&saxpy, CONFIG(), (1.0, &x, &mut *y, LEN as i32), &[fill]).unwrap();
        let copy = graph.copy(&*y, z, &[kernel]).unwrap();
        let calls = calls[at].clone();
        let count = move || {
            calls.fetch_add(1, Ordering::Relaxed);
        };
        let host = graph.host(count, &[copy]).unwrap();
        graph.record(&events[at], &[host]).unwrap();
        graph
    };
    let [mut y, mut z] = [(); 2].map(|()| DeviceBuffer::<f32>::zeroed(&stream, LEN).unwrap());
    let mut exec = build(0, &mut y, &mut z).instantiate().unwrap();
    let [mut new_y, mut new_z] = [(); 2].map(|()| DeviceBuffer::<f32>::zeroed(&stream, LEN).unwrap());
    exec.update(&build(1, &mut new_y, &mut new_z)).unwrap();
    exec.launch(&stream).unwrap();
    exec.wait().unwrap();
    assert_eq!([&new_y, &new_z].map(|it| it.to_vec(&stream).unwrap()), [[2.5; LEN]; 2]);
    // What belonged to the nodes before is not touched: it may be anybody's by now.
    assert_eq!([&y, &z].map(|it| it.to_vec(&stream).unwrap()), [[0.0; LEN]; 2]);
    assert_eq!(calls.each_ref().map(|calls| calls.load(Ordering::Relaxed)), [0, 1]);
}

#[test]
fn an_update_refuses_children_and_other_dependencies() {
    let Some((stream, _)) = setup() else { return };
    let device = stream.device();
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; LEN]).unwrap();
    /// A fill, a copy after it, a function of the host; whether the last node waits for what is before it; whether these are
    /// a child's.
    type Shape = (bool, bool, bool, bool, bool);
    let build = |(fill, copy, host, waits, inside): Shape, y: &mut DeviceBuffer<f32>| {
        let (mut graph, mut after) = (Graph::new(device).unwrap(), Vec::new());
        if fill {
            after.push(graph.fill(&mut *y, 2.0, &[]).unwrap());
        }
        if copy {
            after = vec![graph.copy(&x, y, &after).unwrap()];
        }
        if host {
            after.push(graph.host(|| (), &[]).unwrap());
        }
        if inside {
            let child = std::mem::replace(&mut graph, Graph::new(device).unwrap());
            after = vec![graph.child(&child, &[]).unwrap()];
        }
        graph.empty(if waits { &after } else { &[] }).unwrap();
        graph
    };
    let small = (true, false, false, true, false);
    let (large, other) = ((true, true, false, true, false), (false, false, true, true, false));
    let (free, child) = ((true, false, false, false, false), (true, false, false, true, true));
    let cases = [
        (small, large),
        (large, small),
        (other, small),
        (small, other),
        (small, free),
        (small, child),
        (child, child),
    ];
    for (from, to) in cases {
        let [mut y, mut z] = [(); 2].map(|()| DeviceBuffer::<f32>::zeroed(&stream, LEN).unwrap());
        let mut exec = build(from, &mut y).instantiate().unwrap();
        let error = exec.update(&build(to, &mut z)).unwrap_err();
        match from == to {
            true => assert!(matches!(error.kind(), ErrorKind::Refused { .. }), "{error}"),
            false => assert_eq!(error.kind(), &ErrorKind::GraphChanged, "{from:?} {to:?}"),
        }
        exec.launch(&stream).unwrap();
        exec.wait().unwrap();
        let value = if from.1 { 1.0 } else { 2.0 * f32::from(u8::from(from.0)) };
        assert_eq!(y.to_vec(&stream).unwrap(), [value; LEN]);
        assert_eq!(z.to_vec(&stream).unwrap(), [0.0; LEN]);
        assert_eq!(exec.update(&build(from, &mut z)).is_ok(), from != to);
    }
}

#[test]
fn clones_children_and_events_work() {
    let Some((stream, saxpy)) = setup() else { return };
    let device = stream.device();
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; LEN]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&stream, LEN).unwrap();
    let mut child = Graph::new(device).unwrap();
    child.kernel(&saxpy, CONFIG(), (1.0, &x, &mut y, LEN as i32), &[]).unwrap();
    let mut graph = Graph::new(device).unwrap();
    let first = graph.child(&child, &[]).unwrap();
    let second = graph.child(&child, &[first]).unwrap();
    let event = Arc::new(Event::new(device).unwrap());
    graph.record(&event, &[second]).unwrap();
    drop((child, saxpy, x));
    let exec = graph.try_clone().unwrap().instantiate().unwrap();
    exec.launch(&stream).unwrap();
    assert_eq!(y.to_vec(&stream).unwrap(), [2.0; LEN]);
    event.synchronize().unwrap();
    assert_eq!(graph.edges().unwrap().len(), 2);
    // The numbers of the types moved twice between releases.
    assert_eq!(graph.kind(first).unwrap(), Some(hip::sys::abi::GraphNodeType::Graph));
    assert!(graph.to_dot().unwrap().contains("n0 -> n1"));
}

#[test]
fn calls_that_wait_are_refused_in_a_capture() {
    let Some((stream, saxpy)) = setup() else { return };
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; LEN]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&stream, LEN).unwrap();
    let error = Graph::capture(stream.device(), |capture| {
        saxpy.launch(capture, CONFIG(), (1.0, &x, &mut y, LEN as i32))?;
        y.to_vec(capture).map(drop)
    })
    .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Capturing);
    // Other streams work on, and nothing of the capture ran.
    saxpy.launch(&stream, CONFIG(), (4.0, &x, &mut y, LEN as i32)).unwrap();
    assert_eq!(y.to_vec(&stream).unwrap(), [4.0; LEN]);
}
