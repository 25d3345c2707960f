// What C++ and HIP allow in kernels: it only has to compile, in every mode.
#include <hip/hip_runtime.h>
#include <hip/hip_fp16.h>

struct Shape {
    __device__ virtual float area() const = 0;
    __device__ virtual ~Shape() {}
};

struct Square : Shape {
    float side;
    __device__ explicit Square(float s) : side(s) {}
    __device__ float area() const override { return side * side; }
};

__global__ void virtual_calls(float* out) {
    Square square(out[0]);
    const Shape* shape = &square;
    out[0] = shape->area();
}

__device__ int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

__global__ void recursion(int* out) { out[threadIdx.x] = fibonacci(threadIdx.x); }

__constant__ float table[16];
__device__ unsigned counter;

__global__ void globals(float* out) {
    out[threadIdx.x] = table[threadIdx.x % 16];
    atomicInc(&counter, 1000);
}

template <class T, int N> __global__ void unrolled(T* data) {
    T local[N];
#pragma unroll
    for (int i = 0; i < N; ++i) local[i] = data[threadIdx.x * N + i];
    for (int i = 0; i < N; ++i) data[threadIdx.x * N + i] = local[N - 1 - i] * local[(i * 3) % N];
}

template __global__ void unrolled<float, 4>(float*);
template __global__ void unrolled<double, 8>(double*);
template __global__ void unrolled<long long, 3>(long long*);

__global__ void halves(__half2* data) { data[threadIdx.x] = __hmul2(data[threadIdx.x], data[threadIdx.x + 1]); }

__global__ void dynamic_lds(int* data) {
    extern __shared__ int shared[];
    shared[threadIdx.x] = data[threadIdx.x];
    __syncthreads();
    data[threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

__global__ void fetch(hipTextureObject_t texture, float* out) {
    out[threadIdx.x] = tex2D<float>(texture, threadIdx.x + 0.5f, 0.5f);
}

__global__ void math(float* x, double* y) {
    x[0] = sinf(x[0]) + powf(x[1], x[2]) + erff(x[3]);
    y[0] = exp(y[0]) + lgamma(y[1]) + fmod(y[2], y[3]);
}

extern "C" __global__ void twice(int* data) { data[threadIdx.x] *= 2; }

#ifndef NO_MAIN
int main() { return 0; }
#endif
