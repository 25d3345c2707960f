//! SAXPY: memory on the device, copies, a kernel launch, and the time it took.
//!
//! `kernels/saxpy.hip` was compiled by the build script, which also wrote the module `saxpy` with a typed launch function.
//! The launch is safe, because the crate vouches for the kernel in Rust source.
//!
//! `--elements N` and `--repeat R` change the size and how often the kernel runs.

mod support;

use hip::{Device, DeviceBuffer, Event, LaunchConfig};
use hip_vega::saxpy;
use support::Failure;

fn main() -> Result<(), Failure> {
    let (elements, repeat) = (support::option("elements", 1 << 20)?, support::option("repeat", 10)?);
    let device = Device::first()?;
    support::announce(device)?;
    let stream = device.stream()?;
    let kernels = saxpy::Kernels::load(device)?;

    let a = 2.0;
    let (x, mut y) = (support::numbers(1, elements), support::numbers(2, elements));
    let device_x = DeviceBuffer::from_slice(&stream, &x)?;
    let mut device_y = DeviceBuffer::from_slice(&stream, &y)?;

    let (start, stop) = (Event::new(device)?, Event::new(device)?);
    let config = LaunchConfig::for_len(elements);
    let count = i32::try_from(elements)?;
    start.record(&stream)?;
    for _ in 0..repeat {
        kernels.saxpy(&stream, config, a, &device_x, &mut device_y, count)?;
    }
    stop.record(&stream)?;
    stop.synchronize()?;
    let result = device_y.to_vec(&stream)?;

    // The same on the host. The numbers are such that nothing is rounded, so the results must be equal.
    for _ in 0..repeat {
        for (y, x) in y.iter_mut().zip(&x) {
            *y += a * x;
        }
    }
    let error = result.iter().zip(&y).map(|(got, expected)| (got - expected).abs()).fold(0.0, f32::max);
    let (seconds, note) = support::seconds(device, start.elapsed_until(&stop)?, repeat)?;
    let bytes = 3 * size_of::<f32>() * elements; // reads x and y, writes y
    println!("SAXPY of {elements} elements: {:.2} GB/s{note}", bytes as f64 / seconds / 1e9);
    println!("largest error {error}");
    if error != 0.0 || result.iter().any(|value| value.is_nan()) || result.len() != y.len() {
        return Err("the device's result differs from the host's".into());
    }
    Ok(())
}
