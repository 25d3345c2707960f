// Division and square root of every format, as hipcc compiles them by default.
//
// Launch: one-dimensional; the thread with index i computes out[i] from x[i] and y[i], for i < n.
#include <hip/hip_runtime.h>

#define FUNCTIONS(NAME, TYPE, ROOT)                                                                       \
    extern "C" __global__ void NAME##_div(const TYPE *x, const TYPE *y, TYPE *out, int n) {              \
        int i = blockIdx.x * blockDim.x + threadIdx.x;                                                    \
        if (i < n) out[i] = x[i] / y[i];                                                                  \
    }                                                                                                     \
    extern "C" __global__ void NAME##_sqrt(const TYPE *x, const TYPE *y, TYPE *out, int n) {             \
        int i = blockIdx.x * blockDim.x + threadIdx.x;                                                    \
        if (i < n) out[i] = ROOT(x[i]);                                                                   \
    }

FUNCTIONS(ieee_f16, _Float16, __builtin_sqrtf16)
FUNCTIONS(ieee_f32, float, sqrtf)
FUNCTIONS(ieee_f64, double, sqrt)
