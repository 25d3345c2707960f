//! The HIP side: the kernels of `kernels/`, on the first device.

use hip::{Device, DeviceBuffer, LaunchConfig};
use hip_benches::numbers;
use hip_vega::{gemm, saxpy};

use crate::{ELEMENTS, Failure, SIZE, measure};

/// Measures every kernel.
pub fn run() -> Result<(), Failure> {
    let device = Device::first()?;
    let stream = device.stream()?;
    let (saxpy, gemm) = (saxpy::Kernels::load(device)?, gemm::Kernels::load(device)?);

    let x = DeviceBuffer::from_slice(&stream, &numbers(ELEMENTS))?;
    let mut y = DeviceBuffer::from_slice(&stream, &numbers(ELEMENTS))?;
    let count = i32::try_from(ELEMENTS)?;
    measure("saxpy", || {
        saxpy.saxpy(&stream, LaunchConfig::for_len(ELEMENTS), 0.5, &x, &mut y, count)?;
        Ok(stream.synchronize()?)
    })?;

    let a = DeviceBuffer::from_slice(&stream, &numbers(SIZE * SIZE))?;
    let b = DeviceBuffer::from_slice(&stream, &numbers(SIZE * SIZE))?;
    let mut c = DeviceBuffer::zeroed(&stream, SIZE * SIZE)?;
    let (n, groups) = (i32::try_from(SIZE)?, u32::try_from(SIZE)?);
    let tiles = LaunchConfig::new((groups / 16, groups / 16), (16, 16));
    measure("gemm_tile16", || {
        gemm.gemm_tile16(&stream, tiles, &a, &b, &mut c, n, n, n)?;
        Ok(stream.synchronize()?)
    })?;
    let blocks = LaunchConfig::new((groups / 64, groups / 64), 256);
    measure("gemm_block64", || {
        gemm.gemm_block64(&stream, blocks, &a, &b, &mut c, n, n, n)?;
        Ok(stream.synchronize()?)
    })
}
