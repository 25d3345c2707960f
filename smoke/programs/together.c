// Loads the libraries that are its arguments into one process, all symbols global, and calls comgr.
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char** arguments) {
    for (int i = 1; i < count; ++i) {
        if (!dlopen(arguments[i], RTLD_NOW | RTLD_GLOBAL)) {
            fprintf(stderr, "%s\n", dlerror());
            return 1;
        }
    }
    void (*version)(unsigned long*, unsigned long*) = dlsym(RTLD_DEFAULT, "amd_comgr_get_version");
    int (*isas)(unsigned long*) = dlsym(RTLD_DEFAULT, "amd_comgr_get_isa_count");
    unsigned long major = 0, minor = 0, targets = 0;
    if (version) version(&major, &minor);
    if (isas && (isas(&targets) != 0 || targets == 0)) {
        fprintf(stderr, "comgr lists no target\n");
        return 1;
    }
    printf("comgr %lu.%lu, %lu targets\n", major, minor, targets);
    return 0;
}
