//! Streams: copies and kernels of several pieces at a time, in whatever order the device likes.
//!
//! The input is worked on in chunks. Each chunk has a stream of its own, so one chunk is copied while another is computed.
//! The wrapper orders what depends on each other: nobody has to wait in between.
//!
//! `--elements N` and `--chunks C` change the size and how many pieces it is cut into.

mod support;

use hip::{Device, DeviceBuffer, Event, LaunchConfig, PinnedBuffer, Stream, StreamFlags};
use hip_vega::saxpy;
use std::time::Instant;
use support::Failure;

fn main() -> Result<(), Failure> {
    let (elements, chunks) = (support::option("elements", 1 << 18)?, support::option("chunks", 4)?.max(1));
    let device = Device::first()?;
    support::announce(device)?;
    let kernels = saxpy::Kernels::load(device)?;
    let length = elements.div_ceil(chunks).max(1);

    let mut input = PinnedBuffer::<f32>::zeroed(device, elements)?;
    input.copy_from_slice(&support::numbers(1, elements));
    let mut output = PinnedBuffer::<f32>::zeroed(device, elements)?;

    // Streams that do not wait for the default stream; the first is the most urgent.
    let priorities = device.stream_priorities()?;
    let stream = |index: usize| {
        let flags = StreamFlags::new().non_blocking(true);
        let priority = if index == 0 { priorities.greatest } else { priorities.least };
        Stream::with_flags(device, flags.priority(priority))
    };
    let streams = (0..chunks).map(stream).collect::<hip::Result<Vec<_>>>()?;
    let mut buffers = streams
        .iter()
        .map(|_| Ok((DeviceBuffer::uninit(device, length)?, DeviceBuffer::uninit(device, length)?)))
        .collect::<hip::Result<Vec<_>>>()?;

    let started = Instant::now();
    hip::scope(|scope| {
        let pieces = input.chunks(length).zip(output.chunks_mut(length));
        for ((from, to), (stream, (x, y))) in pieces.zip(streams.iter().zip(&mut buffers)) {
            let len = from.len();
            let count = i32::try_from(len).unwrap_or(i32::MAX);
            scope.upload(stream, from, x.slice_mut(..len)?)?;
            stream.fill(y.slice_mut(..len)?, 1.0)?;
            kernels.saxpy(stream, LaunchConfig::for_len(len), 3.0, &*x, &mut *y, count)?;
            scope.download(stream, y.slice(..len)?, to)?;
        }
        // Everything is under way; this thread is free. The scope waits at its end.
        Ok(())
    })?;
    let (seconds, note) = support::seconds(device, started.elapsed(), 1)?;
    println!("{chunks} chunks of {length} elements in {:.1} ms{note}", seconds * 1e3);

    // An event lets one stream wait for another where no memory connects them.
    if let [first, .., last] = streams.as_slice() {
        let event = Event::new(device)?;
        event.record(first)?;
        last.wait(&event)?;
        last.synchronize()?;
    }
    if output.iter().zip(input.iter()).any(|(output, input)| *output != 3.0 * input + 1.0) {
        return Err("the device's result differs from the host's".into());
    }
    println!("all {elements} elements are right");
    Ok(())
}
