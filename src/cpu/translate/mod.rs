//! Our own translator for x86_64 hosts: guest blocks become machine code.

pub mod a64;
pub mod asm;
