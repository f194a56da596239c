// Instructions of x86_64 that are not for user mode, that show the machine, or that compilers do not use.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

static sigjmp_buf back;
static volatile int last_signal, last_code;

static void on_fault(int number, siginfo_t *info, void *context) {
    (void)context;
    last_signal = number;
    last_code = info->si_code;
    siglongjmp(back, 1);
}

#define TRY(name, ...)                                                       \
    do {                                                                     \
        last_signal = 0;                                                     \
        if (!sigsetjmp(back, 1)) {                                           \
            __VA_ARGS__;                                                     \
        }                                                                    \
        if (last_signal)                                                     \
            printf("%s: signal %d, code %d\n", name, last_signal, last_code); \
        else                                                                 \
            printf("%s: done\n", name);                                      \
    } while (0)

static void refused(void) {
    TRY("hlt", __asm__ volatile("hlt"));
    TRY("cli", __asm__ volatile("cli"));
    TRY("in", __asm__ volatile("in %%dx, %%al" ::: "rax"));
    TRY("wrmsr", __asm__ volatile("wrmsr"));
    TRY("xsetbv", __asm__ volatile("xsetbv"));
    TRY("mov from cr0", __asm__ volatile("mov %%cr0, %%rax" ::: "rax"));
    TRY("lgdt", __asm__ volatile("lgdt (%rsp)"));
    TRY("swapgs", __asm__ volatile("swapgs"));
    TRY("sysret", __asm__ volatile("sysretq"));
    TRY("int 0x20", __asm__ volatile("int $0x20"));
    TRY("monitor", __asm__ volatile("monitor"));
    TRY("ud2", __asm__ volatile("ud2"));
    TRY("lock nop", __asm__ volatile(".byte 0xf0, 0x90"));
    TRY("mov to fs of no segment", __asm__ volatile("mov %0, %%fs" ::"r"(0x53)));
    TRY("mov of 0 to ss", __asm__ volatile("mov %0, %%ss" ::"r"(0)));
    TRY("mov of 0 to gs", __asm__ volatile("mov %0, %%gs" ::"r"(0)));
    TRY("an address that is not canonical", __asm__ volatile("mov (%0), %%rax" ::"r"(0x800000000000) : "rax"));
    TRY("push to page 0", __asm__ volatile("mov %%rsp, %%r12; mov $0x20, %%esp; push %%rax; mov %%r12, %%rsp" ::: "r12"));
    TRY("division by 0", __asm__ volatile("xor %%ecx, %%ecx; mov $1, %%eax; cdq; idiv %%ecx" ::: "rax", "rcx", "rdx"));
    TRY("int3", __asm__ volatile("int3"));
}

static void segments(void) {
    uint16_t s[6];
    __asm__("mov %%cs, %0; mov %%ss, %1; mov %%ds, %2; mov %%es, %3; mov %%fs, %4; mov %%gs, %5"
            : "=r"(s[0]), "=r"(s[1]), "=r"(s[2]), "=r"(s[3]), "=r"(s[4]), "=m"(s[5]));
    printf("cs %x ss %x ds %x es %x fs %x gs %x\n", s[0], s[1], s[2], s[3], s[4], s[5]);
    uint64_t pushed;
    __asm__ volatile("push %%fs; pop %0" : "=r"(pushed));
    printf("push fs: %lx\n", pushed);
}

static void flags(void) {
    uint64_t before, after;
    __asm__ volatile("pushf; pop %0" : "=r"(before));
    __asm__ volatile("pushf; orq $0x200000, (%%rsp); popf; pushf; pop %0; pushf; andq $~0x200000, (%%rsp); popf"
                     : "=r"(after)::"cc");
    printf("the ID flag changes: %lx\n", (before ^ after) & 0x200000);
    __asm__ volatile("stc; pushf; clc; popf; sbb %0, %0" : "=r"(after)::"cc");
    printf("carry comes back: %ld\n", after);
    __asm__ volatile("stc; pushfw; clc; popfw; sbb %0, %0" : "=r"(after)::"cc");
    printf("the same with 16 bits: %ld\n", after);
    __asm__ volatile("std; pushf; cld; pop %0" : "=r"(after));
    printf("direction: %lx\n", after & 0x400);
    __asm__ volatile("mov $0xd500, %%eax; sahf; lahf; mov %%rax, %0" : "=r"(after)::"rax", "cc");
    printf("sahf, lahf: %lx\n", after & 0xff00);
}

