// Prints the release of the headers, sizes of structures that moved between releases, and numbers of enums.
#include <hip/hip_runtime.h>

#include <cstdio>

int main() {
    std::printf("major %d\nminor %d\n", HIP_VERSION_MAJOR, HIP_VERSION_MINOR);
    std::printf("hipDeviceProp_t %zu\n", sizeof(hipDeviceProp_t));
    std::printf("HIP_MEMCPY3D %zu\n", sizeof(HIP_MEMCPY3D));
    std::printf("hipExternalMemoryHandleDesc %zu\n", sizeof(hipExternalMemoryHandleDesc));
    std::printf("hipExternalSemaphoreHandleDesc %zu\n", sizeof(hipExternalSemaphoreHandleDesc));
#define NUMBER(name) std::printf(#name " %d\n", int(name))
    NUMBER(hipErrorNoBinaryForGpu);
    NUMBER(hipErrorNoDevice);
    NUMBER(hipMemcpyDefault);
    NUMBER(hipDeviceAttributeWarpSize);
    NUMBER(hipDeviceAttributeComputeCapabilityMajor);
    NUMBER(hipMemoryTypeHost);
    NUMBER(hipMemoryTypeDevice);
    NUMBER(hipGraphNodeTypeKernel);
    return 0;
}
