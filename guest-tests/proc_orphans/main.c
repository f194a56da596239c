// Orphans: who adopts them, what stopped groups get, sessions and groups of processes.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int go[2], tell[2];

static void say(const char *text) { (void)!write(tell[1], text, strlen(text)); }

static void hear(void) {
    char buf[200];
    ssize_t n = read(tell[0], buf, sizeof buf - 1);
    buf[n > 0 ? n : 0] = 0;
    printf("%s\n", buf);
}

static void on_signal(int s) { say(s == SIGHUP ? "hung up" : "another signal"); }

static void result(const char *what, int r) { printf("%s: %s\n", what, r < 0 ? strerror(errno) : "done"); }

static int body(void) {
    if (pipe(go) || pipe(tell)) return 1;
    int status;
    pid_t self = getpid();

    // Without a subreaper the orphan leaves the family.
    pid_t pid = fork();
    if (pid == 0) {
        pid_t middle = getpid();
        if (fork() == 0) {
            while (getppid() == middle) usleep(1000);
            say(getppid() != self ? "adopted by another" : "adopted by its grandparent");
            _exit(0);
        }
        _exit(0);
    }
    waitpid(pid, &status, 0);
    hear();
    result("not ours to wait for", wait(&status));

    // A subreaper gets orphans and their signals.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid = fork();
    if (pid == 0) {
        int inherited = -1;
        prctl(PR_GET_CHILD_SUBREAPER, &inherited);
        pid_t middle = getpid();
        if (fork() == 0) {
            while (getppid() == middle) usleep(1000);
            say(getppid() == self ? "adopted by the subreaper" : "adopted by another");
            _exit(6);
        }
        _exit(inherited);
    }
    waitpid(pid, &status, 0);
    printf("inherited %d\n", WEXITSTATUS(status));
    hear();
    pid = wait(&status);
    printf("reaped %d code %d\n", pid > 0, WEXITSTATUS(status));

    // A stopped orphan in a group that nobody controls any more is hung up and goes on.
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        pid_t orphan = fork();
        if (orphan == 0) {
            signal(SIGHUP, on_signal);
            raise(SIGSTOP);
            say(" and goes on");
            _exit(0);
        }
        siginfo_t si;
        waitid(P_PID, orphan, &si, WSTOPPED | WNOWAIT);
        _exit(0);
    }
    setpgid(pid, pid);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    waitpid(pid, &status, 0);
    // Both words, which come one after the other.
    int there = 0;
    for (int i = 0; i < 5000 && there < (int)strlen("hung up and goes on"); i++) {
        usleep(1000);
        ioctl(tell[0], FIONREAD, &there);
    }
    hear();

    // Signals that stop do nothing in an orphaned group; SIGSTOP does.
    pid = fork();
    if (pid == 0) {
        setsid();
        raise(SIGTSTP);
        _exit(4);
    }
    waitpid(pid, &status, WUNTRACED);
    printf("SIGTSTP ignored %d\n", WIFEXITED(status) && WEXITSTATUS(status) == 4);

    // Groups: not after execve, not another session's, not a leader's.
    pid = fork();
    if (pid == 0) {
        char c;
        close(go[1]);
        result("session leader", setsid() == getpid() ? 0 : -1);
        result("again", setsid());
        result("a leader's group", setpgid(0, 0));
        fflush(stdout);
        say("ready");
        _exit((int)read(go[0], &c, 1));
    }
    char buf[16];
    (void)!read(tell[0], buf, sizeof buf);
    result("another session", setpgid(pid, getpgrp()));
    result("a group that is not there", setpgid(0, pid));
    result("no such process", setpgid(1 << 21, 0));
    result("negative", setpgid(0, -1));
    printf("sid %d pgid %d\n", getsid(pid) == pid, getpgid(pid) == pid);
    kill(-pid, SIGKILL);
    waitpid(pid, &status, 0);
    printf("killed by group %d\n", WIFSIGNALED(status));
    result("empty group", kill(-pid, 0));

    int gone[2];
    if (pipe2(gone, O_CLOEXEC)) return 1;
    pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", "sleeper", NULL);
        _exit(1);
    }
    // The other end is closed by execve.
    close(gone[1]);
    char end;
    (void)!read(gone[0], &end, 1);
    result("after execve", setpgid(pid, pid));
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return 0;
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 4096);
    // In a session of its own: whether a group is orphaned must not depend on whose session this was started in, for
    // that may be the one of the process that adopts orphans.
    pid_t pid = fork();
    if (pid == 0) {
        setsid();
        exit(body());
    }
    int status;
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 100;
}

// A second program in the same file: argv[0] is "sleeper".
__attribute__((constructor)) static void sleeper(int argc, char **argv) {
    if (argc > 0 && strcmp(argv[0], "sleeper") == 0) {
        for (;;) pause();
    }
}
