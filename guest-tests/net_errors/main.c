// What socket calls refuse.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SHOW(call) do { errno = 0; long r = (call); printf("%s: %s\n", #call, r < 0 ? strerrorname_np(errno) : "fine"); } while (0)

static void on(int fd) {
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof a;
    struct msghdr m = {0};
    struct mmsghdr mm = {0};
    int v[2] = {0, 0};
    char b[4];
    fcntl(fd, F_SETFL, O_NONBLOCK);
    SHOW(bind(fd, (void *)&a, 2));
    SHOW(connect(fd, (void *)&a, 1));
    SHOW(listen(fd, 1));
    SHOW(accept(fd, NULL, NULL));
    SHOW(accept4(fd, NULL, NULL, 0));
    SHOW(getsockname(fd, (void *)&a, &len));
    SHOW(getpeername(fd, (void *)&a, &len));
    SHOW(send(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT));
    SHOW(sendto(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT, (void *)&a, 200));
    SHOW(sendto(fd, "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT, (void *)&a, -1));
    SHOW(recv(fd, b, 4, MSG_DONTWAIT));
    SHOW(recvfrom(fd, b, 4, MSG_DONTWAIT, NULL, NULL));
    SHOW(sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT));
    SHOW(recvmsg(fd, &m, MSG_DONTWAIT));
    SHOW(sendmmsg(fd, &mm, 1, MSG_NOSIGNAL | MSG_DONTWAIT));
    SHOW(recvmmsg(fd, &mm, 1, MSG_DONTWAIT, NULL));
    m.msg_iovlen = 2000;
    SHOW(sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT));
    m.msg_iovlen = 0, m.msg_name = &a, m.msg_namelen = -1;
    SHOW(sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT));
    SHOW(shutdown(fd, 3));
    SHOW(shutdown(fd, -1));
    len = 4;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_TYPE, v, &len));
    SHOW(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, v, 4));
    len = -5;
    SHOW(getsockname(fd, (void *)&a, &len));
    len = 4;
    SHOW(getsockname(fd, (void *)&a, NULL));
    SHOW(bind(fd, NULL, 16));
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    int v[2];
    SHOW(socket(AF_UNIX, 99, 0));
    SHOW(socket(AF_UNIX, SOCK_STREAM, 77));
    SHOW(socket(AF_UNIX, SOCK_STREAM, AF_UNIX));
    SHOW(socket(AF_UNIX, SOCK_RDM, 0));
    SHOW(socket(AF_UNIX, SOCK_STREAM | 0x1000, 0));
    SHOW(socket(-1, SOCK_STREAM, 0));
    SHOW(socket(1000, SOCK_STREAM, 0));
    SHOW(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
    SHOW(socket(AF_INET, SOCK_SEQPACKET, 0));
    SHOW(socket(AF_INET, 0, 0));
    SHOW(socket(AF_INET, SOCK_DGRAM, 300));
    SHOW(socketpair(AF_INET, SOCK_STREAM, 0, v));
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, NULL));
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 5, v));
    SHOW(socketpair(AF_UNIX, SOCK_STREAM | 4, 0, v));
    SHOW(socketpair(1000, SOCK_STREAM, 0, v));
    int sockets[] = {-1, 999, open("/dev/null", O_RDWR), open(".", O_PATH), socket(AF_UNIX, SOCK_STREAM, 0),
                     socket(AF_UNIX, SOCK_DGRAM, 0), socket(AF_UNIX, SOCK_SEQPACKET, 0), socket(AF_INET, SOCK_STREAM, 0),
                     socket(AF_INET, SOCK_DGRAM, 0), socket(AF_INET6, SOCK_STREAM, 0)};
    for (unsigned i = 0; i < sizeof sockets / sizeof *sockets; i++) {
        printf("socket %u\n", i);
        on(sockets[i]);
    }
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x08080808)};
    SHOW(bind(sockets[7], (void *)&in, sizeof in));
    in.sin_family = AF_INET6;
    SHOW(bind(socket(AF_INET, SOCK_STREAM, 0), (void *)&in, sizeof in));
    in.sin_family = 1234;
    SHOW(connect(socket(AF_INET, SOCK_STREAM, 0), (void *)&in, sizeof in));
    SHOW(connect(socket(AF_INET, SOCK_DGRAM, 0), (void *)&in, sizeof in));
    return 0;
}
