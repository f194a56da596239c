/* Byte stores over memory. */
#include "kernel.h"
#include <string.h>
static unsigned char composite[1 << 20];
uint64_t work(long n) {
    uint64_t sum = 0;
    for (long i = 0; i < n; i++) {
        memset(composite, 0, sizeof composite);
        for (size_t p = 2; p < sizeof composite; p++) {
            if (composite[p]) continue;
            sum += p;
            for (size_t q = 2 * p; q < sizeof composite; q += p) composite[q] = 1;
        }
    }
    return sum;
}
