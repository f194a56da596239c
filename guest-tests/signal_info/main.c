// What handlers are told: numbers, codes, senders, values, and the mask in force.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static void show_mask(const char *what, const sigset_t *set) {
    printf("%s:", what);
    for (int s = 1; s <= 64; s++)
        if (sigismember(set, s) == 1)
            printf(" %d", s);
    printf("\n");
}

static void plain(int sig) {
    sigset_t now;
    sigprocmask(SIG_BLOCK, 0, &now);
    printf("plain %d\n", sig);
    show_mask("  now", &now);
}

static void informed(int sig, siginfo_t *info, void *context) {
    ucontext_t *uc = context;
    printf("informed %d: signo %d code %d errno %d self %d uid %d\n", sig, info->si_signo, info->si_code, info->si_errno,
           info->si_pid == getpid(), info->si_uid == getuid());
    if (info->si_code == SI_QUEUE)
        printf("  value %d\n", info->si_value.sival_int);
    sigset_t now;
    sigprocmask(SIG_BLOCK, 0, &now);
    show_mask("  now", &now);
    show_mask("  saved", &uc->uc_sigmask);
    printf("  link %d stack flags %d\n", uc->uc_link != 0, uc->uc_stack.ss_flags);
}

int main(void) {
    struct sigaction sa = {0}, old;
    sa.sa_handler = plain;
    sigaction(SIGUSR1, &sa, 0);
    raise(SIGUSR1);
    sa.sa_flags = SA_NODEFER;
    sigaddset(&sa.sa_mask, SIGHUP);
    sigaddset(&sa.sa_mask, SIGKILL);
    sigaction(SIGUSR1, &sa, &old);
    raise(SIGUSR1);
    sa.sa_flags = SA_SIGINFO;
    sa.sa_sigaction = informed;
    sigaction(SIGUSR2, &sa, 0);
    sigaction(SIGRTMIN + 3, &sa, 0);
    sigset_t block;
    sigemptyset(&block);
    sigaddset(&block, SIGTERM);
    sigprocmask(SIG_BLOCK, &block, 0);
    kill(getpid(), SIGUSR2);
    raise(SIGUSR2);
    union sigval v = {.sival_int = 1234567};
    sigqueue(getpid(), SIGRTMIN + 3, v);
    sigqueue(getpid(), SIGUSR2, v);

    sa.sa_flags = SA_SIGINFO | SA_RESETHAND | 0x400 | 0x40;
    sigaction(SIGUSR1, &sa, 0);
    sigaction(SIGUSR1, 0, &old);
    printf("flags %x handler %d\n", old.sa_flags & ~0x4000000, old.sa_sigaction == informed);
    raise(SIGUSR1);
    sigaction(SIGUSR1, 0, &old);
    printf("after reset: default %d flags %x\n", old.sa_handler == SIG_DFL, old.sa_flags & ~0x4000000);

    // A code of one's own to oneself is passed on as it is.
    siginfo_t mine;
    memset(&mine, 0, sizeof mine);
    mine.si_code = -77;
    mine.si_errno = 5;
    mine.si_pid = getpid();
    mine.si_uid = getuid();
    printf("own code %ld\n", syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR2, &mine));
    printf("own code to thread %ld\n", syscall(SYS_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR2, &mine));
    return 0;
}
