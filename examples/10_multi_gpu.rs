//! Several devices: work on each, copies between them, and kernels that reach into another's memory.
//!
//! With one device it shows what that can do. `vega run --gpus 2 -- …` has two.

mod support;

use hip::{Device, DeviceBuffer, LaunchConfig, Runtime, Stream};
use hip_vega::{saxpy, vector};
use support::Failure;

const ELEMENTS: usize = 1 << 16;

fn main() -> Result<(), Failure> {
    let runtime = Runtime::load()?;
    let devices: Vec<Device> = runtime.devices()?.collect();
    devices.iter().try_for_each(|&device| support::announce(device))?;

    // Each device has a thread of its own. No call needs a current device: each names what it works on.
    let parts = std::thread::scope(|scope| {
        let workers: Vec<_> =
            devices.iter().map(|&device| scope.spawn(move || part(device, device.ordinal()))).collect();
        workers.into_iter().map(|worker| worker.join().map_err(|_| "a thread panicked")?).collect::<Vec<_>>()
    });
    let parts = parts.into_iter().collect::<Result<Vec<_>, String>>()?;

    // All parts go to the first device, directly from memory to memory.
    let (Some(&first), Some((stream, _))) = (devices.first(), parts.first()) else {
        return Err("HIP has no device".into());
    };
    let mut all = DeviceBuffer::<f32>::uninit(first, ELEMENTS * parts.len())?;
    for (index, (_, part)) in parts.iter().enumerate() {
        stream.copy_peer(part, all.slice_mut(index * ELEMENTS..(index + 1) * ELEMENTS)?)?;
    }
    let result = all.to_vec(stream)?;
    let wrong = result.iter().enumerate().position(|(i, &value)| value != (i / ELEMENTS + 1) as f32);
    if let Some(index) = wrong {
        return Err(format!("element {index} is {}", result[index]).into());
    }
    println!("{} parts of {ELEMENTS} elements came together", parts.len());

    // A kernel on the first device reads the second's memory, where the two can reach each other.
    if let Some((second, (_, far))) = devices.get(1).zip(parts.get(1)) {
        let link = first.peer_link(*second)?;
        println!("device 0 and 1 are {} hop(s) apart", link.hops);
        if first.can_access_peer(*second)? {
            first.enable_peer_access(*second)?;
            let mut sum = DeviceBuffer::<f32>::zeroed(stream, ELEMENTS)?;
            let count = i32::try_from(ELEMENTS)?;
            let config = LaunchConfig::for_len(ELEMENTS);
            saxpy::Kernels::load(first)?.saxpy(stream, config, 2.0, far, &mut sum, count)?;
            if sum.to_vec(stream)?.iter().any(|&value| value != 4.0) {
                return Err("a kernel did not find its peer's memory".into());
            }
            println!("a kernel on device 0 read the memory of device 1");
        }
    }
    Ok(())
}

/// What one device contributes: a vector of its number plus one.
fn part(device: Device, number: usize) -> Result<(Stream, DeviceBuffer<f32>), String> {
    let work = || -> Result<_, Failure> {
        let stream = device.stream()?;
        let mut buffer = DeviceBuffer::uninit(device, ELEMENTS)?;
        let kernels = vector::Kernels::load(device)?;
        let (config, count) = (LaunchConfig::for_len(ELEMENTS), i32::try_from(ELEMENTS)?);
        kernels.fill(&stream, config, &mut buffer, (number + 1) as f32, count)?;
        Ok((stream, buffer))
    };
    work().map_err(|error| format!("device {number}: {error}"))
}
