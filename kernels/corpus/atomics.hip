// Every atomic operation of HIP, on a few cells that all threads fight for. What each operation found is kept, so that the host
// can tell whether some order of all of them explains it.
#include <hip/hip_runtime.h>

typedef unsigned long long u64;

// The operations, in the order of the host's table: old[k * threads + t] is what operation k of thread t found.
template <class Old, class T> __device__ void keep(Old *old, int k, int threads, int t, T found) {
    old[k * threads + t] = (Old)found;
}

__device__ void all_operations(int *cells, u64 *wide, unsigned *old, u64 *old_wide, int t, int threads) {
    unsigned *ucells = (unsigned *)cells;
    keep(old, 0, threads, t, atomicAdd(cells + 0, t));
    keep(old, 1, threads, t, atomicSub(cells + 1, t));
    keep(old, 2, threads, t, atomicMax(cells + 2, t));
    keep(old, 3, threads, t, atomicMin(cells + 3, -t));
    keep(old, 4, threads, t, atomicAnd(cells + 4, ~(1 << (t & 31))));
    keep(old, 5, threads, t, atomicOr(cells + 5, 1 << (t & 31)));
    keep(old, 6, threads, t, atomicXor(cells + 6, t));
    keep(old, 7, threads, t, atomicExch(cells + 7, t));
    keep(old, 8, threads, t, atomicCAS(cells + 8, t, t + 1));
    keep(old, 9, threads, t, atomicInc(ucells + 9, 17u));
    keep(old, 10, threads, t, atomicDec(ucells + 10, 9u));
    keep(old, 11, threads, t, atomicMax(ucells + 11, 0x80000000u + t));
    keep(old, 12, threads, t, atomicMin(ucells + 12, 0xffffff00u - t));
    u64 big = 0x100000001ull * t;
    keep(old_wide, 0, threads, t, atomicAdd(wide + 0, big));
    keep(old_wide, 1, threads, t, atomicMax(wide + 1, big));
    keep(old_wide, 2, threads, t, atomicMin(wide + 2, ~big));
    keep(old_wide, 3, threads, t, atomicCAS(wide + 3, big, big + 0x100000001ull));
    keep(old_wide, 4, threads, t, atomicExch(wide + 4, big));
    keep(old_wide, 5, threads, t, atomicAnd(wide + 5, ~(1ull << (t & 63))));
    keep(old_wide, 6, threads, t, atomicOr(wide + 6, 1ull << (t & 63)));
    keep(old_wide, 7, threads, t, atomicXor(wide + 7, big));
}

// The cells in memory. Launch: any one-dimensional; `old` and `old_wide` have room for 13 and 8 values per thread.
extern "C" __global__ void global_atomics(int *cells, u64 *wide, float *f, double *d, unsigned *old, u64 *old_wide) {
    int t = blockIdx.x * blockDim.x + threadIdx.x, threads = gridDim.x * blockDim.x;
    all_operations(cells, wide, old, old_wide, t, threads);
    atomicAdd(f, 1.5f);
    atomicAdd(d, 2.5);
}

// The cells in LDS, from where the workgroup's first wave copies them. Launch: one workgroup of at least 64 threads.
extern "C" __global__ void lds_atomics(int *cells, u64 *wide, float *f, unsigned *old, u64 *old_wide) {
    __shared__ int s[13];
    __shared__ u64 q[8];
    __shared__ float sums[16];
    int t = threadIdx.x;
    if (t < 13) s[t] = cells[t];
    if (t < 8) q[t] = wide[t];
    if (t < 16) sums[t] = f[t];
    __syncthreads();
    all_operations(s, q, old, old_wide, t, blockDim.x);
    atomicAdd(&sums[t & 15], 1.5f);
    __syncthreads();
    if (t < 13) cells[t] = s[t];
    if (t < 8) wide[t] = q[t];
    if (t < 16) f[t] = sums[t];
}
