//! Runs a piece of machine code with all registers given, and gives all registers back. For a process of its own: it takes the signals
//! of faults.

use std::ptr::addr_of_mut;

/// Bytes of the XSAVE area with x87, SSE and AVX, rounded up.
pub(super) const AREA: usize = 1024;

/// What code starts with.
#[derive(Clone)]
pub(super) struct Input {
    pub gpr: [u64; 16],
    pub flags: u64,
    pub fs_base: u64,
    pub gs_base: u64,
    pub xsave: Box<[u8; AREA]>,
}

/// What it ends with.
pub(super) struct Output {
    pub gpr: [u64; 16],
    pub flags: u64,
    pub xsave: Box<[u8; AREA]>,
    /// 0 if it came to its end.
    pub signal: u64,
    pub code: u64,
    pub addr: u64,
    /// Where it faulted.
    pub rip: u64,
}

/// For the assembly below, which names its fields by their offsets.
#[repr(C, align(64))]
struct Frame {
    gpr: [u64; 16],
    flags: u64,
    entry: u64,
    host_sp: u64,
    host_fs: u64,
    fs_base: u64,
    gs_base: u64,
    out_gpr: [u64; 16],
    out_flags: u64,
    padding: [u64; 9],
    xsave: [u8; AREA],
    out_xsave: [u8; AREA],
    signal: u64,
    addr: u64,
    rip: u64,
    code: u64,
    mxcsr: u32,
}

const _: () = {
    assert!(std::mem::offset_of!(Frame, xsave) == 384);
    assert!(std::mem::offset_of!(Frame, out_xsave) == 1408);
    assert!(std::mem::offset_of!(Frame, mxcsr) == 2464);
};

static mut FRAME: Frame = Frame {
    gpr: [0; 16],
    flags: 0,
    entry: 0,
    host_sp: 0,
    host_fs: 0,
    fs_base: 0,
    gs_base: 0,
    out_gpr: [0; 16],
    out_flags: 0,
    padding: [0; 9],
    xsave: [0; AREA],
    out_xsave: [0; AREA],
    signal: 0,
    addr: 0,
    rip: 0,
    code: 0,
    mxcsr: 0x1f80,
};

std::arch::global_asm!(
    ".globl sevm_oracle_enter",
    "sevm_oracle_enter:",
    "push rbx; push rbp; push r12; push r13; push r14; push r15",
    "lea r11, [rip + {frame}]",
    "mov [r11 + 144], rsp",
    "rdfsbase rax; mov [r11 + 152], rax",
    "mov rax, [r11 + 160]; wrfsbase rax",
    "mov rax, [r11 + 168]; wrgsbase rax",
    "mov eax, 7; xor edx, edx; xrstor64 [r11 + 384]",
    "push qword ptr [r11 + 128]; popfq",
    "mov rax, [rip + {frame}]",
    "mov rcx, [rip + {frame} + 8]",
    "mov rdx, [rip + {frame} + 16]",
    "mov rbx, [rip + {frame} + 24]",
    "mov rsp, [rip + {frame} + 32]",
    "mov rbp, [rip + {frame} + 40]",
    "mov rsi, [rip + {frame} + 48]",
    "mov rdi, [rip + {frame} + 56]",
    "mov r8, [rip + {frame} + 64]",
    "mov r9, [rip + {frame} + 72]",
    "mov r10, [rip + {frame} + 80]",
    "mov r11, [rip + {frame} + 88]",
    "mov r12, [rip + {frame} + 96]",
    "mov r13, [rip + {frame} + 104]",
    "mov r14, [rip + {frame} + 112]",
    "mov r15, [rip + {frame} + 120]",
    "jmp [rip + {frame} + 136]",
    ".globl sevm_oracle_leave",
    "sevm_oracle_leave:",
    "mov [rip + {frame} + 176], rax",
    "mov [rip + {frame} + 184], rcx",
    "mov [rip + {frame} + 192], rdx",
    "mov [rip + {frame} + 200], rbx",
    "mov [rip + {frame} + 208], rsp",
    "mov [rip + {frame} + 216], rbp",
    "mov [rip + {frame} + 224], rsi",
    "mov [rip + {frame} + 232], rdi",
    "mov [rip + {frame} + 240], r8",
    "mov [rip + {frame} + 248], r9",
    "mov [rip + {frame} + 256], r10",
    "mov [rip + {frame} + 264], r11",
    "mov [rip + {frame} + 272], r12",
    "mov [rip + {frame} + 280], r13",
    "mov [rip + {frame} + 288], r14",
    "mov [rip + {frame} + 296], r15",
    "mov rsp, [rip + {frame} + 144]",
    "pushfq; pop [rip + {frame} + 304]",
    "push 2; popfq",
    "lea r11, [rip + {frame}]",
    "mov rax, [r11 + 152]; wrfsbase rax",
    "mov eax, 7; xor edx, edx; xsave64 [r11 + 1408]",
    "fninit; ldmxcsr [r11 + 2464]",
    "pop r15; pop r14; pop r13; pop r12; pop rbp; pop rbx",
    "ret",
    frame = sym FRAME,
);

