// poll, ppoll, select and pselect over files, pipes and bad descriptors; timeouts and masks.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

static volatile sig_atomic_t caught;
static void on_signal(int n) { caught = n; }

static long ms_since(struct timespec *start) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (now.tv_sec - start->tv_sec) * 1000 + (now.tv_nsec - start->tv_nsec) / 1000000;
}

int main(void) {
    int file = open("file", O_RDWR | O_CREAT, 0600), p[2], path = open("file", O_PATH);
    struct timespec start;
    pipe(p);
    struct pollfd f[7] = {
        {file, POLLIN | POLLOUT | POLLPRI, 77}, {p[0], POLLIN, 77}, {p[1], POLLOUT, 77}, {-1, POLLIN, 77},
        {99, POLLIN, 77}, {p[1], POLLIN, 77}, {path, POLLIN, 77},
    };
    SHOW(poll(f, 7, -1));
    for (int i = 0; i < 7; i++) printf("%x ", f[i].revents);
    puts("");
    write(p[1], "x", 1);
    SHOW(poll(f + 1, 1, -1));
    printf("%x\n", f[1].revents);
    f[1].events = 0;
    SHOW(poll(f + 1, 1, 0));
    char c;
    read(p[0], &c, 1);
    f[1].events = POLLIN;
    clock_gettime(CLOCK_MONOTONIC, &start);
    SHOW(poll(f + 1, 1, 50));
    printf("%x %d\n", f[1].revents, ms_since(&start) >= 50);
    SHOW(poll(0, 0, 10));
    SHOW(poll((void *)8, 1, 0));
    SHOW(poll(f, 2000000000, 0));

    struct timespec t = {0, 30000000}, bad = {0, 1000000000};
    SHOW(syscall(SYS_ppoll, f + 1, 1, &t, 0, 8));
    printf("%ld %ld\n", (long)t.tv_sec, t.tv_nsec);
    SHOW(syscall(SYS_ppoll, f + 1, 1, &bad, 0, 8));
    sigset_t mask;
    sigemptyset(&mask);
    SHOW(syscall(SYS_ppoll, f + 1, 1, &t, &mask, 4));
    t.tv_sec = 5;
    SHOW(syscall(SYS_ppoll, f + 2, 1, &t, &mask, 8));
    printf("%d\n", t.tv_sec == 4 || t.tv_sec == 5);

    // A signal that only the call's own mask lets through.
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigset_t block, old;
    sigaction(SIGALRM, &sa, 0);
    sigaddset(&mask, SIGUSR1);
    sigemptyset(&block);
    sigaddset(&block, SIGALRM);
    sigprocmask(SIG_BLOCK, &block, &old);
    raise(SIGALRM);
    SHOW(ppoll(f + 1, 1, 0, &mask));
    printf("%d\n", caught == SIGALRM);
    sigprocmask(SIG_BLOCK, 0, &old);
    printf("%d %d\n", sigismember(&old, SIGALRM), sigismember(&old, SIGUSR1));
    caught = 0;
    struct itimerval it = {{0, 0}, {0, 20000}};
    sigprocmask(SIG_UNBLOCK, &block, 0);
    setitimer(ITIMER_REAL, &it, 0);
    SHOW(poll(f + 1, 1, -1));
    printf("%d\n", caught == SIGALRM);
    caught = 0;
    setitimer(ITIMER_REAL, &it, 0);
    fd_set r, w, e;
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_ZERO(&e);
    FD_SET(p[0], &r);
    SHOW(select(p[1] + 1, &r, 0, 0, 0));
    printf("%d %d\n", caught == SIGALRM, FD_ISSET(p[0], &r) != 0);
    // A read is made again after the handler.
    setitimer(ITIMER_REAL, &it, 0);
    alarm(0);
    caught = 0;
    sa.sa_flags = 0;
    sigaction(SIGALRM, &sa, 0);
    setitimer(ITIMER_REAL, &it, 0);
    SHOW(read(p[0], &c, 1));

    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_ZERO(&e);
    FD_SET(file, &r), FD_SET(p[0], &r), FD_SET(file, &w), FD_SET(p[1], &w), FD_SET(file, &e);
    struct timeval tv = {1, 0};
    SHOW(select(p[1] + 1, &r, &w, &e, &tv));
    printf("%d %d %d %d %d\n", FD_ISSET(file, &r) != 0, FD_ISSET(p[0], &r) != 0, FD_ISSET(file, &w) != 0,
           FD_ISSET(p[1], &w) != 0, FD_ISSET(file, &e) != 0);
    FD_ZERO(&r);
    FD_SET(60, &r);
    SHOW(select(61, &r, 0, 0, &tv));
    SHOW(select(-1, &r, 0, 0, &tv));
    SHOW(select(5, (void *)8, 0, 0, &tv));
    tv.tv_sec = -1;
    SHOW(select(0, 0, 0, 0, &tv));
    tv.tv_sec = 0, tv.tv_usec = 20000;
    SHOW(select(0, 0, 0, 0, &tv));
    printf("%ld %ld\n", (long)tv.tv_sec, (long)tv.tv_usec);
    close(p[1]);
    FD_ZERO(&r);
    FD_SET(p[0], &r);
    SHOW(select(p[0] + 1, &r, 0, 0, 0));
    SHOW(poll(f + 1, 1, -1));
    printf("%x\n", f[1].revents);
    struct timespec zero = {0, 0};
    SHOW(pselect(0, 0, 0, 0, &zero, &mask));
    SHOW(syscall(SYS_pselect6, 0, 0, 0, 0, &zero, (void *)8));
    return 0;
}
