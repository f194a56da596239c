// TCP over the loopback, IPv4 and IPv6.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int family;
static volatile int pipes;

static void on_pipe(int sig) { pipes++; (void)sig; }

static void show(const char *what, long r) {
    if (r < 0)
        printf("%s: %s\n", what, strerrorname_np(errno));
    else
        printf("%s: %ld\n", what, r);
}

static socklen_t loopback(struct sockaddr_storage *a, int port) {
    memset(a, 0, sizeof *a);
    a->ss_family = family;
    if (family == AF_INET) {
        struct sockaddr_in *in = (void *)a;
        in->sin_port = port, in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return sizeof *in;
    }
    struct sockaddr_in6 *in = (void *)a;
    in->sin6_port = port, in->sin6_addr = in6addr_loopback;
    return sizeof *in;
}

static int port_of(struct sockaddr_storage *a) {
    return family == AF_INET ? ((struct sockaddr_in *)a)->sin_port : ((struct sockaddr_in6 *)a)->sin6_port;
}

static int listener(struct sockaddr_storage *a, socklen_t *len) {
    int l = socket(family, SOCK_STREAM, 0), on = 1;
    *len = loopback(a, 0);
    setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    show("bind", bind(l, (void *)a, *len));
    show("listen", listen(l, 10));
    show("getsockname", getsockname(l, (void *)a, len));
    printf("length %u port %d\n", *len, port_of(a) != 0);
    return l;
}

static void *serve(void *arg) {
    int fd = (int)(long)arg;
    char buf[3000];
    long n, all = 0;
    while ((n = recv(fd, buf, sizeof buf, 0)) > 0) {
        all += n;
        send(fd, buf, n, 0);
    }
    close(fd);
    return (void *)all;
}

static void basic(void) {
    struct sockaddr_storage a, b;
    socklen_t len, lb = sizeof b;
    int l = listener(&a, &len);
    int c = socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
    show("unconnected read", read(c, &b, 1));
    pipes = 0;
    show("unconnected send", send(c, "x", 1, MSG_NOSIGNAL));
    show("unconnected peer", getpeername(c, (void *)&b, &lb));
    show("connect", connect(c, (void *)&a, len));
    show("connect again", connect(c, (void *)&a, len));
    lb = sizeof b;
    int s = accept4(l, (void *)&b, &lb, SOCK_NONBLOCK);
    printf("accept4 %d length %u nonblock %d cloexec %d\n", s >= 0, lb, !!(fcntl(s, F_GETFL) & O_NONBLOCK),
           fcntl(s, F_GETFD));
    struct sockaddr_storage own;
    socklen_t lo = sizeof own;
    getsockname(c, (void *)&own, &lo);
    printf("same address %d\n", lo == lb && !memcmp(&own, &b, lb));
    char buf[100] = "";
    show("nothing yet", read(s, buf, 10));
    show("write", write(c, "hello", 5));
    struct pollfd p = {.fd = s, .events = POLLIN | POLLOUT};
    int n = poll(&p, 1, 1000);
    printf("poll %d %x\n", n, p.revents);
    int waiting;
    show("FIONREAD", ioctl(s, FIONREAD, &waiting));
    printf("waiting %d\n", waiting);
    show("peek", recv(s, buf, 3, MSG_PEEK));
    show("recv", recv(s, buf, 10, 0));
    printf("%s\n", buf);
    show("empty", recv(s, buf, 10, 0));
    fcntl(s, F_SETFL, 0);
    if (!fork()) {
        usleep(20000);
        write(c, "abc", 3);
        usleep(20000);
        write(c, "def", 3);
        _exit(0);
    }
    show("waitall", recv(s, buf, 6, MSG_WAITALL));
    printf("%.6s\n", buf);
    wait(NULL);
    show("shutdown", shutdown(c, SHUT_WR));
    show("end", read(s, buf, 10));
    pipes = 0;
    show("write after shutdown", write(c, "x", 1));
    show("send after shutdown", send(c, "x", 1, MSG_NOSIGNAL));
    printf("SIGPIPE %d\n", pipes);
    show("still open", write(s, "back", 4));
    show("read", read(c, buf, 10));
    struct timeval t = {0, 40000};
    setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    show("timeout", read(c, buf, 10));
    show("out of band", send(s, "!", 1, MSG_OOB));
    p = (struct pollfd){.fd = c, .events = POLLPRI};
    printf("poll %d\n", poll(&p, 1, 1000));
    int mark;
    show("SIOCATMARK", ioctl(c, SIOCATMARK, &mark));
    printf("mark %d\n", mark);
    show("recv oob", recv(c, buf, 1, MSG_OOB));
    close(s);
    show("closed", recv(c, buf, 10, MSG_DONTWAIT | MSG_TRUNC) < 0 ? -1 : 0);
    close(c);
    // Nobody listens.
    close(l);
    c = socket(family, SOCK_STREAM, 0);
    show("refused", connect(c, (void *)&a, len));
    c = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    show("nonblocking refused", connect(c, (void *)&a, len));
    p = (struct pollfd){.fd = c, .events = POLLOUT};
    n = poll(&p, 1, 1000);
    printf("poll %d %x\n", n, p.revents);
    int error = -1;
    socklen_t le = sizeof error;
    getsockopt(c, SOL_SOCKET, SO_ERROR, &error, &le);
    printf("SO_ERROR %s\n", strerrorname_np(error));
    getsockopt(c, SOL_SOCKET, SO_ERROR, &error, &le);
    printf("again %d\n", error);
}

