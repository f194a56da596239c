// epoll over files of the host: FIFOs and terminals; edges come once for each new data.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <termios.h>
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

static void wait_(const char *what, int ep, int timeout) {
    struct epoll_event e[16];
    int n = epoll_wait(ep, e, 16, timeout);
    printf("%s: %d", what, n);
    for (int i = 0; i < n; i++) printf(" %x:%llx", e[i].events, (unsigned long long)e[i].data.u64);
    puts("");
}

int main(void) {
    char buf[100];
    int ep = epoll_create1(0), out = epoll_create1(0);
    mkfifo("fifo", 0600);
    int r = open("fifo", O_RDONLY | O_NONBLOCK), w = open("fifo", O_WRONLY);
    SHOW(ctl(ep, EPOLL_CTL_ADD, r, EPOLLIN | EPOLLET, 1));
    SHOW(ctl(out, EPOLL_CTL_ADD, ep, EPOLLIN | EPOLLET, 9));
    wait_("nothing", ep, 0);
    write(w, "one", 3);
    wait_("outer", out, 100);
    wait_("outer once", out, 0);
    wait_("new data", ep, 100);
    wait_("no second time", ep, 0);
    write(w, "two", 3);
    wait_("newer data", ep, 100);
    wait_("no second time", ep, 10);
    SHOW(read(r, buf, sizeof buf));
    wait_("read", ep, 0);
    SHOW(ctl(ep, EPOLL_CTL_MOD, r, EPOLLIN, 2));
    write(w, "x", 1);
    wait_("level", ep, 100);
    wait_("level", ep, 0);
    int d = dup(r);
    SHOW(ctl(ep, EPOLL_CTL_ADD, d, EPOLLIN | EPOLLONESHOT, 3));
    wait_("two descriptors", ep, 0);
    wait_("one-shot is spent", ep, 0);
    SHOW(ctl(ep, EPOLL_CTL_DEL, r, 0, 0));
    wait_("none left", ep, 0);
    SHOW(ctl(ep, EPOLL_CTL_MOD, d, EPOLLIN, 4));
    wait_("armed", ep, 0);
    close(r);
    wait_("the other descriptor", ep, 0);
    close(w);
    wait_("hung up", ep, 0);
    close(d);
    wait_("closed", ep, 0);
    // A new file under an old number.
    int n = open("fifo", O_RDWR);
    printf("same number %d\n", n == r);
    SHOW(ctl(ep, EPOLL_CTL_ADD, n, EPOLLIN | EPOLLOUT, 5));
    wait_("new file", ep, 0);
    int nul = open("/dev/null", O_RDWR), dir = open(".", O_RDONLY);
    SHOW(ctl(ep, EPOLL_CTL_ADD, nul, EPOLLIN, 6));
    SHOW(ctl(ep, EPOLL_CTL_ADD, dir, EPOLLIN, 6));
    int m = posix_openpt(O_RDWR | O_NOCTTY);
    grantpt(m), unlockpt(m);
    int s = open(ptsname(m), O_RDWR | O_NOCTTY);
    SHOW(ctl(ep, EPOLL_CTL_DEL, n, 0, 0));
    SHOW(ctl(ep, EPOLL_CTL_ADD, s, EPOLLIN | EPOLLET, 7));
    wait_("terminal", ep, 0);
    write(m, "line\n", 5);
    wait_("a line", ep, 1000);
    wait_("once", ep, 0);
    SHOW(read(s, buf, sizeof buf));
    return 0;
}
