// rocRAND: Sobol's sequence exactly; of the others, the same seed gives the same numbers, and they are uniform.
#include "check.h"
#include <rocrand/rocrand.h>

#include <cmath>
#include <vector>

#define RAND(call) require((call) == ROCRAND_STATUS_SUCCESS, #call, __LINE__)

static std::vector<float> uniform(rocrand_rng_type type, unsigned long long seed, size_t count) {
    rocrand_generator generator;
    float* device = nullptr;
    std::vector<float> numbers(count);
    CHECK(hipMalloc(&device, count * sizeof(float)));
    RAND(rocrand_create_generator(&generator, type));
    RAND(rocrand_set_seed(generator, seed));
    RAND(rocrand_generate_uniform(generator, device, count));
    CHECK(hipMemcpy(numbers.data(), device, count * sizeof(float), hipMemcpyDeviceToHost));
    RAND(rocrand_destroy_generator(generator));
    CHECK(hipFree(device));
    return numbers;
}

// The first dimension of Sobol's sequence, in Gray code order, is the reversed bits of the Gray code of each index.
static unsigned sobol(unsigned index) {
    unsigned gray = index ^ (index >> 1), reversed = 0;
    for (int bit = 0; bit < 32; ++bit) reversed |= (gray >> bit & 1u) << (31 - bit);
    return reversed;
}

static void exact(size_t count) {
    rocrand_generator generator;
    unsigned* device = nullptr;
    std::vector<unsigned> numbers(count);
    CHECK(hipMalloc(&device, count * sizeof(unsigned)));
    CHECK(hipMemset(device, 0xA5, count * sizeof(unsigned)));
    RAND(rocrand_create_generator(&generator, ROCRAND_RNG_QUASI_SOBOL32));
    RAND(rocrand_generate(generator, device, count));
    CHECK(hipMemcpy(numbers.data(), device, count * sizeof(unsigned), hipMemcpyDeviceToHost));
    RAND(rocrand_destroy_generator(generator));
    CHECK(hipFree(device));
    for (size_t i = 0; i < count; ++i) REQUIRE(numbers[i] == sobol(unsigned(i)));
}

int main() {
    const size_t n = 100000;
    exact(5000);
    for (rocrand_rng_type type : {ROCRAND_RNG_PSEUDO_PHILOX4_32_10, ROCRAND_RNG_PSEUDO_XORWOW}) {
        std::vector<float> one = uniform(type, 20260101, n), two = uniform(type, 20260101, n), other = uniform(type, 7, n);
        REQUIRE(one == two);
        REQUIRE(one != other);
        double sum = 0, squares = 0;
        for (float x : one) {
            REQUIRE(x > 0.0f && x <= 1.0f);
            sum += x, squares += double(x) * x;
        }
        // Five standard deviations of the mean, and of the mean square.
        REQUIRE(std::fabs(sum / n - 0.5) < 5 * 0.288675 / std::sqrt(double(n)));
        REQUIRE(std::fabs(squares / n - 1.0 / 3) < 5 * 0.298142 / std::sqrt(double(n)));
    }
    std::printf("Sobol's sequence: exact; two generators of %zu numbers: repeatable and uniform\n", n);
    return 0;
}
