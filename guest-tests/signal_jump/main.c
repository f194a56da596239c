// Leaving handlers by siglongjmp, over and over, and setcontext-like changes of the saved registers.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile int *nowhere = (int *)16;

static void handler(int sig) { siglongjmp(back, sig); }

static void result(int sig, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
#ifdef __x86_64__
    uc->uc_mcontext.gregs[REG_RAX] = 4321;
#else
    uc->uc_mcontext.regs[0] = 4321;
#endif
    sigaddset(&uc->uc_sigmask, SIGHUP);
}

int main(void) {
    struct sigaction sa = {0};
    sa.sa_handler = handler;
    sigaction(SIGSEGV, &sa, 0);
    sigaction(SIGABRT, &sa, 0);
    volatile int faults = 0;
    for (volatile int i = 0; i < 1000; i++) {
        int s = sigsetjmp(back, 1);
        if (s == 0)
            *nowhere = i;
        else
            faults += s == SIGSEGV;
    }
    printf("faults %d\n", faults);
    int s = sigsetjmp(back, 1);
    if (s == 0)
        raise(SIGABRT);
    printf("left with %d\n", s);

    // A change of the saved context shows after the return.
    sa.sa_sigaction = result;
    sa.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &sa, 0);
    long r;
#ifdef __x86_64__
    __asm__ volatile("syscall" : "=a"(r) : "a"(62L), "D"((long)getpid()), "S"((long)SIGUSR1) : "rcx", "r11", "memory");
#else
    register long x0 __asm__("x0") = getpid();
    register long x1 __asm__("x1") = SIGUSR1;
    register long x8 __asm__("x8") = 129;
    __asm__ volatile("svc #0" : "+r"(x0) : "r"(x1), "r"(x8) : "memory");
    r = x0;
#endif
    sigset_t now;
    sigprocmask(SIG_BLOCK, 0, &now);
    printf("result %ld, HUP blocked %d\n", r, sigismember(&now, SIGHUP));
    return 0;
}
