/* Runs cases of the differential test under qemu-aarch64. One signal handler does all: it is entered by the undefined
 * instruction behind a sequence, or by a fault in it, with the registers that the sequence has left in its context; it
 * writes them out, reads the next case, puts that case's registers into the context and returns into its code. It
 * calls no library, since a sequence may have changed the thread pointer. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>

#define CODE 0x400000ull
#define CODE_SIZE (16 * 4096)
#define SCRATCH (CODE + 0x80000)
#define SCRATCH_SIZE (3 * 4096)
#define WORDS 24

struct state {
    uint64_t x[31], sp, pc, nzcv, tpidr;
    unsigned __int128 v[32];
    uint32_t fpcr, fpsr;
};
struct request {
    struct state state;
    uint32_t words[WORDS];
    unsigned char memory[SCRATCH_SIZE];
};
struct answer {
    struct state state;
    uint64_t signal, code, address;
    unsigned char memory[SCRATCH_SIZE];
};

static struct request request;
static struct answer answer;
static unsigned char stack[65536] __attribute__((aligned(16)));

static long call(long number, long a, long b, long c) {
    register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
    return x0;
}

static void all(long number, long fd, void *data, long size) {
    for (char *at = data; size > 0;) {
        long n = call(number, fd, (long)at, size);
        if (n <= 0) call(SYS_exit_group, 0, 0, 0);
        at += n, size -= n;
    }
}

static void next(int signal, siginfo_t *info, void *context) {
    static int started;
    ucontext_t *uc = context;
    struct fpsimd_context *fp = (void *)uc->uc_mcontext.__reserved;
    uint64_t tpidr;
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(tpidr));
    if (started) {
        struct state *s = &answer.state;
        for (int i = 0; i < 31; i++) s->x[i] = uc->uc_mcontext.regs[i];
        s->sp = uc->uc_mcontext.sp, s->pc = uc->uc_mcontext.pc;
        s->nzcv = uc->uc_mcontext.pstate & 0xf0000000u, s->tpidr = tpidr;
        for (int i = 0; i < 32; i++) s->v[i] = fp->vregs[i];
        s->fpcr = fp->fpcr, s->fpsr = fp->fpsr;
        answer.signal = signal, answer.code = info->si_code, answer.address = (uint64_t)info->si_addr;
        const uint64_t *from = (void *)SCRATCH;
        uint64_t *to = (void *)answer.memory;
        for (int i = 0; i < SCRATCH_SIZE / 8; i++) to[i] = from[i];
        all(SYS_write, 1, &answer, sizeof answer);
    }
    started = 1;
    all(SYS_read, 0, &request, sizeof request);
    uint32_t *code = (void *)request.state.pc;
    for (int i = 0; i < WORDS; i++) code[i] = request.words[i];
    for (uint64_t at = request.state.pc & ~63ull; at < request.state.pc + 4 * WORDS; at += 64)
        __asm__ volatile("dc cvau, %0\n dsb ish\n ic ivau, %0" ::"r"(at) : "memory");
    __asm__ volatile("dsb ish\n isb" ::: "memory");
    const uint64_t *from = (void *)request.memory;
    uint64_t *to = (void *)SCRATCH;
    for (int i = 0; i < SCRATCH_SIZE / 8; i++) to[i] = from[i];
    struct state *s = &request.state;
    for (int i = 0; i < 31; i++) uc->uc_mcontext.regs[i] = s->x[i];
    uc->uc_mcontext.sp = s->sp, uc->uc_mcontext.pc = s->pc, uc->uc_mcontext.pstate = s->nzcv;
    for (int i = 0; i < 32; i++) fp->vregs[i] = s->v[i];
    fp->fpcr = s->fpcr, fp->fpsr = s->fpsr;
    __asm__ volatile("msr tpidr_el0, %0" ::"r"(s->tpidr));
}

int main(void) {
    int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    mmap((void *)CODE, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, fixed, -1, 0);
    mmap((void *)SCRATCH, SCRATCH_SIZE, PROT_READ | PROT_WRITE, fixed, -1, 0);
    unsigned char *tail = mmap((void *)(SCRATCH + SCRATCH_SIZE), 4096, PROT_READ | PROT_WRITE, fixed, -1, 0);
    all(SYS_read, 0, tail, 4096);
    mprotect(tail, 4096, PROT_READ);
    stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&other, 0);
    struct sigaction action = {.sa_sigaction = next, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigfillset(&action.sa_mask);
    int signals[] = {SIGILL, SIGSEGV, SIGBUS, SIGTRAP, SIGFPE};
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, 0);
    __asm__ volatile("udf 0");
    return 1;
}
