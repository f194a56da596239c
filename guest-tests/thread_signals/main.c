/* Signals and threads: to one of them, to any that takes it, by waiting, by file, with values in order. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_t handled_by;
static volatile sig_atomic_t handled, code, value, depth, deepest;
static volatile int stage, tid;

static void on_signal(int n, siginfo_t *si, void *uc)
{
    (void)uc;
    handled_by = pthread_self();
    code = si->si_code;
    value = si->si_value.sival_int;
    deepest = ++depth > deepest ? depth : deepest;
    handled = n;
    depth--;
}

static void handle(int n, int flags)
{
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | flags};
    sigaction(n, &sa, NULL);
}

static sigset_t set_of(int a, int b)
{
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, a);
    if (b)
        sigaddset(&s, b);
    return s;
}

static const char *err(int e)
{
    return e ? strerrorname_np(e) : "ok";
}

static void show(const char *what, long r)
{
    printf("%s %ld %s\n", what, r, r < 0 ? err(errno) : "");
}

/* Waits until the thread sleeps, in whatever call it makes next. */
static void until_asleep(void)
{
    char path[64], text[256];
    int state = 0;
    while (!tid)
        usleep(1000);
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    for (int i = 0; i < 5000 && state < 3; i++) {
        FILE *f = fopen(path, "r");
        char *p = f && fgets(text, sizeof text, f) ? strrchr(text, ')') : NULL;
        if (f)
            fclose(f);
        /* Not the moment of another, shorter sleep. */
        state = p && p[2] == 'S' ? state + 1 : 0;
        usleep(2000);
    }
}

static void *(*body)(void *);

static void *begin(void *p)
{
    tid = syscall(SYS_gettid);
    return body(p);
}

static void *spins(void *p)
{
    while (!handled)
        ;
    return p;
}

static void *sleeps(void *p)
{
    struct timespec t = {10, 0}, left = {0, 0};
    int r = nanosleep(&t, &left);
    printf("sleep %s left %d\n", r ? err(errno) : "over", left.tv_sec >= 8);
    return p;
}

static void *reads(void *p)
{
    char c;
    long n = read(*(int *)p, &c, 1);
    printf("read %ld %s\n", n, n < 0 ? err(errno) : "");
    return p;
}

static void *polls(void *p)
{
    struct pollfd f = {*(int *)p, POLLIN, 0};
    int n = poll(&f, 1, -1);
    printf("poll %d %s\n", n, n < 0 ? err(errno) : "");
    return p;
}

static void *waits_in_epoll(void *p)
{
    int e = epoll_create1(0);
    struct epoll_event ev = {.events = EPOLLIN}, out;
    epoll_ctl(e, EPOLL_CTL_ADD, *(int *)p, &ev);
    int n = epoll_wait(e, &out, 1, -1);
    printf("epoll %d %s\n", n, n < 0 ? err(errno) : "");
    close(e);
    return p;
}

static void *pauses(void *p)
{
    int n = pause();
    printf("pause %d %s\n", n, err(errno));
    return p;
}

