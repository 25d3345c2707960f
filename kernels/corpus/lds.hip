// Workgroups that work together through LDS, barriers and shuffles.
#include <hip/hip_runtime.h>

// The sum of n elements per workgroup: a strided loop, a shuffle within each wave, LDS between waves.
template <class T> __device__ void sum_of_workgroup(const T *in, T *out, int n) {
    __shared__ T waves[16];
    T v = 0;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) v += in[i];
    for (int distance = 32; distance; distance >>= 1) v += __shfl_down(v, distance);
    int lane = threadIdx.x & 63, wave = threadIdx.x >> 6;
    if (!lane) waves[wave] = v;
    __syncthreads();
    if (threadIdx.x < 16) {
        v = threadIdx.x < blockDim.x / 64 ? waves[threadIdx.x] : T(0);
        for (int distance = 8; distance; distance >>= 1) v += __shfl_xor(v, distance);
        if (!threadIdx.x) out[blockIdx.x] = v;
    }
}

// Launch of each: one-dimensional, workgroups of a multiple of 64 threads; one result per workgroup.
#define SUM(NAME, T) extern "C" __global__ void NAME(const T *in, T *out, int n) { sum_of_workgroup(in, out, n); }
SUM(sum_f32, float)
SUM(sum_f64, double)
SUM(sum_i32, int)
SUM(sum_i64, long long)

// Running sums within each workgroup, and the workgroup's own sum. Launch: one-dimensional; thread i owns element i < n.
extern "C" __global__ void running_sums(const int *in, int *out, int *totals, int n) {
    __shared__ int waves[32];
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    int v = i < n ? in[i] : 0, lane = threadIdx.x & 63;
    for (int distance = 1; distance < 64; distance <<= 1) {
        int below = __shfl_up(v, distance);
        if (lane >= distance) v += below;
    }
    if (threadIdx.x < 32) waves[threadIdx.x] = 0;
    __syncthreads();
    if (lane == 63) waves[threadIdx.x >> 6] = v;
    __syncthreads();
    if (threadIdx.x < 32) {
        int x = waves[threadIdx.x];
        for (int distance = 1; distance < 32; distance <<= 1) {
            int below = __shfl_up(x, distance, 32);
            if ((int)threadIdx.x >= distance) x += below;
        }
        waves[threadIdx.x] = x;
    }
    __syncthreads();
    if (threadIdx.x >= 64) v += waves[(threadIdx.x >> 6) - 1];
    if (i < n) out[i] = v;
    if (threadIdx.x == blockDim.x - 1) totals[blockIdx.x] = v;
}

// How often each byte occurs: counted in LDS, then added to the counts in memory. Launch: any one-dimensional.
extern "C" __global__ void histogram(const unsigned char *in, unsigned *counts, int n) {
    __shared__ unsigned own[256];
    for (int i = threadIdx.x; i < 256; i += blockDim.x) own[i] = 0;
    __syncthreads();
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) atomicAdd(&own[in[i]], 1u);
    __syncthreads();
    for (int i = threadIdx.x; i < 256; i += blockDim.x) atomicAdd(&counts[i], own[i]);
}

// The Fourier transforms of rows of 1024 complex numbers, radix 2, in place. Launch: a workgroup of 256 threads per row.
extern "C" __global__ void fourier_1024(float2 *rows) {
    __shared__ float2 s[1024];
    int t = threadIdx.x;
    for (int i = t; i < 1024; i += blockDim.x) s[__brev(i) >> 22] = rows[blockIdx.x * 1024 + i];
    __syncthreads();
    for (int length = 2; length <= 1024; length <<= 1) {
        int half = length >> 1;
        for (int i = t; i < 512; i += blockDim.x) {
            int group = i / half, j = i % half;
            float sine, cosine;
            __sincosf(-6.2831853f * j / length, &sine, &cosine);
            float2 a = s[group * length + j], b = s[group * length + j + half];
            float2 w = make_float2(b.x * cosine - b.y * sine, b.x * sine + b.y * cosine);
            s[group * length + j] = make_float2(a.x + w.x, a.y + w.y);
            s[group * length + j + half] = make_float2(a.x - w.x, a.y - w.y);
        }
        __syncthreads();
    }
    for (int i = t; i < 1024; i += blockDim.x) rows[blockIdx.x * 1024 + i] = s[i];
}

// One step of a bitonic sort: exchanges across `distance` within runs of `run`. Launch: exactly one thread per key.
extern "C" __global__ void bitonic_step(unsigned *keys, int distance, int run) {
    int i = blockIdx.x * blockDim.x + threadIdx.x, other = i ^ distance;
    if (other > i) {
        unsigned a = keys[i], b = keys[other];
        if ((i & run) == 0 ? a > b : a < b) {
            keys[i] = b;
            keys[other] = a;
        }
    }
}

// exp(x - max) / sum of each row of n numbers: two reductions in LDS. Launch: a workgroup of 256 threads per row.
extern "C" __global__ void softmax(const float *in, float *out, int n) {
    __shared__ float s[256];
    int t = threadIdx.x;
    const float *row = in + blockIdx.x * n;
    float largest = -INFINITY;
    for (int i = t; i < n; i += 256) largest = fmaxf(largest, row[i]);
    s[t] = largest;
    __syncthreads();
    for (int distance = 128; distance; distance >>= 1) {
        if (t < distance) s[t] = fmaxf(s[t], s[t + distance]);
        __syncthreads();
    }
    largest = s[0];
    __syncthreads();
    float sum = 0;
    for (int i = t; i < n; i += 256) sum += expf(row[i] - largest);
    s[t] = sum;
    __syncthreads();
    for (int distance = 128; distance; distance >>= 1) {
        if (t < distance) s[t] += s[t + distance];
        __syncthreads();
    }
    sum = s[0];
    for (int i = t; i < n; i += 256) out[blockIdx.x * n + i] = expf(row[i] - largest) / sum;
}

// Elements of 1, 2, 8 and 12 bytes in LDS, read at permuted places. Launch: one workgroup of 256 threads; `triples` has 64.
extern "C" __global__ void mixed_widths(const double *doubles, double2 *pairs, unsigned short *shorts, signed char *bytes,
                                        uint3 *triples) {
    __shared__ double s[256];
    __shared__ unsigned short hs[256];
    __shared__ signed char bs[256];
    __shared__ uint3 us[64];
    int t = threadIdx.x;
    s[t] = doubles[t];
    hs[t] = shorts[t];
    bs[t] = bytes[t];
    if (t < 64) us[t] = triples[t];
    __syncthreads();
    pairs[t] = make_double2(s[t ^ 1] + s[(t + 64) & 255], s[t ^ 32] * s[(t + 128) & 255]);
    shorts[t] = hs[t ^ 5] + bs[t ^ 7];
    bytes[t] = bs[t ^ 3] - hs[t ^ 9];
    if (t < 64) triples[t] = us[t ^ 1];
}
