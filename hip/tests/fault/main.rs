//! The wrapper over a HIP runtime of the test's own: every error, every missing symbol, both property layouts, and an order
//! of execution that is as unkind as the API allows. Needs no ROCm.

mod arrays;
mod asynchronous;
mod callbacks;
mod captures;
mod errors;
mod fake;
mod graph_nodes;
mod graphs;
mod launches;
mod memory;
mod memory_calls;
mod observe;
mod ordering;
mod properties;
mod random;
mod resources;
mod rtc;
mod runtime;
mod shared;

/// The code object that the tests launch: kernels/saxpy.hip, compiled by hipcc for gfx900.
static SAXPY: &[u8] = include_bytes!("../fixtures/saxpy-gfx900.hsaco");

hip::kernel! {
    /// y = a x + y
    struct Saxpy = "saxpy"(f32, &[f32], &mut [f32], i32) in SAXPY;
}

// SAFETY: the fake runtime's saxpy reads x[i] and y[i] and writes y[i] for 0 <= i < n.
unsafe impl hip::Vouched for Saxpy {
    fn check(_: &hip::LaunchConfig, &(_, x, y, n): &hip::Shapes<Self>) -> Result<(), &'static str> {
        hip::require(n <= 0 || n as usize <= x.min(y), "n is larger than a vector")
    }
}
