// Waves that wait: for other waves of their grid, for another queue, for the host, and streams that wait for memory.
#include "check.h"
#include <atomic>
#include <thread>
#include <vector>

// Decoupled look-back: each workgroup waits for the sums of those before it.
__global__ void scan(const unsigned* in, unsigned* out, unsigned long long* state, unsigned* ticket) {
    __shared__ unsigned values[256], group, before;
    if (threadIdx.x == 0) group = atomicAdd(ticket, 1u);
    __syncthreads();
    unsigned i = group * 256 + threadIdx.x;
    values[threadIdx.x] = in[i];
    __syncthreads();
    for (unsigned d = 1; d < 256; d *= 2) {
        unsigned v = threadIdx.x >= d ? values[threadIdx.x - d] : 0;
        __syncthreads();
        values[threadIdx.x] += v;
        __syncthreads();
    }
    if (threadIdx.x == 0) {
        unsigned total = values[255], sum = 0;
        if (group > 0) {
            __hip_atomic_store(&state[group], 1ull << 32 | total, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_AGENT);
            for (int look = (int)group - 1; look >= 0; look--) {
                unsigned long long s;
                do s = __hip_atomic_load(&state[look], __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_AGENT);
                while (s >> 32 == 0);
                sum += (unsigned)s;
                if (s >> 32 == 2) break;
            }
        }
        __hip_atomic_store(&state[group], 2ull << 32 | (sum + total), __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_AGENT);
        before = sum;
    }
    __syncthreads();
    out[i] = before + values[threadIdx.x];
}

static void look_back() {
    const unsigned groups = 3000, n = groups * 256;
    unsigned *in, *out, *ticket;
    unsigned long long* state;
    HIP(hipMalloc(&in, n * 4));
    HIP(hipMalloc(&out, n * 4));
    HIP(hipMalloc(&state, groups * 8));
    HIP(hipMalloc(&ticket, 4));
    std::vector<unsigned> host(n), got(n);
    for (unsigned i = 0; i < n; i++) host[i] = i * 2654435761u >> 20;
    HIP(hipMemcpy(in, host.data(), n * 4, hipMemcpyHostToDevice));
    HIP(hipMemset(state, 0, groups * 8));
    HIP(hipMemset(ticket, 0, 4));
    scan<<<groups, 256>>>(in, out, state, ticket);
    HIP(hipMemcpy(got.data(), out, n * 4, hipMemcpyDeviceToHost));
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++) CHECK(got[i] == (sum += host[i]));
    for (void* p : {(void*)in, (void*)out, (void*)state, (void*)ticket}) HIP(hipFree(p));
}

// Takes turns with whoever else counts in the same memory: waits for even or odd, and adds one.
__global__ void take_turns(unsigned* counter, unsigned parity, unsigned turns) {
    for (unsigned i = 0; i < turns; i++) {
        while (__hip_atomic_load(counter, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_SYSTEM) % 2 != parity) __builtin_amdgcn_s_sleep(1);
        __hip_atomic_fetch_add(counter, 1u, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_SYSTEM);
    }
}

static void with_the_host(unsigned* counter) {
    const unsigned turns = 100;
    auto* host = (std::atomic<unsigned>*)counter;
    host->store(0);
    take_turns<<<1, 1>>>(counter, 0, turns);
    for (unsigned i = 0; i < turns; i++) {
        while (host->load() % 2 != 1) std::this_thread::yield();
        host->fetch_add(1);
    }
    HIP(hipDeviceSynchronize());
    CHECK(host->load() == 2 * turns);
}

__global__ void wait_and_set(unsigned* flag, unsigned value, unsigned* done) {
    while (__hip_atomic_load(flag, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_SYSTEM) != value) {}
    if (threadIdx.x == 0 && blockIdx.x == 0) __hip_atomic_store(done, value + 1, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_SYSTEM);
}

// A chain through three queues, launched back to front; the first ones fill the card with waves that spin.
static void chain(unsigned* flags) {
    const int queues = 3;  // HIP has four hardware queues, one of them the null stream's
    hipStream_t streams[queues];
    for (int i = 0; i <= queues; i++) flags[i] = 0;
    for (int i = 0; i < queues; i++) HIP(hipStreamCreateWithFlags(&streams[i], hipStreamNonBlocking));
    for (int i = queues - 1; i >= 0; i--) wait_and_set<<<600, 256, 0, streams[i]>>>(&flags[i], i + 1, &flags[i + 1]);
    for (int i = 0; i < queues; i++) CHECK(hipStreamQuery(streams[i]) == hipErrorNotReady);
    __atomic_store_n(&flags[0], 1u, __ATOMIC_RELEASE);
    for (int i = 0; i < queues; i++) HIP(hipStreamSynchronize(streams[i]));
    CHECK(flags[queues] == queues + 1);
    for (int i = 0; i < queues; i++) HIP(hipStreamDestroy(streams[i]));
}

__global__ void copy_value(const unsigned* from, unsigned* to) { *to = *from; }

static void stream_memory() {
    int can = 0;
    HIP(hipDeviceGetAttribute(&can, hipDeviceAttributeCanUseStreamWaitValue, 0));
    CHECK(can);
    uint64_t* signal;
    HIP(hipExtMallocWithFlags((void**)&signal, 8, hipMallocSignalMemory));
    unsigned* host;
    HIP(hipHostMalloc(&host, 64));
    hipStream_t a, b;
    HIP(hipStreamCreate(&a));
    HIP(hipStreamCreate(&b));
    host[0] = 5;
    host[1] = 0;
    *signal = 0;
    HIP(hipStreamWaitValue64(a, signal, 3, hipStreamWaitValueGte, ~0ull));
    copy_value<<<1, 1, 0, a>>>(&host[0], &host[1]);
    HIP(hipStreamWriteValue32(a, &host[2], 99, 0));
    CHECK(hipStreamQuery(a) == hipErrorNotReady);
    host[0] = 6;
    HIP(hipStreamWriteValue64(b, signal, 2, 0));
    HIP(hipStreamSynchronize(b));
    CHECK(hipStreamQuery(a) == hipErrorNotReady && host[1] == 0);
    HIP(hipStreamWriteValue64(b, signal, 3, 0));
    HIP(hipStreamSynchronize(a));
    CHECK(host[1] == 6 && host[2] == 99);
    *signal = 0;
    HIP(hipStreamWaitValue32(a, signal, 0x40, hipStreamWaitValueAnd, 0xffffffff));
    HIP(hipStreamWaitValue32(a, signal, 0x41, hipStreamWaitValueEq, 0xff));
    copy_value<<<1, 1, 0, a>>>(&host[2], &host[3]);
    CHECK(hipStreamQuery(a) == hipErrorNotReady);
    __atomic_store_n(signal, 0x40, __ATOMIC_RELEASE);
    CHECK(hipStreamQuery(a) == hipErrorNotReady);
    __atomic_store_n(signal, 0x41, __ATOMIC_RELEASE);
    HIP(hipStreamSynchronize(a));
    CHECK(host[3] == 99);
    HIP(hipStreamDestroy(a));
    HIP(hipStreamDestroy(b));
}

int main() {
    require_card();
    look_back();
    unsigned *pinned, *managed;
    HIP(hipHostMalloc(&pinned, 4096, hipHostMallocCoherent));
    HIP(hipMallocManaged((void**)&managed, 4096));
    with_the_host(pinned);
    with_the_host(managed);
    chain(pinned);
    stream_memory();
    std::puts("waves and streams wait as long as they must");
    return 0;
}
