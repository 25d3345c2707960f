//! Matrix products: shared memory, barriers and two-dimensional grids, in two kernels of different design.
//!
//! `--size N` changes the size of the square matrices; it is rounded up to a multiple of 64.

mod support;

use hip::{Device, DeviceBuffer, Event, LaunchConfig, Stream};
use hip_vega::gemm;
use support::Failure;

/// How far an element may be from the host's, relative to it.
const TOLERANCE: f64 = 1e-5;

fn main() -> Result<(), Failure> {
    let size = support::option("size", 256)?.max(1).next_multiple_of(64);
    let device = Device::first()?;
    support::announce(device)?;
    let stream = device.stream()?;
    let kernels = gemm::Kernels::load(device)?;

    let (a, b) = (support::numbers(1, size * size), support::numbers(2, size * size));
    let expected = product(&a, &b, size);
    let device_a = DeviceBuffer::from_slice(&stream, &a)?;
    let device_b = DeviceBuffer::from_slice(&stream, &b)?;
    let n = i32::try_from(size)?;

    let groups = u32::try_from(size)?;
    let tiles = LaunchConfig::new((groups / 16, groups / 16), (16, 16));
    check("GEMM with 16x16 tiles", &stream, &expected, |c| {
        kernels.gemm_tile16(&stream, tiles, &device_a, &device_b, c, n, n, n)
    })?;
    let blocks = LaunchConfig::new((groups / 64, groups / 64), 256);
    check("GEMM with 64x64 blocks", &stream, &expected, |c| {
        kernels.gemm_block64(&stream, blocks, &device_a, &device_b, c, n, n, n)
    })
}

/// Launches a kernel into a new matrix, times it, and compares every element with the host's.
fn check(
    name: &str,
    stream: &Stream,
    expected: &[f64],
    launch: impl Fn(&mut DeviceBuffer<f32>) -> hip::Result<()>,
) -> Result<(), Failure> {
    let device = stream.device();
    let mut c = DeviceBuffer::zeroed(stream, expected.len())?;
    let (start, stop) = (Event::new(device)?, Event::new(device)?);
    start.record(stream)?;
    launch(&mut c)?;
    stop.record(stream)?;
    stop.synchronize()?;
    let result = c.to_vec(stream)?;

    let relative = |(got, expected): (&f32, &f64)| (f64::from(*got) - expected).abs() / expected.abs();
    let error = result.iter().zip(expected).map(relative).fold(0.0, f64::max);
    let (seconds, note) = support::seconds(device, start.elapsed_until(&stop)?, 1)?;
    let size = expected.len().isqrt();
    let operations = 2.0 * (size as f64).powi(3);
    println!("{name}, {size}x{size}: {:.3} GFLOP/s{note}", operations / seconds / 1e9);
    println!("largest relative error {error:.1e}");
    if error > TOLERANCE || result.iter().any(|value| value.is_nan()) || result.len() != expected.len() {
        return Err(format!("{name} differs from the host's result by more than {TOLERANCE:e}").into());
    }
    Ok(())
}

/// A B on the host, in double precision. Neither matrix has a zero in it that would make an element of the product zero.
fn product(a: &[f32], b: &[f32], size: usize) -> Vec<f64> {
    let mut c = vec![0.0; size * size];
    for (row, c) in a.chunks(size).zip(c.chunks_mut(size)) {
        for (a, b) in row.iter().zip(b.chunks(size)) {
            for (c, b) in c.iter_mut().zip(b) {
                *c += f64::from(*a) * f64::from(*b);
            }
        }
    }
    c
}
