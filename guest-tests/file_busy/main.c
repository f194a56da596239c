// ETXTBSY: a program that runs is not written to, and what is being written is not run.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void show(const char *what, long result) {
    int error = errno;
    printf("%s: %s\n", what, result < 0 ? strerrorname_np(error) : "ok");
    if (result > 2 && strncmp(what, "open", 4) == 0) close(result);
}

// Runs a file; what it ends with, or that it could not begin.
static void run(const char *what, const char *path) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execl(path, path, "end", NULL);
        _exit(errno == ETXTBSY ? 100 : errno);
    }
    int status;
    waitpid(pid, &status, 0);
    printf("%s: %s %d\n", what, WEXITSTATUS(status) == 100 ? "ETXTBSY" : "status", WEXITSTATUS(status));
}

static void copy(int to) {
    char buf[65536];
    int from = open("/proc/self/exe", O_RDONLY);
    for (ssize_t n; (n = read(from, buf, sizeof buf)) > 0;)
        if (write(to, buf, n) != n) _exit(90);
    close(from);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        char byte;
        if (strcmp(argv[1], "wait") == 0 && write(1, "", 0) == 0 && read(0, &byte, 1) < 0) return 1;
        return 7;
    }
    show("open own program", open("/proc/self/exe", O_WRONLY));

    int out = open("copy", O_WRONLY | O_CREAT | O_TRUNC, 0755), second = dup(out);
    copy(out);
    run("while written", "copy");
    close(out);
    run("while a duplicate is open", "copy");
    close(second);
    run("when closed", "copy");

    int end[2], begun[2];
    if (pipe(end) || pipe(begun)) return 1;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(end[0], 0);
        close(end[1]);
        close(begun[0]);
        fcntl(begun[1], F_SETFD, FD_CLOEXEC);
        execl("copy", "copy", "wait", NULL);
        _exit(1);
    }
    // The end of this pipe closes when the program is there.
    char byte;
    close(begun[1]);
    if (read(begun[0], &byte, 1) != 0) return 1;
    struct stat before, after;
    stat("copy", &before);
    show("open to write", open("copy", O_WRONLY));
    show("open to write anew", open("copy", O_RDWR | O_TRUNC));
    show("open to truncate", open("copy", O_RDONLY | O_TRUNC));
    show("open to append", open("copy", O_WRONLY | O_APPEND | O_CREAT, 0755));
    show("open its place", open("copy", O_PATH));
    show("open to read", open("copy", O_RDONLY));
    show("creat", creat("copy", 0755));
    show("open exclusively", open("copy", O_WRONLY | O_CREAT | O_EXCL, 0755));
    show("truncate", truncate("copy", 0));
    stat("copy", &after);
    printf("size is the same: %d\n", before.st_size == after.st_size);
    show("link", link("copy", "other"));
    show("open the other name", open("other", O_WRONLY));
    show("rename", rename("other", "third"));
    show("unlink", unlink("third"));
    if (write(end[1], "x", 1) != 1) return 1;
    int status;
    waitpid(pid, &status, 0);
    printf("it ended with %d\n", WEXITSTATUS(status));
    show("open to write", open("copy", O_WRONLY));

    // A script, and a program by descriptor.
    int script = open("script", O_WRONLY | O_CREAT, 0755);
    if (write(script, "#!./copy\n", 9) != 9) return 1;
    run("script while written", "script");
    close(script);
    run("script when closed", "script");
    int interpreter = open("copy", O_WRONLY);
    run("script while its interpreter is written", "script");
    close(interpreter);

    // O_TRUNC as ever, on files that nobody runs.
    int plain = open("plain", O_WRONLY | O_CREAT, 0644);
    if (write(plain, "text", 4) != 4) return 1;
    close(plain);
    plain = open("plain", O_RDWR | O_TRUNC);
    stat("plain", &after);
    printf("truncated to %ld\n", (long)after.st_size);
    close(plain);
    unlink("copy");
    unlink("script");
    return 0;
}
