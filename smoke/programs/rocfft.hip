// rocFFT: an impulse becomes ones, and the energy of a signal is kept.
#include "check.h"
#include <rocfft/rocfft.h>

#include <cmath>
#include <vector>

#define FFT(call) require((call) == rocfft_status_success, #call, __LINE__)

int main() {
    const size_t n = 1024;
    std::vector<float2> signal(n, float2{0, 0}), result(n);
    FFT(rocfft_setup());
    rocfft_plan plan = nullptr;
    FFT(rocfft_plan_create(&plan, rocfft_placement_inplace, rocfft_transform_type_complex_forward,
                           rocfft_precision_single, 1, &n, 1, nullptr));
    float2* device;
    CHECK(hipMalloc(&device, n * sizeof(float2)));
    auto transform = [&] {
        CHECK(hipMemcpy(device, signal.data(), n * sizeof(float2), hipMemcpyHostToDevice));
        void* buffers[] = {device};
        FFT(rocfft_execute(plan, buffers, nullptr, nullptr));
        CHECK(hipDeviceSynchronize());
        CHECK(hipMemcpy(result.data(), device, n * sizeof(float2), hipMemcpyDeviceToHost));
    };
    signal[0] = float2{1, 0};
    transform();
    for (float2 value : result) REQUIRE(value.x == 1.0f && value.y == 0.0f);
    double before = 0, after = 0;
    for (size_t i = 0; i < n; ++i) {
        signal[i] = float2{float(int(i * 2654435761u >> 20) % 100) / 100, float(int(i) % 13) / 13};
        before += double(signal[i].x) * signal[i].x + double(signal[i].y) * signal[i].y;
    }
    transform();
    for (float2 value : result) after += double(value.x) * value.x + double(value.y) * value.y;
    REQUIRE(std::fabs(after / n - before) < 1e-5 * before);
    std::printf("transforms of %zu points: impulse exact, energy kept\n", n);
    return 0;
}
