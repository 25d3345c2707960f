// Matrices: products through LDS in seven types, register blocking, a sparse product, a transposition.
#include <hip/hip_runtime.h>

// C = A B for n x n row-major matrices, n a multiple of 16; elements are accumulated in the type Sum.
template <class T, class Sum> __device__ void tiled_product(const T *a, const T *b, T *c, int n) {
    __shared__ T tile_a[16][16], tile_b[16][16];
    int tx = threadIdx.x, ty = threadIdx.y;
    int row = blockIdx.y * 16 + ty, column = blockIdx.x * 16 + tx;
    Sum sum = Sum(0);
    for (int k = 0; k < n; k += 16) {
        tile_a[ty][tx] = a[row * n + k + tx];
        tile_b[ty][tx] = b[(k + ty) * n + column];
        __syncthreads();
        for (int j = 0; j < 16; j++) sum += Sum(tile_a[ty][j]) * Sum(tile_b[j][tx]);
        __syncthreads();
    }
    c[row * n + column] = T(sum);
}

// Launch of each: (n / 16, n / 16) workgroups of (16, 16) threads.
#define PRODUCT(NAME, T, SUM)                                                                    \
    extern "C" __global__ void NAME(const T *a, const T *b, T *c, int n) {                       \
        tiled_product<T, SUM>(a, b, c, n);                                                       \
    }
PRODUCT(gemm_f32, float, float)
PRODUCT(gemm_f64, double, double)
PRODUCT(gemm_f16, _Float16, _Float16)
PRODUCT(gemm_f16_sum_f32, _Float16, float)
PRODUCT(gemm_i32, int, int)
PRODUCT(gemm_u64, unsigned long long, unsigned long long)

// C = A B^T for bytes, with 32-bit sums and no LDS. Launch: any two-dimensional with exactly n x n threads.
extern "C" __global__ void gemm_i8(const signed char *a, const signed char *b, int *c, int n) {
    int row = blockIdx.y * blockDim.y + threadIdx.y, column = blockIdx.x * blockDim.x + threadIdx.x;
    int sum = 0;
    for (int k = 0; k < n; k++) sum += a[row * n + k] * b[column * n + k];
    c[row * n + column] = sum;
}

// C = A B, 64 x 64 elements per workgroup and 4 x 4 per thread. Launch: (n / 64, n / 64) workgroups of 256 threads.
extern "C" __global__ void __launch_bounds__(256) gemm_register_blocked(const float *a, const float *b, float *c, int n) {
    __shared__ float4 tile_a[16][16], tile_b[16][16];
    int t = threadIdx.x, tx = t & 15, ty = t >> 4;
    int x = blockIdx.x * 64, y = blockIdx.y * 64;
    float sum[4][4] = {};
    for (int k = 0; k < n; k += 16) {
        int row = t >> 2, column = (t & 3) * 4;
        float4 four = *(const float4 *)&a[(y + row) * n + k + column];
        float *transposed = (float *)tile_a;
        transposed[(column + 0) * 64 + row] = four.x;
        transposed[(column + 1) * 64 + row] = four.y;
        transposed[(column + 2) * 64 + row] = four.z;
        transposed[(column + 3) * 64 + row] = four.w;
        tile_b[ty][tx] = *(const float4 *)&b[(k + ty) * n + x + tx * 4];
        __syncthreads();
#pragma unroll
        for (int j = 0; j < 16; j++) {
            float4 left = tile_a[j][ty], right = tile_b[j][tx];
            float l[4] = {left.x, left.y, left.z, left.w}, r[4] = {right.x, right.y, right.z, right.w};
            for (int i = 0; i < 4; i++)
                for (int m = 0; m < 4; m++) sum[i][m] += l[i] * r[m];
        }
        __syncthreads();
    }
    for (int i = 0; i < 4; i++)
        *(float4 *)&c[(y + ty * 4 + i) * n + x + tx * 4] = make_float4(sum[i][0], sum[i][1], sum[i][2], sum[i][3]);
}

// y = A x for a sparse matrix in compressed rows. Launch: one-dimensional; thread i computes row i, for i < n.
extern "C" __global__ void sparse_product(const int *row_starts, const int *columns, const double *values, const double *x,
                                          double *y, int n) {
    int row = blockIdx.x * blockDim.x + threadIdx.x;
    if (row < n) {
        double sum = 0;
        for (int j = row_starts[row]; j < row_starts[row + 1]; j++) sum += values[j] * x[columns[j]];
        y[row] = sum;
    }
}

// The transposed of a w x h matrix, through 32 x 32 elements of LDS without bank conflicts.
// Launch: (ceil(w / 32), ceil(h / 32)) workgroups of (32, 8) threads.
extern "C" __global__ void transpose(const float *in, float *out, int w, int h) {
    __shared__ float tile[32][33];
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8)
        if (x < w && y + j < h) tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * w + x];
    __syncthreads();
    x = blockIdx.y * 32 + threadIdx.x;
    y = blockIdx.x * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8)
        if (x < h && y + j < w) out[(y + j) * h + x] = tile[threadIdx.x][threadIdx.y + j];
}
