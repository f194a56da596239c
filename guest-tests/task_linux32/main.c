// personality(PER_LINUX32), which lscpu(1) and linux32(8) ask for: refused where no 32-bit program can run.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/utsname.h>

int main(void) {
    struct utsname name;
    int result = personality(PER_LINUX32);
    printf("%s\n", result < 0 ? strerrorname_np(errno) : "ok");
    uname(&name);
    printf("%s %x\n", name.machine, personality(-1));
    return 0;
}
