// Interrupted calls: EINTR, SA_RESTART, and calls that are never or always restarted.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int pipes[2];
static volatile int count;

static void handler(int sig) {
    count++;
    if (count == 2)
        write(pipes[1], "x", 1);
}

static void timer(void) {
    count = 0;
    struct itimerval t = {{0, 30000}, {0, 30000}};
    setitimer(ITIMER_REAL, &t, 0);
}

static void stop(void) {
    struct itimerval t = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &t, 0);
}

int main(void) {
    pipe(pipes);
    struct sigaction sa = {0};
    sa.sa_handler = handler;
    char c;
    sigaction(SIGALRM, &sa, 0);
    timer();
    errno = 0;
    printf("read %zd", read(pipes[0], &c, 1));
    printf(" %d\n", errno);
    stop();
    sa.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &sa, 0);
    timer();
    errno = 0;
    printf("restarted read %zd", read(pipes[0], &c, 1));
    printf(" %d, %d or more\n", errno, count >= 2 ? 2 : count);
    stop();
    timer();
    errno = 0;
    printf("pause %d", pause());
    printf(" %d\n", errno);
    stop();
    timer();
    struct timespec want = {5, 0}, left = {0, 0};
    errno = 0;
    printf("nanosleep %d", nanosleep(&want, &left));
    printf(" %d left %d\n", errno, left.tv_sec == 4 && left.tv_nsec > 500000000);
    stop();
    timer();
    printf("clock_nanosleep %d\n", clock_nanosleep(CLOCK_MONOTONIC, 0, &want, &left));
    stop();
    // A signal that nobody handles does not disturb a sleep.
    signal(SIGALRM, SIG_IGN);
    timer();
    want.tv_sec = 0;
    want.tv_nsec = 150000000;
    printf("ignored %d\n", nanosleep(&want, 0));
    stop();
    signal(SIGALRM, handler);
    sigset_t none;
    sigemptyset(&none);
    timer();
    errno = 0;
    printf("sigsuspend %d", sigsuspend(&none));
    printf(" %d\n", errno);
    stop();
    return 0;
}
