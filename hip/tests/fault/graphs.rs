//! Graphs over a runtime that runs nothing before it must.

use crate::fake::{Config, Fake, ILLEGAL_ADDRESS, INVALID_VALUE};
use crate::{SAXPY, Saxpy};
use hip::fault::GRAPH_NAMES;
use hip::{
    Capture, DeviceBuffer, ErrorCode, ErrorKind, Event, Graph, Kernel, LaunchConfig, Module, PinnedBuffer,
    Runtime, Stream,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Barrier, LazyLock};

struct Setup {
    fake: Fake,
    stream: Stream,
    saxpy: Kernel<Saxpy>,
}

fn setup() -> Setup {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    let saxpy = Module::from_static(device, SAXPY).unwrap().kernel().unwrap();
    Setup { fake, stream: device.stream().unwrap(), saxpy }
}

const CONFIG: fn() -> LaunchConfig = || LaunchConfig::for_len(100);

#[test]
fn nodes_run_in_their_order_at_each_launch() {
    let Setup { fake, stream, saxpy } = setup();
    let device = stream.device();
    let mut x = DeviceBuffer::<f32>::uninit(device, 100).unwrap();
    let mut y = DeviceBuffer::<f32>::uninit(device, 100).unwrap();
    let calls = Arc::new(AtomicU32::new(0));
    let counter = calls.clone();
    let mut graph = Graph::new(device).unwrap();
    let (input, upload) = graph.upload(vec![1.0f32; 100], &mut x, &[]).unwrap();
    let fill = graph.fill(&mut y, 0.5, &[]).unwrap();
    let kernel = graph.kernel(&saxpy, CONFIG(), (2.0, &x, &mut y, 100), &[upload, fill]).unwrap();
    let host = graph
        .host(
            move || {
                counter.fetch_add(1, Ordering::Relaxed);
            },
            &[kernel],
        )
        .unwrap();
    let host_memory = PinnedBuffer::zeroed(device, 100).unwrap();
    let (output, _) = graph.download(&y, host_memory, &[host]).unwrap();
    let exec = graph.instantiate().unwrap();
    // The graph alone keeps its memory and its kernel.
    drop((x, y, saxpy, graph));
    for round in 0..3 {
        input.lock().unwrap().fill(round as f32);
        exec.launch(&stream).unwrap();
        assert_eq!(*output.lock().unwrap(), [2.0 * round as f32 + 0.5; 100]);
        assert_eq!(calls.load(Ordering::Relaxed), round + 1);
    }
    drop((exec, input, output));
    fake.assert_clean();
    assert_eq!(fake.state().live(true), 0, "the host memory is freed with the last owner");
}

#[test]
fn a_graph_that_is_launched_after_its_buffers_are_dropped_touches_nobody_elses() {
    let Setup { fake, stream, .. } = setup();
    let device = stream.device();
    let mut buffer = DeviceBuffer::<u32>::uninit(device, 100).unwrap();
    let address = buffer.view().address();
    let mut graph = Graph::new(device).unwrap();
    graph.fill(&mut buffer, 7, &[]).unwrap();
    let exec = graph.instantiate().unwrap();
    drop((buffer, graph));
    let other = DeviceBuffer::<u32>::zeroed(&stream, 100).unwrap();
    assert_ne!(other.view().address(), address, "the block is the graph's");
    exec.launch(&stream).unwrap();
    assert_eq!(other.to_vec(&stream).unwrap(), [0; 100]);
    drop(exec);
    let again = DeviceBuffer::<u32>::uninit(device, 100).unwrap();
    assert_eq!(again.view().address(), address, "the block came back with the last owner");
    device.trim(0).unwrap();
    fake.assert_clean();
}

