// A signal of one process that another one attaches: memory of the host that both map and both cards know. The first
// waits for the other's store, the other for the first one's card.
#include "check.h"
#include <dlfcn.h>
#include <hsa/hsa.h>
#include <hsa/hsa_ext_amd.h>
#include <sys/wait.h>
#include <unistd.h>

template <typename F> static F* rocr(const char* name) {
    void* library = dlopen("libhsa-runtime64.so.1", RTLD_NOW);
    CHECK(library);
    F* function = (F*)dlsym(library, name);
    CHECK(function);
    return function;
}
#define ROCR(name) rocr<decltype(name)>(#name)

__global__ void store(long* value, long to) { __hip_atomic_store(value, to, __ATOMIC_RELEASE, __HIP_MEMORY_SCOPE_SYSTEM); }

// Both wait without interrupts: those of a signal belong to the process that created it. `other` must not end meanwhile.
static void await(hsa_signal_t signal, hsa_signal_value_t value, pid_t other) {
    while (ROCR(hsa_signal_load_scacquire)(signal) != value) {
        int status;
        CHECK(other == getppid() || waitpid(other, &status, WNOHANG) == 0 ||
              ROCR(hsa_signal_load_scacquire)(signal) == value);
        usleep(100);
    }
}

static int importer(int in) {
    require_card();
    HIP(hipSetDevice(0));
    hsa_amd_ipc_signal_t handle;
    CHECK(read(in, &handle, sizeof handle) == sizeof handle);
    hsa_signal_t signal;
    CHECK(ROCR(hsa_amd_ipc_signal_attach)(&handle, &signal) == HSA_STATUS_SUCCESS);
    CHECK(ROCR(hsa_signal_load_scacquire)(signal) == 41);
    ROCR(hsa_signal_store_screlease)(signal, 42);
    await(signal, 43, getppid());
    ROCR(hsa_signal_store_screlease)(signal, 44);
    CHECK(ROCR(hsa_signal_destroy)(signal) == HSA_STATUS_SUCCESS);
    return 0;
}

int main() {
    int down[2];
    CHECK(pipe(down) == 0);
    pid_t child = fork();
    if (child == 0) return importer(down[0]);
    require_card();
    HIP(hipSetDevice(0));
    hsa_signal_t signal;
    CHECK(ROCR(hsa_amd_signal_create)(41, 0, nullptr, HSA_AMD_SIGNAL_IPC, &signal) == HSA_STATUS_SUCCESS);
    hsa_amd_ipc_signal_t handle;
    CHECK(ROCR(hsa_amd_ipc_signal_create)(signal, &handle) == HSA_STATUS_SUCCESS);
    CHECK(write(down[1], &handle, sizeof handle) == sizeof handle);
    await(signal, 42, child);
    // amd_signal_t: the value is eight bytes from the start.
    store<<<1, 1>>>((long*)(signal.handle + 8), 43);
    HIP(hipDeviceSynchronize());
    // Or the other one waits for it for ever.
    CHECK(ROCR(hsa_signal_load_scacquire)(signal) >= 43);
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK(ROCR(hsa_signal_load_scacquire)(signal) == 44);
    CHECK(ROCR(hsa_signal_destroy)(signal) == HSA_STATUS_SUCCESS);
    std::puts("ipc signals are right");
    return 0;
}
