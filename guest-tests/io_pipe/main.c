// Pipes: capacity, pages, packets, ends that go.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

static volatile sig_atomic_t caught;
static void on_signal(int n) { caught = n; }
static char big[1 << 20];

static int events(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    poll(&p, 1, 0);
    return p.revents;
}

// How many writes of n bytes fit.
static void fill(int n) {
    int p[2], count = 0, left = 0;
    pipe2(p, O_NONBLOCK);
    while (write(p[1], big, n) == n) count++;
    ioctl(p[0], FIONREAD, &left);
    printf("%d bytes: %d writes, %d in, events %x %x\n", n, count, left, events(p[0]), events(p[1]));
    ssize_t got = read(p[0], big, 4096);
    printf("read %zd, then write %zd\n", got, write(p[1], big, n));
    close(p[0]), close(p[1]);
}

int main(void) {
    int p[2];
    signal(SIGPIPE, on_signal);
    SHOW(pipe(0));
    SHOW(pipe2(p, 0x40000000));
    SHOW(pipe2(p, O_APPEND));
    SHOW(pipe2(p, O_NONBLOCK | O_CLOEXEC));
    printf("%d %d\n", p[0], p[1]);
    SHOW(fcntl(p[0], F_GETFD));
    SHOW(fcntl(p[0], F_GETFL) == (O_RDONLY | O_NONBLOCK));
    SHOW(fcntl(p[1], F_GETFL) == (O_WRONLY | O_NONBLOCK));
    printf("events %x %x\n", events(p[0]), events(p[1]));
    SHOW(read(p[0], big, 10));
    SHOW(write(p[1], "hello", 5));
    printf("events %x %x\n", events(p[0]), events(p[1]));
    SHOW(read(p[0], big, 3));
    SHOW(read(p[0], big, 30));
    SHOW(write(p[1], big, 100000));
    SHOW(write(p[1], big, 1));
    printf("events %x %x\n", events(p[0]), events(p[1]));
    SHOW(read(p[0], big, 100000));
    SHOW(fcntl(p[0], F_GETPIPE_SZ));
    SHOW(fcntl(p[1], F_SETPIPE_SZ, 5000));
    SHOW(fcntl(p[1], F_SETPIPE_SZ, 1));
    SHOW(write(p[1], big, 5000));
    SHOW(fcntl(p[1], F_SETPIPE_SZ, 1 << 17));
    SHOW(write(p[1], big, 1 << 20));
    SHOW(fcntl(p[1], F_SETPIPE_SZ, 4096));
    SHOW(fcntl(0, F_SETPIPE_SZ, 4096) < 0);
    close(p[1]);
    printf("events %x\n", events(p[0]));
    SHOW(read(p[0], big, 1 << 20));
    SHOW(read(p[0], big, 1 << 20));
    printf("events %x\n", events(p[0]));
    close(p[0]);

    int sizes[] = {1, 100, 2048, 2049, 4095, 4096, 4097, 5000, 8192, 65536};
    for (int i = 0; i < 10; i++) fill(sizes[i]);

    pipe(p);
    close(p[0]);
    printf("events %x\n", events(p[1]));
    SHOW(write(p[1], "", 0));
    SHOW(write(p[1], "x", 1));
    printf("%d\n", caught == SIGPIPE);
    close(p[1]);

    pipe2(p, O_DIRECT | O_NONBLOCK);
    write(p[1], "first", 5);
    write(p[1], "second", 6);
    memset(big, 0, 100);
    SHOW(read(p[0], big, 3));
    SHOW(read(p[0], big, 100));
    printf("%s\n", big);
    SHOW(write(p[1], big, 10000));
    SHOW(read(p[0], big, 10000));
    SHOW(read(p[0], big, 10000));
    SHOW(read(p[0], big, 10000));
    SHOW(read(p[0], big, 10000));

    struct stat st;
    SHOW(fstat(p[0], &st));
    printf("%o %d %ld %ld\n", st.st_mode, (int)st.st_nlink, (long)st.st_size, (long)st.st_blksize);
    char name[32], path[64] = "";
    sprintf(name, "/proc/self/fd/%d", p[0]);
    SHOW(readlink(name, path, 60) > 0);
    printf("%.6s\n", path);
    SHOW(ftruncate(p[1], 0));
    SHOW(fsync(p[1]));
    SHOW(fallocate(p[1], 0, 0, 1));
    SHOW(ioctl(p[0], TIOCGWINSZ, big));
    close(p[0]), close(p[1]);

    // A pipe opened again through /proc is the same pipe.
    pipe(p);
    sprintf(name, "/proc/self/fd/%d", p[0]);
    int w = open(name, O_WRONLY | O_NONBLOCK);
    SHOW(write(w, "again", 5));
    close(p[1]);
    SHOW(read(p[0], big, 10));
    close(w);
    SHOW(read(p[0], big, 10));
    return 0;
}
