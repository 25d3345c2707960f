// Copies between every two kinds of memory, whole, in rectangles and in boxes, and what becomes of managed memory.
#include "check.h"
#include <cstring>
#include <vector>

typedef unsigned char byte;
static const size_t W = 117, H = 23, D = 5, PITCH = 160, N = PITCH * H * D;

static byte pattern(size_t i, int seed) { return (byte)(i * 131 + (i >> 8) * 7 + seed); }

// Pageable, pinned, registered, managed and device memory.
enum Kind { PAGEABLE, PINNED, REGISTERED, MANAGED, DEVICE, KINDS };

static byte* make(int kind) {
    byte* p = nullptr;
    switch (kind) {
        case PAGEABLE: p = (byte*)std::malloc(N); break;
        case PINNED: HIP(hipHostMalloc(&p, N)); break;
        case REGISTERED:
            p = (byte*)aligned_alloc(4096, (N + 4095) / 4096 * 4096);
            HIP(hipHostRegister(p, N, hipHostRegisterDefault));
            break;
        case MANAGED: HIP(hipMallocManaged((void**)&p, N)); break;
        case DEVICE: HIP(hipMalloc(&p, N)); break;
    }
    return p;
}

static void give_up(byte* p, int kind) {
    switch (kind) {
        case PAGEABLE: std::free(p); break;
        case PINNED: HIP(hipHostFree(p)); break;
        case REGISTERED: HIP(hipHostUnregister(p)); std::free(p); break;
        default: HIP(hipFree(p));
    }
}

static void put(byte* to, int kind, const std::vector<byte>& from) {
    if (kind == DEVICE) HIP(hipMemcpy(to, from.data(), N, hipMemcpyHostToDevice));
    else std::memcpy(to, from.data(), N);
}

static std::vector<byte> get(const byte* from, int kind) {
    std::vector<byte> host(N);
    if (kind == DEVICE) HIP(hipMemcpy(host.data(), from, N, hipMemcpyDeviceToHost));
    else std::memcpy(host.data(), from, N);
    return host;
}

int main() {
    require_card();
    hipStream_t stream;
    HIP(hipStreamCreate(&stream));
    std::vector<byte> source(N), empty(N, 0xee);
    for (size_t i = 0; i < N; i++) source[i] = pattern(i, 3);
    for (int from = 0; from < KINDS; from++)
        for (int to = 0; to < KINDS; to++) {
            byte *a = make(from), *b = make(to);
            put(a, from, source);
            // All of it, without saying which kinds they are.
            HIP(hipMemcpyAsync(b, a, N, hipMemcpyDefault, stream));
            HIP(hipStreamSynchronize(stream));
            CHECK(get(b, to) == source);
            // A part at odd addresses.
            put(b, to, empty);
            HIP(hipMemcpyAsync(b + 3, a + 13, 5001, hipMemcpyDefault, stream));
            HIP(hipStreamSynchronize(stream));
            std::vector<byte> expected = empty;
            std::memcpy(&expected[3], &source[13], 5001);
            CHECK(get(b, to) == expected);
            // A rectangle.
            put(b, to, empty);
            HIP(hipMemcpy2DAsync(b + 7, PITCH, a + 5, PITCH, W, H, hipMemcpyDefault, stream));
            HIP(hipStreamSynchronize(stream));
            expected = empty;
            for (size_t y = 0; y < H; y++) std::memcpy(&expected[7 + y * PITCH], &source[5 + y * PITCH], W);
            CHECK(get(b, to) == expected);
            // A box inside both.
            put(b, to, empty);
            hipMemcpy3DParms box = {};
            box.srcPtr = make_hipPitchedPtr(a, PITCH, W, H);
            box.dstPtr = make_hipPitchedPtr(b, PITCH, W, H);
            box.srcPos = make_hipPos(2, 3, 1);
            box.dstPos = make_hipPos(9, 1, 2);
            box.extent = make_hipExtent(50, 11, 3);
            box.kind = hipMemcpyDefault;
            HIP(hipMemcpy3DAsync(&box, stream));
            HIP(hipStreamSynchronize(stream));
            expected = empty;
            for (size_t z = 0; z < 3; z++)
                for (size_t y = 0; y < 11; y++)
                    std::memcpy(&expected[9 + (y + 1 + (z + 2) * H) * PITCH], &source[2 + (y + 3 + (z + 1) * H) * PITCH], 50);
            CHECK(get(b, to) == expected);
            give_up(a, from);
            give_up(b, to);
        }
    // Managed memory: advice and prefetching change where it is, and nothing else.
    byte* managed = make(MANAGED);
    put(managed, MANAGED, source);
    HIP(hipMemAdvise(managed, N, hipMemAdviseSetReadMostly, 0));
    HIP(hipMemAdvise(managed, N, hipMemAdviseSetPreferredLocation, 0));
    HIP(hipMemPrefetchAsync(managed, N, 0, stream));
    HIP(hipStreamSynchronize(stream));
    CHECK(get(managed, MANAGED) == source);
    HIP(hipMemsetAsync(managed, 0x11, N, stream));
    HIP(hipMemPrefetchAsync(managed, N, hipCpuDeviceId, stream));
    HIP(hipStreamSynchronize(stream));
    for (size_t i = 0; i < N; i++) CHECK(managed[i] == 0x11);
    give_up(managed, MANAGED);
    std::puts("all kinds of memory are right");
    return 0;
}
