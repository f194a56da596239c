// Control flow of the C library: setjmp, qsort, bsearch, variable arguments, recursion, exit handlers.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static jmp_buf env;
static sigjmp_buf senv;

static void deep(int n) {
    volatile char pad[100];
    pad[0] = n;
    if (n == 0)
        longjmp(env, 42);
    deep(n - 1);
    pad[1] = pad[0];
}

static void handler(int sig) {
    siglongjmp(senv, sig);
}

static int by_value(const void *a, const void *b) {
    unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;
    return x < y ? -1 : x > y;
}

static long double sum(const char *types, ...) {
    va_list ap, copy;
    long double total = 0;
    va_start(ap, types);
    va_copy(copy, ap);
    for (; *types; types++)
        switch (*types) {
        case 'i': total += va_arg(ap, int); break;
        case 'l': total += va_arg(ap, long); break;
        case 'd': total += va_arg(ap, double); break;
        case 'L': total += va_arg(ap, long double); break;
        case 's': total += strlen(va_arg(ap, char *)); break;
        }
    total += 0 * va_arg(copy, int);
    va_end(copy);
    va_end(ap);
    return total;
}

static unsigned long ackermann(unsigned long m, unsigned long n) {
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

static long stack(long n) {
    char frame[1000];
    memset(frame, n, sizeof frame);
    return n == 0 ? 0 : stack(n - 1) + frame[n % 1000] % 2;
}

static void first(void) {
    printf("first handler\n");
}
static void second(void) {
    printf("second handler\n");
}

struct big {
    long a[10];
    double d;
};
static struct big twice(struct big b) {
    for (int i = 0; i < 10; i++)
        b.a[i] *= 2;
    b.d *= 2;
    return b;
}

int main(void) {
    volatile int count = 0;
    int value = setjmp(env);
    printf("setjmp %d\n", value);
    if (count++ < 3)
        deep(50);
    signal(SIGUSR1, handler);
    for (volatile int i = 0; i < 3; i++) {
        value = sigsetjmp(senv, 1);
        if (value == 0)
            raise(SIGUSR1);
        printf("sigsetjmp %d\n", value);
    }
    enum { N = 20000 };
    static unsigned numbers[N];
    unsigned x = 12345;
    for (int i = 0; i < N; i++)
        numbers[i] = x = x * 1664525 + 1013904223;
    qsort(numbers, N, sizeof *numbers, by_value);
    int sorted = 1;
    for (int i = 1; i < N; i++)
        sorted &= numbers[i - 1] <= numbers[i];
    unsigned key = numbers[777];
    unsigned *found = bsearch(&key, numbers, N, sizeof key, by_value);
    printf("sorted %d found %d %u %u\n", sorted, found && *found == key, numbers[0], numbers[N - 1]);
    printf("sum %.3Lf\n", sum("iildLsdi", 1, -2, 1L << 40, 0.5, 2.25L, "hello", 1e3, 7));
    printf("ackermann %lu\n", ackermann(2, 300));
    printf("stack %ld\n", stack(4000));
    struct big b = {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 1.5};
    b = twice(twice(b));
    printf("struct %ld %ld %g\n", b.a[0], b.a[9], b.d);
    __int128 wide = (__int128)0x123456789abcdef0 * 0xfedcba987654321;
    unsigned __int128 quotient = (unsigned __int128)wide / 1000000007, rest = (unsigned __int128)wide % 1000000007;
    printf("int128 %016llx%016llx %016llx%016llx %llu\n", (unsigned long long)(wide >> 64), (unsigned long long)wide,
           (unsigned long long)(quotient >> 64), (unsigned long long)quotient, (unsigned long long)rest);
    volatile unsigned v = 0xf0f01234;
    volatile unsigned long long w = 0x123456789abcdef0;
    printf("bits %d %d %d %d %d %x %llx\n", __builtin_popcount(v), __builtin_clz(v), __builtin_ctz(v),
           __builtin_popcountll(w), __builtin_clzll(w), __builtin_bswap32(v), __builtin_bswap64(w));
    printf("rotate %x %x shift %x %llx\n", v << 7 | v >> 25, v >> 3 | v << 29, (int)v >> 4, w << 13);
    printf("divide %d %d %ld\n", -7 / 2, -7 % 2, -9223372036854775807L / 3);
    atexit(first);
    atexit(second);
    printf("no newline at the end");
    exit(0);
}
