// A program that does what libraries and daemons do to each other's processes: it flushes denormals to
// zero, installs its own SIGSEGV handler after HIP has started, blocks all signals in its threads, closes
// all descriptors that it did not open, and forks while other threads launch kernels. Its kernels still
// compute right, and its handler still gets its own faults.
#include "check.h"
#include <atomic>
#include <cerrno>
#include <cmath>
#include <csetjmp>
#include <csignal>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>
#include <xmmintrin.h>

__global__ void scale(int n, float a, const float* x, float* y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a * x[i];
}

static sigjmp_buf back;
static std::atomic<int> caught;

static void on_segv(int, siginfo_t* info, void*) {
    caught++;
    siglongjmp(back, info->si_addr == (void*)16 ? 1 : 2);
}

static void own_fault() {
    int which = sigsetjmp(back, 1);
    if (which == 0) *(volatile int*)16 = 1;
    CHECK(which == 1);
}

static const int N = 4096;

static void launches(int rounds, int seed) {
    hipStream_t stream;
    HIP(hipStreamCreate(&stream));
    float *x, *y;
    HIP(hipHostMalloc(&x, N * sizeof(float)));
    HIP(hipHostMalloc(&y, N * sizeof(float)));
    for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < N; i++) x[i] = std::ldexp(1.0f + i, i % 3 == 0 ? -148 : -20);
        scale<<<N / 256, 256, 0, stream>>>(N, 0.5f * (seed + round % 5), x, y);
        HIP(hipStreamSynchronize(stream));
        for (int i = 0; i < N; i++) {
            // The reference, with denormals: this thread flushes them.
            unsigned csr = _mm_getcsr();
            _mm_setcsr(csr & ~0x8040u);
            volatile float a = 0.5f * (seed + round % 5), b = x[i];
            volatile float r = a * b;
            bool same = y[i] == r;
            _mm_setcsr(csr);
            CHECK(same);
        }
    }
}

int main() {
    _mm_setcsr(_mm_getcsr() | 0x8040);
    require_card();
    launches(2, 1);

    struct sigaction action = {}, was = {};
    action.sa_sigaction = on_segv;
    action.sa_flags = SA_SIGINFO;
    CHECK(sigaction(SIGSEGV, &action, &was) == 0);
    CHECK(was.sa_handler == SIG_DFL);
    CHECK(sigaction(SIGSEGV, nullptr, &was) == 0);
    CHECK(was.sa_sigaction == on_segv);
    own_fault();

    std::vector<std::thread> threads;
    for (int t = 0; t < 3; t++) threads.emplace_back([t] {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);
        _mm_setcsr(_mm_getcsr() | 0x8040);
        launches(60, t);
    });
    for (int i = 0; i < 8; i++) {
        pid_t child = fork();
        if (child == 0) {
            // Opening a file must not wait for a lock that another thread held; the parent's card is gone.
            int null = open("/dev/null", O_RDWR);
            if (null < 0) _exit(2);
            FILE* topology = fopen("/sys/class/kfd/kfd/topology/generation_id", "r");
            if (!topology) _exit(3);
            _exit(0);
        }
        int status = 0;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        own_fault();
    }
    for (auto& thread : threads) thread.join();

    closefrom(3);
    // The numbers are the program's now.
    char path[] = "/tmp/nasty.XXXXXX";
    int file = mkstemp(path);
    unlink(path);
    CHECK(file == 3 && write(file, "mine", 4) == 4);
    for (int fd = 4; fd < 24; fd++) CHECK(dup(file) == fd);
    float *x, *y;
    HIP(hipHostMalloc(&x, N * sizeof(float)));
    HIP(hipHostMalloc(&y, N * sizeof(float)));
    launches(20, 3);
    char text[5] = {};
    CHECK(lseek(file, 0, SEEK_END) == 4 && pread(file, text, 4, 0) == 4 && text[0] == 'm' && text[3] == 'e');
    own_fault();
    CHECK(caught == 10);
    std::puts("nasty is right");
    return 0;
}
