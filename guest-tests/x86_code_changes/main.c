// Code that changes: by its own stores, by those of others, in the instruction that follows, and where data lies beside it.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

typedef int (*function)(int);

// lea eax, [rdi + 5]; ret
static const uint8_t add[] = {0x8d, 0x47, 0x05, 0xc3};

static void *map(int protection) {
    return mmap(0, 8192, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int call(uint8_t *code, int argument) {
    return ((function)code)(argument);
}

int main(void) {
    uint8_t *page = map(PROT_READ | PROT_WRITE | PROT_EXEC);
    memcpy(page, add, sizeof add);
    long sum = 0;
    for (int i = 0; i < 20000; i++) {
        page[2] = i & 127;
        sum += call(page, i);
    }
    printf("changed between calls: %ld\n", sum);

    // mov byte [the 1 below], 7; mov eax, 1; ret
    static const uint8_t next[] = {0xc6, 0x05, 1, 0, 0, 0, 7, 0xb8, 1, 0, 0, 0, 0xc3};
    memcpy(page + 100, next, sizeof next);
    printf("changes what follows: %d\n", call(page + 100, 0));
    page[106] = 3;
    printf("and again: %d\n", call(page + 100, 0));

    // rep stosb makes the three inc eax nops
    static const uint8_t fill[] = {0x48, 0x8d, 0x3d, 0x0b, 0, 0, 0, 0xb9, 6, 0, 0, 0, 0xb0, 0x90, 0xf3, 0xaa,
                                   0x31, 0xc0, 0xff, 0xc0, 0xff, 0xc0, 0xff, 0xc0, 0xc3};
    memcpy(page + 200, fill, sizeof fill);
    printf("filled by a string instruction: %d\n", call(page + 200, 0));

    uint8_t *toggled = map(PROT_READ | PROT_WRITE);
    sum = 0;
    for (int i = 0; i < 500; i++) {
        mprotect(toggled, 4096, PROT_READ | PROT_WRITE);
        memcpy(toggled, add, sizeof add);
        toggled[2] = i & 127;
        mprotect(toggled, 4096, PROT_READ | PROT_EXEC);
        sum += call(toggled, i);
    }
    printf("writable and executable in turn: %ld\n", sum);

    // xor eax, eax; again: add eax, [data]; inc dword [data]; dec edi; jnz again; ret
    static const uint8_t loop[] = {0x31, 0xc0, 0x03, 0x05, 0x38, 0, 0, 0, 0xff, 0x05, 0x32, 0, 0, 0, 0xff, 0xcf, 0x75, 0xf0, 0xc3};
    memcpy(page + 1000, loop, sizeof loop);
    printf("data beside code: %d\n", call(page + 1000, 20000));

    // mov byte [the caller's 1], 9; ret
    static const uint8_t callee[] = {0xc6, 0x05, 0xf0, 0, 0, 0, 9, 0xc3};
    uint8_t caller[] = {0xe8, 0, 0, 0, 0, 0xb8, 1, 0, 0, 0, 0xc3};
    int distance = 1200 - (1441 + 5);
    memcpy(caller + 1, &distance, 4);
    memcpy(page + 1200, callee, sizeof callee);
    memcpy(page + 1441, caller, sizeof caller);
    printf("changed by what it calls: %d\n", call(page + 1441, 0));
}
