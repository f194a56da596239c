// execve from a thread: the others end, the caller gets the process's id, and most state survives or resets as it must.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static char *self;

static void handler(int sig) { (void)sig; }

static void *idle(void *unused) {
    for (;;) pause();
    return unused;
}

static void *exec_it(void *expected) {
    char *argv[] = {"name", "second", expected, NULL};
    prctl(PR_SET_PDEATHSIG, SIGWINCH);
    char *envp[] = {"ONLY=this", NULL};
    syscall(SYS_execve, self, argv, envp);
    perror("execve");
    _exit(1);
}

static int second(char **argv) {
    char name[16];
    sigset_t mask;
    struct sigaction sa;
    stack_t ss;
    struct itimerval timer;
    printf("argv0 %s env %s count %d\n", argv[0], getenv("ONLY"), environ[1] == NULL);
    printf("pid kept %d, is first thread %d\n", getpid() == atoi(argv[2]), getpid() == gettid());
    prctl(PR_GET_NAME, name);
    printf("name is the file's: %d\n", strncmp(name, strrchr(self, '/') + 1, 15) == 0);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    printf("mask: USR1 %d USR2 %d\n", sigismember(&mask, SIGUSR1), sigismember(&mask, SIGUSR2));
    sigpending(&mask);
    printf("pending: USR1 %d\n", sigismember(&mask, SIGUSR1));
    sigaction(SIGUSR2, NULL, &sa);
    printf("handled becomes default %d\n", sa.sa_handler == SIG_DFL && sa.sa_flags == 0);
    sigaction(SIGHUP, NULL, &sa);
    printf("ignored stays %d\n", sa.sa_handler == SIG_IGN);
    sigaltstack(NULL, &ss);
    printf("no signal stack %d\n", ss.ss_flags == SS_DISABLE);
    getitimer(ITIMER_REAL, &timer);
    printf("timer runs on %d\n", timer.it_value.tv_sec > 50);
    printf("close-on-exec %d, other %d\n", fcntl(40, F_GETFD), fcntl(41, F_GETFD));
    printf("keepcaps %d dumpable %d\n", prctl(PR_GET_KEEPCAPS), prctl(PR_GET_DUMPABLE));
    printf("death signal %d\n", ({ int s = -1; prctl(PR_GET_PDEATHSIG, &s); s; }));
    return 0;
}

int main(int argc, char **argv) {
    static char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = 0;
    self = path;
    if (argc == 3) return second(argv);
    static char pid[16];
    static char stack[65536];
    snprintf(pid, sizeof pid, "%d", getpid());
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    kill(getpid(), SIGUSR1);
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(SIGUSR2, &sa, NULL);
    signal(SIGHUP, SIG_IGN);
    stack_t ss = {.ss_sp = stack, .ss_size = sizeof stack};
    sigaltstack(&ss, NULL);
    struct itimerval timer = {.it_value = {.tv_sec = 100}};
    setitimer(ITIMER_REAL, &timer, NULL);
    prctl(PR_SET_KEEPCAPS, 1);
    dup2(1, 40);
    fcntl(40, F_SETFD, FD_CLOEXEC);
    dup2(1, 41);
    pthread_t t;
    pthread_create(&t, NULL, idle, NULL);
    pthread_create(&t, NULL, exec_it, pid);
    pthread_join(t, NULL);
    puts("not reached");
    return 1;
}
