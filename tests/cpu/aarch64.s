// Code for tests/cpu.rs. Each global label starts a snippet; `make -C tests/cpu` rebuilds aarch64.bin and aarch64.map.
.arch armv8.5-a+crypto+sm4+sha3+fp16+memtag+rng
.text

.balign 16
add_loop:                       // x1 iterations of 3 instructions, then a system call
    mov x0, 0
1:  add x0, x0, x1
    subs x1, x1, 1
    b.ne 1b
    mov x8, 172
    svc 0

.balign 16
straight:
    add x0, x0, 1
    add x0, x0, 1
    add x0, x0, 1
    add x0, x0, 1
    add x0, x0, 1
    add x0, x0, 1
    add x0, x0, 1
    add x0, x0, 1
    add x0, x0, 1
    add x0, x0, 1
    svc 0

.balign 16
forever:
    add x0, x0, 1
    b forever

.balign 16
load_fault:
    mov x0, 7
    add x1, x1, 5
    ldr x2, [x3]
    mov x1, 99
    svc 0

.balign 16
store_fault:
    mov x0, 7
    str x0, [x4]
    mov x0, 8
    svc 0

.balign 16
load_pair:
    ldp x0, x1, [x3]
    svc 0

.balign 16
load_pair_back:                 // post-indexed: the base changes only if both loads work
    ldp x0, x1, [x3], 16
    svc 0

.balign 16
jump_x3:
    br x3

.balign 16
udf_code:
    add x0, x0, 1
    udf 0

.balign 16
privileged:                     // msr daifset, a write of ttbr0_el1
    add x0, x0, 1
    msr ttbr0_el1, x0

.balign 16
sve_code:
    .inst 0x04e0e3e0            // cntd x0
    svc 0

.balign 16
brk_code:
    add x0, x0, 1
    brk 1
    svc 0

.balign 16
counters:
    mrs x0, cntvct_el0
    mrs x1, cntfrq_el0
    mrs x2, cntvct_el0
    svc 0

.balign 16
id_registers:
    mrs x0, midr_el1
    mrs x1, id_aa64isar0_el1
    mrs x2, id_aa64isar1_el1
    mrs x3, id_aa64pfr0_el1
    mrs x4, mpidr_el1
    mrs x5, id_aa64mmfr0_el1
    mrs x6, dczid_el0
    mrs x7, ctr_el0
    svc 0

.balign 16
id_unknown:
    mrs x0, ccsidr_el1

.balign 16
thread_pointer:
    mrs x0, tpidr_el0
    add x1, x0, 1
    msr tpidr_el0, x1
    svc 0

.balign 16
features:
    ldadd x0, x1, [x3]
    cas x0, x1, [x3]
    casp x0, x1, x4, x5, [x3]
    crc32x w0, w0, x1
    aese v0.16b, v1.16b
    pmull v0.1q, v1.1d, v2.1d
    sha1h s0, s1
    sha256su0 v0.4s, v1.4s
    sha512su0 v0.2d, v1.2d
    eor3 v0.16b, v1.16b, v2.16b, v3.16b
    sm3ss1 v0.4s, v1.4s, v2.4s, v3.4s
    sm4e v0.4s, v1.4s
    udot v0.4s, v1.16b, v2.16b
    sqrdmlah v0.4s, v1.4s, v2.4s
    fadd h0, h1, h2
    fmlal v0.4s, v1.4h, v2.4h
    fjcvtzs w0, d0
    fcmla v0.4s, v1.4s, v2.4s, 90
    frint32z d0, d1
    ldapr x0, [x3]
    ldapur x0, [x3, 8]
    setf8 w0
    axflag
    sb
    dc cvap, x3
    dc cvadp, x3
    mov x0, 0x1234
    mov x2, x0
    pacia x0, x1
    mov x4, x0
    autia x0, x1
    pacga x5, x0, x1
    svc 0

.balign 16
hints:                          // wfi and wfe do not wait in user mode
    mov x0, 1
    wfe
    wfi
    yield
    mov x0, 2
    svc 0

.balign 16
zero_block:
    dc zva, x3
    svc 0

.balign 16
tagged:                         // loads through an address with a tag in its top byte
    ldr x0, [x3]
    str x1, [x3]
    svc 0

.balign 16
exclusive_load:
    ldxr x0, [x3]
    svc 0

.balign 16
exclusive_store:
    stxr w1, x2, [x3]
    svc 0

.balign 16
unaligned_exclusive:
    ldxr x0, [x3]

.balign 16
patch_call:                     // stores w1 at x3, makes it visible to fetches, calls x4
    str w1, [x3]
    dc cvau, x3
    dsb ish
    ic ivau, x3
    dsb ish
    isb
    blr x4
    svc 0

.balign 16
return_one:
    mov x0, 1
    ret

.balign 16
unaligned_store:
    str x0, [x3]
    svc 0

.balign 16
load_x3:
    ldr x0, [x3]
    svc 0

.balign 16
state:
    fmov d3, 2.0
    adds xzr, xzr, xzr
    mov x0, 1
    lsl x0, x0, 22
    msr fpcr, x0
    fdiv d4, d3, d4
    svc 0

.balign 16
nops:
    add x0, x0, 1
    add x0, x0, 1
    add x0, x0, 1
    add x0, x0, 1
    svc 0

.balign 16
end_of_code:
