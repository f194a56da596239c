// Does the same as short_read, over a file and a pipe, and is ready for everything that the manual pages name.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RECORD = 64, RECORDS = 40, TRIES = 10000 };

static void handler(int signal) { (void)signal; }

static void retry(void)
{
    static int tries;
    if (++tries > TRIES)
        exit(9);
}

static void write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);
        if (done < 0)
            retry();
        else
            p += done, n -= done;
    }
}

static void read_all(int fd, char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = read(fd, p, n);
        if (done == 0)
            exit(4);
        if (done < 0)
            retry();
        else
            p += done, n -= done;
    }
}

int main(void)
{
    struct sigaction action = { .sa_handler = handler };
    sigaction(SIGUSR1, &action, NULL);
    int fd, pipes[2], status;
    while ((fd = open("records", O_RDWR | O_CREAT | O_TRUNC, 0644)) < 0)
        retry();
    while (pipe(pipes) < 0)
        retry();
    char record[RECORD];
    for (int i = 0; i < RECORDS; i++) {
        memset(record, 'a' + i % 26, RECORD);
        write_all(fd, record, RECORD);
        write_all(pipes[1], record, RECORD);
    }
    lseek(fd, 0, SEEK_SET);
    for (int i = 0; i < RECORDS; i++) {
        char other[RECORD];
        read_all(fd, record, RECORD);
        read_all(pipes[0], other, RECORD);
        if (memcmp(record, other, RECORD) != 0 || record[0] != 'a' + i % 26)
            exit(3);
    }
    struct timespec moment = { 0, 1000 };
    while (nanosleep(&moment, NULL) < 0)
        retry();
    pid_t child;
    while ((child = fork()) < 0)
        retry();
    if (child == 0)
        _exit(0);
    while (waitpid(child, &status, 0) < 0)
        retry();
    return WEXITSTATUS(status);
}
