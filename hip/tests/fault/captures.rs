//! Graphs captured from calls on a stream.

use crate::fake::reports;
use crate::graphs::{CONFIG, Setup, setup};
use hip::{Capture, DeviceBuffer, ErrorKind, Event, Graph, PinnedBuffer};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Barrier, LazyLock};

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
fn a_copy_that_cannot_be_captured_gives_its_memory_back() {
    let Setup { fake, stream, .. } = setup();
    let device = stream.device();
    let reports = reports(stream.runtime());
    let mut buffer = hip::PitchedBuffer::<u32>::zeroed(&stream, (2, 2)).unwrap();
    let error = Graph::capture(device, |capture| {
        let pinned = || PinnedBuffer::<u32>::zeroed(device, 4);
        assert!(capture.download_region_async(&buffer, pinned()?).is_err());
        capture.upload_region_async(pinned()?, &mut buffer).map(drop)
    })
    .unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Capturing);
    assert_eq!((fake.state().live(true), &*reports.lock().unwrap()), (0, &vec![]));
    fake.assert_clean();
}
