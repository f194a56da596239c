// Alternate stacks.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <setjmp.h>

#ifndef SS_AUTODISARM
#define SS_AUTODISARM (1U << 31)
#endif

static char stack[65536] __attribute__((aligned(16)));
static sigjmp_buf back;

static int on_it(void *p) { return (char *)p >= stack && (char *)p < stack + sizeof stack; }

static void show(const char *what) {
    stack_t now;
    printf("%s: %d", what, sigaltstack(0, &now));
    printf(" base %d size %zu flags %x\n", now.ss_sp == (void *)stack, now.ss_size, now.ss_flags);
}

static void inner(int sig) {
    int here;
    printf("inner %d on %d\n", sig, on_it(&here));
}

static void outer(int sig, siginfo_t *info, void *context) {
    int here;
    ucontext_t *uc = context;
    printf("outer %d on %d aligned %d\n", sig, on_it(&here), (int)((uintptr_t)__builtin_frame_address(0) & 15));
    show("within");
    printf("saved base %d size %zu flags %x\n", uc->uc_stack.ss_sp == (void *)stack, uc->uc_stack.ss_size, uc->uc_stack.ss_flags);
    stack_t off = {.ss_flags = SS_DISABLE};
    errno = 0;
    printf("change within %d", sigaltstack(&off, 0));
    printf(" %d\n", errno);
    raise(SIGUSR2);
}

static void overflowed(int sig, siginfo_t *info, void *context) {
    int here;
    printf("overflow %d code %d on %d\n", sig, info->si_code, on_it(&here));
    siglongjmp(back, 1);
}

static volatile int sink;
static int recurse(int n) {
    volatile char room[4096];
    room[0] = n;
    return recurse(n + 1) + room[0];
}

int main(void) {
    show("start");
    stack_t st = {.ss_sp = stack, .ss_size = sizeof stack};
    printf("set %d\n", sigaltstack(&st, 0));
    show("set");
    struct sigaction sa = {0};
    sa.sa_sigaction = outer;
    sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGUSR1, &sa, 0);
    sa.sa_flags = SA_ONSTACK;
    sa.sa_handler = inner;
    sigaction(SIGUSR2, &sa, 0);
    raise(SIGUSR1);
    raise(SIGUSR2);
    sa.sa_flags = 0;
    sigaction(SIGUSR2, &sa, 0);
    raise(SIGUSR2);

    sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sa.sa_sigaction = overflowed;
    sigaction(SIGSEGV, &sa, 0);
    if (!sigsetjmp(back, 1))
        sink = recurse(0);
    show("after overflow");

    st.ss_flags = SS_AUTODISARM;
    printf("autodisarm %d\n", sigaltstack(&st, 0));
    show("autodisarm");
    sa.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sa.sa_sigaction = outer;
    sigaction(SIGUSR1, &sa, 0);
    raise(SIGUSR1);
    show("armed again");

    errno = 0;
    st.ss_flags = 77;
    printf("flags %d", sigaltstack(&st, 0));
    printf(" %d\n", errno);
    st.ss_flags = 0;
    st.ss_size = 100;
    printf("small %d", sigaltstack(&st, 0));
    printf(" %d\n", errno);
    printf("fault %d", sigaltstack((void *)8, 0));
    printf(" %d\n", errno);
    st.ss_flags = SS_DISABLE;
    printf("disable %d\n", sigaltstack(&st, 0));
    show("disabled");
    return 0;
}
