// Streams, events, callbacks, a graph and eight threads at once.
#include "check.h"
#include <atomic>
#include <thread>
#include <vector>

__global__ void add(int n, const int* a, const int* b, int* c) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) c[i] = a[i] + b[i];
}

static std::atomic<int> calls;

static void one_stream(int seed) {
    const int n = 10000;
    hipStream_t stream;
    HIP(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
    hipEvent_t start, end;
    HIP(hipEventCreate(&start));
    HIP(hipEventCreate(&end));
    int *a, *b, *host;
    HIP(hipMalloc(&a, n * sizeof(int)));
    HIP(hipMalloc(&b, n * sizeof(int)));
    HIP(hipHostMalloc(&host, n * sizeof(int)));
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < n; i++) host[i] = i * seed + round;
        HIP(hipEventRecord(start, stream));
        HIP(hipMemcpyAsync(a, host, n * sizeof(int), hipMemcpyHostToDevice, stream));
        add<<<(n + 127) / 128, 128, 0, stream>>>(n, a, a, b);
        add<<<(n + 127) / 128, 128, 0, stream>>>(n, a, b, b);
        HIP(hipMemcpyAsync(host, b, n * sizeof(int), hipMemcpyDeviceToHost, stream));
        HIP(hipStreamAddCallback(stream, [](hipStream_t, hipError_t, void*) { calls++; }, nullptr, 0));
        HIP(hipEventRecord(end, stream));
        HIP(hipEventSynchronize(end));
        float ms = -1;
        HIP(hipEventElapsedTime(&ms, start, end));
        CHECK(ms >= 0 && ms < 60000);
        for (int i = 0; i < n; i++) CHECK(host[i] == 3 * (i * seed + round));
    }
    HIP(hipStreamSynchronize(stream));
    HIP(hipHostFree(host));
    HIP(hipFree(a));
    HIP(hipFree(b));
    HIP(hipEventDestroy(start));
    HIP(hipEventDestroy(end));
    HIP(hipStreamDestroy(stream));
}

static void one_graph() {
    const int n = 1000;
    int *a, *b;
    std::vector<int> host(n, 7), result(n);
    HIP(hipMalloc(&a, n * sizeof(int)));
    HIP(hipMalloc(&b, n * sizeof(int)));
    HIP(hipMemcpy(a, host.data(), n * sizeof(int), hipMemcpyHostToDevice));
    HIP(hipMemset(b, 0, n * sizeof(int)));
    hipStream_t stream;
    HIP(hipStreamCreate(&stream));
    HIP(hipStreamBeginCapture(stream, hipStreamCaptureModeGlobal));
    add<<<(n + 63) / 64, 64, 0, stream>>>(n, a, b, b);
    hipGraph_t graph;
    HIP(hipStreamEndCapture(stream, &graph));
    hipGraphExec_t executable;
    HIP(hipGraphInstantiate(&executable, graph, nullptr, nullptr, 0));
    for (int i = 0; i < 5; i++) HIP(hipGraphLaunch(executable, stream));
    HIP(hipStreamSynchronize(stream));
    HIP(hipMemcpy(result.data(), b, n * sizeof(int), hipMemcpyDeviceToHost));
    for (int v : result) CHECK(v == 35);
}

int main() {
    require_card();
    one_stream(1);
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; t++) threads.emplace_back(one_stream, t + 2);
    for (auto& thread : threads) thread.join();
    HIP(hipDeviceSynchronize());
    CHECK(calls == 90);
    one_graph();
    std::puts("streams are right");
    return 0;
}
