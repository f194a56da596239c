// The first thread ends before another: the process lives on, and its parent is told the last thread's code.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int pipe_fds[2];

static void *outlive(void *code) {
    char c;
    // Until the first thread is gone, which nobody can wait for.
    while (read(pipe_fds[0], &c, 1) == 1) {}
    usleep(20000);
    printf("process lives: getpid %d kill %d\n", getpid() != gettid(), kill(getpid(), 0));
    fflush(stdout);
    syscall(SYS_exit, (int)(long)code);
    return NULL;
}

static pid_t run(long code, int group) {
    if (pipe(pipe_fds)) exit(1);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t t;
        pthread_create(&t, NULL, outlive, (void *)code);
        close(pipe_fds[1]);
        if (group) {
            usleep(50000);
            syscall(SYS_exit_group, 11);
        }
        syscall(SYS_exit, 5);
    }
    close(pipe_fds[0]);
    return pid;
}

static void *sleep_long(void *unused) {
    for (;;) pause();
    return unused;
}

static volatile pid_t kid;

static void *make_child(void *unused) {
    kid = fork();
    if (kid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGUSR1);
        for (;;) pause();
    }
    usleep(50000);
    return unused;
}

int main(void) {
    int status = 0;
    pid_t pid = run(9, 0);
    printf("not ended yet: %d\n", waitpid(pid, &status, WNOHANG));
    close(pipe_fds[1]);
    printf("waited %d", waitpid(pid, &status, 0) == pid);
    printf(" code %d\n", WEXITSTATUS(status));

    // exit_group's code counts whoever calls it.
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        pthread_t t;
        pthread_create(&t, NULL, sleep_long, NULL);
        syscall(SYS_exit_group, 12);
    }
    printf("waited %d", waitpid(pid, &status, 0) == pid);
    printf(" code %d\n", WEXITSTATUS(status));

    // A signal ends all threads.
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        pthread_t t;
        pthread_create(&t, NULL, sleep_long, NULL);
        syscall(SYS_exit, 3);
    }
    usleep(50000);
    kill(pid, SIGTERM);
    printf("waited %d", waitpid(pid, &status, 0) == pid);
    printf(" signal %d\n", WTERMSIG(status));

    // A child whose parent thread ends gets its signal and stays a child of the process.
    pthread_t t;
    pthread_create(&t, NULL, make_child, NULL);
    pthread_join(t, NULL);
    printf("child ended: %d", waitpid(kid, &status, 0) == kid);
    printf(" by %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : -1);
    return 0;
}
