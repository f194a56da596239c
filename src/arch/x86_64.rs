//! x86_64 registers (Intel SDM volume 1, chapter 3).

use super::RawCall;

/// Index of `rax` in [`Regs::gpr`]; the order is the one of the instruction encoding.
pub const RAX: usize = 0;
/// Index of `rcx`.
pub const RCX: usize = 1;
/// Index of `rdx`.
pub const RDX: usize = 2;
/// Index of `rbx`.
pub const RBX: usize = 3;
/// Index of `rsp`.
pub const RSP: usize = 4;
/// Index of `rbp`.
pub const RBP: usize = 5;
/// Index of `rsi`.
pub const RSI: usize = 6;
/// Index of `rdi`.
pub const RDI: usize = 7;

/// Bits of `mxcsr` that exist on every processor; loading others faults (Intel SDM volume 1, section 10.2.3).
pub const MXCSR_MASK: u32 = 0xffff;

/// Whether an address has bits 63 to 47 alike (Intel SDM volume 1, section 3.3.7.1).
pub fn is_canonical(addr: u64) -> bool {
    (addr as i64) << 16 >> 16 == addr as i64
}

/// All user-visible registers of an x86_64 thread.
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Regs {
    /// rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 ... r15.
    pub gpr: [u64; 16],
    /// Instruction pointer.
    pub rip: u64,
    /// Flags; bit 1 is always set.
    pub rflags: u64,
    /// Base of the `fs` segment.
    pub fs_base: u64,
    /// Base of the `gs` segment.
    pub gs_base: u64,
    /// x87 and SSE control and data.
    pub fpu: Fpu,
}

/// x87, MMX, SSE and AVX state, in the terms of the XSAVE area (Intel SDM volume 1, section 13.4).
#[derive(Clone, Debug, PartialEq)]
#[repr(C)]
pub struct Fpu {
    /// x87 control word.
    pub fcw: u16,
    /// x87 status word, TOP in bits 11-13.
    pub fsw: u16,
    /// Abridged tag word: bit n set when physical register n is in use.
    pub ftw: u8,
    /// Last x87 opcode.
    pub fop: u16,
    /// Last x87 instruction pointer.
    pub fip: u64,
    /// Last x87 data pointer.
    pub fdp: u64,
    /// SSE control and status.
    pub mxcsr: u32,
    /// ST(0) ... ST(7): 80-bit values in the low ten bytes.
    pub st: [u128; 8],
    /// Low halves of the vector registers.
    pub xmm: [u128; 16],
    /// High halves of ymm0 ... ymm15.
    pub ymm_hi: [u128; 16],
}

impl Default for Fpu {
    fn default() -> Fpu {
        Fpu {
            fcw: 0x37f,
            fsw: 0,
            ftw: 0,
            fop: 0,
            fip: 0,
            fdp: 0,
            mxcsr: 0x1f80,
            st: [0; 8],
            xmm: [0; 16],
            ymm_hi: [0; 16],
        }
    }
}

impl Default for Regs {
    fn default() -> Regs {
        Regs { gpr: [0; 16], rip: 0, rflags: 0x202, fs_base: 0, gs_base: 0, fpu: Fpu::default() }
    }
}

impl Regs {
    pub(super) fn syscall(&self) -> RawCall {
        let g = &self.gpr;
        RawCall { nr: g[RAX], args: [g[RDI], g[RSI], g[RDX], g[10], g[8], g[9]] }
    }
}
