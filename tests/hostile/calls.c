// Makes system calls from code that it writes itself, and from the middle of other instructions: what answers must be sevm,
// never the host. argv[1] is a file of the host that lies outside its root, argv[2] a process of the host.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static sigjmp_buf back;
static void handler(int sig) { siglongjmp(back, sig); }

// System call number, three arguments, by code that is made now.
static long made(const unsigned char *code, int size, long nr, long a, long b, long c) {
    static unsigned char *page;
    if (!page) page = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(page, code, size);
    __builtin___clear_cache((char *)page, (char *)page + 64);
    int sig = sigsetjmp(back, 1);
    if (sig != 0) return -1000 - sig;
#ifdef __x86_64__
    long result;
    __asm__ volatile("call *%5" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(page) : "rcx", "r11", "rbx", "memory");
    return result;
#else
    register long x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
    __asm__ volatile("blr %4" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(page) : "x30", "memory");
    return x0;
#endif
}

int main(int argc, char **argv) {
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_NODEFER};
    int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    for (int i = 0; i < 5; i++) sigaction(signals[i], &sa, 0);
    long other = atol(argv[2]), opened = 0, killed = 0, pids = 0;
#ifdef __x86_64__
    static const unsigned char codes[][8] = {
        {0x0f, 0x05, 0xc3},                   // syscall
        {0xeb, 0x01, 0xb8, 0x0f, 0x05, 0xc3}, // jmp into the middle of mov
        {0xcd, 0x80, 0xc3},                   // int 0x80
        {0x0f, 0x34, 0xc3},                   // sysenter
        {0x66, 0x0f, 0x05, 0xc3},             // with a prefix
        {0x48, 0x0f, 0x05, 0xc3},
    };
#else
    static const unsigned char codes[][8] = {
        {0x01, 0x00, 0x00, 0xd4, 0xc0, 0x03, 0x5f, 0xd6}, // svc 0
        {0x21, 0x00, 0x00, 0xd4, 0xc0, 0x03, 0x5f, 0xd6}, // svc 1
        {0x02, 0x00, 0x00, 0xd4, 0xc0, 0x03, 0x5f, 0xd6}, // hvc
        {0x03, 0x00, 0x00, 0xd4, 0xc0, 0x03, 0x5f, 0xd6}, // smc
    };
#endif
    for (unsigned i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        char byte;
        long fd = made(codes[i], 8, SYS_openat, AT_FDCWD, (long)argv[1], O_RDONLY);
        if (fd >= 0 && read(fd, &byte, 1) == 1) opened++;
        if (made(codes[i], 8, SYS_kill, other, 0, 0) == 0) killed++;
        long pid = made(codes[i], 8, SYS_getpid, 0, 0, 0);
        // What does nothing leaves the number where it was.
        if (pid >= 0 && pid != getpid() && pid != SYS_getpid) pids++;
    }
    printf("host files %ld, host processes %ld, other ids %ld\n", opened, killed, pids);
    return 0;
}
