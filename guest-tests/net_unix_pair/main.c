// Pairs of UNIX sockets of all types: order, borders, peeking, ends, limits.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
static volatile int pipes;

static void on_pipe(int sig) { pipes++; (void)sig; }

static void show(const char *what, long r) {
    if (r < 0)
        printf("%s: %s\n", what, strerrorname_np(errno));
    else
        printf("%s: %ld\n", what, r);
}

static void show_poll(const char *what, int fd) {
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP | POLLPRI};
    int n = poll(&p, 1, 0);
    printf("%s: poll %d%s%s%s%s%s\n", what, n, p.revents & POLLIN ? " IN" : "", p.revents & POLLOUT ? " OUT" : "",
           p.revents & POLLRDHUP ? " RDHUP" : "", p.revents & POLLHUP ? " HUP" : "", p.revents & POLLERR ? " ERR" : "");
}

static void transfers(int type) {
    int s[2];
    char buf[100];
    show("socketpair", socketpair(AF_UNIX, type, 0, s));
    show_poll("new", s[0]);
    show("write", write(s[0], "hello", 5));
    show("send", send(s[0], " world", 6, 0));
    int waiting = -1;
    show("FIONREAD", ioctl(s[1], FIONREAD, &waiting));
    printf("waiting %d\n", waiting);
    show_poll("after send", s[1]);
    memset(buf, '.', sizeof buf);
    long n = recv(s[1], buf, 3, MSG_PEEK);
    show("peek 3", n);
    printf("%.*s\n", (int)(n > 0 ? n : 0), buf);
    n = recv(s[1], buf, 3, MSG_PEEK | MSG_TRUNC);
    show("peek 3 trunc", n);
    n = read(s[1], buf, 4);
    show("read 4", n);
    printf("%.*s\n", (int)(n > 0 ? n : 0), buf);
    n = recv(s[1], buf, sizeof buf, MSG_DONTWAIT);
    show("recv", n);
    printf("%.*s\n", (int)(n > 0 ? n : 0), buf);
    show("recv empty", recv(s[1], buf, sizeof buf, MSG_DONTWAIT));
    // A message in pieces, and what msg_flags say.
    struct iovec out[3] = {{"ab", 2}, {"cde", 3}, {"f", 1}};
    struct msghdr m = {.msg_iov = out, .msg_iovlen = 3};
    show("sendmsg", sendmsg(s[0], &m, MSG_EOR));
    char a[2], b[2];
    struct iovec in[2] = {{a, 2}, {b, 2}};
    struct msghdr r = {.msg_iov = in, .msg_iovlen = 2, .msg_flags = 0x1234};
    n = recvmsg(s[1], &r, 0);
    show("recvmsg", n);
    printf("%.2s %.2s flags %x controllen %zu namelen %u\n", a, b, r.msg_flags, r.msg_controllen, r.msg_namelen);
    show("rest", recv(s[1], buf, sizeof buf, MSG_DONTWAIT));
    show("empty message", send(s[0], "", 0, 0));
    show("got", recv(s[1], buf, sizeof buf, MSG_DONTWAIT));
    show("writev", writev(s[0], out, 3));
    show("readv", readv(s[1], in, 2));
    show("rest", recv(s[1], buf, sizeof buf, MSG_DONTWAIT));
    // Of streams it depends on how the kernel is built.
    if (type != SOCK_STREAM)
        show("out of band", send(s[0], "x", 1, MSG_OOB | MSG_DONTWAIT));
    close(s[0]), close(s[1]);
}

static void ends(int type) {
    int s[2];
    char buf[16];
    socketpair(AF_UNIX, type, 0, s);
    write(s[0], "last", 4);
    show("shutdown WR", shutdown(s[0], SHUT_WR));
    show_poll("other end", s[1]);
    show_poll("own end", s[0]);
    pipes = 0;
    show("write", write(s[0], "x", 1));
    show("send nosignal", send(s[0], "x", 1, MSG_NOSIGNAL));
    show("send", send(s[0], "x", 1, 0));
    printf("SIGPIPE %d\n", pipes);
    show("read", read(s[1], buf, sizeof buf));
    if (type != SOCK_DGRAM)
        show("end", read(s[1], buf, sizeof buf));
    else
        show("end", recv(s[1], buf, sizeof buf, MSG_DONTWAIT));
    show("back", write(s[1], "y", 1));
    show("back read", read(s[0], buf, sizeof buf));
    show("shutdown 7", shutdown(s[0], 7));
    show("shutdown RD", shutdown(s[0], SHUT_RD));
    show_poll("shut", s[0]);
    pipes = 0;
    show("write to shut", write(s[1], "z", 1));
    printf("SIGPIPE %d\n", pipes);
    close(s[0]);
    show_poll("peer closed", s[1]);
    pipes = 0;
    show("write to closed", write(s[1], "z", 1));
    printf("SIGPIPE %d\n", pipes);
    close(s[1]);
    // Closing with unread data resets.
    socketpair(AF_UNIX, type, 0, s);
    write(s[0], "unread", 6);
    write(s[1], "before", 6);
    close(s[1]);
    show("before", recv(s[0], buf, sizeof buf, MSG_DONTWAIT));
    show("reset", recv(s[0], buf, sizeof buf, MSG_DONTWAIT));
    show("then", recv(s[0], buf, sizeof buf, MSG_DONTWAIT));
    close(s[0]);
}

