// A system call keeps every flag, and r11 shows them as they were.
#include <stdio.h>

int main(void) {
    // CF, PF, AF, ZF, SF, DF, OF
    static const unsigned long bits[] = {1, 4, 16, 64, 128, 0x400, 0x800};
    const unsigned long all = 0xcd5;
    int wrong = 0;
    for (int chosen = 0; chosen < 128; chosen++) {
        unsigned long flags = 0x202, after, r11;
        for (int i = 0; i < 7; i++)
            if (chosen >> i & 1)
                flags |= bits[i];
        __asm__ volatile(
            "push %2\n popfq\n mov $110, %%eax\n syscall\n pushfq\n pop %0\n mov %%r11, %1\n cld"
            : "=&r"(after), "=&r"(r11)
            : "r"(flags)
            : "rax", "rcx", "r11", "memory", "cc");
        if (((after ^ flags) | (r11 ^ flags)) & all) {
            printf("%lx: %lx, r11 %lx\n", flags, after & all, r11 & all);
            wrong++;
        }
    }
    printf("%d of 128 wrong\n", wrong);
    return wrong != 0;
}
