// Several cards: each reads and writes the others' memory, by copies and in kernels.
#include "check.h"
#include <vector>

static const size_t N = 300000;

__global__ void fill(unsigned* p, size_t n, unsigned seed) {
    size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
    if (i < n) p[i] = i * 2654435761u + seed;
}

// Adds a peer's memory to this card's, and counts in the peer's.
__global__ void add_peer(unsigned* own, unsigned* peer, size_t n, unsigned* counter) {
    size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
    if (i < n) own[i] += peer[i];
    if (i % 64 == 0) atomicAdd_system(counter, 1u);
}

static bool holds(const unsigned* device, unsigned factor, unsigned sum) {
    std::vector<unsigned> host(N);
    HIP(hipMemcpy(host.data(), device, N * 4, hipMemcpyDeviceToHost));
    for (size_t i = 0; i < N; i++)
        if (host[i] != (unsigned)i * 2654435761u * factor + sum) return false;
    return true;
}

int main() {
    require_card();
    int cards = 0;
    HIP(hipGetDeviceCount(&cards));
    const char* expected = std::getenv("CARDS");
    CHECK(cards == (expected ? std::atoi(expected) : 1));
    const unsigned groups = (N + 255) / 256;
    std::vector<unsigned*> memory(cards), copies(cards);
    for (int card = 0; card < cards; card++) {
        HIP(hipSetDevice(card));
        HIP(hipMalloc(&memory[card], N * 4));
        HIP(hipMalloc(&copies[card], N * 4));
        fill<<<groups, 256>>>(memory[card], N, card * 1000);
        HIP(hipDeviceSynchronize());
        hipPointerAttribute_t attributes;
        HIP(hipPointerGetAttributes(&attributes, memory[card]));
        CHECK(attributes.device == card);
    }
    for (int to = 0; to < cards; to++) {
        HIP(hipSetDevice(to));
        for (int from = 0; from < cards; from++) {
            int can = -1;
            HIP(hipDeviceCanAccessPeer(&can, to, from));
            CHECK(can == (from != to));
            // A copy without access, then one of another stream.
            HIP(hipMemcpyPeer(copies[to], to, memory[from], from, N * 4));
            CHECK(holds(copies[to], 1, from * 1000));
            HIP(hipMemset(copies[to], 0, N * 4));
            hipStream_t stream;
            HIP(hipStreamCreate(&stream));
            HIP(hipMemcpyPeerAsync(copies[to], to, memory[from], from, N * 4, stream));
            HIP(hipStreamSynchronize(stream));
            CHECK(holds(copies[to], 1, from * 1000));
            HIP(hipMemcpyAsync(copies[to], memory[from], N * 4, hipMemcpyDefault, stream));
            HIP(hipStreamSynchronize(stream));
            HIP(hipStreamDestroy(stream));
            CHECK(holds(copies[to], 1, from * 1000));
            if (from == to) continue;
            HIP(hipDeviceEnablePeerAccess(from, 0));
            CHECK(hipDeviceEnablePeerAccess(from, 0) == hipErrorPeerAccessAlreadyEnabled);
        }
    }
    for (int card = 0; card < cards; card++) {
        HIP(hipSetDevice(card));
        int peer = (card + 1) % cards;
        unsigned* counter;
        HIP(hipSetDevice(peer));
        HIP(hipMalloc(&counter, 4));
        HIP(hipMemset(counter, 0, 4));
        HIP(hipDeviceSynchronize());
        HIP(hipSetDevice(card));
        add_peer<<<groups, 256>>>(copies[card], memory[peer], N, counter);
        HIP(hipDeviceSynchronize());
        CHECK(holds(copies[card], 2, (cards - 1) * 1000 + peer * 1000));
        unsigned counted = 0;
        HIP(hipMemcpy(&counted, counter, 4, hipMemcpyDeviceToHost));
        CHECK(counted == groups * 4);
        HIP(hipFree(counter));
    }
    // A stream of one card waits for an event of another.
    if (cards > 1) {
        hipStream_t first, second;
        hipEvent_t done;
        HIP(hipSetDevice(0));
        HIP(hipStreamCreate(&first));
        HIP(hipEventCreateWithFlags(&done, hipEventDisableTiming));
        fill<<<groups, 256, 0, first>>>(memory[0], N, 77);
        HIP(hipEventRecord(done, first));
        HIP(hipSetDevice(1));
        HIP(hipStreamCreate(&second));
        HIP(hipStreamWaitEvent(second, done, 0));
        HIP(hipMemcpyPeerAsync(copies[1], 1, memory[0], 0, N * 4, second));
        HIP(hipStreamSynchronize(second));
        CHECK(holds(copies[1], 1, 77));
        HIP(hipDeviceDisablePeerAccess(0));
        CHECK(hipDeviceDisablePeerAccess(0) == hipErrorPeerAccessNotEnabled);
    }
    std::puts("peers are right");
    return 0;
}
