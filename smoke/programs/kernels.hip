// Kernels and the objects around them, one case by its name. Integers and exact floats are compared for equality.
#include "check.h"
#include <hip/hip_fp16.h>

#include <vector>

static const unsigned N = 10007;  // no multiple of a workgroup

template <class T> static std::vector<T> from_device(const T* from, size_t count) {
    std::vector<T> to(count);
    CHECK(hipMemcpy(to.data(), from, count * sizeof(T), hipMemcpyDeviceToHost));
    return to;
}

template <class T> static T* to_device(const std::vector<T>& from) {
    T* to = nullptr;
    CHECK(hipMalloc(&to, from.size() * sizeof(T)));
    CHECK(hipMemcpy(to, from.data(), from.size() * sizeof(T), hipMemcpyHostToDevice));
    return to;
}

__global__ void saxpy_kernel(float a, const float* x, float* y, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a * x[i] + y[i];
}

static void saxpy() {
    std::vector<float> x(N), y(N);
    for (unsigned i = 0; i < N; ++i) x[i] = float(i % 1000), y[i] = float(i % 77);
    float *dx = to_device(x), *dy = to_device(y);
    saxpy_kernel<<<(N + 255) / 256, 256>>>(2.0f, dx, dy, N);
    CHECK(hipGetLastError());
    std::vector<float> result = from_device(dy, N);
    for (unsigned i = 0; i < N; ++i) REQUIRE(result[i] == 2.0f * x[i] + y[i]);
    CHECK(hipFree(dx));
    CHECK(hipFree(dy));
}

__global__ void reverse_kernel(const int* in, int* out) {
    __shared__ int tile[256];
    tile[threadIdx.x] = in[blockIdx.x * 256 + threadIdx.x];
    __syncthreads();
    out[blockIdx.x * 256 + threadIdx.x] = tile[255 - threadIdx.x];
}

static void lds() {
    std::vector<int> in(256 * 9);
    for (size_t i = 0; i < in.size(); ++i) in[i] = int(i * 7 + 1);
    int *din = to_device(in), *dout = to_device(std::vector<int>(in.size(), 0));
    reverse_kernel<<<9, 256>>>(din, dout);
    CHECK(hipGetLastError());
    std::vector<int> out = from_device(dout, in.size());
    for (size_t i = 0; i < in.size(); ++i) REQUIRE(out[i] == in[i / 256 * 256 + 255 - i % 256]);
}

__global__ void count_kernel(unsigned* counts, unsigned long long* sum, int* largest) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    atomicAdd(&counts[i % 16], 1u);
    atomicAdd(sum, (unsigned long long)i);
    atomicMax(largest, int(i * 2654435761u >> 8));
}

static void atomics() {
    unsigned* counts = to_device(std::vector<unsigned>(16, 0));
    unsigned long long* sum = to_device(std::vector<unsigned long long>(1, 0));
    int* largest = to_device(std::vector<int>(1, 0));
    count_kernel<<<64, 256>>>(counts, sum, largest);
    CHECK(hipGetLastError());
    unsigned total = 64 * 256;
    for (unsigned count : from_device(counts, 16)) REQUIRE(count == total / 16);
    REQUIRE(from_device(sum, 1)[0] == (unsigned long long)total * (total - 1) / 2);
    int expected = 0;
    for (unsigned i = 0; i < total; ++i) expected = std::max(expected, int(i * 2654435761u >> 8));
    REQUIRE(from_device(largest, 1)[0] == expected);
}

__global__ void print_kernel(int value) {
    printf("smoke %d from thread %u of %s\n", value, unsigned(threadIdx.x), "a kernel");
}

static void print() {
    print_kernel<<<1, 2>>>(42);
    CHECK(hipGetLastError());
    CHECK(hipDeviceSynchronize());
}

__global__ void shuffle_kernel(int* out) {
    int lane = threadIdx.x;
    int sum = lane;
    for (int mask = 1; mask < warpSize; mask *= 2) sum += __shfl_xor(sum, mask);
    out[lane] = sum;
    out[64 + lane] = __shfl_up(lane, 3);
    out[128 + lane] = __popcll(__ballot(lane % 3 == 0));
}

static void shuffle() {
    int* out = to_device(std::vector<int>(192, -1));
    shuffle_kernel<<<1, 64>>>(out);
    CHECK(hipGetLastError());
    std::vector<int> result = from_device(out, 192);
    for (int lane = 0; lane < 64; ++lane) {
        REQUIRE(result[lane] == 63 * 64 / 2);
        REQUIRE(result[64 + lane] == (lane < 3 ? lane : lane - 3));
        REQUIRE(result[128 + lane] == 22);
    }
}

__global__ void double_kernel(const double* a, const double* b, double* out, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = a[i] / b[i], out[n + i] = fma(a[i], b[i], 1.0), out[2 * n + i] = sqrt(b[i]);
}

static void doubles() {
    std::vector<double> a(N), b(N);
    for (unsigned i = 0; i < N; ++i) a[i] = 1.0 + i * 0.37, b[i] = 3.0 + i * 1.91;
    double *da = to_device(a), *db = to_device(b), *out = to_device(std::vector<double>(3 * N, 0.0));
    double_kernel<<<(N + 63) / 64, 64>>>(da, db, out, N);
    CHECK(hipGetLastError());
    std::vector<double> result = from_device(out, 3 * N);
    for (unsigned i = 0; i < N; ++i) {
        REQUIRE(result[i] == a[i] / b[i]);
        REQUIRE(result[N + i] == __builtin_fma(a[i], b[i], 1.0));
        REQUIRE(result[2 * N + i] == __builtin_sqrt(b[i]));
    }
}

