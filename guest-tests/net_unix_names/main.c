// Names of UNIX sockets: paths, abstract names, names by themselves; listening, connecting, accepting.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void show(const char *what, long r) {
    if (r < 0)
        printf("%s: %s\n", what, strerrorname_np(errno));
    else
        printf("%s: %s\n", what, r > 2 ? "fd" : r == 0 ? "0" : "positive");
}

static socklen_t name(struct sockaddr_un *a, const char *path, int len) {
    memset(a, 0, sizeof *a);
    a->sun_family = AF_UNIX;
    memcpy(a->sun_path, path, len);
    return offsetof(struct sockaddr_un, sun_path) + len;
}

static void print_name(const char *what, int r, struct sockaddr_un *a, socklen_t len) {
    if (r < 0) {
        printf("%s: %s\n", what, strerrorname_np(errno));
        return;
    }
    printf("%s: %u family %d \"", what, len, a->sun_family);
    for (int i = 0; i < (int)len - 2 && i < (int)sizeof a->sun_path; i++)
        if (a->sun_path[i])
            putchar(a->sun_path[i]);
        else
            putchar('@');
    printf("\"\n");
}

static void own(const char *what, int fd) {
    struct sockaddr_un a;
    socklen_t len = sizeof a;
    int r = getsockname(fd, (void *)&a, &len);
    print_name(what, r, &a, len);
}

static void peer(const char *what, int fd) {
    struct sockaddr_un a;
    socklen_t len = sizeof a;
    int r = getpeername(fd, (void *)&a, &len);
    print_name(what, r, &a, len);
}

static void paths(int type) {
    struct sockaddr_un a, b;
    socklen_t la = name(&a, "sock", 5);
    int l = socket(AF_UNIX, type, 0), c = socket(AF_UNIX, type, 0);
    own("unbound", l);
    peer("unconnected", l);
    show("listen unbound", listen(l, 5));
    show("connect to nothing", connect(c, (void *)&a, la));
    umask(027);
    show("bind", bind(l, (void *)&a, la));
    umask(022);
    struct stat st;
    show("stat", stat("sock", &st));
    printf("mode %o\n", st.st_mode);
    own("bound", l);
    show("bind again", bind(l, (void *)&a, la));
    int other = socket(AF_UNIX, type, 0);
    show("bind same", bind(other, (void *)&a, la));
    show("open node", open("sock", O_RDWR));
    show("connect before listen", connect(c, (void *)&a, la));
    show("listen", listen(l, 1));
    show("accept4 none", accept4(l, NULL, NULL, 12345));
    fcntl(l, F_SETFL, O_NONBLOCK);
    show("accept none", accept(l, NULL, NULL));
    show("connect", connect(c, (void *)&a, la));
    show("connect again", connect(c, (void *)&a, la));
    peer("connected to", c);
    own("connected", c);
    socklen_t lb = name(&b, "client", 6);
    unlink("client");
    int named = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    show("bind client", bind(named, (void *)&b, lb));
    show("connect client", connect(named, (void *)&a, la));
    int more = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    show("queue full", connect(more, (void *)&a, la));
    struct pollfd p = {.fd = l, .events = POLLIN};
    int ready = poll(&p, 1, 0);
    printf("poll %d %x\n", ready, p.revents);
    struct sockaddr_un from;
    socklen_t lf = sizeof from;
    int s1 = accept(l, (void *)&from, &lf);
    print_name("accepted", s1, &from, lf);
    show("now there is room", connect(more, (void *)&a, la));
    lf = 5;
    memset(&from, 'x', sizeof from);
    int s2 = accept4(l, (void *)&from, &lf, SOCK_CLOEXEC | SOCK_NONBLOCK);
    printf("short name: %u %.4s, cloexec %d nonblock %d\n", lf, from.sun_path, fcntl(s2, F_GETFD),
           !!(fcntl(s2, F_GETFL) & O_NONBLOCK));
    own("accepted own", s2);
    peer("accepted peer", s2);
    show("write", write(named, "hello", 5));
    char buf[10];
    lf = sizeof from;
    long n = recvfrom(s2, buf, 10, 0, (void *)&from, &lf);
    print_name("from", n, &from, lf);
    // The name goes, the listener stays.
    show("unlink", unlink("sock"));
    int late = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    show("connect to removed", connect(late, (void *)&a, la));
    own("still", l);
    show("bind anew", bind(late, (void *)&a, la));
    show("accept third", accept(l, NULL, NULL));
    // Those who wait in the queue are reset when the listener goes.
    struct sockaddr_un abs;
    socklen_t lz = name(&abs, "\0abstract listener", 18);
    int l2 = socket(AF_UNIX, type, 0), c2 = socket(AF_UNIX, type, 0);
    show("bind abstract", bind(l2, (void *)&abs, lz));
    show("listen abstract", listen(l2, 5));
    show("connect abstract", connect(c2, (void *)&abs, lz));
    show("write before accept", write(c2, "x", 1));
    peer("abstract peer", c2);
    close(l2);
    show("read after close", read(c2, buf, 1));
    show("connect abstract gone", connect(more, (void *)&abs, lz));
    show("shorter name is another", connect(socket(AF_UNIX, type, 0), (void *)&abs, lz - 1));
    for (int fd = 3; fd < 40; fd++)
        close(fd);
    unlink("sock"), unlink("client");
}

