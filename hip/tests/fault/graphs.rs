//! Graphs over a runtime that runs nothing before it must.

use crate::fake::{Config, Fake, ILLEGAL_ADDRESS, INVALID_VALUE};
use crate::{SAXPY, Saxpy};
use hip::fault::GRAPH_NAMES;
use hip::{
    DeviceBuffer, ErrorCode, ErrorKind, Event, Graph, Kernel, LaunchConfig, Module, PinnedBuffer, Runtime,
    Stream,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

pub struct Setup {
    pub fake: Fake,
    pub stream: Stream,
    pub saxpy: Kernel<Saxpy>,
}

pub fn setup() -> Setup {
    let fake = Fake::new(Config::default());
    let device = fake.runtime().device(0).unwrap();
    let saxpy = Module::from_static(device, SAXPY).unwrap().kernel().unwrap();
    Setup { fake, stream: device.stream().unwrap(), saxpy }
}

pub const CONFIG: fn() -> LaunchConfig = || LaunchConfig::for_len(100);

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
    assert_eq!(graph.nodes().len(), 4);
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
    graph.edges()?;
    graph.kind(fill)?;
    let mut exec = graph.try_clone()?.instantiate()?;
    exec.upload(&stream)?;
    exec.set_kernel(kernel, &saxpy, CONFIG(), (2.0, &x, &mut y, 100))?;
    exec.set_fill(fill, &mut y, 0.25)?;
    exec.set_copy(copy, &x, &mut DeviceBuffer::uninit(device, 100)?)?;
    exec.update(&graph)?;
    exec.launch(&stream)?;
    exec.wait()?;
    graph.child(&captured, &[])?;
    let exec = graph.instantiate()?;
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