#[test]
fn launches_are_ordered_with_other_work_on_their_memory() {
    let Setup { fake, stream, saxpy } = setup();
    let other = stream.device().stream().unwrap();
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 100]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&other, 100).unwrap();
    let mut graph = Graph::new(stream.device()).unwrap();
    graph.kernel(&saxpy, CONFIG(), (1.0, &x, &mut y, 100), &[]).unwrap();
    let exec = graph.instantiate().unwrap();
    // Alternately on two streams: each launch waits for the one before, and the reader for both.
    for _ in 0..5 {
        exec.launch(&stream).unwrap();
        exec.launch(&other).unwrap();
    }
    let third = stream.device().stream().unwrap();
    assert_eq!(y.to_vec(&third).unwrap(), [10.0; 100]);
    fake.assert_clean();
}

#[test]
fn what_is_captured_is_launched_and_owned() {
    let Setup { fake, stream, saxpy } = setup();
    let device = stream.device();
    let mut x = DeviceBuffer::<f32>::uninit(device, 100).unwrap();
    let mut y = DeviceBuffer::<f32>::from_slice(&stream, &[1.0; 100]).unwrap();
    let graph = Graph::capture(device, |capture| {
        capture.fill(&mut x, 2.0)?;
        saxpy.launch(capture, CONFIG(), (3.0, &x, &mut y, 100))?;
        let mut scratch = DeviceBuffer::uninit(device, 100)?;
        capture.copy(&y, &mut scratch)?;
        capture.copy(&scratch, &mut x)
    })
    .unwrap();
    assert_eq!(graph.nodes().len(), 4);
    assert_eq!(graph.edges().unwrap().len(), 3);
    let exec = graph.instantiate().unwrap();
    assert_eq!(y.to_vec(&stream).unwrap(), [1.0; 100], "nothing ran yet");
    drop((graph, saxpy));
    exec.launch(&stream).unwrap();
    assert_eq!(y.to_vec(&stream).unwrap(), [7.0; 100]);
    drop((x, y));
    exec.launch(&stream).unwrap();
    exec.wait().unwrap();
    drop(exec);
    fake.run_all();
    fake.assert_clean();
}

#[test]
fn branches_of_a_capture_are_joined() {
    let Setup { fake, stream, saxpy } = setup();
    let device = stream.device();
    let [mut x, mut y] = [(); 2].map(|()| DeviceBuffer::<f32>::uninit(device, 100).unwrap());
    let (mut slots, mut kept) = (None, None);
    let graph = Graph::capture(device, |capture| {
        let branch = capture.fork()?;
        let input = capture.upload_slot(vec![2.0f32; 100], &mut x)?;
        branch.fill(&mut y, 1.0)?;
        capture.join(&branch)?;
        saxpy.launch(capture, CONFIG(), (3.0, &x, &mut y, 100))?;
        let output = capture.download_slot(&y, vec![0.0f32; 100])?;
        capture.host(|| ())?;
        slots = Some((input, output));
        kept = Some(branch.fork()?);
        Ok(())
    })
    .unwrap();
    assert_eq!(kept.unwrap().host(|| ()).unwrap_err().kind(), &ErrorKind::Capturing);
    let nodes: Vec<_> = graph.nodes().collect();
    let edges = [(0, 2), (1, 2), (2, 3), (3, 4)].map(|(from, to): (usize, usize)| (nodes[from], nodes[to]));
    assert_eq!(graph.edges().unwrap(), edges);
    let exec = graph.instantiate().unwrap();
    exec.launch(&stream).unwrap();
    let (input, output) = slots.unwrap();
    assert_eq!(*output.lock().unwrap(), [7.0; 100]);
    input.lock().unwrap().fill(0.0);
    exec.launch(&stream).unwrap();
    assert_eq!(*output.lock().unwrap(), [1.0; 100]);
    fake.assert_clean();
}

