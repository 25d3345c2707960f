// VRAM ends at 8 GB with the right error, and what was freed can be had again.
#include "check.h"
#include <vector>

__global__ void mark(unsigned* p, unsigned value) { p[threadIdx.x] = value + threadIdx.x; }

int main() {
    require_card();
    const size_t block = 512ull << 20;
    std::vector<unsigned*> blocks;
    for (int round = 0; round < 3; round++) {
        for (;;) {
            unsigned* p = nullptr;
            hipError_t error = hipMalloc((void**)&p, block);
            if (error == hipErrorOutOfMemory) break;
            HIP(error);
            mark<<<1, 64>>>(p, (unsigned)blocks.size() * 1000);
            blocks.push_back(p);
            CHECK(blocks.size() <= 16);
        }
        CHECK(blocks.size() == 15);
        CHECK(hipGetLastError() == hipErrorOutOfMemory);
        for (size_t i = 0; i < blocks.size(); i++) {
            unsigned got[64];
            HIP(hipMemcpy(got, blocks[i], sizeof got, hipMemcpyDeviceToHost));
            for (unsigned t = 0; t < 64; t++) CHECK(got[t] == i * 1000 + t);
        }
        for (unsigned* p : blocks) HIP(hipFree(p));
        blocks.clear();
    }
    std::puts("memory ends where it should");
    return 0;
}
