// The floating-point part of an x86_64 signal frame: how it is laid out, and what a handler can do to the program by
// changing it (arch/x86/kernel/fpu/signal.c of Linux; Intel SDM volume 1, chapter 13).
#define _GNU_SOURCE
#include <cpuid.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { MAGIC1 = 0x46505853, MAGIC2 = 0x46505845, UC_FP_XSTATE = 1 };
enum { X87 = 1, SSE = 2, AVX = 4, HEADER = 512, YMM = 576 };

struct software {
    uint32_t magic1, extended_size;
    uint64_t xfeatures;
    uint32_t xstate_size;
};

// What the program has around the signal.
struct state {
    uint8_t xmm[16][16];
    uint8_t upper[16][16];
    uint32_t mxcsr;
    uint16_t control;
    uint8_t st0[10];
};

static int has_xsave, has_avx;
static uint64_t xcr0;
static void (*change)(uint8_t *area, struct software *sw, ucontext_t *uc);

static void look(void) {
    unsigned a, b, c, d;
    __cpuid(1, a, b, c, d);
    has_xsave = c >> 27 & 1;
    if (has_xsave) {
        unsigned low, high;
        __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
        xcr0 = low | (uint64_t)high << 32;
    }
    has_avx = (c >> 28 & 1) && (xcr0 & 6) == 6;
}

static void handler(int sig, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    uint8_t *area = (uint8_t *)uc->uc_mcontext.fpregs;
    change(area, (struct software *)(area + 464), uc);
    // What the handler itself does with its registers is nobody's concern.
    __asm__ volatile("fninit\n pcmpeqd %%xmm0, %%xmm0\n pcmpeqd %%xmm9, %%xmm9" ::: "xmm0", "xmm9");
}

// Loads `s`, gets a signal, and stores to `s` what the registers are afterwards.
static void signalled(struct state *s) {
    for (int i = 0; i < 16; i++) {
        memset(s->xmm[i], 0x10 + i, 16);
        memset(s->upper[i], 0x80 + i, 16);
    }
    s->mxcsr = 0x3fa0;
    s->control = 0xf7f;
    uint8_t (*v)[16] = s->xmm, (*u)[16] = s->upper;
    long pid = getpid();
    if (has_avx) {
        __asm__ volatile("vmovdqu (%0), %%xmm0\n vinsertf128 $1, (%1), %%ymm0, %%ymm0\n"
                         "vmovdqu 96(%0), %%xmm6\n vinsertf128 $1, 96(%1), %%ymm6, %%ymm6\n"
                         "vmovdqu 240(%0), %%xmm15\n vinsertf128 $1, 240(%1), %%ymm15, %%ymm15\n"
                         "ldmxcsr %2\n fldcw %3\n fld1\n"
                         "mov %4, %%rdi\n mov %5, %%esi\n mov $62, %%eax\n syscall\n"
                         "vmovdqu %%xmm0, (%0)\n vextractf128 $1, %%ymm0, (%1)\n"
                         "vmovdqu %%xmm6, 96(%0)\n vextractf128 $1, %%ymm6, 96(%1)\n"
                         "vmovdqu %%xmm15, 240(%0)\n vextractf128 $1, %%ymm15, 240(%1)\n"
                         "stmxcsr %2\n fnstcw %3\n vzeroupper\n"
                         :
                         : "r"(v), "r"(u), "m"(s->mxcsr), "m"(s->control), "r"(pid), "i"(SIGUSR1)
                         : "rax", "rcx", "r11", "rdi", "rsi", "xmm0", "xmm6", "xmm15", "memory");
    } else {
        __asm__ volatile("movdqu (%0), %%xmm0\n movdqu 96(%0), %%xmm6\n movdqu 240(%0), %%xmm15\n"
                         "ldmxcsr %1\n fldcw %2\n fld1\n"
                         "mov %3, %%rdi\n mov %4, %%esi\n mov $62, %%eax\n syscall\n"
                         "movdqu %%xmm0, (%0)\n movdqu %%xmm6, 96(%0)\n movdqu %%xmm15, 240(%0)\n"
                         "stmxcsr %1\n fnstcw %2\n"
                         :
                         : "r"(v), "m"(s->mxcsr), "m"(s->control), "r"(pid), "i"(SIGUSR1)
                         : "rax", "rcx", "r11", "rdi", "rsi", "xmm0", "xmm6", "xmm15", "memory");
        memset(s->upper, 0, sizeof s->upper);
    }
    // An empty stack gives the indefinite value here, and after it the stack is empty again.
    __asm__ volatile("fstpt %0\n fninit" : "=m"(s->st0));
    uint32_t usual = 0x1f80;
    __asm__ volatile("ldmxcsr %0" ::"m"(usual));
}

