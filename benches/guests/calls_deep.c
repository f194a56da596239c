/* Calls through several levels, with arguments on the way down and a sum on the way up. */
#include "kernel.h"
__attribute__((noinline)) static uint64_t leaf(uint64_t a, uint64_t b) { return a * 3 ^ b; }
__attribute__((noinline)) static uint64_t inner(uint64_t a, int depth) {
    if (depth == 0) return leaf(a, a >> 7);
    return inner(a + depth, depth - 1) + leaf(a, depth);
}
uint64_t work(long n) {
    uint64_t sum = 0;
    for (long i = 0; i < n * 50000; i++) sum += inner(i, (int)(i & 7));
    return sum;
}
