// msgget, msgsnd, msgrcv, msgctl: types, order, waiting, limits, removal.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

struct message {
    long type;
    char text[9000];
};

static int put(int id, long type, const char *text, int flags) {
    struct message m = {.type = type};
    strcpy(m.text, text);
    return msgsnd(id, &m, strlen(text) + 1, flags);
}

static int get(int id, size_t size, long type, int flags) {
    struct message m;
    memset(&m, '?', sizeof m);
    int n = msgrcv(id, &m, size, type, flags);
    if (n >= 0) printf("  %ld '%.*s'\n", m.type, n, m.text);
    return n;
}

static void nothing(int n) { (void)n; }
static void nap(void) {
    struct timespec t = {0, 30000000};
    nanosleep(&t, 0);
}

int main(void) {
    key_t key = 0x5e700000 | (getpid() & 0xfffff);
    SHOW(msgget(key, 0));
    int id = msgget(key, IPC_CREAT | IPC_EXCL | 0620);
    printf("made %d same %d\n", id >= 0, msgget(key, 0) == id);
    SHOW(msgget(key, IPC_CREAT | IPC_EXCL));
    SHOW(put(id, 3, "three", 0));
    SHOW(put(id, 1, "one", 0));
    SHOW(put(id, 2, "two", 0));
    SHOW(put(id, 3, "drei", 0));
    SHOW(put(id, 0, "zero", 0));
    SHOW(put(id, -1, "minus", 0));
    struct msqid_ds ds;
    SHOW(msgctl(id, IPC_STAT, &ds));
    printf("%lu messages %lu bytes of %lu mode %o sender %d\n", (unsigned long)ds.msg_qnum, (unsigned long)ds.__msg_cbytes,
           (unsigned long)ds.msg_qbytes, ds.msg_perm.mode, ds.msg_lspid == getpid());
    SHOW(get(id, 100, 2, 0));
    SHOW(get(id, 2, 0, 0));
    SHOW(get(id, 2, 0, MSG_NOERROR));
    SHOW(get(id, 100, -2, 0));
    SHOW(get(id, 100, 7, IPC_NOWAIT));
    SHOW(put(id, 5, "five", 0));
    SHOW(get(id, 100, 3, MSG_EXCEPT));
    SHOW(get(id, 100, -2, IPC_NOWAIT));
    SHOW(get(id, 100, 0, 0));
    SHOW(get(id, 100, 0, IPC_NOWAIT));
    SHOW(get(id, -1, 0, IPC_NOWAIT));
    SHOW(get(id, 100, 0, MSG_COPY));
    struct message m = {.type = 1};
    SHOW(msgsnd(id, &m, 8193, 0));
    SHOW(msgsnd(id, &m, -1, 0));
    SHOW(msgsnd(id, (void *)8, 1, 0));
    SHOW(msgsnd(-1, &m, 1, 0));
    SHOW(msgsnd(id, &m, 0, 0));
    SHOW(msgrcv(id, (void *)8, 10, 0, IPC_NOWAIT));
    SHOW(msgsnd(id, &m, 8192, IPC_NOWAIT));
    SHOW(msgsnd(id, &m, 8192, IPC_NOWAIT));
    SHOW(msgsnd(id, &m, 1, IPC_NOWAIT));
    // A sender that waits for room.
    fflush(stdout);
    if (fork() == 0) {
        SHOW(put(id, 9, "waited", 0));
        fflush(stdout);
        _exit(0);
    }
    nap();
    printf("%d\n", (int)msgrcv(id, &m, sizeof m.text, 0, 0));
    wait(0);
    printf("%d\n", (int)msgrcv(id, &m, sizeof m.text, 0, 0));
    SHOW(get(id, 100, 0, 0));
    // Receivers that wait get what they want.
    for (int i = 1; i <= 2; i++) {
        fflush(stdout);
        if (fork() == 0) {
            int n = msgrcv(id, &m, 100, i, 0);
            printf("receiver %d: %ld '%.*s'\n", i, m.type, n, m.text);
            fflush(stdout);
            put(id, 100, "done", 0);
            _exit(0);
        }
    }
    nap();
    put(id, 2, "for two", 0);
    get(id, 100, 100, 0);
    put(id, 1, "for one", 0);
    get(id, 100, 100, 0);
    wait(0), wait(0);
    ds.msg_qbytes = 100;
    SHOW(msgctl(id, IPC_SET, &ds));
    m.type = 1;
    SHOW(msgsnd(id, &m, 101, IPC_NOWAIT));
    SHOW(msgctl(id, IPC_SET, (void *)8));
    SHOW(msgctl(id, 77, &ds));
    SHOW(msgctl(-1, IPC_STAT, &ds));
    struct msginfo info;
    int top = msgctl(0, MSG_INFO, (void *)&info), found = 0;
    printf("info %d %d\n", info.msgmax, info.msgmnb);
    for (int i = 0; i <= top; i++) found += msgctl(i, MSG_STAT, &ds) == id;
    printf("found %d\n", found);
    signal(SIGALRM, nothing);
    alarm(1);
    SHOW(get(id, 100, 0, 0));
    fflush(stdout);
    if (fork() == 0) {
        SHOW(get(id, 100, 0, 0));
        fflush(stdout);
        _exit(0);
    }
    nap();
    SHOW(msgctl(id, IPC_RMID, 0));
    wait(0);
    SHOW(msgctl(id, IPC_RMID, 0));
    SHOW(put(id, 1, "gone", 0));
    return 0;
}
