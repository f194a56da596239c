// Descriptors: duplicates, flags, ranges, limits, locks, seals, owners.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

static void duplicates(int fd) {
    SHOW(dup(fd));
    SHOW(dup(99));
    SHOW(dup2(fd, 20));
    SHOW(dup2(fd, fd));
    SHOW(dup2(99, 99));
    SHOW(dup2(99, fd));
    SHOW(dup2(fd, -1));
    SHOW(dup3(fd, 21, O_CLOEXEC));
    SHOW(fcntl(21, F_GETFD));
    SHOW(fcntl(20, F_GETFD));
    SHOW(dup3(fd, fd, 0));
    SHOW(dup3(fd, 22, O_NONBLOCK));
    SHOW(fcntl(fd, F_DUPFD, 30));
    SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 30));
    SHOW(fcntl(31, F_GETFD));
    SHOW(fcntl(fd, F_DUPFD, -1));
    SHOW(fcntl(fd, F_DUPFD, 1 << 30));
    SHOW(fcntl(fd, F_SETFD, 5));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_SETFD, 2));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(ioctl(fd, FIOCLEX));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(ioctl(fd, FIONCLEX));
    SHOW(fcntl(fd, F_GETFD));
    struct rlimit l, old;
    getrlimit(RLIMIT_NOFILE, &old);
    l = old;
    l.rlim_cur = 25;
    SHOW(setrlimit(RLIMIT_NOFILE, &l));
    SHOW(dup2(fd, 25));
    SHOW(dup2(fd, 24));
    SHOW(fcntl(fd, F_DUPFD, 25));
    SHOW(fcntl(fd, F_DUPFD, 24));
    int n = 0;
    while (dup(fd) >= 0) n++;
    printf("%d more, then %s\n", n, strerrorname_np(errno));
    SHOW(open("file", O_RDONLY));
    int p[2];
    SHOW(pipe(p));
    SHOW(close(22));
    SHOW(pipe(p));
    SHOW(dup(fd));
    setrlimit(RLIMIT_NOFILE, &old);
    SHOW(syscall(SYS_close_range, 23, 22, 0));
    SHOW(syscall(SYS_close_range, 5, 22, 8));
    SHOW(syscall(SYS_close_range, 20, ~0u, CLOSE_RANGE_CLOEXEC));
    SHOW(fcntl(20, F_GETFD));
    SHOW(fcntl(19, F_GETFD));
    SHOW(syscall(SYS_close_range, 4, ~0u, CLOSE_RANGE_UNSHARE));
    SHOW(fcntl(20, F_GETFD));
    SHOW(dup(fd));
    SHOW(close(4));
}

