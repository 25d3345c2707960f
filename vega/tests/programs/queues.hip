// Several queues at once: priorities order their workgroups, and CU masks bound them.
#include "check.h"
#include <algorithm>
#include <chrono>
#include <hip/hip_ext.h>
#include <set>
#include <vector>

// Work that takes a while, then a ticket.
__global__ void take_ticket(unsigned* counter, unsigned* tickets, unsigned rounds, float* sink) {
    float x = threadIdx.x;
    for (unsigned i = 0; i < rounds; i++) x = x * 1.0001f + 0.5f;
    if (x == 12345.0f) *sink = x;
    if (threadIdx.x == 0) tickets[blockIdx.x] = __hip_atomic_fetch_add(counter, 1u, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM);
}

static void priorities(unsigned* memory) {
    int least = 0, greatest = 0;
    HIP(hipDeviceGetStreamPriorityRange(&least, &greatest));
    CHECK(least > greatest);
    hipStream_t low, high;
    HIP(hipStreamCreateWithPriority(&low, hipStreamNonBlocking, least));
    HIP(hipStreamCreateWithPriority(&high, hipStreamNonBlocking, greatest));
    int got = 0;
    HIP(hipStreamGetPriority(high, &got));
    CHECK(got == greatest);
    const unsigned groups = 600, few = 100;
    unsigned *counter = memory, *slow = memory + 16, *fast = memory + 16 + groups;
    // Both queues exist and have run before it counts.
    for (hipStream_t stream : {low, high}) {
        take_ticket<<<1, 64, 0, stream>>>(counter, slow, 1, (float*)memory);
        HIP(hipStreamSynchronize(stream));
    }
    *counter = 0;
    // Each has the whole LDS of a compute unit.
    take_ticket<<<groups, 64, 65536, low>>>(counter, slow, 10000, (float*)memory);
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (__atomic_load_n(counter, __ATOMIC_RELAXED) < 5) CHECK(std::chrono::steady_clock::now() < end);
    take_ticket<<<few, 64, 65536, high>>>(counter, fast, 10000, (float*)memory);
    HIP(hipStreamSynchronize(high));
    unsigned after = __atomic_load_n(counter, __ATOMIC_RELAXED);
    HIP(hipStreamSynchronize(low));
    CHECK(*counter == groups + few);
    // The low queue still has most of its workgroups before it when the high one is done.
    unsigned first = *std::min_element(fast, fast + few), last = *std::max_element(fast, fast + few);
    unsigned between = 0;
    for (unsigned i = 0; i < groups; i++) between += slow[i] > first && slow[i] < last;
    std::printf("%u of the low queue among %u of the high one, %u tickets then\n", between, few, after);
    // Those that had started already may end among them.
    CHECK(between <= groups / 4);
    HIP(hipStreamDestroy(low));
    HIP(hipStreamDestroy(high));
}

// Each workgroup says where it runs, and stays until all that fit are there.
__global__ void where(unsigned* places, unsigned* resident, unsigned* most) {
    if (threadIdx.x == 0) {
        places[blockIdx.x] = __builtin_amdgcn_s_getreg(4 | 31 << 11);
        unsigned now = __hip_atomic_fetch_add(resident, 1u, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM) + 1;
        __hip_atomic_fetch_max(most, now, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM);
        for (int i = 0; i < 20; i++) __builtin_amdgcn_s_sleep(10);
        __hip_atomic_fetch_add(resident, -1u, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM);
    }
}

static void masks(unsigned* memory) {
    const unsigned groups = 100;
    unsigned *resident = memory, *most = memory + 1, *places = memory + 16;
    struct Case { std::vector<uint32_t> mask; unsigned allowed; };
    // Bit n is CU n / 4 of shader engine n % 4.
    for (const Case& one : {Case{{0x21, 0}, 2}, Case{{0, 0x00800000}, 1}, Case{{0xf, 0xf}, 8}}) {
        hipStream_t stream;
        HIP(hipExtStreamCreateWithCUMask(&stream, 2, one.mask.data()));
        std::vector<uint32_t> got(2);
        HIP(hipExtStreamGetCUMask(stream, 2, got.data()));
        CHECK(got == one.mask);
        *resident = *most = 0;
        where<<<groups, 1024, 0, stream>>>(places, resident, most);
        HIP(hipStreamSynchronize(stream));
        std::set<unsigned> units;
        for (unsigned i = 0; i < groups; i++) {
            unsigned unit = places[i] >> 8 & 15, engine = places[i] >> 13 & 3, bit = unit * 4 + engine;
            CHECK(one.mask[bit / 32] >> bit % 32 & 1);
            units.insert(bit);
        }
        // Two workgroups of 16 waves fit a compute unit.
        CHECK(units.size() == one.allowed && *most <= 2 * one.allowed);
        HIP(hipStreamDestroy(stream));
    }
}

int main() {
    require_card();
    unsigned* memory;
    HIP(hipHostMalloc(&memory, 1 << 16, hipHostMallocCoherent));
    priorities(memory);
    masks(memory);
    std::puts("queues are right");
    return 0;
}
