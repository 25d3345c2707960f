// y = a * x + y, checked against the host, several times.
#include "check.h"
#include <cmath>
#include <vector>

__global__ void saxpy(int n, float a, const float* x, float* y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a * x[i] + y[i];
}

int main(int argc, char** argv) {
    require_card();
    const int n = argc > 1 ? std::atoi(argv[1]) : 100003;
    std::vector<float> x(n), y(n), result(n);
    for (int i = 0; i < n; i++) {
        x[i] = 0.25f * (i % 1001) - 100.0f;
        y[i] = 3.0f - 0.5f * (i % 77);
    }
    float *dx, *dy;
    HIP(hipMalloc(&dx, n * sizeof(float)));
    HIP(hipMalloc(&dy, n * sizeof(float)));
    for (int round = 0; round < 4; round++) {
        HIP(hipMemcpy(dx, x.data(), n * sizeof(float), hipMemcpyHostToDevice));
        HIP(hipMemcpy(dy, y.data(), n * sizeof(float), hipMemcpyHostToDevice));
        saxpy<<<(n + 255) / 256, 256>>>(n, 2.5f + round, dx, dy);
        HIP(hipGetLastError());
        HIP(hipMemcpy(result.data(), dy, n * sizeof(float), hipMemcpyDeviceToHost));
        for (int i = 0; i < n; i++) CHECK(result[i] == std::fma(2.5f + round, x[i], y[i]));
    }
    HIP(hipFree(dx));
    HIP(hipFree(dy));
    std::puts("saxpy is right");
    return 0;
}
