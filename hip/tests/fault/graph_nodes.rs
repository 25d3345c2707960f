//! Nodes of graphs, and what an exec is told to do in their place.

use crate::graphs::{CONFIG, Setup, setup};
use hip::{DeviceBuffer, ErrorKind, Graph};

#[test]
fn parameters_are_replaced_and_the_old_memory_is_given_back() {
    let Setup { fake, stream, saxpy } = setup();
    let device = stream.device();
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 100]).unwrap();
    let [mut y, mut z] = [(); 2].map(|()| DeviceBuffer::<f32>::zeroed(&stream, 100).unwrap());
    let address = y.view().address();
    let mut graph = Graph::new(device).unwrap();
    let kernel = graph.kernel(&saxpy, CONFIG(), (1.0, &x, &mut y, 100), &[]).unwrap();
    let mut exec = graph.instantiate().unwrap();
    drop(graph);
    exec.launch(&stream).unwrap();
    assert_eq!(y.to_vec(&stream).unwrap(), [1.0; 100]);
    exec.set_kernel(kernel, &saxpy, CONFIG(), (5.0, &x, &mut z, 100)).unwrap();
    drop(y);
    assert_eq!(DeviceBuffer::<f32>::uninit(device, 100).unwrap().view().address(), address);
    exec.launch(&stream).unwrap();
    assert_eq!(z.to_vec(&stream).unwrap(), [5.0; 100]);

    let mut same_shape = Graph::new(device).unwrap();
    same_shape.kernel(&saxpy, CONFIG(), (7.0, &x, &mut z, 100), &[]).unwrap();
    exec.update(&same_shape).unwrap();
    drop(same_shape);
    exec.launch(&stream).unwrap();
    assert_eq!(z.to_vec(&stream).unwrap(), [12.0; 100]);
    let error = exec.update(&Graph::new(device).unwrap()).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::GraphChanged);
    // HIP says that it has updated a child where it has not.
    let mut inner = Graph::new(device).unwrap();
    let first = inner.fill(&mut z, 1.0, &[]).unwrap();
    let mut child = Graph::new(device).unwrap();
    child.child(&inner, &[]).unwrap();
    let mut of_child = child.instantiate().unwrap();
    inner.copy(&x, &mut z, &[first]).unwrap();
    let mut larger = Graph::new(device).unwrap();
    larger.child(&inner, &[]).unwrap();
    let calls = fake.count("hipGraphExecUpdate");
    for (exec, graph) in [(&mut of_child, &larger), (&mut larger.instantiate().unwrap(), &child)] {
        assert!(matches!(exec.update(graph).unwrap_err().kind(), ErrorKind::Refused { .. }));
    }
    assert!(matches!(of_child.update(&child).unwrap_err().kind(), ErrorKind::Refused { .. }));
    assert_eq!(fake.count("hipGraphExecUpdate"), calls);
    drop((of_child, larger, child, inner));
    exec.launch(&stream).unwrap();
    assert_eq!(z.to_vec(&stream).unwrap(), [19.0; 100]);
    fake.assert_clean();
}

#[test]
fn fills_and_copies_are_replaced() {
    let Setup { fake, stream, .. } = setup();
    let [mut a, mut b] = [(); 2].map(|()| DeviceBuffer::<u16>::zeroed(&stream, 10).unwrap());
    let mut graph = Graph::new(stream.device()).unwrap();
    let fill = graph.fill(&mut a, 0x0102, &[]).unwrap();
    let copy = graph.copy(&a, &mut b, &[fill]).unwrap();
    let mut exec = graph.instantiate().unwrap();
    exec.launch(&stream).unwrap();
    assert_eq!(b.to_vec(&stream).unwrap(), [0x0102; 10]);
    exec.set_fill(fill, &mut a, 3).unwrap();
    let (_, back) = b.view_mut().split_at(5).unwrap();
    exec.set_copy(copy, a.slice(..5).unwrap(), back).unwrap();
    exec.launch(&stream).unwrap();
    assert_eq!(b.to_vec(&stream).unwrap(), [[0x0102; 5], [3; 5]].concat());
    let error =
        graph.fill(&mut DeviceBuffer::<f64>::uninit(stream.device(), 4).unwrap(), 0.1, &[]).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Refused { .. }));
    fake.assert_clean();
}

