//! The same kernels on the HIP device and, as OpenCL C, on the CPU through PoCL: how much the virtual Vega costs.
//!
//! One process measures one side, so that two LLVMs never meet in one: `compare hip` or `compare opencl` prints a line
//! `kernel seconds` per kernel. `cargo xtask bench` starts both in turns, one thread each, and prints the ratios.

mod hip_side;
mod opencl_side;

use std::time::{Duration, Instant};

/// What a side fails with.
type Failure = Box<dyn std::error::Error>;

/// Elements of the SAXPY.
const ELEMENTS: usize = 1 << 20;

/// Rows and columns of the matrices.
const SIZE: usize = 512;

/// How long a kernel is repeated.
const TIME: Duration = Duration::from_secs(2);

fn main() -> Result<(), Failure> {
    match std::env::args().nth(1).as_deref() {
        Some("hip") => hip_side::run(),
        Some("opencl") => opencl_side::run(),
        // `cargo bench` and `cargo test --benches` pass their own arguments: there is nothing to do for them.
        _ => {
            println!("cargo xtask bench runs this");
            Ok(())
        }
    }
}

/// Runs `launch`, which returns when the kernel is done, until the time is over, and prints the shortest run.
fn measure(kernel: &str, mut launch: impl FnMut() -> Result<(), Failure>) -> Result<(), Failure> {
    launch()?; // compiles, fills caches
    let (begin, mut best) = (Instant::now(), f64::INFINITY);
    while begin.elapsed() < TIME || best.is_infinite() {
        let start = Instant::now();
        launch()?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{kernel} {best:e}");
    Ok(())
}
