// Many processes and threads of waiting: poll and select woken by other processes, an epoll shared by several waiters.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N 8

static volatile sig_atomic_t caught;
static void on_signal(int n) { caught = n; }

int main(void) {
    int p[N][2], back[2];
    char c;
    pipe(back);
    for (int i = 0; i < N; i++) pipe(p[i]);
    // Each child polls its own pipe and answers.
    for (int i = 0; i < N; i++)
        if (fork() == 0) {
            struct pollfd f = {p[i][0], POLLIN, 0};
            int r = poll(&f, 1, 10000);
            c = r == 1 && f.revents == POLLIN ? 'A' + i : '?';
            write(back[1], &c, 1);
            _exit(0);
        }
    for (int i = N - 1; i >= 0; i--) {
        write(p[i][1], "x", 1);
        fd_set set;
        FD_ZERO(&set);
        FD_SET(back[0], &set);
        struct timeval t = {10, 0};
        int r = select(back[0] + 1, &set, 0, 0, &t);
        read(back[0], &c, 1);
        printf("%d %c\n", r, c);
    }
    for (int i = 0; i < N; i++) wait(0);
    // One event wakes one of several edge-triggered waiters; a level stays for all.
    int ep = epoll_create1(0), e = eventfd(0, EFD_SEMAPHORE);
    struct epoll_event ev = {.events = EPOLLIN | EPOLLET}, got;
    epoll_ctl(ep, EPOLL_CTL_ADD, e, &ev);
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            int n = epoll_wait(ep, &got, 1, 300);
            c = n == 1 ? 'w' : n == 0 ? 't' : '?';
            write(back[1], &c, 1);
            _exit(0);
        }
    struct timespec nap = {0, 50000000};
    nanosleep(&nap, 0);
    eventfd_write(e, 1);
    int woken = 0, timed = 0;
    for (int i = 0; i < 3; i++) {
        read(back[0], &c, 1);
        woken += c == 'w', timed += c == 't';
    }
    printf("edge: woken %d timed out %d\n", woken, timed);
    for (int i = 0; i < 3; i++) wait(0);
    // A signal from another process ends a poll.
    struct sigaction act = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &act, 0);
    pid_t self = getpid();
    if (fork() == 0) {
        nanosleep(&nap, 0);
        kill(self, SIGUSR1);
        _exit(0);
    }
    int r = poll(0, 0, 10000);
    printf("poll %d %s caught %d\n", r, strerrorname_np(errno), caught == SIGUSR1);
    wait(0);
    return 0;
}
