// What the test programs share: every check that fails ends the program with status 1 and says where.
#pragma once
#include <hip/hip_runtime.h>
#include <cstdio>
#include <cstdlib>

#define HIP(call)                                                                                  \
    do {                                                                                           \
        hipError_t error_ = (call);                                                                \
        if (error_ != hipSuccess) {                                                                \
            std::fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, hipGetErrorName(error_)); \
            std::exit(1);                                                                          \
        }                                                                                          \
    } while (0)

#define CHECK(condition)                                                               \
    do {                                                                               \
        if (!(condition)) {                                                            \
            std::fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                              \
        }                                                                              \
    } while (0)

// Ends the program unless there is a card. (hipMalloc of HIP 5.2 crashes where there is none.)
static inline void require_card() {
    int count = 0;
    HIP(hipGetDeviceCount(&count));
    CHECK(count > 0);
}
