// A call at the end of a chain of functions.
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((noinline)) static int inner(int x) {
    syscall(SYS_getppid);
    return x + 1;
}

__attribute__((noinline)) int middle(int x) {
    volatile char room[100];
    room[x] = 1;
    int result = inner(x);
    return result + room[x];
}

int main(int argc, char **argv) {
    (void)argv;
    return middle(argc) - 3;
}
