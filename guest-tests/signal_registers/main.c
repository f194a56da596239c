// rt_sigreturn gives back every register: general, vector, flags, and floating-point control.
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>
#include <sys/syscall.h>

// Rounding towards zero, and up, as each architecture writes them.
#ifdef __x86_64__
enum { DOWN_TO_ZERO = 0xc00, UPWARD = 0x800 };
static void set_rounding(unsigned bits) {
    unsigned short cw = 0x37f | bits;
    unsigned mxcsr = 0x1f80 | bits << 3;
    __asm__ volatile("fldcw %0\n ldmxcsr %1" ::"m"(cw), "m"(mxcsr));
}
static int rounding(void) {
    unsigned short cw;
    unsigned mxcsr;
    __asm__ volatile("fnstcw %0\n stmxcsr %1" : "=m"(cw), "=m"(mxcsr));
    return (cw & 0xc00) == (mxcsr >> 3 & 0xc00) ? cw & 0xc00 : -1;
}
#else
enum { DOWN_TO_ZERO = 0xc00000, UPWARD = 0x400000 };
static void set_rounding(unsigned long bits) { __asm__ volatile("msr fpcr, %0" ::"r"(bits)); }
static int rounding(void) {
    unsigned long bits;
    __asm__ volatile("mrs %0, fpcr" : "=r"(bits));
    return bits & 0xc00000;
}
#endif

static volatile double scratch = 1.5;
static int handled;

static void handler(int sig, siginfo_t *info, void *context) {
    // The handler starts with the default floating-point environment (x86_64) and tramples on what it can.
    handled++;
#ifdef __x86_64__
    unsigned mxcsr;
    unsigned short cw;
    __asm__ volatile("stmxcsr %0\n fnstcw %1" : "=m"(mxcsr), "=m"(cw));
    printf("handler mxcsr %x control %x\n", mxcsr, cw);
    __asm__ volatile("pxor %%xmm0, %%xmm0\n pxor %%xmm7, %%xmm7\n pxor %%xmm15, %%xmm15\n fldz\n fldpi\n"
                     "xor %%eax, %%eax\n std\n cld" ::: "xmm0", "xmm7", "xmm15", "rax", "cc", "st", "st(1)");
#else
    __asm__ volatile("movi v0.16b, #0\n movi v8.16b, #0\n movi v31.16b, #0\n cmp xzr, xzr" ::: "v0", "v8", "v31", "cc");
#endif
    set_rounding(UPWARD);
    scratch /= 3;
}

int main(void) {
    struct sigaction sa = {0};
    sa.sa_sigaction = handler;
    sa.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &sa, 0);
    uint64_t in[48], out[48];
    for (int i = 0; i < 48; i++) {
        in[i] = 0x0123456789abcdefull * (i + 3);
        out[i] = 0;
    }
    set_rounding(DOWN_TO_ZERO);
    long pid = getpid(), flags = 0;
    int round;
#ifdef __x86_64__
    __asm__ volatile("movdqu 0(%1), %%xmm0\n movdqu 16(%1), %%xmm7\n movdqu 32(%1), %%xmm15\n"
                     "mov 48(%1), %%rbx\n mov 56(%1), %%r8\n mov 64(%1), %%r10\n mov 72(%1), %%r15\n"
                     "fld1\n fldl2t\n"
                     "mov %3, %%rdi\n mov %4, %%esi\n mov $62, %%eax\n stc\n"
                     "syscall\n"
                     "pushfq\n pop %0\n"
                     "movdqu %%xmm0, 0(%2)\n movdqu %%xmm7, 16(%2)\n movdqu %%xmm15, 32(%2)\n"
                     "mov %%rbx, 48(%2)\n mov %%r8, 56(%2)\n mov %%r10, 64(%2)\n mov %%r15, 72(%2)\n mov %%rax, 80(%2)\n"
                     "fstpl 88(%2)\n fstpl 96(%2)\n"
                     : "=&r"(flags)
                     : "r"(in), "r"(out), "r"(pid), "i"(SIGUSR1)
                     : "rax", "rbx", "rcx", "rsi", "rdi", "r8", "r10", "r11", "r15", "xmm0", "xmm7", "xmm15", "memory", "cc");
    printf("same %d carry %ld result %ld\n", memcmp(in, out, 80) == 0, flags & 1, (long)out[10]);
    double st[2];
    memcpy(st, out + 11, 16);
    printf("x87 %.15f %.15f\n", st[0], st[1]);
#else
    register long x0 __asm__("x0") = pid;
    register long x1 __asm__("x1") = SIGUSR1;
    register long x8 __asm__("x8") = 129;
    register uint64_t *x20 __asm__("x20") = in;
    register uint64_t *x21 __asm__("x21") = out;
    __asm__ volatile("ldr q0, [x20]\n ldr q8, [x20, #16]\n ldr q31, [x20, #32]\n"
                     "ldp x9, x17, [x20, #48]\n ldp x18, x28, [x20, #64]\n"
                     "mov x2, #5\n cmp x2, #9\n svc #0\n mrs x2, nzcv\n"
                     "str q0, [x21]\n str q8, [x21, #16]\n str q31, [x21, #32]\n"
                     "stp x9, x17, [x21, #48]\n stp x18, x28, [x21, #64]\n str x2, [x21, #80]\n"
                     : "+r"(x0), "+r"(x1), "+r"(x8), "+r"(x20), "+r"(x21)
                     :
                     : "x2", "x9", "x17", "x18", "x28", "v0", "v8", "v31", "memory", "cc");
    printf("same %d nzcv %lx result %ld\n", memcmp(in, out, 80) == 0, (long)out[10], x0);
#endif
    round = rounding();
    printf("rounding kept %d, handled %d\n", round == DOWN_TO_ZERO, handled);
    return 0;
}
