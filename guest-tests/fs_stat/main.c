// The stat family, permissions, owners and times.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>
#include <utime.h>

static const char *err(long r) { return r < 0 ? strerrorname_np(errno) : "ok"; }
#define SHOW(x) printf("%s: %s\n", #x, err((long)(x)))

static void print(const char *what, const struct stat *st) {
    printf("%s: mode %o nlink %ld uid %d gid %d size %ld rdev %x:%x atime %ld.%09ld mtime %ld.%09ld blocks %ld blksize %ld\n",
           what, st->st_mode, S_ISDIR(st->st_mode) ? -1L : (long)st->st_nlink, st->st_uid, st->st_gid,
           S_ISDIR(st->st_mode) ? -1L : (long)st->st_size, major(st->st_rdev), minor(st->st_rdev),
           (long)st->st_atim.tv_sec, st->st_atim.tv_nsec, (long)st->st_mtim.tv_sec, st->st_mtim.tv_nsec,
           S_ISREG(st->st_mode) ? (long)st->st_blocks : -1, (long)st->st_blksize);
}

static void both(const char *path) {
    struct stat a, b;
    struct statx x;
    int r = lstat(path, &a);
    if (r < 0) {
        printf("%s: %s\n", path, err(r));
        return;
    }
    print(path, &a);
    stat(path, &b);
    r = statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &x);
    printf("  statx %s mask %x same %d %d %d %d\n", err(r), x.stx_mask & 0x7ff, x.stx_mode == a.st_mode, x.stx_ino == a.st_ino,
           x.stx_size == a.st_size, makedev(x.stx_dev_major, x.stx_dev_minor) == a.st_dev);
    printf("  follows to %s\n", S_ISREG(b.st_mode) ? "file" : S_ISDIR(b.st_mode) ? "directory" : "other");
}

