/* memcpy and memset of many sizes, by the C library. */
#include "kernel.h"
#include <string.h>
uint64_t work(long n) {
    static char from[1 << 17], to[1 << 17];
    static const size_t sizes[] = {1, 3, 8, 15, 16, 31, 64, 100, 256, 1000, 4096, 65536};
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof from; i++) from[i] = (char)i;
    for (long r = 0; r < n; r++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            size_t size = sizes[s], times = 20000 / (size / 16 + 10);
            for (size_t i = 0; i < times; i++) {
                memcpy(to + (i * 7 & 255), from + (i * 13 & 255), size);
                if (i % 4 == 0) memset(to + size / 2, (int)i, size / 2);
                sum += (unsigned char)to[size / 2];
            }
        }
    return sum;
}
