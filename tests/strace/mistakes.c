/* Calls with arguments that mean nothing: bad pointers, descriptors, flags and numbers. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

int main(void) {
    static char buf[64];
    char *bad = (char *)1, *args[] = {"x", 0};
    struct iovec v[2] = {{buf, 4}, {bad, 4}};
    syscall(9999, 1, 2, 3, 4, 5, 6), syscall(SYS_open, bad, O_RDWR | O_TRUNC), syscall(SYS_open, 0, 0);
    syscall(SYS_stat, "f", bad), syscall(SYS_stat, bad, buf), syscall(SYS_fstat, 99, buf), syscall(SYS_fstat, -1, 0);
    syscall(SYS_read, 99, buf, 10), syscall(SYS_write, 99, "text", 4), syscall(SYS_write, 1, bad, 4), syscall(SYS_read, 0, bad, 4);
    syscall(SYS_writev, 1, bad, 1), syscall(SYS_writev, 99, v, 2), syscall(SYS_readv, 99, v, 2);
    syscall(SYS_getcwd, bad, 100), syscall(SYS_uname, bad), syscall(SYS_times, bad), syscall(SYS_sysinfo, bad);
    syscall(SYS_clock_gettime, 77, buf), syscall(SYS_clock_gettime, 1, bad), syscall(SYS_nanosleep, bad, 0);
    syscall(SYS_rt_sigaction, 99, 0, 0, 8), syscall(SYS_rt_sigaction, SIGINT, bad, 0, 8), syscall(SYS_rt_sigaction, SIGINT, 0, buf, 4);
    syscall(SYS_rt_sigprocmask, 7, buf, 0, 8), syscall(SYS_rt_sigprocmask, SIG_BLOCK, bad, 0, 8), syscall(SYS_rt_sigprocmask, 0, 0, 0, 3);
    syscall(SYS_getrandom, buf, 10, 0x10), syscall(SYS_getrandom, bad, 10, 0), syscall(SYS_pipe, bad), syscall(SYS_pipe2, buf, 7);
    syscall(SYS_ioctl, 1, 0x1234, 1), syscall(SYS_ioctl, 99, 0x5401, buf), syscall(SYS_poll, bad, 1, 0);
    syscall(SYS_dup3, 1, 1, 0), syscall(SYS_lseek, 99, -1, 1), syscall(SYS_prlimit64, 0, 77, 0, buf), syscall(SYS_prlimit64, 0, 3, bad, 0);
    syscall(SYS_arch_prctl, 0x77, 1), syscall(SYS_prctl, 12345, 1, 2, 3, 4), syscall(SYS_getrusage, 77, buf);
    syscall(SYS_kill, 999999, 0), syscall(SYS_kill, 0x7fffffff, 99), syscall(SYS_tgkill, -1, -1, 1);
    syscall(SYS_openat, 99, "x", 0), syscall(SYS_openat, -100, "", O_RDONLY), syscall(SYS_mkdirat, 99, "x", 0777);
    syscall(SYS_execve, "missing", args, 0), syscall(SYS_execve, bad, args, args);
    syscall(SYS_utimensat, AT_FDCWD, "missing", 0, 0), syscall(SYS_readlink, "f", buf, -1), syscall(SYS_getgroups, -1, buf);
    return 0;
}
