// What the card says of itself while it is used: free memory, out of memory, occupancy, a reset.
#include "check.h"
#include <vector>

__global__ void light(float* p) { p[threadIdx.x] = 1; }

// Needs many registers.
__global__ void __launch_bounds__(256) heavy(float* p) {
#if __HIP_DEVICE_COMPILE__
    asm volatile("v_mov_b32 v121, 0" ::: "v121");
#endif
    p[threadIdx.x] = 2;
}

__global__ void shared(float* p) {
    __shared__ float a[4096];
    for (int i = threadIdx.x; i < 4096; i += blockDim.x) a[i] = p[i];
    __syncthreads();
    p[threadIdx.x] = a[4095 - threadIdx.x];
}

static int occupancy(const void* kernel, int threads, size_t dynamic) {
    int blocks = -1;
    HIP(hipOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, kernel, threads, dynamic));
    return blocks;
}

static void occupancies() {
    // HIP counts 8 waves on each of 4 SIMDs.
    CHECK(occupancy((const void*)light, 64, 0) == 32 && occupancy((const void*)light, 1024, 0) == 2);
    CHECK(occupancy((const void*)light, 65, 0) == 16);
    CHECK(occupancy((const void*)light, 64, 65536) == 1 && occupancy((const void*)light, 64, 20000) == 3);
    CHECK(occupancy((const void*)shared, 64, 0) == 4 && occupancy((const void*)shared, 64, 16384) == 2);
    hipFuncAttributes attributes;
    HIP(hipFuncGetAttributes(&attributes, (const void*)heavy));
    CHECK(attributes.numRegs > 100);
    int by_registers = 4 * (256 / ((attributes.numRegs + 3) / 4 * 4));
    CHECK(occupancy((const void*)heavy, 64, 0) == by_registers);
    HIP(hipFuncGetAttributes(&attributes, (const void*)shared));
    CHECK(attributes.sharedSizeBytes == 16384 && attributes.maxThreadsPerBlock == 1024);
    int grid = 0, block = 0;
    HIP(hipOccupancyMaxPotentialBlockSize(&grid, &block, light, 0, 0));
    CHECK(block == 1024 && grid == 2 * 56);
}

static size_t free_now() {
    size_t left = 0, total = 0;
    HIP(hipMemGetInfo(&left, &total));
    CHECK(left <= total && total > (8000ull << 20) && total <= (8192ull << 20));
    return left;
}

static void works() {
    float* p;
    HIP(hipMalloc(&p, 256));
    light<<<1, 64>>>(p);
    float got[64];
    HIP(hipMemcpy(got, p, 256, hipMemcpyDeviceToHost));
    for (float x : got) CHECK(x == 1);
    HIP(hipFree(p));
}

static void memory() {
    size_t before = free_now();
    void* p;
    HIP(hipMalloc(&p, 1ull << 30));
    CHECK(before - free_now() >= 1ull << 30 && before - free_now() < (1ull << 30) + (64 << 20));
    HIP(hipFree(p));
    CHECK(free_now() + (64 << 20) >= before);
    // More than there is, at once and after one another; afterwards all is well.
    CHECK(hipMalloc(&p, 100ull << 30) == hipErrorOutOfMemory);
    CHECK(hipGetLastError() == hipErrorOutOfMemory && hipGetLastError() == hipSuccess);
    works();
    std::vector<void*> all;
    while (hipMalloc(&p, 700ull << 20) == hipSuccess) {
        all.push_back(p);
        CHECK(all.size() < 12);
    }
    CHECK(all.size() == 11 && hipGetLastError() == hipErrorOutOfMemory);
    CHECK(free_now() < 700ull << 20);
    works();
    for (void* q : all) HIP(hipFree(q));
    CHECK(free_now() + (64 << 20) >= before);
    works();
}

int main() {
    require_card();
    occupancies();
    memory();
    HIP(hipDeviceReset());
    works();
    size_t heap = 0;
    HIP(hipDeviceGetLimit(&heap, hipLimitMallocHeapSize));
    CHECK(heap >= 4 << 20);
    std::puts("limits are right");
    return 0;
}
