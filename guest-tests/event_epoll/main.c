// epoll over pipes and eventfds: level and edge triggered, one-shot, order, nesting, loops, errors, closed descriptors.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
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

static int ctl(int ep, int op, int fd, unsigned events, unsigned long long data) {
    struct epoll_event e = {.events = events};
    e.data.u64 = data;
    return epoll_ctl(ep, op, fd, &e);
}

static void wait_(const char *what, int ep, int max) {
    struct epoll_event e[16];
    int n = epoll_wait(ep, e, max, 0);
    printf("%s: %d", what, n);
    for (int i = 0; i < n; i++) printf(" %x:%llx", e[i].events, (unsigned long long)e[i].data.u64);
    puts("");
}

static volatile sig_atomic_t caught;
static void on_signal(int n) { caught = n; }

static void basics(void) {
    int ep = epoll_create1(EPOLL_CLOEXEC), p[2], file = open("file", O_RDWR | O_CREAT, 0600);
    printf("cloexec %d flags %x\n", fcntl(ep, F_GETFD), fcntl(ep, F_GETFL));
    pipe(p);
    SHOW(ctl(ep, EPOLL_CTL_ADD, file, EPOLLIN, 0));
    SHOW(ctl(ep, EPOLL_CTL_ADD, 99, EPOLLIN, 0));
    SHOW(ctl(98, EPOLL_CTL_ADD, p[0], EPOLLIN, 0));
    SHOW(ctl(p[0], EPOLL_CTL_ADD, p[1], EPOLLIN, 0));
    SHOW(ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 0));
    SHOW(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 0));
    SHOW(ctl(ep, EPOLL_CTL_DEL, p[0], EPOLLIN, 0));
    SHOW(ctl(ep, 7, p[0], EPOLLIN, 0));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], 0));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], (void *)8));
    SHOW(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 0x1234567890abcdefull));
    SHOW(ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
    SHOW(epoll_create1(1));
#ifdef SYS_epoll_create
    SHOW(syscall(SYS_epoll_create, 0));
    SHOW(syscall(SYS_epoll_create, -1));
    int old = syscall(SYS_epoll_create, 5);
#else
    puts("syscall(SYS_epoll_create, 0) = -1 EINVAL\nsyscall(SYS_epoll_create, -1) = -1 EINVAL");
    int old = epoll_create1(0);
#endif
    printf("old %d\n", fcntl(old, F_GETFD));
    struct epoll_event e;
    SHOW(epoll_wait(ep, &e, 0, 0));
    SHOW(epoll_wait(ep, &e, -1, 0));
    SHOW(epoll_wait(p[0], &e, 1, 0));
    SHOW(epoll_wait(99, &e, 1, 0));
    wait_("nothing", ep, 8);
    write(p[1], "x", 1);
    wait_("level", ep, 8);
    wait_("level again", ep, 8);
    SHOW(epoll_wait(ep, (void *)8, 1, 0));
    wait_("after a bad pointer", ep, 8);
    char c;
    read(p[0], &c, 1);
    wait_("drained", ep, 8);
    SHOW(ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLRDHUP, 5));
    SHOW(ctl(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT, 6));
    wait_("writable", ep, 8);
    close(p[1]);
    wait_("writer gone", ep, 8);
    SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], 0));
    wait_("deleted", ep, 8);
    close(p[0]), close(ep), close(old), close(file);
}

