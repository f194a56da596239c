// /proc/self shows this program and nobody else, whatever name leads there.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *err(long r) { return r < 0 ? strerrorname_np(errno) : "ok"; }
#define SHOW(x) printf("%s: %s\n", #x, err((long)(x)))

static char *text(const char *path) {
    static char buf[8192];
    int fd = open(path, O_RDONLY);
    if (fd < 0) return (char *)err(fd);
    long n = read(fd, buf, sizeof buf - 1);
    buf[n < 0 ? 0 : n] = 0;
    close(fd);
    return buf;
}

static int same(const char *a, const char *b) {
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_ino == y.st_ino && x.st_dev == y.st_dev;
}

int main(int argc, char **argv) {
    char self[64], buf[4096], real[4096];
    struct stat st, st2;
    snprintf(self, sizeof self, "/proc/%d", getpid());
    readlink("/proc/self", buf, sizeof buf);
    printf("self is us: %d\n", atoi(buf) == getpid());
    lstat("/proc/self", &st);
    printf("link %o\n", st.st_mode);
    stat(self, &st);
    printf("directory %o\n", st.st_mode);
    lstat("/proc/self/exe", &st);
    printf("exe link %o\n", st.st_mode);

    realpath(argv[0], real);
    long n = readlink("/proc/self/exe", buf, sizeof buf);
    printf("exe is the program: %d\n", n == (long)strlen(real) && !strncmp(buf, real, n));
    printf("same file: %d\n", same("/proc/self/exe", argv[0]));
    symlink("/proc/self/exe", "x");
    symlink("/proc/self", "s");
    symlink("/proc", "p");
    symlink("s/status", "st");
    printf("by a link: %d %d %d\n", same("x", argv[0]), same("s/exe", argv[0]), same("p/self/exe", argv[0]));
    int fd = open("x", O_RDONLY);
    char magic[4];
    read(fd, magic, 4);
    printf("program: %d\n", !memcmp(magic, "\177ELF", 4));
    close(fd);
    SHOW(open("x", O_RDONLY | O_NOFOLLOW));
    SHOW(open("/proc/self/exe", O_RDONLY | O_NOFOLLOW));
    SHOW(open("p/1000000/status", O_RDONLY));
    printf("pid in status: %d\n", atoi(strstr(text("st"), "Pid:") + 4) == getpid());
    printf("pid in status by p: %d\n", atoi(strstr(text("p/self/status"), "Pid:") + 4) == getpid());
    printf("cmdline: %d\n", !strcmp(text("p/self/cmdline"), argv[0]));
    char comm[20];
    snprintf(comm, 16, "%s", strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0]);
    strcat(comm, "\n");
    printf("comm: %d\n", !strcmp(text("/proc/self/comm"), comm));
    int dir = open("p", O_RDONLY | O_DIRECTORY);
    fd = openat(dir, "self/comm", O_RDONLY);
    n = read(fd, buf, 100);
    printf("comm at: %d\n", n == (long)strlen(comm) && !memcmp(buf, comm, n));
    close(fd);
    close(dir);
    fd = open("/proc/self/comm", O_RDONLY);
    n = read(fd, buf, 2);
    n += read(fd, buf + n, 100);
    printf("parts: %d\n", n == (long)strlen(comm) && !memcmp(buf, comm, n));
    printf("end: %ld\n", (long)read(fd, buf, 100));
    lseek(fd, 0, SEEK_SET);
    printf("again: %ld\n", (long)read(fd, buf, 3));
    fstat(fd, &st);
    printf("regular %d size %ld\n", S_ISREG(st.st_mode), (long)st.st_size);
    close(fd);
    SHOW(access("/proc/self/comm", R_OK));
    SHOW(access("/proc/self/none", R_OK));
    SHOW(access("/proc/self/comm/x", R_OK));
    SHOW(access("/proc/self/..//self/./comm", R_OK));
    SHOW(access("/proc/../proc/self/comm", R_OK));
    SHOW(open("/proc/self/comm/", O_RDONLY));
    SHOW(open("/proc/self", O_WRONLY));
    SHOW(open("/proc/new", O_CREAT | O_WRONLY, 0600));
    SHOW(open("/proc/self/comm", O_CREAT | O_EXCL | O_WRONLY, 0600));
    SHOW(open("/proc/self/comm", O_RDONLY | O_DIRECTORY));

    // Descriptors.
    fd = open("file", O_CREAT | O_RDWR, 0644);
    write(fd, "hello world", 11);
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, buf, sizeof buf);
    realpath("file", real);
    printf("link of descriptor: %d\n", n == (long)strlen(real) && !strncmp(buf, real, n));
    lstat(link, &st);
    printf("mode %o size %ld\n", st.st_mode, (long)st.st_size);
    int again = open(link, O_RDONLY);
    n = read(again, buf, 100);
    printf("opened again: %ld %.*s\n", n, (int)n, buf);
    SHOW(write(again, "x", 1));
    close(again);
    SHOW(truncate(link, 5));
    fstat(fd, &st);
    printf("size %ld\n", (long)st.st_size);
    SHOW(chmod(link, 0600));
    SHOW(stat(link, &st2));
    printf("mode %o same %d\n", st2.st_mode, st.st_ino == st2.st_ino);
    snprintf(link, sizeof link, "/dev/fd/%d", fd);
    SHOW(stat(link, &st2));
    printf("same %d\n", st.st_ino == st2.st_ino);
    unlink("file");
    n = readlink(link, buf, sizeof buf);
    printf("deleted: %d\n", n > 10 && !strncmp(buf + n - 10, " (deleted)", 10));
    again = open(link, O_RDONLY);
    printf("still opens: %d\n", again >= 0 && read(again, buf, 100) == 5);
    close(again);
    close(fd);
    SHOW(open(link, O_RDONLY));
    SHOW(open("/proc/self/fd/01", O_RDONLY));
    SHOW(open("/proc/self/fd/x", O_RDONLY));
    int p[2];
    pipe(p);
    snprintf(link, sizeof link, "/proc/self/fd/%d", p[0]);
    n = readlink(link, buf, sizeof buf);
    fstat(p[0], &st);
    snprintf(real, sizeof real, "pipe:[%ld]", (long)st.st_ino);
    printf("pipe: %d\n", n == (long)strlen(real) && !strncmp(buf, real, n));
    fd = open(link, O_WRONLY);
    printf("writing end: %d %ld\n", fd >= 0, (long)write(fd, "abc", 3));
    printf("read: %ld\n", (long)read(p[0], buf, 10));
    dir = open("/", O_RDONLY);
    snprintf(link, sizeof link, "/proc/self/fd/%d/proc/self/comm", dir);
    SHOW(access(link, R_OK));
    SHOW(access("/proc/self/root/proc/self/comm", R_OK));
    SHOW(access("/proc/self/cwd/x", R_OK));
    printf("cwd %d\n", same("/proc/self/cwd", "."));
    printf("root %d\n", same("/proc/self/root", "/"));

    // Only numbers of processes that the program can know.
    DIR *d = opendir("/proc");
    int us = 0, version = 0;
    for (struct dirent *e; (e = readdir(d));) {
        us |= atoi(e->d_name) == getpid();
        version |= !strcmp(e->d_name, "version");
    }
    closedir(d);
    printf("listed %d %d\n", us, version);
    d = opendir("/proc/self/fd");
    int seen = 0, wrong = 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (*e->d_name == '.') continue;
        seen++;
        if (fcntl(atoi(e->d_name), F_GETFD) < 0) wrong++;
    }
    printf("descriptors: own %d, wrong %d\n", seen > 3, wrong);
    closedir(d);
    d = opendir("/sys/devices/system/cpu");
    int cpus = 0;
    for (struct dirent *e; (e = readdir(d));) cpus += !strncmp(e->d_name, "cpu", 3) && e->d_name[3] >= '0' && e->d_name[3] <= '9';
    printf("cpus as many as configured: %d\n", cpus == sysconf(_SC_NPROCESSORS_CONF));
    closedir(d);
    SHOW(open("/sys/devices/system/cpu/online", O_RDONLY));
    SHOW(access("/sys/devices/system/cpu/../../../kernel", F_OK));
    SHOW(access("/sys/devices/system/cpu/..", F_OK));
    return 0;
}
