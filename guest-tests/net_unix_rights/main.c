// Open files and credentials in messages between UNIX sockets.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static void show(const char *what, long r) {
    if (r < 0)
        printf("%s: %s\n", what, strerrorname_np(errno));
    else
        printf("%s: %ld\n", what, r);
}

static long give(int to, const char *text, const int *fds, int n) {
    char control[CMSG_SPACE(300 * sizeof(int))] = {0};
    struct iovec v = {(char *)text, strlen(text)};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_LEN(n * 4)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n * 4);
    memcpy(CMSG_DATA(c), fds, n * 4);
    return sendmsg(to, &m, MSG_NOSIGNAL);
}

// Receives a message with room for `max` files, gives how many came.
static int take(int from, int *fds, int max, int flags) {
    char control[CMSG_SPACE(300 * sizeof(int))], text[100];
    struct iovec v = {text, sizeof text};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control,
                       .msg_controllen = max < 0 ? 0 : CMSG_LEN(max * 4)};
    long n = recvmsg(from, &m, flags);
    if (n < 0) {
        show("recvmsg", n);
        return -1;
    }
    int got = 0;
    printf("recvmsg %ld \"%.*s\" flags %x controllen %zu:", n, (int)n, text, m.msg_flags & ~MSG_CMSG_CLOEXEC,
           m.msg_controllen);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        printf(" level %d type %d len %zu", c->cmsg_level, c->cmsg_type, c->cmsg_len);
        if (c->cmsg_type == SCM_RIGHTS) {
            got = (c->cmsg_len - CMSG_LEN(0)) / 4;
            memcpy(fds, CMSG_DATA(c), got * 4);
        }
        if (c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred u;
            memcpy(&u, CMSG_DATA(c), sizeof u);
            printf(" pid %d uid %d gid %d", u.pid == getpid() ? 1 : u.pid ? 2 : 0, u.uid == getuid(), u.gid == getgid());
        }
    }
    printf(" files %d\n", got);
    return got;
}

static void kinds(int type) {
    int s[2], p[2], q[2], fds[8], got[8];
    char buf[20];
    socketpair(AF_UNIX, type, 0, s);
    pipe(p);
    socketpair(AF_UNIX, SOCK_STREAM, 0, q);
    int file = open("shared", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(file, "0123456789", 10);
    lseek(file, 3, SEEK_SET);
    fds[0] = file, fds[1] = p[0], fds[2] = q[1], fds[3] = eventfd(7, 0), fds[4] = s[0];
    show("give", give(s[0], "five", fds, 5));
    for (int i = 0; i < 4; i++)
        close(fds[i]);
    write(p[1], "pipe", 4);
    write(q[0], "socket", 6);
    if (take(s[1], got, 8, MSG_CMSG_CLOEXEC) == 5) {
        show("file", read(got[0], buf, 4));
        printf("%.4s cloexec %d\n", buf, fcntl(got[0], F_GETFD));
        show("pipe", read(got[1], buf, 20));
        show("socket", read(got[2], buf, 20));
        unsigned long long v = 0;
        show("eventfd", read(got[3], &v, 8));
        printf("%llu\n", v);
        show("itself", write(got[4], "self", 4));
        show("read", read(s[1], buf, 20));
        for (int i = 0; i < 5; i++)
            close(got[i]);
    }
    // No room, too little room, looked at, and files among bytes.
    int two[2] = {p[1], q[0]};
    give(s[0], "no room", two, 2);
    take(s[1], got, -1, 0);
    give(s[0], "room for one", two, 2);
    if (take(s[1], got, 1, 0) == 1)
        printf("cloexec %d\n", fcntl(got[0], F_GETFD)), close(got[0]);
    give(s[0], "peek", two, 1);
    if (take(s[1], got, 4, MSG_PEEK) == 1)
        close(got[0]);
    if (take(s[1], got, 4, 0) == 1)
        close(got[0]);
    write(s[0], "plain", 5);
    give(s[0], "with", two, 1);
    write(s[0], "after", 5);
    for (int i = 0; i < 3; i++)
        if (take(s[1], got, 4, MSG_DONTWAIT) == 1)
            close(got[0]);
    // Read without looking at control messages: the files are gone.
    give(s[0], "lost", two, 1);
    show("plain read", read(s[1], buf, 20));
    // Errors.
    int bad[1] = {999};
    show("bad descriptor", give(s[0], "x", bad, 1));
    static int many[300];
    for (int i = 0; i < 300; i++)
        many[i] = p[1];
    show("254 files", give(s[0], "x", many, 254));
    show("253 files", give(s[0], "x", many, 253));
    struct rlimit l = {60, 60}, old;
    getrlimit(RLIMIT_NOFILE, &old);
    l.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_NOFILE, &l);
    int *all = calloc(300, 4), n = take(s[1], all, 300, 0);
    printf("below the limit %d\n", n > 10 && n < 60);
    for (int i = 0; i < n; i++)
        close(all[i]);
    setrlimit(RLIMIT_NOFILE, &old);
    close(s[0]), close(s[1]), close(p[0]), close(p[1]), close(q[0]), close(q[1]);
}

