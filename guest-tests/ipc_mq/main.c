// mq_open, mq_unlink, mq_timedsend, mq_timedreceive, mq_notify, mq_getsetattr.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

static volatile sig_atomic_t caught, code, value;
static void on_signal(int n, siginfo_t *info, void *c) {
    (void)c;
    caught = n, code = info->si_code, value = info->si_value.sival_int;
}

static int get(mqd_t q, size_t size) {
    char text[100];
    unsigned prio = 0;
    int n = mq_receive(q, text, size, &prio);
    if (n >= 0) printf("  %u '%.*s'\n", prio, n, text);
    return n;
}

static void attr(const char *what, mqd_t q) {
    struct mq_attr a;
    mq_getattr(q, &a);
    printf("%s: flags %lx max %ld size %ld now %ld\n", what, a.mq_flags, a.mq_maxmsg, a.mq_msgsize, a.mq_curmsgs);
}

int main(void) {
    char name[64];
    snprintf(name, sizeof name, "/sevm-test-%d", (int)getpid());
    struct mq_attr a = {.mq_maxmsg = 3, .mq_msgsize = 20}, bad = {.mq_maxmsg = 0, .mq_msgsize = 20};
    SHOW(mq_open(name, O_RDWR));
    SHOW(mq_open("/", O_RDWR | O_CREAT, 0600, 0));
    SHOW(mq_open("/a/b", O_RDWR | O_CREAT, 0600, 0));
    SHOW(mq_open(name, O_RDWR | O_CREAT, 0600, &bad));
    umask(022);
    mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0666, &a);
    printf("open %d cloexec %d\n", q >= 0, fcntl(q, F_GETFD));
    SHOW(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &a));
    struct stat s;
    fstat(q, &s);
    printf("%o %ld\n", s.st_mode, (long)s.st_size);
    attr("new", q);
    mqd_t r = mq_open(name, O_RDONLY | O_NONBLOCK), w = mq_open(name, O_WRONLY);
    SHOW(mq_send(r, "x", 1, 0));
    SHOW(get(w, 20));
    SHOW(get(r, 20));
    SHOW(get(r, 19));
    SHOW(mq_send(q, "low", 3, 1));
    SHOW(mq_send(q, "high", 4, 9));
    SHOW(mq_send(q, "low too", 7, 1));
    attr("full", r);
    struct pollfd p[2] = {{r, POLLIN, 0}, {w, POLLOUT, 0}};
    SHOW(poll(p, 2, 0));
    printf("%x %x\n", p[0].revents, p[1].revents);
    struct timespec soon, never = {0, 1000000000};
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000) soon.tv_nsec -= 1000000000, soon.tv_sec++;
    SHOW(mq_timedsend(q, "late", 4, 0, &soon));
    SHOW(mq_timedsend(q, "late", 4, 0, &never));
    SHOW(mq_send(q, "x", 1, 32768));
    SHOW(mq_send(q, "this is longer than 20", 22, 1));
    SHOW(mq_send(0, "x", 1, 1));
    for (int i = 0; i < 4; i++) SHOW(get(r, 100));
    SHOW(mq_timedreceive(q, name, 64, 0, &soon));
    struct mq_attr set = {.mq_flags = O_NONBLOCK};
    SHOW(mq_setattr(q, &set, &a));
    printf("%lx\n", a.mq_flags);
    attr("non-blocking", q);
    set.mq_flags = 1;
    SHOW(mq_setattr(q, &set, 0));
    set.mq_flags = 0;
    mq_setattr(q, &set, 0);
    // Notification.
    struct sigaction act = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &act, 0);
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77};
    SHOW(mq_notify(q, &e));
    SHOW(mq_notify(q, &e));
    SHOW(mq_send(q, "told", 4, 0));
    printf("caught %d code %d value %d\n", caught == SIGUSR1, code == SI_MESGQ, value), caught = 0;
    SHOW(get(q, 20));
    SHOW(mq_send(q, "not told", 8, 0));
    printf("caught %d\n", caught);
    SHOW(mq_notify(q, &e));
    SHOW(mq_send(q, "not empty", 9, 0));
    printf("caught %d\n", caught);
    SHOW(mq_notify(q, 0));
    e.sigev_signo = 99;
    SHOW(mq_notify(q, &e));
    e.sigev_notify = SIGEV_NONE;
    SHOW(mq_notify(q, &e));
    SHOW(get(q, 20));
    SHOW(get(q, 20));
    // Between processes.
    int ep = epoll_create1(0);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, q, &ev));
    fflush(stdout);
    if (fork() == 0) {
        for (int i = 0; i < 5; i++) {
            char text[20];
            sprintf(text, "message %d", i);
            mq_send(w, text, strlen(text), 5);
        }
        _exit(0);
    }
    SHOW(epoll_wait(ep, &ev, 1, 5000));
    for (int i = 0; i < 5; i++) get(q, 20);
    wait(0);
    fflush(stdout);
    if (fork() == 0) {
        SHOW(get(q, 20));
        fflush(stdout);
        _exit(0);
    }
    struct timespec t = {0, 30000000};
    nanosleep(&t, 0);
    mq_send(q, "handed over", 11, 3);
    wait(0);
    attr("at the end", q);
    SHOW(mq_unlink(name));
    SHOW(mq_unlink(name));
    SHOW(mq_send(q, "still there", 11, 0));
    SHOW(mq_close(q));
    SHOW(mq_close(q));
    return 0;
}
