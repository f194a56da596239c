// read, write and their kin: results and the order of errors.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

static char *bad = (char *)8;
static volatile sig_atomic_t caught;
static void on_signal(int n) { caught = n; }

static void offsets(int fd) {
    char b[32] = "";
    SHOW(write(fd, "0123456789abcdef", 16));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, -4, SEEK_END));
    SHOW(read(fd, b, 32));
    printf("%s\n", b);
    SHOW(read(fd, b, 32));
    SHOW(pread(fd, b, 5, 3));
    printf("%.5s\n", b);
    SHOW(pwrite(fd, "XY", 2, 1));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, -1, SEEK_SET));
    SHOW(lseek(fd, 0, 9));
    SHOW(lseek(fd, 0, SEEK_DATA));
    SHOW(lseek(fd, 0, SEEK_HOLE));
    SHOW(lseek(fd, 16, SEEK_DATA));
    SHOW(lseek(fd, 100, SEEK_SET));
    SHOW(read(fd, b, 1));
    SHOW(write(fd, "z", 1));
    SHOW(pread(fd, b, 4, 98));
    printf("%d %d %d\n", b[0], b[1], b[2]);
}

static void vectors(int fd) {
    char a[4] = "", b[8] = "", c[32] = "";
    struct iovec out[3] = {{"one ", 4}, {"", 0}, {"two ", 4}};
    struct iovec in[3] = {{a, 3}, {b, 2}, {c, 20}};
    SHOW(ftruncate(fd, 0));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(writev(fd, out, 3));
    SHOW(preadv(fd, in, 3, 0));
    printf("[%.3s][%.2s][%.3s]\n", a, b, c);
    SHOW(pwritev(fd, out, 3, 8));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(readv(fd, in, 3));
    SHOW(preadv2(fd, in, 3, -1, 0));
    SHOW(preadv2(fd, in, 3, 2, RWF_HIPRI));
    SHOW(preadv2(fd, in, 3, 2, 0x4000));
    SHOW(pwritev2(fd, out, 3, 0, RWF_APPEND));
    SHOW(lseek(fd, 0, SEEK_END));
    SHOW(pwritev2(fd, out, 1, 0, RWF_DSYNC));
    SHOW(readv(fd, in, 0));
    SHOW(readv(fd, in, -1));
    SHOW(readv(fd, in, IOV_MAX + 1));
    SHOW(readv(fd, (void *)bad, 1));
    SHOW(preadv(fd, in, 1, -1));
    in[1].iov_base = bad;
    SHOW(preadv(fd, in, 3, 0));
    in[0].iov_base = bad;
    SHOW(preadv(fd, in, 3, 0));
    in[2].iov_len = -1;
    SHOW(preadv(fd, in, 3, 0));
}

static void errors(int fd) {
    char b[16];
    int dir = open(".", O_RDONLY), wr = open("file", O_WRONLY), rd = open("file", O_RDONLY), p[2];
    int path = open("file", O_PATH);
    pipe(p);
    SHOW(read(-1, bad, 1));
    SHOW(read(99, bad, 1));
    SHOW(read(wr, bad, 1));
    SHOW(write(rd, bad, 1));
    SHOW(read(path, b, 1));
    SHOW(pread(path, b, 1, 0));
    SHOW(lseek(path, 0, SEEK_SET));
    SHOW(read(dir, b, 1));
    SHOW(read(dir, b, 0));
    SHOW(pread(dir, b, 1, 0));
    SHOW(read(rd, bad, 4));
    SHOW(read(rd, b, 0));
    SHOW(read(rd, bad, 0));
    SHOW(pread(rd, bad, 4, 1 << 20));
    SHOW(pread(rd, b, 4, -1));
    SHOW(pread(99, b, 4, -1));
    SHOW(pread(p[0], b, 4, 0));
    SHOW(pwrite(p[1], b, 4, 0));
    SHOW(pwrite(p[0], b, 4, 0));
    SHOW(lseek(p[0], 0, SEEK_CUR));
    SHOW(write(wr, bad, 4));
    SHOW(write(wr, bad, 0));
    SHOW(syscall(SYS_read, rd, b, (size_t)-1));
    SHOW(syscall(SYS_write, wr, b, (size_t)-1));
    SHOW(syscall(SYS_write, wr, bad, (size_t)1 << 62));
    SHOW(write(p[1], bad, 4));
    SHOW(read(p[1], b, 4));
    SHOW(write(p[0], b, 4));
    SHOW(close(path));
    SHOW(close(path));
    SHOW(close(-1));
    close(dir), close(wr), close(rd), close(p[0]), close(p[1]);
    (void)fd;
}

