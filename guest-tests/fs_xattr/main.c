// Extended attributes.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *err(long r) { return r < 0 ? strerrorname_np(errno) : "ok"; }
#define SHOW(x) do { long r_ = (x); printf("%s: %ld %s\n", #x, r_, err(r_)); } while (0)

int main(void) {
    char buf[70000], name[300];
    int fd = open("f", O_CREAT | O_RDWR, 0644);
    symlink("f", "l");
    SHOW(setxattr("f", "user.one", "value", 5, 0));
    SHOW(setxattr("f", "user.one", "v", 1, XATTR_CREATE));
    SHOW(setxattr("f", "user.two", "v", 1, XATTR_REPLACE));
    SHOW(fsetxattr(fd, "user.two", "", 0, XATTR_CREATE));
    SHOW(setxattr("f", "user.x", "v", 1, 4));
    SHOW(getxattr("f", "user.one", buf, sizeof buf));
    printf("%.5s\n", buf);
    SHOW(getxattr("l", "user.one", 0, 0));
    SHOW(getxattr("f", "user.one", buf, 3));
    SHOW(getxattr("f", "user.none", buf, 3));
    SHOW(fgetxattr(fd, "user.two", buf, 3));
    SHOW(lgetxattr("l", "user.one", buf, 3));
    SHOW(lsetxattr("l", "user.one", "x", 1, 0));
    SHOW(getxattr("none", "user.one", buf, 3));
    SHOW(getxattr("f", "", buf, 3));
    memset(name, 'n', 299);
    memcpy(name, "user.", 5);
    name[299] = 0;
    SHOW(getxattr("f", name, buf, 3));
    SHOW(getxattr("f", "nonsense", buf, 3));
    SHOW(setxattr("f", "user.big", buf, 65537, 0));
    long n = listxattr("f", buf, sizeof buf);
    int one = 0, two = 0;
    for (long i = 0; i < n; i += strlen(buf + i) + 1) {
        one |= !strcmp(buf + i, "user.one");
        two |= !strcmp(buf + i, "user.two");
    }
    printf("listed %d %d, length %d\n", one, two, listxattr("l", 0, 0) == n);
    SHOW(listxattr("f", buf, 3));
    SHOW(llistxattr("l", buf, sizeof buf));
    SHOW(removexattr("f", "user.one"));
    SHOW(removexattr("f", "user.one"));
    SHOW(fremovexattr(fd, "user.two"));
    SHOW(lremovexattr("l", "user.two"));
    SHOW(fgetxattr(99, "user.one", buf, 3));
    int h = open("f", O_PATH);
    SHOW(fgetxattr(h, "user.one", buf, 3));
    SHOW(getxattr("/proc/self/status", "user.one", buf, 3));
    SHOW(setxattr("/proc/self/status", "user.one", buf, 3, 0));
    SHOW(getxattr("f", (char *)16, buf, 3));
    SHOW(setxattr("f", "user.one", (void *)16, 3, 0));
    return 0;
}
