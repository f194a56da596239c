// Scheduling: policies, priorities, affinity.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <sched.h>
#include <sys/resource.h>

static const char *err(long result) {
    return result == -1 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))
#define HOLDS(expr) printf("%s: %d\n", #expr, !!(expr))

struct attr {
    unsigned size, policy;
    unsigned long long flags;
    int nice;
    unsigned priority;
    unsigned long long runtime, deadline, period;
    unsigned util_min, util_max;
};

int main(void) {
    static const int policies[] = {0, 1, 2, 3, 5, 6, 4, 9, -1};
    for (int i = 0; i < 9; i++) {
        int p = policies[i];
        printf("policy %d: %d %d\n", p, sched_get_priority_min(p), sched_get_priority_max(p));
    }
    SHOW(sched_yield());
    printf("%d\n", sched_getscheduler(0));
    SHOW(sched_getscheduler(-1));
    SHOW(sched_getscheduler(4000000));
    struct sched_param param = {77};
    SHOW(sched_getparam(0, &param));
    printf("%d\n", param.sched_priority);
    SHOW(sched_getparam(0, 0));
    SHOW(syscall(SYS_sched_getparam, 0, 8));
    param.sched_priority = 1;
    SHOW(sched_setparam(0, &param));
    SHOW(sched_setscheduler(0, SCHED_OTHER, &param));
    SHOW(sched_setscheduler(0, 4, &param));
    SHOW(sched_setscheduler(0, SCHED_OTHER, 0));
    SHOW(syscall(SYS_sched_setscheduler, 0, 0, 8));
    SHOW(sched_setscheduler(-1, SCHED_OTHER, &param));
    param.sched_priority = 0;
    SHOW(sched_setparam(0, &param));
    SHOW(sched_setscheduler(4000000, SCHED_OTHER, &param));
    SHOW(sched_setscheduler(0, SCHED_FIFO, &param));
    SHOW(sched_setscheduler(0, SCHED_BATCH, &param));
    printf("%d\n", sched_getscheduler(0));
    SHOW(sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &param));
    printf("%x\n", sched_getscheduler(0));
    struct timespec t;
    SHOW(sched_rr_get_interval(0, &t));
    SHOW(sched_rr_get_interval(-1, &t));
    SHOW(syscall(SYS_sched_rr_get_interval, 0, 8));

    struct attr attr = {0};
    SHOW(syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 0));
    printf("policy %u flags %llx nice %d priority %u\n", attr.policy, attr.flags, attr.nice, attr.priority);
    SHOW(syscall(SYS_sched_getattr, 0, &attr, 47, 0));
    SHOW(syscall(SYS_sched_getattr, 0, &attr, 5000, 0));
    SHOW(syscall(SYS_sched_getattr, 0, &attr, sizeof attr, 1));
    SHOW(syscall(SYS_sched_getattr, 0, 0, sizeof attr, 0));
    attr = (struct attr){.size = 48, .policy = SCHED_OTHER, .flags = 1, .nice = 3};
    SHOW(syscall(SYS_sched_setattr, 0, &attr, 0));
    printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
    attr.size = 47;
    SHOW(syscall(SYS_sched_setattr, 0, &attr, 0));
    HOLDS(attr.size >= 56);
    attr.size = 48;
    SHOW(syscall(SYS_sched_setattr, 0, &attr, 1));
    attr.policy = 7777;
    SHOW(syscall(SYS_sched_setattr, 0, &attr, 0));

    SHOW(setpriority(PRIO_PROCESS, 0, 5));
    printf("%d\n", getpriority(PRIO_PROCESS, 0));
    SHOW(setpriority(PRIO_PROCESS, 0, 100));
    printf("%d\n", getpriority(PRIO_PROCESS, 0));
    SHOW(setpriority(9, 0, 5));
    SHOW(setpriority(PRIO_PROCESS, 4000000, 5));
    errno = 0;
    SHOW(getpriority(PRIO_PROCESS, 4000000));
    SHOW(getpriority(9, 0));

    cpu_set_t set;
    CPU_ZERO(&set);
    int size = syscall(SYS_sched_getaffinity, 0, sizeof set, &set);
    HOLDS(size > 0 && size % 8 == 0);
    HOLDS(CPU_COUNT(&set) >= 1);
    HOLDS(CPU_COUNT(&set) == sysconf(_SC_NPROCESSORS_ONLN) || sysconf(_SC_NPROCESSORS_ONLN) > 0);
    SHOW(sched_getaffinity(0, 0, &set));
    SHOW(sched_getaffinity(0, 9, &set));
    SHOW(sched_getaffinity(4000000, sizeof set, &set));
    SHOW(syscall(SYS_sched_getaffinity, 0, 128, 8));
    SHOW(sched_setaffinity(0, sizeof set, &set));
    cpu_set_t none;
    CPU_ZERO(&none);
    SHOW(sched_setaffinity(0, sizeof none, &none));
    SHOW(syscall(SYS_sched_setaffinity, 0, 128, 8));

    printf("ioprio %ld\n", syscall(SYS_ioprio_get, 1, 0));
    SHOW(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 3));
    printf("ioprio %ld\n", syscall(SYS_ioprio_get, 1, 0));
    SHOW(syscall(SYS_ioprio_set, 1, 0, 3 << 13));
    SHOW(syscall(SYS_ioprio_set, 1, 0, 1));
    SHOW(syscall(SYS_ioprio_set, 9, 0, 2 << 13));
    SHOW(syscall(SYS_ioprio_set, 1, 4000000, 2 << 13));
    SHOW(syscall(SYS_ioprio_get, 9, 0));
    SHOW(syscall(SYS_ioprio_get, 1, 4000000));
}
