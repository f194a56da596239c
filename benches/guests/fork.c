// fork BYTES exit|exec N: with BYTES written, forks and waits N times; the child exits, or runs this program, which exits.
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 4) return 0;
    size_t bytes = strtoul(argv[1], NULL, 0);
    int exec = strcmp(argv[2], "exec") == 0;
    if (bytes) memset(malloc(bytes), 1, bytes);
    for (int n = atoi(argv[3]); n > 0; n--) {
        pid_t pid = fork();
        if (pid == 0) {
            if (exec) execl("/proc/self/exe", argv[0], NULL);
            _exit(0);
        }
        int status;
        if (waitpid(pid, &status, 0) != pid || status != 0) return 1;
    }
    return 0;
}
