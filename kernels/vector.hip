// The smallest kernels that still move data.

#include <hip/hip_runtime.h>

/// Sets `out[0..n]` to `value`. Launch: one dimension, one work-item per element.
extern "C" __global__ void fill(float* __restrict__ out, float value, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = value;
}

/// Sets `out[i]` to `start + i` for `i` in `0..n`. Launch: one dimension, one work-item per element.
extern "C" __global__ void iota(unsigned* __restrict__ out, unsigned start, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = start + i;
}

/// Sets `out[0..n]` to `x + y`. Launch: one dimension, one work-item per element.
extern "C" __global__ void vector_add(const float* __restrict__ x, const float* __restrict__ y,
                                      float* __restrict__ out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = x[i] + y[i];
}

/// Adds 1 to `*counter` from every work-item, atomically. Launch: any.
extern "C" __global__ void count(unsigned* counter) { atomicAdd(counter, 1u); }
