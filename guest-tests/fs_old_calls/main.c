// The calls of x86_64 that later ones replaced and that the C library no longer makes.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void show(const char *what, long result) {
    printf("%s %ld %s\n", what, result < 0 ? -1 : result, result < 0 ? strerror(errno) : "");
}

int main(void) {
    struct stat a, b;
    int fd = syscall(SYS_creat, "file", 0640);
    printf("creat %d\n", fd >= 3);
    show("write", write(fd, "hello", 5));
    show("read of a new file", read(fd, &a, 1));
    close(fd);
    fd = syscall(SYS_open, "file", O_RDWR);
    printf("open %d\n", fd >= 3);
    show("open missing", syscall(SYS_open, "missing", O_RDONLY));
    show("open exclusive", syscall(SYS_open, "file", O_CREAT | O_EXCL | O_RDWR, 0600));
    show("open bad pointer", syscall(SYS_open, (char *)1, O_RDONLY));
    show("stat", syscall(SYS_stat, "file", &a));
    show("fstat", syscall(SYS_fstat, fd, &b));
    printf("same %d size %ld mode %o\n", a.st_ino == b.st_ino && a.st_dev == b.st_dev, (long)a.st_size, a.st_mode);
    show("symlink", symlink("file", "link"));
    show("lstat", syscall(SYS_lstat, "link", &b));
    printf("link %d %ld\n", S_ISLNK(b.st_mode), (long)b.st_size);
    show("stat link", syscall(SYS_stat, "link", &b));
    printf("same %d\n", a.st_ino == b.st_ino);
    show("stat missing", syscall(SYS_stat, "missing", &b));
    show("fstat bad", syscall(SYS_fstat, 77, &b));
    show("lstat bad pointer", syscall(SYS_lstat, "file", (void *)1));

    struct timeval times[2] = {{1000000000, 250000}, {1100000000, 500000}};
    show("futimesat", syscall(SYS_futimesat, AT_FDCWD, "file", times));
    show("stat", syscall(SYS_stat, "file", &a));
    printf("%ld.%06ld %ld.%06ld\n", (long)a.st_atim.tv_sec, a.st_atim.tv_nsec / 1000, (long)a.st_mtim.tv_sec,
           a.st_mtim.tv_nsec / 1000);
    times[0].tv_usec = 1000000;
    show("futimesat too many microseconds", syscall(SYS_futimesat, AT_FDCWD, "file", times));

    int dir = syscall(SYS_open, ".", O_RDONLY | O_DIRECTORY);
    char buffer[4096];
    int entries = 0, found = 0;
    for (long n; (n = syscall(SYS_getdents, dir, buffer, sizeof buffer)) > 0;)
        for (long at = 0; at < n; entries++) {
            unsigned short length;
            memcpy(&length, buffer + at + 16, 2);
            const char *name = buffer + at + 18;
            // The last byte of the record is the type.
            if (!strcmp(name, "file")) found += buffer[at + length - 1] == 8;
            if (!strcmp(name, "link")) found += buffer[at + length - 1] == 10;
            at += length;
        }
    printf("getdents %d %d\n", entries, found);
    lseek(dir, 0, SEEK_SET);
    show("getdents too small", syscall(SYS_getdents, dir, buffer, 3));
    show("getdents of a file", syscall(SYS_getdents, fd, buffer, sizeof buffer));

    long stored = 0, t = syscall(SYS_time, &stored);
    printf("time %d %d\n", t == stored, t - time(NULL) < 5 && t - time(NULL) > -5);
    show("time bad pointer", syscall(SYS_time, (void *)1));

    int p[2];
    pipe(p);
    fd_set readable;
    FD_ZERO(&readable);
    FD_SET(p[0], &readable);
    struct timeval wait = {0, 20000};
    show("select idle", syscall(SYS_select, p[0] + 1, &readable, NULL, NULL, &wait));
    printf("left %ld set %d\n", wait.tv_sec + wait.tv_usec, !!FD_ISSET(p[0], &readable));
    write(p[1], "x", 1);
    FD_SET(p[0], &readable);
    wait.tv_sec = 5;
    show("select ready", syscall(SYS_select, p[0] + 1, &readable, NULL, NULL, &wait));
    printf("left %d set %d\n", wait.tv_sec >= 4, !!FD_ISSET(p[0], &readable));
    wait.tv_usec = -1;
    show("select negative", syscall(SYS_select, 0, NULL, NULL, NULL, &wait));

    fflush(stdout);
    volatile int shared = 1;
    pid_t child = vfork();
    if (child == 0) {
        shared = 2;
        _exit(7);
    }
    int status;
    waitpid(child, &status, 0);
    printf("vfork shared %d status %d\n", shared, WEXITSTATUS(status));
    return 0;
}
