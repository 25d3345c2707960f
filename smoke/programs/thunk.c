// The thunk by its C interface. Argument: library.
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int main(int count, char** arguments) {
    void* library = count > 1 ? dlopen(arguments[1], RTLD_NOW) : NULL;
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    int (*open_kfd)(void) = (int (*)(void))dlsym(library, "hsaKmtOpenKFD");
    int (*version)(uint32_t*) = (int (*)(uint32_t*))dlsym(library, "hsaKmtGetVersion");
    int (*acquire)(void*) = (int (*)(void*))dlsym(library, "hsaKmtAcquireSystemProperties");
    int (*release)(void) = (int (*)(void))dlsym(library, "hsaKmtReleaseSystemProperties");
    if (!open_kfd || !version || !acquire || !release) {
        fprintf(stderr, "the thunk does not export its functions\n");
        return 1;
    }
    int status = open_kfd();
    if (status != 0) {
        fprintf(stderr, "hsaKmtOpenKFD: %d\n", status);
        return 1;
    }
    uint32_t numbers[2] = {0, 0};
    uint32_t system[64];
    memset(system, 0, sizeof system);
    if (version(numbers) != 0 || acquire(system) != 0) {
        fprintf(stderr, "the driver's version or topology cannot be read\n");
        return 1;
    }
    printf("interface %u.%u, %u nodes\n", numbers[0], numbers[1], system[0]);
    release();
    return numbers[0] >= 1 && system[0] >= 2 ? 0 : 1;
}
