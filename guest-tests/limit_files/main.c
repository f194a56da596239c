// RLIMIT_NOFILE: every call that makes a descriptor obeys it; prlimit64 of others; limits survive fork and exec.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, long result) {
    printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
}

int main(int argc, char **argv) {
    setbuf(stdout, NULL);
    if (argc > 1) {
        struct rlimit r;
        getrlimit(RLIMIT_NOFILE, &r);
        printf("after exec %d\n", (int)r.rlim_cur);
        return 0;
    }
    struct rlimit old, r;
    getrlimit(RLIMIT_NOFILE, &old);
    int base = open("/dev/null", O_RDONLY), pair[2];
    int self = syscall(SYS_pidfd_open, getpid(), 0);
    r.rlim_cur = self + 1, r.rlim_max = old.rlim_max;
    say("setrlimit", setrlimit(RLIMIT_NOFILE, &r));
    sigset_t set;
    sigemptyset(&set);
    say("open", open("/dev/null", O_RDONLY));
    say("creat", open("limit.tmp", O_CREAT | O_WRONLY, 0600));
    printf("made %d\n", access("limit.tmp", F_OK));
    say("dup", dup(base));
    say("dup2", dup2(base, self + 1));
    say("dup3", dup3(base, self + 1, O_CLOEXEC));
    say("dup2 below", dup2(base, self));
    say("F_DUPFD", fcntl(base, F_DUPFD, 0));
    say("F_DUPFD at the limit", fcntl(base, F_DUPFD, self + 1));
    say("pipe", pipe(pair));
    say("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    say("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
    say("epoll_create1", epoll_create1(0));
    say("eventfd", eventfd(0, 0));
    say("signalfd", signalfd(-1, &set, 0));
    say("timerfd_create", timerfd_create(CLOCK_MONOTONIC, 0));
    say("inotify_init1", inotify_init1(0));
    say("memfd_create", memfd_create("m", 0));
    say("pidfd_open", syscall(SYS_pidfd_open, getpid(), 0));
    say("ptmx", open("/dev/ptmx", O_RDWR | O_NOCTTY));
    struct pollfd many[64] = {{-1, 0, 0}};
    for (int i = 0; i < 64; i++) many[i].fd = -1;
    say("poll of more", poll(many, self + 2, 0));
    say("poll", poll(many, self + 1, 0));

    // A limit below what is open closes nothing.
    r.rlim_cur = 3;
    say("lower", setrlimit(RLIMIT_NOFILE, &r));
    char c;
    say("still open", read(base, &c, 1));
    r.rlim_cur = old.rlim_cur;
    say("raise", setrlimit(RLIMIT_NOFILE, &r));

    // Wrong values.
    struct rlimit bad = {10, 5};
    say("soft above hard", setrlimit(RLIMIT_NOFILE, &bad));
    say("unknown", syscall(SYS_prlimit64, 0, 99, NULL, &r));
    say("nobody", syscall(SYS_prlimit64, 4000000, RLIMIT_NOFILE, NULL, &r));

    // Another process.
    int go[2], back[2];
    pipe(go), pipe(back);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        read(go[0], &c, 1);
        getrlimit(RLIMIT_NOFILE, &r);
        printf("child's %d %d\n", (int)r.rlim_cur, (int)r.rlim_max);
        r.rlim_cur = 40, r.rlim_max = 50;
        setrlimit(RLIMIT_NOFILE, &r);
        execl("/proc/self/exe", argv[0], "again", NULL);
        _exit(1);
    }
    struct rlimit mine = {50, 60}, theirs = {1, 2};
    say("prlimit", prlimit(child, RLIMIT_NOFILE, &mine, &theirs));
    printf("was %d\n", theirs.rlim_cur == old.rlim_cur && theirs.rlim_max == old.rlim_max);
    write(go[1], "x", 1);
    waitpid(child, NULL, 0);
    getrlimit(RLIMIT_NOFILE, &r), printf("own %d\n", r.rlim_cur == old.rlim_cur);
    unlink("limit.tmp");
    return 0;
}
