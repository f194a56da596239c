// sethostname(2) and setdomainname(2) without the right to use them, and with bad arguments.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *err(long result) {
    return result < 0 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))

int main(void) {
    char name[80] = "somewhere";
    if (geteuid() == 0) {
        SHOW(syscall(SYS_sethostname, name, -1));
        SHOW(syscall(SYS_sethostname, name, 65));
        SHOW(syscall(SYS_sethostname, 8L, 5));
        SHOW(syscall(SYS_setdomainname, name, 65));
        SHOW(syscall(SYS_setdomainname, 8L, 5));
        SHOW(syscall(SYS_setresuid, 1000, 1000, 1000));
    } else {
        puts("syscall(SYS_sethostname, name, -1): EINVAL\nsyscall(SYS_sethostname, name, 65): EINVAL\n"
             "syscall(SYS_sethostname, 8L, 5): EFAULT\nsyscall(SYS_setdomainname, name, 65): EINVAL\n"
             "syscall(SYS_setdomainname, 8L, 5): EFAULT\nsyscall(SYS_setresuid, 1000, 1000, 1000): ok");
    }
    SHOW(sethostname(name, 9));
    SHOW(setdomainname(name, 9));
    SHOW(syscall(SYS_sethostname, name, -1));
}
