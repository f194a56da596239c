// Leases on files: who holds one is told when another wants to open the file, who then waits or does not.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t told, told_fd, told_code;

static void on_signal(int number, siginfo_t *info, void *context) {
    (void)number, (void)context;
    told++;
    told_fd = info->si_fd;
    told_code = info->si_code;
}

static void show(const char *what, long result) {
    if (result < 0)
        printf("%s: %s\n", what, strerrorname_np(errno));
    else
        printf("%s: %ld\n", what, result);
    fflush(stdout);
}

// A child that opens the file, whose status tells what came of it.
static pid_t opener(int flags) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        // The lease is its parent's alone.
        int fd = open("data", flags);
        _exit(fd >= 0 ? 0 : errno == EWOULDBLOCK ? 11 : 1);
    }
    return pid;
}

static int status_of(pid_t pid) {
    int status;
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static void until_told(int times) {
    for (int i = 0; i < 2000 && told < times; i++) nanosleep(&(struct timespec){0, 1000000}, NULL);
}

int main(void) {
    sigaction(SIGIO, &(struct sigaction){.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART}, NULL);
    sigaction(SIGRTMIN, &(struct sigaction){.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART}, NULL);
    close(open("data", O_WRONLY | O_CREAT, 0600));
    int fd = open("data", O_RDONLY);
    show("none", fcntl(fd, F_GETLEASE));
    show("read lease", fcntl(fd, F_SETLEASE, F_RDLCK));
    show("it is", fcntl(fd, F_GETLEASE));
    printf("owner is the caller: %d\n", fcntl(fd, F_GETOWN) == getpid());
    printf("opened to read: %d\n", status_of(opener(O_RDONLY)));
    printf("told %d\n", (int)told);
    printf("opened to write without waiting: %d\n", status_of(opener(O_WRONLY | O_NONBLOCK)));
    until_told(1);
    printf("told %d\n", (int)told);
    show("what it becomes", fcntl(fd, F_GETLEASE));
    show("given up", fcntl(fd, F_SETLEASE, F_UNLCK));
    printf("opened to write: %d\n", status_of(opener(O_WRONLY | O_NONBLOCK)));

    // With a signal of one's own, and an open that waits.
    fcntl(fd, F_SETSIG, SIGRTMIN);
    show("write lease", fcntl(fd, F_SETLEASE, F_WRLCK));
    show("it is", fcntl(fd, F_GETLEASE));
    pid_t pid = opener(O_RDONLY);
    until_told(2);
    printf("told %d, by descriptor %d, code %d\n", (int)told, told_fd == fd, told_code);
    show("it waits", waitpid(pid, NULL, WNOHANG));
    show("what it becomes", fcntl(fd, F_GETLEASE));
    show("to a read lease", fcntl(fd, F_SETLEASE, F_RDLCK));
    printf("opened to read: %d\n", status_of(pid));
    show("it is", fcntl(fd, F_GETLEASE));
    int pipes[2];
    if (pipe(pipes)) return 1;
    show("of a pipe", fcntl(pipes[0], F_SETLEASE, F_RDLCK));
    show("of a kind there is not", fcntl(fd, F_SETLEASE, 9));
    unlink("data");
    return 0;
}
