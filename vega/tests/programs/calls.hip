// Calls that the compiler cannot resolve, recursion, and private memory of every size.
#include "check.h"
#include <vector>

struct Shape {
    __device__ virtual ~Shape() {}
    __device__ virtual int area(int x) const = 0;
};
struct Square : Shape {
    int side;
    __device__ Square(int s) : side(s) {}
    __device__ int area(int x) const override { return side * side + x; }
};
struct Strip : Shape {
    int length;
    __device__ Strip(int l) : length(l) {}
    __device__ int area(int x) const override { return length * 2 - x; }
};

// Half of the lanes have one kind, half the other: the call diverges.
__global__ void virtual_calls(int* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    Square square(i);
    Strip strip(i);
    const Shape* shape = i % 3 ? (const Shape*)&square : (const Shape*)&strip;
    out[i] = shape->area(i % 7);
}

typedef int (*Function)(int);
__device__ __noinline__ int twice(int x) { return 2 * x; }
__device__ __noinline__ int minus(int x) { return -x; }
__device__ __noinline__ int square(int x) { return x * x; }
__device__ Function table[] = {twice, minus, square};

__global__ void function_pointers(int* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    out[i] = table[i % 3](i);
}

__device__ __noinline__ unsigned ackermann(unsigned m, unsigned n) {
    if (m == 0) return n + 1;
    if (n == 0) return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

__device__ __noinline__ unsigned fibonacci(unsigned n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

__global__ void recursion(unsigned* out) {
    unsigned i = threadIdx.x;
    out[i] = ackermann(2, i % 5);
    out[64 + i] = fibonacci(i % 12);
}

// One lane's private array has BYTES; every element is written, then read in another order.
template <int BYTES>
__global__ void private_memory(unsigned* out, unsigned stride) {
    volatile unsigned a[BYTES / 4];
    const unsigned n = BYTES / 4;
    unsigned me = blockIdx.x * blockDim.x + threadIdx.x;
    for (unsigned i = 0; i < n; i++) a[i] = i * 3 + me;
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++) sum = sum * 5 + a[i * stride % n];
    out[me] = sum;
}

template <int BYTES>
static void check_private(unsigned groups, hipStream_t stream) {
    const unsigned n = BYTES / 4, threads = 128, stride = 17;
    unsigned* out;
    HIP(hipHostMalloc(&out, groups * threads * sizeof *out));
    private_memory<BYTES><<<groups, threads, 0, stream>>>(out, stride);
    HIP(hipStreamSynchronize(stream));
    for (unsigned me = 0; me < groups * threads; me++) {
        unsigned sum = 0;
        for (unsigned i = 0; i < n; i++) sum = sum * 5 + (i * stride % n * 3 + me);
        CHECK(out[me] == sum);
    }
    HIP(hipHostFree(out));
}

int main() {
    require_card();
    const int n = 1000;
    int* out;
    HIP(hipHostMalloc(&out, n * sizeof(int)));
    virtual_calls<<<10, 100>>>(out);
    HIP(hipDeviceSynchronize());
    for (int i = 0; i < n; i++) CHECK(out[i] == (i % 3 ? i * i + i % 7 : 2 * i - i % 7));
    function_pointers<<<10, 100>>>(out);
    HIP(hipDeviceSynchronize());
    for (int i = 0; i < n; i++) CHECK(out[i] == (i % 3 == 0 ? 2 * i : i % 3 == 1 ? -i : i * i));
    recursion<<<1, 64>>>((unsigned*)out);
    HIP(hipDeviceSynchronize());
    const unsigned fib[] = {0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89};
    for (unsigned i = 0; i < 64; i++) CHECK((unsigned)out[i] == 2 * (i % 5) + 3 && (unsigned)out[64 + i] == fib[i % 12]);
    // Sizes up and down, so that the queue's scratch memory grows, is lent for one dispatch, and is used again.
    hipStream_t other;
    HIP(hipStreamCreate(&other));
    for (hipStream_t stream : {(hipStream_t)0, other}) {
        check_private<64>(5, stream);
        check_private<4096>(100, stream);
        check_private<16384>(8, stream);
        check_private<256>(600, stream);
        check_private<131008>(1, stream);
        check_private<4096>(3, stream);
    }
    std::puts("calls and private memory are right");
    return 0;
}
