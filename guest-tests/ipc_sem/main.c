// semget, semop, semtimedop, semctl: order of waiters, SEM_UNDO, removal, limits.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

static int op(int id, int n, int by, int flags) {
    struct sembuf b = {n, by, flags};
    return semop(id, &b, 1);
}

static void until(int id, int n, int cmd, int count) {
    struct timespec t = {0, 1000000};
    for (int i = 0; i < 5000 && semctl(id, n, cmd) < count; i++) nanosleep(&t, 0);
}

static void nothing(int n) { (void)n; }

int main(void) {
    key_t key = 0x5e600000 | (getpid() & 0xfffff);
    SHOW(semget(key, 3, 0));
    SHOW(semget(key, 0, IPC_CREAT | 0600));
    SHOW(semget(key, -1, IPC_CREAT | 0600));
    SHOW(semget(key, 32001, IPC_CREAT | 0600));
    int id = semget(key, 4, IPC_CREAT | IPC_EXCL | 0600);
    printf("made %d same %d\n", id >= 0, semget(key, 4, 0) == id);
    SHOW(semget(key, 5, 0));
    SHOW(semget(key, 4, IPC_CREAT | IPC_EXCL | 0600));
    unsigned short all[4] = {1, 2, 3, 4}, got[4] = {0};
    SHOW(semctl(id, 0, SETALL, all));
    SHOW(semctl(id, 0, GETALL, got));
    printf("%d %d %d %d\n", got[0], got[1], got[2], got[3]);
    SHOW(semctl(id, 2, SETVAL, 7));
    SHOW(semctl(id, 2, SETVAL, 40000));
    SHOW(semctl(id, 2, SETVAL, -1));
    SHOW(semctl(id, 9, GETVAL));
    SHOW(semctl(id, 2, GETVAL));
    printf("by me %d\n", semctl(id, 2, GETPID) == getpid());
    SHOW(op(id, 0, -1, 0));
    SHOW(op(id, 0, -1, IPC_NOWAIT));
    SHOW(op(id, 0, 0, IPC_NOWAIT));
    SHOW(op(id, 1, 0, IPC_NOWAIT));
    SHOW(op(id, 2, 32767, 0));
    SHOW(op(id, 7, 1, 0));
    SHOW(op(id + 9999, 0, 1, 0));
    SHOW(op(-1, 0, 1, 0));
    struct sembuf many[501] = {{0}}, two[2] = {{1, -2, 0}, {0, -1, IPC_NOWAIT}};
    SHOW(semop(id, many, 501));
    SHOW(semop(id, many, 0));
    SHOW(semop(id, (void *)8, 1));
    SHOW(semop(id, two, 2));
    SHOW(semctl(id, 1, GETVAL));
    struct timespec t = {0, 20000000}, bad = {0, -1};
    SHOW(semtimedop(id, two + 1, 1, &t));
    struct sembuf down = {0, -1, 0};
    SHOW(semtimedop(id, &down, 1, &t));
    SHOW(semtimedop(id, &down, 1, &bad));
    SHOW(semtimedop(id, &down, 1, (void *)8));
    // Three wait; they go on in the order in which they came.
    semctl(id, 3, SETVAL, 0);
    for (int i = 0; i < 3; i++) {
        fflush(stdout);
        if (fork() == 0) {
            op(id, 0, -1, 0);
            printf("went on: %d\n", i);
            fflush(stdout);
            op(id, 3, 1, 0);
            _exit(0);
        }
        until(id, 0, GETNCNT, i + 1);
    }
    SHOW(semctl(id, 0, GETNCNT));
    for (int i = 0; i < 3; i++) {
        op(id, 0, 1, 0);
        op(id, 3, -1, 0);
    }
    for (int i = 0; i < 3; i++) wait(0);
    SHOW(semctl(id, 0, GETNCNT));
    // Waiting for zero.
    semctl(id, 0, SETVAL, 2);
    fflush(stdout);
    if (fork() == 0) {
        SHOW(op(id, 0, 0, 0));
        fflush(stdout);
        _exit(0);
    }
    until(id, 0, GETZCNT, 1);
    SHOW(semctl(id, 0, GETZCNT));
    op(id, 0, -1, 0);
    SHOW(semctl(id, 0, GETZCNT));
    op(id, 0, -1, 0);
    wait(0);
    // What a process took it gives back at its end.
    semctl(id, 1, SETVAL, 5);
    fflush(stdout);
    if (fork() == 0) {
        op(id, 1, -3, SEM_UNDO);
        op(id, 1, -1, 0);
        op(id, 2, 1, SEM_UNDO);
        printf("in the child %d\n", semctl(id, 1, GETVAL));
        fflush(stdout);
        _exit(0);
    }
    wait(0);
    SHOW(semctl(id, 1, GETVAL));
    SHOW(semctl(id, 2, GETVAL));
    // A signal, and removal, end a wait.
    signal(SIGALRM, nothing);
    semctl(id, 0, SETVAL, 0);
    alarm(1);
    SHOW(op(id, 0, -1, 0));
    fflush(stdout);
    if (fork() == 0) {
        SHOW(op(id, 0, -1, 0));
        fflush(stdout);
        _exit(0);
    }
    until(id, 0, GETNCNT, 1);
    struct semid_ds ds;
    SHOW(semctl(id, 0, IPC_STAT, &ds));
    printf("%lu %o %d %d\n", (unsigned long)ds.sem_nsems, ds.sem_perm.mode, ds.sem_otime != 0, ds.sem_ctime != 0);
    ds.sem_perm.mode = 0644;
    SHOW(semctl(id, 0, IPC_SET, &ds));
    SHOW(semctl(id, 0, IPC_STAT, &ds));
    printf("%o\n", ds.sem_perm.mode);
    SHOW(semctl(id, 0, 99, &ds));
    struct seminfo info;
    int top = semctl(0, 0, SEM_INFO, &info), found = 0;
    printf("info %d %d\n", info.semvmx, info.semusz >= 1);
    for (int i = 0; i <= top; i++) found += semctl(i, 0, SEM_STAT, &ds) == id;
    printf("found %d\n", found);
    SHOW(semctl(id, 0, IPC_RMID));
    wait(0);
    SHOW(semctl(id, 0, IPC_RMID));
    SHOW(op(id, 0, 1, 0));
    return 0;
}