static void edge(void) {
    int ep = epoll_create1(0), p[2];
    char buf[64];
    pipe(p);
    ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN | EPOLLET, 1);
    ctl(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT | EPOLLET, 2);
    wait_("edge: room at first", ep, 8);
    wait_("edge: nothing new", ep, 8);
    write(p[1], "a", 1);
    wait_("edge: data", ep, 8);
    wait_("edge: no second time", ep, 8);
    write(p[1], "b", 1);
    wait_("edge: more data", ep, 8);
    read(p[0], buf, 1);
    wait_("edge: reading is no news", ep, 8);
    read(p[0], buf, 1);
    write(p[1], "c", 1);
    read(p[0], buf, 1);
    wait_("edge: came and went", ep, 8);
    ctl(ep, EPOLL_CTL_MOD, p[1], EPOLLOUT | EPOLLET, 3);
    wait_("edge: armed anew", ep, 8);
    close(p[1]);
    wait_("edge: hung up", ep, 8);
    wait_("edge: once", ep, 8);
    close(p[0]);
    int e = eventfd(0, 0);
    ctl(ep, EPOLL_CTL_ADD, e, EPOLLIN | EPOLLOUT | EPOLLET, 4);
    wait_("eventfd", ep, 8);
    eventfd_write(e, 1);
    wait_("eventfd written", ep, 8);
    eventfd_write(e, 1);
    wait_("eventfd written again", ep, 8);
    wait_("eventfd quiet", ep, 8);
    eventfd_t v;
    eventfd_read(e, &v);
    wait_("eventfd read", ep, 8);
    close(e), close(ep);
}

static void oneshot(void) {
    int ep = epoll_create1(0), e = eventfd(1, 0);
    ctl(ep, EPOLL_CTL_ADD, e, EPOLLIN | EPOLLONESHOT, 1);
    wait_("one-shot", ep, 8);
    wait_("one-shot spent", ep, 8);
    eventfd_write(e, 1);
    wait_("one-shot still spent", ep, 8);
    ctl(ep, EPOLL_CTL_MOD, e, EPOLLIN | EPOLLONESHOT, 2);
    wait_("one-shot armed", ep, 8);
    SHOW(ctl(ep, EPOLL_CTL_ADD, e, EPOLLIN | EPOLLEXCLUSIVE, 2));
    int f = eventfd(1, 0);
    SHOW(ctl(ep, EPOLL_CTL_ADD, f, EPOLLIN | EPOLLONESHOT | EPOLLEXCLUSIVE, 2));
    SHOW(ctl(ep, EPOLL_CTL_ADD, f, EPOLLIN | EPOLLWAKEUP | EPOLLEXCLUSIVE, 2));
    SHOW(ctl(ep, EPOLL_CTL_MOD, f, EPOLLIN | EPOLLEXCLUSIVE, 2));
    SHOW(ctl(ep, EPOLL_CTL_MOD, f, EPOLLIN, 2));
    wait_("exclusive", ep, 8);
    int in = epoll_create1(0);
    SHOW(ctl(ep, EPOLL_CTL_ADD, in, EPOLLIN | EPOLLEXCLUSIVE, 2));
    close(e), close(f), close(in), close(ep);
}

static void order(void) {
    int ep = epoll_create1(0), e[5];
    for (int i = 0; i < 5; i++) {
        e[i] = eventfd(0, 0);
        ctl(ep, EPOLL_CTL_ADD, e[i], EPOLLIN, i);
    }
    int first[] = {3, 0, 4, 1};
    for (int i = 0; i < 4; i++) eventfd_write(e[first[i]], 1);
    wait_("order", ep, 2);
    wait_("order, the others", ep, 2);
    wait_("order, round", ep, 3);
    eventfd_write(e[2], 1);
    wait_("order, one more", ep, 8);
    eventfd_t v;
    eventfd_read(e[4], &v);
    wait_("order, one less", ep, 8);
    for (int i = 0; i < 5; i++) close(e[i]);
    wait_("all closed", ep, 8);
    close(ep);
}

static void duplicates(void) {
    int ep = epoll_create1(0), e = eventfd(1, 0), d = dup(e);
    SHOW(ctl(ep, EPOLL_CTL_ADD, e, EPOLLIN, 10));
    SHOW(ctl(ep, EPOLL_CTL_ADD, d, EPOLLIN, 20));
    wait_("both", ep, 8);
    close(e);
    wait_("the closed one still tells", ep, 8);
    SHOW(ctl(ep, EPOLL_CTL_DEL, e, 0, 0));
    int n = eventfd(1, 0);
    printf("same number %d\n", n == e);
    SHOW(ctl(ep, EPOLL_CTL_ADD, n, EPOLLIN, 30));
    wait_("three", ep, 8);
    close(d);
    wait_("the last descriptor is gone", ep, 8);
    close(n), close(ep);
}

