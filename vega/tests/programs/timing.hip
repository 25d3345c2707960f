// Time as the card tells it: events, launches with events, clocks of kernels. And graphs, which order work.
#include "check.h"
#include <chrono>
#include <hip/hip_ext.h>
#include <vector>

// The card's constant clock.
__device__ long long wall_clock() {
#if __HIP_DEVICE_COMPILE__
    return __builtin_amdgcn_s_memrealtime();
#else
    return 0;
#endif
}

__global__ void spin(long long* clocks, int rounds) {
    long long began = wall_clock();
    long long cycles = clock64();
    float x = threadIdx.x;
    for (int i = 0; i < rounds; i++) x = x * 1.0001f + 0.5f;
    if (x == 12345.0f) clocks[9] = 1;
    if (threadIdx.x == 0) {
        clocks[0] = began;
        clocks[1] = wall_clock();
        clocks[2] = clock64() - cycles;
    }
}

__global__ void step(unsigned* p, unsigned a, unsigned b) { p[threadIdx.x] = p[threadIdx.x] * a + b; }

static double seconds() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

static float between(hipEvent_t a, hipEvent_t b) {
    float ms = -1;
    HIP(hipEventElapsedTime(&ms, a, b));
    return ms;
}

static void events(long long* clocks) {
    hipStream_t stream;
    HIP(hipStreamCreate(&stream));
    hipEvent_t a, b, c;
    for (hipEvent_t* event : {&a, &b, &c}) HIP(hipEventCreate(event));
    double began = seconds();
    HIP(hipEventRecord(a, stream));
    spin<<<1, 64, 0, stream>>>(clocks, 20000);
    HIP(hipEventRecord(b, stream));
    spin<<<1, 64, 0, stream>>>(clocks, 20000);
    HIP(hipEventRecord(c, stream));
    HIP(hipStreamSynchronize(stream));
    double took = (seconds() - began) * 1000;
    CHECK(between(a, b) > 0 && between(b, c) > 0 && between(a, c) >= between(a, b));
    CHECK(between(a, c) <= took * 1.01 + 0.1);
    // Ticks of 27 MHz; a shader clock of 1,590 MHz.
    double ticks = clocks[1] - clocks[0];
    CHECK(ticks > 0 && ticks / 27e3 < took && clocks[2] > 0);
    CHECK(ticks / 27e3 <= between(b, c) + 0.1);
    // The kernel's own time, not that of what lies between two events.
    hipEvent_t start, stop;
    HIP(hipEventCreate(&start));
    HIP(hipEventCreate(&stop));
    int rounds = 20000;
    for (int i = 0; i < 3; i++) {
        began = seconds();
        hipExtLaunchKernelGGL(spin, dim3(1), dim3(64), 0, stream, start, stop, 0, clocks, rounds);
        HIP(hipStreamSynchronize(stream));
        took = (seconds() - began) * 1000;
        float kernel = between(start, stop);
        ticks = clocks[1] - clocks[0];
        CHECK(kernel > 0 && kernel <= took && ticks / 27e3 <= kernel + 0.001);
    }
    HIP(hipStreamDestroy(stream));
}

static void graphs(unsigned* p) {
    // Captured: two streams that fork and join.
    hipStream_t a, b;
    hipEvent_t fork, join;
    HIP(hipStreamCreate(&a));
    HIP(hipStreamCreate(&b));
    HIP(hipEventCreate(&fork));
    HIP(hipEventCreate(&join));
    unsigned* q = p + 64;
    std::vector<unsigned> host(64);
    hipGraph_t graph;
    hipGraphExec_t exec;
    HIP(hipStreamBeginCapture(a, hipStreamCaptureModeGlobal));
    HIP(hipMemsetAsync(p, 0, 64 * 8, a));
    step<<<1, 64, 0, a>>>(p, 1, 5);
    HIP(hipEventRecord(fork, a));
    HIP(hipStreamWaitEvent(b, fork, 0));
    step<<<1, 64, 0, b>>>(q, 1, 7);
    step<<<1, 64, 0, a>>>(p, 3, 1);
    HIP(hipEventRecord(join, b));
    HIP(hipStreamWaitEvent(a, join, 0));
    HIP(hipMemcpyAsync(host.data(), q, 64 * 4, hipMemcpyDeviceToHost, a));
    HIP(hipStreamEndCapture(a, &graph));
    HIP(hipGraphInstantiate(&exec, graph, nullptr, nullptr, 0));
    for (int i = 0; i < 10; i++) {
        HIP(hipGraphLaunch(exec, a));
        step<<<1, 64, 0, a>>>(p, 2, 0);
        HIP(hipStreamSynchronize(a));
        for (unsigned x : host) CHECK(x == 7);
        std::vector<unsigned> got(64);
        HIP(hipMemcpy(got.data(), p, 64 * 4, hipMemcpyDeviceToHost));
        for (unsigned x : got) CHECK(x == 32);
    }
    HIP(hipGraphExecDestroy(exec));
    HIP(hipGraphDestroy(graph));
}

int main() {
    require_card();
    long long* clocks;
    unsigned* p;
    HIP(hipHostMalloc(&clocks, 4096));
    HIP(hipMalloc(&p, 4096));
    events(clocks);
    graphs(p);
    std::puts("times and graphs are right");
    return 0;
}
