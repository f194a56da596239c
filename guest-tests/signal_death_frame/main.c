#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
// No stack for the handler's frame: SIGSEGV, whose handler has none either.
static void handler(int sig) { write(1, "not reached\n", 12); }
int main(void) {
    signal(SIGUSR1, handler);
    signal(SIGSEGV, handler);
    printf("before\n");
    fflush(stdout);
    long pid = getpid();
#ifdef __x86_64__
    __asm__ volatile("mov $64, %%rsp\n syscall" ::"a"((long)SYS_kill), "D"(pid), "S"((long)SIGUSR1));
#else
    register long x0 __asm__("x0") = pid;
    register long x1 __asm__("x1") = SIGUSR1;
    register long x8 __asm__("x8") = SYS_kill;
    __asm__ volatile("mov x2, #64\n mov sp, x2\n svc #0" ::"r"(x0), "r"(x1), "r"(x8) : "x2");
#endif
}
