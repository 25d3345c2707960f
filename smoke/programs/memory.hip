// Every kind of copy and fill. The runtime compiles kernels of its own for some of them.
#include "check.h"

#include <vector>

static const size_t N = 1 << 20;
static const size_t ODD = 4099;

static unsigned char byte_of(size_t i, unsigned seed) { return (unsigned char)((i * 2654435761u + seed) >> 11); }

static void fill(unsigned char* to, size_t count, unsigned seed) {
    for (size_t i = 0; i < count; ++i) to[i] = byte_of(i, seed);
}

static bool holds(const unsigned char* at, size_t count, unsigned seed) {
    for (size_t i = 0; i < count; ++i)
        if (at[i] != byte_of(i, seed)) return false;
    return true;
}

enum Kind { PAGEABLE, PINNED, MANAGED, DEVICE, KINDS };
static const char* const names[] = {"pageable", "pinned", "managed", "device"};

static unsigned char* allocate(Kind kind, size_t bytes) {
    void* at = nullptr;
    switch (kind) {
    case PAGEABLE: at = std::malloc(bytes); break;
    case PINNED: CHECK(hipHostMalloc(&at, bytes, hipHostMallocDefault)); break;
    case MANAGED: CHECK(hipMallocManaged(&at, bytes, hipMemAttachGlobal)); break;
    default: CHECK(hipMalloc(&at, bytes));
    }
    return (unsigned char*)at;
}

static void matrix(size_t bytes) {
    std::vector<unsigned char> host(bytes), back(bytes);
    unsigned seed = 1;
    for (int from = 0; from < KINDS; ++from) {
        for (int to = 0; to < KINDS; ++to, ++seed) {
            unsigned char *source = allocate(Kind(from), bytes), *target = allocate(Kind(to), bytes);
            fill(host.data(), bytes, seed);
            CHECK(hipMemcpy(source, host.data(), bytes, hipMemcpyDefault));
            CHECK(hipMemcpy(target, source, bytes, hipMemcpyDefault));
            std::memset(back.data(), 0, bytes);
            CHECK(hipMemcpy(back.data(), target, bytes, hipMemcpyDefault));
            if (!holds(back.data(), bytes, seed)) {
                std::fprintf(stderr, "%zu bytes from %s to %s memory are wrong\n", bytes, names[from], names[to]);
                std::exit(1);
            }
        }
    }
}

static void fills() {
    unsigned char* device = allocate(DEVICE, N);
    std::vector<unsigned char> back(N);
    CHECK(hipMemset(device, 0x5a, N));
    CHECK(hipMemsetD16((hipDeviceptr_t)(device + 64), 0x1234, 1000));
    CHECK(hipMemsetD32((hipDeviceptr_t)(device + 4096), int(0xdeadbeef), 777));
    CHECK(hipMemcpy(back.data(), device, N, hipMemcpyDeviceToHost));
    for (size_t i = 0; i < N; ++i) {
        unsigned char expected = 0x5a;
        if (i >= 64 && i < 64 + 2000) expected = (i % 2) ? 0x12 : 0x34;
        if (i >= 4096 && i < 4096 + 4 * 777) expected = (unsigned char)(0xdeadbeefu >> (8 * (i % 4)));
        REQUIRE(back[i] == expected);
    }
}

static void rectangles() {
    const size_t width = 300, height = 37;
    void* device = nullptr;
    size_t pitch = 0;
    CHECK(hipMallocPitch(&device, &pitch, width, height));
    REQUIRE(pitch >= width);
    std::vector<unsigned char> in(width * height), out(width * height);
    fill(in.data(), in.size(), 99);
    CHECK(hipMemset2D(device, pitch, 7, width, height));
    CHECK(hipMemcpy2D(device, pitch, in.data(), width, width, height - 1, hipMemcpyHostToDevice));
    CHECK(hipMemcpy2D(out.data(), width, device, pitch, width, height, hipMemcpyDeviceToHost));
    REQUIRE(holds(out.data(), width * (height - 1), 99));
    for (size_t i = width * (height - 1); i < width * height; ++i) REQUIRE(out[i] == 7);
}

static void later() {
    hipStream_t stream;
    CHECK(hipStreamCreate(&stream));
    unsigned char *host = allocate(PINNED, N), *back = allocate(PINNED, N), *device = allocate(DEVICE, N);
    fill(host, N, 5);
    CHECK(hipMemcpyAsync(device, host, N, hipMemcpyHostToDevice, stream));
    CHECK(hipMemsetAsync(device + N / 2, 3, N / 2, stream));
    CHECK(hipMemcpyAsync(back, device, N, hipMemcpyDeviceToHost, stream));
    CHECK(hipStreamSynchronize(stream));
    REQUIRE(holds(back, N / 2, 5));
    for (size_t i = N / 2; i < N; ++i) REQUIRE(back[i] == 3);
}

int main() {
    matrix(N);
    matrix(ODD);
    fills();
    rectangles();
    later();
    CHECK(hipDeviceSynchronize());
    std::printf("memory: right\n");
    return 0;
}
