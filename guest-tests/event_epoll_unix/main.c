// epoll over UNIX sockets: edges for each arrival, none for own reads, EPOLLRDHUP, a listener.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void wait_(const char *what, int ep) {
    struct epoll_event e[16];
    int n = epoll_wait(ep, e, 16, 0);
    printf("%s: %d", what, n);
    for (int i = 0; i < n; i++) printf(" %x:%d", e[i].events, e[i].data.fd);
    puts("");
}

static void add(int ep, int fd, unsigned events, int data) {
    struct epoll_event e = {.events = events, .data.fd = data};
    printf("add %d\n", epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e));
}

int main(void) {
    int s[2], ep = epoll_create1(0);
    char b[10];
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    add(ep, s[0], EPOLLIN | EPOLLRDHUP | EPOLLET, 1);
    wait_("nothing", ep);
    write(s[1], "abc", 3);
    wait_("arrived", ep);
    wait_("no more", ep);
    write(s[1], "def", 3);
    wait_("more arrived", ep);
    read(s[0], b, 1);
    wait_("read a part", ep);
    read(s[0], b, 10);
    write(s[0], "x", 1);
    wait_("own write", ep);
    shutdown(s[1], SHUT_WR);
    wait_("peer shut down", ep);
    close(s[1]);
    wait_("peer gone", ep);
    close(s[0]);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
    add(ep, s[0], EPOLLIN | EPOLLET, 2);
    write(s[1], "one", 3), write(s[1], "two", 3);
    wait_("datagrams", ep);
    struct sockaddr_un a = {AF_UNIX, "listener"};
    int l = socket(AF_UNIX, SOCK_STREAM, 0), c[2];
    bind(l, (void *)&a, sizeof a), listen(l, 5);
    add(ep, l, EPOLLIN | EPOLLET, 3);
    for (int i = 0; i < 2; i++) {
        c[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        connect(c[i], (void *)&a, sizeof a);
        wait_("connected", ep);
    }
    return 0;
}
