// Futexes in one thread: what comes back at once, and timeouts.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <linux/futex.h>

static const char *err(long result) {
    return result == -1 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))
#define HOLDS(expr) printf("%s: %d\n", #expr, !!(expr))

static int word, other;

static long futex(int *addr, int op, unsigned val, void *timeout, int *addr2, unsigned val3) {
    return syscall(SYS_futex, addr, op, val, timeout, addr2, val3);
}

static long long ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

int main(void) {
    word = 5;
    SHOW(futex(&word, FUTEX_WAIT, 4, 0, 0, 0));
    SHOW(futex(&word, FUTEX_WAIT_PRIVATE, 4, 0, 0, 0));
    SHOW(futex((int *)((char *)&word + 1), FUTEX_WAIT, 4, 0, 0, 0));
    SHOW(futex((int *)8, FUTEX_WAIT, 4, 0, 0, 0));
    SHOW(futex((int *)8, FUTEX_WAIT_PRIVATE, 4, 0, 0, 0));
    SHOW(futex(&word, FUTEX_WAIT, 5, (void *)8, 0, 0));
    struct timespec t = {0, 10000000}, bad = {0, 1000000000};
    SHOW(futex(&word, FUTEX_WAIT, 5, &bad, 0, 0));
    long long start = ns(CLOCK_MONOTONIC);
    SHOW(futex(&word, FUTEX_WAIT, 5, &t, 0, 0));
    HOLDS(ns(CLOCK_MONOTONIC) - start >= 10000000);
    SHOW(futex(&word, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 5, &t, 0, 0));
    long long end = ns(CLOCK_MONOTONIC) + 10000000;
    t = (struct timespec){end / 1000000000, end % 1000000000};
    SHOW(futex(&word, FUTEX_WAIT_BITSET, 5, &t, 0, 1));
    HOLDS(ns(CLOCK_MONOTONIC) >= end);
    end = ns(CLOCK_REALTIME) + 10000000;
    t = (struct timespec){end / 1000000000, end % 1000000000};
    SHOW(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 5, &t, 0, ~0u));
    HOLDS(ns(CLOCK_REALTIME) >= end);
    SHOW(futex(&word, FUTEX_WAIT_BITSET, 5, &t, 0, 0));

    printf("%ld\n", futex(&word, FUTEX_WAKE, 1, 0, 0, 0));
    printf("%ld\n", futex(&word, FUTEX_WAKE_PRIVATE, 0x7fffffff, 0, 0, 0));
    printf("%ld\n", futex(&word, FUTEX_WAKE_BITSET, 1, 0, 0, 4));
    SHOW(futex(&word, FUTEX_WAKE_BITSET, 1, 0, 0, 0));
    SHOW(futex((int *)8, FUTEX_WAKE, 1, 0, 0, 0));
    printf("%ld\n", futex((int *)8, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0));
    SHOW(futex((int *)~7ul, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0));
    SHOW(futex(&word, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, 0, 0, 0));

    printf("%ld\n", futex(&word, FUTEX_REQUEUE, 1, (void *)1, &other, 0));
    printf("%ld\n", futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &other, 5));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)1, &other, 6));
    SHOW(futex(&word, FUTEX_CMP_REQUEUE, -1, (void *)1, &other, 5));

    static const unsigned ops[] = {
        FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 0),  FUTEX_OP(FUTEX_OP_ADD, 0xfff, FUTEX_OP_CMP_LT, 0),
        FUTEX_OP(FUTEX_OP_OR, 0x18, FUTEX_OP_CMP_GE, 3), FUTEX_OP(FUTEX_OP_ANDN, 2, FUTEX_OP_CMP_NE, 3),
        FUTEX_OP(FUTEX_OP_XOR, 0xf, FUTEX_OP_CMP_GT, 3), FUTEX_OP(FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 10, FUTEX_OP_CMP_LE, 3),
    };
    for (int i = 0; i < 6; i++) {
        long r = futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &other, ops[i]);
        printf("%ld %d\n", r, other);
    }
    SHOW(futex(&word, FUTEX_WAKE_OP, 1, (void *)1, &other, 6u << 28));
    SHOW(futex(&word, FUTEX_FD, 1, 0, 0, 0));
    SHOW(futex(&word, 0x55, 1, 0, 0, 0));
}
