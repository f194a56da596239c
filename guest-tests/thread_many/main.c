/* 500 threads alive at once, some of which spin; wakes in order; a turn for everybody; thread ids and /proc. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 500, SPINNERS = 4 };

static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static atomic_int here, spinning, stop;
static int go, passed;
static int tids[MANY];

static void *stands(void *p)
{
    long id = (long)p;
    tids[id] = syscall(SYS_gettid);
    pthread_mutex_lock(&m);
    here++;
    while (!go)
        pthread_cond_wait(&c, &m);
    passed++;
    pthread_mutex_unlock(&m);
    return (void *)(id * 2);
}

static void *spins(void *p)
{
    spinning++;
    while (!stop)
        ;
    return p;
}

static int by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int count_tasks(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

static void barriers(void)
{
    int known = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    int private = MEMBARRIER_CMD_PRIVATE_EXPEDITED | MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED;
    printf("membarrier knows the private ones %d\n", (known & private) == private);
    int r = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    printf("before registration %d %d\n", r, r < 0 && errno == EPERM);
    r = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0);
    int s = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    printf("registration %d, barrier %d\n", r, s);
    r = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0);
    printf("rseq before %d %d\n", r, r < 0 && errno == EPERM);
    r = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0);
    s = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0);
    printf("rseq %d %d\n", r, s);
    s = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 1, 0);
    printf("rseq on one cpu %d\n", s);
    r = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
    s = syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0);
    printf("core %d %d\n", r, s);
    r = syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
    s = syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
    printf("global %d %d\n", r, s);
    r = syscall(SYS_membarrier, 1 << 20, 0, 0);
    printf("unknown %d %d\n", r, r < 0 && errno == EINVAL);
    r = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 1, 0);
    printf("flags %d %d\n", r, r < 0 && errno == EINVAL);
}

static void processors(void)
{
    cpu_set_t all, one;
    unsigned cpu = 99, node = 99;
    CPU_ZERO(&all);
    sched_getaffinity(0, sizeof all, &all);
    int last = -1;
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &all))
            last = i;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    printf("set %d\n", sched_setaffinity(0, sizeof one, &one));
    syscall(SYS_getcpu, &cpu, &node, NULL);
    printf("there %d %d, by the library %d\n", (int)cpu == last, node == 0, sched_getcpu() == last);
    printf("back %d\n", sched_setaffinity(0, sizeof all, &all));
}

int main(void)
{
    pthread_t t[MANY], s[SPINNERS];
    pthread_attr_t a;
    long sum = 0;
    setvbuf(stdout, NULL, _IONBF, 0);
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 64 * 1024);
    for (long i = 0; i < SPINNERS; i++)
        pthread_create(&s[i], &a, spins, NULL);
    for (long i = 0; i < MANY; i++)
        if (pthread_create(&t[i], &a, stands, (void *)i))
            perror("pthread_create");
    while (here < MANY || spinning < SPINNERS)
        usleep(1000);
    printf("tasks %d\n", count_tasks());
    pthread_mutex_lock(&m);
    go = 1;
    pthread_cond_broadcast(&c);
    pthread_mutex_unlock(&m);
    for (int i = 0; i < MANY; i++) {
        void *r;
        pthread_join(t[i], &r);
        sum += (long)r;
    }
    qsort(tids, MANY, sizeof tids[0], by_value);
    int same = 0;
    for (int i = 1; i < MANY; i++)
        same += tids[i] == tids[i - 1];
    printf("passed %d sum %ld same ids %d\n", passed, sum, same);
    /* Sleeping works while others spin. */
    struct timespec b, e;
    clock_gettime(CLOCK_MONOTONIC, &b);
    for (int i = 0; i < 10; i++)
        usleep(2000);
    clock_gettime(CLOCK_MONOTONIC, &e);
    long ms = (e.tv_sec - b.tv_sec) * 1000 + (e.tv_nsec - b.tv_nsec) / 1000000;
    printf("slept %d\n", ms >= 20 && ms < 20000);
    stop = 1;
    for (int i = 0; i < SPINNERS; i++)
        pthread_join(s[i], NULL);
    barriers();
    processors();
    printf("end\n");
    return 0;
}
