// Every way to move bytes: each is checked on the host.
#include "check.h"
#include <cstring>
#include <vector>

static unsigned char pattern(size_t i, int seed) { return (unsigned char)(i * 131 + (i >> 8) * 7 + seed); }

static std::vector<unsigned char> filled(size_t n, int seed) {
    std::vector<unsigned char> v(n);
    for (size_t i = 0; i < n; i++) v[i] = pattern(i, seed);
    return v;
}

__global__ void add_one(unsigned char* p, size_t n) {
    size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
    if (i < n) p[i] += 1;
}

static void sizes() {
    // Around the borders of pages, of the staging buffers and of the copy engine's packets.
    for (size_t n : {1ul, 3ul, 64ul, 4095ul, 4097ul, 65536ul + 5, 1048576ul, (4ul << 20) + 17}) {
        auto from = filled(n, (int)n);
        std::vector<unsigned char> to(n);
        unsigned char *a, *b;
        HIP(hipMalloc(&a, n));
        HIP(hipMalloc(&b, n));
        HIP(hipMemcpy(a, from.data(), n, hipMemcpyHostToDevice));
        HIP(hipMemcpy(b, a, n, hipMemcpyDeviceToDevice));
        HIP(hipMemcpy(to.data(), b, n, hipMemcpyDeviceToHost));
        CHECK(from == to);
        HIP(hipMemset(a, 0x5a, n));
        HIP(hipMemcpy(to.data(), a, n, hipMemcpyDeviceToHost));
        for (unsigned char c : to) CHECK(c == 0x5a);
        HIP(hipFree(a));
        HIP(hipFree(b));
    }
}

static void rectangles() {
    const size_t width = 333, height = 57;
    auto from = filled(width * height, 9);
    std::vector<unsigned char> to(width * height);
    unsigned char* d;
    size_t pitch;
    HIP(hipMallocPitch((void**)&d, &pitch, width, height));
    HIP(hipMemcpy2D(d, pitch, from.data(), width, width, height, hipMemcpyHostToDevice));
    HIP(hipMemcpy2D(to.data(), width, d, pitch, width, height, hipMemcpyDeviceToHost));
    CHECK(from == to);
    HIP(hipFree(d));
}

static void host_memory() {
    const size_t n = (1 << 20) + 12;
    // Pinned, used by a kernel in place.
    unsigned char* pinned;
    HIP(hipHostMalloc(&pinned, n));
    for (size_t i = 0; i < n; i++) pinned[i] = pattern(i, 1);
    add_one<<<(n + 255) / 256, 256>>>(pinned, n);
    HIP(hipDeviceSynchronize());
    for (size_t i = 0; i < n; i++) CHECK(pinned[i] == (unsigned char)(pattern(i, 1) + 1));
    HIP(hipHostFree(pinned));
    // The program's own memory, at an odd address.
    std::vector<unsigned char> own = filled(n, 2);
    unsigned char* seen;
    HIP(hipHostRegister(own.data() + 5, n - 5, hipHostRegisterDefault));
    HIP(hipHostGetDevicePointer((void**)&seen, own.data() + 5, 0));
    add_one<<<(n + 255) / 256, 256>>>(seen, n - 5);
    HIP(hipDeviceSynchronize());
    for (size_t i = 0; i < n; i++) CHECK(own[i] == (unsigned char)(pattern(i, 2) + (i >= 5)));
    HIP(hipHostUnregister(own.data() + 5));
    // Managed.
    unsigned char* managed;
    HIP(hipMallocManaged((void**)&managed, n));
    for (size_t i = 0; i < n; i++) managed[i] = pattern(i, 3);
    add_one<<<(n + 255) / 256, 256>>>(managed, n);
    HIP(hipDeviceSynchronize());
    for (size_t i = 0; i < n; i++) CHECK(managed[i] == (unsigned char)(pattern(i, 3) + 1));
    HIP(hipFree(managed));
}

static void fresh_memory_is_zero() {
    const size_t n = 16 << 20;
    std::vector<unsigned char> to(n);
    for (int round = 0; round < 2; round++) {
        unsigned char* d;
        HIP(hipMalloc(&d, n));
        HIP(hipMemcpy(to.data(), d, n, hipMemcpyDeviceToHost));
        for (size_t i = 0; i < n; i++) CHECK(to[i] == 0);
        HIP(hipMemset(d, 0xee, n));
        HIP(hipDeviceSynchronize());
        HIP(hipFree(d));
    }
}

int main() {
    require_card();
    sizes();
    rectangles();
    host_memory();
    fresh_memory_is_zero();
    std::puts("copies are right");
    return 0;
}
