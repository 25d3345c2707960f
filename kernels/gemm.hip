// Matrix products in single precision, twice: the textbook tile in shared memory, and a register-blocked one.
//
// All matrices are row-major and dense: A is m x k, B is k x n, C is m x n.

#include <hip/hip_runtime.h>

/// C = A B, one element of C per work-item; tiles of 16 x 16 go through shared memory.
///
/// Launch: workgroups of 16 x 16, grid `ceil(n / 16)` x `ceil(m / 16)`. Any m, n and k: what a tile has beyond the
/// matrices counts as zero.
extern "C" __global__ void __launch_bounds__(256)
gemm_tile16(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, int m, int n, int k) {
    __shared__ float tile_a[16][16];
    __shared__ float tile_b[16][16];
    const int tx = threadIdx.x, ty = threadIdx.y;
    const int row = blockIdx.y * 16 + ty, col = blockIdx.x * 16 + tx;
    float sum = 0.0f;
    for (int base = 0; base < k; base += 16) {
        tile_a[ty][tx] = row < m && base + tx < k ? a[(size_t)row * k + base + tx] : 0.0f;
        tile_b[ty][tx] = base + ty < k && col < n ? b[(size_t)(base + ty) * n + col] : 0.0f;
        __syncthreads();
#pragma unroll
        for (int i = 0; i < 16; i++) sum += tile_a[ty][i] * tile_b[i][tx];
        __syncthreads();
    }
    if (row < m && col < n) c[(size_t)row * n + col] = sum;
}

/// C = A B, a block of 64 x 64 per workgroup and 4 x 4 elements of it per work-item, in registers.
///
/// Launch: workgroups of 256 x 1, grid `n / 64` x `m / 64`. m and n must be multiples of 64, k of 16, and the matrices
/// aligned to 16 bytes.
extern "C" __global__ void __launch_bounds__(256)
gemm_block64(const float* __restrict__ a, const float* __restrict__ b, float* __restrict__ c, int m, int n, int k) {
    // 16 columns of A, transposed, and 16 rows of B.
    __shared__ float strip_a[16][64];
    __shared__ float4 strip_b[16][16];
    const int t = threadIdx.x, tx = t & 15, ty = t >> 4;
    const int row0 = blockIdx.y * 64, col0 = blockIdx.x * 64;
    if (row0 >= m || col0 >= n) return;
    float sum[4][4] = {};
    for (int base = 0; base < k; base += 16) {
        const int row = t >> 2, first = (t & 3) * 4;
        const float4 part = *(const float4*)&a[(size_t)(row0 + row) * k + base + first];
        strip_a[first + 0][row] = part.x;
        strip_a[first + 1][row] = part.y;
        strip_a[first + 2][row] = part.z;
        strip_a[first + 3][row] = part.w;
        strip_b[ty][tx] = *(const float4*)&b[(size_t)(base + ty) * n + col0 + tx * 4];
        __syncthreads();
#pragma unroll
        for (int i = 0; i < 16; i++) {
            const float4 x = *(const float4*)&strip_a[i][ty * 4];
            const float4 y = strip_b[i][tx];
            const float xs[4] = {x.x, x.y, x.z, x.w}, ys[4] = {y.x, y.y, y.z, y.w};
#pragma unroll
            for (int r = 0; r < 4; r++)
#pragma unroll
                for (int s = 0; s < 4; s++) sum[r][s] += xs[r] * ys[s];
        }
        __syncthreads();
    }
    for (int r = 0; r < 4; r++)
        *(float4*)&c[(size_t)(row0 + ty * 4 + r) * n + col0 + tx * 4] =
            make_float4(sum[r][0], sum[r][1], sum[r][2], sum[r][3]);
}
