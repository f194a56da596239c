#include <signal.h>
#include <stdio.h>
#include <unistd.h>
// A fault within its own handler kills.
static void handler(int sig) {
    write(1, "handler\n", 8);
    *(volatile int *)32 = 1;
}
int main(void) {
    signal(SIGSEGV, handler);
    *(volatile int *)16 = 1;
}
