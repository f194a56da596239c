// fork N [BYTES] [exec]: forks and waits N times, with BYTES written before; the child exits, or runs this program, which exits.
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int n = argc > 1 ? atoi(argv[1]) : 1;
    size_t bytes = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
    int exec = argc > 3;
    if (n < 0) return 0;
    if (bytes) memset(malloc(bytes), 1, bytes);
    while (n-- > 0) {
        pid_t pid = fork();
        if (pid == 0) {
            if (exec) execl("/proc/self/exe", argv[0], "-1", NULL);
            _exit(0);
        }
        int status;
        waitpid(pid, &status, 0);
        if (status != 0) return 1;
    }
    return 0;
}
