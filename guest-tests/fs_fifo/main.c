// Opening FIFOs.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static const char *err(long r) { return r < 0 ? strerrorname_np(errno) : "ok"; }

static void on_alarm(int s) { (void)s; }

int main(void) {
    mkfifo("p", 0600);
    int w = open("p", O_WRONLY | O_NONBLOCK);
    printf("writer without reader: %s\n", err(w));
    int r = open("p", O_RDONLY | O_NONBLOCK);
    printf("reader: %s\n", err(r));
    char buf[10];
    printf("read without writer: %ld\n", (long)read(r, buf, 10));
    w = open("p", O_WRONLY);
    printf("writer: %s\n", err(w));
    long n = read(r, buf, 10);
    printf("empty: %ld %s\n", n, err(n));
    printf("write: %ld\n", (long)write(w, "hello", 5));
    printf("read: %ld\n", (long)read(r, buf, 10));
    int r2 = open("p", O_RDONLY);
    printf("second reader: %s nonblock %d\n", err(r2), !!(fcntl(r2, F_GETFL) & O_NONBLOCK));
    close(w);
    printf("end: %ld\n", (long)read(r2, buf, 10));
    close(r);
    close(r2);
    int both = open("p", O_RDWR);
    printf("both: %s\n", err(both));
    close(both);

    // Waiting for the other end is interrupted by a signal.
    struct sigaction sa = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &sa, 0);
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 50000}}, 0);
    r = open("p", O_RDONLY);
    printf("reader waits: %s\n", err(r));
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 50000}}, 0);
    w = open("p", O_WRONLY);
    printf("writer waits: %s\n", err(w));
    return 0;
}
