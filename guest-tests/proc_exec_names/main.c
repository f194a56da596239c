// execve and execveat: names, scripts, errors and limits.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/prctl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char self[4096];

static void report(int argc, char **argv) {
    char comm[17] = "";
    prctl(PR_GET_NAME, comm);
    printf("  ran: comm %s execfn %s", comm, (char *)getauxval(AT_EXECFN));
    for (int i = 0; i < argc; i++) printf(" [%s]", strcmp(argv[i], self) ? argv[i] : "self");
    printf(" env %d\n", environ[0] != NULL);
}

static void put(const char *name, const char *text, int mode) {
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    (void)!write(fd, text, strlen(text));
    close(fd);
    chmod(name, mode);
}

static void at(const char *what, int dir, const char *name, char **argv, char **envp, int flags) {
    printf("%s:", what);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (flags == -1) syscall(SYS_execve, name, argv, envp);
        else syscall(SYS_execveat, dir, name, argv, envp, flags);
        printf(" %s\n", strerror(errno));
        fflush(stdout);
        _exit(0);
    }
    int status;
    waitpid(pid, &status, 0);
    if (status) printf(" status %x\n", status);
}

static void run(const char *what, const char *name, char **argv, char **envp) { at(what, 0, name, argv, envp, -1); }

int main(int argc, char **argv) {
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
    setvbuf(stdout, NULL, _IOLBF, 4096);
    if (!getenv("FIRST")) {
        report(argc, argv);
        return 0;
    }
    char *none[] = {NULL}, *env[] = {"A=b", NULL};
    char *args[] = {"zero", "one", NULL};
    if (symlink(self, "prog")) return 1;
    run("plain", "./prog", args, env);
    run("no arguments", "./prog", none, env);
    run("null arguments", "./prog", NULL, NULL);

    char text[700];
    put("script", "#! ./prog  an argument \t\nrest\n", 0755);
    run("script", "./script", args, env);
    run("script without arguments", "script", NULL, env);
    put("bare", "#!./prog", 0755);
    run("script without newline", "./bare", args, env);
    put("blank", "#!  \t \n", 0755);
    run("script without interpreter", "./blank", args, env);
    put("nothing", "", 0755);
    run("empty file", "./nothing", args, env);
    put("plain", "echo hello\n", 0755);
    run("text", "./plain", args, env);
    put("missing", "#!./not-there\n", 0755);
    run("missing interpreter", "./missing", args, env);
    put("closed", "#!./plain-data\n", 0755);
    put("plain-data", "data", 0644);
    run("interpreter without permission", "./closed", args, env);
    memset(text, 'x', sizeof text);
    memcpy(text, "#!./prog ", 9);
    text[600] = 0;
    put("long", text, 0755);
    printf("long line: ");
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        char *count[] = {"zero", "count", NULL};
        execve("./long", count, env);
        _exit(1);
    }
    int status;
    waitpid(pid, &status, 0);
    memset(text, 'x', 300);
    memcpy(text, "#!./", 4);
    put("cut", text, 0755);
    run("name cut off", "./cut", args, env);
    put("s1", "#!./prog one\n", 0755);
    put("s2", "#!./s1 two\n", 0755);
    put("s3", "#!./s2\n", 0755);
    put("s4", "#!./s3 four\n", 0755);
    put("s5", "#!./s4\n", 0755);
    put("s6", "#!./s5\n", 0755);
    run("five scripts", "./s5", args, env);
    run("six scripts", "./s6", args, env);

    run("missing", "./not-there", args, env);
    run("empty name", "", args, env);
    run("bad name", (char *)8, args, env);
    run("bad arguments", "./prog", (char **)8, env);
    run("directory", "/", args, env);
    run("through a file", "./script/x", args, env);
    run("no permission", "./plain-data", args, env);
    if (symlink("loop", "loop")) return 1;
    run("loop", "./loop", args, env);
    memset(text, 'a', 300);
    text[300] = 0;
    run("long name", text, args, env);
    run("device", "/dev/null", args, env);
    put("elf", "\177ELF\2\1\1", 0755);
    run("short ELF file", "./elf", args, env);

    int fd = open(self, O_RDONLY | O_CLOEXEC), dir = open(".", O_RDONLY | O_DIRECTORY);
    int script = dup2(open("./script", O_RDONLY), 30), closing = open("./script", O_RDONLY | O_CLOEXEC);
    int path = dup2(open("./prog", O_PATH), 31);
    dup2(dir, 32);
    at("at: name", 32, "prog", args, env, 0);
    at("at: script", 32, "script", args, env, 0);
    at("at: no descriptor", 77, "prog", args, env, 0);
    at("at: not a directory", script, "prog", args, env, 0);
    at("at: absolute", 77, "/dev/null", args, env, 0);
    at("at: empty, no flag", script, "", args, env, 0);
    at("at: empty, directory", dir, "", args, env, AT_EMPTY_PATH);
    at("at: empty, script", script, "", args, env, AT_EMPTY_PATH);
    at("at: closing script", closing, "", args, env, AT_EMPTY_PATH);
    at("at: no follow", 32, "prog", args, env, AT_SYMLINK_NOFOLLOW);
    at("at: bad flag", 32, "prog", args, env, 1);
    at("at: cwd", AT_FDCWD, "./prog", args, env, 0);
    at("at: closed descriptor", 77, "", args, env, AT_EMPTY_PATH);
    printf("descriptors %d %d\n", fd > 2, path == 31);

    // Limits.
    size_t size = 131072;
    char *big = malloc(size + 1);
    memset(big, 'b', size);
    big[size] = 0;
    char *large[] = {"zero", big, NULL};
    run("string of 128 KiB and a NUL", "./prog", large, env);
    struct rlimit limit = {1 << 20, RLIM_INFINITY};
    setrlimit(RLIMIT_STACK, &limit);
    char **many = calloc(40000, sizeof *many);
    for (int i = 0; i < 30000; i++) many[i] = "ten bytes";
    run("30000 strings under a small stack", "./prog", many, env);
    // It names the place where this test was built.
    unlink("prog");
    return argc == 0;
}
