// Which flags clone(2) and clone3(2) take together.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct args {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static long raw_clone(unsigned long flags, void *stack, int *ptid, int *ctid, unsigned long tls) {
#ifdef __x86_64__
    return syscall(SYS_clone, flags, stack, ptid, ctid, tls);
#else
    return syscall(SYS_clone, flags, stack, ptid, tls, ctid);
#endif
}

static void old(const char *what, unsigned long flags) {
    int fd = -1;
    fflush(stdout);
    long r = raw_clone(flags, NULL, &fd, &fd, 0);
    if (r == 0) _exit(3);
    if (r < 0) {
        printf("clone %s: %s\n", what, strerror(errno));
        return;
    }
    int status = 0;
    pid_t p = waitpid(r, &status, __WALL);
    printf("clone %s: waited %d status %x\n", what, p == r, status);
}

static void call3(const char *what, struct args *a, size_t size) {
    fflush(stdout);
    long r = syscall(SYS_clone3, a, size);
    if (r == 0) _exit(4);
    if (r < 0) {
        printf("clone3 %s: %s\n", what, strerror(errno));
        return;
    }
    int status = 0;
    pid_t p = waitpid(r, &status, __WALL);
    printf("clone3 %s: waited %d status %x\n", what, p == r, status);
}

static void flags3(const char *what, uint64_t flags, uint64_t exit_signal) {
    int word = 0;
    struct args a = {.flags = flags, .exit_signal = exit_signal, .pidfd = (uintptr_t)&word};
    call3(what, &a, sizeof a);
}

int main(void) {
    signal(64, SIG_IGN);
    old("nothing", 0);
    old("SIGCHLD", SIGCHLD);
    old("SIGHAND without VM", CLONE_SIGHAND | SIGCHLD);
    old("THREAD without SIGHAND", CLONE_THREAD | CLONE_VM | SIGCHLD);
    old("THREAD without VM", CLONE_THREAD | CLONE_SIGHAND | SIGCHLD);
    old("FS and NEWNS", CLONE_FS | CLONE_NEWNS | SIGCHLD);
    old("FS and NEWUSER", CLONE_FS | CLONE_NEWUSER | SIGCHLD);
    old("THREAD and NEWPID", CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWPID);
    old("PIDFD and PARENT_SETTID", CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD);
    old("PIDFD and DETACHED", CLONE_PIDFD | CLONE_DETACHED | SIGCHLD);
    old("PIDFD", CLONE_PIDFD | SIGCHLD);
    old("DETACHED", CLONE_DETACHED | SIGCHLD);
    old("UNTRACED IO PTRACE", CLONE_UNTRACED | CLONE_IO | CLONE_PTRACE | SIGCHLD);
    old("FILES FS SYSVSEM", CLONE_FILES | CLONE_FS | CLONE_SYSVSEM | SIGCHLD);
    old("another exit signal", SIGWINCH);
    old("no signal of that number", 100);
    old("VFORK without VM", CLONE_VFORK | SIGCHLD);

    struct args a = {.exit_signal = SIGCHLD};
    struct {
        struct args a;
        uint64_t more[2];
    } larger = {.a = a};
    call3("size 0", &a, 0);
    call3("size 63", &a, 63);
    call3("size 64", &a, 64);
    call3("size 65", &a, 65);
    call3("size 80", &a, 80);
    call3("size 88", &a, 88);
    call3("larger, zeros", &larger.a, sizeof larger);
    larger.more[1] = 1;
    call3("larger, not zero", &larger.a, sizeof larger);
    call3("a page and more", &a, 4097);
    call3("bad address", (struct args *)8, 88);
    flags3("signal in flags", SIGCHLD, 0);
    flags3("signal 65", 0, 65);
    flags3("signal 64", 0, 64);
    flags3("no signal", 0, 0);
    flags3("DETACHED", CLONE_DETACHED, SIGCHLD);
    flags3("unknown flag", 1ull << 40, SIGCHLD);
    flags3("CLEAR_SIGHAND", CLONE_CLEAR_SIGHAND, SIGCHLD);
    flags3("CLEAR_SIGHAND and SIGHAND", CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM, SIGCHLD);
    flags3("THREAD with a signal", CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, SIGCHLD);
    flags3("PARENT with a signal", CLONE_PARENT, SIGCHLD);
    flags3("SIGHAND without VM", CLONE_SIGHAND, SIGCHLD);
    flags3("INTO_CGROUP, bad descriptor", CLONE_INTO_CGROUP | CLONE_FS, SIGCHLD);
    struct args cgroup = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = 1ull << 33};
    call3("INTO_CGROUP, large descriptor", &cgroup, 88);
    cgroup.cgroup = 99;
    call3("INTO_CGROUP, closed descriptor", &cgroup, 88);
    call3("INTO_CGROUP in a small struct", &cgroup, 80);
    struct args stack = {.exit_signal = SIGCHLD, .stack_size = 4096};
    call3("size without stack", &stack, 88);
    stack = (struct args){.exit_signal = SIGCHLD, .stack = (uintptr_t)&a};
    call3("stack without size", &stack, 88);
    struct args tid = {.exit_signal = SIGCHLD, .set_tid_size = 1};
    call3("tid count without tids", &tid, 88);
    int want = 0;
    tid = (struct args){.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&want};
    call3("tids without count", &tid, 88);
    tid.set_tid_size = 33;
    call3("too many tids", &tid, 88);
    tid.set_tid_size = 1;
    call3("tid 0", &tid, 88);
    want = -5;
    call3("negative tid", &tid, 88);

    // The descriptor that CLONE_PIDFD gives is close-on-exec, and the child has none.
    int fd = -1;
    struct args p = {.flags = CLONE_PIDFD, .pidfd = (uintptr_t)&fd, .exit_signal = SIGCHLD};
    fflush(stdout);
    long r = syscall(SYS_clone3, &p, sizeof p);
    if (r == 0) _exit(0);
    siginfo_t si;
    printf("pidfd %d waitid %d\n", fd >= 3, waitid((idtype_t)3, fd, &si, WEXITED) == 0 && si.si_pid == r);
    p.pidfd = 8;
    call3("PIDFD, bad address", &p, sizeof p);

    fflush(stdout);
#ifdef SYS_fork
    r = syscall(SYS_fork);
#else
    r = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
    if (r == 0) _exit(5);
    int status;
    waitpid(r, &status, 0);
    printf("fork %x\n", status);
    return 0;
}
