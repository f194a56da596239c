// Following and reading symbolic links.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *err(long r) { return r < 0 ? strerrorname_np(errno) : "ok"; }
#define SHOW(x) printf("%s: %s\n", #x, err((long)(x)))

static void target(const char *path, size_t room) {
    char buf[300];
    memset(buf, '#', sizeof buf);
    long n = readlink(path, buf, room);
    printf("readlink(%s, %zu): %ld %s", path, room, n, n < 0 ? err(n) : "");
    if (n > 0) printf("%.*s%c", (int)n, buf, buf[n]);
    printf("\n");
}

int main(void) {
    struct stat st;
    mkdir("d", 0755);
    mkdir("d/e", 0755);
    close(open("d/e/f", O_CREAT | O_WRONLY, 0644));
    symlink("d/e", "to_e");
    symlink("../e/f", "d/e/up");
    symlink("to_e/up", "chain");
    symlink("d/e/f/", "slashed");
    symlink("/", "root");
    char name[32], prev[32] = "d/e/f";
    for (int i = 1; i <= 41; i++) {
        snprintf(name, sizeof name, "n%d", i);
        symlink(prev, name);
        strcpy(prev, name);
    }
    target("to_e", 100);
    target("to_e", 2);
    target("to_e", 0);
    target("d", 100);
    target("none", 100);
    target("to_e/", 100);
    target("to_e/up", 100);
    target("", 100);
    SHOW(syscall(SYS_readlinkat, AT_FDCWD, "to_e", 16, 100));
    SHOW(syscall(SYS_readlinkat, AT_FDCWD, "to_e", 16, -1));
    int h = open("to_e", O_PATH | O_NOFOLLOW);
    char buf[100];
    long n = readlinkat(h, "", buf, sizeof buf);
    printf("by handle: %.*s\n", (int)n, buf);
    int d = open("d", O_RDONLY);
    SHOW(readlinkat(d, "", buf, sizeof buf));
    SHOW(stat("chain", &st));
    printf("regular %d\n", S_ISREG(st.st_mode));
    SHOW(stat("slashed", &st));
    SHOW(lstat("slashed", &st));
    SHOW(stat("root/proc/self/status", &st));
    SHOW(stat("root/../../etc", &st));
    SHOW(stat("n40", &st));
    SHOW(stat("n41", &st));
    SHOW(lstat("n41", &st));
    SHOW(stat("to_e/../e/f", &st));
    SHOW(stat("d/e/f/.", &st));
    SHOW(stat("d/e/f/..", &st));
    SHOW(stat("d/e/./f", &st));
    SHOW(stat("d//e///f", &st));
    SHOW(lstat("to_e/", &st));
    printf("directory %d\n", S_ISDIR(st.st_mode));
    SHOW(lstat("to_e", &st));
    printf("link %d size %ld mode %o\n", S_ISLNK(st.st_mode), (long)st.st_size, st.st_mode);
    SHOW(unlink("to_e/"));
    SHOW(rmdir("to_e"));
    SHOW(mkdir("to_e", 0700));
    SHOW(mkdir("to_e/", 0700));
    SHOW(rename("to_e", "moved"));
    target("moved", 100);
    SHOW(open("moved/f", O_RDONLY));
    SHOW(unlink("moved"));
    SHOW(access("d/e/f", F_OK));
    return 0;
}
