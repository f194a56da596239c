// Does what the lines of its input say with names, and prints what came of each: for tests/root.rs, which runs it in a
// real chroot and under sevm --root.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *err(long r) { return r < 0 ? strerrorname_np(errno) : "ok"; }

static void show(const char *what, const struct stat *st) {
    printf("%s ino=%lu mode=%o size=%ld\n", what, (unsigned long)st->st_ino, st->st_mode & S_IFMT,
           S_ISREG(st->st_mode) ? (long)st->st_size : 0L);
}

static void opened(int fd) {
    struct stat st;
    char name[4096];
    if (fd < 0) {
        printf("%s\n", err(-1));
        return;
    }
    fstat(fd, &st);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    show("ok", &st);
    if (S_ISDIR(st.st_mode)) {
        int up = openat(fd, "..", O_PATH);
        fstat(up, &st);
        show("  up", &st);
        close(up);
    }
    close(fd);
}

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static void list(const char *path) {
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, by_name);
    if (n < 0) {
        printf("%s\n", err(-1));
        return;
    }
    for (int i = 0; i < n; i++)
        printf("%s ", entries[i]->d_name);
    printf("\n");
}

int main(void) {
    char line[8192], buf[4096];
    int kept = -1;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        printf("%s: ", line);
        char *op = strtok(line, " "), *a = strtok(NULL, " "), *b = strtok(NULL, " ");
        struct stat st;
        struct statfs fs;
        struct timespec times[2] = {{1000, 0}, {2000, 0}};
        ssize_t n;
        if (!op || !a)
            printf("?\n");
        else if (!strcmp(op, "stat"))
            stat(a, &st) < 0 ? (void)puts(err(-1)) : show("ok", &st);
        else if (!strcmp(op, "lstat"))
            lstat(a, &st) < 0 ? (void)puts(err(-1)) : show("ok", &st);
        else if (!strcmp(op, "open"))
            opened(open(a, O_RDONLY));
        else if (!strcmp(op, "nofollow"))
            opened(open(a, O_PATH | O_NOFOLLOW));
        else if (!strcmp(op, "readlink")) {
            n = readlink(a, buf, sizeof buf);
            printf("%s %.*s\n", err(n), n > 0 ? (int)n : 0, buf);
        } else if (!strcmp(op, "list"))
            list(a);
        else if (!strcmp(op, "chdir")) {
            printf("%s ", err(chdir(a)));
            puts(getcwd(buf, sizeof buf) ? buf : err(-1));
        } else if (!strcmp(op, "keep")) {
            if (kept >= 0)
                close(kept);
            kept = open(a, O_RDONLY | O_DIRECTORY);
            puts(err(kept));
        } else if (!strcmp(op, "fchdir")) {
            printf("%s ", err(fchdir(kept)));
            puts(getcwd(buf, sizeof buf) ? buf : err(-1));
        } else if (!strcmp(op, "openat"))
            opened(openat(kept, a, O_RDONLY));
        else if (!strcmp(op, "openat2") && b) {
            struct open_how how = {.flags = O_RDONLY, .resolve = strtoul(a, NULL, 16)};
            opened(syscall(SYS_openat2, kept, b, &how, sizeof how));
        } else if (!strcmp(op, "access"))
            puts(err(access(a, R_OK | W_OK)));
        else if (!strcmp(op, "write"))
            opened(open(a, O_WRONLY | O_NONBLOCK));
        else if (!strcmp(op, "create"))
            opened(open(a, O_RDWR | O_CREAT | O_NONBLOCK, 0644));
        else if (!strcmp(op, "exclusive"))
            opened(open(a, O_RDWR | O_CREAT | O_EXCL, 0644));
        else if (!strcmp(op, "truncopen"))
            opened(open(a, O_RDONLY | O_TRUNC | O_NONBLOCK));
        else if (!strcmp(op, "tmpfile"))
            puts(err(open(a, O_RDWR | O_TMPFILE, 0600)));
        else if (!strcmp(op, "mkdir"))
            puts(err(mkdir(a, 0755)));
        else if (!strcmp(op, "mkfifo"))
            puts(err(mkfifo(a, 0644)));
        else if (!strcmp(op, "rmdir"))
            puts(err(rmdir(a)));
        else if (!strcmp(op, "unlink"))
            puts(err(unlink(a)));
        else if (!strcmp(op, "chmod"))
            puts(err(chmod(a, 0711)));
        else if (!strcmp(op, "chown"))
            puts(err(chown(a, 0, 0)));
        else if (!strcmp(op, "utimens"))
            puts(err(utimensat(AT_FDCWD, a, times, 0)));
        else if (!strcmp(op, "truncate"))
            puts(err(truncate(a, 3)));
        else if (!strcmp(op, "setxattr"))
            puts(err(setxattr(a, "user.x", "y", 1, 0)));
        else if (!strcmp(op, "readonly"))
        {
            int r = statfs(a, &fs);
            printf("%s %d\n", err(r), r < 0 ? 0 : (int)(fs.f_flags & 1));
        }
        else if (!strcmp(op, "symlink") && b)
            puts(err(symlink(a, b)));
        else if (!strcmp(op, "rename") && b)
            puts(err(rename(a, b)));
        else if (!strcmp(op, "link") && b)
            puts(err(link(a, b)));
        else if (!strcmp(op, "linkat") && b)
            puts(err(linkat(AT_FDCWD, a, AT_FDCWD, b, AT_SYMLINK_FOLLOW)));
        else if (!strcmp(op, "chroot"))
            puts(err(chroot(a)));
        else
            printf("?\n");
    }
    return 0;
}
