/* Runs x86_64 cases of the differential test on the processor itself. One signal handler does all: it is entered by the
 * undefined instruction behind a sequence, or by a fault in it, with the registers that the sequence has left in its
 * context; it writes them out, reads the next case, puts that case's registers into the context and returns into its
 * code. It calls no library, since a sequence may have changed the thread pointer, and may make no system call but
 * read, write and sigreturn, since a sequence may run wild. */
#define _GNU_SOURCE
#include <linux/seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>
#include <ucontext.h>

#define CODE 0x400000ull
#define CODE_SIZE (16 * 4096)
#define SCRATCH (CODE + 0x80000)
#define SCRATCH_SIZE (3 * 4096)
#define STRIDE 340
enum { LEGACY = 464, HEADER = 512, YMM = 576, AREA = 832, MAGIC1 = 0x46505853 };

struct state {
    uint64_t gpr[16], rip, rflags, fs, gs;
    unsigned char fpu[LEGACY], ymm[256];
};
struct request {
    struct state state;
    unsigned char code[STRIDE + 4];
    unsigned char memory[SCRATCH_SIZE];
};
struct answer {
    struct state state;
    uint64_t signal, code, address, trap, error;
    unsigned char memory[SCRATCH_SIZE];
};

static struct request request;
static struct answer answer;
/* The code once more, to write it. */
static unsigned char *code;
static unsigned char stack[65536] __attribute__((aligned(64)));

/* Where general registers stand in a context, in the order of their numbers. */
static const unsigned char places[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                         REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static long call(long number, long a, long b, long c) {
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

static void all(long number, long fd, void *data, long size) {
    for (char *at = data; size > 0;) {
        long n = call(number, fd, (long)at, size);
        if (n <= 0) call(SYS_exit, 0, 0, 0);
        at += n, size -= n;
    }
}

static void copy(void *to, const void *from, long size) {
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size)::"memory");
}

static void next(int signal, siginfo_t *info, void *context) {
    static int started, ticks;
    /* A case that is being made small may have set AC, which a handler inherits. */
    __asm__ volatile("lea -128(%%rsp), %%rsp\n pushfq\n btrq $18, (%%rsp)\n popfq\n lea 128(%%rsp), %%rsp" ::: "memory", "cc");
    /* A return address that was skipped may have made a loop: the second tick in one case ends it. */
    if (signal == SIGVTALRM && ++ticks < 2) return;
    ticks = 0;
    ucontext_t *uc = context;
    greg_t *regs = uc->uc_mcontext.gregs;
    unsigned char *fpu = (unsigned char *)uc->uc_mcontext.fpregs;
    int has_ymm = *(uint32_t *)(fpu + LEGACY) == MAGIC1 && *(uint64_t *)(fpu + LEGACY + 8) & 4;
    if (started) {
        struct state *s = &answer.state;
        for (int i = 0; i < 16; i++) s->gpr[i] = regs[places[i]];
        s->rip = regs[REG_RIP], s->rflags = regs[REG_EFL];
        __asm__ volatile("rdfsbase %0\n rdgsbase %1" : "=r"(s->fs), "=r"(s->gs));
        copy(s->fpu, fpu, LEGACY);
        if (has_ymm) copy(s->ymm, fpu + YMM, sizeof s->ymm);
        /* Components that the processor calls unused are not what their place holds. */
        if (has_ymm && !(fpu[HEADER] & 4))
            for (int i = 0; i < 256; i++) s->ymm[i] = 0;
        answer.signal = signal, answer.code = info->si_code, answer.address = (uint64_t)info->si_addr;
        answer.trap = regs[REG_TRAPNO], answer.error = regs[REG_ERR];
        copy(answer.memory, (void *)SCRATCH, SCRATCH_SIZE);
        all(SYS_write, 1, &answer, sizeof answer);
    }
    started = 1;
    all(SYS_read, 0, &request, sizeof request);
    struct state *s = &request.state;
    for (int i = 0; i < 16; i++) regs[places[i]] = s->gpr[i];
    regs[REG_RIP] = s->rip, regs[REG_EFL] = s->rflags;
    __asm__ volatile("wrfsbase %0\n wrgsbase %1" ::"r"(s->fs), "r"(s->gs));
    copy(fpu, s->fpu, LEGACY);
    if (has_ymm) copy(fpu + YMM, s->ymm, sizeof s->ymm), fpu[HEADER] = 7;
    copy(code + (s->rip - CODE), request.code, STRIDE);
    copy((void *)SCRATCH, request.memory, SCRATCH_SIZE);
}

int main(void) {
    int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    int file = memfd_create("code", 0), shared = MAP_SHARED | MAP_FIXED_NOREPLACE;
    if (file < 0 || ftruncate(file, CODE_SIZE) != 0) return 1;
    void *run = mmap((void *)CODE, CODE_SIZE, PROT_READ | PROT_EXEC, shared, file, 0);
    code = mmap(0, CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    void *data = mmap((void *)SCRATCH, SCRATCH_SIZE + 4096, PROT_READ | PROT_WRITE, fixed, -1, 0);
    if (run == MAP_FAILED || code == MAP_FAILED || data == MAP_FAILED) return 1;
    all(SYS_read, 0, (void *)(SCRATCH + SCRATCH_SIZE), 4096);
    if (mprotect((void *)(SCRATCH + SCRATCH_SIZE), 4096, PROT_READ) != 0) return 1;
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction sa = {.sa_sigaction = next, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    if (sigaltstack(&alternate, 0) != 0) return 1;
    int signals[] = {SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGVTALRM};
    for (int i = 0; i < 6; i++)
        if (sigaction(signals[i], &sa, 0) != 0) return 1;
    struct itimerval tick = {{0, 20000}, {0, 20000}};
    if (setitimer(ITIMER_VIRTUAL, &tick, 0) != 0) return 1;
    /* The registers that the first answer would show are of no case; AVX must be in use to be in a frame. */
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) return 1;
    __asm__ volatile("ud2");
    return 1;
}
