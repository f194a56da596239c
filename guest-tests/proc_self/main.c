// What /proc/self shows.
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
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>

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

static int has_line(const char *start) {
    size_t n = strlen(start);
    for (char *p = text; p; p = strchr(p, '\n'), p = p ? p + 1 : 0)
        if (strncmp(p, start, n) == 0)
            return 1;
    return 0;
}

static char data[] = "data";

int main(int argc, char **argv) {
    char link[4096], path[4096];
    ssize_t n = readlink("/proc/self", link, sizeof link);
    HOLDS(n > 0 && atoi(link) == getpid());
    n = readlink("/proc/thread-self", link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    sprintf(path, "%d/task/%d", getpid(), gettid());
    HOLDS(strcmp(link, path) == 0);
    n = readlink("/proc/self/exe", link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    HOLDS(link[0] == '/' && strcmp(strrchr(link, '/'), strrchr(argv[0], '/') ? strrchr(argv[0], '/') : "/") == 0);
    n = readlink("/proc/self/cwd", link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    HOLDS(strcmp(link, getcwd(path, sizeof path)) == 0);
    n = readlink("/proc/self/root", link, sizeof link);
    HOLDS(n == 1 && link[0] == '/');

    HOLDS(slurp("/proc/self/comm") && strlen(text) <= 16 && text[strlen(text) - 1] == '\n');
    prctl(PR_SET_NAME, "renamed");
    puts(slurp("/proc/self/comm"));
    int fd = open("/proc/self/comm", O_WRONLY);
    SHOW(write(fd, "written", 7));
    close(fd);
    puts(slurp("/proc/thread-self/comm"));
    HOLDS(slurp("/proc/self/cmdline") && strcmp(text, argv[0]) == 0);
    HOLDS(slurp("/proc/self/environ") && strchr(text, '='));

    HOLDS(slurp("/proc/self/stat") && atoi(text) == getpid());
    HOLDS(strstr(text, "(written) R "));
    int fields = 0;
    for (char *p = strrchr(text, ')'); p; p = strchr(p + 1, ' '))
        fields++;
    printf("fields %d\n", fields);
    HOLDS(slurp("/proc/self/statm"));
    unsigned long size = 0, resident = 0, shared = 0;
    HOLDS(sscanf(text, "%lu %lu %lu", &size, &resident, &shared) == 3 && size >= resident && resident > 0);
    HOLDS(slurp("/proc/self/status"));
    static const char *names[] = {"Name:\twritten", "Umask:\t", "State:\tR (running)", "Tgid:\t", "Pid:\t", "PPid:\t",
        "TracerPid:\t0", "Uid:\t", "Gid:\t", "FDSize:\t", "Groups:\t", "VmPeak:\t", "VmSize:\t", "VmRSS:\t", "VmData:\t",
        "VmStk:\t", "Threads:\t1", "SigQ:\t", "SigPnd:\t0000000000000000", "SigBlk:\t0000000000000000", "SigIgn:\t", "SigCgt:\t",
        "CapInh:\t", "CapPrm:\t", "CapEff:\t", "CapBnd:\t", "CapAmb:\t", "NoNewPrivs:\t", "Seccomp:\t0", "Cpus_allowed:\t",
        "Cpus_allowed_list:\t0"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        printf("%s: %d\n", names[i], has_line(names[i]));

    HOLDS(slurp("/proc/self/auxv") && *(unsigned long *)text != 0);
    unsigned long *aux = (unsigned long *)text;
    while (*aux && *aux != AT_ENTRY)
        aux += 2;
    HOLDS(aux[1] == getauxval(AT_ENTRY));

    // The mapping of an address: its rights and name.
    HOLDS(slurp("/proc/self/maps"));
    int code = 0, mapped = 0, stack = 0, heap = 0, exact = 1;
    void *block = malloc(100);
    for (char *line = strtok(text, "\n"); line; line = strtok(0, "\n")) {
        unsigned long start, end;
        char rights[5];
        sscanf(line, "%lx-%lx %4s", &start, &end, rights);
        unsigned long where[] = {(unsigned long)main, (unsigned long)data, (unsigned long)&code, (unsigned long)block};
        if (where[0] >= start && where[0] < end)
            code = strcmp(rights, "r-xp") == 0 && strchr(line, '/');
        if (where[1] >= start && where[1] < end)
            mapped = strcmp(rights, "rw-p") == 0;
        if (where[2] >= start && where[2] < end)
            stack = strcmp(rights, "rw-p") == 0 && strstr(line, "[stack]");
        if (where[3] >= start && where[3] < end)
            heap = strstr(line, "[heap]") != 0;
        char *name = strchr(line, '/') ? strchr(line, '/') : strchr(line, '[');
        exact &= !name || name - line == 73;
    }
    printf("code %d data %d stack %d heap %d column %d\n", !!code, mapped, !!stack, heap, exact);
    HOLDS(slurp("/proc/self/smaps") && strstr(text, "\nRss: ") && strstr(text, "\nVmFlags: rd "));
    HOLDS(slurp("/proc/self/smaps_rollup") && strstr(text, "[rollup]") && strstr(text, "\nPss: "));

    struct rlimit l;
    getrlimit(RLIMIT_NOFILE, &l);
    sprintf(path, "Max open files            %-20lu %-20lu files     ", (long)l.rlim_cur, (long)l.rlim_max);
    HOLDS(slurp("/proc/self/limits") && has_line(path));
    HOLDS(slurp("/proc/self/mounts") && strchr(text, '/'));
    HOLDS(slurp("/proc/self/mountinfo") && strstr(text, " - "));
    HOLDS(slurp("/proc/self/oom_score_adj") && atoi(text) >= -1000);
    SHOW(open("/proc/self/no_such_file", O_RDONLY));
    SHOW(open("/proc/4000000/stat", O_RDONLY));

    sprintf(path, "/proc/self/task/%d/stat", gettid());
    HOLDS(slurp(path) && atoi(text) == gettid());
    fd = open(argv[0], O_RDONLY);
    lseek(fd, 123, SEEK_SET);
    sprintf(path, "/proc/self/fdinfo/%d", fd);
#ifdef __x86_64__
    const char *large = "flags:\t0100000";
#else
    const char *large = "flags:\t0400000";
#endif
    HOLDS(slurp(path) && has_line("pos:\t123") && has_line(large));
    sprintf(path, "/proc/self/fd/%d", fd);
    n = readlink(path, link, sizeof link - 1);
    link[n > 0 ? n : 0] = 0;
    HOLDS(link[0] == '/');

    int seen = 0;
    DIR *d = opendir("/proc/self");
    for (struct dirent *e; d && (e = readdir(d));)
        seen |= strcmp(e->d_name, "maps") == 0 ? 1 : strcmp(e->d_name, "fd") == 0 ? 2 : strcmp(e->d_name, "exe") == 0 ? 4 : 0;
    printf("seen %d\n", seen);
}
