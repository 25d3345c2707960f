//! The shortest way to a verified SAXPY: the kernel is compiled while the program runs.

use hip::{Device, DeviceBuffer, In, InOut, LaunchConfig, rtc::Program};

const SOURCE: &str = r#"extern "C" __global__ void saxpy(float a, const float *x, float *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a * x[i] + y[i]; }"#;
fn main() -> hip::Result<()> {
    let stream = Device::first()?.stream()?;
    let module = Program::new("saxpy.hip", SOURCE).compile(stream.device())?.load(stream.device())?;
    let saxpy = module.function("saxpy")?.with_parameters::<(f32, In<f32>, InOut<f32>, i32)>()?;
    let (x, mut y) =
        (DeviceBuffer::from_slice(&stream, &[1.0; 99])?, DeviceBuffer::from_slice(&stream, &[2.0; 99])?);
    // SAFETY: saxpy reads x[i], reads and writes y[i] for i < 99, and touches nothing else.
    unsafe { saxpy.launch_unchecked(&stream, LaunchConfig::for_len(99), (3.0, &x, &mut y, 99)) }?;
    assert_eq!(y.to_vec(&stream)?, [5.0; 99]);
    stream.device().name().map(|name| println!("saxpy is right on {name}"))
}