static void nonblocking(void) {
    struct sockaddr_storage a;
    socklen_t len;
    int l = listener(&a, &len);
    int c = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0), error = -1;
    long r = connect(c, (void *)&a, len);
    printf("connect %d\n", r == 0 || errno == EINPROGRESS);
    struct pollfd p = {.fd = c, .events = POLLOUT};
    printf("poll %d\n", poll(&p, 1, 1000));
    socklen_t le = sizeof error;
    getsockopt(c, SOL_SOCKET, SO_ERROR, &error, &le);
    printf("error %d\n", error);
    int s = accept(l, NULL, NULL);
    int flags = fcntl(s, F_GETFL);
    printf("inherited flags %d\n", flags == O_RDWR);
    // Fill it, then empty it.
    static char big[65536];
    long sent = 0, got = 0, n;
    while ((n = write(c, big, sizeof big)) > 0)
        sent += n;
    show("full", n);
    printf("poll %d\n", poll(&p, 1, 0));
    shutdown(c, SHUT_WR);
    while ((n = read(s, big, sizeof big)) > 0)
        got += n;
    printf("equal %d\n", sent == got && sent > 0);
    close(c), close(s), close(l);
}

static void processes(void) {
    struct sockaddr_storage a;
    socklen_t len;
    int l = listener(&a, &len);
    for (int i = 0; i < 6; i++)
        if (!fork()) {
            static char out[50000], in[50000];
            int c = socket(family, SOCK_STREAM, 0);
            memset(out, 'a' + i, sizeof out);
            if (connect(c, (void *)&a, len))
                _exit(1);
            if (!fork()) {
                write(c, out, sizeof out);
                shutdown(c, SHUT_WR);
                _exit(0);
            }
            long n = recv(c, in, sizeof in, MSG_WAITALL);
            wait(NULL);
            _exit(n != sizeof in || memcmp(in, out, sizeof in));
        }
    pthread_t t[6];
    long all = 0;
    for (int i = 0; i < 6; i++)
        pthread_create(t + i, NULL, serve, (void *)(long)accept(l, NULL, NULL));
    for (int i = 0; i < 6; i++) {
        void *n;
        pthread_join(t[i], &n);
        all += (long)n;
    }
    int bad = 0, status;
    for (int i = 0; i < 6; i++) {
        wait(&status);
        bad += status != 0;
    }
    printf("served %ld, bad %d\n", all, bad);
    // A file through a connection.
    int file = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    static char content[200000], back[200000];
    for (unsigned i = 0; i < sizeof content; i++)
        content[i] = i * 31 >> 3;
    write(file, content, sizeof content);
    int c = socket(family, SOCK_STREAM, 0);
    connect(c, (void *)&a, len);
    int s = accept(l, NULL, NULL);
    if (!fork()) {
        off_t at = 0;
        while (at < (off_t)sizeof content)
            if (sendfile(c, file, &at, sizeof content) <= 0)
                _exit(1);
        _exit(0);
    }
    show("file", recv(s, back, sizeof back, MSG_WAITALL));
    printf("same %d\n", !memcmp(content, back, sizeof back));
    wait(&status);
    printf("status %d\n", status);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, on_pipe);
    int families[] = {AF_INET, AF_INET6};
    for (int i = 0; i < 2; i++) {
        family = families[i];
        printf("family %d\n", family);
        basic();
        nonblocking();
        processes();
    }
    return 0;
}
