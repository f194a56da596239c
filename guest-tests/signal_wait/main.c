// sigtimedwait, sigwaitinfo, sigsuspend.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static void handler(int sig) {
    sigset_t now;
    sigprocmask(SIG_BLOCK, 0, &now);
    printf("handler %d: USR1 %d USR2 %d TERM %d\n", sig, sigismember(&now, SIGUSR1), sigismember(&now, SIGUSR2), sigismember(&now, SIGTERM));
}

static void after(int ms) {
    struct itimerval t = {{0, 0}, {0, ms * 1000}};
    setitimer(ITIMER_REAL, &t, 0);
}

int main(void) {
    sigset_t set, one, none, now;
    siginfo_t info;
    struct timespec zero = {0, 0}, brief = {0, 20000000}, bad = {0, 2000000000}, minus = {-1, 0};
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGALRM);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, 0);
    raise(SIGUSR2);
    union sigval v = {.sival_int = 42};
    sigqueue(getpid(), SIGRTMIN, v);
    kill(getpid(), SIGUSR1);
    for (int i = 0; i < 3; i++) {
        memset(&info, 0, sizeof info);
        int s = sigtimedwait(&set, &info, &zero);
        printf("taken %d code %d value %d\n", s, info.si_code, info.si_code == SI_QUEUE ? info.si_value.sival_int : 0);
    }
    errno = 0;
    printf("empty %d", sigtimedwait(&set, &info, &zero));
    printf(" %d\n", errno);
    printf("brief %d", sigtimedwait(&set, &info, &brief));
    printf(" %d\n", errno);
    printf("bad %d", sigtimedwait(&set, &info, &bad));
    printf(" %d\n", errno);
    printf("minus %d", sigtimedwait(&set, &info, &minus));
    printf(" %d\n", errno);
    after(30);
    printf("waited %d", sigwaitinfo(&set, &info));
    printf(" code %d\n", info.si_code);

    // Another signal interrupts the wait.
    struct sigaction sa = {0};
    sa.sa_handler = handler;
    sa.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &sa, 0);
    sigaction(SIGUSR1, &sa, 0);
    sigaction(SIGUSR2, &sa, 0);
    sigemptyset(&one);
    sigaddset(&one, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &one, 0);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    after(30);
    errno = 0;
    printf("interrupted %d", sigwaitinfo(&one, &info));
    printf(" %d\n", errno);

    // sigsuspend takes what is pending at once, under its own mask.
    raise(SIGUSR1);
    raise(SIGUSR2);
    sigemptyset(&one);
    sigaddset(&one, SIGTERM);
    sigaddset(&one, SIGUSR2);
    errno = 0;
    printf("suspend %d", sigsuspend(&one));
    printf(" %d\n", errno);
    sigprocmask(SIG_BLOCK, 0, &now);
    printf("mask after: USR1 %d USR2 %d TERM %d\n", sigismember(&now, SIGUSR1), sigismember(&now, SIGUSR2), sigismember(&now, SIGTERM));
    sigprocmask(SIG_SETMASK, &none, 0);
    printf("size %ld", syscall(SYS_rt_sigtimedwait, &one, 0, &zero, 4));
    printf(" %d\n", errno);
    printf("fault %ld", syscall(SYS_rt_sigtimedwait, 8, 0, &zero, 8));
    printf(" %d\n", errno);
    return 0;
}
