// sendfile, copy_file_range, splice, tee, vmsplice.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHOW(call)                                                                   \
    do {                                                                             \
        errno = 0;                                                                   \
        long result_ = (long)(call);                                                 \
        printf("%s = %ld %s\n", #call, result_, result_ < 0 ? strerrorname_np(errno) : ""); \
    } while (0)

static char big[200000];

static void content(const char *what, int fd) {
    char b[64] = "";
    ssize_t n = pread(fd, b, 60, 0);
    printf("%s: %zd [%s]\n", what, n, b);
}

int main(void) {
    int a = open("a", O_RDWR | O_CREAT | O_TRUNC, 0600), b = open("b", O_RDWR | O_CREAT | O_TRUNC, 0600);
    int app = open("b", O_WRONLY | O_APPEND), dir = open(".", O_RDONLY), p[2], q[2];
    pipe2(p, O_NONBLOCK), pipe2(q, O_NONBLOCK);
    write(a, "The quick brown fox", 19);
    loff_t off = 4, to = 2;

    SHOW(sendfile(b, a, &off, 5));
    printf("%ld %ld\n", (long)off, (long)lseek(a, 0, SEEK_CUR));
    content("b", b);
    lseek(a, 10, SEEK_SET);
    SHOW(sendfile(b, a, 0, 100));
    printf("%ld\n", (long)lseek(a, 0, SEEK_CUR));
    SHOW(sendfile(b, a, 0, 100));
    content("b", b);
    off = 0;
    SHOW(sendfile(p[1], a, &off, 3));
    SHOW(sendfile(p[1], a, &off, 3));
    SHOW(read(p[0], big, 100));
    printf("%.6s\n", big);
    SHOW(sendfile(b, p[0], 0, 3));
    SHOW(sendfile(b, p[0], &off, 3));
    SHOW(sendfile(app, a, &off, 3));
    SHOW(sendfile(99, a, &off, 3));
    SHOW(sendfile(a, app, &off, 3));
    SHOW(sendfile(b, dir, &off, 3));
    off = -1;
    SHOW(sendfile(b, a, &off, 3));
    SHOW(sendfile(b, a, (void *)8, 3));
    ftruncate(a, 200000);
    off = 0;
    SHOW(sendfile(p[1], a, &off, 200000));
    SHOW(sendfile(p[1], a, &off, 200000));
    SHOW(read(p[0], big, 200000));
    ftruncate(a, 19);

    off = 4, to = 0;
    SHOW(copy_file_range(a, &off, b, &to, 5, 0));
    printf("%ld %ld\n", (long)off, (long)to);
    content("b", b);
    SHOW(copy_file_range(a, 0, b, 0, 5, 1));
    SHOW(copy_file_range(a, 0, p[1], 0, 5, 0));
    SHOW(copy_file_range(dir, 0, b, 0, 5, 0));
    SHOW(copy_file_range(a, 0, app, 0, 5, 0));
    off = 0, to = 3;
    SHOW(copy_file_range(a, &off, a, &to, 5, 0));
    off = 100;
    SHOW(copy_file_range(a, &off, b, 0, 5, 0));

    lseek(a, 0, SEEK_SET);
    off = 4;
    SHOW(splice(a, &off, p[1], 0, 5, 0));
    printf("%ld %ld\n", (long)off, (long)lseek(a, 0, SEEK_CUR));
    SHOW(splice(a, 0, p[1], 0, 4, 0));
    printf("%ld\n", (long)lseek(a, 0, SEEK_CUR));
    SHOW(tee(p[0], q[1], 3, 0));
    SHOW(tee(p[0], q[1], 100, 0));
    memset(big, 0, 100);
    SHOW(read(q[0], big, 100));
    puts(big);
    SHOW(tee(q[0], p[1], 100, 0));
    SHOW(splice(p[0], 0, q[1], 0, 2, 0));
    ftruncate(b, 0);
    to = 3;
    SHOW(splice(p[0], 0, b, &to, 100, 0));
    printf("%ld\n", (long)to);
    SHOW(pread(b, big, 20, 0));
    printf("%.7s %d\n", big + 3, big[0]);
    SHOW(splice(p[0], 0, b, 0, 100, 0));
    SHOW(splice(p[0], 0, b, 0, 0, 0));
    SHOW(splice(p[0], 0, b, 0, 10, 0x100));
    SHOW(splice(a, 0, b, 0, 10, 0));
    SHOW(splice(p[0], &off, b, 0, 10, 0));
    SHOW(splice(q[0], 0, app, 0, 10, 0));
    SHOW(splice(q[0], 0, q[1], 0, 10, 0));
    SHOW(splice(99, 0, q[1], 0, 10, 0));
    SHOW(splice(q[1], 0, b, 0, 10, 0));
    SHOW(tee(a, q[1], 10, 0));
    SHOW(tee(q[0], q[1], 10, 0));
    SHOW(splice(q[0], 0, b, 0, 10, 0));

    struct iovec v[2] = {{"vm", 2}, {"splice", 6}}, in[2] = {{big, 3}, {big + 3, 20}};
    SHOW(vmsplice(p[1], v, 2, 0));
    memset(big, 0, 100);
    SHOW(vmsplice(p[0], in, 2, 0));
    puts(big);
    SHOW(vmsplice(p[0], in, 2, SPLICE_F_NONBLOCK));
    SHOW(vmsplice(a, v, 2, 0));
    SHOW(vmsplice(p[1], v, 2, 0x100));
    SHOW(vmsplice(p[1], (void *)8, 2, 0));
    SHOW(vmsplice(p[1], v, 0, 0));
    close(p[1]);
    SHOW(splice(p[0], 0, b, 0, 10, 0));
    SHOW(tee(p[0], q[1], 10, 0));
    return 0;
}
