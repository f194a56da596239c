/* Files, directories, descriptors: structs, flags, errors, short strings and long ones. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int main(void) {
    char buf[300];
    struct stat st;
    int fd = open("f", O_RDONLY), out = open("new", O_CREAT | O_RDWR | O_CLOEXEC, 0640), p[2];
    stat("f", &st), lstat("l", &st), fstat(fd, &st), stat("d", &st), stat("/dev/null", &st), stat("missing", &st);
    read(fd, buf, 5), read(fd, buf, 300), read(fd, buf, 300), pread(fd, buf, 4, 2);
    write(out, "\1""8\1""7\200\377\33[0m\n\"\\x\t\v\f", 17);
    write(out, "a line that is longer than thirty-two bytes, so that it is cut\n", 63);
    pwrite(out, "x", 1, 100), lseek(out, 0, SEEK_END), lseek(out, 5, SEEK_SET), lseek(out, 0, 77);
    struct iovec v[3] = {{"abc", 3}, {"", 0}, {"defg", 4}}, in[2] = {{buf, 4}, {buf + 10, 8}};
    writev(out, v, 3), lseek(out, 0, SEEK_SET), readv(out, in, 2), preadv(out, in, 2, 3), readv(99, in, 2);
    ftruncate(out, 50), fsync(out), fallocate(out, 0, 0, 100), fchmod(out, 0600), fchown(out, -1, -1);
    flock(out, LOCK_EX | LOCK_NB), flock(out, LOCK_UN);
    struct flock l = {F_WRLCK, SEEK_SET, 1, 2, 0};
    fcntl(out, F_SETLK, &l), l.l_type = F_UNLCK, fcntl(out, F_SETLK, &l);
    fcntl(out, F_GETFD), fcntl(out, F_SETFD, 0), fcntl(out, F_GETFD), fcntl(out, F_SETFL, O_NONBLOCK | O_APPEND);
    fcntl(out, F_DUPFD, 20), fcntl(out, F_DUPFD_CLOEXEC, 20), fcntl(out, 77, 5);
    dup(out), dup2(out, 30), dup3(out, 31, O_CLOEXEC), dup2(99, 30), close(30), close(99);
    mkdir("q", 0755), mkdir("q", 0755), rmdir("q"), rmdir("q"), symlink("f", "s"), link("f", "h"), rename("h", "i");
    readlink("s", buf, 300), readlink("f", buf, 300), unlink("i"), unlink("i"), access("f", R_OK | W_OK), access("f", F_OK);
    unlinkat(AT_FDCWD, "q", AT_REMOVEDIR), faccessat(AT_FDCWD, "f", X_OK, 0), mknod("fifo", S_IFIFO | 0600, 0);
    chmod("f", 04755), chown("f", 0, -1), umask(022), umask(027), truncate("n", 10), truncate("missing", 10);
    renameat2(AT_FDCWD, "s", AT_FDCWD, "l", RENAME_NOREPLACE), renameat2(AT_FDCWD, "s", AT_FDCWD, "l", RENAME_EXCHANGE);
    getcwd(buf, 1), chdir("d"), chdir("missing"), chdir("..");
    struct statx sx;
    statx(AT_FDCWD, "f", 0, STATX_SIZE | STATX_MODE, (void *)1), statx(AT_FDCWD, "missing", 0x8000, 0, (void *)buf);
    int d = open("d", O_RDONLY | O_DIRECTORY);
    syscall(SYS_getdents64, d, buf, 300), syscall(SYS_getdents64, d, buf, 300), syscall(SYS_getdents64, d, buf, 1);
    syscall(SYS_getdents64, fd, buf, 300);
    pipe(p), write(p[1], "through a pipe", 14), read(p[0], buf, 300);
    off_t at = 3;
    sendfile(p[1], fd, &at, 4), sendfile(p[1], fd, 0, 4), read(p[0], buf, 4), close(p[1]), read(p[0], buf, 300), read(p[0], buf, 300);
    pipe2(p, O_NONBLOCK | O_CLOEXEC), read(p[0], buf, 10);
    struct pollfd q[2] = {{p[1], POLLOUT | POLLERR}, {99, POLLIN}};
    struct timespec zero = {0, 0};
    struct timeval none = {0, 0};
    fd_set r, w;
    poll(q, 2, 0), q[0].fd = p[0], q[0].events = POLLIN, poll(q, 1, 0), ppoll(q, 1, &zero, 0), poll(0, 0, 0);
    FD_ZERO(&r); FD_ZERO(&w); FD_SET(p[0], &r); FD_SET(p[1], &w); select(p[1] + 1, &r, &w, 0, &none);
    FD_ZERO(&r); FD_SET(p[0], &r); select(p[1] + 1, &r, 0, 0, &none);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), copy_file_range(fd, 0, out, 0, 5, 0);
    open("f", 3 | 0x10000000), open("f", O_RDONLY | O_NOFOLLOW | O_NOATIME), open("l", O_NOFOLLOW), open("f/x", O_PATH);
    return 0;
}
