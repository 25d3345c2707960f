// hiprtc by its C interface, without a device. Arguments: library, processor, case.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void* program_t;
static void* library;

static void* find(const char* name) {
    void* symbol = dlsym(library, name);
    if (!symbol) {
        fprintf(stderr, "%s is not exported\n", name);
        exit(1);
    }
    return symbol;
}

static const char good[] =
    "template <class T> __global__ void twice(T* x) { x[threadIdx.x] = sqrtf(x[threadIdx.x]) * 2; }\n";
static const char bad[] = "__global__ void f(int* x) {\n  x[0] = undeclared_name;\n}\n";

int main(int count, char** arguments) {
    if (count < 4) return 2;
    library = dlopen(arguments[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    int (*create)(program_t*, const char*, const char*, int, const char**, const char**) = find("hiprtcCreateProgram");
    int (*add)(program_t, const char*) = find("hiprtcAddNameExpression");
    int (*compile)(program_t, int, const char**) = find("hiprtcCompileProgram");
    int (*log_size)(program_t, size_t*) = find("hiprtcGetProgramLogSize");
    int (*get_log)(program_t, char*) = find("hiprtcGetProgramLog");
    int (*lowered)(program_t, const char*, const char**) = find("hiprtcGetLoweredName");
    int (*code_size)(program_t, size_t*) = find("hiprtcGetCodeSize");
    int (*get_code)(program_t, char*) = find("hiprtcGetCode");

    char architecture[64];
    snprintf(architecture, sizeof architecture, "--offload-arch=%s", arguments[2]);
    const char* options[] = {architecture};
    int wants_log = strcmp(arguments[3], "log") == 0;
    program_t program;
    if (create(&program, wants_log ? bad : good, "probe.hip", 0, NULL, NULL) != 0) {
        fprintf(stderr, "hiprtcCreateProgram failed\n");
        return 1;
    }
    if (!wants_log && add(program, "twice<float>") != 0) {
        fprintf(stderr, "hiprtcAddNameExpression failed\n");
        return 1;
    }
    int status = compile(program, 1, options);
    size_t size = 0;
    log_size(program, &size);
    char* text = calloc(size + 1, 1);
    if (size) get_log(program, text);
    if (wants_log) {
        if (status == 0 || !strstr(text, "undeclared_name")) {
            fprintf(stderr, "a wrong source gave status %d and the log: %s\n", status, text);
            return 1;
        }
        return 0;
    }
    if (status != 0) {
        fprintf(stderr, "hiprtcCompileProgram: %d\n%s\n", status, text);
        return 1;
    }
    if (strcmp(arguments[3], "name") == 0) {
        const char* name = NULL;
        if (lowered(program, "twice<float>", &name) != 0 || !name || !strstr(name, "twice")) {
            fprintf(stderr, "hiprtcGetLoweredName gives %s\n", name ? name : "nothing");
            return 1;
        }
        return 0;
    }
    size_t bytes = 0;
    if (code_size(program, &bytes) != 0 || bytes < 64) {
        fprintf(stderr, "the code has %zu bytes\n", bytes);
        return 1;
    }
    char* code = malloc(bytes);
    return get_code(program, code) != 0 || (memcmp(code, "\177ELF", 4) != 0 && memcmp(code, "__CLANG", 7) != 0);
}
