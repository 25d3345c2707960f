// Opens each file that is an argument; prints its name and errno, 0 when it opened.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(int count, char** arguments) {
    int failed = 0;
    for (int i = 1; i < count; ++i) {
        int file = open(arguments[i], O_RDWR | O_CLOEXEC);
        printf("%s %d\n", arguments[i], file < 0 ? errno : 0);
        failed |= file < 0;
        if (file >= 0) close(file);
    }
    return failed;
}
