// Extended attributes relative to a directory.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#define SYS_getxattrat 464
#define SYS_listxattrat 465
#define SYS_removexattrat 466
#endif

struct arguments {
    uint64_t value;
    uint32_t size, flags;
};

static void show(const char *what, long result) {
    printf("%s %ld %s\n", what, result < 0 ? -1 : result, result < 0 ? strerror(errno) : "");
}

int main(void) {
    mkdir("d", 0755);
    int dir = open("d", O_RDONLY | O_DIRECTORY);
    close(openat(dir, "file", O_CREAT | O_WRONLY, 0644));
    char text[100] = "";
    struct arguments in = {(uintptr_t)"value", 5, 0}, out = {(uintptr_t)text, sizeof text, 0};
    show("setxattrat", syscall(SYS_setxattrat, dir, "file", 0, "user.a", &in, sizeof in));
    in.flags = 1;
    show("setxattrat create", syscall(SYS_setxattrat, dir, "file", 0, "user.a", &in, sizeof in));
    in.flags = 2;
    show("setxattrat replace", syscall(SYS_setxattrat, dir, "file", 0, "user.b", &in, sizeof in));
    show("setxattrat short", syscall(SYS_setxattrat, dir, "file", 0, "user.b", &in, 8));
    show("getxattrat", syscall(SYS_getxattrat, dir, "file", 0, "user.a", &out, sizeof out));
    puts(text);
    show("getxattrat none", syscall(SYS_getxattrat, dir, "file", 0, "user.b", &out, sizeof out));
    out.size = 2;
    show("getxattrat small", syscall(SYS_getxattrat, dir, "file", 0, "user.a", &out, sizeof out));
    memset(text, 0, sizeof text);
    show("listxattrat", syscall(SYS_listxattrat, dir, "file", 0, text, sizeof text));
    puts(text);
    show("listxattrat flags", syscall(SYS_listxattrat, dir, "file", 0x8000, text, sizeof text));
    show("removexattrat", syscall(SYS_removexattrat, dir, "file", 0, "user.a"));
    show("removexattrat again", syscall(SYS_removexattrat, dir, "file", 0, "user.a"));
    int fd = openat(dir, "file", O_RDONLY);
    show("listxattrat of a descriptor", syscall(SYS_listxattrat, fd, "", AT_EMPTY_PATH, text, sizeof text));
    return 0;
}