static void nested(void) {
    int a = epoll_create1(0), b = epoll_create1(0), c = epoll_create1(0), e = eventfd(0, 0);
    SHOW(ctl(b, EPOLL_CTL_ADD, e, EPOLLIN, 1));
    SHOW(ctl(a, EPOLL_CTL_ADD, b, EPOLLIN, 2));
    SHOW(ctl(b, EPOLL_CTL_ADD, a, EPOLLIN, 3));
    SHOW(ctl(c, EPOLL_CTL_ADD, a, EPOLLIN | EPOLLET, 4));
    SHOW(ctl(b, EPOLL_CTL_ADD, c, EPOLLIN, 3));
    wait_("outermost", c, 8);
    eventfd_write(e, 1);
    wait_("outermost", c, 8);
    wait_("outermost, edge", c, 8);
    wait_("middle", a, 8);
    wait_("inner", b, 8);
    struct pollfd p = {a, POLLIN, 0};
    SHOW(poll(&p, 1, 0));
    eventfd_t v;
    eventfd_read(e, &v);
    SHOW(poll(&p, 1, 0));
    wait_("middle", a, 8);
    int chain[8];
    for (int i = 0; i < 8; i++) chain[i] = epoll_create1(0);
    int i = 1, r = 0;
    for (; i < 8 && r == 0; i++) r = ctl(chain[i], EPOLL_CTL_ADD, chain[i - 1], EPOLLIN, i);
    printf("a chain ends: %d %s\n", r, r < 0 ? strerrorname_np(errno) : "");
}

static void waiting(void) {
    int ep = epoll_create1(0), e = eventfd(0, 0);
    struct epoll_event ev;
    struct timespec t = {0, 30000000}, bad = {0, -1}, before, after;
    ctl(ep, EPOLL_CTL_ADD, e, EPOLLIN, 1);
    clock_gettime(CLOCK_MONOTONIC, &before);
    SHOW(epoll_wait(ep, &ev, 1, 30));
    SHOW(syscall(SYS_epoll_pwait2, ep, &ev, 1, &t, 0, 8));
    clock_gettime(CLOCK_MONOTONIC, &after);
    long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
    printf("long enough %d\n", ms >= 60);
    SHOW(syscall(SYS_epoll_pwait2, ep, &ev, 1, &bad, 0, 8));
    SHOW(syscall(SYS_epoll_pwait2, ep, &ev, 1, (void *)8, 0, 8));
    sigset_t set, all;
    sigemptyset(&set), sigemptyset(&all), sigaddset(&all, SIGALRM);
    SHOW(syscall(SYS_epoll_pwait, ep, &ev, 1, 0, &set, 5));
    struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigaction(SIGALRM, &act, 0);
    struct itimerval it = {{0, 0}, {0, 20000}};
    setitimer(ITIMER_REAL, &it, 0);
    SHOW(epoll_wait(ep, &ev, 1, -1));
    printf("caught %d\n", caught == SIGALRM), caught = 0;
    sigprocmask(SIG_BLOCK, &all, 0);
    raise(SIGALRM);
    SHOW(epoll_wait(ep, &ev, 1, 10));
    SHOW(epoll_pwait(ep, &ev, 1, 1000, &set));
    printf("caught %d\n", caught == SIGALRM);
    eventfd_write(e, 1);
    SHOW(epoll_pwait(ep, &ev, 1, -1, &set));
    char name[64], line[200];
    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", ep);
    FILE *f = fopen(name, "r");
    while (f && fgets(line, sizeof line, f)) {
        unsigned tfd, events, data;
        if (sscanf(line, "tfd: %u events: %x data: %x", &tfd, &events, &data) == 3)
            printf("fdinfo: %d %x %x\n", (int)tfd == e, events, data);
    }
}

int main(void) {
    basics();
    edge();
    oneshot();
    order();
    duplicates();
    nested();
    waiting();
    return 0;
}
