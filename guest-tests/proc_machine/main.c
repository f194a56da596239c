// What /proc and /sys say about the machine.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static const char *err(long result) {
    return result == -1 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))
#define HOLDS(expr) printf("%s: %d\n", #expr, !!(expr))

static char text[1 << 16];

static char *slurp(const char *path) {
    int fd = open(path, O_RDONLY);
    ssize_t n = 0, r;
    if (fd < 0)
        return 0;
    while ((r = read(fd, text + n, sizeof text - 1 - n)) > 0)
        n += r;
    close(fd);
    text[n] = 0;
    return r < 0 ? 0 : text;
}

static int count(const char *what) {
    int n = 0;
    for (char *p = text; (p = strstr(p, what)); p++)
        n++;
    return n;
}

int main(void) {
    cpu_set_t set;
    sched_getaffinity(0, sizeof set, &set);
    int cpus = CPU_COUNT(&set);
    HOLDS(slurp("/proc/cpuinfo") && count("processor\t: ") >= cpus);
#ifdef __x86_64__
    int described = strstr(text, "flags\t\t: fpu") && strstr(text, " sse2 ") && strstr(text, " lm ") && strstr(text, "model name\t: ");
#else
    int described = strstr(text, "Features\t: fp asimd") && strstr(text, " atomics ") && strstr(text, "CPU architecture: 8");
#endif
    HOLDS(described);
    HOLDS(get_nprocs() >= cpus && get_nprocs_conf() >= cpus);
    HOLDS(slurp("/sys/devices/system/cpu/online") && text[0] == '0');
    HOLDS(slurp("/sys/devices/system/cpu/possible") && text[0] == '0');
    HOLDS(slurp("/sys/devices/system/cpu/cpu0/topology/core_id") && atoi(text) == 0);
    SHOW(open("/sys/devices/system/cpu/cpu9999/topology/core_id", O_RDONLY));

    struct sysinfo s;
    sysinfo(&s);
    char line[100];
    sprintf(line, "MemTotal:       %8lu kB\n", s.totalram * s.mem_unit / 1024);
    HOLDS(slurp("/proc/meminfo") && strncmp(text, line, strlen(line)) == 0);
    HOLDS(strstr(text, "\nMemFree: ") && strstr(text, "\nMemAvailable: ") && strstr(text, "\nSwapTotal: "));
    struct timespec t;
    clock_gettime(CLOCK_BOOTTIME, &t);
    double up = 0, idle = 0;
    HOLDS(slurp("/proc/uptime") && sscanf(text, "%lf %lf", &up, &idle) == 2);
    HOLDS(up - t.tv_sec >= -1 && up - t.tv_sec <= 2);
    double one, five, fifteen;
    int running, all, last;
    HOLDS(slurp("/proc/loadavg") && sscanf(text, "%lf %lf %lf %d/%d %d", &one, &five, &fifteen, &running, &all, &last) == 6);
    HOLDS(running >= 1 && all >= running && last >= getpid());
    HOLDS(slurp("/proc/stat") && strncmp(text, "cpu  ", 5) == 0 && strstr(text, "\ncpu0 ") && strstr(text, "\nbtime "));
    HOLDS(labs(atol(strstr(text, "\nbtime ") + 7) + t.tv_sec - time(0)) <= 2);
    HOLDS(slurp("/proc/version") && strncmp(text, "Linux version ", 14) == 0);
    HOLDS(slurp("/proc/filesystems") && strstr(text, "nodev\tproc"));
    HOLDS(slurp("/proc/mounts") && strchr(text, '/'));

    struct utsname u;
    uname(&u);
    HOLDS(slurp("/proc/sys/kernel/osrelease") && strncmp(text, u.release, strlen(u.release)) == 0);
    HOLDS(slurp("/proc/sys/kernel/hostname") && strncmp(text, u.nodename, strlen(u.nodename)) == 0);
    HOLDS(slurp("/proc/sys/kernel/ostype") && strcmp(text, "Linux\n") == 0);
    HOLDS(slurp("/proc/sys/kernel/pid_max") && atoi(text) > 1000);
    HOLDS(slurp("/proc/sys/kernel/ngroups_max") && atoi(text) == 65536);
    HOLDS(slurp("/proc/sys/kernel/cap_last_cap") && atoi(text) == 40);
    HOLDS(slurp("/proc/sys/kernel/random/uuid") && strlen(text) == 37 && text[14] == '4');
    HOLDS(slurp("/proc/sys/vm/overcommit_memory") && atoi(text) <= 2);
    SHOW(open("/proc/sys/no_such_thing", O_RDONLY));
    SHOW(open("/proc/no_such_thing", O_RDONLY));

    int seen = 0, own = 0;
    DIR *d = opendir("/proc");
    for (struct dirent *e; d && (e = readdir(d));) {
        seen |= strcmp(e->d_name, "cpuinfo") == 0 ? 1 : strcmp(e->d_name, "self") == 0 ? 2 : strcmp(e->d_name, "sys") == 0 ? 4 : 0;
        own |= atoi(e->d_name) == getpid();
    }
    printf("seen %d own %d\n", seen, own);
}
