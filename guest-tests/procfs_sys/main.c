// /proc/sys and other files about the machine: those that programs read are there and have the right form.
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char text[1 << 16];

static int load(const char *path) {
    int fd = open(path, O_RDONLY), n, all = 0;
    if (fd < 0) return -1;
    while ((n = read(fd, text + all, sizeof text - 1 - all)) > 0) all += n;
    text[all] = 0;
    close(fd);
    return all;
}

static void numbers(const char *path) {
    if (load(path) < 0) {
        printf("%s missing\n", path);
        return;
    }
    int fields = 0, digits = 1;
    for (char *p = strtok(text, " \t\n"); p; p = strtok(NULL, " \t\n"), fields++)
        for (; *p; p++) digits &= isdigit((unsigned char)*p) || *p == '-';
    printf("%s: %d fields, numbers %d\n", path, fields, digits);
}

static void begins(const char *path, const char *with) {
    int n = load(path);
    printf("%s begins %d\n", path, n >= 0 && !strncmp(text, with, strlen(with)));
}

static void contains(const char *path, const char *what) {
    int n = load(path);
    printf("%s has %s %d\n", path, what, n >= 0 && strstr(text, what) != NULL);
}

int main(void) {
    const char *numeric[] = {
        "kernel/pid_max", "kernel/threads-max", "kernel/cap_last_cap", "kernel/ngroups_max", "kernel/overflowuid",
        "kernel/randomize_va_space", "kernel/sched_rr_timeslice_ms", "kernel/sched_rt_period_us",
        "kernel/sched_rt_runtime_us", "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem", "kernel/shmall",
        "kernel/shmmax", "kernel/shmmni", "kernel/pty/max", "kernel/pty/nr", "kernel/printk", "kernel/tainted",
        "kernel/random/entropy_avail", "kernel/random/poolsize", "fs/file-max", "fs/file-nr", "fs/nr_open",
        "fs/pipe-max-size", "fs/inotify/max_user_watches", "fs/inotify/max_user_instances",
        "fs/inotify/max_queued_events", "fs/mqueue/msg_max", "fs/mqueue/msgsize_max", "fs/mqueue/queues_max",
        "fs/epoll/max_user_watches", "fs/aio-max-nr", "fs/protected_symlinks", "vm/max_map_count",
        "vm/overcommit_memory", "vm/overcommit_ratio", "vm/swappiness", "vm/mmap_min_addr", "vm/dirty_ratio",
        "net/core/somaxconn", "net/ipv4/ip_local_port_range", "net/unix/max_dgram_qlen",
    };
    for (unsigned i = 0; i < sizeof numeric / sizeof *numeric; i++) {
        char path[100];
        sprintf(path, "/proc/sys/%s", numeric[i]);
        numbers(path);
    }
    begins("/proc/sys/kernel/ostype", "Linux\n");
    begins("/proc/version", "Linux version ");
    char host[100] = "";
    gethostname(host, sizeof host - 2), strcat(host, "\n");
    begins("/proc/sys/kernel/hostname", host);
    char first[40];
    load("/proc/sys/kernel/random/uuid"), memcpy(first, text, 37);
    printf("uuid %d", strlen(text) == 37), load("/proc/sys/kernel/random/uuid"), printf(" new %d\n", !!memcmp(first, text, 37));
    load("/proc/sys/kernel/random/boot_id"), memcpy(first, text, 37);
    printf("boot_id %d", strlen(text) == 37), load("/proc/sys/kernel/random/boot_id"), printf(" same %d\n", !memcmp(first, text, 37));
    contains("/proc/stat", "\nbtime "), contains("/proc/stat", "\nprocesses "), contains("/proc/stat", "\nctxt ");
    begins("/proc/meminfo", "MemTotal:"), contains("/proc/meminfo", "MemAvailable:");
    contains("/proc/cpuinfo", "processor\t: 0"), contains("/proc/filesystems", "proc\n");
    contains("/proc/self/mounts", " / "), contains("/proc/mounts", " /proc proc ");
    contains("/proc/self/mountinfo", " - proc "), contains("/proc/devices", "Character devices:");
    contains("/proc/net/dev", "Receive"), contains("/proc/net/tcp", "local_address"), contains("/proc/net/unix", "RefCount");
    contains("/proc/net/route", "Iface"), contains("/proc/swaps", "Filename");
    load("/proc/uptime");
    double up = 0, idle = -1;
    printf("uptime %d\n", sscanf(text, "%lf %lf", &up, &idle) == 2 && up > 0 && idle >= 0);
    load("/proc/loadavg");
    double one;
    int running, all, last;
    printf("loadavg %d\n", sscanf(text, "%lf %*f %*f %d/%d %d", &one, &running, &all, &last) == 4 && all >= 1);
    struct stat s;
    printf("net %d", lstat("/proc/net", &s)), printf(" link %d\n", S_ISLNK(s.st_mode));
    DIR *d = opendir("/proc/sys");
    int dirs = 0;
    for (struct dirent *e; (e = readdir(d));)
        dirs |= !strcmp(e->d_name, "fs") | !strcmp(e->d_name, "kernel") << 1 | !strcmp(e->d_name, "net") << 2 | !strcmp(e->d_name, "vm") << 3;
    closedir(d), printf("directories %x\n", dirs);
    return 0;
}
