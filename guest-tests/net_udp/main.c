// UDP over the loopback, and several messages in one call.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static void show(const char *what, long r) {
    if (r < 0)
        printf("%s: %s\n", what, strerrorname_np(errno));
    else
        printf("%s: %ld\n", what, r);
}

static int bound(int family, struct sockaddr_storage *a, socklen_t *len) {
    int s = socket(family, SOCK_DGRAM, 0);
    memset(a, 0, sizeof *a);
    a->ss_family = family;
    if (family == AF_INET)
        ((struct sockaddr_in *)a)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else
        ((struct sockaddr_in6 *)a)->sin6_addr = in6addr_loopback;
    *len = family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    show("bind", bind(s, (void *)a, *len));
    show("getsockname", getsockname(s, (void *)a, len));
    return s;
}

static void messages(int family) {
    struct sockaddr_storage a, b, from;
    socklen_t la, lb, lf = sizeof from;
    int s = bound(family, &a, &la), t = bound(family, &b, &lb);
    char buf[100];
    show("no destination", send(t, "x", 1, 0));
    show("sendto", sendto(t, "hello", 5, 0, (void *)&a, la));
    show("recvfrom", recvfrom(s, buf, 3, MSG_TRUNC, (void *)&from, &lf));
    printf("length %u same %d\n", lf, !memcmp(&from, &b, lb));
    show("empty", sendto(t, NULL, 0, 0, (void *)&a, la));
    lf = sizeof from;
    show("recvfrom", recvfrom(s, buf, 100, 0, (void *)&from, &lf));
    show("none", recv(s, buf, 100, MSG_DONTWAIT));
    static char huge[70000];
    show("too big", sendto(t, huge, 70000, 0, (void *)&a, la));
    show("connect", connect(t, (void *)&a, la));
    show("connected peer", getpeername(t, (void *)&from, &lf));
    // Several at once.
    struct iovec out[4] = {{"one", 3}, {"two!", 4}, {"three", 5}, {"x", 1}};
    struct mmsghdr m[4] = {0};
    for (int i = 0; i < 4; i++)
        m[i].msg_hdr.msg_iov = out + i, m[i].msg_hdr.msg_iovlen = 1;
    show("sendmmsg", sendmmsg(t, m, 3, 0));
    printf("lengths %u %u %u\n", m[0].msg_len, m[1].msg_len, m[2].msg_len);
    char in[4][8];
    struct iovec w[4];
    struct sockaddr_storage names[4];
    struct mmsghdr r[4] = {0};
    for (int i = 0; i < 4; i++) {
        w[i] = (struct iovec){in[i], 4};
        r[i].msg_hdr = (struct msghdr){.msg_name = names + i, .msg_namelen = sizeof names[i], .msg_iov = w + i, .msg_iovlen = 1};
    }
    show("recvmmsg", recvmmsg(s, r, 4, MSG_WAITFORONE, NULL));
    for (int i = 0; i < 3; i++)
        printf("%u %.*s flags %x namelen %u\n", r[i].msg_len, (int)r[i].msg_len, in[i], r[i].msg_hdr.msg_flags,
               r[i].msg_hdr.msg_namelen);
    show("recvmmsg none", recvmmsg(s, r, 4, MSG_DONTWAIT, NULL));
    struct timespec limit = {0, 30000000};
    sendmmsg(t, m, 2, 0);
    show("recvmmsg limit", recvmmsg(s, r, 2, 0, &limit));
    printf("left %d\n", limit.tv_sec == 0 && limit.tv_nsec > 0 && limit.tv_nsec <= 30000000);
    limit.tv_nsec = -1;
    show("recvmmsg bad", recvmmsg(s, r, 2, 0, &limit));
    show("sendmmsg none", sendmmsg(t, m, 0, 0));
    // Where a message came in, as a control message.
    int on = 1;
    if (family == AF_INET)
        show("IP_PKTINFO", setsockopt(s, IPPROTO_IP, IP_PKTINFO, &on, sizeof on));
    else
        show("IPV6_RECVPKTINFO", setsockopt(s, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on));
    show("SO_TIMESTAMP", setsockopt(s, SOL_SOCKET, SO_TIMESTAMP, &on, sizeof on));
    send(t, "info", 4, 0);
    char control[256];
    struct iovec v = {buf, 100};
    struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    show("recvmsg", recvmsg(s, &h, 0));
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c))
        printf("level %d type %d len %zu\n", c->cmsg_level, c->cmsg_type, c->cmsg_len);
    send(t, "info", 4, 0);
    h.msg_controllen = 20;
    show("little room", recvmsg(s, &h, 0));
    printf("flags %x controllen %zu\n", h.msg_flags, h.msg_controllen);
    // The time to live goes with the message.
    if (family == AF_INET) {
        int ttl = 7;
        setsockopt(s, IPPROTO_IP, IP_RECVTTL, &on, sizeof on);
        struct msghdr o = {.msg_iov = out, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(4)};
        struct cmsghdr *c = CMSG_FIRSTHDR(&o);
        c->cmsg_level = IPPROTO_IP, c->cmsg_type = IP_TTL, c->cmsg_len = CMSG_LEN(4);
        memcpy(CMSG_DATA(c), &ttl, 4);
        show("with IP_TTL", sendmsg(t, &o, 0));
        h.msg_controllen = sizeof control;
        recvmsg(s, &h, 0);
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c))
            if (c->cmsg_type == IP_TTL)
                printf("ttl %d\n", *(int *)CMSG_DATA(c));
    }
    // Nobody there: the next call hears of it, and the error queue knows more.
    close(s);
    if (family == AF_INET)
        setsockopt(t, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
    show("send", send(t, "x", 1, 0));
    struct pollfd p = {.fd = t, .events = POLLIN};
    int n = poll(&p, 1, 1000);
    printf("poll %d %d\n", n, !!(p.revents & POLLERR));
    show("recv", recv(t, buf, 100, MSG_DONTWAIT));
    h.msg_controllen = sizeof control;
    h.msg_name = NULL;
    n = recvmsg(t, &h, MSG_ERRQUEUE | MSG_DONTWAIT);
    show("error queue", n);
    if (n >= 0) {
        struct cmsghdr *c = CMSG_FIRSTHDR(&h);
        struct sock_extended_err *e = (void *)CMSG_DATA(c);
        printf("%s origin %d flags %x\n", strerrorname_np(e->ee_errno), e->ee_origin, h.msg_flags);
    }
    struct sockaddr none = {AF_UNSPEC};
    show("disconnect", connect(t, &none, sizeof none));
    show("no peer", getpeername(t, (void *)&from, &lf));
    show("shutdown", shutdown(t, SHUT_RDWR));
    close(t);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    messages(AF_INET);
    messages(AF_INET6);
    return 0;
}
