//! A timeline: what the host asked for, and when the device did it, in a file that <https://ui.perfetto.dev> opens.
//!
//! `cargo run --example 12_timeline` writes `timeline.json` into the folder for temporary files; `HIP_TIMELINE=FILE` names
//! another.

mod support;

use hip::{Device, DeviceBuffer, LaunchConfig, Timeline};
use hip_vega::{saxpy, vector};
use support::Failure;

fn main() -> Result<(), Failure> {
    let device = Device::first()?;
    support::announce(device)?;
    let (saxpy, vector) = (saxpy::Kernels::load(device)?, vector::Kernels::load(device)?);
    let (one, other) = (device.stream()?, device.stream()?);
    let len = support::option("elements", 100_000)?;
    let (config, count) = (LaunchConfig::for_len(len), i32::try_from(len)?);

    let timeline = Timeline::start(device.runtime())?;
    let (x, mut y) = {
        let _span = timeline.span("set-up");
        (DeviceBuffer::from_slice(&one, &support::numbers(1, len))?, DeviceBuffer::<f32>::zeroed(&one, len)?)
    };
    let mut z = DeviceBuffer::<f32>::uninit(device, len)?;
    for round in 0..3 {
        let _span = timeline.span(format!("round {round}"));
        saxpy.saxpy(&one, config, 1.0, &x, &mut y, count)?;
        // On another stream: it waits for y by itself.
        vector.vector_add(&other, config, &x, &y, &mut z, count)?;
    }
    let result = z.to_vec(&other)?;
    let trace = timeline.finish()?;

    for span in trace.spans().iter().filter(|span| span.process > 0) {
        println!("{:>6} {:<12} stream {} for {:?}", span.kind, span.name, span.track, span.duration);
    }
    let path = std::env::var_os("HIP_TIMELINE")
        .map_or_else(|| std::env::temp_dir().join("timeline.json"), Into::into);
    trace.save(&path)?;
    println!("{} spans in {}: open it in https://ui.perfetto.dev", trace.spans().len(), path.display());
    if device.name()?.ends_with("(virtual)") {
        println!("its times are the virtual card's, not a card's");
    }
    let x = support::numbers(1, len);
    if result.iter().zip(&x).any(|(z, x)| *z != 4.0 * x) {
        return Err("the device's result differs from the host's".into());
    }
    Ok(())
}
