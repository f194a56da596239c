#include <signal.h>
#include <stdio.h>
// A blocked fault kills in spite of its handler.
static void handler(int sig) { printf("not reached\n"); }
int main(void) {
    signal(SIGILL, handler);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, 0);
    printf("blocked\n");
    fflush(stdout);
#ifdef __x86_64__
    __asm__ volatile("ud2");
#else
    __asm__ volatile("udf #0");
#endif
    printf("not reached\n");
}
