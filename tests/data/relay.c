// Starts the program of the other architecture in every way there is. Arguments: a role, the path of the other program
// and that of this one.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char *other, *self;
static char number[20];

static void ended(const char *how, pid_t pid) {
    int status = -1;
    if (waitpid(pid, &status, 0) != pid) printf("%s: no child\n", how);
    else if (WIFEXITED(status)) printf("%s: code %d\n", how, WEXITSTATUS(status));
    else printf("%s: %s\n", how, sigabbrev_np(WTERMSIG(status)));
    fflush(stdout);
}

// What a new program sees of the one before.
static int look(char **argv) {
    struct utsname u;
    uname(&u);
    struct sigaction ignored, caught;
    sigset_t mask;
    sigaction(SIGUSR1, NULL, &ignored);
    sigaction(SIGUSR2, NULL, &caught);
    sigprocmask(0, NULL, &mask);
    char buf[8] = {0};
    ssize_t n = read(7, buf, 3);
    printf("%s sees pid %d ignored %d caught %d blocked %d file %zd %s closed %d environment %s\n", u.machine,
           getpid() == atoi(argv[4]), ignored.sa_handler == SIG_IGN, caught.sa_handler != SIG_DFL,
           sigismember(&mask, SIGHUP), n, buf, fcntl(8, F_GETFD) < 0, getenv("RELAY"));
    fflush(stdout);
    return 5;
}

static int variable = 1;

static void by_vfork(void) {
    char *args[] = {other, "code", "21", NULL};
    pid_t pid = vfork();
    if (pid == 0) {
        variable = 2;
        execve(other, args, environ);
        _exit(100);
    }
    ended("vfork and execve", pid);
    printf("memory was shared %d\n", variable == 2);
    pid = vfork();
    if (pid == 0) {
        execve("/nothing/here", args, environ);
        _exit(errno == ENOENT ? 22 : 100);
    }
    ended("vfork and a failure", pid);
}

static void *thread(void *arg) {
    char *args[] = {other, "code", "23", NULL};
    execve(other, args, environ);
    return NULL;
}

int main(int argc, char **argv) {
    if (argc < 3) return 101;
    other = argv[2], self = argc > 3 ? argv[3] : NULL;
    if (!strcmp(argv[1], "code")) return atoi(argv[2]);
    if (!strcmp(argv[1], "die")) return raise(atoi(argv[2]));
    if (!strcmp(argv[1], "look")) return look(argv);
    if (!strcmp(argv[1], "bounce")) {
        // There and back, in one process.
        int left = atoi(argv[4]);
        if (left == 0) return 24;
        sprintf(number, "%d", left - 1);
        char *args[] = {other, "bounce", self, other, number, NULL};
        execv(other, args);
        return 100;
    }
    setvbuf(stdout, NULL, _IOLBF, 4096);
    by_vfork();

    pid_t pid = fork();
    if (pid == 0) {
        int fd = open("text", O_RDWR | O_CREAT | O_TRUNC, 0600);
        write(fd, "abcdef", 6), lseek(fd, 3, SEEK_SET);
        dup2(fd, 7), dup3(fd, 8, O_CLOEXEC);
        signal(SIGUSR1, SIG_IGN);
        signal(SIGUSR2, (void (*)(int))ended);
        sigset_t mask;
        sigemptyset(&mask), sigaddset(&mask, SIGHUP), sigprocmask(SIG_BLOCK, &mask, NULL);
        setenv("RELAY", "passed on", 1);
        sprintf(number, "%d", getpid());
        execl(other, other, "look", other, self, number, NULL);
        _exit(100);
    }
    ended("fork and execl", pid);

    char *args[] = {"spawned", "code", "25", NULL};
    int r = posix_spawn(&pid, other, NULL, NULL, args, environ);
    printf("posix_spawn %d\n", r);
    ended("posix_spawn", pid);
    r = posix_spawn(&pid, "/nothing/here", NULL, NULL, args, environ);
    printf("posix_spawn of nothing %s\n", strerrorname_np(r));

    pid = fork();
    if (pid == 0) {
        int fd = open(other, O_PATH | O_CLOEXEC);
        fexecve(fd, args, environ);
        _exit(100);
    }
    ended("fexecve", pid);

    pid = fork();
    if (pid == 0) {
        pthread_t t;
        pthread_create(&t, NULL, thread, NULL);
        for (;;) pause();
    }
    ended("execve by a thread", pid);

    pid = fork();
    if (pid == 0) execl(other, other, "bounce", self, other, "9", NULL), _exit(100);
    ended("ten times there and back", pid);

    pid = fork();
    if (pid == 0) execl(other, other, "die", "15", NULL), _exit(100);
    ended("death", pid);

    FILE *f = fopen("script", "w");
    fprintf(f, "#!%s code\n", other);
    fchmod(fileno(f), 0700);
    fclose(f);
    pid = fork();
    if (pid == 0) execl("./script", "script", NULL), _exit(100);
    ended("script", pid);

    // A mapping of both, and a pipe.
    int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), p[2];
    pipe(p);
    pid = fork();
    if (pid == 0) {
        *shared = 26;
        dup2(p[1], 1), close(p[0]), close(p[1]);
        dup2(open("text", O_RDONLY), 7);
        sprintf(number, "%d", getpid());
        setenv("RELAY", "through a pipe", 1);
        execl(other, other, "look", other, self, number, NULL);
        _exit(100);
    }
    close(p[1]);
    char buf[300];
    size_t have = 0;
    for (ssize_t n; (n = read(p[0], buf + have, sizeof buf - 1 - have)) > 0;) have += n;
    buf[have] = 0;
    printf("%s", buf);
    ended("child", pid);
    printf("shared %d\n", *shared);
    return 0;
}
