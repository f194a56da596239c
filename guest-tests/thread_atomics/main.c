/* Atomic operations of many widths by threads that are preempted anywhere: nothing may be lost. On aarch64 built once
   for pairs of exclusive loads and stores and once for the atomic instructions of ARMv8.1. */
#ifdef __aarch64__
#ifdef EXCLUSIVES
#pragma GCC target("no-outline-atomics")
#else
#pragma GCC target("arch=armv8.1-a")
#endif
#endif

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

enum { N = 4, ROUNDS = 150000 };

static _Atomic uint8_t a8;
static _Atomic uint16_t a16;
static _Atomic uint32_t a32;
static _Atomic uint64_t a64, bits, swapped, most;
static _Alignas(16) struct pair {
    uint64_t lo, hi;
} both;
static uint64_t plain;
static atomic_flag flag = ATOMIC_FLAG_INIT;
static _Atomic(struct node *) stack;
static struct node {
    struct node *next;
    long value;
} nodes[N][1000];

/* Adds 1 to both halves at once. */
static void add_pair(void)
{
#if defined __aarch64__
    uint64_t lo, hi;
    uint32_t failed;
    __asm__ volatile("1: ldxp %0, %1, %3\n add %0, %0, #1\n add %1, %1, #1\n stxp %w2, %0, %1, %3\n cbnz %w2, 1b"
                     : "=&r"(lo), "=&r"(hi), "=&r"(failed), "+Q"(both)
                     :
                     : "memory");
#else
    uint64_t lo = both.lo, hi = both.hi;
    unsigned char ok;
    do
        __asm__ volatile("lock cmpxchg16b %1\n sete %0"
                         : "=q"(ok), "+m"(both), "+a"(lo), "+d"(hi)
                         : "b"(lo + 1), "c"(hi + 1)
                         : "memory");
    while (!ok);
#endif
}

static void *work(void *arg)
{
    long id = (long)arg, sum = 0;
    for (long i = 0; i < ROUNDS; i++) {
        atomic_fetch_add(&a8, 1);
        atomic_fetch_add(&a16, 3);
        atomic_fetch_sub(&a32, 1);
        uint64_t old = atomic_load(&a64);
        while (!atomic_compare_exchange_weak(&a64, &old, old + 5))
            ;
        atomic_fetch_xor(&bits, (uint64_t)1 << (i + id) % 64);
        sum += atomic_exchange(&swapped, (uint64_t)(id * ROUNDS + i));
        old = atomic_load(&most);
        while (old < (uint64_t)i && !atomic_compare_exchange_strong(&most, &old, i))
            ;
        add_pair();
        if (i % 8 == 0) {
            while (atomic_flag_test_and_set_explicit(&flag, memory_order_acquire))
                ;
            plain++;
            atomic_flag_clear_explicit(&flag, memory_order_release);
        }
    }
    for (int i = 0; i < 1000; i++) {
        struct node *n = &nodes[id][i];
        n->value = id * 1000 + i;
        n->next = atomic_load(&stack);
        while (!atomic_compare_exchange_weak(&stack, &n->next, n))
            ;
    }
    return (void *)sum;
}

int main(void)
{
    pthread_t t[N];
    uint64_t sum = 0;
    long count = 0, values = 0;
    for (long i = 0; i < N; i++)
        pthread_create(&t[i], NULL, work, (void *)i);
    for (int i = 0; i < N; i++) {
        void *r;
        pthread_join(t[i], &r);
        sum += (uint64_t)r;
    }
    /* What was put in came out, but for the last. */
    uint64_t all = 0;
    for (long i = 0; i < (long)N * ROUNDS; i++)
        all += i;
    for (struct node *n = stack; n; n = n->next, count++)
        values += n->value;
    printf("%d %d %u %lu %lx\n", a8, a16, -a32, (unsigned long)a64, (unsigned long)bits);
    printf("exchanged %d most %lu pair %lu %lu plain %lu\n", sum + swapped == all, (unsigned long)most,
           (unsigned long)both.lo, (unsigned long)both.hi, (unsigned long)plain);
    printf("stack %ld %ld\n", count, values);
    return 0;
}
