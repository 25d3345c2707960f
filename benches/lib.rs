//! The benches are in `kernels` (criterion), `twin` (against C++) and `compare` (against OpenCL on the CPU).

/// `len` numbers from 0 to 1, for both sides of a comparison.
pub fn numbers(len: usize) -> Vec<f32> {
    (0..len).map(|i| (i * 7919 % 1024) as f32 / 1024.0).collect()
}
