// What kernels ask of the host while they run: printing, memory, the end of the program, an answer.
#include <hip/hip_runtime.h>
#include <assert.h>

// Launch: any.
extern "C" __global__ void print_line(int n, float f) { printf("hello %d %f from %d\n", n, f, (int)threadIdx.x); }

// A block of 64 bytes per thread, which stays valid after the kernel. Launch: one workgroup with a thread per element.
extern "C" __global__ void allocate(int **blocks) { blocks[threadIdx.x] = (int *)malloc(64); }

// Ends the program by a trap if n > 3, or by an assertion if out[0] is 7; else writes n. Launch: one workgroup.
extern "C" __global__ void trap_or_assert(int *out, int n) {
    if (n > 3) __builtin_trap();
    assert(out[0] != 7);
    out[threadIdx.x] = n;
}

// Tells the host that it runs (flag 1) and waits until the host answers (flag 2); then the clock.
// Launch: one workgroup of 64 threads; `flag` is memory of the host.
extern "C" __global__ void wait_for_host(int *flag, int *data) {
    data[threadIdx.x] = 1;
    __threadfence();
    if (!threadIdx.x) atomicExch(flag, 1);
    __threadfence_system();
    while (__atomic_load_n(flag, __ATOMIC_ACQUIRE) < 2) __builtin_amdgcn_s_sleep(1);
    data[threadIdx.x + 64] = clock64();
}
