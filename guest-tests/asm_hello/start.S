// No C library at all: looks at the initial stack, writes it out, and exits with the number of arguments.
#ifdef __aarch64__
    .globl _start
_start:
    ldr x19, [sp]               // argc
    add x20, sp, #16            // argv[1]
    mov x0, sp
    tst x0, #15
    b.ne misaligned
next:
    ldr x1, [x20], #8
    cbz x1, done
    mov x2, #0
length:
    ldrb w3, [x1, x2]
    add x2, x2, #1
    cbnz w3, length
    sub x2, x2, #1
    mov x0, #1
    mov x8, #64                 // write
    svc #0
    adr x1, newline
    mov x2, #1
    mov x0, #1
    mov x8, #64
    svc #0
    b next
done:
    mov x0, x19
    b exit
misaligned:
    mov x0, #99
exit:
    mov x8, #94                 // exit_group
    svc #0
    udf #0
#else
    .globl _start
_start:
    mov (%rsp), %r12            // argc
    lea 16(%rsp), %r13          // argv[1]
    test $15, %rsp
    jnz misaligned
next:
    mov (%r13), %rsi
    add $8, %r13
    test %rsi, %rsi
    jz done
    xor %edx, %edx
length:
    cmpb $0, (%rsi,%rdx)
    je known
    inc %rdx
    jmp length
known:
    mov $1, %edi
    mov $1, %eax                // write
    syscall
    lea newline(%rip), %rsi
    mov $1, %edx
    mov $1, %edi
    mov $1, %eax
    syscall
    jmp next
done:
    mov %r12, %rdi
    jmp exit
misaligned:
    mov $99, %edi
exit:
    mov $231, %eax              // exit_group
    syscall
    hlt
#endif
    .section .rodata
newline:
    .ascii "\n"
    .section .note.GNU-stack, "", %progbits
