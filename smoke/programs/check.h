// What the test programs share: every return code is checked, every result compared.
#include <hip/hip_runtime.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

static void check(hipError_t error, const char* call, int line) {
    if (error != hipSuccess) {
        std::fprintf(stderr, "line %d: %s: %s\n", line, call, hipGetErrorString(error));
        std::exit(1);
    }
}
#define CHECK(call) check((call), #call, __LINE__)

static void require(bool holds, const char* what, int line) {
    if (!holds) {
        std::fprintf(stderr, "line %d: wrong result: %s\n", line, what);
        std::exit(1);
    }
}
#define REQUIRE(condition) require((condition), #condition, __LINE__)
