//! Memory that host and device share, in five ways, and who may touch it when.
//!
//! `--elements N` changes the size.

mod support;

use hip::{
    Advice, Device, DeviceBuffer, LaunchConfig, ManagedBuffer, MappedBuffer, MemoryPlace, PinnedBuffer,
};
use hip_vega::saxpy;
use support::Failure;

fn main() -> Result<(), Failure> {
    let elements = support::option("elements", 1 << 16)?;
    let device = Device::first()?;
    support::announce(device)?;
    let stream = device.stream()?;
    let kernels = saxpy::Kernels::load(device)?;
    let (config, count) = (LaunchConfig::for_len(elements), i32::try_from(elements)?);
    let check = |what: &str, y: &[f32], expected: f32| {
        if y.iter().any(|&value| value != expected) {
            return Err(format!("{what}: not everything is {expected}"));
        }
        println!("{what}: right");
        Ok(())
    };

    // Pinned memory is a slice. An asynchronous copy takes it, and gives it back when it is done.
    let mut host = PinnedBuffer::<f32>::zeroed(device, elements)?;
    host.fill(2.0);
    let mut x = DeviceBuffer::<f32>::uninit(device, elements)?;
    let uploaded = stream.upload_async(host, &mut x)?;
    let host = uploaded.wait()?;
    let mut y = DeviceBuffer::<f32>::zeroed(&stream, elements)?;
    kernels.saxpy(&stream, config, 1.0, &x, &mut y, count)?;
    let downloaded = stream.download_async(&y, host)?;
    check("pinned, by ownership", &downloaded.wait()?, 2.0)?;

    // Borrowed memory can be lent to copies in a scope, which waits for them.
    let mut result = vec![0.0f32; elements];
    hip::scope(|scope| {
        kernels.saxpy(&stream, config, 1.0, &x, &mut y, count)?;
        scope.download(&stream, &y, &mut result)
    })?;
    check("borrowed, in a scope", &result, 4.0)?;

    // Any host memory can be locked for the time of a scope, and used in place.
    hip::scope(|scope| {
        let mut locked = scope.register(device, &mut result)?;
        kernels.saxpy(&stream, config, 1.0, &x, locked.view_mut(), count)
    })?;
    check("registered, in a scope", &result, 6.0)?;

    // Mapped memory stays with the host; kernels reach it across the bus. The host waits before it looks.
    let mut mapped = MappedBuffer::<f32>::zeroed(device, elements)?;
    mapped.write()?.fill(1.0);
    kernels.saxpy(&stream, config, 1.0, &x, mapped.view_mut(), count)?;
    check("mapped", mapped.read()?, 3.0)?;

    // Managed memory is wherever it is used. Advice and prefetching make that cheaper.
    let mut managed = ManagedBuffer::<f32>::zeroed(device, elements)?;
    managed.advise(Advice::PreferredLocation(Some(MemoryPlace::Device(device))))?;
    managed.write()?.fill(3.0);
    managed.prefetch(&stream, MemoryPlace::Device(device))?;
    kernels.saxpy(&stream, config, 1.0, &x, managed.view_mut(), count)?;
    check("managed", managed.read()?, 5.0)?;
    Ok(())
}
