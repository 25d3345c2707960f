//! The wrapper on a device: a card, or the virtual one under `vega run`.
//!
//! Without a device each test says on standard error that it was skipped, and passes; with `HIP_TEST_REQUIRE_DEVICE=1` it
//! fails.

mod arrays;
mod asynchronous;
mod devices;
mod functions;
mod graphs;
mod launches;
mod memory;
mod ordering;
mod random_graphs;
mod resources;
mod rtc;
mod shared;
mod textures;

use hip::{Device, ErrorKind, Kernel, Module, Stream};
use std::io::Write as _;
use std::sync::atomic::{AtomicU32, Ordering};

/// kernels/saxpy.hip, compiled by hipcc for gfx900.
static SAXPY: &[u8] = include_bytes!("../fixtures/saxpy-gfx900.hsaco");
/// kernels/textures.hip, compiled by hipcc for gfx900.
static TEXTURES: &[u8] = include_bytes!("../fixtures/textures-gfx900.hsaco");
/// kernels/signatures.hip, compiled by hipcc for gfx900.
static SIGNATURES: &[u8] = include_bytes!("../fixtures/signatures-gfx900.hsaco");

hip::kernel! {
    /// y = a x + y
    struct Saxpy = "saxpy"(f32, &[f32], &mut [f32], i32) in SAXPY;
    /// Reverses one workgroup's elements through dynamic LDS.
    struct Reverse = "reverse"(&mut [f32]) in SIGNATURES;
    /// Workgroups of at most 64 threads.
    struct SmallBlock = "small_block"(&mut [u32]) in SIGNATURES;
}

// SAFETY: saxpy reads x[i] and y[i] and writes y[i] for i < n, and touches nothing else. Its i is an int.
unsafe impl hip::Vouched for Saxpy {
    fn check(config: &hip::LaunchConfig, &(_, x, y, n): &hip::Shapes<Self>) -> Result<(), &'static str> {
        hip::require(config.threads()[0] <= 1 << 31, "an index would wrap around")?;
        hip::require(n <= 0 || n as usize <= x.min(y), "n is larger than a vector")
    }
}

// SAFETY: each thread of the only workgroup reads and writes x[i] for i < blockDim.x, and that many floats of dynamic LDS.
unsafe impl hip::Vouched for Reverse {
    fn check(config: &hip::LaunchConfig, &(x,): &hip::Shapes<Self>) -> Result<(), &'static str> {
        let threads = config.block.count();
        hip::require(
            config.grid.count() == 1 && threads == x as u128,
            "one workgroup with a thread per element",
        )?;
        hip::require(threads == u128::from(config.block.x), "one dimension")?;
        hip::require(u128::from(config.shared_bytes) >= 4 * threads, "LDS for every element")
    }
}

// SAFETY: each thread writes out[threadIdx.x], and nothing else.
unsafe impl hip::Vouched for SmallBlock {
    fn check(config: &hip::LaunchConfig, &(out,): &hip::Shapes<Self>) -> Result<(), &'static str> {
        hip::require(config.block.x as usize <= out, "an element per thread")
    }
}

/// The first device; `None`, said aloud, when there is none and none is required.
fn device() -> Option<Device> {
    static SKIPPED: AtomicU32 = AtomicU32::new(0);
    let error = match Device::first() {
        Ok(device) => return Some(device),
        Err(error) => error,
    };
    assert!(matches!(error.kind(), ErrorKind::NoDevice | ErrorKind::RuntimeNotFound), "{error}");
    let required = std::env::var("HIP_TEST_REQUIRE_DEVICE").is_ok_and(|value| value == "1");
    assert!(!required, "a device is required: {error}");
    let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
    let name = std::thread::current().name().unwrap_or("a test").to_owned();
    // In one piece, and not by eprintln, which the harness captures.
    let line = format!("SKIPPED ({count} so far) {name}: {error}\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}

/// What most tests begin with.
fn setup() -> Option<(Stream, Kernel<Saxpy>)> {
    let device = device()?;
    let saxpy = Module::from_static(device, SAXPY).and_then(|module| module.kernel());
    Some((device.stream().expect("a stream"), saxpy.expect("saxpy")))
}
