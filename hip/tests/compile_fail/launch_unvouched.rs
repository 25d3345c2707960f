//! Launching machine code is unsafe until somebody vouches for it.
hip::kernel! { struct Fill = "fill"(&mut [f32], f32); }

fn launch(kernel: &hip::Kernel<Fill>, stream: &hip::Stream, buffer: &mut hip::DeviceBuffer<f32>) {
    let _ = kernel.launch(stream, hip::LaunchConfig::for_len(1), (buffer, 1.0));
}

fn main() {}
