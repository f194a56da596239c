// /proc of other processes: a child that sleeps, a zombie, one that is gone; threads; memory through mem and pagemap.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char buf[65536];

static ssize_t slurp(pid_t pid, const char *name) {
    char path[100];
    sprintf(path, "/proc/%d/%s", pid, name);
    int fd = open(path, O_RDONLY);
    if (fd < 0) {
        printf("%s: %s\n", name, strerror(errno));
        return -1;
    }
    ssize_t n, all = 0;
    while ((n = read(fd, buf + all, sizeof buf - 1 - all)) > 0) all += n;
    buf[all] = 0;
    if (n < 0) printf("%s: read %s\n", name, strerror(errno));
    close(fd);
    return n < 0 ? -1 : all;
}

// The line of `status` that begins with `key`, with the pids as words.
static void line(const char *key, pid_t pid) {
    char *at = strstr(buf, key);
    int value;
    if (!at) printf("%s missing\n", key);
    else if (sscanf(at + strlen(key), " %d", &value) == 1)
        printf("%s %s\n", key, value == pid ? "child" : value == getpid() ? "self" : value == 0 ? "0" : value == 1 ? "1" : "other");
    else printf("%.*s\n", (int)strcspn(at, "\n"), at);
}

static void has(const char *what) {
    printf("has %s: %d\n", what, strstr(buf, what) != NULL);
}