int main(void) {
    umask(022);
    int fd = open("f", O_RDWR | O_CREAT, 0644);
    write(fd, "0123456789", 10);
    struct timespec t[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
    SHOW(futimens(fd, t));
    struct stat st;
    fstat(fd, &st);
    print("fstat", &st);
    symlink("f", "l");
    struct timespec lt[2] = {{7, 8}, {9, 10}};
    SHOW(utimensat(AT_FDCWD, "l", lt, AT_SYMLINK_NOFOLLOW));
    both("f");
    lstat("l", &st);
    print("l", &st);
    mkdir("d", 0750);
    stat("d", &st);
    printf("d mode %o\n", st.st_mode);
    both("none");
    both("/dev/null");
    both("/dev/zero");
    SHOW(fstat(99, &st));
    SHOW(fstatat(fd, "", &st, AT_EMPTY_PATH));
    printf("size %ld\n", (long)st.st_size);
    SHOW(fstatat(fd, "", &st, 0));
    SHOW(fstatat(fd, "x", &st, 0));
    SHOW(fstatat(AT_FDCWD, "l", &st, AT_SYMLINK_NOFOLLOW));
    printf("link %d\n", S_ISLNK(st.st_mode));
    SHOW(syscall(SYS_newfstatat, AT_FDCWD, "f", &st, 0x10));
    SHOW(syscall(SYS_newfstatat, AT_FDCWD, 0, &st, 0));
    SHOW(syscall(SYS_newfstatat, AT_FDCWD, "f", 8, 0));
    struct statx x;
    SHOW(statx(AT_FDCWD, "f", 0x6000, STATX_ALL, &x));
    SHOW(syscall(SYS_statx, AT_FDCWD, "f", 0, 0x80000000, &x));
    SHOW(statx(fd, "", AT_EMPTY_PATH, STATX_ALL, &x));
    int p[2];
    pipe(p);
    fstat(p[0], &st);
    printf("pipe %d size %ld\n", S_ISFIFO(st.st_mode), (long)st.st_size);

    SHOW(utimensat(AT_FDCWD, "f", (struct timespec[2]){{1, UTIME_OMIT}, {5, 6}}, 0));
    stat("f", &st);
    print("f", &st);
    SHOW(utimensat(AT_FDCWD, "nope", (struct timespec[2]){{1, UTIME_OMIT}, {5, UTIME_OMIT}}, 0));
    SHOW(utimensat(AT_FDCWD, "f", (struct timespec[2]){{1, 2000000000}, {5, 0}}, 0));
    SHOW(utimensat(AT_FDCWD, "nope", (struct timespec[2]){{1, 2000000000}, {5, 0}}, 0));
    SHOW(utimensat(AT_FDCWD, "f", 0, 0x10));
    SHOW(utimensat(AT_FDCWD, "f", (struct timespec[2]){{-5, 7}, {0x100000000, 0}}, 0));
    stat("f", &st);
    print("f", &st);
    SHOW(syscall(SYS_utimensat, fd, 0, t, 0));
    SHOW(syscall(SYS_utimensat, fd, 0, t, AT_SYMLINK_NOFOLLOW));
    SHOW(syscall(SYS_utimensat, AT_FDCWD, 0, t, 0));
    SHOW(utime("f", &(struct utimbuf){11, 12}));
    SHOW(utimes("f", (struct timeval[2]){{13, 14}, {15, 16}}));
    SHOW(utimes("f", (struct timeval[2]){{13, 1000000}, {15, 16}}));
    stat("f", &st);
    print("f", &st);
    SHOW(utimensat(AT_FDCWD, "f", 0, 0));
    stat("f", &st);
    printf("now: %d\n", st.st_mtime > 1600000000);

    SHOW(chmod("f", 0604));
    SHOW(chmod("l", 04755));
    SHOW(fchmod(fd, 0177777));
    stat("f", &st);
    printf("mode %o\n", st.st_mode);
    SHOW(fchmodat(AT_FDCWD, "none", 0, 0));
    SHOW(syscall(452, AT_FDCWD, "l", 0600, AT_SYMLINK_NOFOLLOW));
    SHOW(syscall(452, fd, "", 0640, AT_EMPTY_PATH));
    SHOW(syscall(452, fd, "f", 0640, 0x10));
    SHOW(chown("f", -1, -1));
    SHOW(lchown("l", -1, -1));
    SHOW(fchown(fd, getuid(), getgid()));
    SHOW(fchownat(AT_FDCWD, "l", -1, -1, AT_SYMLINK_NOFOLLOW));
    SHOW(fchownat(fd, "", -1, -1, AT_EMPTY_PATH));
    SHOW(fchownat(AT_FDCWD, "l", -1, -1, 0x4000));
    SHOW(fchown(98, 0, 0));
    SHOW(fchmod(98, 0));
    int h = open("f", O_PATH);
    SHOW(fchmod(h, 0600));
    SHOW(fchown(h, -1, -1));
    SHOW(fstat(h, &st));

    SHOW(access("f", R_OK | W_OK));
    SHOW(access("f", 8));
    SHOW(access("none", F_OK));
    SHOW(access("f/x", F_OK));
    SHOW(faccessat(AT_FDCWD, "l", F_OK, 0));
    SHOW(syscall(439, AT_FDCWD, "l", F_OK, AT_SYMLINK_NOFOLLOW));
    SHOW(syscall(439, fd, "", R_OK, AT_EMPTY_PATH));
    SHOW(syscall(439, AT_FDCWD, "f", R_OK, 0x4000));
    chmod("f", 0644);
    SHOW(access("f", X_OK));
    chmod("f", 0744);
    SHOW(access("f", X_OK));

    SHOW(truncate("f", 4));
    stat("f", &st);
    printf("size %ld\n", (long)st.st_size);
    SHOW(truncate("f", 100000));
    SHOW(truncate("f", -1));
    SHOW(truncate("d", 1));
    SHOW(truncate("none", 1));
    SHOW(truncate("/dev/null", 1));

    struct statfs a, b;
    SHOW(statfs(".", &a));
    SHOW(fstatfs(fd, &b));
    printf("same: %d %d %d %d\n", a.f_type == b.f_type, a.f_bsize == b.f_bsize, a.f_blocks == b.f_blocks, a.f_namelen == b.f_namelen);
    SHOW(statfs("/proc", &a));
    printf("proc: %lx %ld %ld\n", (long)a.f_type, (long)a.f_bsize, (long)a.f_namelen);
    SHOW(statfs("none", &a));
    SHOW(fstatfs(98, &a));
    SHOW(fstatfs(p[0], &a));
    printf("pipe: %lx %ld %ld\n", (long)a.f_type, (long)a.f_bsize, (long)a.f_namelen);
    return 0;
}
