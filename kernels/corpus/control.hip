// Calls, stacks, tables of code, and pointers that may be to any memory.
#include <hip/hip_runtime.h>

__device__ __noinline__ int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

// Real recursion, to a depth that differs from lane to lane. Launch: one workgroup with a thread per element.
extern "C" __global__ void recursion(int *out) { out[threadIdx.x] = fibonacci(threadIdx.x & 7); }

typedef float (*Function)(float);
__device__ __noinline__ float plus_one(float x) { return x + 1; }
__device__ __noinline__ float twice(float x) { return x * 2; }
__device__ __noinline__ float root(float x) { return sqrtf(x); }
__device__ Function functions[3] = {plus_one, twice, root};

// Calls through a table, a different entry in each lane. Launch: one workgroup with a thread per element.
extern "C" __global__ void function_pointers(const int *which, float *values) {
    values[threadIdx.x] = functions[which[threadIdx.x]](values[threadIdx.x]);
}

struct Shape {
    __device__ virtual float of(float) = 0;
};
struct Plus : Shape {
    __device__ float of(float x) override { return x + 3; }
};
struct Times : Shape {
    __device__ float of(float x) override { return x * 3; }
};

// Virtual calls on objects in scratch memory. Launch: one workgroup with a thread per element.
extern "C" __global__ void virtual_calls(const int *which, float *values) {
    Plus plus;
    Times times;
    Shape *shape = which[threadIdx.x] ? (Shape *)&plus : (Shape *)&times;
    values[threadIdx.x] = shape->of(values[threadIdx.x]);
}

// Arrays of three widths in scratch memory, with indices that differ from lane to lane. Launch: one workgroup of 64 threads;
// `in` has 64 elements per thread, all of them less than 64 and not negative.
extern "C" __global__ void private_arrays(const int *in, int *out, int n) {
    int words[64];
    for (int i = 0; i < 64; i++) words[i] = in[i * 64 + threadIdx.x];
    int z = 0;
    for (int i = 0; i < n; i++) {
        words[i & 63] += z;
        z += words[words[i & 63] & 63];
    }
    unsigned char bytes[32];
    for (int i = 0; i < 32; i++) bytes[i] = z >> i;
    out[threadIdx.x] = z + bytes[z & 31];
    short shorts[16];
    for (int i = 0; i < 16; i++) shorts[i] = z + i;
    out[threadIdx.x] += shorts[z & 15];
}

// Six ways, taken by neighbouring lanes. Launch: one workgroup with a thread per element.
extern "C" __global__ void six_ways(const int *which, float *values) {
    int t = threadIdx.x;
    float x = values[t];
    switch (which[t]) {
    case 0: x = sinf(x); break;
    case 1: x = x * x; break;
    case 2: x = sqrtf(x); break;
    case 3: x = 1 / x; break;
    case 4: x = expf(x); break;
    default: x = -x;
    }
    values[t] = x;
}

// A pointer to LDS if k is odd, else to memory: FLAT instructions. Launch: one workgroup of 64 threads.
extern "C" __global__ void generic_pointer(int *memory, int *out, int k) {
    __shared__ int local[64];
    int t = threadIdx.x;
    int *p = (k & 1) ? local : memory;
    p[t] = k + t;
    __syncthreads();
    out[t] = p[63 - t];
    __syncthreads();
    atomicAdd(p, 1);
    __syncthreads();
    memory[t] = p[t];
}