#[test]
fn a_node_takes_parameters_of_its_own_kind_only() {
    let Setup { fake, stream, saxpy } = setup();
    let device = stream.device();
    let [mut x, mut y] = [(); 2].map(|()| DeviceBuffer::<f32>::zeroed(&stream, 100).unwrap());
    let mut nothing = DeviceBuffer::<f32>::uninit(device, 0).unwrap();
    let mut graph = Graph::new(device).unwrap();
    let mut child = Graph::new(device).unwrap();
    child.fill(&mut y, 1.0, &[]).unwrap();
    let kernel = graph.kernel(&saxpy, CONFIG(), (1.0, &x, &mut y, 100), &[]).unwrap();
    let copy = graph.copy(&x, &mut y, &[]).unwrap();
    let (_, upload) = graph.upload(vec![0.0f32; 100], &mut y, &[]).unwrap();
    let fill = graph.fill(&mut y, 1.0, &[]).unwrap();
    let others = [
        graph.empty(&[]).unwrap(),
        graph.host(|| (), &[]).unwrap(),
        graph.child(&child, &[]).unwrap(),
        // Nodes that do nothing are empty ones, whatever they were to do.
        graph.copy(&nothing, &mut DeviceBuffer::uninit(device, 0).unwrap(), &[]).unwrap(),
        graph.fill(&mut nothing, 1.0, &[]).unwrap(),
        graph.kernel(&saxpy, hip::LaunchConfig::for_len(0), (1.0, &x, &mut y, 0), &[]).unwrap(),
    ];
    let mut exec = graph.instantiate().unwrap();
    for node in graph.nodes() {
        let outcomes = [
            exec.set_kernel(node, &saxpy, CONFIG(), (2.0, &x, &mut y, 100)),
            exec.set_copy(node, &y, &mut x),
            exec.set_fill(node, &mut y, 2.0),
        ];
        let kinds = [node == kernel, node == copy || node == upload, node == fill];
        for (outcome, of_kind) in outcomes.into_iter().zip(kinds) {
            let kind = outcome.map_err(|error| error.kind().clone());
            assert_eq!(kind, if of_kind { Ok(()) } else { Err(ErrorKind::WrongNode) }, "{node:?}");
        }
        assert!(kinds.contains(&true) || others.contains(&node));
    }
    fake.assert_clean();
}

#[test]
fn no_node_comes_after_itself() {
    let Setup { fake, stream, .. } = setup();
    let mut graph = Graph::new(stream.device()).unwrap();
    let first = graph.empty(&[]).unwrap();
    let second = graph.empty(&[first, first]).unwrap();
    let apart = graph.empty(&[]).unwrap();
    graph.depend(second, apart).unwrap();
    let mut copy = graph.try_clone().unwrap();
    for graph in [&mut graph, &mut copy] {
        for (before, after) in [(first, first), (second, first), (apart, first), (apart, second)] {
            assert_eq!(graph.depend(before, after).unwrap_err().kind(), &ErrorKind::Cycle);
        }
        graph.depend(first, apart).unwrap();
        graph.instantiate().unwrap();
    }
    fake.assert_clean();
}

#[test]
fn a_child_without_nodes_is_an_empty_node() {
    let Setup { fake, stream, .. } = setup();
    let (mut graph, nothing) = (Graph::new(stream.device()).unwrap(), Graph::new(stream.device()).unwrap());
    let node = graph.child(&nothing, &[]).unwrap();
    graph.empty(&[node]).unwrap();
    assert_eq!(fake.count("hipGraphAddChildGraphNode"), 0);
    // What the runtime captured counts as well.
    let captured = Graph::capture(stream.device(), |capture| {
        // SAFETY: nothing is used.
        unsafe { capture.raw_calls(|_| Ok(())) }
    });
    graph.child(&captured.unwrap(), &[]).unwrap();
    assert_eq!(fake.count("hipGraphAddChildGraphNode"), 1);
    graph.instantiate().unwrap().launch(&stream).unwrap();
    fake.assert_clean();
}

#[test]
fn a_node_that_a_copy_got_later_is_not_the_originals() {
    let Setup { fake, stream, saxpy } = setup();
    let device = stream.device();
    let [x, mut y] = [(); 2].map(|()| DeviceBuffer::<f32>::zeroed(&stream, 100).unwrap());
    let mut graph = Graph::new(device).unwrap();
    let common = graph.fill(&mut y, 1.0, &[]).unwrap();
    let mut copy = graph.try_clone().unwrap();
    let own = graph.kernel(&saxpy, CONFIG(), (1.0, &x, &mut y, 100), &[common]).unwrap();
    let others = copy.fill(&mut y, 2.0, &[common]).unwrap();
    assert_ne!(own, others);
    assert_eq!(graph.empty(&[others]).unwrap_err().kind(), &ErrorKind::ForeignNode);
    assert_eq!(copy.depend(common, own).unwrap_err().kind(), &ErrorKind::ForeignNode);
    let mut exec = graph.instantiate().unwrap();
    assert_eq!(exec.set_fill(others, &mut y, 3.0).unwrap_err().kind(), &ErrorKind::ForeignNode);
    exec.set_fill(common, &mut y, 3.0).unwrap();
    let mut exec = copy.instantiate().unwrap();
    exec.set_fill(common, &mut y, 4.0).unwrap();
    exec.set_fill(others, &mut y, 5.0).unwrap();
    fake.assert_clean();
}