#[test]
fn what_cannot_be_captured_is_refused() {
    let Setup { fake, stream, .. } = setup();
    let device = stream.device();
    let mut buffer = DeviceBuffer::<u32>::zeroed(&stream, 4).unwrap();
    let event = Event::new(device).unwrap();
    let capturing = |error: hip::Error| assert_eq!(error.kind(), &ErrorKind::Capturing, "{error}");
    Graph::capture(device, |capture| {
        capturing(buffer.to_vec(capture).unwrap_err());
        capturing(capture.upload(&[0; 4], &mut buffer).unwrap_err());
        capturing(capture.synchronize().unwrap_err());
        capturing(capture.is_idle().map(drop).unwrap_err());
        capturing(capture.wait(&event).unwrap_err());
        capturing(event.record(capture).unwrap_err());
        capturing(capture.call(|| ()).map(drop).unwrap_err());
        capturing(capture.upload_async(vec![0u32; 4], &mut buffer).map(drop).unwrap_err());
        let inner = Graph::new(device)?.instantiate()?;
        capturing(inner.launch(capture).unwrap_err());
        Ok(())
    })
    .unwrap();
    fake.run_all();
    assert_eq!(buffer.to_vec(&stream).unwrap(), [0; 4]);
    fake.assert_clean();
}

#[test]
fn a_capture_that_fails_or_panics_leaves_nothing() {
    let Setup { fake, stream, .. } = setup();
    let device = stream.device();
    let mut buffer = DeviceBuffer::<u32>::zeroed(&stream, 4).unwrap();
    let mut work = |capture: &Capture| {
        capture.fill(&mut buffer, 1)?;
        device.runtime().device(9).map(drop)
    };
    let error = Graph::capture(device, &mut work).unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::InvalidDevice { ordinal: 9, count: 1 });
    let panicked =
        catch_unwind(AssertUnwindSafe(|| Graph::capture(device, |_| std::panic::resume_unwind(Box::new(7)))));
    assert!(panicked.is_err_and(|panic| panic.downcast_ref() == Some(&7)));
    assert_eq!(fake.count("hipStreamBeginCapture"), 0);
    assert_eq!(fake.count("hipGraphDestroy"), 2);
    assert_eq!(buffer.to_vec(&stream).unwrap(), [0; 4]);
    fake.assert_clean();
}

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
fn children_clones_and_dot() {
    let Setup { fake, stream, saxpy } = setup();
    let device = stream.device();
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 100]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&stream, 100).unwrap();
    let mut child = Graph::new(device).unwrap();
    child.kernel(&saxpy, CONFIG(), (1.0, &x, &mut y, 100), &[]).unwrap();
    let mut graph = Graph::new(device).unwrap();
    let first = graph.child(&child, &[]).unwrap();
    let second = graph.child(&child, &[first]).unwrap();
    let event = Arc::new(Event::new(device).unwrap());
    graph.record(&event, &[second]).unwrap();
    let end = graph.empty(&[]).unwrap();
    graph.depend(second, end).unwrap();
    drop((child, saxpy, x));
    let exec = graph.try_clone().unwrap().instantiate().unwrap();
    exec.launch(&stream).unwrap();
    assert_eq!(y.to_vec(&stream).unwrap(), [2.0; 100]);
    let dot = graph.to_dot().unwrap();
    for line in
        ["n0 [label=\"graph of 1 nodes\"]", "n2 [label=\"record event\"]", "n0 -> n1", "n1 -> n2", "n1 -> n3"]
    {
        assert!(dot.contains(line), "{line} is not in\n{dot}");
    }
    let mut other = Graph::new(device).unwrap();
    assert_eq!(other.empty(&[end]).unwrap_err().kind(), &ErrorKind::ForeignNode);
    graph.depend(end, first).unwrap();
    assert!(graph.instantiate().is_err(), "a cycle");
    fake.assert_clean();
}

