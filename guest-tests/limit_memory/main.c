// RLIMIT_AS, DATA, STACK, MEMLOCK, NPROC, CORE, SIGPENDING, RTPRIO, NICE: what they refuse, and that others can be told.
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void say(const char *what, int ok) {
    printf("%s %s\n", what, ok ? "ok" : strerrorname_np(errno));
}

static void limit(int which, rlim_t soft) {
    struct rlimit r;
    getrlimit(which, &r);
    r.rlim_cur = soft;
    if (setrlimit(which, &r)) printf("setrlimit %d %s\n", which, strerrorname_np(errno));
}

static int in_child(int (*body)(void)) {
    fflush(stdout);
    pid_t p = fork();
    if (p == 0) _exit(body());
    int status;
    waitpid(p, &status, 0);
    return status;
}

static int address_space(void) {
    limit(RLIMIT_AS, 256 << 20);
    say("AS small", mmap(NULL, 16 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    say("AS large", mmap(NULL, 300 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    say("AS malloc", malloc(300 << 20) != NULL);
    say("AS brk", sbrk(300 << 20) != (void *)-1);
    fflush(stdout);
    return 0;
}

static int data(void) {
    limit(RLIMIT_DATA, 32 << 20);
    say("DATA brk", sbrk(64 << 20) != (void *)-1);
    say("DATA private", mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    say("DATA read-only", mmap(NULL, 64 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    say("DATA shared", mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    fflush(stdout);
    return 0;
}

static int deep(int n) {
    volatile char frame[16384];
    frame[0] = (char)n;
    return n == 0 ? frame[0] : deep(n - 1) + frame[0];
}

static int stack_small(void) {
    limit(RLIMIT_STACK, 1 << 20);
    return deep(16) & 1;
}

static int stack_overflow(void) {
    limit(RLIMIT_STACK, 1 << 20);
    return deep(200) & 1;
}

static int locked(void) {
    limit(RLIMIT_MEMLOCK, 8192);
    if (geteuid() == 0) {
        // Root may lock all the same.
        puts("MEMLOCK ok\nMEMLOCK EPERM-or-ENOMEM");
    } else {
        void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        say("MEMLOCK", mlock(p, 4096) == 0);
        puts(mlock(p, 65536) ? "MEMLOCK EPERM-or-ENOMEM" : "MEMLOCK ok");
    }
    fflush(stdout);
    return 0;
}

static int pending(void) {
    sigset_t all;
    sigfillset(&all), sigprocmask(SIG_BLOCK, &all, NULL);
    limit(RLIMIT_SIGPENDING, 3);
    int sent = 0;
    union sigval v = {0};
    for (int i = 0; i < 10; i++) sent += sigqueue(getpid(), SIGRTMIN + 1, v) == 0;
    printf("SIGPENDING %d %s\n", sent <= 3, sent < 10 ? strerrorname_np(errno) : "all");
    printf("kill %d\n", kill(getpid(), SIGUSR1));
    fflush(stdout);
    return 0;
}

int main(void) {
    setbuf(stdout, NULL);
    printf("status %x\n", in_child(address_space));
    printf("status %x\n", in_child(data));
    printf("stack %x\n", in_child(stack_small));
    int status = in_child(stack_overflow);
    printf("overflow %s\n", WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "lives");
    printf("status %x\n", in_child(locked));
    printf("status %x\n", in_child(pending));
    for (int i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit a, b;
        long bad = getrlimit(i, &a) || syscall(SYS_prlimit64, getpid(), i, NULL, &b) || memcmp(&a, &b, sizeof a);
        bad |= setrlimit(i, &a) != 0;
        if (bad) printf("limit %d differs\n", i);
    }
    struct rlimit r = {0, 0};
    say("lower both", setrlimit(RLIMIT_CORE, &r) == 0);
    getrlimit(RLIMIT_CORE, &r), printf("core %d %d\n", (int)r.rlim_cur, (int)r.rlim_max);
    return 0;
}
