//! Compiles `kernels/` for the card that the virtual Vega is, and generates a module of launch functions per file.
//!
//! Without hipcc the modules come from `kernels/bindings` and have no code: everything builds, and loading a kernel fails
//! with an error that says so.

use hip_build::{Kernels, Missing};

fn main() -> Result<(), hip_build::Error> {
    let names = ["empty", "gemm", "mandelbrot", "reduce", "saxpy", "signatures", "textures", "vector"];
    Kernels::new()
        .arch("gfx900")
        .files(names.map(|name| format!("kernels/{name}.hip")))
        .bindings("kernels/bindings")
        .when_missing(Missing::Skip)
        .compile()?;
    Ok(())
}
