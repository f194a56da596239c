// prctl, set_tid_address, robust lists, rseq.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <sys/prctl.h>

static const char *err(long result) {
    return result == -1 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))
#define HOLDS(expr) printf("%s: %d\n", #expr, !!(expr))

int main(int argc, char **argv) {
    char name[17] = "";
    SHOW(prctl(PR_GET_NAME, name));
    HOLDS(strncmp(strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0], name, 15) == 0);
    SHOW(prctl(PR_SET_NAME, "a name that is much too long"));
    SHOW(prctl(PR_GET_NAME, name));
    puts(name);
    SHOW(prctl(PR_SET_NAME, 8));
    SHOW(prctl(PR_GET_NAME, 8));

    int value = -1;
    printf("%d\n", prctl(PR_GET_DUMPABLE));
    SHOW(prctl(PR_SET_DUMPABLE, 0));
    printf("%d\n", prctl(PR_GET_DUMPABLE));
    SHOW(prctl(PR_SET_DUMPABLE, 2));
    SHOW(prctl(PR_SET_DUMPABLE, 1));
    SHOW(prctl(PR_GET_PDEATHSIG, &value));
    printf("%d\n", value);
    SHOW(prctl(PR_SET_PDEATHSIG, 9));
    SHOW(prctl(PR_GET_PDEATHSIG, &value));
    printf("%d\n", value);
    SHOW(prctl(PR_SET_PDEATHSIG, 65));
    SHOW(prctl(PR_SET_PDEATHSIG, 0));
    printf("%d\n", prctl(PR_GET_KEEPCAPS));
    SHOW(prctl(PR_SET_KEEPCAPS, 1));
    printf("%d\n", prctl(PR_GET_KEEPCAPS));
    SHOW(prctl(PR_SET_KEEPCAPS, 2));
    SHOW(prctl(PR_SET_KEEPCAPS, 0));
    printf("%d\n", prctl(PR_GET_TIMERSLACK));
    SHOW(prctl(PR_SET_TIMERSLACK, 1000));
    printf("%d\n", prctl(PR_GET_TIMERSLACK));
    SHOW(prctl(PR_SET_TIMERSLACK, 0));
    printf("%d\n", prctl(PR_GET_TIMERSLACK));
    printf("%d\n", prctl(PR_GET_TIMING));
    SHOW(prctl(PR_SET_TIMING, 1));
    printf("%d\n", prctl(PR_GET_SECCOMP));
    printf("%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    printf("%d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SHOW(prctl(PR_SET_CHILD_SUBREAPER, 1));
    SHOW(prctl(PR_GET_CHILD_SUBREAPER, &value));
    printf("%d\n", value);
    printf("%d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    SHOW(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
    printf("%d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    printf("%d\n", prctl(PR_CAPBSET_READ, 0));
    SHOW(prctl(PR_CAPBSET_READ, 99));
    printf("%d\n", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 0, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 99, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, 9, 0, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    printf("%d\n", prctl(PR_GET_SECUREBITS));
    SHOW(prctl(PR_MCE_KILL, 5, 0, 0, 0));
    SHOW(prctl(12345));

    int word;
    HOLDS(syscall(SYS_set_tid_address, &word) == getpid());
    long head, len;
    SHOW(syscall(SYS_set_robust_list, &head, 8));
    SHOW(syscall(SYS_set_robust_list, &head, 24));
    void *got;
    SHOW(syscall(SYS_get_robust_list, 0, &got, &len));
    HOLDS(got == &head && len == 24);
    SHOW(syscall(SYS_get_robust_list, 4000000, &got, &len));
    SHOW(syscall(SYS_get_robust_list, 0, 8, &len));
    syscall(SYS_set_robust_list, 0, 24);

    _Alignas(32) static char area[32];
    SHOW(syscall(SYS_rseq, area + 8, 32, 0, 0x53053053));
    SHOW(syscall(SYS_rseq, area, 32, 4, 0x53053053));
    unsigned cpu = 99, node = 99;
    SHOW(syscall(SYS_getcpu, &cpu, &node, 0));
    HOLDS(cpu < 1024 && node < 64);
    SHOW(syscall(SYS_getcpu, 8, 0, 0));
    SHOW(syscall(SYS_getcpu, 0, 0, 0));

}
