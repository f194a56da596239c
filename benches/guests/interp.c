/* A byte-code interpreter: indirect jumps. */
#include "kernel.h"
enum { PUSH, ADD, MUL, DUP, DROP, LOOP, END };
uint64_t work(long n) {
    static const unsigned char code[] = {DUP, PUSH, 3, MUL, PUSH, 7, ADD, DUP, DROP, PUSH, 5, MUL, ADD, LOOP, END};
    static void *const label[] = {&&push, &&add, &&mul, &&dup, &&drop, &&loop, &&end};
    uint64_t stack[16] = {0}, *sp = stack;
    long left = n * 100000;
    const unsigned char *pc = code;
    goto *label[*pc++];
push: *++sp = *pc++; goto *label[*pc++];
add: sp[-1] += sp[0], sp--; goto *label[*pc++];
mul: sp[-1] *= sp[0], sp--; goto *label[*pc++];
dup: sp[1] = sp[0], sp++; goto *label[*pc++];
drop: sp--; goto *label[*pc++];
loop:
    if (--left > 0) pc = code;
    goto *label[*pc++];
end: return stack[0] + stack[1];
}
