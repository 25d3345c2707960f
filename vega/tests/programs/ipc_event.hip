// An event of one process, on which another process's streams wait.
//
// HIP 5.6 and later (6.4 still) never enter hipEventRecord into the part of an event that processes share: even the
// process that records it is told at once that it is complete, on any card. There the program goes on without the wait,
// but only if the recording process is told so, too.
#include "check.h"
#include <sys/wait.h>
#include <unistd.h>

__global__ void add(unsigned* p, unsigned value) { p[threadIdx.x] += value; }

// Keeps the stream busy until the host lets it go.
__global__ void hold(const unsigned* flag) {
    while (!__hip_atomic_load(flag, __ATOMIC_ACQUIRE, __HIP_MEMORY_SCOPE_SYSTEM)) __builtin_amdgcn_s_sleep(1);
}

struct Handles {
    hipIpcMemHandle_t memory;
    hipIpcEventHandle_t event;
    bool waits;
};

static int child(int in, int out) {
    alarm(30);  // HIP waits for ever on the host for an event that no kernel records
    Handles handles;
    CHECK(read(in, &handles, sizeof handles) == sizeof handles);
    unsigned* p;
    hipEvent_t event;
    hipStream_t stream;
    HIP(hipIpcOpenMemHandle((void**)&p, handles.memory, hipIpcMemLazyEnablePeerAccess));
    HIP(hipIpcOpenEventHandle(&event, handles.event));
    HIP(hipStreamCreate(&stream));
    CHECK(hipEventQuery(event) == (handles.waits ? hipErrorNotReady : hipSuccess));
    CHECK(write(out, "x", 1) == 1);  // the parent may let its stream go
    HIP(hipStreamWaitEvent(stream, event, 0));
    char c;
    if (!handles.waits) CHECK(read(in, &c, 1) == 1);  // the parent says it instead
    add<<<1, 64, 0, stream>>>(p, 10);
    HIP(hipStreamSynchronize(stream));
    HIP(hipEventSynchronize(event));
    CHECK(hipEventQuery(event) == hipSuccess);
    unsigned host[64];
    HIP(hipMemcpy(host, p, sizeof host, hipMemcpyDeviceToHost));
    for (unsigned i = 0; i < 64; i++) CHECK(host[i] == 15);
    HIP(hipEventDestroy(event));
    HIP(hipIpcCloseMemHandle(p));
    return 0;
}

int main() {
    int down[2], up[2];
    CHECK(pipe(down) == 0 && pipe(up) == 0);
    pid_t importer = fork();
    if (importer == 0) {
        close(down[1]);
        return child(down[0], up[1]);
    }
    require_card();
    unsigned *p, *flag;
    hipStream_t stream;
    Handles handles;
    hipEvent_t event;
    HIP(hipMalloc(&p, 256));
    HIP(hipMemset(p, 0, 256));
    HIP(hipHostMalloc(&flag, 4, hipHostMallocCoherent));
    *flag = 0;
    HIP(hipStreamCreate(&stream));
    HIP(hipDeviceSynchronize());
    HIP(hipEventCreateWithFlags(&event, hipEventDisableTiming | hipEventInterprocess));
    HIP(hipIpcGetMemHandle(&handles.memory, p));
    HIP(hipIpcGetEventHandle(&handles.event, event));
    hold<<<1, 1, 0, stream>>>(flag);
    add<<<1, 64, 0, stream>>>(p, 5);
    HIP(hipEventRecord(event, stream));
    handles.waits = hipEventQuery(event) == hipErrorNotReady;
    int version;
    HIP(hipRuntimeGetVersion(&version));
    CHECK(handles.waits || version >= 50600000);
    CHECK(write(down[1], &handles, sizeof handles) == sizeof handles);
    char c;
    close(up[1]);
    CHECK(read(up[0], &c, 1) == 1);
    __atomic_store_n(flag, 1u, __ATOMIC_RELEASE);
    HIP(hipStreamSynchronize(stream));
    if (!handles.waits) CHECK(write(down[1], "x", 1) == 1);
    int status;
    CHECK(waitpid(importer, &status, 0) == importer && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    HIP(hipEventDestroy(event));
    std::puts("ipc events are right");
    return 0;
}
