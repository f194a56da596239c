/* One-byte reads and writes, as dd with bs=1 makes them. */
#include "kernel.h"
#include <fcntl.h>
#include <unistd.h>
uint64_t work(long n) {
    int in = open("/dev/zero", O_RDONLY), out = open("/dev/null", O_WRONLY);
    uint64_t sum = 0;
    char c;
    for (long i = 0; i < n; i++) sum += read(in, &c, 1) + write(out, &c, 1);
    return sum;
}
