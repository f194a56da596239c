// mmap, munmap, mprotect and brk: placement, replacement, protection and every error that needs no special privilege.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif

#define P 4096ul
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static sigjmp_buf env;
static volatile int fault_signal, fault_code;
static void *volatile fault_addr;

static void on_fault(int sig, siginfo_t *info, void *context) {
    (void)context;
    fault_signal = sig;
    fault_code = info->si_code;
    fault_addr = info->si_addr;
    siglongjmp(env, 1);
}

// 'r' or 'w': touches one byte and names what happened.
static const char *touch(volatile char *p, char how) {
    static char text[64];
    if (sigsetjmp(env, 1) == 0) {
        if (how == 'w')
            *p = 1;
        else
            (void)*p;
        return "ok";
    }
    snprintf(text, sizeof text, "%s code %d%s", fault_signal == SIGBUS ? "SIGBUS" : "SIGSEGV", fault_code,
             fault_addr == p ? "" : " elsewhere");
    return text;
}

static const char *err(long result) {
    return result == -1 ? strerrorname_np(errno) : "ok";
}

static void *map(void *addr, size_t len, int prot, int flags, int fd, long off) {
    return (void *)syscall(SYS_mmap, addr, len, prot, flags, fd, off);
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))

int main(void) {
    struct sigaction act = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &act, 0);
    sigaction(SIGBUS, &act, 0);

    // Errors, in the kernel's order of checks.
    SHOW(map(0, 0, RW, ANON, -1, 0));
    SHOW(map(0, P, RW, ANON, -1, 1));
    SHOW(map(0, P, RW, MAP_ANONYMOUS, -1, 0));
    SHOW(map(0, P, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0));
    SHOW(map(0, P, RW, MAP_PRIVATE, -1, 0));
    SHOW(map(0, P, RW, MAP_PRIVATE, 999, 0));
    SHOW(map(0, ~0ul, RW, ANON, -1, 0));
    SHOW(map(0, 1ul << 62, RW, ANON, -1, 0));
    SHOW(map((void *)1, P, RW, ANON | MAP_FIXED, -1, 0));
    SHOW(map((void *)-P, P, RW, ANON | MAP_FIXED, -1, 0));
    SHOW(map((void *)(1ul << 63), P, RW, ANON | MAP_FIXED, -1, 0));
    SHOW(map(0, P, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0));

    // Successive mappings go downwards, side by side; a hint is taken when free.
    char *a = map(0, 16 * P, RW, ANON, -1, 0);
    char *b = map(0, 16 * P, RW, ANON, -1, 0);
    printf("downwards: %d\n", b + 16 * P == a);
    munmap(b, 16 * P);
    char *c = map(b + 3, 2 * P, RW, ANON, -1, 0);
    printf("hint: %ld\n", (long)(c - b));
    char *d = map(b, 2 * P, RW, ANON, -1, 0);
    printf("hint taken: %d\n", d == b);
    munmap(d, 2 * P);
    munmap(c, 2 * P);

    // FIXED replaces, FIXED_NOREPLACE does not.
    a[5 * P] = 7;
    a[4 * P] = 6;
    printf("replace: %d\n", map(a + 5 * P, P, RW, ANON | MAP_FIXED, -1, 0) == a + 5 * P);
    printf("bytes: %d %d\n", a[4 * P], a[5 * P]);
    SHOW(map(a + 6 * P, P, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
    SHOW(munmap(a + 6 * P, P));
    SHOW(map(a + 6 * P, P, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));

    // munmap.
    SHOW(munmap(a + 1, P));
    SHOW(munmap(a, 0));
    SHOW(munmap((void *)-P, P));
    SHOW(munmap((void *)(uintptr_t)0x10000, ~0ul));
    SHOW(munmap(a + 2 * P, P));
    SHOW(munmap(a + 2 * P, P));
    printf("unmapped: %s\n", touch(a + 2 * P, 'r'));

    // mprotect, with a hole at page 2.
    SHOW(mprotect(a + 3 * P, 2 * P, PROT_READ));
    printf("read-only: %s\n", touch(a + 3 * P, 'r'));
    printf("read-only: %s\n", touch(a + 3 * P, 'w'));
    printf("behind: %s\n", touch(a + 5 * P, 'w'));
    SHOW(mprotect(a, 4 * P, PROT_NONE));
    printf("before the hole: %s\n", touch(a, 'r'));
    printf("after the hole: %s\n", touch(a + 3 * P, 'r'));
    SHOW(mprotect(a + 1, P, RW));
    SHOW(mprotect(a, 0, RW));
    SHOW(mprotect(a + 2 * P, 0, RW));
    SHOW(mprotect(a, P, 0x40));
    SHOW(mprotect(a, ~0ul, RW));
    SHOW(mprotect(a, P, RW | PROT_GROWSDOWN));
    SHOW(mprotect(a, P, RW | PROT_GROWSUP));
    SHOW(mprotect(a, P, RW | PROT_GROWSUP | PROT_GROWSDOWN));
    SHOW(mprotect(a, P, PROT_WRITE));
    printf("write-only: %s\n", touch(a, 'w'));
    printf("write-only: %s\n", touch(a, 'r'));

    // Files: shared writes arrive, private ones do not, beyond the end is SIGBUS.
    char name[] = "mm_map.XXXXXX";
    int fd = mkstemp(name);
    char page[P];
    memset(page, 'x', P);
    if (write(fd, page, P) != (long)P || write(fd, "tail", 4) != 4)
        return 1;
    char *s = map(0, 4 * P, RW, MAP_SHARED, fd, 0);
    char *p = map(0, 4 * P, RW, MAP_PRIVATE, fd, 0);
    s[0] = 'S';
    p[1] = 'P';
    char got[4];
    if (pread(fd, got, 4, 0) != 4)
        return 1;
    printf("file: %.4s shared: %.4s private: %.4s\n", got, s, p);
    printf("tail: %.4s %d\n", s + P, s[P + 4]);
    printf("beyond: %s\n", touch(s + 2 * P, 'r'));
    printf("beyond: %s\n", touch(p + 2 * P, 'r'));
    printf("write from beyond: %s\n", err(write(fd, s + 2 * P, 1)));
    printf("write across: %ld\n", (long)pwrite(fd, s + P + 4094, 8, 2 * P));
    if (ftruncate(fd, 3 * P))
        return 1;
    printf("grown: %s\n", touch(s + 2 * P, 'w'));
    int ro = open(name, O_RDONLY), wo = open(name, O_WRONLY);
    SHOW(map(0, P, RW, MAP_SHARED, ro, 0));
    SHOW(map(0, P, PROT_READ, MAP_PRIVATE, wo, 0));
    SHOW(map(0, P, RW, MAP_PRIVATE, ro, 0));
    char *r = map(0, P, PROT_READ, MAP_SHARED, ro, 0);
    SHOW(mprotect(r, P, RW));
    SHOW(map(0, P, PROT_READ, MAP_PRIVATE | MAP_GROWSDOWN, ro, 0));
    SHOW(map(0, P, PROT_READ, MAP_SHARED_VALIDATE | 0x400000, ro, 0));
    SHOW(map(0, P, PROT_READ, MAP_SHARED_VALIDATE | MAP_SYNC, ro, 0));
    SHOW(map(0, P, PROT_READ, MAP_PRIVATE | 0x400000, ro, 0));
    SHOW(map(0, 2 * P, PROT_READ, MAP_PRIVATE, ro, (long)-P));
    SHOW(map(0, P, PROT_READ, MAP_PRIVATE | MAP_HUGETLB, ro, 0));
    int dir = open(".", O_RDONLY | O_DIRECTORY);
    SHOW(map(0, P, PROT_READ, MAP_PRIVATE, dir, 0));
    char *kept = map(0, P, RW, ANON, -1, 0);
    *kept = 5;
    SHOW(map(kept, P, PROT_READ, MAP_PRIVATE | MAP_FIXED, dir, 0));
    printf("kept: %d\n", *kept);
    int zero = open("/dev/zero", O_RDWR);
    char *z = map(0, P, RW, MAP_SHARED, zero, 0);
    printf("zero: %s\n", touch(z, 'w'));
    printf("zero: %d\n", z[0]);
    unlink(name);

    // The break.
    char *brk0 = (char *)syscall(SYS_brk, 0);
    char *brk1 = (char *)syscall(SYS_brk, brk0 + 3 * P + 5);
    printf("brk: %ld\n", (long)(brk1 - brk0));
    brk1[-1] = 1;
    printf("brk low: %d\n", (char *)syscall(SYS_brk, 16) == brk1);
    printf("brk high: %d\n", (char *)syscall(SYS_brk, 1ul << 62) == brk1);
    char *wall = (char *)(((uintptr_t)brk1 + 4 * P) & ~(P - 1));
    SHOW(map(wall, P, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
    printf("brk into the wall: %d\n", (char *)syscall(SYS_brk, wall) == brk1);
    printf("brk before the wall: %d\n", (char *)syscall(SYS_brk, wall - P) == wall - P);
    printf("brk back: %d\n", (char *)syscall(SYS_brk, brk0) == brk0);
    munmap(wall, P);

    // Limits.
    struct rlimit lim = {8ul << 20, RLIM_INFINITY}, old;
    getrlimit(RLIMIT_DATA, &old);
    lim.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_DATA, &lim);
    SHOW(map(0, 64ul << 20, RW, ANON, -1, 0));
    SHOW(map(0, 64ul << 20, PROT_READ, ANON, -1, 0));
    setrlimit(RLIMIT_DATA, &old);
    getrlimit(RLIMIT_AS, &old);
    lim.rlim_cur = 128ul << 20;
    lim.rlim_max = old.rlim_max;
    setrlimit(RLIMIT_AS, &lim);
    SHOW(map(0, 256ul << 20, PROT_READ, ANON, -1, 0));
    setrlimit(RLIMIT_AS, &old);

    // Downward growth, and the gap that stops it.
    char *g = map(0, 600 * P, PROT_NONE, ANON, -1, 0);
    munmap(g + P, 599 * P);
    mprotect(g, P, PROT_READ);
    char *stack = map(g + 598 * P, 2 * P, RW, ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    printf("grow: %s\n", touch(stack - P, 'w'));
    printf("grow far: %s\n", touch(stack - 300 * P, 'w'));
    printf("gap: %s\n", touch(g + 100 * P, 'w'));
    int null = open("/dev/zero", O_RDONLY);
    printf("kernel grows: %ld\n", (long)read(null, stack - 310 * P, 8));
    SHOW(mprotect(stack, P, PROT_READ | PROT_GROWSDOWN));
    printf("whole: %s\n", touch(stack - 300 * P, 'w'));
    return 0;
}
