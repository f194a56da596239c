/* Actions, masks, handlers, and death by a signal. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

static void plain(int s) {}
static void full(int s, siginfo_t *i, void *c) {}

int main(void) {
    struct sigaction a = {0};
    static char stack[65536];
    sigset_t s;
    a.sa_sigaction = full, a.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigaddset(&a.sa_mask, SIGINT), sigaddset(&a.sa_mask, 40);
    sigaction(SIGUSR1, &a, 0), sigaction(SIGUSR1, 0, &a), sigaction(SIGKILL, &a, 0);
    a.sa_handler = plain, a.sa_flags = SA_RESTART | SA_RESETHAND, sigemptyset(&a.sa_mask), sigaction(SIGUSR2, &a, &a);
    a.sa_handler = SIG_IGN, a.sa_flags = 0, sigaction(SIGPIPE, &a, 0), a.sa_handler = plain, sigaction(40, &a, 0);
    sigfillset(&s), sigprocmask(SIG_BLOCK, &s, &s), raise(SIGUSR2), sigpending(&s), sigemptyset(&s), sigprocmask(SIG_SETMASK, &s, 0);
    sigaddset(&s, SIGCHLD), sigaddset(&s, SIGUSR1), sigprocmask(SIG_BLOCK, &s, 0), sigprocmask(SIG_UNBLOCK, &s, &s);
    raise(SIGUSR1), kill(getpid(), SIGUSR1), raise(40), kill(getpid(), 0);
    union sigval v = {.sival_int = 7};
    sigqueue(getpid(), SIGUSR1, v);
    stack_t ss = {stack, 0, sizeof stack}, old;
    sigaltstack(&ss, &old), sigaltstack(0, &old), raise(SIGUSR1), ss.ss_flags = 77, sigaltstack(&ss, 0);
    kill(getpid(), SIGPIPE), kill(getpid(), SIGCHLD);
    *(volatile int *)8 = 1;
    return 0;
}
