//! The arguments of a launch have the parameters' types.
use hip::{DeviceBuffer, In, InOut, Kernel, LaunchConfig, Stream};

unsafe fn launch(
    kernel: &Kernel<(f32, In<f32>, InOut<f32>)>,
    stream: &Stream,
    x: &DeviceBuffer<f32>,
    y: &mut DeviceBuffer<f32>,
    z: &mut DeviceBuffer<f64>,
) {
    let config = LaunchConfig::for_len(1);
    // A shared borrow where the kernel writes.
    let _ = unsafe { kernel.launch_unchecked(stream, config, (1.0, x, x)) };
    // Elements of another type.
    let _ = unsafe { kernel.launch_unchecked(stream, config, (1.0, x, z)) };
    // One argument too few.
    let _ = unsafe { kernel.launch_unchecked(stream, config, (1.0, y)) };
}

fn main() {}
