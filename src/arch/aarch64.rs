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