static int all(const uint8_t *bytes, int value) {
    for (int i = 0; i < 16; i++)
        if (bytes[i] != value)
            return 0;
    return 1;
}

static const uint8_t one[10] = {0, 0, 0, 0, 0, 0, 0, 0x80, 0xff, 0x3f};

static char letter(const uint8_t *bytes, int kept) { return all(bytes, kept) ? 'k' : all(bytes, 0) ? '0' : '?'; }

// Prints what of the program's state was kept (k), is initial (0), or is something else (?); `upper` is how it shall be for
// the upper halves, where there are any.
static void report(const char *what, const char *upper, void (*f)(uint8_t *, struct software *, ucontext_t *)) {
    struct state s;
    change = f;
    signalled(&s);
    static const int numbers[] = {0, 6, 15};
    char low[4] = {0}, high[4] = {0};
    for (int i = 0; i < 3; i++) {
        int n = numbers[i];
        low[i] = letter(s.xmm[n], 0x10 + n);
        high[i] = letter(s.upper[n], 0x80 + n);
    }
    printf("%-22s xmm %s upper right %d mxcsr %x control %x x87 %d\n", what, low, !has_avx || !strcmp(high, upper), s.mxcsr,
           s.control, memcmp(s.st0, one, 10) == 0);
}

static void nothing(uint8_t *area, struct software *sw, ucontext_t *uc) {}

static void look_at_it(uint8_t *area, struct software *sw, ucontext_t *uc) {
    printf("aligned %d, flag %d\n", (uintptr_t)area % 64 == 0, (uc->uc_flags & UC_FP_XSTATE) == (unsigned)has_xsave);
    uint32_t magic2 = 0, in_area, most = 0;
    uint64_t bv = X87 | SSE | AVX, compact = 0;
    if (has_xsave) {
        unsigned a, b, c, d;
        __cpuid_count(0xd, 0, a, b, c, d);
        memcpy(&magic2, area + sw->xstate_size, 4);
        memcpy(&bv, area + HEADER, 8);
        memcpy(&compact, area + HEADER + 8, 8);
        printf("magic %d, sizes %d, features %d\n", sw->magic1 == MAGIC1 && magic2 == MAGIC2,
               sw->extended_size == sw->xstate_size + 4 && sw->xstate_size <= b && b <= c && (a | (uint64_t)d << 32) == xcr0,
               (sw->xfeatures & ~xcr0) == 0 && (sw->xfeatures & 3) == 3);
    } else {
        printf("magic %d, sizes %d, features %d\n", sw->magic1 == 0, sw->extended_size == 0, sw->xfeatures == 0);
    }
    printf("header %d, x87 %d, xmm %d, upper %d, mxcsr %x\n", (bv & 3) == 3 && compact == 0,
           memcmp(area + 32, one, 10) == 0, all(area + 160 + 6 * 16, 0x16),
           !has_avx || ((bv & AVX) && all(area + YMM + 6 * 16, 0x86)), *(uint32_t *)(area + 24));
    printf("fits the minimum %d\n", getauxval(AT_MINSIGSTKSZ) >= (uintptr_t)(area + (has_xsave ? sw->extended_size : 512)) -
                                        (uintptr_t)uc);
}