static void credentials(int type) {
    int s[2], on = 1, fds[4];
    socketpair(AF_UNIX, type, 0, s);
    struct ucred u;
    socklen_t len = sizeof u;
    show("SO_PEERCRED", getsockopt(s[0], SOL_SOCKET, SO_PEERCRED, &u, &len));
    printf("pid %d uid %d gid %d len %u\n", u.pid == getpid(), u.uid == getuid(), u.gid == getgid(), len);
    show("SO_PASSCRED", setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    write(s[0], "plain", 5);
    take(s[1], fds, 20, 0);
    pid_t pid = fork();
    if (!pid) {
        write(s[0], "child", 5);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    write(s[0], "parent", 6);
    take(s[1], fds, 20, 0);
    take(s[1], fds, 20, 0);
    give(s[0], "both", s, 1);
    if (take(s[1], fds, 20, 0) == 1)
        close(fds[0]);
    char control[CMSG_SPACE(sizeof u)] = {0};
    struct iovec v = {"explicit", 8};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_LEN(sizeof u)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_CREDENTIALS, c->cmsg_len = CMSG_LEN(sizeof u);
    u.pid = getpid(), u.uid = getuid(), u.gid = getgid();
    memcpy(CMSG_DATA(c), &u, sizeof u);
    show("explicit", sendmsg(s[0], &m, 0));
    take(s[1], fds, 20, 0);
    take(s[1], fds, -1, MSG_DONTWAIT);
    c->cmsg_len = CMSG_LEN(8);
    show("short", sendmsg(s[0], &m, 0));
    c->cmsg_len = 5;
    show("no header", sendmsg(s[0], &m, 0));
    c->cmsg_len = CMSG_LEN(sizeof u);
    c->cmsg_type = 77;
    show("unknown type", sendmsg(s[0], &m, 0));
    write(s[0], "cut", 3);
    char few[20], text[8];
    struct iovec w = {text, 8};
    struct msghdr r = {.msg_iov = &w, .msg_iovlen = 1, .msg_control = few, .msg_controllen = 20};
    show("cut", recvmsg(s[1], &r, 0));
    printf("flags %x controllen %zu\n", r.msg_flags, r.msg_controllen);
    close(s[0]), close(s[1]);
}

// Sockets that only lie in each other's queues are not kept for ever.
static void cycles(void) {
    int failures = 0;
    for (int i = 0; i < 500; i++) {
        int a[2], b[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, a) || socketpair(AF_UNIX, SOCK_DGRAM, 0, b)) {
            failures++;
            continue;
        }
        failures += give(a[0], "x", a + 1, 1) != 1;
        failures += give(b[0], "x", a, 2) != 1;
        failures += give(a[1], "x", b, 2) != 1;
        close(a[0]), close(a[1]), close(b[0]), close(b[1]);
    }
    printf("cycles: %d failures\n", failures);
    // A long chain: each lies in the queue of the next.
    int inner[2], depth = 0;
    socketpair(AF_UNIX, SOCK_STREAM, 0, inner);
    for (; depth < 2000; depth++) {
        int outer[2];
        socketpair(AF_UNIX, SOCK_STREAM, 0, outer);
        if (give(outer[0], "x", inner + 1, 1) != 1) {
            close(outer[0]), close(outer[1]);
            break;
        }
        close(inner[0]), close(inner[1]);
        inner[0] = outer[0], inner[1] = outer[1];
    }
    close(inner[0]), close(inner[1]);
    printf("chain %d\n", depth >= 4);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    for (int i = 0; i < 3; i++) {
        printf("type %d\n", types[i]);
        kinds(types[i]);
        credentials(types[i]);
    }
    cycles();
    int next = open("/dev/null", O_RDONLY);
    printf("descriptors left %d\n", next);
    return 0;
}