static void limits(int type) {
    static char big[300000];
    int sizes[] = {1, 1000, 4096, 20000, 65536, 300000};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int s[2], count = 0;
        long total = 0, n;
        socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, s);
        while ((n = write(s[0], big, sizes[i])) > 0)
            count++, total += n;
        printf("writes of %d: %d, %ld bytes, %s", sizes[i], count, total, strerrorname_np(errno));
        struct pollfd p = {.fd = s[0], .events = POLLOUT};
        printf(", poll %d", poll(&p, 1, 0));
        n = read(s[1], big, sizeof big);
        printf(", read %ld, poll %d\n", n, poll(&p, 1, 0));
        close(s[0]), close(s[1]);
    }
}

static void timeouts(int type) {
    int s[2];
    char buf[8];
    static char big[30000];
    socketpair(AF_UNIX, type, 0, s);
    struct timeval t = {0, 40000};
    show("SO_RCVTIMEO", setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t));
    show("SO_SNDTIMEO", setsockopt(s[0], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t));
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    show("read", read(s[0], buf, 8));
    show("recv", recv(s[0], buf, 8, 0));
    clock_gettime(CLOCK_MONOTONIC, &b);
    long ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
    printf("waited %d\n", ms >= 58 && ms < 2000);
    long n;
    while ((n = send(s[0], big, sizeof big, 0)) > 0)
        ;
    show("full", n);
    t.tv_sec = 7;
    setsockopt(s[1], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
    struct timeval got = {0, 0};
    socklen_t len = sizeof got;
    show("getsockopt", getsockopt(s[1], SOL_SOCKET, SO_SNDTIMEO, &got, &len));
    printf("%ld.%06ld %u\n", (long)got.tv_sec, (long)got.tv_usec, len);
    t.tv_usec = 1000000;
    show("bad", setsockopt(s[1], SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t));
    show("short", setsockopt(s[1], SOL_SOCKET, SO_SNDTIMEO, &t, 8));
    close(s[0]), close(s[1]);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, on_pipe);
    for (int i = 0; i < 3; i++) {
        printf("type %d\n", types[i]);
        transfers(types[i]);
        ends(types[i]);
        limits(types[i]);
        timeouts(types[i]);
    }
    int s[2];
    struct stat st;
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, s);
    printf("cloexec %d nonblock %d\n", fcntl(s[0], F_GETFD), fcntl(s[1], F_GETFL) == (O_RDWR | O_NONBLOCK));
    show("fstat", fstat(s[0], &st));
    printf("%o %ld %ld\n", st.st_mode, (long)st.st_size, (long)st.st_blksize);
    show("lseek", lseek(s[0], 0, SEEK_SET));
    char b[4];
    show("pread", pread(s[0], b, 4, 0));
    show("ftruncate", ftruncate(s[0], 0));
    show("fsync", fsync(s[0]));
    show("flags", fcntl(s[0], F_SETFL, O_APPEND));
    // Everything at once: MSG_WAITALL collects what comes in pieces.
    fcntl(s[0], F_SETFL, 0);
    write(s[1], "abc", 3);
    write(s[1], "def", 3);
    char six[7] = "";
    show("waitall", recv(s[0], six, 6, MSG_WAITALL));
    printf("%s\n", six);
    write(s[1], "ghi", 3);
    shutdown(s[1], SHUT_WR);
    show("waitall to the end", recv(s[0], six, 6, MSG_WAITALL));
    // As standard files.
    int from[2];
    pipe(from);
    write(from[1], "through", 7);
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    show("splice to", splice(from[0], NULL, s[0], NULL, 7, 0));
    show("splice from", splice(s[1], NULL, from[1], NULL, 7, 0));
    memset(six, 0, 7);
    show("read", read(from[0], six, 6));
    int file = open("data", O_RDWR | O_CREAT, 0600);
    write(file, "file content", 12);
    lseek(file, 0, SEEK_SET);
    extern ssize_t sendfile(int, int, off_t *, size_t);
    show("sendfile", sendfile(s[0], file, NULL, 100));
    char text[13] = "";
    show("read", read(s[1], text, 12));
    printf("%s\n", text);
    return 0;
}
