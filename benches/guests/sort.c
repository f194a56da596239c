/* Compare and swap with data-dependent branches. */
#include "kernel.h"
#define LEN 100000
static uint32_t data[LEN];
static void sort(uint32_t *a, long lo, long hi) {
    while (lo < hi) {
        uint32_t pivot = a[(lo + hi) / 2];
        long i = lo, j = hi;
        while (i <= j) {
            while (a[i] < pivot) i++;
            while (a[j] > pivot) j--;
            if (i <= j) {
                uint32_t t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        if (j - lo < hi - i) {
            sort(a, lo, j);
            lo = i;
        } else {
            sort(a, i, hi);
            hi = j;
        }
    }
}
uint64_t work(long n) {
    uint64_t sum = 0;
    uint32_t seed = 1;
    for (long r = 0; r < n; r++) {
        for (int i = 0; i < LEN; i++) data[i] = seed = seed * 1664525u + 1013904223u;
        sort(data, 0, LEN - 1);
        for (int i = 0; i < LEN; i += 997) sum = sum * 31 + data[i];
    }
    return sum;
}
