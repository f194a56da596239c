// Filters of calls: seccomp(2), prctl(PR_SET_SECCOMP), what they do to calls, threads, children and programs.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#else
#define ARCH AUDIT_ARCH_AARCH64
#endif

#define FIELD(f) offsetof(struct seccomp_data, f)
#define LOAD(f) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(f))
#define RETURN(v) BPF_STMT(BPF_RET | BPF_K, v)
#define IF_EQUAL(v, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, v, yes, no)

static const char *err(long result) {
    return result < 0 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))

static long install(struct sock_filter *filter, unsigned short len, unsigned flags) {
    struct sock_fprog program = {len, filter};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}
#define INSTALL(filter, flags) install(filter, sizeof filter / sizeof *filter, flags)

// A filter that gives `action` for call `nr` and lets the others through.
static long forbid(long nr, unsigned action, unsigned flags) {
    struct sock_filter filter[] = {
        LOAD(arch), IF_EQUAL(ARCH, 1, 0), RETURN(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),   IF_EQUAL(nr, 0, 1),   RETURN(action),
        RETURN(SECCOMP_RET_ALLOW),
    };
    return INSTALL(filter, flags);
}

static void trapped(int signal, siginfo_t *info, void *context) {
    printf("signal %d code %d errno %d call %d arch %d\n", signal, info->si_code, info->si_errno,
           info->si_syscall == SYS_getuid, info->si_arch == ARCH);
}

static void *thread(void *filtered) {
    errno = 0;
    long result = getpgid(0);
    printf("thread: %s\n", err(result));
    return filtered;
}

// Runs `body` in a child and tells how it ended.
static void child(const char *name, void (*body)(void)) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        body();
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        printf("%s: killed by %d\n", name, WTERMSIG(status));
    else
        printf("%s: exited with %d\n", name, WEXITSTATUS(status));
}

static void strict(void) {
    SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
    write(1, "", 0);
    syscall(SYS_getpid);
}

static void strict_exit(void) {
    fflush(stdout);
    syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
    syscall(SYS_exit, 7);
}

static void kill_process(void) {
    forbid(SYS_getppid, SECCOMP_RET_KILL_PROCESS, 0);
    getppid();
}

static void kill_thread(void) {
    forbid(SYS_getppid, SECCOMP_RET_KILL_THREAD, 0);
    getppid();
}

static void trap(void) {
    struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO};
    sigaction(SIGSYS, &action, NULL);
    forbid(SYS_getuid, SECCOMP_RET_TRAP | 42, 0);
    printf("result is the number or the first argument: %d\n", (int)syscall(SYS_getuid) == SYS_getuid || ARCH == AUDIT_ARCH_AARCH64);
    fflush(stdout);
    signal(SIGSYS, SIG_DFL);
    syscall(SYS_getuid);
}

static void strictest_wins(void) {
    forbid(SYS_getgid, SECCOMP_RET_ERRNO | EXDEV, 0);
    forbid(SYS_getgid, SECCOMP_RET_ERRNO | EDOM, 0);
    SHOW(syscall(SYS_getgid));
    forbid(SYS_getgid, SECCOMP_RET_ALLOW, 0);
    SHOW(syscall(SYS_getgid));
    forbid(SYS_getgid, SECCOMP_RET_TRACE, 0);
    SHOW(syscall(SYS_getgid));
    forbid(SYS_getegid, SECCOMP_RET_TRACE, 0);
    SHOW(syscall(SYS_getegid));
    forbid(SYS_geteuid, SECCOMP_RET_ERRNO, 0);
    printf("errno 0: %ld\n", syscall(SYS_geteuid));
    printf("mode %d\n", prctl(PR_GET_SECCOMP));
}

static void inherited(void) {
    forbid(SYS_uname, SECCOMP_RET_ERRNO | ENOANO, 0);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char buffer[400];
        SHOW(syscall(SYS_uname, buffer));
        fflush(stdout);
        _exit(3);
    }
    int status;
    waitpid(pid, &status, 0);
    printf("grandchild: %d\n", WEXITSTATUS(status));
}

static void all_threads(void) {
    pthread_t t;
    forbid(SYS_getpgid, SECCOMP_RET_ERRNO | ENOANO, SECCOMP_FILTER_FLAG_TSYNC);
    pthread_create(&t, NULL, thread, NULL);
    pthread_join(t, NULL);
}

static void by_argument(void) {
    struct sock_filter filter[] = {
        LOAD(nr),
        IF_EQUAL(SYS_close, 0, 9),
        LOAD(args[0]),
        BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
        BPF_STMT(BPF_ST, 2),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 500, 0, 5),
        BPF_STMT(BPF_LD | BPF_MEM, 2),
        BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 499),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xff),
        BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO),
        BPF_STMT(BPF_RET | BPF_A, 0),
        RETURN(SECCOMP_RET_ALLOW),
    };
    SHOW(INSTALL(filter, 0));
    SHOW(close(400));
    SHOW(close(499));
    SHOW(close(500));
}

// What /proc says of the caller.
static void status(void) {
    char line[200];
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "Seccomp", 7) == 0 || strncmp(line, "NoNewPrivs", 10) == 0) printf("%s", line);
    if (f) fclose(f);
}

int main(void) {
    struct sock_filter good[] = {RETURN(SECCOMP_RET_ALLOW)};
    struct sock_filter endless[] = {LOAD(nr)};
    struct sock_filter outside[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RETURN(0)};
    struct sock_filter unaligned[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), RETURN(0)};
    struct sock_filter jump_out[] = {IF_EQUAL(1, 1, 0), RETURN(0)};
    struct sock_filter unset[] = {BPF_STMT(BPF_LD | BPF_MEM, 1), RETURN(0)};
    struct sock_filter by_zero[] = {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RETURN(0)};
    struct sock_filter bytes[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RETURN(0)};

    printf("mode %d\n", prctl(PR_GET_SECCOMP));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SHOW(syscall(SYS_seccomp, 77, 0, NULL));
    SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL));
    SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0x80000000, NULL));
    SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL));
    SHOW(install(good, 0, 0));
    SHOW(install(good, 5000, 0));
    SHOW(INSTALL(endless, 0));
    SHOW(INSTALL(outside, 0));
    SHOW(INSTALL(unaligned, 0));
    SHOW(INSTALL(jump_out, 0));
    SHOW(INSTALL(unset, 0));
    SHOW(INSTALL(by_zero, 0));
    SHOW(INSTALL(bytes, 0));
    SHOW(prctl(PR_SET_SECCOMP, 9));
    unsigned actions[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO, 0x12340000};
    for (int i = 0; i < 4; i++)
        SHOW(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &actions[i]));
    unsigned short sizes[3];
    SHOW(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, sizes));
    printf("%d %d %d\n", sizes[0], sizes[1], sizes[2]);
    child("strict", strict);
    child("strict_exit", strict_exit);
    child("kill_process", kill_process);
    child("kill_thread", kill_thread);
    child("trap", trap);
    child("strictest_wins", strictest_wins);
    child("inherited", inherited);
    child("all_threads", all_threads);
    child("by_argument", by_argument);
    SHOW(INSTALL(good, 0));
    SHOW(INSTALL(good, 0));
    status();
    printf("mode %d\n", prctl(PR_GET_SECCOMP));
    SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
}
