// Internet sockets of a machine whose interfaces are all down.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void say(const char *what, long r) { printf("%s %s\n", what, r < 0 ? strerrorname_np(errno) : "ok"); }

int main(int argc, char **argv) {
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(9)}, own = {0};
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    say("TCP", s);
    say("connect", connect(s, (void *)&four, sizeof four));
    say("bind to loopback", bind(s, (void *)&four, sizeof four));
    four.sin_addr.s_addr = htonl(0x08080808);
    say("connect far away", connect(s, (void *)&four, sizeof four));
    int u = socket(AF_INET, SOCK_DGRAM, 0);
    say("UDP", u);
    say("sendto", sendto(u, "x", 1, 0, (void *)&four, sizeof four));
    say("connect UDP", connect(u, (void *)&four, sizeof four));
    say("send", send(u, "x", 1, 0));
    int v = socket(AF_INET6, SOCK_STREAM, 0);
    say("IPv6", v);
    say("connect IPv6", connect(v, (void *)&six, sizeof six));
    int l = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    four.sin_addr.s_addr = 0, four.sin_port = 0;
    say("bind to any", bind(l, (void *)&four, sizeof four));
    socklen_t len = sizeof own;
    say("getsockname", getsockname(l, (void *)&own, &len));
    printf("port %d length %u\n", own.sin_port != 0, len);
    say("listen", listen(l, 5));
    say("accept", accept(l, NULL, NULL));
    say("getpeername", getpeername(l, (void *)&own, &len));
    int one = 1;
    say("SO_REUSEADDR", setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    int pair[2];
    say("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    say("write", write(pair[0], "x", 1));
    if (argc > 1) {
        say("netlink", socket(AF_NETLINK, SOCK_RAW, 0));
        say("packet", socket(AF_PACKET, SOCK_RAW, 0));
    }
    return 0;
}
