//! sevm: a syscall-emulation virtual machine.
//!
//! Runs Linux ELF programs built for aarch64 and x86_64 without a guest kernel: a CPU backend ([`cpu`]) executes
//! user-mode instructions, every system call instruction stops it, and a Linux kernel written in Rust ([`kernel`])
//! answers the call through one table ([`syscalls`]). [`machine`] holds the loop that ties them together.

#![deny(unsafe_code)]

pub mod abi;
pub mod arch;
pub mod cli;
pub mod cpu;
mod error;
#[doc(hidden)]
pub mod fuzz;
pub mod host;
pub mod kernel;
pub mod loader;
pub mod machine;
pub mod mem;
pub mod report;
pub mod syscalls;
pub mod trace;

pub use error::Error;
