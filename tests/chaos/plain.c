// Reads and writes a pipe, with a handler for SIGUSR1 if it has an argument; gives the number of reads that were
// interrupted.
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static void handler(int signal) { (void)signal; }

int main(int argc, char **argv)
{
    if (argc > 1) {
        struct sigaction action = { .sa_handler = handler, .sa_flags = strcmp(argv[1], "restart") ? 0 : SA_RESTART };
        sigaction(SIGUSR1, &action, NULL);
    }
    int pipes[2], interrupted = 0;
    char byte = 'x';
    pipe(pipes);
    for (int i = 0; i < 100; i++) {
        write(pipes[1], &byte, 1);
        if (read(pipes[0], &byte, 1) < 0 && errno == EINTR)
            interrupted++;
    }
    return interrupted;
}
