// Prints the release of the headers and the sizes of structures that moved between releases.
#include <hip/hip_runtime.h>

#include <cstdio>

int main() {
    std::printf("major %d\nminor %d\n", HIP_VERSION_MAJOR, HIP_VERSION_MINOR);
    std::printf("hipDeviceProp_t %zu\n", sizeof(hipDeviceProp_t));
    std::printf("HIP_MEMCPY3D %zu\n", sizeof(HIP_MEMCPY3D));
    std::printf("hipExternalMemoryHandleDesc %zu\n", sizeof(hipExternalMemoryHandleDesc));
    std::printf("hipExternalSemaphoreHandleDesc %zu\n", sizeof(hipExternalSemaphoreHandleDesc));
    return 0;
}
