//! What differs between guest architectures: registers, the system call convention, signal frames.
//!
//! The architecture is a value at run time. Does not know about memory areas, system calls' meaning, or CPU backends.

pub mod aarch64;
pub mod cpuid;
pub mod x86_64;

/// A guest architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Arch {
    /// AMD64, little endian, 64-bit (`EM_X86_64`).
    X86_64,
    /// ARMv8-A in AArch64 state, little endian (`EM_AARCH64`).
    Aarch64,
}

impl Arch {
    /// Both architectures, in the column order of `syscall-tables/linux.tbl`.
    pub const ALL: [Arch; 2] = [Arch::X86_64, Arch::Aarch64];

    /// The name that `uname -m` prints.
    pub fn name(self) -> &'static str {
        match self {
            Arch::X86_64 => "x86_64",
            Arch::Aarch64 => "aarch64",
        }
    }

    /// Index into per-architecture arrays, in the order of [`Arch::ALL`].
    pub fn index(self) -> usize {
        self as usize
    }

    /// `e_machine` of its ELF files.
    pub fn elf_machine(self) -> u16 {
        match self {
            Arch::X86_64 => 62,
            Arch::Aarch64 => 183,
        }
    }

    /// Length in bytes of the system call instruction (`syscall`, `svc #0`), for restarting a call.
    pub fn syscall_insn_len(self) -> u64 {
        match self {
            Arch::X86_64 => 2,
            Arch::Aarch64 => 4,
        }
    }
}

impl std::str::FromStr for Arch {
    type Err = String;

    fn from_str(s: &str) -> Result<Arch, String> {
        match s {
            "x86_64" | "x86-64" | "amd64" => Ok(Arch::X86_64),
            "aarch64" | "arm64" => Ok(Arch::Aarch64),
            _ => Err(format!("unknown architecture '{s}' (x86_64, aarch64)")),
        }
    }
}

impl std::fmt::Display for Arch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The user-mode registers of one thread.
#[derive(Clone, Debug, PartialEq)]
pub enum Regs {
    /// An x86_64 thread.
    X86_64(Box<x86_64::Regs>),
    /// An aarch64 thread.
    Aarch64(Box<aarch64::Regs>),
}

/// The number and the raw arguments of a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawCall {
    /// The guest architecture's own call number.
    pub nr: u64,
    /// Six argument registers, whatever the call uses.
    pub args: [u64; 6],
}

impl Regs {
    /// Registers as a new process has them (everything zero), for `arch`.
    pub fn new(arch: Arch) -> Regs {
        match arch {
            Arch::X86_64 => Regs::X86_64(Box::default()),
            Arch::Aarch64 => Regs::Aarch64(Box::default()),
        }
    }

    /// The architecture these registers belong to.
    pub fn arch(&self) -> Arch {
        match self {
            Regs::X86_64(_) => Arch::X86_64,
            Regs::Aarch64(_) => Arch::Aarch64,
        }
    }

    /// The program counter.
    pub fn pc(&self) -> u64 {
        match self {
            Regs::X86_64(r) => r.rip,
            Regs::Aarch64(r) => r.pc,
        }
    }

    /// Sets the program counter.
    pub fn set_pc(&mut self, pc: u64) {
        match self {
            Regs::X86_64(r) => r.rip = pc,
            Regs::Aarch64(r) => r.pc = pc,
        }
    }

    /// The stack pointer.
    pub fn sp(&self) -> u64 {
        match self {
            Regs::X86_64(r) => r.gpr[x86_64::RSP],
            Regs::Aarch64(r) => r.sp,
        }
    }

    /// Sets the stack pointer.
    pub fn set_sp(&mut self, sp: u64) {
        match self {
            Regs::X86_64(r) => r.gpr[x86_64::RSP] = sp,
            Regs::Aarch64(r) => r.sp = sp,
        }
    }

    /// Number and arguments of the call that the thread has stopped at (syscall(2), "Architecture calling conventions").
    pub fn syscall(&self) -> RawCall {
        match self {
            Regs::X86_64(r) => r.syscall(),
            Regs::Aarch64(r) => r.syscall(),
        }
    }

    /// The result register: `rax` or `x0`.
    pub fn result(&self) -> u64 {
        match self {
            Regs::X86_64(r) => r.gpr[x86_64::RAX],
            Regs::Aarch64(r) => r.x[0],
        }
    }

    /// Sets the result register.
    pub fn set_result(&mut self, value: u64) {
        match self {
            Regs::X86_64(r) => r.gpr[x86_64::RAX] = value,
            Regs::Aarch64(r) => r.x[0] = value,
        }
    }

    /// The thread pointer: `fs` base or `tpidr_el0`.
    pub fn tls(&self) -> u64 {
        match self {
            Regs::X86_64(r) => r.fs_base,
            Regs::Aarch64(r) => r.tpidr,
        }
    }

    /// Sets the thread pointer.
    pub fn set_tls(&mut self, value: u64) {
        match self {
            Regs::X86_64(r) => r.fs_base = value,
            Regs::Aarch64(r) => r.tpidr = value,
        }
    }
}

/// Access to the registers of the thread that is on the CPU. A CPU backend may keep them elsewhere than in a
/// [`Regs`], so the kernel asks for all of them only where it needs them (signal frames, clone, exec).
pub trait RegPort {
    /// Number and arguments of the call the thread has stopped at.
    fn syscall(&self) -> RawCall;
    /// Sets the result register.
    fn set_result(&mut self, value: u64);
    /// The program counter (behind the call instruction, at a call).
    fn pc(&self) -> u64;
    /// The stack pointer.
    fn sp(&self) -> u64;
    /// Copies all registers out.
    fn save(&self, regs: &mut Regs);
    /// Replaces all registers.
    fn load(&mut self, regs: &Regs);
}

impl RegPort for Regs {
    fn syscall(&self) -> RawCall {
        Regs::syscall(self)
    }
    fn set_result(&mut self, value: u64) {
        Regs::set_result(self, value);
    }
    fn pc(&self) -> u64 {
        Regs::pc(self)
    }
    fn sp(&self) -> u64 {
        Regs::sp(self)
    }
    fn save(&self, regs: &mut Regs) {
        regs.clone_from(self);
    }
    fn load(&mut self, regs: &Regs) {
        self.clone_from(regs);
    }
}
