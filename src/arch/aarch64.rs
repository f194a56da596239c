//! AArch64 registers (Arm Architecture Reference Manual, section B1.2).

use super::RawCall;

/// All user-visible registers of an aarch64 thread.
#[derive(Clone, Debug, Default, PartialEq)]
#[repr(C)]
pub struct Regs {
    /// x0 ... x30.
    pub x: [u64; 31],
    /// Stack pointer.
    pub sp: u64,
    /// Program counter.
    pub pc: u64,
    /// Condition flags N, Z, C, V in bits 31 ... 28 (SPSR layout), other bits zero at EL0.
    pub pstate: u64,
    /// `tpidr_el0`, the thread pointer.
    pub tpidr: u64,
    /// v0 ... v31.
    pub v: [u128; 32],
    /// Floating-point control.
    pub fpcr: u32,
    /// Floating-point status.
    pub fpsr: u32,
}

impl Regs {
    pub(super) fn syscall(&self) -> RawCall {
        let x = &self.x;
        RawCall { nr: x[8], args: [x[0], x[1], x[2], x[3], x[4], x[5]] }
    }
}

/// Bits of AT_HWCAP (arch/arm64/include/uapi/asm/hwcap.h) for what CPU backends offer.
#[expect(missing_docs, reason = "the names are the kernel's")]
pub mod hwcap {
    pub const FP: u64 = 1 << 0;
    pub const ASIMD: u64 = 1 << 1;
    pub const AES: u64 = 1 << 3;
    pub const PMULL: u64 = 1 << 4;
    pub const SHA1: u64 = 1 << 5;
    pub const SHA2: u64 = 1 << 6;
    pub const CRC32: u64 = 1 << 7;
    pub const ATOMICS: u64 = 1 << 8;
    pub const FPHP: u64 = 1 << 9;
    pub const ASIMDHP: u64 = 1 << 10;
    pub const CPUID: u64 = 1 << 11;
    pub const ASIMDRDM: u64 = 1 << 12;
    pub const JSCVT: u64 = 1 << 13;
    pub const FCMA: u64 = 1 << 14;
    pub const LRCPC: u64 = 1 << 15;
    pub const DCPOP: u64 = 1 << 16;
    pub const SHA3: u64 = 1 << 17;
    pub const SM3: u64 = 1 << 18;
    pub const SM4: u64 = 1 << 19;
    pub const ASIMDDP: u64 = 1 << 20;
    pub const SHA512: u64 = 1 << 21;
    pub const ASIMDFHM: u64 = 1 << 23;
    pub const USCAT: u64 = 1 << 25;
    pub const ILRCPC: u64 = 1 << 26;
    pub const FLAGM: u64 = 1 << 27;
    pub const SB: u64 = 1 << 29;
    pub const PACA: u64 = 1 << 30;
    pub const PACG: u64 = 1 << 31;
    /// AT_HWCAP2.
    pub mod two {
        pub const DCPODP: u64 = 1 << 0;
        pub const FLAGM2: u64 = 1 << 7;
        pub const FRINT: u64 = 1 << 8;
        pub const I8MM: u64 = 1 << 13;
        pub const BF16: u64 = 1 << 14;
    }
}
