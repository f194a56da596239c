// Reading directories, and the working directory.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *err(long r) { return r < 0 ? strerrorname_np(errno) : "ok"; }
#define SHOW(x) printf("%s: %s\n", #x, err((long)(x)))

struct record { uint64_t ino; int64_t off; uint16_t len; uint8_t type; char name[]; };

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(int fd, size_t room) {
    char buf[4096], *names[600];
    int n = 0, calls = 0, bad = 0;
    for (;;) {
        long got = syscall(SYS_getdents64, fd, buf, room);
        if (got <= 0) {
            if (got < 0) printf("getdents64(%zu): %s\n", room, err(got));
            break;
        }
        calls++;
        for (long at = 0; at < got;) {
            struct record *r = (void *)(buf + at);
            struct stat st;
            if (r->len % 8 || r->len < 19 + strlen(r->name) + 1) bad++;
            if (fstatat(fd, r->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
                if (strcmp(r->name, "..") && st.st_ino != r->ino) bad++;
                if (r->type != (st.st_mode >> 12)) bad++;
            }
            if (n < 600) names[n++] = strdup(r->name);
            at += r->len;
        }
    }
    qsort(names, n, sizeof *names, by_name);
    printf("%d entries, more than one call %d, bad %d:", n, calls > 1, bad);
    for (int i = 0; i < n && i < 12; i++) printf(" %s", names[i]);
    printf("\n");
}

int main(void) {
    umask(022);
    SHOW(mkdir("d", 0755));
    SHOW(chdir("d"));
    mkdir("sub", 0755);
    close(open("file", O_CREAT | O_WRONLY, 0644));
    symlink("file", "link");
    mkfifo("fifo", 0644);
    int fd = open(".", O_RDONLY | O_DIRECTORY);
    list(fd, 4096);
    list(fd, 4096);
    printf("rewind %ld\n", (long)lseek(fd, 0, SEEK_SET));
    list(fd, 48);
    lseek(fd, 0, SEEK_SET);
    list(fd, 24);
    lseek(fd, 0, SEEK_SET);
    list(fd, 10);
    char c;
    SHOW(read(fd, &c, 1));
    SHOW(syscall(SYS_getdents64, fd, 16, 4096));
    lseek(fd, 0, SEEK_SET);
    SHOW(syscall(SYS_getdents64, 99, &c, 1));
    int file = open("file", O_RDONLY), handle = open(".", O_PATH);
    SHOW(syscall(SYS_getdents64, file, &c, 1));
    SHOW(syscall(SYS_getdents64, handle, &c, 1));

    for (int i = 0; i < 500; i++) {
        char name[16];
        snprintf(name, sizeof name, "sub/%03d", i);
        close(open(name, O_CREAT | O_WRONLY, 0600));
    }
    DIR *dir = opendir("sub");
    long places[502];
    char *names[502];
    int n = 0, wrong = 0;
    for (struct dirent *e; places[n] = telldir(dir), e = readdir(dir);) names[n++] = strdup(e->d_name);
    for (int i = n - 1; i >= 0; i -= 7) {
        seekdir(dir, places[i]);
        struct dirent *e = readdir(dir);
        if (!e || strcmp(e->d_name, names[i])) wrong++;
    }
    printf("%d entries, %d wrong after seeking\n", n, wrong);
    closedir(dir);

    char cwd[4096], before[4096];
    printf("getcwd ends with /d %d\n", !strcmp(strrchr(getcwd(before, sizeof before), '/'), "/d"));
    SHOW(syscall(SYS_getcwd, cwd, 2));
    SHOW(syscall(SYS_getcwd, 16, 4096));
    SHOW(chdir("none"));
    SHOW(chdir("file"));
    SHOW(chdir(""));
    SHOW(fchdir(file));
    SHOW(fchdir(handle));
    SHOW(fchdir(99));
    SHOW(chdir("sub/../sub"));
    getcwd(cwd, sizeof cwd);
    printf("below %d\n", !strncmp(cwd, before, strlen(before)) && !strcmp(cwd + strlen(before), "/sub"));
    SHOW(rename("../sub", "../moved"));
    getcwd(cwd, sizeof cwd);
    printf("moved %d\n", !strcmp(cwd + strlen(before), "/moved"));
    SHOW(access("000", F_OK));
    SHOW(chdir(".."));
    SHOW(access("moved/000", F_OK));
    mkdir("gone", 0700);
    chdir("gone");
    rmdir("../gone");
    printf("getcwd: %s\n", err(syscall(SYS_getcwd, cwd, sizeof cwd)));
    SHOW(open("x", O_CREAT | O_WRONLY, 0600));
    SHOW(open(".", O_RDONLY));
    SHOW(chdir(".."));
    SHOW(fchdir(fd));
    SHOW(chdir("/proc/self"));
    getcwd(cwd, sizeof cwd);
    printf("in /proc/%d\n", atoi(cwd + 6) == getpid());
    SHOW(access("status", R_OK));
    SHOW(access("../self/status", R_OK));
    SHOW(access("../../proc/self/status", R_OK));
    SHOW(chdir("cwd"));
    SHOW(fchdir(fd));
    SHOW(access("file", R_OK));
    printf("%03o\n", umask(0777));
    printf("%03o\n", umask(01777));
    printf("%03o\n", umask(0));
    return 0;
}
