//! async/await: copies and kernels as futures, on an executor of fifteen lines or on any other.
//!
//! The runtime's own threads wake the tasks; nothing polls, and nothing has to be configured. `--elements N` changes the
//! size.

mod support;

use hip::{Device, DeviceBuffer, LaunchConfig, PinnedBuffer};
use hip_vega::saxpy;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::Thread;
use support::Failure;

/// Wakes the thread that blocks on a future.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor there is.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// y = a x + y on a stream of its own, from host memory and back to it.
async fn task(
    kernels: &saxpy::Kernels,
    device: Device,
    a: f32,
    host: PinnedBuffer<f32>,
) -> hip::Result<PinnedBuffer<f32>> {
    let stream = device.stream()?;
    let len = host.len();
    let mut x = DeviceBuffer::uninit(device, len)?;
    // The host memory is lent to the copy, and comes back.
    let host = stream.upload_async(host, &mut x)?.await?;
    let mut y = DeviceBuffer::zeroed(&stream, len)?;
    kernels.saxpy(&stream, LaunchConfig::for_len(len), a, &x, &mut y, len as i32)?;
    stream.finished()?.await?;
    stream.download_async(&y, host)?.await
}

/// Polls both until both are done.
async fn both<A: Future, B: Future>(a: A, b: B) -> (A::Output, B::Output) {
    let (mut a, mut b) = (pin!(a), pin!(b));
    let (mut first, mut second) = (None, None);
    std::future::poll_fn(move |context| {
        for_ready(&mut first, a.as_mut(), context);
        for_ready(&mut second, b.as_mut(), context);
        match (first.take(), second.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            unfinished => {
                (first, second) = unfinished;
                Poll::Pending
            }
        }
    })
    .await
}

fn for_ready<F: Future>(
    output: &mut Option<F::Output>,
    future: std::pin::Pin<&mut F>,
    context: &mut Context<'_>,
) {
    if output.is_none()
        && let Poll::Ready(value) = future.poll(context)
    {
        *output = Some(value);
    }
}

fn main() -> Result<(), Failure> {
    let elements = support::option("elements", 100_000)?;
    let device = Device::first()?;
    support::announce(device)?;
    let kernels = saxpy::Kernels::load(device)?;
    let x = support::numbers(1, elements);
    let [one, two] = [(); 2].map(|()| PinnedBuffer::from_slice(device, &x));
    let (doubled, tripled) =
        block_on(both(task(&kernels, device, 2.0, one?), task(&kernels, device, 3.0, two?)));
    let (doubled, tripled) = (doubled?, tripled?);
    let correct = (0..elements).all(|i| doubled[i] == 2.0 * x[i] && tripled[i] == 3.0 * x[i]);
    println!(
        "two tasks on two streams, {elements} elements each: {}",
        if correct { "correct" } else { "wrong" }
    );

    // A future that is dropped half-way is harmless: the memory stays until the device is done with it.
    let stream = device.stream()?;
    let buffer = DeviceBuffer::from_slice(&stream, &x)?;
    drop(stream.download_async(&buffer, PinnedBuffer::zeroed(device, elements)?)?);
    if correct { Ok(()) } else { Err("the device's results differ from the host's".into()) }
}
