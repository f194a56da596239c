/* Clocks, limits, identity, system information. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

int main(void) {
    struct timespec t = {0, 1000}, u[2] = {{0, UTIME_NOW}, {5, 6}};
    struct timeval tv[2] = {{100, 5}, {200, 0}};
    struct rlimit r;
    struct rusage ru;
    struct utsname un;
    char buf[128];
    gid_t g[3];
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t), syscall(SYS_clock_getres, CLOCK_REALTIME, &t), syscall(SYS_gettimeofday, tv, 0);
    t = (struct timespec){0, 1000}, nanosleep(&t, &t), clock_nanosleep(CLOCK_MONOTONIC, 0, &t, 0);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, &t), syscall(SYS_nanosleep, &t, 0);
    utimensat(AT_FDCWD, "f", 0, 0), utimensat(AT_FDCWD, "f", u, 0), u[1].tv_nsec = UTIME_OMIT;
    utimensat(AT_FDCWD, "l", u, AT_SYMLINK_NOFOLLOW), utimes("f", tv), syscall(SYS_utime, "f", 0), futimens(99, u);
    getrlimit(RLIMIT_STACK, &r), getrlimit(RLIMIT_CORE, &r), r.rlim_cur = 0, setrlimit(RLIMIT_CORE, &r), getrusage(RUSAGE_SELF, &ru);
    uname(&un), getuid(), geteuid(), getgid(), getegid(), getppid, getpgid(99999999), getpriority(PRIO_PROCESS, 0);
    syscall(SYS_getresuid, buf, buf + 4, buf + 8), syscall(SYS_setresuid, -1, -1, -1), getgroups(0, g), syscall(SYS_gettid);
    prctl(PR_SET_NAME, "name"), prctl(PR_GET_NAME, buf), prctl(PR_GET_DUMPABLE), prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    syscall(SYS_sched_getscheduler, 0), syscall(SYS_sched_get_priority_max, 1), syscall(SYS_sched_yield), syscall(SYS_personality, -1);
    syscall(SYS_futex, buf, 129, 1), syscall(SYS_set_robust_list, 0, 24), alarm(0);
    return 0;
}
