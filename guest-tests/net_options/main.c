// Options of sockets: what they are, what they become, and what is refused.
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void get(int fd, const char *what, int level, int name) {
    unsigned char v[64];
    memset(v, 0xee, sizeof v);
    socklen_t len = sizeof v;
    if (getsockopt(fd, level, name, v, &len)) {
        printf("  %s: %s\n", what, strerrorname_np(errno));
        return;
    }
    int number;
    memcpy(&number, v, 4);
    if (len == 4)
        printf("  %s: %d\n", what, number);
    else
        printf("  %s: %u bytes, first %d\n", what, len, number);
}

static void set(int fd, const char *what, int level, int name, int value) {
    int r = setsockopt(fd, level, name, &value, sizeof value);
    printf("  set %s %d: %s\n", what, value, r ? strerrorname_np(errno) : "0");
    get(fd, what, level, name);
}

#define GET(level, name) get(fd, #name, level, name)
#define SET(level, name, value) set(fd, #name, level, name, value)

static void common(int fd) {
    GET(SOL_SOCKET, SO_TYPE);
    GET(SOL_SOCKET, SO_DOMAIN);
    GET(SOL_SOCKET, SO_PROTOCOL);
    GET(SOL_SOCKET, SO_ERROR);
    GET(SOL_SOCKET, SO_ACCEPTCONN);
    GET(SOL_SOCKET, SO_RCVLOWAT);
    GET(SOL_SOCKET, SO_SNDLOWAT);
    GET(SOL_SOCKET, SO_LINGER);
    GET(SOL_SOCKET, SO_RCVTIMEO);
    SET(SOL_SOCKET, SO_REUSEADDR, 5);
    SET(SOL_SOCKET, SO_KEEPALIVE, 1);
    SET(SOL_SOCKET, SO_BROADCAST, 1);
    SET(SOL_SOCKET, SO_OOBINLINE, 1);
    SET(SOL_SOCKET, SO_DONTROUTE, 1);
    SET(SOL_SOCKET, SO_SNDBUF, 10000);
    SET(SOL_SOCKET, SO_RCVBUF, 10000);
    SET(SOL_SOCKET, SO_SNDBUF, 1);
    SET(SOL_SOCKET, SO_RCVBUF, 1);
    SET(SOL_SOCKET, SO_PRIORITY, 3);
    SET(SOL_SOCKET, SO_TIMESTAMP, 1);
    SET(SOL_SOCKET, SO_TYPE, 1);
    SET(SOL_SOCKET, 9999, 1);
    struct linger l = {1, 3};
    printf("  linger %d\n", setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l));
    GET(SOL_SOCKET, SO_LINGER);
    l.l_linger = 0, l.l_onoff = 0;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof l);
    int v = 1;
    socklen_t len = 2;
    int r = getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &len);
    printf("  short get %d len %u\n", r, len);
    len = -1;
    r = getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &len);
    printf("  negative get %s\n", r ? strerrorname_np(errno) : "0");
    r = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &v, 2);
    printf("  short set %s\n", r ? strerrorname_np(errno) : "0");
    r = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &v, -1);
    printf("  negative set %s\n", r ? strerrorname_np(errno) : "0");
    r = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, (void *)8, 4);
    printf("  bad pointer %s\n", r ? strerrorname_np(errno) : "0");
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    int kinds[][2] = {{AF_UNIX, SOCK_STREAM}, {AF_UNIX, SOCK_DGRAM}, {AF_UNIX, SOCK_SEQPACKET}, {AF_INET, SOCK_STREAM},
                      {AF_INET, SOCK_DGRAM}, {AF_INET6, SOCK_STREAM}, {AF_INET6, SOCK_DGRAM}};
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        int fd = socket(kinds[i][0], kinds[i][1], 0);
        printf("%d %d\n", kinds[i][0], kinds[i][1]);
        common(fd);
        if (kinds[i][0] == AF_UNIX) {
            SET(SOL_SOCKET, SO_PASSCRED, 1);
            GET(SOL_SOCKET, SO_PEERCRED);
            GET(SOL_SOCKET, SO_PEERGROUPS);
            SET(SOL_SOCKET, SO_REUSEPORT, 1);
        }
        if (kinds[i][0] == AF_INET) {
            SET(IPPROTO_IP, IP_TTL, 33);
            SET(IPPROTO_IP, IP_TOS, 16);
            SET(IPPROTO_IP, IP_MTU_DISCOVER, 1);
            SET(IPPROTO_IP, IP_RECVERR, 1);
            SET(IPPROTO_IP, IP_FREEBIND, 1);
            SET(IPPROTO_IP, IP_MULTICAST_TTL, 3);
            SET(IPPROTO_IP, IP_MULTICAST_LOOP, 0);
            SET(SOL_SOCKET, SO_REUSEPORT, 1);
        }
        if (kinds[i][0] == AF_INET6) {
            SET(IPPROTO_IPV6, IPV6_V6ONLY, 1);
            SET(IPPROTO_IPV6, IPV6_UNICAST_HOPS, 9);
            SET(IPPROTO_IPV6, IPV6_TCLASS, 8);
            SET(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        }
        if (kinds[i][0] != AF_UNIX && kinds[i][1] == SOCK_STREAM) {
            SET(IPPROTO_TCP, TCP_NODELAY, 1);
            SET(IPPROTO_TCP, TCP_CORK, 1);
            SET(IPPROTO_TCP, TCP_KEEPIDLE, 60);
            SET(IPPROTO_TCP, TCP_KEEPINTVL, 10);
            SET(IPPROTO_TCP, TCP_KEEPCNT, 4);
            SET(IPPROTO_TCP, TCP_SYNCNT, 3);
            SET(IPPROTO_TCP, TCP_USER_TIMEOUT, 5000);
            SET(IPPROTO_TCP, TCP_QUICKACK, 0);
            SET(IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
        }
        if (kinds[i][0] != AF_UNIX && kinds[i][1] == SOCK_DGRAM) {
            SET(IPPROTO_UDP, UDP_CORK, 1);
            SET(IPPROTO_UDP, UDP_CORK, 0);
        }
        close(fd);
    }
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    SET(SOL_NETLINK, NETLINK_PKTINFO, 1);
    SET(SOL_NETLINK, NETLINK_EXT_ACK, 1);
    GET(SOL_SOCKET, SO_PROTOCOL);
    return 0;
}
