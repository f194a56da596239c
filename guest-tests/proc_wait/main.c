// wait4 and waitid: whom they mean, what they tell, what their options change.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static pid_t child(int code) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) _exit(code);
    return pid;
}

static pid_t sleeper(void) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        for (;;) pause();
    }
    return pid;
}

static void result(const char *what, long r, pid_t expected) {
    if (r < 0) printf("%s: %s\n", what, strerror(errno));
    else if (r == 0) printf("%s: 0\n", what);
    else printf("%s: the child %d\n", what, r == expected);
}

static void info(const char *what, int r, const siginfo_t *si, pid_t pid) {
    if (r != 0) printf("%s: %s\n", what, strerror(errno));
    else
        printf("%s: signo %d code %d child %d status %d errno %d uid %d\n", what, si->si_signo, si->si_code,
               si->si_pid == pid, si->si_status, si->si_errno, si->si_pid == 0 || si->si_uid == getuid());
}

int main(void) {
    int status;
    struct rusage usage;
    siginfo_t si;
    result("no children", wait4(-1, &status, 0, NULL), 0);
    result("bad options", wait4(-1, &status, 0x10, NULL), 0);
    result("waitid without a kind", waitid(P_ALL, 0, &si, WNOHANG), 0);
    result("waitid bad type", waitid((idtype_t)9, 0, &si, WEXITED), 0);
    result("waitid P_PID 0", waitid(P_PID, 0, &si, WEXITED), 0);

    pid_t pid = child(7);
    memset(&usage, 0xff, sizeof usage);
    result("wait4", wait4(pid, &status, 0, &usage), pid);
    printf("exited %d code %d, usage sane %d\n", WIFEXITED(status), WEXITSTATUS(status),
           usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_sec < 5);
    result("again", wait4(pid, &status, 0, NULL), pid);

    pid = sleeper();
    result("WNOHANG", wait4(pid, &status, WNOHANG, NULL), pid);
    memset(&si, 0x55, sizeof si);
    info("waitid WNOHANG", waitid(P_PID, pid, &si, WEXITED | WNOHANG), &si, pid);
    result("another's id", wait4(pid + 100000, &status, WNOHANG, NULL), pid);
    result("own group", wait4(0, &status, WNOHANG, NULL), pid);
    result("a group that is not there", wait4(-(pid + 100000), &status, WNOHANG, NULL), pid);
    result("__WCLONE", wait4(-1, &status, WNOHANG | __WCLONE, NULL), pid);
    result("__WALL", wait4(-1, &status, WNOHANG | __WALL, NULL), pid);

    kill(pid, SIGSTOP);
    info("stopped, kept", waitid(P_PID, pid, &si, WSTOPPED | WNOWAIT), &si, pid);
    result("wait4 WUNTRACED", wait4(pid, &status, WUNTRACED, NULL), pid);
    printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status));
    result("told only once", wait4(pid, &status, WUNTRACED | WNOHANG, NULL), pid);
    kill(pid, SIGCONT);
    result("wait4 WCONTINUED", wait4(pid, &status, WCONTINUED, NULL), pid);
    printf("continued %d\n", WIFCONTINUED(status));
    kill(pid, SIGTERM);
    info("killed, kept", waitid(P_PGID, 0, &si, WEXITED | WNOWAIT), &si, pid);
    info("killed", waitid(P_ALL, 0, &si, WEXITED), &si, pid);
    info("gone", waitid(P_PID, pid, &si, WEXITED), &si, pid);

    // By descriptor.
    int fd = -1;
    fflush(stdout);
#ifdef __x86_64__
    pid = syscall(SYS_clone, 0x1000 | SIGCHLD, NULL, &fd, NULL, 0);
#else
    pid = syscall(SYS_clone, 0x1000 | SIGCHLD, NULL, &fd, 0, NULL);
#endif
    if (pid == 0) {
        for (;;) pause();
    }
    struct pollfd p = {fd, POLLIN, 0};
    printf("alive: poll %d close-on-exec %d\n", poll(&p, 1, 0), fcntl(fd, F_GETFD));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    info("nonblocking", waitid((idtype_t)P_PIDFD, fd, &si, WEXITED), &si, pid);
    fcntl(fd, F_SETFL, 0);
    kill(pid, SIGKILL);
    int ready = poll(&p, 1, 5000);
    printf("ended: poll %d readable %d\n", ready, (p.revents & POLLIN) != 0);
    info("by descriptor", waitid((idtype_t)P_PIDFD, fd, &si, WEXITED), &si, pid);
    info("by descriptor again", waitid((idtype_t)P_PIDFD, fd, &si, WEXITED), &si, pid);
    close(fd);
    info("not a pidfd", waitid((idtype_t)P_PIDFD, 0, &si, WEXITED), &si, pid);
    info("no descriptor", waitid((idtype_t)P_PIDFD, 77, &si, WEXITED), &si, pid);

    // Ignored children leave nothing behind.
    signal(SIGCHLD, SIG_IGN);
    pid = child(1);
    result("ignored", wait4(-1, &status, 0, NULL), pid);
    signal(SIGCHLD, SIG_DFL);

    // The oldest that has something to tell comes first.
    pid_t a = child(1), b = child(2);
    waitid(P_PID, b, &si, WEXITED | WNOWAIT);
    waitid(P_PID, a, &si, WEXITED | WNOWAIT);
    result("first", wait4(-1, &status, 0, NULL), a);
    result("second", wait4(-1, &status, 0, NULL), b);

    pid = child(9);
    result("bad status address", wait4(pid, (int *)8, 0, NULL), pid);
    result("lost all the same", wait4(pid, &status, 0, NULL), pid);
    getrusage(RUSAGE_CHILDREN, &usage);
    printf("children's usage sane %d\n", usage.ru_utime.tv_sec < 5 && usage.ru_maxrss > 0);
    return 0;
}
