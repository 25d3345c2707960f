// ROCr alone: a queue whose ring wraps twice, signals, copies both ways, then the same in a second process.
#if __has_include(<hsa/hsa.h>)
#include <hsa/hsa.h>
#include <hsa/hsa_ext_amd.h>
#else
#include <hsa.h>
#include <hsa_ext_amd.h>
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void check(hsa_status_t status, const char* call) {
    if (status != HSA_STATUS_SUCCESS && status != HSA_STATUS_INFO_BREAK) {
        const char* text = "";
        hsa_status_string(status, &text);
        fprintf(stderr, "%s: %s\n", call, text);
        exit(1);
    }
}
#define CHECK(call) check((call), #call)

static hsa_agent_t gpu, cpu;
static int gpus, cpus;
static hsa_amd_memory_pool_t device_pool, host_pool;

static hsa_status_t agent(hsa_agent_t found, void* data) {
    (void)data;
    hsa_device_type_t type;
    CHECK(hsa_agent_get_info(found, HSA_AGENT_INFO_DEVICE, &type));
    if (type == HSA_DEVICE_TYPE_GPU && gpus++ == 0) gpu = found;
    if (type == HSA_DEVICE_TYPE_CPU && cpus++ == 0) cpu = found;
    return HSA_STATUS_SUCCESS;
}

static hsa_status_t pool(hsa_amd_memory_pool_t found, void* data) {
    bool allowed = false;
    hsa_amd_segment_t segment;
    CHECK(hsa_amd_memory_pool_get_info(found, HSA_AMD_MEMORY_POOL_INFO_SEGMENT, &segment));
    CHECK(hsa_amd_memory_pool_get_info(found, HSA_AMD_MEMORY_POOL_INFO_RUNTIME_ALLOC_ALLOWED, &allowed));
    if (segment == HSA_AMD_SEGMENT_GLOBAL && allowed) {
        *(hsa_amd_memory_pool_t*)data = found;
        return HSA_STATUS_INFO_BREAK;
    }
    return HSA_STATUS_SUCCESS;
}

static void wait_zero(hsa_signal_t signal, const char* what) {
    if (hsa_signal_wait_scacquire(signal, HSA_SIGNAL_CONDITION_LT, 1, 20000000000ull, HSA_WAIT_STATE_BLOCKED) != 0) {
        fprintf(stderr, "%s did not complete\n", what);
        exit(1);
    }
}

static void ring(void) {
    hsa_queue_t* queue;
    hsa_signal_t done;
    CHECK(hsa_queue_create(gpu, 256, HSA_QUEUE_TYPE_SINGLE, NULL, NULL, UINT32_MAX, UINT32_MAX, &queue));
    CHECK(hsa_signal_create(1, 0, NULL, &done));
    unsigned total = queue->size * 2 + 3;
    for (unsigned i = 0; i < total; ++i) {
        uint64_t index = hsa_queue_add_write_index_relaxed(queue, 1);
        while (index - hsa_queue_load_read_index_scacquire(queue) >= queue->size) {
        }
        hsa_barrier_and_packet_t* packet = (hsa_barrier_and_packet_t*)queue->base_address + index % queue->size;
        memset((char*)packet + 4, 0, sizeof *packet - 4);
        if (i == total - 1) packet->completion_signal = done;
        uint16_t header = HSA_PACKET_TYPE_BARRIER_AND << HSA_PACKET_HEADER_TYPE | 1 << HSA_PACKET_HEADER_BARRIER |
                          HSA_FENCE_SCOPE_SYSTEM << HSA_PACKET_HEADER_SCACQUIRE_FENCE_SCOPE |
                          HSA_FENCE_SCOPE_SYSTEM << HSA_PACKET_HEADER_SCRELEASE_FENCE_SCOPE;
        __atomic_store_n(&packet->header, header, __ATOMIC_RELEASE);
        hsa_signal_store_screlease(queue->doorbell_signal, (hsa_signal_value_t)index);
    }
    wait_zero(done, "a ring of barrier packets");
    CHECK(hsa_signal_destroy(done));
    CHECK(hsa_queue_destroy(queue));
    printf("%u packets\n", total);
}

static void copies(void) {
    enum { BYTES = 3 << 20 };
    unsigned char *from, *to;
    void* device;
    hsa_signal_t done;
    CHECK(hsa_amd_memory_pool_allocate(host_pool, BYTES, 0, (void**)&from));
    CHECK(hsa_amd_memory_pool_allocate(host_pool, BYTES, 0, (void**)&to));
    CHECK(hsa_amd_memory_pool_allocate(device_pool, BYTES, 0, &device));
    CHECK(hsa_amd_agents_allow_access(1, &gpu, NULL, from));
    CHECK(hsa_amd_agents_allow_access(1, &gpu, NULL, to));
    for (unsigned i = 0; i < BYTES; ++i) from[i] = (unsigned char)(i * 2654435761u >> 13);
    memset(to, 0, BYTES);
    CHECK(hsa_signal_create(1, 0, NULL, &done));
    CHECK(hsa_amd_memory_async_copy(device, gpu, from, cpu, BYTES, 0, NULL, done));
    wait_zero(done, "a copy to the device");
    hsa_signal_store_relaxed(done, 1);
    CHECK(hsa_amd_memory_async_copy(to, cpu, device, gpu, BYTES, 0, NULL, done));
    wait_zero(done, "a copy from the device");
    if (memcmp(from, to, BYTES) != 0) {
        fprintf(stderr, "the bytes that came back are not those that went\n");
        exit(1);
    }
    CHECK(hsa_memory_free(from));
    CHECK(hsa_memory_free(to));
    CHECK(hsa_memory_free(device));
    printf("%d bytes there and back\n", BYTES);
}

static int run(void) {
    CHECK(hsa_init());
    CHECK(hsa_iterate_agents(agent, NULL));
    if (gpus == 0 || cpus == 0) {
        fprintf(stderr, "%d GPU agents, %d CPU agents\n", gpus, cpus);
        return 1;
    }
    CHECK(hsa_amd_agent_iterate_memory_pools(gpu, pool, &device_pool));
    CHECK(hsa_amd_agent_iterate_memory_pools(cpu, pool, &host_pool));
    ring();
    copies();
    CHECK(hsa_shut_down());
    return 0;
}

int main(void) {
    // The child forks before either has opened the driver: a driver's state does not survive a fork.
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) return run();
    int mine = run(), status = 1;
    if (child < 0 || waitpid(child, &status, 0) != child) return 1;
    if (status != 0) fprintf(stderr, "the second process failed: status %#x\n", status);
    return mine != 0 || status != 0;
}
