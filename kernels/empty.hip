// Nothing: what a launch itself costs.

#include <hip/hip_runtime.h>

/// Does nothing. Launch: any.
extern "C" __global__ void empty() {}
