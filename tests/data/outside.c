// Connects to a UNIX socket of a program outside, at the path that is given: talks, and passes a file on. With a second
// argument it is that program.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void say(const char *what, long r) { printf("%s %s\n", what, r < 0 ? strerrorname_np(errno) : "ok"); }

static int serve(const char *path) {
    struct sockaddr_un own = {.sun_family = AF_UNIX};
    snprintf(own.sun_path, sizeof own.sun_path, "%s~", path);
    int l = socket(AF_UNIX, SOCK_STREAM, 0);
    // The name appears when the socket listens.
    if (bind(l, (void *)&own, sizeof own) || listen(l, 1) || rename(own.sun_path, path)) return 1;
    int s = accept(l, NULL, NULL), fd = -1;
    char buf[100], room[CMSG_SPACE(sizeof fd)];
    if (recv(s, buf, 9, MSG_WAITALL) != 9 || write(s, "answer\n", 7) != 7) return 2;
    struct iovec v = {buf, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    if (recvmsg(s, &m, 0) != 1 || !CMSG_FIRSTHDR(&m)) return 3;
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
    ssize_t n = read(fd, buf + 1, sizeof buf - 1);
    char end;
    if (n < 0 || read(s, &end, 1) != 0) return 4;
    return write(s, buf, n + 1) == n + 1 ? 0 : 5;
}

int main(int argc, char **argv) {
    if (argc > 2) return serve(argv[1]);
    struct sockaddr_un to = {.sun_family = AF_UNIX}, peer = {0};
    strcpy(to.sun_path, "nothing-here");
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    say("connect to nothing", connect(s, (void *)&to, sizeof to));
    strcpy(to.sun_path, "plain");
    close(open("plain", O_CREAT | O_WRONLY, 0600));
    say("connect to a file", connect(s, (void *)&to, sizeof to));
    strcpy(to.sun_path, "stale");
    say("connect to nobody", connect(s, (void *)&to, sizeof to));
    strcpy(to.sun_path, argv[1]);
    int d = socket(AF_UNIX, SOCK_DGRAM, 0);
    say("wrong type", connect(d, (void *)&to, sizeof to));
    say("connect", connect(s, (void *)&to, sizeof to));
    say("again", connect(s, (void *)&to, sizeof to));
    socklen_t len = sizeof peer;
    say("getpeername", getpeername(s, (void *)&peer, &len));
    // It tells the name that the socket was bound to.
    size_t known = strlen(argv[1]);
    printf("peer %s\n", !strncmp(peer.sun_path, argv[1], known) && peer.sun_path[known] == '~' ? "known" : "another");
    printf("write %zd\n", write(s, "question\n", 9));
    struct pollfd p = {s, POLLIN, 0};
    printf("poll %d\n", poll(&p, 1, 10000));
    char buf[100] = {0};
    printf("read %zd %s", read(s, buf, 7), buf);
    puts("");
    // A file of the host can be passed on; the other side reads it.
    int fd = open("passed", O_RDWR | O_CREAT, 0600);
    write(fd, "content", 7), lseek(fd, 0, SEEK_SET);
    char room[CMSG_SPACE(sizeof fd)] = {0};
    struct iovec v = {"f", 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    printf("sendmsg %zd\n", sendmsg(s, &m, 0));
    say("shutdown", shutdown(s, SHUT_WR));
    memset(buf, 0, sizeof buf);
    size_t have = 0;
    for (ssize_t n; (n = read(s, buf + have, sizeof buf - 1 - have)) > 0;) have += n;
    printf("last %s\n", buf);
    return 0;
}
