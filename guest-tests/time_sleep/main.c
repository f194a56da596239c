// Sleeping: for a time, until a moment, cut short by a signal, and what is refused.
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

static long long ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static struct timespec at(long long ns) {
    return (struct timespec){ns / 1000000000, ns % 1000000000};
}

static volatile int alarms;

static void on_alarm(int signal) {
    alarms++;
}

static void in_ms(int ms) {
    struct itimerval it = {.it_value = {0, ms * 1000}};
    setitimer(ITIMER_REAL, &it, 0);
}

int main(void) {
    struct timespec t = at(20000000), rest = {7, 7};
    long long start = ns(CLOCK_MONOTONIC);
    SHOW(nanosleep(&t, &rest));
    HOLDS(ns(CLOCK_MONOTONIC) - start >= 20000000);
    HOLDS(rest.tv_sec == 7 && rest.tv_nsec == 7);
    t = at(0);
    SHOW(nanosleep(&t, 0));

    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_BOOTTIME, CLOCK_TAI};
    for (int i = 0; i < 4; i++) {
        start = ns(CLOCK_MONOTONIC);
        t = at(ns(clocks[i]) + 10000000);
        printf("until, clock %d: %d", clocks[i], clock_nanosleep(clocks[i], TIMER_ABSTIME, &t, 0));
        printf(" %d\n", ns(CLOCK_MONOTONIC) - start >= 9000000);
        t = at(10000000);
        printf("for, clock %d: %d\n", clocks[i], clock_nanosleep(clocks[i], 0, &t, 0));
        t = at(1);
        printf("until long ago: %d\n", clock_nanosleep(clocks[i], TIMER_ABSTIME, &t, 0));
    }

    static const struct timespec bad[] = {{-1, 0}, {0, -1}, {0, 1000000000}};
    for (int i = 0; i < 3; i++) {
        SHOW(nanosleep(&bad[i], 0));
        printf("%d\n", clock_nanosleep(CLOCK_MONOTONIC, 0, &bad[i], 0));
    }
    SHOW(syscall(SYS_nanosleep, 8, 0));
    SHOW(syscall(SYS_clock_nanosleep, 1, 0, 8, 0));
    SHOW(syscall(SYS_clock_nanosleep, 99, 0, &t, 0));
    SHOW(syscall(SYS_clock_nanosleep, 3, 0, &t, 0));
    SHOW(syscall(SYS_clock_nanosleep, 4, 0, &t, 0));
    SHOW(syscall(SYS_clock_nanosleep, 5, 0, &t, 0));

    struct sigaction act = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &act, 0);
    in_ms(20);
    t = at(5000000000);
    start = ns(CLOCK_MONOTONIC);
    SHOW(nanosleep(&t, &rest));
    printf("alarms %d\n", alarms);
    HOLDS(rest.tv_sec == 4 && rest.tv_nsec < 1000000000);
    HOLDS(ns(CLOCK_MONOTONIC) - start < 3000000000);

    // SA_RESTART does not restart a sleep.
    act.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &act, 0);
    in_ms(20);
    rest = at(0);
    SHOW(nanosleep(&t, &rest));
    HOLDS(rest.tv_sec == 4);
    in_ms(20);
    t = at(ns(CLOCK_MONOTONIC) + 5000000000);
    rest = (struct timespec){7, 7};
    printf("interrupted until: %d\n", clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, &rest));
    HOLDS(rest.tv_sec == 7);

    // An ignored signal does not end it.
    signal(SIGALRM, SIG_IGN);
    in_ms(5);
    t = at(30000000);
    start = ns(CLOCK_MONOTONIC);
    SHOW(nanosleep(&t, &rest));
    HOLDS(ns(CLOCK_MONOTONIC) - start >= 30000000);
}