unsafe extern "C" {
    fn sevm_oracle_enter();
    fn sevm_oracle_leave();
}

/// `jmp` to where code ends, for the end of it.
pub(super) fn leaving_jump() -> Vec<u8> {
    let mut code = vec![0xff, 0x25, 0, 0, 0, 0];
    code.extend((sevm_oracle_leave as *const () as u64).to_le_bytes());
    code
}

/// Ends the code. Runs with the code's `fs`, so it must not use thread-local variables.
extern "C" fn on_signal(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    // SAFETY: the kernel passes valid pointers, and only the code that was interrupted uses the frame.
    unsafe {
        let gregs = &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        let frame = addr_of_mut!(FRAME);
        (*frame).signal = signal as u64;
        (*frame).addr = (*info).si_addr() as u64;
        (*frame).code = (*info).si_code as u64;
        (*frame).rip = gregs[libc::REG_RIP as usize] as u64;
        gregs[libc::REG_RIP as usize] = sevm_oracle_leave as *const () as i64;
    }
}

/// Takes the signals of faults, on a stack of their own.
pub(super) fn take_signals() {
    const STACK: usize = 1 << 16;
    let stack = Box::leak(vec![0u8; STACK].into_boxed_slice());
    // SAFETY: the stack is never freed, the handler has the signature of SA_SIGINFO.
    unsafe {
        let stack = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: STACK };
        libc::sigaltstack(&stack, std::ptr::null_mut());
        for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP] {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
            libc::sigaction(signal, &action, std::ptr::null_mut());
        }
    }
}

/// Maps zeros there; whether that worked.
pub(super) fn map(addr: u64, len: u64) -> bool {
    let protection = libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: the kernel refuses places that are in use.
    let place = unsafe { libc::mmap(addr as *mut _, len as usize, protection, flags, -1, 0) };
    place as u64 == addr
}

/// Copies bytes to memory that [`map`] has made.
pub(super) fn put(addr: u64, bytes: &[u8]) {
    // SAFETY: the caller names memory that is mapped.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), addr as *mut u8, bytes.len()) }
}

/// Copies bytes from there.
pub(super) fn get(addr: u64, len: u64) -> Vec<u8> {
    // SAFETY: as in `put`.
    unsafe { std::slice::from_raw_parts(addr as *const u8, len as usize) }.to_vec()
}

/// The `fs` base of this thread.
pub(super) fn fs_base() -> u64 {
    let base;
    // SAFETY: reads a register.
    unsafe { std::arch::asm!("rdfsbase {}", out(reg) base, options(nomem, nostack)) };
    base
}

/// Runs the code at an address, which ends with [`leaving_jump`].
pub(super) fn run(entry: u64, input: &Input) -> Output {
    // SAFETY: one thread uses the frame; the code touches its own memory only, or faults.
    unsafe {
        let frame = &mut *addr_of_mut!(FRAME);
        (frame.gpr, frame.flags, frame.entry) = (input.gpr, input.flags, entry);
        (frame.fs_base, frame.gs_base) = (input.fs_base, input.gs_base);
        frame.xsave = *input.xsave;
        frame.out_xsave = [0; AREA];
        (frame.signal, frame.addr, frame.rip, frame.code) = (0, 0, 0, 0);
        sevm_oracle_enter();
        let frame = &*addr_of_mut!(FRAME);
        let mut xsave = Box::new(frame.out_xsave);
        // Where the last x87 instruction stood, and what is left to software.
        xsave[6..24].fill(0);
        xsave[416..576].fill(0);
        const RESUME: u64 = 1 << 16;
        Output {
            gpr: frame.out_gpr,
            flags: frame.out_flags & !RESUME,
            xsave,
            signal: frame.signal,
            code: frame.code,
            addr: frame.addr,
            rip: frame.rip,
        }
    }
}