static void stat_fields(pid_t pid) {
    if (slurp(pid, "stat") < 0) return;
    char comm[40], state;
    int p, ppid, pgrp, session, tty, tpgid;
    long threads;
    sscanf(buf, "%d (%39[^)]) %c %d %d %d %d %d", &p, comm, &state, &ppid, &pgrp, &session, &tty, &tpgid);
    sscanf(strrchr(buf, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld", &threads);
    printf("stat %d (%s) %c parent %d group %d session %d threads %ld\n", p == pid, comm, state, ppid == getpid(),
           pgrp == getpgid(pid), session == getsid(pid), threads);
}

static int link_is(pid_t pid, const char *name, const char *want) {
    char path[100], to[4096];
    sprintf(path, "/proc/%d/%s", pid, name);
    ssize_t n = readlink(path, to, sizeof to - 1);
    to[n < 0 ? 0 : n] = 0;
    return !strcmp(to, want);
}

static volatile char secret[4096] __attribute__((aligned(4096))) = "the parent's";

static void *thread(void *arg) {
    prctl(PR_SET_NAME, "helper");

    read(*(int *)arg, buf, 1);
    return NULL;
}

int main(void) {
    setbuf(stdout, NULL);
    int up[2], down[2], spare = open("/dev/null", O_RDONLY);
    pipe(up), pipe(down);
    char cwd[4096], exe[4096] = "";
    getcwd(cwd, sizeof cwd), readlink("/proc/self/exe", exe, sizeof exe - 1);
    pid_t child = fork();
    if (child == 0) {
        close(down[1]), close(up[0]);
        prctl(PR_SET_NAME, "child's name");
        strcpy((char *)secret, "the child's");
        umask(027);
        write(up[1], "r", 1);
        read(down[0], buf, 1);
        printf("changed to \"%s\"\n", (char *)secret);
        _exit(9);
    }
    close(down[0]);
    read(up[0], buf, 1);
    // Until it sleeps.
    for (int i = 0; i < 1000; i++) {
        slurp(child, "stat");
        if (strstr(buf, ") S ")) break;
        usleep(1000);
    }
    stat_fields(child);
    slurp(child, "comm"), printf("comm %s", buf);
    ssize_t n = slurp(child, "cmdline");
    char own[4096];
    ssize_t mine = slurp(getpid(), "cmdline");
    memcpy(own, buf, mine < 4096 ? mine : 4096);
    slurp(child, "cmdline"), printf("cmdline %d\n", n == mine && !memcmp(own, buf, n));
    n = slurp(child, "environ"), printf("environ %d\n", n > 0);
    printf("exe %d cwd %d root %d\n", link_is(child, "exe", exe), link_is(child, "cwd", cwd), link_is(child, "root", "/"));
    slurp(child, "status");
    for (const char **k = (const char *[]){"Name:", "State:", "Tgid:", "Pid:", "PPid:", "TracerPid:", "Umask:", "Threads:", 0}; *k; k++)
        line(*k, child);
    slurp(child, "maps"), has("[stack]"), has(strrchr(exe, '/') ? strrchr(exe, '/') : exe);
    slurp(child, "statm"), printf("statm %d\n", atoi(buf) > 0);
    slurp(child, "limits"), has("Max open files");
    slurp(child, "wchan"), printf("wchan %d\n", buf[0] != 0);
    n = slurp(child, "auxv"), printf("auxv %d\n", n > 64 && n % 16 == 0);
    slurp(child, "oom_score_adj"), printf("oom_score_adj %s", buf);
    slurp(child, "cgroup"), has(":");
    slurp(child, "io"), has("rchar: ");
    slurp(child, "schedstat"), printf("schedstat %d\n", strlen(buf) > 5);
    slurp(child, "uid_map"), printf("uid_map %d\n", strlen(buf) == 33);
    slurp(child, "setgroups"), printf("setgroups %s", buf);
    slurp(child, "task/../comm"), printf("comm %s", buf);
    char path[100], to[100];
    sprintf(path, "/proc/%d/fd/%d", child, spare), n = readlink(path, to, sizeof to), printf("fd %.*s\n", (int)n, to);
    sprintf(path, "fdinfo/%d", spare), slurp(child, path), has("pos:\t0"), has("flags:\t0");
    sprintf(path, "/proc/%d/fd/%d", child, up[0]), printf("closed there %d\n", access(path, F_OK));
    sprintf(path, "/proc/%d/fd/%d", child, spare), n = open(path, O_RDONLY), printf("opened %d\n", n >= 0);
    struct stat a, b;
    stat("/proc/self/ns/mnt", &a), sprintf(path, "/proc/%d/ns/mnt", child), stat(path, &b);
    printf("same namespace %d\n", a.st_ino == b.st_ino && a.st_dev == b.st_dev);
    sprintf(path, "/proc/%d", child), stat(path, &a), printf("owner %d mode %o\n", a.st_uid == geteuid(), a.st_mode);
    sprintf(path, "/proc/self/task/%d/children", getpid()), n = open(path, O_RDONLY);
    if (n >= 0) {
        to[read(n, to, sizeof to - 1)] = 0;
        printf("children %d\n", atoi(to) == child);
    } else puts("children 1");

    // Listing.
    DIR *d = opendir("/proc");
    int found = 0;
    for (struct dirent *e; (e = readdir(d));) {
        int pid = atoi(e->d_name);
        if (pid == getpid()) found |= 1;
        if (pid == child) found |= 2;
        if (!strcmp(e->d_name, "self")) found |= 4;
        if (!strcmp(e->d_name, "uptime")) found |= 8;
    }
    closedir(d), printf("listed %d\n", found);

    // Memory.
    sprintf(path, "/proc/%d/mem", child);
    int mem = open(path, O_RDWR);
    memset(to, 0, sizeof to);
    printf("mem %zd \"%s\" own \"%s\"\n", pread(mem, to, 20, (off_t)(uintptr_t)secret), to, (char *)secret);
    printf("write %zd\n", pwrite(mem, "the parent's word", 18, (off_t)(uintptr_t)secret));
    errno = 0;
    n = pread(mem, to, 1, 16), printf("unmapped %zd %s\n", n, strerror(errno));
    mem = open("/proc/self/mem", O_RDWR);
    void *ro = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    n = pwrite(mem, "forced", 7, (off_t)(uintptr_t)ro), printf("read-only %zd \"%s\"\n", n, (char *)ro);
    int pm = open("/proc/self/pagemap", O_RDONLY);
    uint64_t entry = 0;
    n = pread(pm, &entry, 8, (off_t)((uintptr_t)secret / 4096 * 8));
    printf("pagemap %zd present %d\n", n, (int)(entry >> 63));
    n = pread(pm, &entry, 8, 0), printf("pagemap %zd %d\n", n, (int)(entry >> 63));

    // A zombie, then nothing.
    sprintf(path, "/proc/%d/stat", child);
    int kept = open(path, O_RDONLY);
    write(down[1], "g", 1);
    siginfo_t info;
    waitid(P_PID, child, &info, WEXITED | WNOWAIT);
    stat_fields(child);
    slurp(child, "status"), line("State:", child), has("VmSize");
    n = slurp(child, "cmdline"), printf("cmdline %zd\n", n);
    slurp(child, "comm"), printf("comm %s", buf);
    sprintf(to, "/proc/%d/exe", child), n = readlink(to, buf, 100), printf("exe %zd %s\n", n, strerror(errno));
    waitpid(child, NULL, 0);
    printf("gone %d", access(path, F_OK)), printf(" %s\n", strerror(errno));
    n = pread(kept, buf, 10, 0), printf("kept %zd %s\n", n, strerror(errno));

    // Threads.
    int go[2];
    pipe(go);
    pthread_t t;
    pthread_create(&t, NULL, thread, &go[0]);
    usleep(50000);
    d = opendir("/proc/self/task");
    int threads = 0, helper = 0;
    for (struct dirent *e; (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        threads++;
        sprintf(path, "task/%s/comm", e->d_name);
        slurp(getpid(), path);
        helper += !strcmp(buf, "helper\n");
        if (atoi(e->d_name) != getpid()) {
            // It can be named at the top, though it is not listed there.
            slurp(atoi(e->d_name), "status"), line("Tgid:", child);
        }
    }
    closedir(d), printf("threads %d helper %d\n", threads, helper);
    slurp(getpid(), "status"), line("Name:", 0);
    char *at = strstr(buf, "Threads:");
    printf("%.*s\n", at ? (int)strcspn(at, "\n") : 0, at ? at : "");
    write(go[1], "x", 1), pthread_join(t, NULL);
    int c = open("/proc/self/comm", O_WRONLY);
    write(c, "renamed by itself", 17), slurp(getpid(), "comm"), printf("comm %s", buf);
    return 0;
}
