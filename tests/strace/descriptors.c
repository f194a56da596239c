// Descriptors of all kinds, each used once: what -y and -yy say about them.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

static int used(int fd) {
    fcntl(fd, F_GETFD);
    return fd;
}

static void files(void) {
    int gone = used(open("gone", O_RDWR | O_CREAT, 0600));
    unlink("gone");
    used(dup(gone));
    mkdir("dir", 0700);
    int dir = used(open("dir", O_RDONLY | O_DIRECTORY));
    rmdir("dir");
    openat(used(dir), "x", O_RDONLY);
    int moved = used(open("a b\n<c>7", O_CREAT | O_RDWR, 0600));
    rename("a b\n<c>7", "moved");
    used(moved);
    int covered = used(open("covered", O_CREAT | O_RDWR, 0600));
    rename("moved", "covered");
    used(covered), used(moved);
    mmap(0, 4096, PROT_READ, MAP_PRIVATE, moved, 0);
    used(memfd_create("mem<x>", 0));
    used(open("/dev/null", O_RDWR)), used(open("/dev/zero", O_RDONLY)), used(open("/", O_PATH));
    used(open("/dev/ptmx", O_RDWR | O_NOCTTY));
    mkfifo("fifo", 0600);
    used(open("fifo", O_RDWR));
    used(100);
}

static void events(void) {
    int ends[2];
    pipe(ends);
    used(ends[0]), used(ends[1]);
    used(eventfd(5, EFD_SEMAPHORE));
    used(timerfd_create(CLOCK_MONOTONIC, 0));
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    used(signalfd(-1, &set, 0));
    used(epoll_create1(0)), used(inotify_init());
    used(syscall(SYS_pidfd_open, getpid(), 0));
    dup2(ends[0], 90);
    close(used(90));
}

static void sockets(void) {
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "sock"};
    struct sockaddr_un hidden = {.sun_family = AF_UNIX, .sun_path = "\0sevm-test-descriptors"};
    struct sockaddr_nl link = {.nl_family = AF_NETLINK};
    int pair[2];
    int tcp = used(socket(AF_INET, SOCK_STREAM, 0));
    bind(tcp, (void *)&in, sizeof in);
    listen(used(tcp), 5);
    socklen_t len = sizeof in;
    getsockname(used(tcp), (void *)&in, &len);
    int client = socket(AF_INET, SOCK_STREAM, 0);
    connect(client, (void *)&in, sizeof in);
    used(client), used(accept(tcp, 0, 0));
    int udp = used(socket(AF_INET, SOCK_DGRAM, 0));
    in.sin_port = htons(9);
    connect(udp, (void *)&in, sizeof in);
    used(udp);
    int tcp6 = used(socket(AF_INET6, SOCK_STREAM, 0));
    bind(tcp6, (void *)&in6, sizeof in6);
    listen(used(tcp6), 1);
    used(socket(AF_INET6, SOCK_DGRAM, 0));
    int server = used(socket(AF_UNIX, SOCK_STREAM, 0));
    bind(server, (void *)&name, sizeof name);
    listen(used(server), 3);
    int peer = socket(AF_UNIX, SOCK_STREAM, 0);
    connect(peer, (void *)&name, sizeof name);
    used(peer), used(accept(server, 0, 0));
    socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
    used(pair[0]);
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
    used(pair[1]);
    int abstract = socket(AF_UNIX, SOCK_DGRAM, 0);
    bind(abstract, (void *)&hidden, 2 + 22);
    used(abstract);
    used(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE));
    int bound = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    bind(bound, (void *)&link, sizeof link);
    used(bound);
}

int main(void) {
    files();
    events();
    sockets();
    return 0;
}
