/* A system call that does nothing. */
#include "kernel.h"
#include <sys/syscall.h>
#include <unistd.h>
uint64_t work(long n) {
    uint64_t sum = 0;
    for (long i = 0; i < n; i++) sum |= syscall(SYS_getppid) < 0;
    return sum;
}
