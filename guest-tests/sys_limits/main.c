// Resource limits and usage.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <sys/resource.h>

static const char *err(long result) {
    return result == -1 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))
#define HOLDS(expr) printf("%s: %d\n", #expr, !!(expr))

int main(void) {
    struct rlimit l, m;
    for (int r = 0; r < RLIM_NLIMITS; r++) {
        printf("%d %s", r, err(getrlimit(r, &l)));
        printf(" %s", err(prlimit(0, r, 0, (void *)&m)));
        printf(" %d %d\n", l.rlim_cur <= l.rlim_max, l.rlim_cur == m.rlim_cur && l.rlim_max == m.rlim_max);
    }
    SHOW(syscall(SYS_prlimit64, 0, 16, 0, &l));
    SHOW(syscall(SYS_prlimit64, 4000000, 0, 0, &l));
    SHOW(syscall(SYS_prlimit64, getpid(), 0, 0, &l));
    SHOW(syscall(SYS_prlimit64, 0, 0, 0, 8));
    SHOW(syscall(SYS_prlimit64, 0, 0, 8, 0));
    SHOW(syscall(SYS_prlimit64, 0, 0, 0, 0));
    SHOW(syscall(SYS_getrlimit, 16, &l));
    SHOW(syscall(SYS_getrlimit, 0, 8));
    SHOW(syscall(SYS_setrlimit, 0, 8));
    getrlimit(RLIMIT_NOFILE, &l);
    l.rlim_cur = 100;
    SHOW(setrlimit(RLIMIT_NOFILE, &l));
    SHOW(getrlimit(RLIMIT_NOFILE, &m));
    printf("%ld %ld\n", (long)m.rlim_cur, sysconf(_SC_OPEN_MAX));
    SHOW(dup2(1, 100));
    SHOW(dup2(1, 99));
    l.rlim_cur = 200;
    l.rlim_max = 150;
    SHOW(setrlimit(RLIMIT_NOFILE, &l));
    l = (struct rlimit){5000000, 5000000};
    SHOW(setrlimit(RLIMIT_NOFILE, &l));
    l = (struct rlimit){0, 0};
    SHOW(setrlimit(RLIMIT_CORE, &l));
    SHOW(getrlimit(RLIMIT_CORE, &m));
    printf("%ld %ld\n", (long)m.rlim_cur, (long)m.rlim_max);

    struct rusage u;
    volatile unsigned x = 0;
    while (clock() < 20000)
        x++;
    SHOW(getrusage(RUSAGE_SELF, &u));
    HOLDS(u.ru_utime.tv_sec * 1000000 + u.ru_utime.tv_usec + u.ru_stime.tv_sec * 1000000 + u.ru_stime.tv_usec >= 15000);
    HOLDS(u.ru_maxrss > 0);
    SHOW(getrusage(RUSAGE_THREAD, &u));
    HOLDS(u.ru_utime.tv_sec >= 0 && u.ru_utime.tv_usec < 1000000);
    SHOW(getrusage(RUSAGE_CHILDREN, &u));
    HOLDS(u.ru_utime.tv_sec == 0 && u.ru_utime.tv_usec == 0);
    SHOW(getrusage(7, &u));
    SHOW(syscall(SYS_getrusage, 0, 8));
}
