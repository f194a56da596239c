// Reads at fixed distances above and below the addresses that it may use, where other memory of sevm may stand.
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>

static sigjmp_buf back;
static void handler(int sig) { siglongjmp(back, sig); }

static int readable(uint64_t at) {
    if (sigsetjmp(back, 0) != 0) return 0;
    (void)*(volatile uint8_t *)at;
    return 1;
}

int main(void) {
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_NODEFER};
    sigaction(SIGSEGV, &sa, 0);
    sigaction(SIGBUS, &sa, 0);
    int found = 0;
    for (uint64_t i = 0; i < 8192; i++) {
        found += readable((1ull << 40) + (i << 16));
        found += readable(0 - ((i + 1) << 16));
        found += readable((1ull << 40) + (i << 30));
    }
    printf("readable places %s\n", found ? "some" : "none");
    return 0;
}
