// Two processes share a buffer: the child sees what the parent wrote, and the parent what the child wrote.
// A handle whose process is dead is refused.
#include "check.h"
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

static const size_t N = (3 << 20) + 64;

__global__ void add(unsigned* p, size_t n, unsigned value) {
    size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
    if (i < n) p[i] += value;
}

static void add_all(unsigned* p, unsigned value) {
    add<<<(N / 4 + 255) / 256, 256>>>(p, N / 4, value);
    HIP(hipDeviceSynchronize());
}

static unsigned first_wrong(unsigned* p, unsigned offset) {
    std::vector<unsigned> host(N / 4);
    HIP(hipMemcpy(host.data(), p, N, hipMemcpyDeviceToHost));
    for (unsigned i = 0; i < N / 4; i++)
        if (host[i] != i + offset) return i;
    return ~0u;
}

static int child(int in, int out) {
    hipIpcMemHandle_t handle;
    CHECK(read(in, &handle, sizeof handle) == sizeof handle);
    unsigned* p;
    HIP(hipIpcOpenMemHandle((void**)&p, handle, hipIpcMemLazyEnablePeerAccess));
    CHECK(first_wrong(p, 5) == ~0u);
    add_all(p, 100);
    CHECK(write(out, "x", 1) == 1);
    char c;
    CHECK(read(in, &c, 1) == 1);
    CHECK(first_wrong(p, 1105) == ~0u);
    HIP(hipIpcCloseMemHandle(p));
    return 0;
}

static int orphan(int in) {
    hipIpcMemHandle_t handle;
    CHECK(read(in, &handle, sizeof handle) == sizeof handle);
    char c;
    CHECK(read(in, &c, 1) == 0);  // the exporter is dead
    unsigned* p;
    CHECK(hipIpcOpenMemHandle((void**)&p, handle, hipIpcMemLazyEnablePeerAccess) != hipSuccess);
    return 0;
}

static unsigned* export_to(int out) {
    require_card();
    std::vector<unsigned> host(N / 4);
    for (unsigned i = 0; i < N / 4; i++) host[i] = i + 5;
    unsigned* p;
    HIP(hipMalloc(&p, N));
    HIP(hipMemcpy(p, host.data(), N, hipMemcpyHostToDevice));
    hipIpcMemHandle_t handle;
    HIP(hipIpcGetMemHandle(&handle, p));
    CHECK(write(out, &handle, sizeof handle) == sizeof handle);
    return p;
}

static bool ended_well(pid_t pid) {
    int status;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main() {
    int down[2], up[2], dead[2];
    CHECK(pipe(down) == 0 && pipe(up) == 0);
    pid_t importer = fork();
    if (importer == 0) {
        close(down[1]);
        return child(down[0], up[1]);
    }
    CHECK(pipe(dead) == 0);
    close(down[0]);
    close(up[1]);
    pid_t exporter = fork();
    if (exporter == 0) {
        export_to(dead[1]);
        _exit(0);
    }
    CHECK(ended_well(exporter));
    close(dead[1]);
    pid_t late = fork();
    if (late == 0) return orphan(dead[0]);
    CHECK(ended_well(late));

    signal(SIGPIPE, SIG_IGN);
    unsigned* p = export_to(down[1]);
    char c;
    CHECK(read(up[0], &c, 1) == 1);
    CHECK(first_wrong(p, 105) == ~0u);
    add_all(p, 1000);
    CHECK(write(down[1], "x", 1) == 1);
    CHECK(ended_well(importer));
    HIP(hipFree(p));
    std::puts("ipc is right");
    return 0;
}
