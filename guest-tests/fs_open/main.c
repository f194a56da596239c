// The open family: which flags make what, and what is refused.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *err(long r) { return r < 0 ? strerrorname_np(errno) : "ok"; }

static int show(const char *what, int fd) {
    printf("%s: %s", what, err(fd));
    if (fd >= 0) {
        struct stat st;
        int flags = fcntl(fd, F_GETFL), fdfl = fcntl(fd, F_GETFD);
        fstat(fd, &st);
        printf(" fd %d mode %o size %ld acc %d append %d nonblock %d path %d dir %d cloexec %d", fd, st.st_mode,
               S_ISDIR(st.st_mode) ? -1L : (long)st.st_size, flags & O_ACCMODE, !!(flags & O_APPEND),
               !!(flags & O_NONBLOCK), !!(flags & O_PATH), !!(flags & O_DIRECTORY), fdfl);
        close(fd);
    }
    printf("\n");
    return fd;
}
#define OPEN(...) show("open(" #__VA_ARGS__ ")", open(__VA_ARGS__))

static void how(const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how h = {.flags = flags, .mode = mode, .resolve = resolve};
    char what[200];
    snprintf(what, sizeof what, "openat2(%s, mode %lo, resolve %lx)", path, (long)mode, (long)resolve);
    show(what, syscall(SYS_openat2, AT_FDCWD, path, &h, sizeof h));
}

int main(void) {
    umask(027);
    OPEN("f", O_RDWR);
    OPEN("f", O_RDWR | O_CREAT, 0666);
    OPEN("f", O_RDWR | O_CREAT | O_EXCL, 0666);
    OPEN("f", O_WRONLY | O_APPEND | O_CLOEXEC);
    OPEN("f", O_RDONLY | O_NONBLOCK);
    OPEN("f", O_RDONLY | O_DIRECTORY);
    OPEN("f/", O_RDONLY);
    OPEN("f/g", O_RDONLY);
    OPEN("new/", O_RDWR | O_CREAT, 0600);
    OPEN("none/g", O_RDWR | O_CREAT, 0600);
    OPEN("x", O_RDWR | O_CREAT, 07777);
    OPEN("y", O_WRONLY | O_CREAT | O_TRUNC, 0);
    OPEN(".", O_RDONLY);
    OPEN(".", O_RDWR);
    OPEN(".", O_RDONLY | O_CREAT, 0600);
    OPEN(".", O_PATH | O_RDWR | O_CREAT);
    OPEN("d", O_RDONLY | O_DIRECTORY | O_CREAT, 0600);
    OPEN(".", O_RDWR | O_TMPFILE, 0640);
    OPEN(".", O_RDONLY | O_TMPFILE, 0640);
    OPEN("", O_RDONLY);
    OPEN("/", O_RDONLY);
    OPEN("//.//../", O_RDONLY);
    int fd = open("f", O_WRONLY);
    printf("write %ld\n", (long)write(fd, "hello", 5));
    close(fd);
    OPEN("f", O_RDONLY);
    OPEN("f", O_WRONLY | O_TRUNC);
    OPEN("f", O_ACCMODE);

    symlink("f", "l");
    symlink("nowhere", "dangling");
    symlink("loop", "loop");
    symlink(".", "here");
    OPEN("l", O_RDONLY);
    OPEN("l", O_RDONLY | O_NOFOLLOW);
    OPEN("l", O_PATH | O_NOFOLLOW);
    OPEN("l", O_RDWR | O_CREAT | O_EXCL, 0600);
    OPEN("dangling", O_RDONLY);
    OPEN("dangling", O_WRONLY | O_CREAT | O_EXCL, 0600);
    OPEN("dangling", O_WRONLY | O_CREAT, 0600);
    OPEN("nowhere", O_RDONLY);
    OPEN("loop", O_RDONLY);
    OPEN("here/here/f", O_RDONLY);
    OPEN("here/", O_RDONLY | O_NOFOLLOW);
    OPEN("here", O_RDONLY | O_DIRECTORY);
    show("creat", creat("c", 0777));

    char longname[300];
    memset(longname, 'n', 299);
    longname[299] = 0;
    show("long", open(longname, O_RDONLY));
    char longpath[5000];
    memset(longpath, '/', 4999);
    longpath[4999] = 0;
    show("very long", open(longpath, O_RDONLY));
    show("null", syscall(SYS_openat, AT_FDCWD, 0, O_RDONLY));
    show("badfd", openat(77, "f", O_RDONLY));
    show("badfd absolute", openat(77, "/", O_RDONLY));
    fd = open("f", O_RDONLY);
    show("not a directory", openat(fd, "f", O_RDONLY));
    close(fd);
    int dir = open("here", O_PATH | O_DIRECTORY);
    show("at handle", openat(dir, "f", O_RDONLY));
    close(dir);
    printf("read of handle: ");
    fd = open("f", O_PATH);
    char c;
    printf("%s\n", err(read(fd, &c, 1)));
    close(fd);

    how("f", O_RDONLY, 0, 0);
    how("f", O_RDONLY, 0600, 0);
    how("f", 1ull << 40, 0, 0);
    how("f", O_RDONLY, 0, 0x1000);
    how("f", O_CREAT | O_RDWR, 010000, 0);
    how("l", O_RDONLY, 0, RESOLVE_NO_SYMLINKS);
    how("here/f", O_RDONLY, 0, RESOLVE_NO_SYMLINKS);
    how("here/f", O_RDONLY, 0, RESOLVE_BENEATH);
    how("../f", O_RDONLY, 0, RESOLVE_BENEATH);
    how("/f", O_RDONLY, 0, RESOLVE_BENEATH);
    how("/f", O_RDONLY, 0, RESOLVE_IN_ROOT);
    how("../../f", O_RDONLY, 0, RESOLVE_IN_ROOT);
    how("/f", O_RDONLY, 0, RESOLVE_IN_ROOT | RESOLVE_BENEATH);
    how("/proc/self/exe", O_RDONLY, 0, RESOLVE_NO_MAGICLINKS);
    how("f", O_PATH | O_RDWR, 0, 0);
    struct open_how h = {.flags = O_RDONLY};
    printf("size 8: %s\n", err(syscall(SYS_openat2, AT_FDCWD, "f", &h, 8)));
    struct { struct open_how h; uint64_t more; } big = {.h = h, .more = 0};
    show("larger", syscall(SYS_openat2, AT_FDCWD, "f", &big, sizeof big));
    big.more = 1;
    show("larger, not zero", syscall(SYS_openat2, AT_FDCWD, "f", &big, sizeof big));

    struct rlimit lim = {3, 3};
    setrlimit(RLIMIT_NOFILE, &lim);
    show("no descriptor left", open("never", O_CREAT | O_RDWR, 0600));
    printf("made: %s\n", err(access("never", F_OK)));
    return 0;
}
