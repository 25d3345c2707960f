// rocPRIM: reduce, scan and sort, exact.
#include "check.h"
#include <rocprim/rocprim.hpp>

#include <algorithm>
#include <numeric>
#include <vector>

int main() {
    const size_t n = 50021;
    std::vector<unsigned> in(n), out(n);
    for (size_t i = 0; i < n; ++i) in[i] = unsigned(i * 2654435761u) >> 12;
    unsigned *din, *dout;
    CHECK(hipMalloc(&din, n * sizeof(unsigned)));
    CHECK(hipMalloc(&dout, n * sizeof(unsigned)));
    CHECK(hipMemcpy(din, in.data(), n * sizeof(unsigned), hipMemcpyHostToDevice));
    void* storage = nullptr;
    size_t bytes = 0, most = 0;
    CHECK(rocprim::reduce(nullptr, bytes, din, dout, 0u, n, rocprim::plus<unsigned>()));
    most = std::max(most, bytes);
    CHECK(rocprim::inclusive_scan(nullptr, bytes, din, dout, n, rocprim::plus<unsigned>()));
    most = std::max(most, bytes);
    CHECK(rocprim::radix_sort_keys(nullptr, bytes, din, dout, n));
    most = std::max(most, bytes);
    CHECK(hipMalloc(&storage, most));

    bytes = most;
    CHECK(rocprim::reduce(storage, bytes, din, dout, 0u, n, rocprim::plus<unsigned>()));
    CHECK(hipMemcpy(out.data(), dout, sizeof(unsigned), hipMemcpyDeviceToHost));
    REQUIRE(out[0] == std::accumulate(in.begin(), in.end(), 0u));

    bytes = most;
    CHECK(rocprim::inclusive_scan(storage, bytes, din, dout, n, rocprim::plus<unsigned>()));
    CHECK(hipMemcpy(out.data(), dout, n * sizeof(unsigned), hipMemcpyDeviceToHost));
    unsigned sum = 0;
    for (size_t i = 0; i < n; ++i) REQUIRE(out[i] == (sum += in[i]));

    bytes = most;
    CHECK(rocprim::radix_sort_keys(storage, bytes, din, dout, n));
    CHECK(hipMemcpy(out.data(), dout, n * sizeof(unsigned), hipMemcpyDeviceToHost));
    std::sort(in.begin(), in.end());
    REQUIRE(in == out);
    std::printf("reduce, scan and radix sort of %zu numbers: exact\n", n);
    return 0;
}
