# Code for tests/cpu.rs. Each global label starts a snippet; `make -C tests/cpu` rebuilds x86_64.bin and x86_64.map.
.intel_syntax noprefix
.text

.balign 16
add_loop:                       # rcx iterations of 3 instructions, then a system call
    xor eax, eax
1:  add rax, rcx
    dec rcx
    jnz 1b
    mov eax, 39
    syscall

.balign 16
straight:                       # ten instructions in one block, then a system call
    inc rax
    inc rax
    inc rax
    inc rax
    inc rax
    inc rax
    inc rax
    inc rax
    inc rax
    inc rax
    syscall

.balign 16
forever:
    inc rax
    jmp forever

.balign 16
load_fault:                     # two register changes, a bad load, one that must not happen
    mov eax, 7
    add ebx, 5
    mov rdx, [rsi]
    mov ebx, 99
    syscall

.balign 16
store_fault:
    mov eax, 7
    mov [rdi], rax
    mov eax, 8
    syscall

.balign 16
push_fault:
    push rax
    syscall

.balign 16
call_fault:
    call 1f
1:  syscall

.balign 16
ret_fault:
    ret

.balign 16
movsb:
    cld
    rep movsb
    syscall

.balign 16
scasb:
    cld
    repne scasb
    syscall

.balign 16
jump_rsi:
    jmp rsi

.balign 16
ud2_code:
    inc eax
    ud2

.balign 16
avx_code:
    inc eax
    vaddps ymm0, ymm1, ymm2

.balign 16
hlt_code:
    inc eax
    hlt

.balign 16
in_code:
    in al, dx

.balign 16
wrmsr_code:
    wrmsr

.balign 16
int3_code:
    inc eax
    int3
    inc eax
    syscall

.balign 16
int80_code:
    inc eax
    int 0x80

.balign 16
divide_zero:
    inc ebx
    xor ecx, ecx
    mov eax, 1
    xor edx, edx
    div ecx
    inc ebx
    syscall

.balign 16
divide_overflow:
    mov eax, 0x80000000
    cdq
    mov ecx, -1
    idiv ecx

.balign 16
x87_trap:                       # unmasks zero divide, divides, waits
    push 0x37b
    fldcw [rsp]
    fld1
    fldz
    fdivp
    fwait
    nop
    syscall

.balign 16
single_step:                    # sets TF
    pushf
    or dword ptr [rsp], 0x100
    popf
    inc eax
    inc eax
    syscall

.balign 16
rdtsc_code:
    rdtsc
    shl rdx, 32
    or rax, rdx
    mov rbx, rax
    mov ecx, 77
    rdtscp
    shl rdx, 32
    or rax, rdx
    syscall

.balign 16
cpuid_code:
    cpuid
    syscall

.balign 16
xgetbv_code:
    xor ecx, ecx
    xgetbv
    syscall

.balign 16
rdrand_code:
    inc ebx
    inc ebx
    rdrand rax
    syscall

.balign 16
fsgs_code:                      # rdi, rsi: new bases
    wrfsbase rdi
    wrgsbase rsi
    mov rax, fs:[8]
    mov rbx, gs:[8]
    rdfsbase rcx
    rdgsbase rdx
    syscall

.balign 16
features:                       # one instruction of each kind that CPUID shows
    pxor xmm0, xmm0
    haddps xmm0, xmm0
    pshufb xmm0, xmm0
    pblendvb xmm1, xmm0
    pcmpestri xmm0, xmm1, 0
    crc32 eax, ebx
    popcnt rax, rbx
    movbe [rsp-8], rax
    aesenc xmm0, xmm1
    pclmulqdq xmm0, xmm1, 0
    andn rax, rbx, rdx
    bextr rax, rbx, rdx
    pdep rax, rbx, rdx
    mulx rax, rbx, rdx
    sarx rax, rbx, rdx
    adcx rax, rbx
    adox rax, rbx
    lzcnt rax, rbx
    tzcnt rax, rbx
    lahf
    cmpxchg16b [rsp-32]
    prefetchw [rsp-64]
    clflush [rsp-64]
    fxsave [rdi]
    fxrstor [rdi]
    xor edx, edx
    mov eax, 3
    xsave [rdi]
    xrstor [rdi]
    syscall

.balign 16
patch_next:                     # overwrites the operand of the instruction right behind the store
    mov dword ptr [rip + 1f + 1], 0x2222
1:  mov eax, 0x1111
    syscall

.balign 16
patch_loop:                     # runs a piece, changes it, runs it again
    xor ebx, ebx
    mov ecx, 3
1:  call 2f
    add ebx, eax
    inc byte ptr [rip + 2f + 1]
    dec ecx
    jnz 1b
    syscall
2:  mov eax, 1
    ret

.balign 16
store_code:                     # stores dl at rdi, calls rsi
    mov [rdi], dl
    call rsi
    syscall

.balign 16
return_one:
    mov eax, 1
    ret

.balign 16
unaligned_store:
    mov [rdi], rax
    syscall

.balign 16
load_dl:
    mov rax, [rdi]
    syscall

.balign 16
state:                          # changes what `save` must see
    fld1
    fldpi
    movaps xmm3, xmm4
    stc
    std
    syscall

.balign 16
nops:                           # for a page border: four instructions without a jump
    inc rax
    inc rax
    inc rax
    inc rax
    syscall

.balign 16
end_of_code:
