// inotify: init, init1, add_watch, rm_watch, and what the queue tells.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

static void drain(int fd) {
    char buf[4096] __attribute__((aligned(8)));
    ssize_t n;
    unsigned cookie = 0;
    while ((n = read(fd, buf, sizeof buf)) > 0)
        for (char *p = buf; p < buf + n;) {
            struct inotify_event *e = (void *)p;
            printf("  wd %d mask %x cookie %s name '%s'\n", e->wd, e->mask,
                   !e->cookie ? "none" : e->cookie == cookie ? "same" : "new", e->len ? e->name : "");
            if (e->cookie) cookie = e->cookie;
            p += sizeof *e + e->len;
        }
    printf("  end: %s\n", n < 0 ? strerrorname_np(errno) : "eof");
}

int main(void) {
#ifdef SYS_inotify_init
    int old = syscall(SYS_inotify_init);
#else
    int old = inotify_init1(0);
#endif
    printf("old %d %x\n", fcntl(old, F_GETFD), fcntl(old, F_GETFL));
    SHOW(inotify_init1(1));
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    char name[64], to[64] = "";
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    readlink(name, to, sizeof to - 1);
    printf("%s %d %x\n", to, fcntl(fd, F_GETFD), fcntl(fd, F_GETFL));
    mkdir("dir", 0700);
    symlink("dir", "link");
    int f = open("dir/file", O_RDWR | O_CREAT, 0600);
    SHOW(inotify_add_watch(fd, "dir", IN_ALL_EVENTS));
    SHOW(inotify_add_watch(fd, "dir/file", IN_MODIFY | IN_ATTRIB | IN_DELETE_SELF));
    SHOW(inotify_add_watch(fd, "link", IN_ALL_EVENTS));
    SHOW(inotify_add_watch(fd, "link", IN_DONT_FOLLOW | IN_ATTRIB));
    SHOW(inotify_add_watch(fd, "dir/file", IN_ONLYDIR | IN_MODIFY));
    SHOW(inotify_add_watch(fd, "none", IN_MODIFY));
    SHOW(inotify_add_watch(fd, "dir", 0));
    SHOW(inotify_add_watch(fd, (void *)8, IN_MODIFY));
    SHOW(inotify_add_watch(99, "dir", IN_MODIFY));
    SHOW(inotify_add_watch(f, "dir", IN_MODIFY));
    SHOW(inotify_add_watch(fd, "dir", IN_MASK_CREATE | IN_MODIFY));
    SHOW(inotify_add_watch(fd, "dir", IN_MASK_CREATE | IN_MASK_ADD | IN_MODIFY));
    struct pollfd p = {fd, POLLIN, 0};
    SHOW(poll(&p, 1, 0));
    write(f, "x", 1);
    SHOW(poll(&p, 1, 1000));
    int pending = 0;
    SHOW(ioctl(fd, FIONREAD, &pending));
    printf("pending %d\n", pending);
    char small[8];
    SHOW(read(fd, small, sizeof small));
    drain(fd);
    int g = open("dir/new", O_WRONLY | O_CREAT, 0600);
    write(g, "abc", 3);
    close(g);
    chmod("dir/file", 0640);
    rename("dir/new", "dir/newer");
    unlink("dir/newer");
    close(f);
    unlink("dir/file");
    drain(fd);
    mkdir("dir/sub", 0700);
    rmdir("dir/sub");
    SHOW(inotify_rm_watch(fd, 1));
    SHOW(inotify_rm_watch(fd, 1));
    SHOW(inotify_rm_watch(old, 77));
    SHOW(inotify_rm_watch(99, 1));
    SHOW(inotify_rm_watch(0, 1));
    drain(fd);
    SHOW(write(fd, "x", 1));
    SHOW(lseek(fd, 0, SEEK_CUR));
    return 0;
}
