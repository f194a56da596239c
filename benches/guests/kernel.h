/* Each kernel is one program: work() does it N times and returns a checksum, which is printed. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t work(long n);

int main(int argc, char **argv) {
    long n = argc > 1 ? atol(argv[1]) : 1;
    printf("%016llx\n", (unsigned long long)work(n));
    return 0;
}
