// RLIMIT_FSIZE: SIGXFSZ and EFBIG for write, pwrite, truncate, fallocate; what fits is written.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t got;

static void note(int n) {
    (void)n;
    got++;
}

static void say(const char *what, long result) {
    printf("%s %ld %s signals %d\n", what, result, result < 0 ? strerrorname_np(errno) : "ok", (int)got);
}

int main(void) {
    setbuf(stdout, NULL);
    char buf[4096];
    memset(buf, 'x', sizeof buf);
    signal(SIGXFSZ, note);
    int fd = open("sized", O_CREAT | O_RDWR | O_TRUNC, 0600);
    struct rlimit r = {5000, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &r);
    say("write", write(fd, buf, 4096));
    say("write part", write(fd, buf, 4096));
    say("write at the limit", write(fd, buf, 1));
    say("write nothing", write(fd, buf, 0));
    say("pwrite over it", pwrite(fd, buf, 10, 5000));
    say("pwrite across", pwrite(fd, buf, 10, 4995));
    say("pwrite below", pwrite(fd, buf, 10, 100));
    struct iovec v[2] = {{buf, 3}, {buf, 4096}};
    lseek(fd, 4990, SEEK_SET);
    say("writev", writev(fd, v, 2));
    say("ftruncate", ftruncate(fd, 5001));
    say("ftruncate below", ftruncate(fd, 4999));
    say("truncate", truncate("sized", 6000));
    say("fallocate", fallocate(fd, 0, 0, 6000));
    say("fallocate below", fallocate(fd, 0, 0, 5000));
    int from = open("from", O_CREAT | O_RDWR | O_TRUNC, 0600);
    struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &none);
    write(from, buf, 4096), lseek(from, 0, SEEK_SET), lseek(fd, 4900, SEEK_SET);
    setrlimit(RLIMIT_FSIZE, &r);
    say("sendfile", sendfile(fd, from, NULL, 4096));
    int app = open("sized", O_WRONLY | O_APPEND);
    ftruncate(fd, 4990);
    say("append", write(app, buf, 100));
    // Other kinds of files have no such limit.
    int p[2];
    pipe(p);
    r.rlim_cur = 0, setrlimit(RLIMIT_FSIZE, &r);
    say("pipe", write(p[1], buf, 100));
    int null = open("/dev/null", O_WRONLY);
    say("null", write(null, buf, 100));
    say("zero limit", write(fd, buf, 1));
    struct stat s;
    fstat(fd, &s), printf("size %ld\n", (long)s.st_size);
    // Ignored, and as it is by default.
    signal(SIGXFSZ, SIG_IGN);
    say("ignored", write(fd, buf, 1));
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGXFSZ, SIG_DFL);
        write(fd, buf, 1);
        _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    printf("child %s\n", WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "lives");
    return 0;
}
