// Faults: code, address, and going on after the handler has changed the program counter.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static void *expected;
static char *page, *readonly, *file;

static void handler(int sig, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    const char *where = info->si_addr == expected ? "right" : "other";
#ifdef __x86_64__
    if (info->si_addr == (void *)uc->uc_mcontext.gregs[REG_R13])
        where = "the instruction";
    printf("signal %d code %d address %s", sig, info->si_code, where);
    printf(" trap %d error %x cr2 %d", (int)uc->uc_mcontext.gregs[REG_TRAPNO], (int)uc->uc_mcontext.gregs[REG_ERR],
           (void *)uc->uc_mcontext.gregs[REG_CR2] == expected);
    uc->uc_mcontext.gregs[REG_RIP] = uc->uc_mcontext.gregs[REG_R12];
#else
    if (info->si_addr == (void *)uc->uc_mcontext.regs[20])
        where = "the instruction";
    printf("signal %d code %d address %s", sig, info->si_code, where);
    printf(" fault_address %d", (void *)uc->uc_mcontext.fault_address == expected);
    uc->uc_mcontext.pc = uc->uc_mcontext.regs[19];
#endif
    printf("\n");
}

#ifdef __x86_64__
#define GUARD(insn, address)                                                                                           \
    __asm__ volatile("lea 2f(%%rip), %%r12\n lea 1f(%%rip), %%r13\n1:" insn "\n2:" ::"a"(address), "c"(0L), "d"(0L)        \
                     : "r12", "r13", "memory", "cc")
#define LOAD "movb (%%rax), %%cl"
#define STORE "movb %%cl, (%%rax)"
#else
#define GUARD(insn, address)                                                                                           \
    do {                                                                                                               \
        register long x0 __asm__("x0") = (long)(address);                                                              \
        __asm__ volatile("adr x19, 2f\n adr x20, 1f\n1:" insn "\n2:" : "+r"(x0)::"x19", "x20", "x1", "memory");                             \
    } while (0)
#define LOAD "ldrb w1, [x0]"
#define STORE "strb w1, [x0]"
#endif

static void try_load(const char *name, void *p) {
    printf("load %s: ", name);
    fflush(stdout);
    expected = p;
    GUARD(LOAD, p);
}

static void try_store(const char *name, void *p) {
    printf("store %s: ", name);
    fflush(stdout);
    expected = p;
    GUARD(STORE, p);
}

static void try_call(const char *name, void *p) {
    printf("call %s: ", name);
    fflush(stdout);
    expected = p;
#ifdef __x86_64__
    GUARD("jmp *%%rax", p);
#else
    GUARD("br x0", p);
#endif
}

int main(void) {
    struct sigaction sa = {0};
    sa.sa_sigaction = handler;
    sa.sa_flags = SA_SIGINFO;
    int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (int i = 0; i < 5; i++)
        sigaction(signals[i], &sa, 0);
    page = mmap(0, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    readonly = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open("short", O_RDWR | O_CREAT | O_TRUNC, 0600);
    write(fd, "abc", 3);
    file = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    try_load("NULL", (void *)0);
    try_load("low", (void *)0x10);
    try_store("NULL", (void *)0);
    try_load("none", page + 5);
    try_store("none", page + 4096);
    try_store("read-only", readonly + 9);
    try_call("NULL", (void *)0);
    try_call("not executable", readonly);
    try_load("beyond the file", file + 4096);
    try_store("beyond the file", file + 4100);
    munmap(readonly, 4096);
    try_load("unmapped", readonly);
#ifdef __x86_64__
    printf("non-canonical: ");
    fflush(stdout);
    expected = 0;
    GUARD("movb (%%rax), %%cl", 1L << 62);
    printf("hlt: ");
    fflush(stdout);
    GUARD("hlt", 0);
    printf("cli: ");
    fflush(stdout);
    GUARD("cli", 0);
    printf("divide: ");
    fflush(stdout);
    GUARD("divl %%ecx", 1L);
    printf("ud2: ");
    fflush(stdout);
    GUARD("ud2", 0);
    printf("int3: ");
    fflush(stdout);
    expected = 0;
    GUARD("int3", 0);
#else
    printf("udf: ");
    fflush(stdout);
    GUARD("udf #0", 0);
    printf("mrs: ");
    fflush(stdout);
    GUARD("mrs x1, sctlr_el1", 0);
    printf("brk: ");
    fflush(stdout);
    GUARD("brk #7", 0);
#endif
    printf("end\n");
    return 0;
}
