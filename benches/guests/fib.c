/* Calls and returns. */
#include "kernel.h"
static uint64_t __attribute__((noinline)) fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
uint64_t work(long n) {
    uint64_t sum = 0;
    for (long i = 0; i < n; i++) sum = sum * 31 + fib(29);
    return sum;
}
