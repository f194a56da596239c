// membarrier, protection keys, memory policies on one node, mseal, remap_file_pages.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_mseal
#define SYS_mseal 462
#endif

#define P 4096ul
#define RW (PROT_READ | PROT_WRITE)

static const char *err(long result) {
    return result == -1 ? strerrorname_np(errno) : "ok";
}

#define SHOW(expr) printf("%s: %s\n", #expr, err((long)(expr)))

int main(void) {
    char *a = mmap(0, 4 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    long have = syscall(SYS_membarrier, 0, 0, 0);
    printf("membarrier: %lx\n", have & 0x7f);
    SHOW(syscall(SYS_membarrier, 0, 1, 0));
    SHOW(syscall(SYS_membarrier, 3, 0, 0));
    SHOW(syscall(SYS_membarrier, 1, 0, 0));
    SHOW(syscall(SYS_membarrier, 2, 0, 0));
    SHOW(syscall(SYS_membarrier, 8, 0, 0));
    SHOW(syscall(SYS_membarrier, 16, 0, 0));
    SHOW(syscall(SYS_membarrier, 8, 0, 0));
    SHOW(syscall(SYS_membarrier, 32, 0, 0));
    SHOW(syscall(SYS_membarrier, 64, 0, 0));
    SHOW(syscall(SYS_membarrier, 32, 0, 0));

    SHOW(syscall(SYS_pkey_alloc, 1, 0));
    SHOW(syscall(SYS_pkey_alloc, 0, 0xf0));
    SHOW(syscall(SYS_pkey_free, 3));
    SHOW(syscall(SYS_pkey_free, -1));
    SHOW(syscall(SYS_pkey_mprotect, a, P, PROT_READ, -1));
    SHOW(syscall(SYS_pkey_mprotect, a, P, RW, 5));

    int mode = 77;
    unsigned long nodes[16];
    memset(nodes, 0xff, sizeof nodes);
    SHOW(syscall(SYS_get_mempolicy, &mode, nodes, 1024, 0, 0));
    printf("policy: %d %lx %lx\n", mode, nodes[0], nodes[1]);
    SHOW(syscall(SYS_get_mempolicy, 0, nodes, 1024, 0, 4));
    printf("allowed: %lx %lx\n", nodes[0], nodes[15]);
    SHOW(syscall(SYS_get_mempolicy, &mode, 0, 0, a, 3));
    printf("node: %d\n", mode);
    SHOW(syscall(SYS_get_mempolicy, &mode, 0, 0, a, 0));
    SHOW(syscall(SYS_get_mempolicy, &mode, 0, 0, 0, 1));
    SHOW(syscall(SYS_get_mempolicy, &mode, 0, 0, 8, 2));
    SHOW(syscall(SYS_get_mempolicy, &mode, 0, 0, 0, 8));
    SHOW(syscall(SYS_get_mempolicy, &mode, 0, 0, 0, 5));
    nodes[0] = 1;
    SHOW(syscall(SYS_set_mempolicy, 2, nodes, 64));
    nodes[0] = 2;
    SHOW(syscall(SYS_set_mempolicy, 2, nodes, 64));
    nodes[0] = 0;
    SHOW(syscall(SYS_set_mempolicy, 2, nodes, 64));
    SHOW(syscall(SYS_set_mempolicy, 3, 0, 0));
    SHOW(syscall(SYS_set_mempolicy, 1, 0, 0));
    SHOW(syscall(SYS_set_mempolicy, 99, 0, 0));
    nodes[0] = 1;
    SHOW(syscall(SYS_set_mempolicy, 0, nodes, 64));
    SHOW(syscall(SYS_set_mempolicy, 2, (void *)8, 64));
    SHOW(syscall(SYS_set_mempolicy, 0xc002, nodes, 64));
    SHOW(syscall(SYS_set_mempolicy, 0, 0, 0));
    SHOW(syscall(SYS_mbind, a, P, 2, nodes, 64, 0));
    SHOW(syscall(SYS_mbind, a, P, 2, nodes, 64, 16));
    SHOW(syscall(SYS_mbind, a + 1, P, 2, nodes, 64, 0));
    SHOW(syscall(SYS_mbind, a + P, 64 * P * P, 2, nodes, 64, 0));
    SHOW(syscall(SYS_mbind, a, P, 0, 0, 0, 0));

    int fd = memfd_create("pages", 0);
    for (int i = 0; i < 4; i++) {
        char page[P];
        memset(page, '0' + i, P);
        if (write(fd, page, P) != (long)P)
            return 1;
    }
    char *s = mmap(0, 4 * P, RW, MAP_SHARED, fd, 0);
    SHOW(syscall(SYS_remap_file_pages, s, P, 0, 2, 0));
    SHOW(syscall(SYS_remap_file_pages, s + P, P, PROT_READ, 2, 0));
    SHOW(syscall(SYS_remap_file_pages, a, P, 0, 2, 0));
    SHOW(syscall(SYS_remap_file_pages, s, 0, 0, 2, 0));
    printf("pages: %c%c%c%c\n", s[0], s[P], s[2 * P], s[3 * P]);

    char *b = mmap(0, 2 * P, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SHOW(syscall(SYS_mseal, b, P, 1));
    SHOW(syscall(SYS_mseal, b + 1, P, 0));
    SHOW(syscall(SYS_mseal, b, 64 * P * P, 0));
    SHOW(syscall(SYS_mseal, b, 0, 0));
    SHOW(syscall(SYS_mseal, b, P, 0));
    SHOW(mprotect(b, P, PROT_READ));
    SHOW(munmap(b, 2 * P));
    SHOW(mmap(b, P, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
    SHOW(mremap(b, P, 2 * P, MREMAP_MAYMOVE));
    SHOW(munmap(b + P, P));
    b[0] = 3;
    SHOW(madvise(b, P, MADV_DONTNEED));
    printf("sealed: %d\n", b[0]);
    return 0;
}
