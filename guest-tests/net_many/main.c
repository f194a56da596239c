// Many connections over the loopback at once: one process with poll(2), one with epoll(7).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COUNT = 300, ROUNDS = 3 };

static void client(struct sockaddr_in *a) {
    struct pollfd p[COUNT];
    int rounds[COUNT] = {0}, open = COUNT, wrong = 0;
    for (int i = 0; i < COUNT; i++) {
        p[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        p[i].events = POLLIN;
        if (connect(p[i].fd, (void *)a, sizeof *a))
            wrong++;
        write(p[i].fd, &i, 4);
    }
    while (open > 0 && poll(p, COUNT, 20000) > 0)
        for (int i = 0; i < COUNT; i++) {
            int got;
            if (p[i].fd < 0 || !(p[i].revents & POLLIN))
                continue;
            wrong += read(p[i].fd, &got, 4) != 4 || got != i + 1000;
            if (++rounds[i] < ROUNDS)
                write(p[i].fd, &i, 4);
            else
                close(p[i].fd), p[i].fd = -1, open--;
        }
    _exit(wrong || open);
}

int main(void) {
    struct rlimit l;
    getrlimit(RLIMIT_NOFILE, &l);
    l.rlim_cur = l.rlim_max;
    setrlimit(RLIMIT_NOFILE, &l);
    int s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    bind(s, (void *)&a, sizeof a);
    listen(s, 500);
    getsockname(s, (void *)&a, &len);
    if (!fork())
        client(&a);
    int ep = epoll_create1(0), accepted = 0, ended = 0;
    struct epoll_event e = {.events = EPOLLIN, .data.fd = s}, list[64];
    epoll_ctl(ep, EPOLL_CTL_ADD, s, &e);
    while (ended < COUNT) {
        int n = epoll_wait(ep, list, 64, 20000);
        if (n <= 0)
            break;
        for (int i = 0; i < n; i++) {
            int fd = list[i].data.fd, v;
            if (fd == s) {
                while ((fd = accept4(s, NULL, NULL, 0)) >= 0) {
                    accepted++;
                    e.data.fd = fd;
                    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
                }
                continue;
            }
            if (read(fd, &v, 4) == 4) {
                v += 1000;
                write(fd, &v, 4);
            } else {
                close(fd), ended++;
            }
        }
    }
    int status;
    wait(&status);
    printf("accepted %d ended %d client %d\n", accepted, ended, status);
    return 0;
}
