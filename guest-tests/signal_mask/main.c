// Blocking, pending, ignoring; which signals a queue keeps and in what order they come out.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

static void handler(int sig) { printf("got %d\n", sig); }

static void show(const char *what) {
    sigset_t p;
    sigpending(&p);
    printf("%s:", what);
    for (int s = 1; s <= 64; s++)
        if (sigismember(&p, s) == 1)
            printf(" %d", s);
    printf("\n");
}

int main(void) {
    struct sigaction sa = {0};
    sa.sa_handler = handler;
    for (int s = 1; s <= 64; s++)
        if (s != SIGKILL && s != SIGSTOP && s != 32 && s != 33)
            sigaction(s, &sa, 0);
    sigset_t all, none, old;
    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &all, 0);
    unsigned long raw = 0;
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, &raw, 8);
    printf("mask %lx\n", raw | 0x180000000);
    int order[] = {SIGTERM, SIGRTMIN + 2, SIGUSR1, SIGRTMIN, SIGUSR1, SIGRTMIN + 2, SIGHUP, SIGFPE, SIGRTMIN, SIGSEGV};
    for (unsigned i = 0; i < sizeof order / sizeof *order; i++)
        kill(getpid(), order[i]);
    show("pending");
    sigprocmask(SIG_UNBLOCK, &all, &old);
    show("pending");

    // To the thread comes before to the process when the number is the same or not.
    sigprocmask(SIG_SETMASK, &all, 0);
    kill(getpid(), SIGHUP);
    raise(SIGTERM);
    sigprocmask(SIG_SETMASK, &none, 0);

    // Ignoring discards what is pending.
    sigprocmask(SIG_SETMASK, &all, 0);
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    show("ignored");
    signal(SIGUSR1, handler);
    raise(SIGUSR2);
    raise(SIGCHLD);
    signal(SIGCHLD, SIG_DFL);
    show("default ignored");
    raise(SIGCHLD);
    show("blocked though ignored");
    sigprocmask(SIG_SETMASK, &none, 0);
    show("none");

    // Stop signals and SIGCONT take each other back.
    sigprocmask(SIG_SETMASK, &all, 0);
    raise(SIGTSTP);
    raise(SIGTTIN);
    raise(SIGCONT);
    show("continued");
    raise(SIGTTOU);
    show("stopped");
    sigprocmask(SIG_SETMASK, &none, 0);

    errno = 0;
    printf("how %d", sigprocmask(99, &all, 0));
    printf(" %d\n", errno);
    return 0;
}
