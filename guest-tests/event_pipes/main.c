// Pipes and FIFOs between processes: whole writes of several writers, end of file, SIGPIPE, opens that wait.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

static void nap(int ms) {
    struct timespec t = {0, ms * 1000000L};
    nanosleep(&t, 0);
}

static pid_t child(void) {
    fflush(stdout);
    return fork();
}

int main(void) {
    int p[2];
    char buf[70000];
    // Four writers of blocks that may not be torn.
    pipe(p);
    for (int w = 0; w < 4; w++)
        if (child() == 0) {
            close(p[0]);
            memset(buf, 'a' + w, 1000);
            for (int i = 0; i < 100; i++)
                if (write(p[1], buf, 1000) != 1000) _exit(1);
            _exit(0);
        }
    close(p[1]);
    int counts[4] = {0}, torn = 0;
    size_t have = 0;
    for (ssize_t n; (n = read(p[0], buf + have, 1000 - have)) > 0;) {
        have += n;
        if (have < 1000) continue;
        have = 0;
        for (int i = 1; i < 1000; i++) torn += buf[i] != buf[0];
        counts[(buf[0] - 'a') & 3]++;
    }
    printf("blocks %d %d %d %d torn %d left %zu\n", counts[0], counts[1], counts[2], counts[3], torn, have);
    for (int i = 0, s; i < 4; i++) {
        wait(&s);
        printf("writer ended %d\n", s);
    }
    close(p[0]);
    // A writer without readers.
    pipe(p);
    if (child() == 0) {
        close(p[0]);
        memset(buf, 'x', sizeof buf);
        ssize_t n = write(p[1], buf, sizeof buf);
        printf("wrote %zd\n", n);
        fflush(stdout);
        signal(SIGPIPE, SIG_IGN);
        n = write(p[1], buf, 1);
        printf("ignored: %zd %s\n", n, strerrorname_np(errno));
        fflush(stdout);
        signal(SIGPIPE, SIG_DFL);
        write(p[1], buf, 1);
        _exit(0);
    }
    close(p[1]);
    // The writer fills the pipe and waits.
    int waiting = 0, status;
    for (int i = 0; i < 1000 && waiting < 65536; i++) {
        nap(10);
        ioctl(p[0], FIONREAD, &waiting);
    }
    printf("waiting %d\n", waiting);
    read(p[0], buf, 100);
    close(p[0]);
    wait(&status);
    printf("killed by SIGPIPE %d\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    // A FIFO whose ends are opened by two processes.
    mkfifo("fifo", 0600);
    if (child() == 0) {
        int w = open("fifo", O_WRONLY);
        write(w, "through the fifo", 16);
        _exit(0);
    }
    int r = open("fifo", O_RDONLY);
    ssize_t n = read(r, buf, 100);
    printf("read %zd '%.*s'\n", n, (int)n, buf);
    SHOW(read(r, buf, 100));
    wait(0);
    close(r);
    // The reader waits longer.
    if (child() == 0) {
        int fd = open("fifo", O_RDONLY);
        n = read(fd, buf, 100);
        printf("late '%.*s'\n", (int)n, buf);
        fflush(stdout);
        _exit(0);
    }
    nap(30);
    int late = open("fifo", O_WRONLY | O_NONBLOCK);
    write(late, "words", 5);
    close(late);
    wait(0);
    // A writer that comes and goes ends the wait for one.
    if (child() == 0) {
        SHOW(open("fifo", O_RDONLY) >= 0);
        fflush(stdout);
        _exit(0);
    }
    nap(30);
    close(open("fifo", O_WRONLY));
    wait(0);
    SHOW(open("fifo", O_WRONLY | O_NONBLOCK));
    return 0;
}
