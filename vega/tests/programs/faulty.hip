// Kernels that go wrong, each in its own way; the marks tell the test which line is at fault.
#include "check.h"
#include <cassert>
#include <cstring>
#include <unistd.h>

template <class T>
__device__ __forceinline__ void put(T* where, T value) {
    *where = value; // at fault: store
}

template <class T>
__global__ void store(T* out, size_t far) {
    const bool guilty = blockIdx.x == 2 && blockIdx.y == 1 && threadIdx.x == 69;
    put(out + (guilty ? far : threadIdx.x), T(1)); // calls: store
}

__global__ void misaligned(unsigned* counter) {
    atomicAdd((unsigned*)((char*)counter + 2), 1u); // at fault: misaligned
}

__global__ void neighbours(float* out, int step) {
    __shared__ float lds[64];
    lds[threadIdx.x] = threadIdx.x;
    __syncthreads();
    out[threadIdx.x] = lds[threadIdx.x + step]; // at fault: lds
}

__global__ void illegal() {
    asm volatile(".long 0xbfff0000"); // at fault: illegal
}

__device__ __noinline__ int deeper(volatile int* out, int depth) {
    volatile int frame[16];
    frame[depth & 15] = depth;
    return deeper(out, depth + 1) + frame[(depth + 1) & 15];
}

__global__ void bottomless(volatile int* out) { *out = deeper(out, threadIdx.x); }

typedef int (*Function)(int);
__device__ __noinline__ int twice(int x) { return 2 * x; }
__device__ Function functions[2] = {twice, nullptr};

__global__ void call(int* out, int which) {
    out[threadIdx.x] = functions[which](threadIdx.x); // at fault: call
}

__global__ void forever(volatile int* flag) {
    while (*flag == 0) {
    }
}

__global__ void race(volatile unsigned* sum) {
    for (int round = 0; round < 100; round++) *sum = *sum + 1;
}

__global__ void triple(unsigned* out) { out[threadIdx.x] = 3 * threadIdx.x; }

int main(int argc, char** argv) {
    require_card();
    const char* what = argc > 1 ? argv[1] : "";
    auto is = [&](const char* name) { return !std::strcmp(what, name); };
    unsigned* data;
    const size_t bytes = 1 << 20;
    HIP(hipMalloc(&data, bytes));
    HIP(hipMemset(data, 0, bytes));
    unsigned host[64] = {};
    auto fetch = [&] { HIP(hipMemcpy(host, data, sizeof host, hipMemcpyDeviceToHost)); };
    if (is("store")) {
        store<double><<<dim3(4, 3), 128>>>((double*)data, (size_t)1 << 32);
    } else if (is("misaligned")) {
        misaligned<<<1, 64>>>(data);
    } else if (is("lds")) {
        neighbours<<<1, 64>>>((float*)data, 8);
        fetch();
        // As on a card: what lies beyond is 0.
        float values[64];
        std::memcpy(values, host, sizeof values);
        for (int i = 0; i < 64; i++) CHECK(values[i] == (i + 8 < 64 ? i + 8 : 0));
        return 0;
    } else if (is("illegal")) {
        illegal<<<1, 64>>>();
    } else if (is("bottomless")) {
        bottomless<<<1, 64>>>((int*)data);
    } else if (is("call")) {
        call<<<1, 64>>>((int*)data, 0);
        fetch();
        for (unsigned i = 0; i < 64; i++) CHECK(host[i] == 2 * i);
        call<<<1, 64>>>((int*)data, 1);
    } else if (is("forever")) {
        forever<<<8, 256>>>((int*)data);
    } else if (is("race")) {
        race<<<1, 512>>>(data);
        fetch();
        std::printf("sum %u\n", host[0]);
        CHECK(host[0] != 0);
        return 0;
    } else {
        // Ends well, in each way that a program can end.
        triple<<<1, 64>>>(data);
        fetch();
        for (unsigned i = 0; i < 64; i++) CHECK(host[i] == 3 * i);
        if (is("_exit")) _exit(0);
        if (is("abort")) abort();
        if (is("assert")) assert(!"in the end");
        return 0;
    }
    hipError_t error = hipDeviceSynchronize();
    std::fprintf(stderr, "still alive: %s\n", hipGetErrorName(error));
    return 3;
}