#[test]
fn host_memory_belongs_to_the_host_or_to_launches() {
    let Setup { fake, stream, .. } = setup();
    let mut buffer = DeviceBuffer::<u8>::zeroed(&stream, 4).unwrap();
    let mut graph = Graph::new(stream.device()).unwrap();
    let (input, _) = graph.upload(vec![1u8; 4], &mut buffer, &[]).unwrap();
    let exec = graph.instantiate().unwrap();
    let guard = input.lock().unwrap();
    assert_eq!(exec.launch(&stream).unwrap_err().kind(), &ErrorKind::Busy);
    assert_eq!(input.lock().unwrap_err().kind(), &ErrorKind::Busy);
    drop(guard);
    exec.launch(&stream).unwrap();
    // Waits for the launch, which reads the ones.
    input.lock().unwrap().fill(2);
    assert_eq!(buffer.to_vec(&stream).unwrap(), [1; 4]);
    exec.launch(&stream).unwrap();
    assert_eq!(buffer.to_vec(&stream).unwrap(), [2; 4]);
    // A wait that fails gives the memory to nobody, and the next one may succeed.
    exec.launch(&stream).unwrap();
    fake.fail("hipStreamSynchronize", 0, ILLEGAL_ADDRESS);
    assert_eq!(input.lock().unwrap_err().kind(), &ErrorKind::DeviceFailure);
    fake.heal("hipStreamSynchronize");
    assert_eq!(*input.lock().unwrap(), [2; 4]);
    fake.assert_clean();
}

#[test]
fn memory_that_the_host_may_touch_is_refused() {
    let Setup { fake, stream, .. } = setup();
    let mut graph = Graph::new(stream.device()).unwrap();
    let mut host = vec![0u8; 4096];
    hip::scope(|scope| {
        let mut registered = scope.register(stream.device(), &mut host)?;
        let error = graph.fill(&mut registered, 1, &[]).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::NotOwnable);
        let error = Graph::capture(stream.device(), |capture| capture.fill(&mut registered, 1)).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::NotOwnable);
        Ok(())
    })
    .unwrap();
    fake.run_all();
    assert!(host.iter().all(|&byte| byte == 0));
    fake.assert_clean();
}

#[test]
fn hip_is_refused_inside_a_function_of_the_graph_and_panics_go_on_outside() {
    let Setup { fake, stream, .. } = setup();
    let device = stream.device();
    let mut graph = Graph::new(device).unwrap();
    let refused = Arc::new(AtomicU32::new(0));
    let counter = refused.clone();
    graph
        .host(
            move || {
                let error = Event::new(device).unwrap_err();
                assert_eq!(error.kind(), &ErrorKind::InCallback);
                counter.fetch_add(1, Ordering::Relaxed);
                std::panic::resume_unwind(Box::new("from the host"));
            },
            &[],
        )
        .unwrap();
    let exec = graph.instantiate().unwrap();
    exec.launch(&stream).unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| exec.wait())).unwrap_err();
    assert_eq!(panic.downcast_ref(), Some(&"from the host"));
    exec.wait().unwrap();
    assert_eq!(refused.load(Ordering::Relaxed), 1);
    fake.assert_clean();
}

/// Stops at the end of each operation, which has its node then, until the capture is over.
struct Late<'a>(&'a Barrier);

impl tracing::Subscriber for Late<'static> {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &tracing::span::Id) {}

    fn exit(&self, _: &tracing::span::Id) {
        self.0.wait();
        self.0.wait();
    }
}

#[test]
fn a_branch_that_is_late_leaves_no_node_without_its_memory() {
    static TURN: LazyLock<Barrier> = LazyLock::new(|| Barrier::new(2));
    let Setup { fake, stream, .. } = setup();
    let device = stream.device();
    let graph = std::thread::scope(|threads| {
        let fake = &fake;
        let graph = Graph::capture(device, |capture| {
            let branch = capture.fork()?;
            threads.spawn(move || {
                fake.attach();
                let mut buffer = DeviceBuffer::<u32>::uninit(device, 100).unwrap();
                tracing::subscriber::with_default(Late(&TURN), || branch.fill(&mut buffer, 7)).unwrap();
            });
            TURN.wait();
            Ok(())
        });
        TURN.wait();
        graph.unwrap()
    });
    assert_eq!(graph.nodes().len(), 1);
    let other = DeviceBuffer::<u32>::zeroed(&stream, 100).unwrap();
    graph.instantiate().unwrap().launch(&stream).unwrap();
    assert_eq!(other.to_vec(&stream).unwrap(), [0; 100], "the buffer is gone, its block is the graph's");
    fake.assert_clean();
}

