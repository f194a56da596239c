#include <signal.h>
#include <stdio.h>
// An ignored fault kills all the same.
int main(void) {
    signal(SIGSEGV, SIG_IGN);
    raise(SIGSEGV);
    printf("raising is ignored\n");
    fflush(stdout);
    *(volatile int *)16 = 1;
    printf("not reached\n");
}
