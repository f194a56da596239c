// Processes and threads one after another, for `trace -f`: fork, vfork and execve, a thread, deaths, stops.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void nap(int ms) {
    struct timespec t = {0, ms * 1000000L};
    nanosleep(&t, NULL);
}

static void *thread(void *arg) {
    nap(100);
    write(1, "thread\n", 7);
    nap(100);
    return NULL;
}

static int routine(void *arg) {
    write(1, arg, 6);
    return 9;
}

int main(int argc, char **argv) {
    if (argc > 1) {
        write(1, argv[1], strlen(argv[1]));
        return 4;
    }
    int status, p[2];
    siginfo_t si = {0};
    pid_t pid = fork();
    if (pid == 0) {
        nap(100);
        write(1, "child\n", 6);
        _exit(3);
    }
    wait4(pid, &status, 0, NULL);

    pid = vfork();
    if (pid == 0) {
        execl("/proc/self/exe", "again", "again", NULL);
        _exit(5);
    }
    waitid(P_PID, pid, &si, WEXITED);

    pipe(p);
    pid = fork();
    if (pid == 0) {
        char c;
        close(p[1]);
        read(p[0], &c, 1);
        for (;;) pause();
    }
    close(p[0]);
    nap(100);
    write(p[1], "x", 1);
    nap(100);
    kill(pid, SIGTERM);
    waitpid(-1, &status, 0);
    close(p[1]);

    pid = fork();
    if (pid == 0) {
        raise(SIGSTOP);
        _exit(6);
    }
    waitpid(pid, &status, WUNTRACED);
    nap(100);
    kill(pid, SIGCONT);
    nap(100);
    waitpid(pid, &status, 0);

    static char stack[65536] __attribute__((aligned(16)));
    pid = clone(routine, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, "clone\n");
    waitpid(pid, &status, 0);

    pid = fork();
    if (pid == 0) {
        *(volatile int *)8 = 1;
        _exit(7);
    }
    wait(&status);
    wait(&status);

    pthread_t t;
    pthread_create(&t, NULL, thread, NULL);
    pthread_join(t, NULL);
    return 8;
}
