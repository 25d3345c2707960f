//! The benches are in `kernels` (criterion), `twin` (against C++) and `compare` (against OpenCL on the CPU, Rust and OpenBLAS).

/// `len` numbers from 0 to 1, for all sides of a comparison. Half precision has all of them.
pub fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i.wrapping_mul(7919) % 1024) as f32 / 1024.0).collect()
}
