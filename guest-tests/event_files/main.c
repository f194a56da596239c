// eventfd, eventfd2, timerfd_create, timerfd_settime, timerfd_gettime: counters and timers as files.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

static int ready(int fd) {
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    poll(&p, 1, 0);
    return p.revents;
}

static void link_of(int fd) {
    char name[64], to[64] = "";
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    readlink(name, to, sizeof to - 1);
    struct stat s;
    fstat(fd, &s);
    printf("%s mode %o size %ld flags %x\n", to, s.st_mode, (long)s.st_size, fcntl(fd, F_GETFL));
}

static void counters(void) {
    uint64_t v = 0;
#ifdef SYS_eventfd
    int old = syscall(SYS_eventfd, 3);
#else
    int old = eventfd(3, 0);
#endif
    SHOW(read(old, &v, 8));
    printf("%lu\n", (unsigned long)v);
    int e = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), s = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    link_of(e);
    printf("cloexec %d\n", fcntl(e, F_GETFD));
    SHOW(eventfd(0, 0x100));
    printf("%x\n", ready(e));
    SHOW(read(e, &v, 8));
    SHOW(read(e, &v, 7));
    v = 5;
    SHOW(write(e, &v, 7));
    SHOW(write(e, &v, 8));
    SHOW(write(e, &v, 100));
    printf("%x\n", ready(e));
    SHOW(read(e, (void *)8, 8));
    SHOW(write(e, (void *)8, 8));
    v = UINT64_MAX;
    SHOW(write(e, &v, 8));
    v = UINT64_MAX - 1;
    SHOW(write(e, &v, 8));
    printf("%x\n", ready(e));
    v = 1;
    SHOW(write(e, &v, 8));
    char big[100];
    SHOW(read(e, big, 100));
    memcpy(&v, big, 8);
    printf("%lx %x\n", (unsigned long)v, ready(e));
    for (int i = 0; i < 3; i++) {
        v = 0;
        SHOW(read(s, &v, 8));
        printf("%lu\n", (unsigned long)v);
    }
    SHOW(lseek(e, 0, SEEK_CUR));
    SHOW(pread(e, &v, 8, 0));
    SHOW(ftruncate(e, 0));
}

static long ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void timers(void) {
    SHOW(timerfd_create(CLOCK_MONOTONIC, 0x100));
    SHOW(timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
    SHOW(timerfd_create(CLOCK_TAI, 0));
    int clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};
    for (int i = 0; i < 3; i++) {
        int t = timerfd_create(clocks[i], TFD_NONBLOCK | TFD_CLOEXEC);
        uint64_t v = 0;
        if (i == 0) link_of(t);
        struct itimerspec set = {{0, 10000000}, {0, 20000000}}, got, old;
        SHOW(timerfd_gettime(t, &got));
        printf("%ld %ld\n", (long)got.it_value.tv_sec, got.it_value.tv_nsec);
        SHOW(read(t, &v, 8));
        long start = ms();
        SHOW(timerfd_settime(t, 0, &set, &old));
        SHOW(timerfd_gettime(t, &got));
        printf("%d %ld\n", got.it_value.tv_nsec > 0 && got.it_value.tv_nsec <= 20000000, got.it_interval.tv_nsec);
        // Not before its time, which on a busy machine may be over already.
        int early = ready(t);
        printf("%d\n", early == 0 || ms() - start >= 20);
        struct pollfd p = {t, POLLIN, 0};
        SHOW(poll(&p, 1, 1000));
        printf("%d\n", ms() - start >= 20);
        SHOW(read(t, &v, 7));
        SHOW(read(t, &v, 8));
        printf("%d\n", v >= 1);
        struct timespec nap = {0, 35000000};
        nanosleep(&nap, 0);
        SHOW(read(t, &v, 8));
        printf("%d\n", v >= 3);
        fcntl(t, F_SETFL, 0);
        SHOW(read(t, &v, 8));
        SHOW(write(t, &v, 8));
        struct timespec now;
        clock_gettime(clocks[i], &now);
        struct itimerspec past = {{0, 0}, {now.tv_sec - 1, 0}};
        SHOW(timerfd_settime(t, TFD_TIMER_ABSTIME, &past, &old));
        printf("old %ld\n", old.it_interval.tv_nsec);
        SHOW(read(t, &v, 8));
        printf("%lu\n", (unsigned long)v);
        struct itimerspec soon = {{0, 0}, now};
        soon.it_value.tv_sec += 1;
        SHOW(timerfd_settime(t, TFD_TIMER_ABSTIME | (i == 1 ? TFD_TIMER_CANCEL_ON_SET : 0), &soon, 0));
        SHOW(timerfd_gettime(t, &got));
        printf("%d\n", got.it_value.tv_sec <= 1);
        struct itimerspec off = {{0, 5}, {0, 0}};
        SHOW(timerfd_settime(t, 0, &off, 0));
        SHOW(timerfd_gettime(t, &got));
        printf("%ld %ld\n", got.it_value.tv_nsec, got.it_interval.tv_nsec);
        set.it_value.tv_nsec = 1000000000;
        SHOW(timerfd_settime(t, 0, &set, 0));
        SHOW(timerfd_settime(t, 4, &off, 0));
        SHOW(timerfd_settime(t, 0, (void *)8, 0));
        SHOW(timerfd_settime(0, 0, &off, 0));
        SHOW(timerfd_settime(99, 0, &off, 0));
        SHOW(timerfd_gettime(0, &got));
        close(t);
    }
    int t = timerfd_create(CLOCK_MONOTONIC, 0), ep = epoll_create1(0);
    struct epoll_event e = {.events = EPOLLIN | EPOLLET};
    epoll_ctl(ep, EPOLL_CTL_ADD, t, &e);
    struct itimerspec each = {{0, 15000000}, {0, 15000000}};
    timerfd_settime(t, 0, &each, 0);
    for (int i = 0; i < 3; i++) SHOW(epoll_wait(ep, &e, 1, 1000));
    uint64_t ticks = 0, set = 77;
    SHOW(ioctl(t, _IOW('T', 0, uint64_t), &ticks));
    SHOW(ioctl(t, _IOW('T', 0, uint64_t), &set));
    SHOW(read(t, &ticks, 8));
    printf("%d\n", ticks >= 77);
    SHOW(ioctl(t, FIONREAD, &ticks));
}

int main(void) {
    counters();
    timers();
    return 0;
}
