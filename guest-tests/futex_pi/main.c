/* The protocol of priority-inheritance futexes: who gets what error, and what the word holds. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static long fx(uint32_t *a, int op, uint32_t v, void *t, uint32_t *b, uint32_t v3)
{
    long r = syscall(SYS_futex, a, op | FUTEX_PRIVATE_FLAG, v, t, b, v3);
    return r < 0 ? -errno : r;
}

static uint32_t lock, second, cond;
static volatile int step;

static void wait_step(int n)
{
    while (step < n)
        usleep(1000);
}

static int self(void)
{
    return syscall(SYS_gettid);
}

static void show(const char *what, long r)
{
    printf("%s %s\n", what, r < 0 ? strerrorname_np(-r) : "ok");
}

static void *holder(void *p)
{
    show("holder lock", fx(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    printf("word is tid %d\n", lock == (uint32_t)self());
    show("again", fx(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    show("try again", fx(&lock, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    step = 1;
    wait_step(2);
    /* The main thread waits now: its bit is set, and a wake is refused. */
    for (int i = 0; i < 2000 && !(lock & FUTEX_WAITERS); i++)
        usleep(1000);
    usleep(50000);
    printf("waiters bit %d\n", !!(lock & FUTEX_WAITERS));
    show("wake", fx(&lock, FUTEX_WAKE, 1, NULL, NULL, 0));
    show("requeue", fx(&lock, FUTEX_REQUEUE, 0, (void *)1, &second, 0));
    step = 3;
    show("unlock", fx(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    show("unlock what is not mine", fx(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    return p;
}

static void *crosser(void *p)
{
    show("second by crosser", fx(&second, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    step = 11;
    show("crosser gets the first", fx(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    fx(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    fx(&second, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    return p;
}

static void *dier(void *p)
{
    fx(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    step = 21;
    usleep(100000);
    return p; /* without unlocking */
}

static void *requeued(void *p)
{
    long r = fx(&cond, FUTEX_WAIT_REQUEUE_PI, 5, NULL, &lock, 0);
    printf("requeued %s, owner %d\n", r < 0 ? strerrorname_np(-r) : "ok", (lock & FUTEX_TID_MASK) == (uint32_t)self());
    fx(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    return p;
}

static void timeouts(void)
{
    struct timespec past = {1, 0}, odd = {0, 1000000000};
    show("lock with a past timeout", fx(&lock, FUTEX_LOCK_PI, 0, &past, NULL, 0));
    show("lock2 with a past timeout", fx(&lock, FUTEX_LOCK_PI2, 0, &past, NULL, 0));
    show("lock2 by the wall clock", fx(&lock, FUTEX_LOCK_PI2 | FUTEX_CLOCK_REALTIME, 0, &past, NULL, 0));
    show("lock with a bad timeout", fx(&lock, FUTEX_LOCK_PI, 0, &odd, NULL, 0));
    show("lock by a clock", fx(&lock, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, 0, NULL, NULL, 0));
}

int main(void)
{
    pthread_t t, u;
    setvbuf(stdout, NULL, _IONBF, 0);

    show("lock", fx(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    show("unlock", fx(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    printf("free %d\n", lock == 0);
    lock = 0x3ffffff0;
    show("owner that is not there", fx(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    lock = 0;
    lock = FUTEX_OWNER_DIED;
    show("take over", fx(&lock, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    printf("died bit stays %d\n", !!(lock & FUTEX_OWNER_DIED));
    show("unlock", fx(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
    show("unaligned", fx((uint32_t *)((char *)&lock + 1), FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    show("nowhere", fx((uint32_t *)16, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    show("nowhere unlock", fx((uint32_t *)16, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));

    step = 0;
    pthread_create(&t, NULL, holder, NULL);
    wait_step(1);
    show("try", fx(&lock, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0));
    timeouts();
    step = 2;
    long got = fx(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
    pthread_join(t, NULL);
    show("wait for it", got);
    printf("mine %d\n", (lock & FUTEX_TID_MASK) == (uint32_t)self());

    /* Two locks crosswise. */
    step = 10;
    pthread_create(&t, NULL, crosser, NULL);
    wait_step(11);
    usleep(100000);
    show("deadlock", fx(&second, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    got = fx(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    pthread_join(t, NULL);
    show("unlock", got);
    printf("words %x %x\n", lock, second);

    /* An owner that ends without unlocking. */
    step = 20;
    pthread_create(&t, NULL, dier, NULL);
    wait_step(21);
    show("lock of a dying owner", fx(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
    printf("died %d mine %d\n", !!(lock & FUTEX_OWNER_DIED), (lock & FUTEX_TID_MASK) == (uint32_t)self());
    pthread_join(t, NULL);

    /* Requeue to a lock. */
    cond = 5;
    show("same futex", fx(&lock, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &lock, lock));
    show("two to wake", fx(&cond, FUTEX_CMP_REQUEUE_PI, 2, (void *)1, &lock, 5));
    show("other value", fx(&cond, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &lock, 6));
    show("nobody", fx(&cond, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &lock, 5));
    show("wait with another value", fx(&cond, FUTEX_WAIT_REQUEUE_PI, 6, NULL, &lock, 0));
    show("wait at the same", fx(&cond, FUTEX_WAIT_REQUEUE_PI, 5, NULL, &cond, 0));
    struct timespec past = {1, 0};
    show("wait timed out", fx(&cond, FUTEX_WAIT_REQUEUE_PI, 5, &past, &lock, 0));
    pthread_create(&t, NULL, requeued, NULL);
    pthread_create(&u, NULL, requeued, NULL);
    usleep(200000);
    show("wake refused", fx(&cond, FUTEX_WAKE, 1, NULL, NULL, 0));
    show("plain requeue refused", fx(&cond, FUTEX_CMP_REQUEUE, 1, (void *)1, &second, 5));
    show("requeue elsewhere", fx(&cond, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &second, 5));
    printf("requeued %ld\n", fx(&cond, FUTEX_CMP_REQUEUE_PI, 1, (void *)1, &lock, 5));
    got = fx(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
    pthread_join(t, NULL);
    pthread_join(u, NULL);
    show("unlock", got);
    printf("end %x\n", lock & FUTEX_TID_MASK);
    return 0;
}
