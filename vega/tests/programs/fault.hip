// Each argument makes the card do something that kills the process.
#include "check.h"
#include <cstring>
#include <sys/mman.h>

__global__ void wild_store(float* p) { p[threadIdx.x] = 1.0f; }

__global__ void stop() { __builtin_trap(); }

int main(int argc, char** argv) {
    require_card();
    const char* what = argc > 1 ? argv[1] : "";
    if (!std::strcmp(what, "memory")) {
        wild_store<<<1, 64>>>((float*)0x123456789000);
    } else if (!std::strcmp(what, "unmapped")) {
        // Registered memory that the program takes away.
        const size_t n = 1 << 20;
        void* p = mmap(nullptr, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        float* seen;
        HIP(hipHostRegister(p, n, hipHostRegisterDefault));
        HIP(hipHostGetDevicePointer((void**)&seen, p, 0));
        wild_store<<<1, 64>>>(seen);
        HIP(hipDeviceSynchronize());
        CHECK(((float*)p)[63] == 1.0f);
        munmap(p, n);
        wild_store<<<1, 64>>>(seen);
    } else if (!std::strcmp(what, "trap")) {
        stop<<<1, 64>>>();
    } else {
        return 2;
    }
    hipError_t error = hipDeviceSynchronize();
    std::fprintf(stderr, "still alive: %s\n", hipGetErrorName(error));
    return 3;
}
