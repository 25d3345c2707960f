//! Graphs: work that is described once and launched many times, built node by node and captured.
//!
//! `--elements N` and `--rounds R` change the size and how often the graph is launched.

mod support;

use hip::{Device, DeviceBuffer, Graph, LaunchConfig, PinnedBuffer};
use hip_vega::saxpy;
use support::Failure;

fn main() -> Result<(), Failure> {
    let (elements, rounds) = (support::option("elements", 10_000)?, support::option("rounds", 5)?);
    let device = Device::first()?;
    support::announce(device)?;
    let stream = device.stream()?;
    let kernels = saxpy::Kernels::load(device)?;
    let (config, count) = (LaunchConfig::for_len(elements), i32::try_from(elements)?);
    let mut x = DeviceBuffer::<f32>::uninit(device, elements)?;
    let mut y = DeviceBuffer::<f32>::uninit(device, elements)?;

    // y = 2 x + 0.5, with x from the host and y back to it. Two branches meet at the kernel.
    let mut graph = Graph::new(device)?;
    let (input, upload) = graph.upload(PinnedBuffer::zeroed(device, elements)?, &mut x, &[])?;
    let fill = graph.fill(&mut y, 0.5, &[])?;
    let kernel = graph.kernel(&kernels.saxpy, config, (2.0, &x, &mut y, count), &[upload, fill])?;
    let (output, _) = graph.download(&y, PinnedBuffer::zeroed(device, elements)?, &[kernel])?;
    println!("{}", graph.to_dot()?);

    let mut exec = graph.instantiate()?;
    // The graph owns what it uses: the buffers may go.
    drop((x, y, graph));
    for round in 0..rounds {
        // Waits for the launch before, which reads it.
        input.lock()?.fill(round as f32);
        exec.launch(&stream)?;
        let expected = 2.0 * round as f32 + 0.5;
        if output.lock()?.iter().any(|y| *y != expected) {
            return Err(format!("round {round}: not everything is {expected}").into());
        }
    }
    println!("{rounds} launches of a graph that was built: correct");

    // The same kernel with other memory and another factor, without building anything again.
    let a = DeviceBuffer::from_slice(&stream, &support::numbers(1, elements))?;
    let mut b = DeviceBuffer::<f32>::zeroed(&stream, elements)?;
    exec.set_kernel(kernel, &kernels.saxpy, config, (4.0, &a, &mut b, count))?;
    exec.launch(&stream)?;
    let quadrupled = |b: &[f32]| support::numbers(1, elements).iter().zip(b).all(|(a, b)| *b == 4.0 * a);
    if !quadrupled(&b.to_vec(&stream)?) {
        return Err("the kernel's new parameters were not used".into());
    }

    // Whatever is given to a stream can be captured instead.
    let captured = Graph::capture(device, |capture| {
        capture.fill(&mut b, 0.0)?;
        for _ in 0..4 {
            kernels.saxpy(capture, config, 1.0, &a, &mut b, count)?;
        }
        Ok(())
    })?;
    let exec = captured.instantiate()?;
    exec.launch(&stream)?;
    if !quadrupled(&b.to_vec(&stream)?) {
        return Err("the captured graph computes something else".into());
    }
    println!("a captured graph of {} nodes: correct", captured.nodes().len());
    Ok(())
}
