// rocThrust: sort and reduce, exact.
#include "check.h"
#include <thrust/device_vector.h>
#include <thrust/host_vector.h>
#include <thrust/reduce.h>
#include <thrust/sort.h>

#include <algorithm>

int main() {
    const size_t n = 30011;
    thrust::host_vector<int> host(n);
    for (size_t i = 0; i < n; ++i) host[i] = int(i * 2654435761u >> 9);
    thrust::device_vector<int> device = host;
    long long sum = thrust::reduce(device.begin(), device.end(), 0ll), expected = 0;
    for (size_t i = 0; i < n; ++i) expected += host[i];
    REQUIRE(sum == expected);
    thrust::sort(device.begin(), device.end());
    std::sort(host.begin(), host.end());
    thrust::host_vector<int> back = device;
    for (size_t i = 0; i < n; ++i) REQUIRE(back[i] == host[i]);
    std::printf("reduce and sort of %zu numbers: exact\n", n);
    return 0;
}
