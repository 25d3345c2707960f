// The card is a Vega 56 in everything that a program can ask.
#include "check.h"
#include <cstring>

int main() {
    int count = 0;
    HIP(hipGetDeviceCount(&count));
    const char* wanted = std::getenv("CARDS");
    CHECK(count == (wanted ? std::atoi(wanted) : 1));
    for (int i = 0; i < count; i++) {
        hipDeviceProp_t p;
        HIP(hipGetDeviceProperties(&p, i));
        std::printf("%s %s %zu MiB\n", p.name, p.gcnArchName, p.totalGlobalMem >> 20);
        CHECK(std::strstr(p.name, "(virtual)"));
        CHECK(std::strncmp(p.gcnArchName, "gfx900", 6) == 0);
        CHECK(p.multiProcessorCount == 56 && p.warpSize == 64);
        CHECK(p.clockRate == 1590000 && p.memoryClockRate == 800000 && p.memoryBusWidth == 2048);
        CHECK(p.maxThreadsPerBlock == 1024 && p.sharedMemPerBlock == 65536);
        HIP(hipSetDevice(i));
        size_t free = 0, total = 0;
        HIP(hipMemGetInfo(&free, &total));
        CHECK(total > (7ull << 30) && free <= total && free > total - (1ull << 30));
        void* block;
        HIP(hipMalloc(&block, 256 << 20));
        size_t less = 0;
        HIP(hipMemGetInfo(&less, &total));
        CHECK(less + (256 << 20) <= free);
        HIP(hipFree(block));
        HIP(hipMemGetInfo(&less, &total));
        CHECK(less > free - (64 << 20));
    }
    return 0;
}