static void *locks(void *p)
{
    /* A futex call is made again, whatever the handler's flags: nothing is printed but the end. */
    pthread_mutex_lock(p);
    pthread_mutex_unlock(p);
    printf("locked\n");
    return p;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void to_one_thread(int pipes[2])
{
    void *(*all[])(void *) = {spins, sleeps, reads, polls, waits_in_epoll, pauses, locks};
    for (int i = 0; i < 7; i++) {
        pthread_t t;
        handled = 0;
        if (i == 6)
            pthread_mutex_lock(&mutex);
        tid = 0;
        body = all[i];
        pthread_create(&t, NULL, begin, i == 6 ? (void *)&mutex : (void *)pipes);
        if (i > 0)
            until_asleep();
        pthread_kill(t, SIGUSR1);
        if (i == 6) {
            until_asleep();
            pthread_mutex_unlock(&mutex);
        }
        pthread_join(t, NULL);
        printf("handled %d by it %d code %d\n", handled, handled_by == t, code == SI_TKILL);
    }
    /* With SA_RESTART the read goes on. */
    pthread_t t;
    handle(SIGUSR1, SA_RESTART);
    tid = handled = 0;
    body = reads;
    pthread_create(&t, NULL, begin, pipes);
    until_asleep();
    pthread_kill(t, SIGUSR1);
    while (!handled)
        usleep(1000);
    if (write(pipes[1], "x", 1) != 1)
        perror("write");
    pthread_join(t, NULL);
    printf("no thread: %s\n", err(pthread_kill(pthread_self(), 65)));
}

static void *takes(void *p)
{
    sigset_t s = set_of(SIGUSR2, 0);
    pthread_sigmask(SIG_UNBLOCK, &s, NULL);
    stage = 1;
    while (handled != SIGUSR2)
        usleep(1000);
    return p;
}

static void *waits_for(void *p)
{
    sigset_t s = set_of(SIGRTMIN, SIGRTMIN + 1);
    siginfo_t si;
    for (int i = 0; i < 5; i++) {
        int n = sigwaitinfo(&s, &si);
        printf("got +%d code %d value %d\n", n - SIGRTMIN, si.si_code == SI_QUEUE, si.si_value.sival_int);
    }
    struct timespec t = {0, 5000000};
    int n = sigtimedwait(&s, &si, &t);
    printf("then %d %s\n", n, err(errno));
    return p;
}

static void to_the_process(void)
{
    pthread_t t;
    sigset_t both = set_of(SIGUSR2, SIGRTMIN), two = set_of(SIGRTMIN + 1, 0);
    pthread_sigmask(SIG_BLOCK, &both, NULL);
    pthread_sigmask(SIG_BLOCK, &two, NULL);
    handle(SIGUSR2, 0);
    handled = 0;
    stage = 0;
    pthread_create(&t, NULL, takes, NULL);
    while (!stage)
        usleep(1000);
    kill(getpid(), SIGUSR2);
    pthread_join(t, NULL);
    printf("taken by the one that may %d\n", handled_by == t);
    /* Queued before anybody waits: lowest number first, each in order. */
    int numbers[] = {1, 0, 1, 0, 0};
    for (int i = 0; i < 5; i++)
        sigqueue(getpid(), SIGRTMIN + numbers[i], (union sigval){.sival_int = i});
    pthread_create(&t, NULL, waits_for, NULL);
    pthread_join(t, NULL);
    /* To one thread with a value. */
    siginfo_t si = {.si_code = SI_QUEUE};
    si.si_pid = getpid();
    si.si_uid = getuid();
    si.si_value.sival_int = 77;
    syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGRTMIN, &si);
    sigset_t s = set_of(SIGRTMIN, 0);
    memset(&si, 0, sizeof si);
    sigwaitinfo(&s, &si);
    printf("value %d\n", si.si_value.sival_int);
    syscall(SYS_tkill, syscall(SYS_gettid), SIGUSR2);
    sigset_t pending;
    sigpending(&pending);
    printf("pending %d\n", sigismember(&pending, SIGUSR2));
    struct timespec none = {0, 0};
    s = set_of(SIGUSR2, 0);
    printf("taken %d\n", sigtimedwait(&s, NULL, &none));
    show("wrong group", syscall(SYS_tgkill, 1, syscall(SYS_gettid), SIGUSR2));
}

static void limit(void)
{
    struct rlimit old, two;
    getrlimit(RLIMIT_SIGPENDING, &old);
    int full = 0, n = 0;
    two = (struct rlimit){5, old.rlim_max};
    setrlimit(RLIMIT_SIGPENDING, &two);
    for (; n < 10 && !full; n++)
        full = sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = n}) ? errno : 0;
    /* How many fit depends on what else the user has pending. */
    printf("full %s, within the limit %d\n", err(full), n <= 6);
    setrlimit(RLIMIT_SIGPENDING, &old);
    sigset_t s = set_of(SIGRTMIN, 0);
    struct timespec none = {0, 0};
    while (sigtimedwait(&s, NULL, &none) > 0)
        ;
}

