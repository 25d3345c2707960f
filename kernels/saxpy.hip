// SAXPY of BLAS level 1: y = a x + y.

#include <hip/hip_runtime.h>

/// Adds `a` times `x[0..n]` to `y[0..n]`; one element per work-item.
///
/// Launch: one dimension, `ceil(n / block)` workgroups of any size.
extern "C" __global__ void saxpy(float a, const float* __restrict__ x, float* __restrict__ y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a * x[i] + y[i];
}
