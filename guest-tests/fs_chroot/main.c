// A changed root cannot be left by any name.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *err(long r) { return r < 0 ? strerrorname_np(errno) : "ok"; }
#define SHOW(x) printf("%s: %s\n", #x, err((long)(x)))

int main(void) {
    mkdir("root", 0755);
    mkdir("root/d", 0755);
    mkdir("outside", 0755);
    close(open("root/f", O_CREAT | O_WRONLY, 0644));
    close(open("root/d/g", O_CREAT | O_WRONLY, 0644));
    symlink("/f", "root/abs");
    symlink("../../../../f", "root/d/up");
    symlink("/d", "root/dir");
    symlink("../../outside", "root/d/out");
    if (chroot("root") < 0) {
        printf("chroot: %s\n", err(-1));
        return 0;
    }
    char buf[4096];
    printf("unreachable: %d\n", getcwd(buf, sizeof buf) == 0 || !strncmp(buf, "(unreachable)", 13));
    SHOW(access("outside", F_OK));
    SHOW(chdir("/"));
    printf("%s\n", getcwd(buf, sizeof buf));
    SHOW(access("/f", F_OK));
    SHOW(access("/../../f", F_OK));
    SHOW(access("../f", F_OK));
    SHOW(access("abs", F_OK));
    SHOW(access("d/up", F_OK));
    SHOW(access("d/../../../f", F_OK));
    SHOW(access("dir/g", F_OK));
    SHOW(access("d/out", F_OK));
    SHOW(access("/outside", F_OK));
    SHOW(access("../outside", F_OK));
    SHOW(access("/d/../../outside", F_OK));
    SHOW(chdir("dir"));
    printf("%s\n", getcwd(buf, sizeof buf));
    SHOW(access("../f", F_OK));
    SHOW(access("../../../f", F_OK));
    SHOW(access("../../outside", F_OK));
    SHOW(open("new", O_CREAT | O_WRONLY, 0600));
    SHOW(mkdir("/made", 0700));
    SHOW(mkdir("../../made2", 0700));
    SHOW(rename("/made", "/d/moved"));
    SHOW(access("moved", F_OK));
    SHOW(access("/made2", F_OK));
    SHOW(unlink("/abs"));
    int fd = open("/", O_RDONLY);
    SHOW(faccessat(fd, "f", F_OK, 0));
    SHOW(faccessat(fd, "../f", F_OK, 0));
    SHOW(faccessat(fd, "../outside", F_OK, 0));
    SHOW(chroot("d"));
    SHOW(access("/g", F_OK));
    SHOW(access("/f", F_OK));
    SHOW(chroot("none"));
    SHOW(chroot("/g"));
    return 0;
}