static void *writes(void *p)
{
    usleep(30000);
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 5});
    return p;
}

static void by_file(void)
{
    struct signalfd_siginfo si[3];
    sigset_t s = set_of(SIGUSR2, SIGRTMIN), more = set_of(SIGRTMIN + 1, SIGCHLD);
    int fd = signalfd(-1, &s, SFD_NONBLOCK | SFD_CLOEXEC);
    pthread_t t;
    sigprocmask(SIG_BLOCK, &more, NULL);
    show("empty", read(fd, si, sizeof si));
    show("small", read(fd, si, 100));
    kill(getpid(), SIGUSR2);
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1});
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 2});
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 3});
    struct pollfd p = {fd, POLLIN | POLLOUT, 0};
    int ready = poll(&p, 1, 0);
    printf("poll %d %x\n", ready, p.revents);
    ssize_t n = read(fd, si, sizeof si);
    printf("read %zd\n", n / (ssize_t)sizeof si[0]);
    for (int i = 0; i < 3; i++)
        printf("signal %d code %d value %d from me %d\n", (int)si[i].ssi_signo, si[i].ssi_code, si[i].ssi_int,
               si[i].ssi_pid == (unsigned)getpid());
    printf("poll %d\n", poll(&p, 1, 0));
    printf("same %d\n", signalfd(fd, &more, 0) == fd);
    printf("poll %d\n", poll(&p, 1, 0));
    n = read(fd, si, sizeof si);
    printf("read %zd value %d\n", n / (ssize_t)sizeof si[0], si[0].ssi_int);
    int epoll = epoll_create1(0);
    struct epoll_event ev = {.events = EPOLLIN}, out;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev);
    pthread_create(&t, NULL, writes, NULL);
    printf("epoll %d\n", epoll_wait(epoll, &out, 1, -1));
    pthread_join(t, NULL);
    n = read(fd, si, sizeof si);
    pid_t pid = fork();
    if (pid == 0)
        _exit(9);
    waitpid(pid, NULL, 0);
    n = read(fd, si, sizeof si);
    printf("child %d %d %d status %d\n", n == sizeof si[0], si[0].ssi_signo == SIGCHLD, si[0].ssi_pid == (unsigned)pid,
           si[0].ssi_status);
    int blocking = syscall(SYS_signalfd4, -1, &more, 8, 0);
    pthread_create(&t, NULL, writes, NULL);
    n = read(blocking, si, sizeof si);
    pthread_join(t, NULL);
    printf("waited %zd value %d\n", n / (ssize_t)sizeof si[0], si[0].ssi_int);
    show("bad size", syscall(SYS_signalfd4, -1, &more, 4, 0));
    show("bad flags", syscall(SYS_signalfd4, -1, &more, 8, 1));
    show("not a signalfd", syscall(SYS_signalfd4, 1, &more, 8, 0));
    show("not open", syscall(SYS_signalfd4, 99, &more, 8, 0));
    show("write", write(fd, si, 128));
#ifdef SYS_signalfd
    int first = syscall(SYS_signalfd, -1, &more, 8);
#else
    int first = 3; /* aarch64 never had it */
#endif
    printf("first form %d\n", first > 2);
}

static void *dies(void *p)
{
    sigset_t s = set_of(SIGUSR2, 0);
    pthread_sigmask(SIG_UNBLOCK, &s, NULL);
    return p;
}

int main(void)
{
    int pipes[2];
    pthread_t t;
    setvbuf(stdout, NULL, _IONBF, 0);
    if (pipe(pipes))
        perror("pipe");
    handle(SIGUSR1, 0);
    to_one_thread(pipes);
    to_the_process();
    limit();
    by_file();
    pthread_create(&t, NULL, dies, NULL);
    pthread_join(t, NULL);
    /* The end of the thread, and of the first thread, leave the others running. */
    printf("end\n");
    return 0;
}
