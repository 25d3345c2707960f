//! Embedded kernels: machine code that is part of the program, declared and vouched for by hand.
//!
//! `hip-build` writes such declarations; here they are, for code that came from somewhere else.

mod support;

use hip::{Device, DeviceBuffer, ErrorKind, LaunchConfig, Module, Shapes, Vouched, require};
use support::Failure;

/// kernels/saxpy.hip, compiled for gfx900. A bundle with code for several architectures would do as well: the one for the
/// device is taken out of it.
static CODE: &[u8] = include_bytes!("../hip/tests/fixtures/saxpy-gfx900.hsaco");

/// The same for gfx906: of no use on a gfx900.
static FOR_ANOTHER: &[u8] = include_bytes!("../hip/tests/fixtures/saxpy-gfx906.hsaco");

hip::kernel! {
    /// y = a x + y
    struct Saxpy = "saxpy"(f32, &[f32], &mut [f32], i32) in CODE;
}

// SAFETY: saxpy reads x[i] and y[i] and writes y[i] for i < n, and touches nothing else. Its i is an int.
unsafe impl Vouched for Saxpy {
    fn check(config: &LaunchConfig, &(_, x, y, n): &Shapes<Self>) -> Result<(), &'static str> {
        require(config.threads()[0] <= 1 << 31, "an index would wrap around")?;
        require(n <= 0 || n as usize <= x.min(y), "n is larger than a vector")
    }
}

fn main() -> Result<(), Failure> {
    let device = Device::first()?;
    support::announce(device)?;
    let stream = device.stream()?;

    // The parameters are compared with what the code object says of the kernel, once.
    let saxpy = Module::from_static(device, CODE)?.kernel::<Saxpy>()?;
    let metadata = saxpy.metadata();
    println!(
        "saxpy: {} VGPRs, {} SGPRs, {} bytes of arguments",
        metadata.vgpr_count, metadata.sgpr_count, metadata.kernarg_segment_size
    );
    println!("a compute unit holds {} workgroups of 256 threads", saxpy.occupancy(256, 0)?);

    let x = DeviceBuffer::from_slice(&stream, &[1.0f32; 1000])?;
    let mut y = DeviceBuffer::from_slice(&stream, &[2.0f32; 1000])?;
    saxpy.launch(&stream, LaunchConfig::for_len(1000), (3.0, &x, &mut y, 1000))?;
    if y.to_vec(&stream)? != [5.0; 1000] {
        return Err("the device's result differs from the host's".into());
    }

    // A launch that would touch other memory never reaches the device.
    let error = saxpy.launch(&stream, LaunchConfig::for_len(1000), (3.0, &x, &mut y, 1001)).unwrap_err();
    println!("refused: {error}");
    // Nor does code for another device.
    if let Err(error) = Module::from_static(device, FOR_ANOTHER) {
        let ErrorKind::NoCodeObject { device, available } = error.kind() else { return Err(error.into()) };
        println!("no code for {device}, only for {}", available.join(", "));
    }
    Ok(())
}
