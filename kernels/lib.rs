//! The kernels that the examples, benches and tests launch, compiled by the root `build.rs`.
