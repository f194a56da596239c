// uname, sysinfo, getrandom, what an ordinary program may not do.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static const char *err(long result) {
    return result == -1 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))
#define HOLDS(expr) printf("%s: %d\n", #expr, !!(expr))

int main(void) {
    struct utsname u, v;
    SHOW(uname(&u));
    puts(u.sysname);
#ifdef __x86_64__
    HOLDS(strcmp(u.machine, "x86_64") == 0);
#else
    HOLDS(strcmp(u.machine, "aarch64") == 0);
#endif
    HOLDS(u.release[0] >= '3' && strlen(u.nodename) > 0);
    SHOW(syscall(SYS_uname, 8));
    char host[65];
    SHOW(gethostname(host, sizeof host));
    HOLDS(strcmp(host, u.nodename) == 0);
    personality(UNAME26);
    uname(&v);
    HOLDS(strncmp(v.release, "2.6.", 4) == 0);
    personality(PER_LINUX);

    struct sysinfo s;
    SHOW(sysinfo(&s));
    HOLDS(s.totalram > 0 && s.freeram <= s.totalram && s.mem_unit >= 1 && s.procs >= 1);
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    HOLDS(labs(t.tv_sec - s.uptime) <= 1);
    SHOW(syscall(SYS_sysinfo, 8));

    unsigned char a[64] = {0}, b[64] = {0};
    printf("%zd\n", getrandom(a, sizeof a, 0));
    printf("%zd\n", getrandom(b, sizeof b, GRND_NONBLOCK));
    HOLDS(memcmp(a, b, sizeof a) != 0);
    printf("%zd\n", getrandom(b, 0, 0));
    printf("%zd\n", getrandom(b, 10, GRND_RANDOM));
    printf("%zd\n", getrandom(b, 10, 4));
    SHOW(getrandom(b, 10, 8));
    SHOW(getrandom(b, 10, GRND_RANDOM | 4));
    SHOW(syscall(SYS_getrandom, 8, 10, 0));
    char *big = malloc(1 << 20);
    printf("%zd\n", getrandom(big, 1 << 20, 0));
    unsigned counts[256] = {0};
    for (int i = 0; i < 1 << 20; i++)
        counts[(unsigned char)big[i]]++;
    int even = 1;
    for (int i = 0; i < 256; i++)
        even &= counts[i] > 3500 && counts[i] < 4700;
    HOLDS(even);
}
