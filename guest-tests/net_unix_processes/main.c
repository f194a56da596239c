// UNIX sockets between processes and between threads.
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_un at = {AF_UNIX, "server"};

static void on_alarm(int sig) { (void)sig; }

static void *echo(void *arg) {
    int fd = (int)(long)arg;
    char buf[4096];
    long n, all = 0;
    while ((n = read(fd, buf, sizeof buf)) > 0) {
        all += n;
        for (long done = 0; done < n;)
            done += write(fd, buf + done, n - done);
    }
    close(fd);
    return (void *)all;
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    // A megabyte back and forth between processes: both fill up and wait.
    int s[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    pid_t pid = fork();
    if (!pid) {
        close(s[0]);
        echo((void *)(long)s[1]);
        _exit(0);
    }
    close(s[1]);
    static char block[100000], back[100000];
    long sent = 0, got = 0, wrong = 0;
    for (int i = 0; i < (int)sizeof block; i++)
        block[i] = i * 7;
    pid_t writer = fork();
    if (!writer) {
        for (int i = 0; i < 10; i++)
            if (write(s[0], block, sizeof block) != sizeof block)
                _exit(1);
        shutdown(s[0], SHUT_WR);
        _exit(0);
    }
    long n;
    while ((n = recv(s[0], back, sizeof back, MSG_WAITALL)) > 0) {
        wrong += memcmp(block, back, n) != 0;
        got += n;
    }
    int status;
    waitpid(writer, &status, 0);
    printf("writer %d got %ld wrong %ld\n", status, got, wrong);
    waitpid(pid, &status, 0);
    printf("echo %d\n", status);
    // A server with a process for each client.
    int l = socket(AF_UNIX, SOCK_STREAM, 0);
    unlink("server");
    bind(l, (void *)&at, sizeof at);
    listen(l, 2);
    for (int i = 0; i < 8; i++)
        if (!fork()) {
            int c = socket(AF_UNIX, SOCK_STREAM, 0);
            char text[20], answer[20] = "";
            if (connect(c, (void *)&at, sizeof at))
                _exit(1);
            sprintf(text, "client %d", i);
            write(c, text, strlen(text) + 1);
            n = recv(c, answer, strlen(text) + 1, MSG_WAITALL);
            _exit(strcmp(text, answer) ? 2 : 0);
        }
    for (int i = 0; i < 8; i++) {
        int c = accept(l, NULL, NULL);
        struct ucred u;
        socklen_t len = sizeof u;
        getsockopt(c, SOL_SOCKET, SO_PEERCRED, &u, &len);
        if (u.pid == getpid() || u.pid <= 0)
            printf("wrong peer\n");
        if (!fork()) {
            close(l);
            echo((void *)(long)c);
            _exit(0);
        }
        close(c);
    }
    int bad = 0;
    for (int i = 0; i < 16; i++) {
        wait(&status);
        bad += status != 0;
    }
    printf("16 children, %d bad\n", bad);
    // Threads.
    pthread_t threads[4];
    int ends[4];
    for (int i = 0; i < 4; i++) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, s);
        ends[i] = s[0];
        pthread_create(threads + i, NULL, echo, (void *)(long)s[1]);
    }
    long total = 0;
    for (int round = 0; round < 50; round++)
        for (int i = 0; i < 4; i++) {
            write(ends[i], block, 1000 + i);
            n = recv(ends[i], back, 1000 + i, MSG_WAITALL);
            total += n;
            wrong += memcmp(block, back, n) != 0;
        }
    for (int i = 0; i < 4; i++) {
        void *all;
        shutdown(ends[i], SHUT_WR);
        pthread_join(threads[i], &all);
        printf("thread %d: %ld\n", i, (long)all);
    }
    printf("total %ld wrong %ld\n", total, wrong);
    // Signals end waits.
    struct sigaction sa = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &sa, NULL);
    alarm(1);
    n = accept(l, NULL, NULL);
    printf("accept %ld %s\n", n, strerrorname_np(errno));
    // A broken pipe kills who does not look.
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    pid = fork();
    if (!pid) {
        signal(SIGPIPE, SIG_DFL);
        close(s[0]);
        for (;;)
            write(s[1], "x", 1);
    }
    close(s[1]);
    close(s[0]);
    waitpid(pid, &status, 0);
    printf("killed by %s\n", WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "nothing");
    return 0;
}
