//! hiprtc: a kernel that is compiled while the program runs, from a template, for the device there is.
//!
//! The result is kept in a folder, so that a second run need not compile. `--elements N` changes the size.

mod support;

use hip::rtc::{Cache, Program};
use hip::{Device, DeviceBuffer, ErrorKind, In, InOut, LaunchConfig};
use support::Failure;

const SOURCE: &str = r#"
#include "degree.h"

/// Evaluates a polynomial with the coefficients c[0..=DEGREE], lowest first, by Horner's rule.
template <class T> __global__ void polynomial(const T* c, const T* x, T* y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T sum = c[DEGREE];
    for (int k = DEGREE - 1; k >= 0; --k) sum = sum * x[i] + c[k];
    y[i] = sum;
}
"#;

fn main() -> Result<(), Failure> {
    let elements = support::option("elements", 10_000)?;
    let device = Device::first()?;
    support::announce(device)?;
    let stream = device.stream()?;

    let folder = std::env::temp_dir().join("hip-rs-example-rtc");
    let program = Program::new("polynomial.hip", SOURCE)
        .header("degree.h", "#define DEGREE 2")
        .name_expression("polynomial<float>")
        .cache(Cache::in_folder(&folder));
    let compiled = program.compile(device)?;
    let name = compiled.lowered_name("polynomial<float>")?;
    println!("polynomial<float> is {name}, {} bytes of code", compiled.code().len());

    type Parameters = (In<f32>, In<f32>, InOut<f32>, i32);
    let polynomial = compiled.load(device)?.function(name)?.with_parameters::<Parameters>()?;
    let (c, x) = ([1.0f32, -3.0, 2.0], support::numbers(1, elements));
    let (device_c, device_x) =
        (DeviceBuffer::from_slice(&stream, &c)?, DeviceBuffer::from_slice(&stream, &x)?);
    let mut device_y = DeviceBuffer::<f32>::uninit(device, elements)?;
    let arguments = (&device_c, &device_x, &mut device_y, i32::try_from(elements)?);
    // SAFETY: the kernel reads three coefficients, reads x[i] and writes y[i] for i < n, and nothing else.
    unsafe { polynomial.launch_unchecked(&stream, LaunchConfig::for_len(elements), arguments) }?;
    let y = device_y.to_vec(&stream)?;
    // The numbers are such that nothing is rounded.
    let wrong = x.iter().zip(&y).filter(|(x, y)| **y != (2.0 * **x - 3.0) * **x + 1.0).count();
    println!("{wrong} of {elements} values are wrong");

    // What does not compile says why.
    let error =
        Program::new("broken.hip", "__global__ void k() { nonsense(); }").compile(device).unwrap_err();
    let ErrorKind::Compilation { log } = error.kind() else { return Err(error.into()) };
    println!("an error has the compiler's log: {}", log.lines().next().unwrap_or_default());
    if wrong > 0 { Err("the device's result differs from the host's".into()) } else { Ok(()) }
}
