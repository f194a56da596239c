// arch_prctl: the bases of the fs and gs segments.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <asm/prctl.h>

static const char *err(long result) {
    return result == -1 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))
#define HOLDS(expr) printf("%s: %d\n", #expr, !!(expr))

int main(void) {
    unsigned long fs = 0, gs = 1;
    SHOW(syscall(SYS_arch_prctl, ARCH_GET_FS, &fs));
    HOLDS(fs == (unsigned long)__builtin_thread_pointer());
    SHOW(syscall(SYS_arch_prctl, ARCH_SET_FS, fs));
    SHOW(syscall(SYS_arch_prctl, ARCH_SET_GS, &fs));
    SHOW(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs));
    HOLDS(gs == (unsigned long)&fs);
    unsigned long through;
    __asm__("movq %%gs:0, %0" : "=r"(through));
    HOLDS(through == fs);
    SHOW(syscall(SYS_arch_prctl, ARCH_SET_GS, 1ul << 63));
    SHOW(syscall(SYS_arch_prctl, 0x9999, 0));
    SHOW(syscall(SYS_arch_prctl, ARCH_GET_FS, 8));
}
