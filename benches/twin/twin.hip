// The C++ side of the bench `twin`: the same calls as a C++ programmer writes them.

#include <hip/hip_runtime.h>

#include <chrono>

namespace {

constexpr size_t BYTES = 4096;

__global__ void saxpy(float a, const float *x, float *y, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a * x[i] + y[i];
}

struct Context {
    hipStream_t stream;
    hipEvent_t event;
    float *x, *y;
    float host[BYTES / sizeof(float)];
};

hipError_t call(Context &context, int operation) {
    const int n = BYTES / sizeof(float);
    switch (operation) {
    case 0:
        saxpy<<<n / 256, 256, 0, context.stream>>>(2.0f, context.x, context.y, n);
        return hipGetLastError();
    case 1: return hipMemcpyAsync(context.y, context.x, BYTES, hipMemcpyDeviceToDevice, context.stream);
    case 2: return hipMemcpyWithStream(context.x, context.host, BYTES, hipMemcpyHostToDevice, context.stream);
    case 3: return hipMemsetD32Async(context.y, 0x3f800000, n, context.stream);
    case 4: return hipEventRecord(context.event, context.stream);
    case 5: {
        void *memory;
        hipError_t status = hipMalloc(&memory, BYTES);
        return status == hipSuccess ? hipFree(memory) : status;
    }
    default: return hipErrorInvalidValue;
    }
}

} // namespace

extern "C" Context *twin_new(hipStream_t stream) {
    auto *context = new Context();
    context->stream = stream;
    bool made = hipEventCreateWithFlags(&context->event, hipEventDisableTiming) == hipSuccess &&
                hipMalloc(&context->x, BYTES) == hipSuccess && hipMalloc(&context->y, BYTES) == hipSuccess &&
                hipMemset(context->x, 0, BYTES) == hipSuccess && hipMemset(context->y, 0, BYTES) == hipSuccess;
    return made ? context : nullptr;
}

// Nanoseconds for that many calls and one wait; negative when one fails.
extern "C" double twin_time(Context *context, int operation, int calls) {
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < calls; i++)
        if (call(*context, operation) != hipSuccess) return -1;
    if (hipStreamSynchronize(context->stream) != hipSuccess) return -1;
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}
