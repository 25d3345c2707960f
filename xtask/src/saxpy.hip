// SAXPY as a HIP C++ program: each chroot compiles it with its own hipcc and runs it on the virtual Vega.
#include <hip/hip_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

static void check(hipError_t error, const char* call) {
    if (error != hipSuccess) {
        std::fprintf(stderr, "%s: %s\n", call, hipGetErrorString(error));
        std::exit(1);
    }
}
#define CHECK(call) check((call), #call)

__global__ void saxpy(float a, const float* x, float* y, unsigned n) {
    unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        y[i] = a * x[i] + y[i];
    }
}

// Runs on the current device and returns the largest difference from the host's result.
static float run(unsigned n) {
    std::vector<float> x(n), y(n), expected(n);
    for (unsigned i = 0; i < n; ++i) {
        x[i] = static_cast<float>(i % 1000);
        y[i] = static_cast<float>(i % 77);
        expected[i] = 2.0f * x[i] + y[i];  // exact in binary32, fused or not
    }
    float *dx = nullptr, *dy = nullptr;
    CHECK(hipMalloc(&dx, n * sizeof(float)));
    CHECK(hipMalloc(&dy, n * sizeof(float)));
    CHECK(hipMemcpy(dx, x.data(), n * sizeof(float), hipMemcpyHostToDevice));
    CHECK(hipMemcpy(dy, y.data(), n * sizeof(float), hipMemcpyHostToDevice));
    saxpy<<<(n + 255) / 256, 256>>>(2.0f, dx, dy, n);
    CHECK(hipGetLastError());
    CHECK(hipDeviceSynchronize());
    CHECK(hipMemcpy(y.data(), dy, n * sizeof(float), hipMemcpyDeviceToHost));
    CHECK(hipFree(dx));
    CHECK(hipFree(dy));
    float error = 0.0f;
    for (unsigned i = 0; i < n; ++i) {
        float difference = y[i] > expected[i] ? y[i] - expected[i] : expected[i] - y[i];
        error = difference > error ? difference : error;
    }
    return error;
}

int main() {
    int count = 0;
    CHECK(hipGetDeviceCount(&count));
    float worst = 0.0f;
    for (int device = 0; device < count; ++device) {
        hipDeviceProp_t properties;
        CHECK(hipGetDeviceProperties(&properties, device));
        CHECK(hipSetDevice(device));
        float error = run(100003);
        std::printf("device %d: %s, %s: SAXPY error %g\n", device, properties.name, properties.gcnArchName, error);
        worst = error > worst ? error : worst;
    }
    return count > 0 && worst == 0.0f ? 0 : 1;
}
