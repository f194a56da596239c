// Descriptors of processes: pidfd_open, pidfd_send_signal, pidfd_getfd, poll, waitid, CLONE_PIDFD; setns.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static void say(const char *what, long result) {
    printf("%s %s\n", what, result < 0 ? strerrorname_np(errno) : "ok");
}

static int pidfd_open(pid_t pid, unsigned flags) {
    return syscall(SYS_pidfd_open, pid, flags);
}

static long pidfd_send_signal(int fd, int sig, siginfo_t *info, unsigned flags) {
    return syscall(SYS_pidfd_send_signal, fd, sig, info, flags);
}

static int pidfd_getfd(int fd, int target, unsigned flags) {
    return syscall(SYS_pidfd_getfd, fd, target, flags);
}

static volatile sig_atomic_t got, code, value;

static void note(int n, siginfo_t *info, void *context) {
    (void)context;
    got = n, code = info->si_code, value = info->si_value.sival_int;
}

static void fdinfo(int fd) {
    char path[64], line[200];
    sprintf(path, "/proc/self/fdinfo/%d", fd);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f)) {
        int pid;
        if (sscanf(line, "Pid: %d", &pid) == 1) printf("Pid %s\n", pid == -1 ? "-1" : pid == 0 ? "0" : "a number");
    }
    if (f) fclose(f);
}

int main(void) {
    setbuf(stdout, NULL);
    say("flags", pidfd_open(getpid(), 0x10000000));
    say("zero", pidfd_open(0, 0));
    say("negative", pidfd_open(-1, 0));
    say("nobody", pidfd_open(4000000, 0));
    int self = pidfd_open(getpid(), 0);
    printf("self %d cloexec %d nonblock %d\n", self >= 0, fcntl(self, F_GETFD), !!(fcntl(self, F_GETFL) & O_NONBLOCK));
    char c;
    say("read", read(self, &c, 1));
    say("write", write(self, &c, 1));
    struct pollfd p = {self, POLLIN | POLLOUT, 0};
    printf("poll %d\n", poll(&p, 1, 0));
    fdinfo(self);

    // Signals.
    struct sigaction a = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &a, NULL);
    say("probe", pidfd_send_signal(self, 0, NULL, 0));
    say("send", pidfd_send_signal(self, SIGUSR1, NULL, 0));
    printf("got %d code %d\n", got == SIGUSR1, code);
    siginfo_t info = {0};
    info.si_signo = SIGUSR1, info.si_code = SI_QUEUE, info.si_value.sival_int = 42;
    say("with value", pidfd_send_signal(self, SIGUSR1, &info, 0));
    printf("code %d value %d\n", code, value);
    info.si_signo = SIGUSR2;
    say("other number", pidfd_send_signal(self, SIGUSR1, &info, 0));
    say("bad number", pidfd_send_signal(self, 99, NULL, 0));
    say("bad flags", pidfd_send_signal(self, SIGUSR1, NULL, 0x100));
    say("no pidfd", pidfd_send_signal(0, SIGUSR1, NULL, 0));
    say("no descriptor", pidfd_send_signal(99, SIGUSR1, NULL, 0));

    // A child, its descriptors and its end.
    int go[2], file = open("/dev/zero", O_RDONLY);
    pipe(go);
    pid_t child = fork();
    if (child == 0) {
        close(go[1]);
        read(go[0], &c, 1);
        _exit(7);
    }
    close(go[0]);
    int fd = pidfd_open(child, 0);
    int copy = pidfd_getfd(fd, file, 0);
    printf("getfd %d cloexec %d reads %zd\n", copy >= 0, fcntl(copy, F_GETFD), read(copy, &c, 1));
    say("getfd closed", pidfd_getfd(fd, 77, 0));
    say("getfd flags", pidfd_getfd(fd, file, 1));
    say("getfd of no pidfd", pidfd_getfd(file, file, 0));
    p.fd = fd;
    printf("poll %d\n", poll(&p, 1, 0));
    memset(&info, 0, sizeof info);
    say("waitid nohang", waitid(P_PIDFD, fd, &info, WEXITED | WNOHANG)), printf("pid %d\n", info.si_pid);
    close(go[1]);
    printf("poll %d", poll(&p, 1, 5000)), printf(" %d\n", p.revents & POLLIN);
    say("zombie", pidfd_send_signal(fd, SIGUSR1, NULL, 0));
    say("getfd of zombie", pidfd_getfd(fd, file, 0));
    say("waitid", waitid(P_PIDFD, fd, &info, WEXITED)), printf("status %d same %d\n", info.si_status, info.si_pid == child);
    say("gone", pidfd_send_signal(fd, 0, NULL, 0));
    say("waitid gone", waitid(P_PIDFD, fd, &info, WEXITED));
    fdinfo(fd);
    say("waitid of no pidfd", waitid(P_PIDFD, file, &info, WEXITED));
    say("waitid bad", waitid(P_PIDFD, 99, &info, WEXITED));

    // Without waiting.
    child = fork();
    if (child == 0) pause();
    fd = pidfd_open(child, O_NONBLOCK);
    printf("nonblock %d\n", !!(fcntl(fd, F_GETFL) & O_NONBLOCK));
    say("waitid", waitid(P_PIDFD, fd, &info, WEXITED));
    say("kill", pidfd_send_signal(fd, SIGKILL, NULL, 0));
    p.fd = fd, poll(&p, 1, 5000);
    say("waitid", waitid(P_PIDFD, fd, &info, WEXITED)), printf("killed %d\n", info.si_code == CLD_KILLED);

    // CLONE_PIDFD.
    int own = -1;
    struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = (unsigned long)&own, .exit_signal = SIGCHLD};
    child = syscall(SYS_clone3, &args, sizeof args);
    if (child == 0) {
        // The child does not have it.
        _exit(fcntl(own, F_GETFD) == -1 ? 5 : 6);
    }
    printf("clone3 %d cloexec %d\n", child > 0 && own >= 0, fcntl(own, F_GETFD));
    say("waitid", waitid(P_PIDFD, own, &info, WEXITED)), printf("status %d\n", info.si_status);

    // Namespaces: nobody joins anything by these.
    say("setns of a file", syscall(SYS_setns, file, 0));
    say("setns bad", syscall(SYS_setns, 99, 0));
    int ns = open("/proc/self/ns/uts", O_RDONLY);
    char link[100] = "";
    readlink("/proc/self/ns/uts", link, sizeof link - 1);
    printf("ns %d %.5s\n", ns >= 0, link);
    say("setns wrong kind", syscall(SYS_setns, ns, CLONE_NEWNET));
    say("setns pidfd none", syscall(SYS_setns, self, 0));
    return 0;
}
