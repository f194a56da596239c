/* POSIX threads: read-write locks, barriers, semaphores, spin locks, timed waits, priority-inheritance mutexes, error
   checking, cancellation and cleanup, and some of it between processes. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N = 6 };

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_spinlock_t spin;
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t c = PTHREAD_COND_INITIALIZER;
static sem_t sem;
static int shared_value, serial, cleaned;

static const char *err(int e)
{
    switch (e) {
    case 0: return "ok";
    case EBUSY: return "EBUSY";
    case EDEADLK: return "EDEADLK";
    case EPERM: return "EPERM";
    case ETIMEDOUT: return "ETIMEDOUT";
    case EAGAIN: return "EAGAIN";
    default: return strerror(e);
    }
}

static struct timespec soon(clockid_t clock, long ms)
{
    struct timespec t;
    clock_gettime(clock, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static void *work(void *arg)
{
    long id = (long)arg, bad = 0;
    for (int i = 0; i < 500; i++) {
        if (id == 0) {
            pthread_rwlock_wrlock(&rw);
            int v = shared_value;
            if (i % 50 == 0)
                sched_yield();
            shared_value = v + 1;
        } else {
            pthread_rwlock_rdlock(&rw);
            int v = shared_value;
            bad += v != shared_value;
        }
        pthread_rwlock_unlock(&rw);
        pthread_spin_lock(&spin);
        serial++;
        pthread_spin_unlock(&spin);
    }
    int r = pthread_barrier_wait(&barrier);
    if (r == PTHREAD_BARRIER_SERIAL_THREAD)
        printf("one is the serial thread\n");
    sem_wait(&sem);
    return (void *)bad;
}

static void mutexes(void)
{
    pthread_mutex_t e;
    pthread_mutexattr_t a;
    struct timespec t;
    pthread_mutexattr_init(&a);
    pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&e, &a);
    printf("unlock unlocked %s\n", err(pthread_mutex_unlock(&e)));
    pthread_mutex_lock(&e);
    printf("lock again %s\n", err(pthread_mutex_lock(&e)));
    printf("try %s\n", err(pthread_mutex_trylock(&e)));
    pthread_mutex_unlock(&e);
    pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
    printf("inherit %s\n", err(pthread_mutexattr_setprotocol(&a, PTHREAD_PRIO_INHERIT)));
    pthread_mutex_init(&e, &a);
    printf("pi lock %s\n", err(pthread_mutex_lock(&e)));
    printf("pi lock %s\n", err(pthread_mutex_lock(&e)));
    pthread_mutex_unlock(&e);
    pthread_mutex_unlock(&e);
    printf("pi not mine %s\n", err(pthread_mutex_unlock(&e)));
    t = soon(CLOCK_REALTIME, 10);
    pthread_mutex_lock(&m);
    printf("condition %s\n", err(pthread_cond_timedwait(&c, &m, &t)));
    pthread_mutex_unlock(&m);
    t = soon(CLOCK_REALTIME, 10);
    printf("semaphore %s\n", sem_timedwait(&sem, &t) ? err(errno) : "ok");
    printf("semaphore %s\n", sem_trywait(&sem) ? err(errno) : "ok");
    pthread_rwlock_rdlock(&rw);
    t = soon(CLOCK_REALTIME, 10);
    printf("write lock %s\n", err(pthread_rwlock_timedwrlock(&rw, &t)));
    printf("read lock %s\n", err(pthread_rwlock_tryrdlock(&rw)));
    pthread_rwlock_unlock(&rw);
    pthread_rwlock_unlock(&rw);
}

static void clean(void *p)
{
    cleaned += (int)(long)p;
}

static void release(void *p)
{
    pthread_mutex_unlock(p);
}

static void *waits(void *p)
{
    pthread_cleanup_push(clean, (void *)1);
    pthread_cleanup_push(clean, (void *)10);
    pthread_mutex_lock(&m);
    pthread_cleanup_push(release, &m);
    for (;;)
        pthread_cond_wait(&c, &m);
    pthread_cleanup_pop(1);
    pthread_cleanup_pop(1);
    pthread_cleanup_pop(1);
    return p;
}

static void *reads(void *p)
{
    char ch;
    pthread_cleanup_push(clean, (void *)100);
    if (read(*(int *)p, &ch, 1) < 0)
        perror("read");
    pthread_cleanup_pop(0);
    return p;
}

static void *computes(void *p)
{
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    for (volatile long i = 0;; i++)
        ;
    return p;
}

static void *refuses(void *p)
{
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    usleep(50000);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    cleaned += 1000;
    pthread_testcancel();
    return p;
}

static void cancel(void)
{
    pthread_t t;
    int pipes[2];
    void *(*all[])(void *) = {waits, reads, computes, refuses};
    if (pipe(pipes))
        perror("pipe");
    for (int i = 0; i < 4; i++) {
        void *r = NULL;
        pthread_create(&t, NULL, all[i], &pipes[0]);
        usleep(20000);
        pthread_cancel(t);
        pthread_join(t, &r);
        printf("cancelled %d cleaned %d lock free %s\n", r == PTHREAD_CANCELED, cleaned, err(pthread_mutex_trylock(&m)));
        pthread_mutex_unlock(&m);
    }
}

struct common {
    pthread_mutex_t m;
    pthread_cond_t c;
    pthread_barrier_t b;
    sem_t s;
    int turn, count;
};

static void processes(void)
{
    struct common *k = mmap(NULL, sizeof *k, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t ma;
    pthread_condattr_t ca;
    pthread_barrierattr_t ba;
    pthread_mutexattr_init(&ma);
    pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&k->m, &ma);
    pthread_condattr_init(&ca);
    pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
    pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
    pthread_cond_init(&k->c, &ca);
    pthread_barrierattr_init(&ba);
    pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&k->b, &ba, 3);
    sem_init(&k->s, 1, 0);
    for (int id = 1; id <= 2; id++) {
        if (fork() == 0) {
            for (int i = 0; i < 50; i++) {
                pthread_mutex_lock(&k->m);
                while (k->turn % 3 != id)
                    pthread_cond_wait(&k->c, &k->m);
                k->turn++;
                k->count += id;
                pthread_cond_broadcast(&k->c);
                pthread_mutex_unlock(&k->m);
            }
            pthread_barrier_wait(&k->b);
            sem_post(&k->s);
            _exit(0);
        }
    }
    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&k->m);
        while (k->turn % 3 != 0)
            pthread_cond_wait(&k->c, &k->m);
        k->turn++;
        pthread_cond_broadcast(&k->c);
        pthread_mutex_unlock(&k->m);
    }
    pthread_barrier_wait(&k->b);
    sem_wait(&k->s);
    sem_wait(&k->s);
    while (wait(NULL) > 0)
        ;
    struct timespec t = soon(CLOCK_MONOTONIC, 10);
    pthread_mutex_lock(&k->m);
    printf("processes %d %d %s\n", k->turn, k->count, err(pthread_cond_timedwait(&k->c, &k->m, &t)));
    pthread_mutex_unlock(&k->m);
}

int main(void)
{
    pthread_t t[N];
    long bad = 0;
    setvbuf(stdout, NULL, _IONBF, 0);
    pthread_barrier_init(&barrier, NULL, N);
    pthread_spin_init(&spin, 0);
    sem_init(&sem, 0, 0);
    for (long i = 0; i < N; i++)
        pthread_create(&t[i], NULL, work, (void *)i);
    usleep(20000);
    for (int i = 0; i < N; i++)
        sem_post(&sem);
    for (int i = 0; i < N; i++) {
        void *r;
        pthread_join(t[i], &r);
        bad += (long)r;
    }
    printf("bad %ld value %d serial %d\n", bad, shared_value, serial);
    mutexes();
    cancel();
    processes();
    return 0;
}
