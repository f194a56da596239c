// Calls on files relative to a directory that the C library does not make, or not under these names.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

static void show(const char *what, long result) {
    printf("%s %ld %s\n", what, result < 0 ? -1 : result, result < 0 ? strerror(errno) : "");
}

static void mode(int dir, const char *name) {
    struct stat st;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW)) show(name, -1);
    else printf("%s %o\n", name, st.st_mode);
}

int main(void) {
    umask(022);
    mkdir("d", 0755);
    int dir = open("d", O_RDONLY | O_DIRECTORY);
    show("mknodat file", syscall(SYS_mknodat, dir, "file", S_IFREG | 0666, 0));
    show("mknodat again", syscall(SYS_mknodat, dir, "file", S_IFREG | 0666, 0));
    show("mknodat fifo", syscall(SYS_mknodat, dir, "fifo", S_IFIFO | 0600, 0));
    show("mknodat directory", syscall(SYS_mknodat, dir, "dir", S_IFDIR | 0700, 0));
    show("symlinkat", syscall(SYS_symlinkat, "file", dir, "link"));
    show("symlinkat again", syscall(SYS_symlinkat, "file", dir, "link"));
    show("symlinkat empty", syscall(SYS_symlinkat, "", dir, "link2"));
    mode(dir, "file");
    mode(dir, "fifo");
    mode(dir, "link");
    show("faccessat2", syscall(SYS_faccessat2, dir, "file", R_OK | W_OK, 0));
    show("faccessat2 effective", syscall(SYS_faccessat2, dir, "file", R_OK, AT_EACCESS));
    show("faccessat2 x", syscall(SYS_faccessat2, dir, "file", X_OK, 0));
    show("faccessat2 empty", syscall(SYS_faccessat2, dir, "", R_OK, AT_EMPTY_PATH));
    show("faccessat2 flags", syscall(SYS_faccessat2, dir, "file", R_OK, 0x8000));
    show("faccessat2 mode", syscall(SYS_faccessat2, dir, "file", 8, 0));
    unlink("d/file");
    show("faccessat2 dangling", syscall(SYS_faccessat2, dir, "link", F_OK, 0));
    show("faccessat2 link itself", syscall(SYS_faccessat2, dir, "link", F_OK, AT_SYMLINK_NOFOLLOW));
    close(openat(dir, "file", O_CREAT | O_WRONLY, 0644));
    show("fchmodat2", syscall(SYS_fchmodat2, dir, "file", 0640, 0));
    mode(dir, "file");
    show("fchmodat2 flags", syscall(SYS_fchmodat2, dir, "file", 0640, 0x8000));
    show("fchmodat2 missing", syscall(SYS_fchmodat2, dir, "missing", 0640, 0));
    int fd = openat(dir, "file", O_RDWR);
    show("fsetxattr", fsetxattr(fd, "user.one", "1", 1, 0));
    show("fsetxattr", fsetxattr(fd, "user.two", "22", 2, 0));
    char names[100] = "";
    long n = syscall(SYS_flistxattr, fd, names, sizeof names);
    show("flistxattr", n);
    int one = 0, two = 0;
    for (long at = 0; at < n; at += strlen(names + at) + 1) {
        one += !strcmp(names + at, "user.one");
        two += !strcmp(names + at, "user.two");
    }
    printf("%d %d\n", one, two);
    show("flistxattr size", syscall(SYS_flistxattr, fd, NULL, 0));
    show("flistxattr short", syscall(SYS_flistxattr, fd, names, 3));
    syscall(SYS_sync);
    puts("synced");
    return 0;
}
