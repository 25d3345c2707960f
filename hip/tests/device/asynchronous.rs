//! Futures, driven by an executor of five lines: the runtime's threads wake the tasks.

use crate::setup;
use hip::{DeviceBuffer, ErrorKind, LaunchConfig, PinnedBuffer};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::Thread;
use std::time::Duration;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        // Nobody but the waker ends this: a wake-up call that is lost fails the test.
        let start = std::time::Instant::now();
        std::thread::park_timeout(Duration::from_secs(60));
        assert!(start.elapsed() < Duration::from_secs(60), "nobody woke the task");
    }
}

#[test]
fn copies_and_kernels_are_awaited() {
    let Some((stream, saxpy)) = setup() else { return };
    let device = stream.device();
    let result = block_on(async {
        let x = stream.upload_async(vec![1.0f32; 1000], &mut DeviceBuffer::uninit(device, 1000)?)?.await?;
        let x = DeviceBuffer::from_slice(&stream, &x)?;
        let mut y = DeviceBuffer::<f32>::zeroed(&stream, 1000)?;
        for _ in 0..10 {
            saxpy.launch(&stream, LaunchConfig::for_len(1000), (0.5, &x, &mut y, 1000))?;
        }
        stream.finished()?.await?;
        stream.download_async(&y, PinnedBuffer::zeroed(device, 1000)?)?.await
    });
    assert_eq!(*result.unwrap(), [5.0; 1000]);
}

#[test]
fn a_cancelled_copy_does_no_harm() {
    let Some((stream, saxpy)) = setup() else { return };
    let device = stream.device();
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 100_000]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&stream, 100_000).unwrap();
    for round in 1..=20 {
        saxpy.launch(&stream, LaunchConfig::for_len(100_000), (1.0, &x, &mut y, 100_000)).unwrap();
        let host = PinnedBuffer::zeroed(device, 100_000).unwrap();
        let mut pending = Some(stream.download_async(&y, host).unwrap());
        block_on(std::future::poll_fn(|context| {
            // Polled once, then dropped.
            let mut pending = pending.take().unwrap();
            drop(std::pin::Pin::new(&mut pending).poll(context));
            Poll::Ready(())
        }));
        if round % 10 == 0 {
            assert_eq!(y.slice(..3).unwrap().to_vec(&stream).unwrap(), [round as f32; 3]);
        }
    }
}

#[test]
fn the_result_of_a_host_function_is_awaited() {
    let Some((stream, saxpy)) = setup() else { return };
    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 1000]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&stream, 1000).unwrap();
    saxpy.launch(&stream, LaunchConfig::for_len(1000), (2.0, &x, &mut y, 1000)).unwrap();
    let call = stream.call(|| std::thread::current().id()).unwrap();
    assert_ne!(block_on(call).unwrap(), std::thread::current().id());
    assert_eq!(y.to_vec(&stream).unwrap(), [2.0; 1000]);
}

#[test]
fn what_goes_inside_a_function_of_the_host_is_given_back_later() {
    let Some((stream, saxpy)) = setup() else { return };
    let device = stream.device();
    let own = Arc::new(device.stream().unwrap());
    let x = DeviceBuffer::from_slice(&own, &[2.0f32; 1000]).unwrap();
    let mut y = DeviceBuffer::<f32>::zeroed(&own, 1000).unwrap();
    saxpy.launch(&own, LaunchConfig::for_len(1000), (3.0, &x, &mut y, 1000)).unwrap();
    let inner = own.clone();
    let call = own
        .call(move || {
            let refused = [inner.synchronize().unwrap_err(), x.to_vec(&inner).unwrap_err()];
            // The last owners of the stream and of the module may be here.
            drop((inner, saxpy, x));
            refused.map(|error| error.kind().clone())
        })
        .unwrap();
    // Whoever goes last, this thread waits for the function or leaves the stream to it.
    drop(own);
    assert_eq!(call.wait().unwrap(), [const { ErrorKind::InCallback }; 2]);
    device.synchronize().unwrap();
    assert_eq!(y.to_vec(&stream).unwrap(), [6.0; 1000]);
}