// A transfer over a hole in memory stops at it.
static void edges(int fd) {
    char *m = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(m + 4096, 4096, PROT_READ);
    munmap(m + 8192, 4096);
    SHOW(ftruncate(fd, 12288));
    SHOW(pread(fd, m, 8192, 0));
    SHOW(pread(fd, m + 4090, 20, 0));
    SHOW(pread(fd, m + 4096, 20, 0));
    SHOW(pwrite(fd, m, 12288, 0));
    SHOW(pwrite(fd, m + 8000, 500, 0));
    int p[2];
    pipe2(p, O_NONBLOCK);
    SHOW(write(p[1], m + 8000, 500));
    SHOW(write(p[1], m, 12288));
    SHOW(read(p[0], m + 4000, 500));
    SHOW(read(p[0], m + 4096, 500));
    SHOW(read(p[0], m, 12000));
    SHOW(write(p[1], m, 100));
    SHOW(write(p[1], m + 8000, 500));
    SHOW(read(p[0], m + 4000, 50));
    SHOW(read(p[0], m + 4000, 500));
    close(p[0]), close(p[1]);
}

static void limits(int fd) {
    struct rlimit l = {100, RLIM_INFINITY};
    signal(SIGXFSZ, on_signal);
    SHOW(ftruncate(fd, 0));
    SHOW(setrlimit(RLIMIT_FSIZE, &l));
    char b[200] = "";
    SHOW(pwrite(fd, b, 200, 0));
    SHOW(pwrite(fd, b, 200, 90));
    printf("%d\n", caught);
    SHOW(pwrite(fd, b, 1, 100));
    printf("%d\n", caught == SIGXFSZ);
    caught = 0;
    SHOW(ftruncate(fd, 101));
    printf("%d\n", caught == SIGXFSZ);
    caught = 0;
    SHOW(fallocate(fd, 0, 50, 60));
    printf("%d\n", caught == SIGXFSZ);
    SHOW(pwrite(fd, b, 0, 100));
    SHOW(write(1, "", 0));
    l.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &l);
}

static void append(void) {
    int fd = open("log", O_RDWR | O_CREAT | O_APPEND | O_TRUNC, 0600);
    char b[20] = "";
    write(fd, "abc", 3);
    lseek(fd, 0, SEEK_SET);
    SHOW(write(fd, "def", 3));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(pwrite(fd, "ghi", 3, 0));
    SHOW(pread(fd, b, 20, 0));
    puts(b);
    SHOW(fcntl(fd, F_SETFL, 0));
    SHOW(pwrite(fd, "xyz", 3, 0));
    SHOW(pread(fd, b, 20, 0));
    puts(b);
    int copy = dup(fd);
    lseek(copy, 2, SEEK_SET);
    SHOW(lseek(fd, 0, SEEK_CUR));
    close(copy), close(fd);
}

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    offsets(fd);
    vectors(fd);
    errors(fd);
    edges(fd);
    limits(fd);
    append();
    int full = open("/dev/full", O_WRONLY), zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_RDWR);
    char b[8] = "xxxxxxx";
    SHOW(write(full, b, 8));
    SHOW(read(zero, b, 8));
    SHOW(write(null, b, 8));
    SHOW(read(null, b, 8));
    SHOW(lseek(null, 100, SEEK_SET));
    printf("%d %d\n", b[0], b[7]);
    return 0;
}
