// What the device asks of the host while a kernel runs: printf, malloc and free, assert, abort.
#include "check.h"
#include <cassert>
#include <cstring>
#include <set>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

__global__ void speak(int base) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i % 2) return;
    printf("%d|%s|%5.2f|%#llx|%c|%-4d|%%\n", base + i, i % 4 ? "odd" : "even", i * 0.25, 0x100000000ull + i, 'a' + i % 26, i);
}

__global__ void strings(const char* text) {
    printf("[%s] %p %*d\n", text, (void*)0x1234, 6, 42);
    printf("no arguments\n");
    printf("");
    printf("%d %d %d %d %d %d %d %d %d %d %d %d\n", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
}

static std::string captured(void (*run)()) {
    std::fflush(stdout);
    FILE* file = tmpfile();
    int was = dup(1);
    dup2(fileno(file), 1);
    run();
    std::fflush(stdout);
    dup2(was, 1);
    close(was);
    std::string text;
    std::rewind(file);
    for (int c; (c = fgetc(file)) != EOF;) text += (char)c;
    fclose(file);
    return text;
}

static void printing() {
    std::string text = captured([] {
        speak<<<8, 160>>>(1000);
        HIP(hipDeviceSynchronize());
    });
    std::multiset<std::string> lines, expected;
    for (size_t at = 0, end; (end = text.find('\n', at)) != std::string::npos; at = end + 1) lines.insert(text.substr(at, end - at));
    for (int i = 0; i < 1280; i += 2) {
        char line[200];
        std::snprintf(line, sizeof line, "%d|%s|%5.2f|%#llx|%c|%-4d|%%", 1000 + i, i % 4 ? "odd" : "even", i * 0.25, 0x100000000ull + i, 'a' + i % 26, i);
        expected.insert(line);
    }
    CHECK(lines == expected);
    text = captured([] {
        char* line;
        HIP(hipHostMalloc(&line, 1000));
        std::memset(line, 'x', 999);
        line[999] = 0;
        strings<<<1, 1>>>(line);
        HIP(hipDeviceSynchronize());
        HIP(hipHostFree(line));
    });
    CHECK(text == "[" + std::string(999, 'x') + "] 0x1234     42\nno arguments\n1 2 3 4 5 6 7 8 9 10 11 12\n");
}

// A list that lives from one kernel to the next.
struct Node {
    Node* next;
    unsigned value;
};
__device__ Node* heads[256];

__global__ void build(unsigned length) {
    unsigned me = blockIdx.x * blockDim.x + threadIdx.x;
    Node* head = nullptr;
    for (unsigned i = 0; i < length; i++) {
        Node* node = (Node*)malloc(sizeof(Node) + i * 40);
        if (!node) break;
        node->next = head;
        node->value = me * 100 + i;
        head = node;
    }
    heads[me] = head;
}

__global__ void sum_and_free(unsigned* out) {
    unsigned me = blockIdx.x * blockDim.x + threadIdx.x, sum = 0;
    for (Node* node = heads[me]; node;) {
        Node* next = node->next;
        sum = sum * 31 + node->value;
        free(node);
        node = next;
    }
    out[me] = sum;
}

static void allocating() {
    const unsigned length = 6;
    unsigned* out;
    HIP(hipHostMalloc(&out, 256 * sizeof *out));
    for (int round = 0; round < 3; round++) {
        build<<<4, 64>>>(length);
        sum_and_free<<<4, 64>>>(out);
        HIP(hipDeviceSynchronize());
        for (unsigned me = 0; me < 256; me++) {
            unsigned sum = 0;
            for (unsigned i = length; i-- > 0;) sum = sum * 31 + me * 100 + i;
            CHECK(out[me] == sum);
        }
    }
}

__global__ void fail(int how) {
    if (how == 0) assert(threadIdx.x != 5 && "five");
    if (how == 1) abort();
}

// In a child process: the runtime aborts it.
static void failing(int how, const char* says) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 2);
        dup2(ends[1], 1);
        require_card();
        fail<<<1, 64>>>(how);
        (void)hipDeviceSynchronize();
        _exit(7);
    }
    close(ends[1]);
    std::string text;
    char buffer[512];
    for (ssize_t n; (n = read(ends[0], buffer, sizeof buffer)) > 0;) text.append(buffer, n);
    close(ends[0]);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && text.find(says) != std::string::npos)) {
        std::fprintf(stderr, "status %#x, it said: %s\n", status, text.c_str());
        std::exit(1);
    }
}

int main() {
    failing(0, "Device-side assertion `threadIdx.x != 5 && \"five\"' failed");
    failing(1, "trap 2");
    require_card();
    printing();
    allocating();
    std::puts("the host serves kernels");
    return 0;
}
