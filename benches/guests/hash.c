/* A hash table with open addressing: multiply, mask, dependent loads. */
#include "kernel.h"
#include <string.h>
#define SLOTS (1u << 16)
static uint64_t keys[SLOTS], values[SLOTS];
uint64_t work(long n) {
    uint64_t sum = 0;
    for (long r = 0; r < n; r++) {
        memset(keys, 0, sizeof keys);
        uint64_t x = 88172645463325252ull + r;
        for (int i = 0; i < 40000; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            uint64_t key = (x & 0x3fff) + 1;
            uint32_t at = (key * 0x9e3779b97f4a7c15ull) >> 48;
            while (keys[at] && keys[at] != key) at = (at + 1) & (SLOTS - 1);
            keys[at] = key;
            values[at] += x;
            sum += values[at];
        }
    }
    return sum;
}
