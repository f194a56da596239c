// Every way in which the signal calls fail.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRY(...)                                                                                                       \
    do {                                                                                                               \
        errno = 0;                                                                                                     \
        long r = syscall(__VA_ARGS__);                                                                                 \
        printf("%s = %ld %d\n", #__VA_ARGS__, r, errno);                                                               \
    } while (0)

struct action {
    unsigned long handler, flags, restorer, mask;
};

int main(void) {
    struct action act = {1, 0, 0, 0}, old;
    unsigned long set = 0;
    siginfo_t info;
    memset(&info, 0, sizeof info);
    void *bad = (void *)8;
    pid_t self = getpid();
    TRY(SYS_rt_sigaction, 0, &act, 0, 8);
    TRY(SYS_rt_sigaction, 65, &act, 0, 8);
    TRY(SYS_rt_sigaction, 65, 0, 0, 8);
    TRY(SYS_rt_sigaction, SIGKILL, &act, 0, 8);
    TRY(SYS_rt_sigaction, SIGSTOP, &act, 0, 8);
    TRY(SYS_rt_sigaction, SIGKILL, 0, &old, 8);
    TRY(SYS_rt_sigaction, SIGUSR1, &act, 0, 16);
    TRY(SYS_rt_sigaction, SIGUSR1, bad, 0, 8);
    TRY(SYS_rt_sigaction, SIGUSR1, &act, bad, 8);
    TRY(SYS_rt_sigaction, SIGUSR1, 0, &old, 8);
    printf("set although it failed: %lu\n", old.handler);
    TRY(SYS_rt_sigprocmask, 3, &set, 0, 8);
    TRY(SYS_rt_sigprocmask, 3, 0, &set, 8);
    TRY(SYS_rt_sigprocmask, 0, bad, 0, 8);
    TRY(SYS_rt_sigprocmask, 0, 0, bad, 8);
    TRY(SYS_rt_sigprocmask, 0, 0, 0, 4);
    TRY(SYS_rt_sigpending, &set, 16);
    TRY(SYS_rt_sigpending, &set, 3);
    TRY(SYS_rt_sigpending, bad, 8);
    TRY(SYS_rt_sigsuspend, bad, 8);
    TRY(SYS_rt_sigsuspend, &set, 9);
    TRY(SYS_kill, self, 65);
    TRY(SYS_kill, self, -1);
    TRY(SYS_kill, self, 0);
    TRY(SYS_kill, 0x3ffffff, 0);
    TRY(SYS_kill, 0x3ffffff, 65);
    TRY(SYS_tkill, 0, 0);
    TRY(SYS_tkill, -1, 0);
    TRY(SYS_tkill, self, 0);
    TRY(SYS_tkill, self, 99);
    TRY(SYS_tkill, 0x3ffffff, 0);
    TRY(SYS_tgkill, self, 0, 0);
    TRY(SYS_tgkill, -1, self, 0);
    TRY(SYS_tgkill, 0x3ffffff, self, 0);
    TRY(SYS_tgkill, self, self, 0);
    TRY(SYS_rt_sigqueueinfo, self, SIGUSR1, bad);
    TRY(SYS_rt_sigqueueinfo, self, 65, &info);
    TRY(SYS_rt_sigqueueinfo, 0x3ffffff, SIGUSR1, &info);
    info.si_code = -1;
    TRY(SYS_rt_sigqueueinfo, 0x3ffffff, SIGUSR1, &info);
    TRY(SYS_rt_tgsigqueueinfo, self, 0, SIGUSR1, &info);
    TRY(SYS_rt_tgsigqueueinfo, self, self, 65, &info);
    TRY(SYS_rt_tgsigqueueinfo, self, self, 0, &info);
    TRY(SYS_restart_syscall);
    return 0;
}