static void other_values(uint8_t *area, struct software *sw, ucontext_t *uc) {
    memset(area + 160 + 6 * 16, 0x55, 16);
    if (has_avx)
        memset(area + YMM + 15 * 16, 0x66, 16);
    *(uint32_t *)(area + 24) = 0x5fc0;
    *(uint16_t *)area = 0xb7f;
    // A place of the stack has 16 bytes, of which ten are the register.
    memset(area + 32 + 10, 0xee, 6);
}

static void no_magic(uint8_t *area, struct software *sw, ucontext_t *uc) { sw->magic1 = 0; }
static void no_end(uint8_t *area, struct software *sw, ucontext_t *uc) {
    if (has_xsave)
        area[sw->xstate_size] ^= 1;
}
static void no_fpstate(uint8_t *area, struct software *sw, ucontext_t *uc) { uc->uc_mcontext.fpregs = 0; }
static void header_without_sse(uint8_t *area, struct software *sw, ucontext_t *uc) { area[HEADER] &= ~SSE; }
static void header_without_x87(uint8_t *area, struct software *sw, ucontext_t *uc) { area[HEADER] &= ~X87; }
static void header_without_avx(uint8_t *area, struct software *sw, ucontext_t *uc) { area[HEADER] &= ~AVX; }
static void only_x87(uint8_t *area, struct software *sw, ucontext_t *uc) { sw->xfeatures = X87; }

static void reserved_mxcsr(uint8_t *area, struct software *sw, ucontext_t *uc) { area[26] |= 1; }
static void unknown_component(uint8_t *area, struct software *sw, ucontext_t *uc) { area[HEADER + 7] |= 0x40; }
static void compacted(uint8_t *area, struct software *sw, ucontext_t *uc) { area[HEADER + 15] |= 0x80; }
static void reserved_header(uint8_t *area, struct software *sw, ucontext_t *uc) { area[HEADER + 16] |= 1; }
static void unmapped(uint8_t *area, struct software *sw, ucontext_t *uc) { uc->uc_mcontext.fpregs = (void *)64; }
static void code_segment(uint8_t *area, struct software *sw, ucontext_t *uc) { uc->uc_mcontext.gregs[REG_CSGSFS] = 0; }

// How a process ends that returns through such a frame.
static void fate(const char *what, void (*f)(uint8_t *, struct software *, ucontext_t *)) {
    fflush(stdout);
    if (fork() == 0) {
        struct state s;
        change = f;
        signalled(&s);
        _exit(0);
    }
    int status;
    wait(&status);
    printf("%s: signal %d exit %d\n", what, WTERMSIG(status), WEXITSTATUS(status));
}

// A handler fits a stack of just what the kernel says, and none much smaller.
static volatile int ran;
static void count(int sig) { ran++; }
static void alternate(void) {
    size_t size = getauxval(AT_MINSIGSTKSZ);
    uint8_t *memory = mmap(0, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    // The handler itself needs a little.
    stack_t stack = {.ss_sp = memory + 64, .ss_size = (size + 256) < 2048 ? 2048 : size + 256};
    struct sigaction sa = {.sa_handler = count, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR2, &sa, 0);
    printf("alternate stack %d", sigaltstack(&stack, 0));
    raise(SIGUSR2);
    printf(", ran %d\n", ran);
}

int main(void) {
    look();
    setvbuf(stdout, 0, _IOLBF, 4096);
    struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &sa, 0);
    report("seen", "kkk", look_at_it);
    report("unchanged", "kkk", nothing);
    report("other values", "kk?", other_values);
    report("no floating point", "000", no_fpstate);
    report("end without its magic", "000", no_end);
    report("without the magic", "000", no_magic);
    if (has_xsave) {
        report("no SSE in the header", "kkk", header_without_sse);
        report("no x87 in the header", "kkk", header_without_x87);
        report("no AVX in the header", "000", header_without_avx);
        report("only x87 wanted", "000", only_x87);
        fate("reserved bit of mxcsr", reserved_mxcsr);
        fate("unknown component", unknown_component);
        fate("compacted", compacted);
        fate("reserved bytes of the header", reserved_header);
    }
    fate("not mapped", unmapped);
    fate("code segment", code_segment);
    fate("nothing wrong", nothing);
    alternate();
    return 0;
}