static void datagrams(void) {
    struct sockaddr_un a, b, from;
    int s = socket(AF_UNIX, SOCK_DGRAM, 0), t = socket(AF_UNIX, SOCK_DGRAM, 0);
    char buf[20];
    socklen_t la = name(&a, "dgram", 5), lb, lf = sizeof from;
    show("bind", bind(s, (void *)&a, la));
    show("listen", listen(s, 1));
    show("accept", accept(s, NULL, NULL));
    show("send nowhere", send(t, "x", 1, 0));
    show("sendto", sendto(t, "one", 3, 0, (void *)&a, la));
    long n = recvfrom(s, buf, 20, 0, (void *)&from, &lf);
    printf("got %ld from length %u\n", n, lf);
    // A name by itself: five digits.
    sa_family_t only = AF_UNIX;
    show("autobind", bind(t, (void *)&only, sizeof only));
    lb = sizeof b;
    getsockname(t, (void *)&b, &lb);
    printf("autobind length %u first %d\n", lb, b.sun_path[0]);
    show("sendto", sendto(t, "two", 3, 0, (void *)&a, la));
    lf = sizeof from;
    n = recvfrom(s, buf, 20, 0, (void *)&from, &lf);
    printf("got %ld from length %u same %d\n", n, lf, !memcmp(&from, &b, lf));
    show("answer", sendto(s, "three", 5, 0, (void *)&from, lf));
    show("read", read(t, buf, 20));
    show("connect", connect(t, (void *)&a, la));
    show("send", send(t, "four", 4, 0));
    show("connect back", connect(s, (void *)&b, lb));
    int third = socket(AF_UNIX, SOCK_DGRAM, 0);
    show("third may not", sendto(third, "x", 1, 0, (void *)&a, la));
    show("third may not connect", connect(third, (void *)&a, la));
    sa_family_t none = AF_UNSPEC;
    show("disconnect", connect(s, (void *)&none, sizeof none));
    show("third may", sendto(third, "five", 4, 0, (void *)&a, la));
    show("wrong type", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&a, la));
    show("not a socket", connect(third, (void *)&(struct sockaddr_un){AF_UNIX, "/dev/null"}, sizeof a));
    show("no such", connect(third, (void *)&(struct sockaddr_un){AF_UNIX, "no/such"}, sizeof a));
    show("empty name", connect(third, (void *)&only, sizeof only));
    show("too long", bind(third, (void *)&a, sizeof a + 1));
    show("other family", bind(third, (void *)&(struct sockaddr_un){AF_INET, "x"}, sizeof a));
    show("in no folder", bind(third, (void *)&(struct sockaddr_un){AF_UNIX, "none/x"}, sizeof a));
    // The queue holds some, then waits.
    int full = socket(AF_UNIX, SOCK_DGRAM, 0), flood = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), i = 0;
    struct sockaddr_un f;
    socklen_t ln = name(&f, "\0flood", 6);
    bind(full, (void *)&f, ln);
    connect(flood, (void *)&f, ln);
    while (send(flood, "x", 1, 0) == 1)
        i++;
    show("flood", -1);
    printf("flooded %d\n", i > 1);
    struct pollfd p = {.fd = flood, .events = POLLOUT};
    printf("poll %d\n", poll(&p, 1, 0));
    read(full, buf, 1);
    printf("poll %d\n", poll(&p, 1, 0));
    close(full);
    show("refused", send(flood, "x", 1, 0));
    show("unconnected", send(flood, "x", 1, 0));
    // A path of the longest length has no room for its NUL.
    struct sockaddr_un longest = {.sun_family = AF_UNIX};
    memset(longest.sun_path, 'l', sizeof longest.sun_path);
    show("longest", bind(flood, (void *)&longest, sizeof longest));
    socklen_t ll = sizeof longest;
    show("its name", getsockname(flood, (void *)&longest, &ll));
    printf("%u\n", ll);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    paths(SOCK_STREAM);
    paths(SOCK_SEQPACKET);
    datagrams();
    return 0;
}
