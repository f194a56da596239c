// cachestat and name_to_handle_at: what the page cache holds of a file, and handles of files.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_cachestat
#define SYS_cachestat 451
#endif

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

int main(void) {
    int f = open("file", O_RDWR | O_CREAT, 0600), p[2];
    pipe(p);
    char bytes[3 * 4096] = "x";
    write(f, bytes, sizeof bytes);
    unsigned long long range[2] = {0, 2 * 4096}, all[2] = {0, 0}, st[5] = {0};
    SHOW(syscall(SYS_cachestat, f, range, st, 0));
    printf("%llu\n", st[0]);
    SHOW(syscall(SYS_cachestat, f, all, st, 0));
    printf("%llu\n", st[0]);
    SHOW(syscall(SYS_cachestat, f, range, st, 1));
    SHOW(syscall(SYS_cachestat, 99, range, st, 0));
    SHOW(syscall(SYS_cachestat, f, (void *)8, st, 0));
    SHOW(syscall(SYS_cachestat, f, range, (void *)8, 0));
    union {
        struct file_handle h;
        char room[200];
    } a, b;
    int mount = -1, other = -2;
    a.h.handle_bytes = 0;
    int r = name_to_handle_at(AT_FDCWD, "file", &a.h, &mount, 0);
    if (r < 0 && errno == EOPNOTSUPP) {
        puts("no handles here");
        return 0;
    }
    printf("too small %d needs some %d\n", r < 0 && errno == EOVERFLOW, a.h.handle_bytes > 0);
    a.h.handle_bytes = b.h.handle_bytes = 128;
    SHOW(name_to_handle_at(AT_FDCWD, "file", &a.h, &mount, 0));
    SHOW(name_to_handle_at(f, "", &b.h, &other, AT_EMPTY_PATH));
    printf("same %d mount %d\n", a.h.handle_bytes == b.h.handle_bytes && !memcmp(a.h.f_handle, b.h.f_handle, a.h.handle_bytes),
           mount == other);
    SHOW(name_to_handle_at(f, "", &b.h, &other, 0));
    SHOW(name_to_handle_at(AT_FDCWD, "none", &b.h, &other, 0));
    b.h.handle_bytes = 129;
    SHOW(name_to_handle_at(AT_FDCWD, "file", &b.h, &other, 0));
    SHOW(name_to_handle_at(AT_FDCWD, "file", (void *)8, &other, 0));
    SHOW(name_to_handle_at(AT_FDCWD, "file", &a.h, &other, 0x40000000));
    return 0;
}
