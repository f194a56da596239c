// Handlers that interrupt handlers, and the order of real-time signals with their values.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int depth, budget;

static void nested(int sig, siginfo_t *info, void *context) {
    depth++;
    printf("%*senter %d value %d\n", depth * 2, "", sig, info->si_code == SI_QUEUE ? info->si_value.sival_int : -1);
    if (sig == SIGUSR1 && budget-- > 0)
        raise(SIGUSR2);
    if (sig == SIGUSR2 && budget-- > 0)
        raise(SIGUSR1);
    printf("%*sleave %d\n", depth * 2, "", sig);
    depth--;
}

int main(void) {
    struct sigaction sa = {0};
    sa.sa_sigaction = nested;
    sa.sa_flags = SA_SIGINFO;
    sigaction(SIGUSR1, &sa, 0);
    sigaction(SIGUSR2, &sa, 0);
    for (int s = SIGRTMIN; s <= SIGRTMAX; s++)
        sigaction(s, &sa, 0);
    budget = 6;
    raise(SIGUSR1);
    sa.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGUSR1, &sa, 0);
    sigaction(SIGUSR2, &sa, 0);
    budget = 6;
    raise(SIGUSR1);

    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &all, 0);
    for (int i = 0; i < 12; i++) {
        union sigval v = {.sival_int = i};
        sigqueue(getpid(), SIGRTMIN + (i * 7) % 3, v);
    }
    // All are delivered before the program goes on, so each interrupts the one before it at its first instruction.
    sigprocmask(SIG_SETMASK, &none, 0);
    printf("done\n");
    return 0;
}
