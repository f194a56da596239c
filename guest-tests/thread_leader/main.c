/* The first thread ends before the others; another thread ends the process, or replaces its program. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_t first;

static void *outlives(void *p)
{
    pthread_join(first, NULL);
    usleep(20000);
    printf("still here, pid is not tid %d\n", getpid() != (int)syscall(SYS_gettid));
    fflush(stdout);
    if (p)
        exit((long)p);
    return p;
}

static void *executes(void *p)
{
    (void)p;
    execl("/proc/self/exe", "again", "child", (char *)NULL);
    _exit(99);
}

static void *waits(void *p)
{
    for (;;)
        pause();
    return p;
}

static void *ends(void *p)
{
    usleep(10000);
    raise((int)(long)p);
    return p;
}

static int tid_stays(const char *arg)
{
    return getpid() == (int)syscall(SYS_gettid) && !strcmp(arg, "child");
}

static void run(const char *what, void (*f)(void))
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        f();
        _exit(77);
    }
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        printf("%s: signal %d\n", what, WTERMSIG(status));
    else
        printf("%s: status %d\n", what, WEXITSTATUS(status));
}

static void leave(void *p)
{
    pthread_t t;
    first = pthread_self();
    pthread_create(&t, NULL, outlives, p);
    pthread_exit(NULL);
}

static void leave_all(void)
{
    leave(NULL);
}

static void leave_status(void)
{
    leave((void *)42);
}

static void exec_by_thread(void)
{
    pthread_t t;
    pthread_create(&t, NULL, waits, NULL);
    pthread_create(&t, NULL, executes, NULL);
    pthread_join(t, NULL);
}

static void killed_by_thread(void)
{
    pthread_t t;
    pthread_create(&t, NULL, waits, NULL);
    pthread_create(&t, NULL, ends, (void *)SIGABRT);
    for (;;)
        pause();
}

static void stops(void)
{
    pthread_t t;
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        pthread_create(&t, NULL, waits, NULL);
        for (;;)
            pause();
    }
    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    printf("stopped %d by %d\n", WIFSTOPPED(status), WSTOPSIG(status) == SIGSTOP);
    siginfo_t si;
    memset(&si, 0, sizeof si);
    kill(pid, SIGCONT);
    waitid(P_PID, pid, &si, WCONTINUED);
    printf("continued %d status %d\n", si.si_code == CLD_CONTINUED, si.si_status == SIGCONT);
    fflush(stdout);
    kill(pid, SIGSTOP);
    waitid(P_PID, pid, &si, WSTOPPED | WNOWAIT);
    printf("stopped %d status %d\n", si.si_code == CLD_STOPPED, si.si_status == SIGSTOP);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    printf("killed %d\n", WTERMSIG(status));
    fflush(stdout);
    _exit(0);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return tid_stays(argv[1]) ? 5 : 6;
    run("all ended", leave_all);
    run("one exits", leave_status);
    run("exec", exec_by_thread);
    run("abort", killed_by_thread);
    run("stops", stops);
    return 0;
}