static void status(int fd) {
    int on = 1, off = 0, path = open("file", O_PATH), dir = open(".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    SHOW(fcntl(fd, F_GETFL) & O_ACCMODE);
    SHOW((fcntl(fd, F_GETFL) & ~O_ACCMODE & ~0100000 & ~0400000) == 0);
    SHOW(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK | O_WRONLY | O_CREAT | O_EXCL | O_SYNC));
    SHOW((fcntl(fd, F_GETFL) & (O_APPEND | O_NONBLOCK | O_SYNC | O_CREAT | O_ACCMODE)) == (O_APPEND | O_NONBLOCK | O_RDWR));
    SHOW(fcntl(dup(fd), F_GETFL) == fcntl(fd, F_GETFL));
    SHOW(ioctl(fd, FIONBIO, &off));
    SHOW((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0);
    SHOW(ioctl(fd, FIONBIO, &on));
    SHOW((fcntl(fd, F_GETFL) & O_NONBLOCK) == O_NONBLOCK);
    SHOW(ioctl(fd, FIONBIO, 8));
    SHOW(fcntl(fd, F_SETFL, 0));
    SHOW(fcntl(path, F_GETFL) == O_PATH);
    SHOW(fcntl(path, F_SETFL, 0));
    SHOW(fcntl(path, F_GETFD));
    SHOW(fcntl(path, F_DUPFD, 0) > 0);
    SHOW(fcntl(path, F_GETLK, 0));
    SHOW(ioctl(path, FIONCLEX));
    SHOW((fcntl(dir, F_GETFL) & (O_DIRECTORY | O_NOFOLLOW)) == (O_DIRECTORY | O_NOFOLLOW));
    SHOW(fcntl(fd, 12345));
    SHOW(fcntl(99, 12345));
    SHOW(fcntl(fd, F_GETPIPE_SZ));
    SHOW(fcntl(fd, F_GETOWN));
    SHOW(fcntl(fd, F_SETOWN, getpid()));
    SHOW(fcntl(fd, F_GETOWN) == getpid());
    SHOW(fcntl(fd, F_SETOWN, -getpgrp()) == 0);
    SHOW(fcntl(fd, F_SETOWN, 0));
    SHOW(fcntl(fd, F_SETOWN, 2000000000));
    struct f_owner_ex ex = {F_OWNER_TID, 0};
    SHOW(fcntl(fd, F_SETOWN_EX, &ex));
    ex.type = 7;
    SHOW(fcntl(fd, F_SETOWN_EX, &ex));
    SHOW(fcntl(fd, F_GETOWN_EX, &ex));
    printf("%d %d\n", ex.type, ex.pid);
    SHOW(fcntl(fd, F_SETSIG, 65));
    SHOW(fcntl(fd, F_SETSIG, 34));
    SHOW(fcntl(fd, F_GETSIG));
    uint64_t hint = 2;
    SHOW(fcntl(fd, F_SET_RW_HINT, &hint));
    hint = 0;
    SHOW(fcntl(fd, F_GET_RW_HINT, &hint));
    printf("%d\n", (int)hint);
    hint = 77;
    SHOW(fcntl(fd, F_SET_RW_HINT, &hint));
    close(path), close(dir);
}

static void locks(int fd) {
    int other = open("file", O_RDWR), rd = open("file", O_RDONLY), p[2];
    pipe(p);
    SHOW(flock(fd, LOCK_EX));
    SHOW(flock(other, LOCK_EX | LOCK_NB));
    SHOW(flock(dup(fd), LOCK_EX | LOCK_NB));
    SHOW(flock(fd, LOCK_SH));
    SHOW(flock(other, LOCK_SH | LOCK_NB));
    SHOW(flock(fd, LOCK_UN));
    SHOW(flock(fd, 0));
    SHOW(flock(fd, 99));
    SHOW(flock(99, 99));
    SHOW(flock(p[0], LOCK_EX | LOCK_NB));
    SHOW(flock(p[0], LOCK_UN));
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
    SHOW(fcntl(fd, F_SETLK, &l));
    SHOW(fcntl(other, F_SETLKW, &l));
    SHOW(fcntl(other, F_GETLK, &l));
    printf("%d\n", l.l_type == F_UNLCK);
    l.l_type = F_WRLCK;
    SHOW(fcntl(rd, F_SETLK, &l));
    l.l_type = 9;
    SHOW(fcntl(fd, F_SETLK, &l));
    l.l_type = F_WRLCK, l.l_whence = 9;
    SHOW(fcntl(fd, F_SETLK, &l));
    l.l_whence = SEEK_SET, l.l_start = -5;
    SHOW(fcntl(fd, F_SETLK, &l));
    SHOW(fcntl(fd, F_SETLK, (void *)8));
    struct flock o = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 100, .l_len = 10};
    SHOW(fcntl(fd, F_OFD_SETLK, &o));
    SHOW(fcntl(other, F_OFD_SETLK, &o));
    SHOW(fcntl(other, F_OFD_GETLK, &o));
    printf("%d %d %ld %ld %d\n", o.l_type, o.l_whence, (long)o.l_start, (long)o.l_len, o.l_pid);
    o.l_pid = 1;
    SHOW(fcntl(other, F_OFD_SETLK, &o));
    SHOW(fcntl(p[0], F_SETLK, &l));
    close(other), close(rd), close(p[0]), close(p[1]);
}

