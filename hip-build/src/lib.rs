//! Compiles HIP kernels from a build script and generates typed launch functions.
