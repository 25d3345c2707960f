//! What a kernel writes is nobody else's during the launch.
use hip::{DeviceBuffer, In, InOut, Kernel, LaunchConfig, Stream};

unsafe fn launch(kernel: &Kernel<(In<f32>, InOut<f32>)>, stream: &Stream, x: &mut DeviceBuffer<f32>) {
    let _ = unsafe { kernel.launch_unchecked(stream, LaunchConfig::for_len(1), (&*x, &mut *x)) };
}

fn main() {}