static void memory(void) {
    struct stat st;
    char name[300];
    SHOW(memfd_create("x", 0x100));
    memset(name, 'a', 299), name[299] = 0;
    SHOW(memfd_create(name, 0));
    name[249] = 0;
    SHOW(memfd_create(name, 0) > 0);
    SHOW(memfd_create((void *)8, 0));
    int fd = memfd_create("mem", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    SHOW(fcntl(fd, F_GETFD));
    SHOW((fcntl(fd, F_GETFL) & ~0100000 & ~0400000) == O_RDWR);
    SHOW(ftruncate(fd, 100));
    SHOW(pwrite(fd, "abc", 3, 50));
    SHOW(fstat(fd, &st));
    printf("%ld %o\n", (long)st.st_size, st.st_mode);
    SHOW(fcntl(fd, F_GET_SEALS));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_WRITE));
    SHOW(write(fd, "x", 1));
    SHOW(ftruncate(fd, 50));
    SHOW(fcntl(fd, F_GET_SEALS));
    SHOW(fcntl(fd, F_ADD_SEALS, 0x1000));
    sprintf(name, "/proc/self/fd/%d", fd);
    char path[64] = "";
    SHOW(readlink(name, path, 60));
    puts(path);
    close(fd);
}

static void space(int fd) {
    int rd = open("file", O_RDONLY), p[2];
    struct stat st;
    pipe(p);
    SHOW(ftruncate(fd, 1000));
    SHOW(ftruncate(fd, -1));
    SHOW(ftruncate(rd, 10));
    SHOW(ftruncate(p[1], 10));
    SHOW(fallocate(fd, 0, 0, 5000));
    fstat(fd, &st);
    printf("%ld\n", (long)st.st_size);
    SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 9000));
    fstat(fd, &st);
    printf("%ld\n", (long)st.st_size);
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096));
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096));
    SHOW(fallocate(fd, 0, -1, 5));
    SHOW(fallocate(fd, 0, 0, 0));
    SHOW(fallocate(fd, 0x1000, 0, 5));
    SHOW(fallocate(rd, 0, 0, 5));
    SHOW(fallocate(p[1], 0, 0, 5));
    SHOW(fsync(fd));
    SHOW(fdatasync(fd));
    SHOW(fdatasync(p[0]));
    SHOW(fsync(99));
    SHOW(syncfs(fd));
    SHOW(sync_file_range(fd, 0, 100, SYNC_FILE_RANGE_WRITE));
    SHOW(sync_file_range(fd, -1, 100, SYNC_FILE_RANGE_WRITE));
    SHOW(sync_file_range(fd, 0, 100, 8));
    SHOW(sync_file_range(p[0], 0, 100, 0));
    SHOW(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL));
    SHOW(posix_fadvise(fd, 0, -1, 0));
    SHOW(posix_fadvise(fd, 0, 0, 99));
    SHOW(posix_fadvise(p[0], 0, 0, 0));
    SHOW(readahead(fd, 0, 4096));
    SHOW(readahead(p[0], 0, 4096));
    SHOW(readahead(99, 0, 4096));
    int n = -1;
    lseek(fd, 10, SEEK_SET);
    SHOW(ioctl(fd, FIONREAD, &n));
    printf("%d\n", n);
    long q = -1;
    SHOW(ioctl(fd, FIOQSIZE, &q));
    printf("%ld\n", q);
    SHOW(ioctl(fd, 0x1234, &q));
    SHOW(ioctl(99, 0x1234, &q));
    SHOW(ioctl(fd, TCGETS, &q));
    SHOW(ioctl(fd, TCSETS, 8));
    SHOW(ioctl(fd, TIOCGPGRP, &n));
    close(rd), close(p[0]), close(p[1]);
}

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0644);
    write(fd, "0123456789", 10);
    printf("%d\n", fd);
    duplicates(fd);
    status(fd);
    locks(fd);
    memory();
    space(fd);
    return 0;
}
