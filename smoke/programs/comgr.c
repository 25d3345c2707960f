// comgr by its C interface: lists the targets and compiles OpenCL to an executable. Arguments: library, processor.
#if __has_include(<amd_comgr/amd_comgr.h>)
#include <amd_comgr/amd_comgr.h>
#define COMPILES 1
#elif __has_include(<amd_comgr.h>)
#include <amd_comgr.h>
#define COMPILES 1
#endif

#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void* library;

static void* find(const char* name) {
    void* symbol = dlsym(library, name);
    if (!symbol) {
        fprintf(stderr, "%s is not exported\n", name);
        exit(1);
    }
    return symbol;
}

static void check(int status, const char* call) {
    if (status != 0) {
        const char* text = "";
        int (*status_string)(int, const char**) = (int (*)(int, const char**))find("amd_comgr_status_string");
        status_string(status, &text);
        fprintf(stderr, "%s: %s\n", call, text);
        exit(1);
    }
}

static void list(const char* wanted) {
    int (*get_count)(size_t*) = (int (*)(size_t*))find("amd_comgr_get_isa_count");
    int (*get_name)(size_t, const char**) = (int (*)(size_t, const char**))find("amd_comgr_get_isa_name");
    size_t count = 0, found = 0;
    check(get_count(&count), "amd_comgr_get_isa_count");
    for (size_t i = 0; i < count; ++i) {
        const char* name = "";
        check(get_name(i, &name), "amd_comgr_get_isa_name");
        found += strcmp(name, wanted) == 0;
    }
    if (!found) {
        fprintf(stderr, "%s is not among the %zu targets\n", wanted, count);
        exit(1);
    }
    printf("%zu targets, %s is one\n", count, wanted);
}

#ifdef COMPILES
#define CALL(name, ...) check(((__typeof__(&name))find(#name))(__VA_ARGS__), #name)

// Without OpenCL's header, which comgr does not look for; the sine comes from the device libraries.
static const char source[] = "float __ocml_sin_f32(float);\n"
                             "kernel void f(global float *x) {\n"
                             "  int i = (int)__builtin_amdgcn_workitem_id_x();\n"
                             "  x[i] = __ocml_sin_f32(x[i]);\n"
                             "}\n";

static void compile(const char* isa) {
    static const amd_comgr_action_kind_t steps[] = {
        AMD_COMGR_ACTION_COMPILE_SOURCE_WITH_DEVICE_LIBS_TO_BC,
        AMD_COMGR_ACTION_CODEGEN_BC_TO_RELOCATABLE,
        AMD_COMGR_ACTION_LINK_RELOCATABLE_TO_EXECUTABLE,
    };
    amd_comgr_data_t data;
    amd_comgr_data_set_t sets[4];
    amd_comgr_action_info_t info;
    CALL(amd_comgr_create_data, AMD_COMGR_DATA_KIND_SOURCE, &data);
    CALL(amd_comgr_set_data, data, sizeof source - 1, source);
    CALL(amd_comgr_set_data_name, data, "probe.cl");
    CALL(amd_comgr_create_data_set, &sets[0]);
    CALL(amd_comgr_data_set_add, sets[0], data);
    CALL(amd_comgr_create_action_info, &info);
    CALL(amd_comgr_action_info_set_language, info, AMD_COMGR_LANGUAGE_OPENCL_2_0);
    CALL(amd_comgr_action_info_set_isa_name, info, isa);
    for (int i = 0; i < 3; ++i) {
        CALL(amd_comgr_create_data_set, &sets[i + 1]);
        CALL(amd_comgr_do_action, steps[i], info, sets[i], sets[i + 1]);
    }
    amd_comgr_data_t executable;
    size_t size = 0;
    CALL(amd_comgr_action_data_get_data, sets[3], AMD_COMGR_DATA_KIND_EXECUTABLE, 0, &executable);
    CALL(amd_comgr_get_data, executable, &size, NULL);
    char* bytes = malloc(size);
    CALL(amd_comgr_get_data, executable, &size, bytes);
    if (size < 64 || memcmp(bytes, "\177ELF", 4) != 0) {
        fprintf(stderr, "the executable of %zu bytes is no ELF file\n", size);
        exit(1);
    }
    printf("OpenCL became an ELF file of %zu bytes\n", size);
}
#else
static void compile(const char* isa) { printf("no header of comgr: nothing is compiled for %s\n", isa); }
#endif

int main(int count, char** arguments) {
    if (count < 3) return 2;
    library = dlopen(arguments[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    char isa[128];
    snprintf(isa, sizeof isa, "amdgcn-amd-amdhsa--%s", arguments[2]);
    list(isa);
    compile(isa);
    return 0;
}
