// Sums of a vector.

#include <hip/hip_runtime.h>

/// The sum of `x[0..n]` in parts: workgroup `g` writes its part to `parts[g]`, and the parts add up to the sum.
///
/// Every work-item strides over the vector, then wavefronts sum with shuffles and the workgroup through shared memory.
///
/// Launch: one dimension, any number of workgroups of 64 to 1,024 work-items, a multiple of 64; `parts` has one element
/// per workgroup. The order of the additions depends on the launch only, so equal launches give equal bits. To finish,
/// launch it once more on the parts with one workgroup.
extern "C" __global__ void reduce_sum(const float* __restrict__ x, float* __restrict__ parts, int n) {
    __shared__ float waves[16];
    const unsigned stride = gridDim.x * blockDim.x;
    float sum = 0.0f;
    for (unsigned i = blockIdx.x * blockDim.x + threadIdx.x; i < (unsigned)n; i += stride) sum += x[i];
    for (int offset = 32; offset > 0; offset >>= 1) sum += __shfl_down(sum, offset);
    const int lane = threadIdx.x & 63, wave = threadIdx.x >> 6;
    if (lane == 0) waves[wave] = sum;
    __syncthreads();
    if (wave == 0) {
        sum = lane < (int)(blockDim.x >> 6) ? waves[lane] : 0.0f;
        for (int offset = 8; offset > 0; offset >>= 1) sum += __shfl_down(sum, offset);
        if (lane == 0) parts[blockIdx.x] = sum;
    }
}
