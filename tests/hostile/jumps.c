// Jumps and returns to where no code of its own is: random addresses, sevm-like addresses, addresses within instructions and
// on the stack. Every one must end in a signal of its own.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

static sigjmp_buf back;
static void handler(int sig) { siglongjmp(back, sig); }
static uint64_t state = 88172645463325252ull;
static uint64_t next(void) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return state;
}

static void go(uint64_t at, int how) {
#ifdef __x86_64__
    if (how == 0) __asm__ volatile("jmp *%0" ::"r"(at));
    if (how == 1) __asm__ volatile("call *%0" ::"r"(at));
    if (how == 2) __asm__ volatile("push %0\n ret" ::"r"(at));
    // A return address below the stack pointer is taken all the same.
    if (how == 3) __asm__ volatile("mov %0, -128(%%rsp)\n lea -128(%%rsp), %%rsp\n ret $16" ::"r"(at));
#else
    if (how == 0) __asm__ volatile("br %0" ::"r"(at));
    if (how == 1) __asm__ volatile("blr %0" ::"r"(at) : "x30");
    if (how == 2) __asm__ volatile("mov x30, %0\n ret" ::"r"(at) : "x30");
    if (how == 3) __asm__ volatile("ret %0" ::"r"(at));
#endif
}

int main(void) {
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_NODEFER};
    int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    for (int i = 0; i < 5; i++) sigaction(signals[i], &sa, 0);
    uint8_t *data = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 4096; i++) data[i] = next();
    volatile int caught = 0;
    enum { TRIES = 4000 };
    for (volatile int i = 0; i < TRIES; i++) {
        uint64_t at;
        switch (i % 5) {
        case 0: at = next() | 1ull << 45; break;
        case 1: at = next() & 0x7fffffffffff | 1ull << 41; break;
        case 2: at = (uint64_t)data + next() % 4096; break;
        case 3: at = 0x7f0000000000 + (next() & 0xfffffff000); break;
        default: at = (uint64_t)&at & ~15ull; break;
        }
        if (sigsetjmp(back, 1) != 0) {
            caught++;
            continue;
        }
        go(at, i % 4);
    }
    printf("jumps caught %d of %d\n", caught, TRIES);
    return 0;
}