#[test]
fn an_event_of_another_runtime_is_no_event_of_a_graph() {
    let Setup { fake, stream, .. } = setup();
    let event = Arc::new(Event::new(fake.runtime().device(0).unwrap()).unwrap());
    let mut graph = Graph::new(stream.device()).unwrap();
    assert!(matches!(graph.wait(&event, &[]).unwrap_err().kind(), ErrorKind::WrongDevice { .. }));
    assert!(matches!(graph.record(&event, &[]).unwrap_err().kind(), ErrorKind::WrongDevice { .. }));
}

/// Calls every function of graphs, in order, stopping at the first error.
fn everything(runtime: Runtime) -> hip::Result<()> {
    let device = runtime.device(0)?;
    let stream = device.stream()?;
    let saxpy = Module::from_static(device, SAXPY)?.kernel::<Saxpy>()?;
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 100])?;
    let mut y = DeviceBuffer::<f32>::zeroed(&stream, 100)?;
    let mut graph = Graph::new(device)?;
    let fill = graph.fill(&mut y, 0.5, &[])?;
    let kernel = graph.kernel(&saxpy, CONFIG(), (1.0, &x, &mut y, 100), &[fill])?;
    let copy = graph.copy(&x, &mut DeviceBuffer::uninit(device, 100)?, &[])?;
    graph.host(|| (), &[copy])?;
    let event = Arc::new(Event::new(device)?);
    graph.record(&event, &[])?;
    graph.wait(&event, &[])?;
    let end = graph.empty(&[kernel])?;
    graph.depend(copy, end)?;
    let captured = Graph::capture(device, |capture| {
        capture.fill(&mut y, 0.5)?;
        // SAFETY: nothing is used.
        unsafe { capture.raw_calls(|_| Ok(())) }
    })?;
    graph.child(&captured, &[])?;
    graph.edges()?;
    graph.kind(fill)?;
    let mut exec = graph.try_clone()?.instantiate()?;
    exec.upload(&stream)?;
    exec.set_kernel(kernel, &saxpy, CONFIG(), (2.0, &x, &mut y, 100))?;
    exec.set_fill(fill, &mut y, 0.25)?;
    exec.set_copy(copy, &x, &mut DeviceBuffer::uninit(device, 100)?)?;
    exec.update(&graph)?;
    exec.launch(&stream)?;
    exec.wait()
}

/// Functions that run in drop.
const QUIET: [&str; 2] = ["hipGraphDestroy", "hipGraphExecDestroy"];

#[test]
fn every_failing_call_is_named_and_nothing_is_lost() {
    for &name in GRAPH_NAMES {
        for late in [false, true] {
            let fake = Fake::new(Config::default());
            let runtime = fake.runtime();
            runtime.on_drop_error(|_| ());
            if late {
                fake.fail_late(name, INVALID_VALUE)
            } else {
                fake.fail(name, 0, INVALID_VALUE)
            }
            match everything(runtime) {
                Ok(()) => assert!(QUIET.contains(&name), "{name} failed, and nobody noticed"),
                Err(error) => {
                    assert_eq!((error.call(), error.code()), (Some(name), Some(ErrorCode::INVALID_VALUE)))
                }
            }
            fake.heal(name);
            everything(runtime).unwrap_or_else(|error| panic!("after {name} failed: {error}"));
            fake.run_all();
            fake.assert_clean();
        }
        let missing = vec![name, "hipGetDevicePropertiesR0600"];
        let fake = Fake::new(Config { missing, ..Config::default() });
        let runtime = fake.runtime();
        runtime.on_drop_error(|_| ());
        match everything(runtime) {
            Ok(()) => assert!(QUIET.contains(&name), "{name}"),
            Err(error) => {
                assert!(
                    matches!(error.kind(), ErrorKind::Unsupported { symbol, .. } if *symbol == name),
                    "{error}"
                );
            }
        }
        fake.run_all();
        fake.assert_clean();
    }
}
