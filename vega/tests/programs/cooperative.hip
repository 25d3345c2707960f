// Cooperative groups: every workgroup of a grid, and of the grids of several cards, waits for the others.
#include "check.h"
#include <hip/hip_cooperative_groups.h>
#include <vector>
namespace cg = cooperative_groups;

static const int ROUNDS = 5;

// Each round adds the element on the other side of the grid, which must be the one of the round before.
__global__ void mirror(unsigned* data, unsigned n, int rounds) {
    cg::grid_group grid = cg::this_grid();
    unsigned i = grid.thread_rank();
    for (int round = 0; round < rounds; round++) {
        unsigned* from = data + (round % 2) * n;
        unsigned* to = data + (1 - round % 2) * n;
        to[i] = from[n - 1 - i] * 3 + from[i];
        grid.sync();
    }
}

static std::vector<unsigned> reference(unsigned n) {
    std::vector<unsigned> from(n), to(n);
    for (unsigned i = 0; i < n; i++) from[i] = i * 7 + 1;
    for (int round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < n; i++) to[i] = from[n - 1 - i] * 3 + from[i];
        from.swap(to);
    }
    return from;
}

static void one_grid() {
    int blocks = 0, count = 0;
    HIP(hipOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, mirror, 256, 0));
    HIP(hipDeviceGetAttribute(&count, hipDeviceAttributeMultiprocessorCount, 0));
    CHECK(blocks > 0 && count == 56);
    // Once few, once as many as the card holds: all must be resident at once.
    for (unsigned groups : {3u, 56u, (unsigned)(blocks * count)}) {
        unsigned n = groups * 256;
        std::vector<unsigned> host(2 * n);
        for (unsigned i = 0; i < n; i++) host[i] = i * 7 + 1;
        unsigned* data;
        HIP(hipMalloc(&data, 2 * n * sizeof(unsigned)));
        HIP(hipMemcpy(data, host.data(), 2 * n * sizeof(unsigned), hipMemcpyHostToDevice));
        int rounds = ROUNDS;
        void* args[] = {&data, &n, &rounds};
        HIP(hipLaunchCooperativeKernel((const void*)mirror, dim3(groups), dim3(256), args, 0, 0));
        HIP(hipMemcpy(host.data(), data, 2 * n * sizeof(unsigned), hipMemcpyDeviceToHost));
        auto expected = reference(n);
        for (unsigned i = 0; i < n; i++) CHECK(host[(ROUNDS % 2) * n + i] == expected[i]);
        HIP(hipFree(data));
    }
    unsigned one_more = blocks * count + 1;
    unsigned* data = nullptr;
    unsigned n = 0;
    int rounds = 0;
    void* args[] = {&data, &n, &rounds};
    CHECK(hipLaunchCooperativeKernel((const void*)mirror, dim3(one_more), dim3(256), args, 0, 0) == hipErrorCooperativeLaunchTooLarge);
}

// Every thread of every card adds to one counter; after the barrier all see all.
__global__ void count(unsigned* counter, unsigned* seen) {
    cg::multi_grid_group all = cg::this_multi_grid();
    atomicAdd_system(counter, 1u);
    all.sync();
    if (threadIdx.x == 0) seen[blockIdx.x] = __hip_atomic_load(counter, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_SYSTEM);
    all.sync();
    if (threadIdx.x == 0 && blockIdx.x == 0 && all.grid_rank() == 0) seen[gridDim.x] = all.num_grids();
}

static void several_grids(int cards) {
    const unsigned groups = 8;
    unsigned* counter;
    HIP(hipHostMalloc(&counter, sizeof *counter, hipHostMallocPortable | hipHostMallocCoherent));
    *counter = 0;
    std::vector<unsigned*> seen(cards);
    std::vector<hipStream_t> streams(cards);
    std::vector<hipLaunchParams> launches(cards);
    std::vector<std::vector<void*>> args(cards);
    for (int card = 0; card < cards; card++) {
        HIP(hipSetDevice(card));
        HIP(hipStreamCreate(&streams[card]));
        HIP(hipHostMalloc(&seen[card], (groups + 1) * sizeof(unsigned), hipHostMallocPortable));
        args[card] = {&counter, &seen[card]};
        launches[card] = {(void*)count, dim3(groups), dim3(128), args[card].data(), 0, streams[card]};
    }
    HIP(hipLaunchCooperativeKernelMultiDevice(launches.data(), cards, 0));
    for (int card = 0; card < cards; card++) HIP(hipStreamSynchronize(streams[card]));
    for (int card = 0; card < cards; card++)
        for (unsigned group = 0; group < groups; group++) CHECK(seen[card][group] == groups * 128 * cards);
    CHECK(seen[0][groups] == (unsigned)cards);
}

int main() {
    require_card();
    int cards = 0;
    HIP(hipGetDeviceCount(&cards));
    one_grid();
    several_grids(cards);
    std::puts("cooperative groups are right");
    return 0;
}
