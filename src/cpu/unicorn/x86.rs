//! The x86_64 side: registers, getting to ring 3, what its exceptions mean.

use std::ffi::c_int;

use unicorn_engine::hook::sys::{Arch, Mode, RegisterX86 as R, X86CpuModel};

use super::engine::Engine;
use super::hooks::{NOWHERE, STUB_PAGE};
use crate::Error;
use crate::arch::RawCall;
use crate::arch::x86_64::{Fpu, Regs};
use crate::cpu::Exit;

/// What this engine implements of the features that a guest may see, beside those that every guest sees. Its string instructions are
/// slow: no `erms`.
pub(super) const OFFERED: &[&str] = &[
    "pclmulqdq",
    "ssse3",
    "cx16",
    "sse4_1",
    "sse4_2",
    "movbe",
    "popcnt",
    "aes",
    "xsave",
    "lahf_lm",
    "abm",
    "3dnowprefetch",
    "bmi1",
    "bmi2",
    "adx",
];

/// In the order of [`Regs::gpr`].
const GPR: [R; 16] = [
    R::RAX,
    R::RCX,
    R::RDX,
    R::RBX,
    R::RSP,
    R::RBP,
    R::RSI,
    R::RDI,
    R::R8,
    R::R9,
    R::R10,
    R::R11,
    R::R12,
    R::R13,
    R::R14,
    R::R15,
];

pub(super) const PC: c_int = R::RIP as c_int;
pub(super) const SP: c_int = R::RSP as c_int;

/// Flags that a user-mode program can change: CF PF AF ZF SF TF DF OF NT AC ID.
const USER_FLAGS: u64 = 0x24_4dd5;
/// Always set: bit 1, and interrupts enabled.
const FIXED_FLAGS: u64 = 0x202;

/// Bytes of the stub before its `sysretq`.
const STUB_RETURN: usize = 18;

/// `xor ecx, ecx; xor edx, edx; mov eax, 3; xsetbv; nop...; sysretq; nop...; mov rax, [rax]`
///
/// Enables the x87 and SSE parts of XSAVE, then goes to ring 3; the load is for the self test.
pub(super) const STUB: [u8; 27] = [
    0x31, 0xc9, 0x31, 0xd2, 0xb8, 3, 0, 0, 0, 0x0f, 0x01, 0xd1, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, //
    0x48, 0x0f, 0x07, 0x90, 0x90, 0x90, //
    0x48, 0x8b, 0x00,
];
const STUB_LOAD: u64 = 24;

pub(super) fn open() -> Result<Engine, Error> {
    // The model decides which instructions work: Broadwell has all that this engine implements of what CPUID shows.
    Engine::open(Arch::X86, Mode::MODE_64, X86CpuModel::BROADWELL as c_int)
}

/// Control registers as Linux has them, then ring 3. The stub page is mapped.
pub(super) fn set_up(engine: &mut Engine) -> Result<(), Error> {
    // PE, MP, ET, NE, WP. Paging stays off: addresses are translated by the fill hook.
    engine.write(R::CR0 as c_int, 0x1_0033u64);
    // TSD is left off: `rdtsc` has a hook. PAE, OSFXSR, OSXMMEXCPT, FSGSBASE, OSXSAVE.
    engine.write(R::CR4 as c_int, 0x5_0620u64);
    // No descriptors, and no task state with a bitmap of ports.
    [R::GDTR, R::LDTR, R::IDTR, R::TR].into_iter().for_each(|register| engine.clear_segment(register));
    let efer = engine.read_msr(MSR_EFER);
    engine.write_msr(MSR_EFER, efer | EFER_SCE);
    // The selectors of Linux: user code 0x33, user stack 0x2b.
    engine.write_msr(MSR_STAR, 0x0023_0010_0000_0000);

    let at = |offset: usize| STUB_PAGE + offset as u64;
    run_stub(engine, at(0), at(STUB_RETURN))?;
    engine.write(R::RCX as c_int, at(STUB_LOAD as usize));
    engine.write(R::R11 as c_int, FIXED_FLAGS);
    run_stub(engine, at(STUB_RETURN), at(STUB_LOAD as usize))?;
    engine.write(R::RAX as c_int, NOWHERE);
    super::self_test(engine, at(STUB_LOAD as usize))?;
    match engine.read::<u16>(R::CS as c_int) {
        0x33 => Ok(()),
        cs => Err(Error::Cpu { backend: "unicorn", reason: format!("code segment {cs:#x}, not user mode") }),
    }
}

const MSR_EFER: u32 = 0xc000_0080;
const MSR_STAR: u32 = 0xc000_0081;
const EFER_SCE: u64 = 1;

fn run_stub(engine: &mut Engine, from: u64, to: u64) -> Result<(), Error> {
    engine.set_exit(Some(to))?;
    let error = engine.start(from);
    engine.set_exit(None)?;
    match engine.read::<u64>(PC) {
        pc if pc == to => Ok(()),
        pc => Err(Error::Cpu { backend: "unicorn", reason: format!("set-up stopped at {pc:#x}: {error:?}") }),
    }
}

pub(super) fn syscall(engine: &Engine) -> RawCall {
    const IDS: [c_int; 7] = [
        R::RAX as c_int,
        R::RDI as c_int,
        R::RSI as c_int,
        R::RDX as c_int,
        R::R10 as c_int,
        R::R8 as c_int,
        R::R9 as c_int,
    ];
    let [nr, args @ ..] = engine.read_all(&IDS);
    RawCall { nr, args }
}

