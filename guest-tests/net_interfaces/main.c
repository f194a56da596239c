// The loopback interface by getifaddrs(3), getaddrinfo(3), netlink and ioctl(2).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct ifaddrs *list = NULL;
    int r = getifaddrs(&list), v4 = 0, packets = 0;
    for (struct ifaddrs *i = list; i; i = i->ifa_next) {
        if (strcmp(i->ifa_name, "lo") || !i->ifa_addr)
            continue;
        char text[64] = "";
        if (i->ifa_addr->sa_family == AF_INET) {
            inet_ntop(AF_INET, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, text, sizeof text);
            printf("lo %s up %d loopback %d\n", text, !!(i->ifa_flags & IFF_UP), !!(i->ifa_flags & IFF_LOOPBACK));
            v4++;
        }
        packets += i->ifa_addr->sa_family == AF_PACKET;
    }
    printf("getifaddrs %d v4 %d packets %d\n", r, v4, packets);
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found = NULL;
    r = getaddrinfo("127.0.0.1", "80", &hints, &found);
    printf("getaddrinfo %d family %d\n", r, found ? found->ai_family : -1);
    r = getaddrinfo("::1", "80", &hints, &found);
    printf("getaddrinfo %d family %d\n", r, found ? found->ai_family : -1);
    // netlink by hand.
    int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct sockaddr_nl own = {.nl_family = AF_NETLINK}, from;
    printf("bind %d\n", bind(s, (void *)&own, sizeof own));
    socklen_t len = sizeof own;
    getsockname(s, (void *)&own, &len);
    printf("length %u own id %d\n", len, own.nl_pid == (unsigned)getpid());
    struct {
        struct nlmsghdr h;
        struct ifinfomsg i;
    } ask = {{.nlmsg_len = sizeof ask, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = 7}};
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    printf("sendto %zd\n", sendto(s, &ask, sizeof ask, 0, (void *)&kernel, sizeof kernel));
    static char buf[65536];
    int done = 0, loopback = 0;
    while (!done) {
        struct iovec v = {buf, sizeof buf};
        struct msghdr m = {.msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &v, .msg_iovlen = 1};
        ssize_t n = recvmsg(s, &m, 0);
        if (n <= 0)
            break;
        for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
            if (h->nlmsg_type == NLMSG_DONE)
                done = 1;
            else if (h->nlmsg_type == RTM_NEWLINK && h->nlmsg_pid == own.nl_pid && h->nlmsg_seq == 7)
                loopback |= !!(((struct ifinfomsg *)NLMSG_DATA(h))->ifi_flags & IFF_LOOPBACK);
        }
    }
    printf("dump %d loopback %d from %u\n", done, loopback, from.nl_pid);
    // A second socket of the process has another id; one may be chosen, once; messages name the sender.
    int second = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK), third = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
    struct sockaddr_nl chosen = {.nl_family = AF_NETLINK, .nl_pid = 77}, other = {.nl_family = AF_NETLINK};
    printf("chosen %d\n", bind(second, (void *)&chosen, sizeof chosen));
    r = bind(third, (void *)&chosen, sizeof chosen);
    printf("taken %d %s\n", r, strerrorname_np(errno));
    bind(third, (void *)&other, sizeof other);
    len = sizeof other;
    getsockname(third, (void *)&other, &len);
    printf("own id of another protocol %d\n", other.nl_pid == (unsigned)getpid());
    chosen.nl_pid = 78;
    r = bind(second, (void *)&chosen, sizeof chosen);
    printf("another id %d %s\n", r, strerrorname_np(errno));
    struct nlmsghdr note = {.nlmsg_len = sizeof note, .nlmsg_type = NLMSG_MIN_TYPE, .nlmsg_pid = 5};
    r = sendto(second, &note, sizeof note, 0, (void *)&other, sizeof other);
    len = sizeof from;
    ssize_t got = recvfrom(third, buf, sizeof buf, MSG_DONTWAIT, (void *)&from, &len);
    printf("note %d %zd from %u header %u\n", r, got, from.nl_pid, ((struct nlmsghdr *)buf)->nlmsg_pid);
    int rest = socket(AF_NETLINK, SOCK_RAW, NETLINK_USERSOCK);
    struct sockaddr_nl any = {.nl_family = AF_NETLINK};
    bind(rest, (void *)&any, sizeof any);
    len = sizeof any;
    getsockname(rest, (void *)&any, &len);
    printf("second id of a process %d\n", any.nl_pid != 0 && any.nl_pid != other.nl_pid);
    close(second), close(third), close(rest);
    close(s);
    // ioctl(2), on sockets of any family.
    int families[] = {AF_INET, AF_UNIX};
    for (int i = 0; i < 2; i++) {
        s = socket(families[i], SOCK_DGRAM, 0);
        struct ifreq q = {0};
        strcpy(q.ifr_name, "lo");
        r = ioctl(s, SIOCGIFFLAGS, &q);
        printf("SIOCGIFFLAGS %d %d\n", r, (q.ifr_flags & (IFF_UP | IFF_LOOPBACK)) == (IFF_UP | IFF_LOOPBACK));
        r = ioctl(s, SIOCGIFINDEX, &q);
        printf("SIOCGIFINDEX %d %d\n", r, q.ifr_ifindex);
        r = ioctl(s, SIOCGIFNAME, &q);
        printf("SIOCGIFNAME %d %s\n", r, q.ifr_name);
        r = ioctl(s, SIOCGIFMTU, &q);
        printf("SIOCGIFMTU %d %d\n", r, q.ifr_mtu);
        if (families[i] == AF_INET) {
            r = ioctl(s, SIOCGIFADDR, &q);
            printf("SIOCGIFADDR %d %s\n", r, inet_ntoa(((struct sockaddr_in *)&q.ifr_addr)->sin_addr));
        }
        strcpy(q.ifr_name, "nosuch0");
        r = ioctl(s, SIOCGIFFLAGS, &q);
        printf("unknown %d %s\n", r, strerrorname_np(errno));
        struct ifreq all[20];
        struct ifconf conf = {.ifc_len = sizeof all, .ifc_req = all};
        r = ioctl(s, SIOCGIFCONF, &conf);
        int seen = 0;
        for (int k = 0; k < conf.ifc_len / (int)sizeof *all; k++)
            seen += !strcmp(all[k].ifr_name, "lo");
        printf("SIOCGIFCONF %d lo %d\n", r, seen);
        int len = conf.ifc_len;
        conf.ifc_req = NULL, conf.ifc_len = 0;
        r = ioctl(s, SIOCGIFCONF, &conf);
        printf("length %d %d\n", r, conf.ifc_len == len);
        r = ioctl(s, SIOCGIFFLAGS, (void *)8);
        printf("SIOCGIFFLAGS bad %d %s\n", r, strerrorname_np(errno));
        int owner = -1;
        r = ioctl(s, SIOCGPGRP, &owner);
        printf("SIOCGPGRP %d %d\n", r, owner);
        owner = getpid();
        r = ioctl(s, SIOCSPGRP, &owner);
        owner = 0;
        ioctl(s, FIOGETOWN, &owner);
        printf("SIOCSPGRP %d %d\n", r, owner == getpid());
        r = ioctl(s, TIOCGWINSZ, &q);
        printf("TIOCGWINSZ %d %s\n", r, strerrorname_np(errno));
        printf("if_nametoindex %u\n", if_nametoindex("lo"));
        close(s);
    }
    return 0;
}
