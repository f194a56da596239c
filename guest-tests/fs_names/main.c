// Making, renaming and removing names.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static const char *err(long r) { return r < 0 ? strerrorname_np(errno) : "ok"; }
#define SHOW(x) printf("%s: %s\n", #x, err((long)(x)))

static void what(const char *path) {
    struct stat st;
    if (lstat(path, &st) < 0) {
        printf("  %s: %s\n", path, err(-1));
        return;
    }
    printf("  %s: %o nlink %ld\n", path, st.st_mode, S_ISDIR(st.st_mode) ? -1L : (long)st.st_nlink);
}

int main(void) {
    umask(022);
    SHOW(mkdir("d", 0777)), what("d");
    SHOW(mkdir("d", 0777));
    SHOW(mkdir("d/e/", 01777)), what("d/e");
    SHOW(mkdir("s", 06777)), what("s");
    SHOW(mkdir("no/e", 0777));
    SHOW(mkdir("", 0777));
    SHOW(mkdir("/", 0777));
    SHOW(mkdir(".", 0777));
    SHOW(mkdir("d/.", 0777));
    SHOW(mkdir("d/..", 0777));
    SHOW(rmdir("d"));
    SHOW(rmdir("d/e/."));
    SHOW(rmdir("d/e/.."));
    SHOW(rmdir("/"));
    SHOW(rmdir("d/e/"));
    SHOW(rmdir("none"));
    close(open("f", O_CREAT | O_RDWR, 0666)), what("f");
    SHOW(rmdir("f"));
    SHOW(unlink("d"));
    SHOW(unlink("f/"));
    SHOW(unlink("none"));
    SHOW(unlinkat(AT_FDCWD, "f", 0x10));
    SHOW(unlinkat(AT_FDCWD, "f", AT_REMOVEDIR));
    SHOW(unlinkat(97, "f", 0));
    int dir = open("d", O_RDONLY);
    SHOW(mkdirat(dir, "sub", 0700)), what("d/sub");
    SHOW(unlinkat(dir, "sub", 0));
    SHOW(unlinkat(dir, "sub", AT_REMOVEDIR));

    SHOW(link("f", "g")), what("g");
    SHOW(link("f", "g"));
    SHOW(link("d", "h"));
    SHOW(link("none", "h"));
    SHOW(linkat(AT_FDCWD, "f", dir, "g", 0)), what("d/g");
    SHOW(linkat(AT_FDCWD, "f", dir, "g2", 0x10));
    SHOW(symlink("f", "l")), what("l");
    SHOW(symlink("", "m"));
    SHOW(symlink("f", "l"));
    SHOW(symlink("x", "none/m"));
    SHOW(linkat(AT_FDCWD, "l", AT_FDCWD, "ll", 0)), what("ll");
    SHOW(linkat(AT_FDCWD, "l", AT_FDCWD, "lf", AT_SYMLINK_FOLLOW)), what("lf");
    SHOW(link("/proc/self/status", "st"));
    int fd = open("f", O_RDONLY);
    SHOW(linkat(fd, "", AT_FDCWD, "byfd", 0));
    char self[64];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    SHOW(linkat(AT_FDCWD, self, AT_FDCWD, "byproc", AT_SYMLINK_FOLLOW)), what("byproc");
    int tmp = open(".", O_TMPFILE | O_RDWR, 0600);
    write(tmp, "unnamed", 7);
    snprintf(self, sizeof self, "/proc/self/fd/%d", tmp);
    SHOW(linkat(AT_FDCWD, self, AT_FDCWD, "named", AT_SYMLINK_FOLLOW)), what("named");

    SHOW(rename("f", "r")), what("f"), what("r");
    SHOW(rename("none", "r"));
    SHOW(rename("r", "d"));
    SHOW(rename("d", "r"));
    SHOW(rename("d", "d/in"));
    SHOW(rename(".", "dot"));
    SHOW(rename("r", ".."));
    SHOW(rename("r/", "q"));
    SHOW(rename("s/", "s2/")), what("s2");
    SHOW(renameat(AT_FDCWD, "r", dir, "r")), what("d/r");
    SHOW(syscall(SYS_renameat2, dir, "r", AT_FDCWD, "g", 1));
    SHOW(syscall(SYS_renameat2, dir, "r", AT_FDCWD, "s2", 2)), what("s2"), what("d/r");
    SHOW(syscall(SYS_renameat2, dir, "r", AT_FDCWD, "s2", 3));
    SHOW(syscall(SYS_renameat2, dir, "r", AT_FDCWD, "s2", 8));
    SHOW(rename("/proc/self/status", "st"));
    SHOW(rename("g", "/proc/st"));

    SHOW(mknod("fifo", S_IFIFO | 0666, 0)), what("fifo");
    SHOW(mknod("reg", 0644, 0)), what("reg");
    SHOW(mknod("sock", S_IFSOCK | 0600, 0)), what("sock");
    SHOW(mknod("dir", S_IFDIR | 0600, 0));
    SHOW(mknod("odd", 0150000, 0));
    SHOW(mknod("lnk", S_IFLNK | 0600, 0));
    SHOW(mkfifo("fifo", 0600));
    SHOW(mkdir("/proc/x", 0700));
    SHOW(unlink("/proc/version"));
    SHOW(rmdir("/proc/self"));
    SHOW(symlink("a", "/proc/self/x"));

    char name[257];
    memset(name, 'a', 256);
    name[256] = 0;
    SHOW(mkdir(name, 0700));
    name[255] = 0;
    SHOW(mkdir(name, 0700));
    SHOW(rmdir(name));
    SHOW(syscall(SYS_mkdirat, AT_FDCWD, 0, 0700));
    SHOW(syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, 16, 0));
    return 0;
}