pub(super) fn set_result(engine: &mut Engine, value: u64) {
    engine.write(R::RAX as c_int, value);
}

/// What the `syscall` instruction leaves in rcx and r11.
pub(super) fn finish_syscall(engine: &mut Engine, pc: u64) {
    let flags: u64 = engine.read(R::RFLAGS as c_int);
    engine.write_all(&[R::RCX as c_int, R::R11 as c_int], &[pc, flags & USER_FLAGS | FIXED_FLAGS]);
}

pub(super) fn save(engine: &Engine, regs: &mut Regs) {
    regs.gpr = engine.read_all(&GPR.map(|r| r as c_int));
    regs.rip = engine.read(PC);
    regs.rflags = engine.read::<u64>(R::RFLAGS as c_int) & USER_FLAGS | FIXED_FLAGS;
    [regs.fs_base, regs.gs_base] = engine.read_all(&[R::FS_BASE as c_int, R::GS_BASE as c_int]);
    let fpu = &mut regs.fpu;
    fpu.fcw = engine.read(R::FPCW as c_int);
    fpu.fsw = engine.read(R::FPSW as c_int);
    let tags: u16 = engine.read(R::FPTAG as c_int);
    fpu.ftw = (0..8).filter(|i| tags >> (2 * i) & 3 != 3).fold(0, |used, i| used | 1 << i);
    fpu.fop = engine.read(R::FOP as c_int);
    [fpu.fip, fpu.fdp] = engine.read_all(&[R::FIP as c_int, R::FDP as c_int]);
    fpu.mxcsr = engine.read(R::MXCSR as c_int);
    for i in 0..8 {
        fpu.st[i] = engine.read(R::ST0 as c_int + i as c_int);
    }
    for i in 0..16 {
        fpu.xmm[i] = engine.read(R::XMM0 as c_int + i as c_int);
    }
    fpu.ymm_hi = [0; 16];
}

pub(super) fn load(engine: &mut Engine, regs: &Regs) {
    engine.write_all(&GPR.map(|r| r as c_int), &regs.gpr);
    engine.write(PC, regs.rip);
    engine.write(R::RFLAGS as c_int, regs.rflags & USER_FLAGS | FIXED_FLAGS);
    engine.write_all(&[R::FS_BASE as c_int, R::GS_BASE as c_int], &[regs.fs_base, regs.gs_base]);
    let Fpu { fcw, fsw, ftw, fop, fip, fdp, mxcsr, st, xmm, ymm_hi: _ } = &regs.fpu;
    engine.write(R::FPCW as c_int, *fcw);
    // The status word holds the top of the stack, by which ST(i) are named.
    engine.write(R::FPSW as c_int, *fsw);
    let tags = (0..8).filter(|i| ftw >> i & 1 == 0).fold(0u16, |tags, i| tags | 3 << (2 * i));
    engine.write(R::FPTAG as c_int, tags);
    engine.write(R::FOP as c_int, *fop);
    engine.write_all(&[R::FIP as c_int, R::FDP as c_int], &[*fip, *fdp]);
    engine.write(R::MXCSR as c_int, *mxcsr);
    for (i, value) in st.iter().enumerate() {
        engine.write(R::ST0 as c_int + i as c_int, *value);
    }
    for (i, value) in xmm.iter().enumerate() {
        engine.write(R::XMM0 as c_int + i as c_int, *value);
    }
}

/// What exception `number` is to the guest. `software` says that an `int` instruction made it, which has been passed.
pub(super) fn exception(engine: &mut Engine, number: u32, software: bool) -> Exit {
    match number {
        0 if !software => Exit::Divide,
        1 => Exit::SingleStep,
        3 => Exit::Breakpoint,
        16 if !software => Exit::FloatingPoint { code: x87_code(engine.read(R::FPSW as c_int)) },
        _ if software => {
            // The gates of the other vectors are closed to user mode: a fault at the instruction.
            const INT_LENGTH: u64 = 2;
            let pc: u64 = engine.read(PC);
            engine.write(PC, pc.wrapping_sub(INT_LENGTH));
            Exit::Illegal { privileged: true }
        }
        // Invalid TSS, segment not present, stack, general protection: SIGSEGV in all that can happen here.
        10..=13 => Exit::Illegal { privileged: true },
        _ => Exit::Illegal { privileged: false },
    }
}

/// The FPE_* code of a pending x87 exception (Linux, `fpu__exception_code`).
fn x87_code(status: u16) -> i32 {
    const FPE_FLTDIV: i32 = 3;
    const FPE_FLTOVF: i32 = 4;
    const FPE_FLTUND: i32 = 5;
    const FPE_FLTRES: i32 = 6;
    const FPE_FLTINV: i32 = 7;
    match status {
        s if s & 0x01 != 0 => FPE_FLTINV,
        s if s & 0x04 != 0 => FPE_FLTDIV,
        s if s & 0x08 != 0 => FPE_FLTOVF,
        s if s & 0x12 != 0 => FPE_FLTUND,
        s if s & 0x20 != 0 => FPE_FLTRES,
        _ => FPE_FLTINV,
    }
}
