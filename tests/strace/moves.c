// Data through single buffers and vectors, calls that repeat, one that Linux does not have and one that fails.
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void handler(int signal)
{
    (void)signal;
}

int main(void)
{
    char buffer[64] = {0};
    int fd = open("f", O_RDONLY);
    ssize_t n = read(fd, buffer, sizeof buffer);
    write(1, buffer, n);
    struct iovec out[2] = {{"abc", 3}, {"0123456789abcdef\t\1\xff", 19}};
    writev(1, out, 2);
    lseek(fd, 0, SEEK_SET);
    struct iovec in[2] = {{buffer, 2}, {buffer + 10, 40}};
    readv(fd, in, 2);
    pread(fd, buffer, 5, 3);
    struct stat st;
    fstat(fd, &st);
    stat("missing", &st);
    for (int i = 0; i < 5; i++)
        getppid();
    signal(SIGUSR1, handler);
    kill(getpid(), SIGUSR1);
    signal(SIGUSR2, SIG_IGN);
    kill(getpid(), SIGUSR2);
    syscall(1000, 1, 2);
    close(77);
    int ends[2];
    pipe(ends);
    dup2(ends[0], 9);
    fcntl(9, F_GETFL);
    void *p = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(p, 4096);
    pid_t child = fork();
    if (child == 0)
        _exit(4);
    waitpid(child, 0, 0);
    return 3;
}