__global__ void half_kernel(const float* in, float* out, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = __half2float(__hadd(__float2half(in[i]), __float2half(0.5f)));
}

static void half_precision() {
    std::vector<float> in(1000);
    for (unsigned i = 0; i < in.size(); ++i) in[i] = float(i) * 0.5f;  // exact in binary16, and so are the sums
    float *din = to_device(in), *out = to_device(std::vector<float>(in.size(), 0.0f));
    half_kernel<<<4, 256>>>(din, out, unsigned(in.size()));
    CHECK(hipGetLastError());
    std::vector<float> result = from_device(out, in.size());
    for (unsigned i = 0; i < in.size(); ++i) REQUIRE(result[i] == in[i] + 0.5f);
}

static void streams() {
    hipStream_t one, two;
    hipEvent_t start, done;
    CHECK(hipStreamCreate(&one));
    CHECK(hipStreamCreateWithFlags(&two, hipStreamNonBlocking));
    CHECK(hipEventCreate(&start));
    CHECK(hipEventCreate(&done));
    std::vector<float> x(N, 1.0f), y(N, 0.0f);
    float *dx = to_device(x), *dy = to_device(y);
    CHECK(hipEventRecord(start, one));
    for (int i = 0; i < 10; ++i) saxpy_kernel<<<(N + 255) / 256, 256, 0, one>>>(1.0f, dx, dy, N);
    CHECK(hipEventRecord(done, one));
    CHECK(hipStreamWaitEvent(two, done, 0));
    saxpy_kernel<<<(N + 255) / 256, 256, 0, two>>>(5.0f, dx, dy, N);
    CHECK(hipStreamSynchronize(two));
    float milliseconds = -1.0f;
    CHECK(hipEventElapsedTime(&milliseconds, start, done));
    REQUIRE(milliseconds >= 0.0f);
    for (float value : from_device(dy, N)) REQUIRE(value == 15.0f);
    CHECK(hipStreamDestroy(one));
    CHECK(hipStreamDestroy(two));
}

static void graph() {
    hipStream_t stream;
    hipGraph_t graph;
    hipGraphExec_t executable;
    CHECK(hipStreamCreate(&stream));
    std::vector<float> x(N, 2.0f), y(N, 1.0f);
    float *dx = to_device(x), *dy = to_device(y);
    CHECK(hipStreamBeginCapture(stream, hipStreamCaptureModeThreadLocal));
    saxpy_kernel<<<(N + 255) / 256, 256, 0, stream>>>(3.0f, dx, dy, N);
    CHECK(hipStreamEndCapture(stream, &graph));
    CHECK(hipGraphInstantiate(&executable, graph, nullptr, nullptr, 0));
    for (int i = 0; i < 3; ++i) CHECK(hipGraphLaunch(executable, stream));
    CHECK(hipStreamSynchronize(stream));
    for (float value : from_device(dy, N)) REQUIRE(value == 19.0f);
    CHECK(hipGraphExecDestroy(executable));
    CHECK(hipGraphDestroy(graph));
}

// The code object's path is the second argument.
static void module(const char* path) {
    hipModule_t module;
    hipFunction_t function;
    CHECK(hipModuleLoad(&module, path));
    CHECK(hipModuleGetFunction(&function, module, "twice"));
    std::vector<int> in(64);
    for (int i = 0; i < 64; ++i) in[i] = i * 3;
    int* data = to_device(in);
    void* arguments[] = {&data};
    CHECK(hipModuleLaunchKernel(function, 1, 1, 1, 64, 1, 1, 0, nullptr, arguments, nullptr));
    CHECK(hipDeviceSynchronize());
    std::vector<int> result = from_device(data, 64);
    for (int i = 0; i < 64; ++i) REQUIRE(result[i] == 2 * in[i]);
    CHECK(hipModuleUnload(module));
}

extern "C" __global__ void twice(int* data) { data[threadIdx.x] *= 2; }

__global__ void abort_kernel(int value) {
    if (value == int(threadIdx.x)) __builtin_trap();
}

// The runtime must end the process: returning at all is the failure.
static void aborts() {
    abort_kernel<<<1, 64>>>(7);
    CHECK(hipGetLastError());
    CHECK(hipDeviceSynchronize());
    std::printf("the device went on after a trap\n");
}

int main(int count, char** arguments) {
    const char* name = count > 1 ? arguments[1] : "";
    struct { const char* name; void (*run)(); } cases[] = {
        {"saxpy", saxpy}, {"lds", lds}, {"atomics", atomics}, {"printf", print}, {"shuffle", shuffle},
        {"doubles", doubles}, {"half", half_precision}, {"streams", streams}, {"graph", graph}, {"trap", aborts},
    };
    int devices = 0;
    CHECK(hipGetDeviceCount(&devices));
    REQUIRE(devices > 0);
    if (std::strcmp(name, "module") == 0 && count > 2) {
        module(arguments[2]);
        std::printf("%s: right\n", name);
        return 0;
    }
    for (auto& one : cases) {
        if (std::strcmp(name, one.name) == 0) {
            one.run();
            CHECK(hipDeviceSynchronize());
            std::printf("%s: right\n", name);
            return 0;
        }
    }
    std::fprintf(stderr, "no such case: %s\n", name);
    return 2;
}
