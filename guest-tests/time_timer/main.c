// Interval timers and POSIX timers.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <signal.h>
#include <sys/time.h>

static const char *err(long result) {
    return result == -1 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))
#define HOLDS(expr) printf("%s: %d\n", #expr, !!(expr))

static volatile int count, code, value, overrun;

static void handler(int signal, siginfo_t *info, void *context) {
    count++;
    code = info->si_code;
    value = info->si_value.sival_int;
    overrun = info->si_overrun;
}

static void spin_until(volatile int *what, int least) {
    volatile unsigned x = 0;
    while (*what < least)
        x++;
}

static void nap(int ms) {
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&t, &t) < 0)
        ;
}

int main(void) {
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    for (int s = 1; s < 65; s++)
        if (s == SIGALRM || s == SIGVTALRM || s == SIGPROF || s == SIGUSR1 || s == SIGRTMIN + 1)
            sigaction(s, &act, 0);

    // A timer that repeats, while the program computes.
    struct itimerval it = {{0, 5000}, {0, 5000}}, now, old;
    SHOW(setitimer(ITIMER_REAL, &it, &old));
    HOLDS(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0);
    spin_until(&count, 3);
    SHOW(getitimer(ITIMER_REAL, &now));
    HOLDS(now.it_interval.tv_usec == 5000 && now.it_value.tv_usec <= 5000);
    printf("code %d\n", code);
    SHOW(setitimer(ITIMER_REAL, &(struct itimerval){0}, &old));
    HOLDS(old.it_interval.tv_usec == 5000);
    SHOW(getitimer(ITIMER_REAL, &now));
    HOLDS(now.it_value.tv_sec == 0 && now.it_value.tv_usec == 0 && now.it_interval.tv_usec == 0);
    count = 0;
    it = (struct itimerval){{0, 0}, {0, 20000}};
    SHOW(setitimer(ITIMER_VIRTUAL, &it, 0));
    spin_until(&count, 1);
    SHOW(setitimer(ITIMER_PROF, &it, 0));
    spin_until(&count, 2);
    SHOW(setitimer(3, &it, 0));
    SHOW(getitimer(3, &now));
    it.it_value.tv_usec = 1000000;
    SHOW(setitimer(ITIMER_REAL, &it, 0));
    it.it_value.tv_usec = -1;
    SHOW(setitimer(ITIMER_REAL, &it, 0));
    SHOW(syscall(SYS_setitimer, 0, 8, 0));
    SHOW(syscall(SYS_getitimer, 0, 8));

    printf("alarm %u", alarm(100));
    printf(" %u", alarm(200));
    printf(" %u\n", alarm(0));

    // POSIX timers.
    timer_t timer;
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42};
    count = 0;
    SHOW(timer_create(CLOCK_MONOTONIC, &ev, &timer));
    struct itimerspec spec = {{0, 3000000}, {0, 3000000}}, was;
    SHOW(timer_settime(timer, 0, &spec, &was));
    HOLDS(was.it_value.tv_sec == 0 && was.it_value.tv_nsec == 0);
    spin_until(&count, 2);
    printf("code %d value %d\n", code, value);
    SHOW(timer_gettime(timer, &was));
    HOLDS(was.it_interval.tv_nsec == 3000000 && was.it_value.tv_nsec <= 3000000);
    // Expirations while the signal is blocked are overruns of the one that waits.
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, 0);
    nap(40);
    count = 0;
    sigprocmask(SIG_UNBLOCK, &set, 0);
    SHOW(timer_settime(timer, 0, &(struct itimerspec){0}, 0));
    HOLDS(count >= 1 && overrun >= 0);
    HOLDS(timer_getoverrun(timer) >= 0);
    SHOW(timer_delete(timer));
    SHOW(syscall(SYS_timer_delete, 77));
    SHOW(syscall(SYS_timer_gettime, 77, &was));
    SHOW(syscall(SYS_timer_getoverrun, 77));

    // Until a moment; by real time; to this thread.
    ev.sigev_notify = SIGEV_THREAD_ID;
    ev.sigev_signo = SIGRTMIN + 1;
    ev._sigev_un._tid = gettid();
    SHOW(timer_create(CLOCK_REALTIME, &ev, &timer));
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += 10000000;
    if (t.tv_nsec >= 1000000000)
        t.tv_sec++, t.tv_nsec -= 1000000000;
    spec = (struct itimerspec){{0, 0}, t};
    count = 0;
    SHOW(timer_settime(timer, TIMER_ABSTIME, &spec, 0));
    spin_until(&count, 1);
    printf("code %d value %d overrun %d\n", code, value, overrun);
    SHOW(timer_gettime(timer, &was));
    HOLDS(was.it_value.tv_sec == 0 && was.it_value.tv_nsec == 0);
    spec.it_value.tv_nsec = 1000000000;
    SHOW(timer_settime(timer, 0, &spec, 0));
    SHOW(timer_delete(timer));

    // By CPU time.
    ev.sigev_notify = SIGEV_SIGNAL;
    ev.sigev_signo = SIGUSR1;
    count = 0;
    SHOW(timer_create(CLOCK_PROCESS_CPUTIME_ID, &ev, &timer));
    spec = (struct itimerspec){{0, 0}, {0, 20000000}};
    SHOW(timer_settime(timer, 0, &spec, 0));
    spin_until(&count, 1);
    SHOW(timer_delete(timer));

    // Nothing happens, but the timer runs.
    ev.sigev_notify = SIGEV_NONE;
    SHOW(timer_create(CLOCK_MONOTONIC, &ev, &timer));
    spec = (struct itimerspec){{0, 0}, {100, 0}};
    SHOW(timer_settime(timer, 0, &spec, 0));
    SHOW(timer_gettime(timer, &was));
    HOLDS(was.it_value.tv_sec == 99);
    SHOW(timer_delete(timer));
    ev.sigev_notify = 9;
    int id;
    SHOW(syscall(SYS_timer_create, 1, &ev, &id));
    ev.sigev_notify = SIGEV_SIGNAL;
    ev.sigev_signo = 99;
    SHOW(syscall(SYS_timer_create, 1, &ev, &id));
    SHOW(syscall(SYS_timer_create, 99, 0, &id));
    SHOW(syscall(SYS_timer_create, 5, 0, &id));
    SHOW(syscall(SYS_timer_create, 1, 8, &id));
    SHOW(syscall(SYS_timer_create, 1, 0, 8));
}
