// A buffer that a process exports as a dmabuf and sends to another, which lets its kernels at it, maps it into host
// memory, and still has it when the exporter has freed it. Needs a runtime that exports dmabufs: ROCm 5.6 or newer.
#include "check.h"
#include <dlfcn.h>
#include <hsa/hsa.h>
#include <hsa/hsa_ext_amd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

static const size_t N = 5 << 20;

__global__ void add(unsigned* p, size_t n, unsigned value) {
    size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
    if (i < n) p[i] += value;
}

static void add_all(unsigned* p, unsigned value) {
    add<<<(N / 4 + 255) / 256, 256>>>(p, N / 4, value);
    HIP(hipDeviceSynchronize());
}

__global__ void copy(unsigned* to, const unsigned* from, size_t n) {
    size_t i = blockIdx.x * (size_t)blockDim.x + threadIdx.x;
    if (i < n) to[i] = from[i];
}

// By a kernel: HIP itself knows nothing of an imported buffer, and would take it for host memory.
static bool holds(unsigned* p, unsigned offset) {
    std::vector<unsigned> host(N / 4);
    unsigned* known;
    HIP(hipMalloc(&known, N));
    copy<<<(N / 4 + 255) / 256, 256>>>(known, p, N / 4);
    HIP(hipMemcpy(host.data(), known, N, hipMemcpyDeviceToHost));
    HIP(hipFree(known));
    for (unsigned i = 0; i < N / 4; i++)
        if (host[i] != i + offset) return false;
    return true;
}

template <typename F> static F* rocr(const char* name) {
    void* library = dlopen("libhsa-runtime64.so.1", RTLD_NOW);
    CHECK(library);
    F* function = (F*)dlsym(library, name);
    CHECK(function);
    return function;
}

static void send_file(int socket, int file) {
    char byte = 'f', control[CMSG_SPACE(sizeof file)] = {};
    iovec io = {&byte, 1};
    msghdr message = {};
    message.msg_iov = &io;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof file);
    *(int*)CMSG_DATA(header) = file;
    CHECK(sendmsg(socket, &message, 0) == 1);
}

static int receive_file(int socket) {
    char byte, control[CMSG_SPACE(sizeof(int))];
    iovec io = {&byte, 1};
    msghdr message = {};
    message.msg_iov = &io;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    CHECK(recvmsg(socket, &message, 0) == 1 && CMSG_FIRSTHDR(&message));
    return *(int*)CMSG_DATA(CMSG_FIRSTHDR(&message));
}

static hsa_status_t first_gpu(hsa_agent_t agent, void* found) {
    hsa_device_type_t type;
    rocr<decltype(hsa_agent_get_info)>("hsa_agent_get_info")(agent, HSA_AGENT_INFO_DEVICE, &type);
    if (type != HSA_DEVICE_TYPE_GPU) return HSA_STATUS_SUCCESS;
    *(hsa_agent_t*)found = agent;
    return HSA_STATUS_INFO_BREAK;
}

static void tell(int socket) { CHECK(write(socket, "x", 1) == 1); }

static void hear(int socket) {
    char c;
    CHECK(read(socket, &c, 1) == 1);
}

static int importer(int socket) {
    require_card();
    HIP(hipSetDevice(0));
    int file = receive_file(socket);
    hsa_agent_t agent;
    CHECK(rocr<decltype(hsa_iterate_agents)>("hsa_iterate_agents")(first_gpu, &agent) == HSA_STATUS_INFO_BREAK);
    size_t bytes;
    void* buffer;
    auto import = rocr<decltype(hsa_amd_interop_map_buffer)>("hsa_amd_interop_map_buffer");
    CHECK(import(1, &agent, file, 0, &bytes, &buffer, nullptr, nullptr) == HSA_STATUS_SUCCESS);
    CHECK(bytes >= N && (size_t)lseek(file, 0, SEEK_END) == bytes);
    size_t offset;
    CHECK(read(socket, &offset, sizeof offset) == sizeof offset);
    unsigned* p = (unsigned*)((char*)buffer + offset);
    CHECK(holds(p, 5));
    add_all(p, 100);
    tell(socket);
    hear(socket);
    CHECK(holds(p, 1105));
    // DMA_BUF_IOCTL_SYNC: start and end of reading.
    unsigned long long start = 1, end = 1 | 4;
    unsigned* mapped = (unsigned*)mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file, 0);
    CHECK(mapped != MAP_FAILED);
    CHECK(ioctl(file, _IOW('b', 0, unsigned long long), &start) == 0);
    CHECK(mapped[offset / 4 + 7] == 1112);
    CHECK(ioctl(file, _IOW('b', 0, unsigned long long), &end) == 0);
    tell(socket);
    hear(socket);  // the exporter has freed it, and filled its memory with something else
    CHECK(holds(p, 1105) && mapped[offset / 4 + 7] == 1112);
    add_all(p, 1);
    CHECK(holds(p, 1106) && mapped[offset / 4 + 7] == 1113);
    auto unmap = rocr<decltype(hsa_amd_interop_unmap_buffer)>("hsa_amd_interop_unmap_buffer");
    CHECK(unmap(buffer) == HSA_STATUS_SUCCESS);
    // A file of another kind is no buffer.
    CHECK(import(1, &agent, socket, 0, &bytes, &buffer, nullptr, nullptr) != HSA_STATUS_SUCCESS);
    return 0;
}

int main() {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        return importer(ends[1]);
    }
    close(ends[1]);
    int socket = ends[0];
    require_card();
    std::vector<unsigned> host(N / 4);
    for (unsigned i = 0; i < N / 4; i++) host[i] = i + 5;
    unsigned* p;
    HIP(hipMalloc(&p, N));
    HIP(hipMemcpy(p, host.data(), N, hipMemcpyHostToDevice));
    auto export_dmabuf = rocr<hsa_status_t(const void*, size_t, int*, uint64_t*)>("hsa_amd_portable_export_dmabuf");
    int file, again;
    size_t offset;
    CHECK(export_dmabuf(p, N, &file, &offset) == HSA_STATUS_SUCCESS);
    CHECK(export_dmabuf(p, N, &again, &offset) == HSA_STATUS_SUCCESS && again != file);
    close(again);
    // A handle of the same buffer, too: the two ways go together.
    hipIpcMemHandle_t handle;
    HIP(hipIpcGetMemHandle(&handle, p));
    send_file(socket, file);
    close(file);
    CHECK(write(socket, &offset, sizeof offset) == sizeof offset);
    hear(socket);
    CHECK(holds(p, 105));
    add_all(p, 1000);
    tell(socket);
    hear(socket);
    HIP(hipFree(p));
    unsigned* other;
    HIP(hipMalloc(&other, N));
    HIP(hipMemset(other, 0x77, N));
    HIP(hipDeviceSynchronize());
    tell(socket);
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    HIP(hipFree(other));
    std::puts("dmabufs are right");
    return 0;
}
