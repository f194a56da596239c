/* C11 threads: mutexes, condition variables, once, thread storage and destructors, atomics. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <time.h>

enum { N = 8, ROUNDS = 2000 };

static mtx_t mutex, timed, recursive;
static cnd_t changed;
static once_flag once = ONCE_FLAG_INIT;
static tss_t slot;
static int counter, turn, initialised, destroyed;
static atomic_int atomic_counter, waiting;
static _Thread_local int own = 7;

static void initialise(void)
{
    initialised++;
}

static void destroy(void *p)
{
    mtx_lock(&mutex);
    destroyed += *(int *)p;
    mtx_unlock(&mutex);
}

static int count(void *arg)
{
    int id = *(int *)arg;
    call_once(&once, initialise);
    tss_set(slot, arg);
    own += id;
    for (int i = 0; i < ROUNDS; i++) {
        mtx_lock(&mutex);
        counter++;
        mtx_unlock(&mutex);
        atomic_fetch_add(&atomic_counter, 1);
        if (i % 100 == 0)
            thrd_yield();
    }
    return own;
}

/* Threads print in turn. */
static int in_turn(void *arg)
{
    int id = *(int *)arg;
    mtx_lock(&mutex);
    atomic_fetch_add(&waiting, 1);
    while (turn != id)
        cnd_wait(&changed, &mutex);
    printf("turn %d\n", id);
    turn++;
    cnd_broadcast(&changed);
    mtx_unlock(&mutex);
    thrd_exit(id * 10);
}

static struct timespec soon(long ms)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

static const char *name(int r)
{
    return r == thrd_success ? "success" : r == thrd_timedout ? "timed out" : r == thrd_busy ? "busy" : "error";
}

static int try(void *arg)
{
    struct timespec t = soon(20);
    (void)arg;
    int a = mtx_trylock(&timed), b = mtx_timedlock(&timed, &t);
    printf("try %s, timed %s\n", name(a), name(b));
    return 0;
}

int main(void)
{
    thrd_t t[N];
    int ids[N], result, sum = 0;
    mtx_init(&mutex, mtx_plain);
    mtx_init(&timed, mtx_timed);
    mtx_init(&recursive, mtx_plain | mtx_recursive);
    cnd_init(&changed);
    tss_create(&slot, destroy);
    for (int i = 0; i < N; i++) {
        ids[i] = i;
        thrd_create(&t[i], count, &ids[i]);
    }
    for (int i = 0; i < N; i++) {
        thrd_join(t[i], &result);
        sum += result;
    }
    printf("counter %d %d, once %d, destroyed %d, own %d %d\n", counter, atomic_counter, initialised, destroyed, sum, own);
    turn = -1;
    for (int i = N - 1; i >= 0; i--)
        thrd_create(&t[i], in_turn, &ids[i]);
    while (atomic_load(&waiting) < N)
        thrd_sleep(&(struct timespec){0, 1000000}, NULL);
    mtx_lock(&mutex);
    turn = 0;
    cnd_broadcast(&changed);
    mtx_unlock(&mutex);
    sum = 0;
    for (int i = 0; i < N; i++) {
        thrd_join(t[i], &result);
        sum += result;
    }
    printf("sum %d\n", sum);
    mtx_lock(&timed);
    thrd_create(&t[0], try, NULL);
    thrd_join(t[0], NULL);
    mtx_unlock(&timed);
    mtx_lock(&mutex);
    struct timespec at = soon(20);
    printf("condition %s\n", name(cnd_timedwait(&changed, &mutex, &at)));
    mtx_unlock(&mutex);
    printf("recursive %s %s\n", name(mtx_lock(&recursive)), name(mtx_lock(&recursive)));
    mtx_unlock(&recursive);
    mtx_unlock(&recursive);
    thrd_create(&t[0], in_turn, &ids[0]);
    thrd_detach(t[0]);
    return 0;
}