static void stack(void) {
    uint64_t frame[64], sp, bp;
    for (int i = 0; i < 64; i++) frame[i] = 1000 + i;
    __asm__ volatile("mov %%rsp, %%r12; mov %%rbp, %%r13; mov %3, %%rsp; mov %2, %%rbp; enter $32, $4;"
                     "mov %%rsp, %0; mov %%rbp, %1; mov %%r12, %%rsp; mov %%r13, %%rbp"
                     : "=r"(sp), "=r"(bp)
                     : "r"(&frame[60]), "r"(&frame[40])
                     : "r12", "r13", "memory");
    printf("enter with 4 levels: rsp %ld rbp %ld,", (sp - (uint64_t)frame) / 8, (bp - (uint64_t)frame) / 8);
    for (int i = 39; i >= 35; i--) printf(" %ld", frame[i] > 2000 ? (frame[i] - (uint64_t)frame) / 8 : frame[i]);
    printf("\n");
    uint64_t both[2] = {1, 2};
    __asm__ volatile("push $77; popq %0; push $78; popq %1" : "=m"(both[0]), "=m"(both[1]));
    printf("pop to memory: %lu %lu\n", both[0], both[1]);
    uint64_t word = ~0ul;
    __asm__ volatile("mov $0x1234, %%eax; pushw %%ax; popw %w0" : "+r"(word)::"rax");
    printf("pop of 16 bits: %lx\n", word);
    __asm__ volatile("mov %%rsp, %%rax; push %%rsp; pop %%rcx; sub %%rcx, %%rax; mov %%rax, %0" : "=r"(word)::"rax", "rcx", "cc");
    printf("push rsp: %ld\n", word);
}

static void strings(void) {
    char *low = mmap((void *)0x10000000, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(low, "copied with 32-bit addresses");
    char *from = low, *to = low + 100;
    uint64_t count = strlen(low) + 1;
    __asm__ volatile("addr32 rep movsb" : "+S"(from), "+D"(to), "+c"(count)::"memory");
    printf("%s: %ld %ld %lu\n", low + 100, (long)(from - low), (long)(to - low), count);
    char *at = "needle in haystack";
    char *start = at;
    count = 100;
    __asm__ volatile("repne scasb" : "+D"(at), "+c"(count) : "a"('k') : "cc", "memory");
    printf("scas: %ld %lu\n", (long)(at - start), count);
    char text[32] = "abcdefghij";
    from = text + 9, to = text + 12, count = 10;
    __asm__ volatile("std; rep movsb; cld" : "+S"(from), "+D"(to), "+c"(count)::"memory");
    printf("downwards: %s %ld %ld\n", text + 3, (long)(from - text), (long)(to - text));
    char *last = low + 8192 - 16;
    to = last, count = 4096;
    TRY("stos over the end", __asm__ volatile("rep stosb" ::"D"(to), "c"(count), "a"('x') : "memory"));
    printf("up to there: %d\n", low[8191] == 'x');
}

static volatile int traps;
static volatile uint64_t trap_at[16];

static void on_trap(int number, siginfo_t *info, void *context) {
    (void)number, (void)info;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    if (traps < 16) trap_at[traps] = registers[REG_RIP];
    if (++traps == 5) registers[REG_EFL] &= ~0x100;
}

static void single_steps(void) {
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    sigaction(SIGTRAP, &action, 0);
    uint64_t start;
    __asm__ volatile("lea 1f(%%rip), %0; pushf; orq $0x100, (%%rsp); popf; 1: nop; lea 1(%%rax), %%rax;"
                     "push %%rax; pop %%rax; nop; nop; nop"
                     : "=&r"(start)::"rax", "cc");
    printf("steps:");
    for (int i = 0; i < traps && i < 16; i++) printf(" %ld", (long)(trap_at[i] - start));
    printf("\n");
}

static void x87(void) {
    uint8_t area[108];
    double value;
    __asm__ volatile("fninit; fldpi; fnsave %0; frstor %0; fstpl %1" : "=m"(area), "=m"(value));
    printf("fnsave and frstor: %.15f\n", value);
    uint32_t environment[7];
    __asm__ volatile("fninit; fld1; fnstenv %0; fldenv %0; fstp %%st(0)" : "=m"(environment));
    printf("environment: %x %x %x\n", environment[0] & 0xffff, environment[1] & 0xffff, environment[2] & 0xffff);
    static uint8_t image[512] __attribute__((aligned(16)));
    uint64_t xmm = 0;
    __asm__ volatile("fninit; mov $0x1234, %%eax; movq %%rax, %%xmm5; fxsave64 %0; pxor %%xmm5, %%xmm5; fxrstor64 %0; movq %%xmm5, %1"
                     : "+m"(image), "=r"(xmm)::"rax", "xmm5");
    printf("fxsave and fxrstor: %lx\n", xmm);
}

int main(void) {
    static char alternate[65536];
    stack_t place = {.ss_sp = alternate, .ss_size = sizeof alternate};
    sigaltstack(&place, 0);
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    for (int number = 1; number < 32; number++)
        if (number == SIGSEGV || number == SIGILL || number == SIGFPE || number == SIGTRAP || number == SIGBUS)
            sigaction(number, &action, 0);
    refused();
    segments();
    flags();
    stack();
    strings();
    x87();
    single_steps();
}
