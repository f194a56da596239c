// Memory as a program sees it: many and large allocations, reallocation, mapped files, big arrays.
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static unsigned char big[32 << 20];
static int table[1000] = {1, 2, 3};

static unsigned seed = 1;
static unsigned next(void) {
    return seed = seed * 1103515245 + 12345;
}

int main(void) {
    enum { SLOTS = 500 };
    static unsigned char *slot[SLOTS];
    static size_t size[SLOTS];
    unsigned long total = 0, wrong = 0;
    for (int round = 0; round < 20000; round++) {
        unsigned i = next() >> 8;
        i %= SLOTS;
        if (slot[i]) {
            wrong += slot[i][0] != i % 256 || slot[i][size[i] - 1] != i % 256;
            if (next() & 0x10000) {
                free(slot[i]);
                slot[i] = NULL;
                continue;
            }
        }
        size_t n = (next() >> 4) % (round % 100 == 0 ? 1000000 : 3000) + 1;
        slot[i] = realloc(slot[i], n);
        if (!slot[i])
            return 1;
        wrong += (uintptr_t)slot[i] % 16 != 0;
        slot[i][0] = slot[i][n - 1] = i;
        size[i] = n;
        total += n;
    }
    printf("total %lu wrong %lu\n", total, wrong);
    for (int i = 0; i < SLOTS; i++)
        free(slot[i]);

    char *huge = malloc(1ul << 30);
    printf("1 GiB %d\n", huge != NULL);
    for (unsigned long at = 0; at < 1ul << 30; at += 64 << 20)
        huge[at] = at >> 26;
    unsigned long check = 0;
    for (unsigned long at = 0; at < 1ul << 30; at += 64 << 20)
        check = check * 31 + huge[at];
    printf("check %lu\n", check);
    free(huge);
    volatile size_t absurd = SIZE_MAX / 2;
    printf("absurd %d\n", malloc(absurd) == NULL);
    char *zero = calloc(1000, 1000);
    long sum = 0;
    for (int i = 0; i < 1000000; i++)
        sum += zero[i];
    printf("zeroed %ld\n", sum);
    free(zero);
    void *aligned = NULL;
    printf("aligned %d %d\n", posix_memalign(&aligned, 65536, 100), (int)((uintptr_t)aligned % 65536));
    free(aligned);

    for (size_t i = 0; i < sizeof big; i += 4096)
        big[i] = i >> 12;
    unsigned long hash = 5381;
    for (size_t i = 0; i < sizeof big; i += 4096)
        hash = hash * 33 ^ big[i];
    printf("big %lu %d %d\n", hash, table[2], table[999]);

    int fd = open("mapped", O_RDWR | O_CREAT, 0600);
    if (fd < 0 || ftruncate(fd, 100000) != 0)
        return 2;
    char *shared = mmap(NULL, 100000, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, 100000, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    strcpy(shared + 50000, "through the shared mapping");
    strcpy(private + 70000, "kept private");
    char buffer[64] = "";
    pread(fd, buffer, sizeof buffer - 1, 50000);
    printf("file: %s\n", buffer);
    printf("private sees: %s\n", private + 50000);
    pread(fd, buffer, sizeof buffer - 1, 70000);
    printf("file: '%s'\n", buffer);
    pwrite(fd, "WRITTEN", 7, 50000);
    printf("shared sees: %s\n", shared + 50000);
    munmap(shared, 100000);
    munmap(private, 100000);
    close(fd);
    return 0;
}
