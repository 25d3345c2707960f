//! A sum: shuffles within wavefronts, shared memory within workgroups, a second launch for the rest.
//!
//! `--elements N` and `--groups G` change the size and the number of workgroups.

mod support;

use hip::memory::MemoryPool;
use hip::{Device, DeviceBuffer, LaunchConfig};
use hip_vega::reduce;
use support::Failure;

fn main() -> Result<(), Failure> {
    let (elements, groups) = (support::option("elements", 1 << 18)?, support::option("groups", 56)?);
    let device = Device::first()?;
    support::announce(device)?;
    let stream = device.stream()?;
    let kernels = reduce::Kernels::load(device)?;

    let numbers = support::numbers(7, elements);
    let x = DeviceBuffer::from_slice(&stream, &numbers)?;
    // Scratch memory comes from a pool: it is allocated and freed in stream order.
    let pool = MemoryPool::new(device)?;
    let mut parts = pool.alloc::<f32>(&stream, groups)?;
    let mut sum = pool.alloc::<f32>(&stream, 1)?;
    let (all, some) = (i32::try_from(elements)?, i32::try_from(groups)?);
    kernels.reduce_sum(&stream, LaunchConfig::new(u32::try_from(groups)?, 256), &x, &mut parts, all)?;
    kernels.reduce_sum(&stream, LaunchConfig::new(1, 64), &parts, &mut sum, some)?;
    // Later work of the stream still finds them: they go back to the pool behind it.
    drop(parts);
    let sum = sum.to_vec(&stream)?[0];

    // The numbers are multiples of 2^-10, so the host's sum is exact; the device's is rounded in every addition.
    let exact: f64 = numbers.iter().copied().map(f64::from).sum();
    let error = (f64::from(sum) - exact).abs() / exact.max(1.0);
    println!("the sum of {elements} elements is {sum}, and {exact} exactly: off by {error:.1e}");
    let statistics = device.memory_statistics();
    println!(
        "{} allocations, {} of them reused",
        statistics.allocations + statistics.reuses,
        statistics.reuses
    );
    // Each element passes through about log2(elements) additions, after elements / threads in a row.
    if error > 1e-4 || sum.is_nan() {
        return Err("the device's sum differs from the host's".into());
    }
    Ok(())
}
