/* Timers that tell threads: SIGEV_THREAD_ID, SIGEV_THREAD, SIGEV_NONE, CPU time of a thread and of the process, overruns. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static volatile sig_atomic_t ticks, value, right_thread;
static volatile int tid, called, stop;

static void on_tick(int n, siginfo_t *si, void *uc)
{
    (void)n, (void)uc;
    value = si->si_value.sival_int;
    right_thread = tid == (int)syscall(SYS_gettid);
    ticks++;
}

static void by_function(union sigval v)
{
    called += v.sival_int;
}

static void set(timer_t t, long ms, long every)
{
    struct itimerspec s = {{every / 1000, every % 1000 * 1000000}, {ms / 1000, ms % 1000 * 1000000}};
    timer_settime(t, 0, &s, NULL);
}

static void *spins(void *p)
{
    tid = syscall(SYS_gettid);
    while (!stop)
        ;
    return p;
}

static void spin_until(volatile int *what, int n)
{
    struct timespec b, e;
    clock_gettime(CLOCK_MONOTONIC, &b);
    do
        clock_gettime(CLOCK_MONOTONIC, &e);
    while (*what < n && e.tv_sec - b.tv_sec < 20);
}

static void to_a_thread(clockid_t clock, const char *name)
{
    pthread_t t;
    timer_t timer;
    tid = stop = ticks = 0;
    pthread_create(&t, NULL, spins, NULL);
    while (!tid)
        usleep(1000);
    struct sigevent ev = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 6};
    ev.sigev_notify_thread_id = tid;
    if (clock == CLOCK_THREAD_CPUTIME_ID)
        pthread_getcpuclockid(t, &clock);
    if (timer_create(clock, &ev, &timer))
        perror("timer_create");
    set(timer, 10, 10);
    spin_until(&ticks, 3);
    stop = 1;
    pthread_join(t, NULL);
    timer_delete(timer);
    printf("%s ticks %d value %d in the thread %d\n", name, ticks >= 3, value, right_thread);
}

static void *sleeps(void *p)
{
    usleep(50000);
    return p;
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO | SA_RESTART};
    setvbuf(stdout, NULL, _IONBF, 0);
    sigaction(SIGUSR1, &sa, NULL);
    to_a_thread(CLOCK_MONOTONIC, "monotonic");
    to_a_thread(CLOCK_REALTIME, "realtime");
    to_a_thread(CLOCK_THREAD_CPUTIME_ID, "thread time");
    to_a_thread(CLOCK_PROCESS_CPUTIME_ID, "process time");

    timer_t timer;
    struct sigevent none = {.sigev_notify = SIGEV_NONE}, other = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGUSR1};
    timer_create(CLOCK_MONOTONIC, &none, &timer);
    set(timer, 100000, 0);
    struct itimerspec left;
    timer_gettime(timer, &left);
    printf("left %d\n", left.it_value.tv_sec >= 90);
    timer_delete(timer);
    other.sigev_notify_thread_id = 999999999;
    int r = timer_create(CLOCK_MONOTONIC, &other, &timer);
    printf("no such thread %d %d\n", r, errno == EINVAL);
    struct sigevent fn = {.sigev_notify = SIGEV_THREAD, .sigev_value.sival_int = 1};
    fn.sigev_notify_function = by_function;
    timer_create(CLOCK_MONOTONIC, &fn, &timer);
    set(timer, 2, 2);
    while (called < 3)
        usleep(1000);
    timer_delete(timer);
    printf("called %d\n", called >= 3);

    /* Expirations while the signal is blocked are counted in one signal. */
    sigset_t s;
    siginfo_t si;
    sigemptyset(&s);
    sigaddset(&s, SIGUSR1);
    sigprocmask(SIG_BLOCK, &s, NULL);
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 8};
    timer_create(CLOCK_MONOTONIC, &ev, &timer);
    set(timer, 5, 5);
    usleep(60000);
    sigwaitinfo(&s, &si);
    printf("timer %d value %d overrun %d\n", si.si_code == SI_TIMER, si.si_value.sival_int, si.si_overrun >= 5);
    timer_delete(timer);
    sigprocmask(SIG_UNBLOCK, &s, NULL);

    /* The CPU time of the process is that of its threads; a sleeping one uses none. */
    pthread_t t;
    struct timespec p1, p2, t1;
    pthread_create(&t, NULL, sleeps, NULL);
    clockid_t clock;
    pthread_getcpuclockid(t, &clock);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &p1);
    clock_gettime(clock, &t1);
    for (volatile int i = 0; i < 3000000; i++)
        ;
    pthread_join(t, NULL);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &p2);
    long ns = (p2.tv_sec - p1.tv_sec) * 1000000000L + p2.tv_nsec - p1.tv_nsec;
    printf("process time goes on %d, sleeper has used little %d\n", ns > 0, t1.tv_sec == 0 && t1.tv_nsec < 40000000);

    /* RLIMIT_CPU: a warning, then the end. */
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        struct rlimit limit = {1, 2};
        struct sigaction counts = {.sa_sigaction = on_tick, .sa_flags = SA_SIGINFO};
        ticks = 0;
        sigaction(SIGXCPU, &counts, NULL);
        setrlimit(RLIMIT_CPU, &limit);
        while (!ticks)
            ;
        printf("warned\n");
        for (;;)
            ;
    }
    int status;
    waitpid(pid, &status, 0);
    printf("ended by %d\n", WTERMSIG(status));
    return 0;
}
