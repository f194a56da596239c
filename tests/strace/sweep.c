// Every system call with many arguments, none of them carried out: the tracer answers 0 to all (inject=!exit_group).
// No C library: start-up calls would be injected too. `sweep MODE [FROM [TO]]`; addresses are fixed.
typedef unsigned long ulong;
typedef unsigned int uint;

static long call(long n, ulong a, ulong b, ulong c, ulong d, ulong e, ulong f) {
    long result;
    register ulong r10 __asm__("r10") = d;
    register ulong r8 __asm__("r8") = e;
    register ulong r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#define PAGE 4096
static char zeros[2 * PAGE] __attribute__((aligned(PAGE)));
static uint ones[2 * PAGE / 4] __attribute__((aligned(PAGE)));
static uint words[2 * PAGE / 4] __attribute__((aligned(PAGE)));
static char text[2 * PAGE] __attribute__((aligned(PAGE)));
static ulong pointers[2 * PAGE / 8] __attribute__((aligned(PAGE)));

static int skipped(long n) {
    // These end the program, change the thread or are printed by what the kernel has on the stack.
    return n == 15 || n == 60 || n == 231 || n == 219 || (n > 334 && n < 424);
}

static ulong number(const char *s) {
    ulong v = 0;
    while (*s) v = v * 10 + (ulong)(*s++ - '0');
    return v;
}

// All arguments alike, or alternating.
static void shapes(long from, long to) {
    ulong z = (ulong)zeros, o = (ulong)ones, w = (ulong)words, t = (ulong)text, p = (ulong)pointers;
    for (long n = from; n < to; n++) {
        if (skipped(n)) continue;
        call(n, 0, 0, 0, 0, 0, 0);
        call(n, -1, -1, -1, -1, -1, -1);
        call(n, 1, 2, 3, 4, 5, 6);
        call(n, z, z, z, z, z, z);
        call(n, 3, z, 16, z, 16, z);
        call(n, z, 16, z, 16, z, 16);
        call(n, 3, o, 8, o, 8, o);
        call(n, o, 8, o, 8, o, 8);
        call(n, 3, w, 24, w, 24, w);
        call(n, w, 24, w, 24, w, 24);
        call(n, 3, t, 5, t, 5, t);
        call(n, t, 5, t, 5, t, 5);
        call(n, t, t, t, t, t, t);
        call(n, 3, p, 2, p, 2, p);
        call(n, p, 2, p, 2, p, 2);
        call(n, 0x5, 0x10, 0x10, 0x10, 0x10, 0x10);
        call(n, 0xffffffff80000001, 0xffffffff80000001, 0xffffffff80000001, 0xffffffff80000001, 0xffffffff80000001,
             0xffffffff80000001);
    }
}

// One argument takes every bit and many small values, the others are 0 or a pointer.
static void values(long from, long to) {
    for (long n = from; n < to; n++) {
        if (skipped(n)) continue;
        for (int i = 0; i < 6; i++)
            for (int k = 0; k < 64 + 40; k++) {
                ulong a[6] = {0};
                a[i] = k < 64 ? 1ul << k : (ulong)(k - 62);
                call(n, a[0], a[1], a[2], a[3], a[4], a[5]);
            }
    }
}

// A selector in argument `at` from 0 to `most`, with other arguments of all shapes.
static void selector(long n, int at, ulong least, ulong most) {
    ulong shapes[] = {0, 1, 0x11, (ulong)zeros, (ulong)ones, (ulong)words, (ulong)text, (ulong)pointers, -1};
    for (ulong v = least; v <= most; v++)
        for (int s = 0; s < 9; s++) {
            ulong a[6] = {3, shapes[s], shapes[s], shapes[s], shapes[s], shapes[s]};
            a[at] = v;
            call(n, a[0], a[1], a[2], a[3], a[4], a[5]);
        }
}

static void selectors(void) {
    selector(72, 1, 0, 20), selector(72, 1, 1024, 1045);
    selector(157, 0, 0, 70);
    selector(157, 0, 0x53564d41, 0x53564d41), selector(157, 0, 0x59616d61, 0x59616d61);
    selector(158, 0, 0x1000, 0x1030), selector(158, 0, 0x2000, 0x2004), selector(158, 0, 0x3000, 0x3004);
    for (ulong p = 0; p < 0x400; p += 0x80) selector(202, 1, p, p + 14);
    selector(250, 0, 0, 34);
    selector(101, 0, 0, 33), selector(101, 0, 0x4200, 0x4210);
    for (int b = 0; b < 2; b++) {
        selector(66, 2, b * 256, b * 256 + 20), selector(31, 1, b * 256, b * 256 + 16), selector(71, 1, b * 256, b * 256 + 14);
    }
    selector(179, 0, 0x80000000, 0x80000000);
    for (ulong c = 0x800000; c < 0x801b00; c += 0x100) selector(179, 0, c, c + 3);
    for (ulong c = 0x580000; c < 0x580b00; c += 0x100) selector(179, 0, c, c + 2);
    selector(427, 1, 0, 36), selector(317, 0, 0, 5), selector(431, 1, 0, 10), selector(103, 0, 0, 12);
    selector(233, 1, 0, 5), selector(139, 0, 0, 5), selector(312, 2, 0, 9), selector(321, 0, 0, 40);
    selector(445, 1, 0, 4), selector(41, 0, 0, 47), selector(53, 0, 0, 47), selector(154, 0, 0, 20);
}

// Socket options by level and name.
static void options(ulong from, ulong to) {
    for (ulong level = from; level < to; level++)
        for (ulong name = 0; name < 140; name++) {
            words[0] = 1, words[1] = 2;
            call(54, 3, level, name, (ulong)words, 4, 0);
            call(54, 3, level, name, (ulong)words, 16, 0);
            pointers[500] = 4;
            call(55, 3, level, name, (ulong)words, (ulong)(pointers + 500), 0);
            pointers[500] = 16;
            call(55, 3, level, name, (ulong)words, (ulong)(pointers + 500), 0);
            pointers[500] = 3;
            call(55, 3, level, name, (ulong)words, (ulong)(pointers + 500), 0);
        }
}

// Every request of ioctl(2) in flags.tbl, which the test writes to a header.
static const uint list[] = {
#include "requests.h"
};

static void requests(void) {
    ulong values[] = {0, 5, (ulong)zeros, (ulong)ones, (ulong)words, (ulong)text, -1};
    for (ulong i = 0; i < sizeof list / sizeof *list; i++)
        for (int k = 0; k < 7; k++) call(16, 3, list[i], values[k], 0, 0, 0);
}

// Structs that a size goes with.
static void sized(void) {
    ulong places[] = {(ulong)zeros, (ulong)ones, (ulong)words, (ulong)text, (ulong)pointers};
    for (int p = 0; p < 5; p++) {
        ulong a = places[p];
        for (ulong cmd = 0; cmd < 38; cmd++) call(321, cmd, a, 32, 0, 0, 0), call(321, cmd, a, 128, 0, 0, 0);
        for (uint type = 0; type < 8; type++) {
            uint *attr = (uint *)a, before[2] = {attr[0], attr[1]};
            attr[0] = type, attr[1] = 112;
            call(298, a, 1, -1, -1, 8, 0);
            attr[1] = 64;
            call(298, a, 0, 0, 3, 1, 0);
            attr[0] = before[0], attr[1] = before[1];
        }
        for (ulong size = 8; size < 129; size += 8) {
            call(425, 3, a, 0, 0, 0, 0), call(314, 0, a, 0, 0, 0, 0), call(315, 0, a, size, 0, 0, 0);
            call(444, a, size, 0, 0, 0, 0), call(437, 3, (ulong)text, a, size, 0, 0), call(435, a, size, 0, 0, 0, 0);
            call(442, 3, (ulong)text, 0, a, size, 0), call(445, 3, 1, a, 0, 0, 0), call(303, 3, (ulong)text, a, a, 0, 0);
            call(304, 3, a, 0, 0, 0, 0), call(332, 3, (ulong)text, 0, 0xfff, a, 0), call(209, 0, 2, a, 0, 0, 0);
            call(449, a, size / 8, 0, 0, 0, 0), call(317, 1, 0, a, 0, 0, 0), call(154, 1, a, 16, 0, 0, 0);
            call(210, 1, a, a, 0, 0, 0);
        }
        for (ulong op = 0; op < 30; op++) call(427, 3, op, a, 2, 0, 0);
        for (ulong op = 0; op < 34; op++) call(250, op, a, a, 5, a, 0), call(250, op, 5, a, 5, a, 0);
        for (ulong op = 0; op < 34; op++) call(101, op, 5, a, a, 0, 0), call(101, 0x4200 + op, 5, 5, a, 0, 0);
        for (int t = 0; t < 47; t++) {
            ((unsigned short *)a)[0] = t;
            for (ulong n = 2; n < 31; n += 7) call(49, 3, a, n, 0, 0, 0);
            call(49, 3, a, 110, 0, 0, 0);
        }
        ((unsigned short *)a)[0] = (unsigned short)(p == 0 ? 0 : ones[8]);
    }
}

void enter(ulong *stack) {
    for (int i = 0; i < 2 * PAGE / 4; i++) ones[i] = 1, words[i] = 0x01010101u * (uint)(i % 23) ^ (uint)i;
    for (int i = 0; i < 2 * PAGE - 1; i++) text[i] = (char)('a' + i % 26);
    for (int i = 0; i < 40; i++) text[6 * i + 5] = 0;
    for (int i = 0; i < 2 * PAGE / 8; i++) pointers[i] = i % 2 ? 4 : (ulong)text;
    const char *mode = stack[0] > 1 ? (const char *)stack[2] : "s";
    ulong from = stack[0] > 2 ? number((const char *)stack[3]) : 0;
    ulong to = stack[0] > 3 ? number((const char *)stack[4]) : 452;
    if (*mode == 's') shapes((long)from, (long)to);
    if (*mode == 'v') values((long)from, (long)to);
    if (*mode == 'c') selectors();
    if (*mode == 'o') options(from, to);
    if (*mode == 'r') requests();
    if (*mode == 'x') sized();
    call(231, 0, 0, 0, 0, 0, 0);
}

__asm__(".globl _start\n_start: mov %rsp,%rdi\n and $-16,%rsp\n call enter\n");
