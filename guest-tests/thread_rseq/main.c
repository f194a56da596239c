/* Restartable sequences: threads add to a counter of their processor without atomic instructions. Whoever is interrupted
   between load and store must begin anew, or counts are lost. The C library has registered the threads. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

enum { N = 4, ROUNDS = 200000 };

static struct {
    uint64_t n;
    char pad[120];
} counters[1024] __attribute__((aligned(128)));
static uint64_t restarts;
static volatile sig_atomic_t ticks;

static struct rseq *area(void)
{
    return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

/* Adds one to *counter if the thread is on this processor until the end; 0 if it must be tried again. */
static int add(struct rseq *r, uint32_t cpu, uint64_t *counter)
{
#if defined __x86_64__
    __asm__ goto volatile(".pushsection __rseq_cs, \"aw\"\n .balign 32\n 3: .long 0, 0\n .quad 1f, 2f - 1f, 4f\n .popsection\n"
                          "leaq 3b(%%rip), %%rax\n movq %%rax, 8(%[r])\n"
                          "1: cmpl %[cpu], 4(%[r])\n jnz 4f\n"
                          "movq (%[counter]), %%rcx\n movl $30, %%eax\n 5: decl %%eax\n jnz 5b\n"
                          "incq %%rcx\n movq %%rcx, (%[counter])\n"
                          "2: jmp 6f\n .byte 0x0f, 0xb9, 0x3d\n .long 0x53053053\n 4: jmp %l[again]\n 6:\n"
                          :
                          : [r] "r"(r), [cpu] "r"(cpu), [counter] "r"(counter)
                          : "memory", "cc", "rax", "rcx"
                          : again);
#else
    __asm__ goto volatile(".pushsection __rseq_cs, \"aw\"\n .balign 32\n 3: .long 0, 0\n .quad 1f, 2f - 1f, 4f\n .popsection\n"
                          "adrp x9, 3b\n add x9, x9, :lo12:3b\n str x9, [%[r], #8]\n"
                          "1: ldr w10, [%[r], #4]\n cmp w10, %w[cpu]\n b.ne 4f\n"
                          "ldr x10, [%[counter]]\n mov w9, #30\n 5: subs w9, w9, #1\n b.ne 5b\n"
                          "add x10, x10, #1\n str x10, [%[counter]]\n"
                          "2: b 6f\n .inst 0xd428bc00\n 4: b %l[again]\n 6:\n"
                          :
                          : [r] "r"(r), [cpu] "r"(cpu), [counter] "r"(counter)
                          : "memory", "cc", "x9", "x10"
                          : again);
#endif
    return 1;
again:
    return 0;
}

static void *work(void *p)
{
    struct rseq *r = area();
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t cpu;
        while (cpu = *(volatile uint32_t *)&r->cpu_id_start, !add(r, cpu, &counters[cpu].n))
            __atomic_fetch_add(&restarts, 1, __ATOMIC_RELAXED);
    }
    return p;
}

static void on_tick(int n)
{
    (void)n;
    ticks++;
}

int main(void)
{
    pthread_t t[N];
    uint64_t sum = 0;
    printf("registered %d on its processor %d\n", __rseq_size > 0, area()->cpu_id == (uint32_t)sched_getcpu());
    long r = syscall(SYS_rseq, area(), 32, 0, RSEQ_SIG);
    printf("again %ld %d\n", r, errno == EBUSY);
    signal(SIGALRM, on_tick);
    struct itimerval every = {{0, 1000}, {0, 1000}};
    setitimer(ITIMER_REAL, &every, NULL);
    for (int i = 0; i < N; i++)
        pthread_create(&t[i], NULL, work, NULL);
    for (int i = 0; i < N; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 1024; i++)
        sum += counters[i].n;
    printf("sum %lu, ticks %d\n", (unsigned long)sum, ticks > 0);
    return 0;
}
