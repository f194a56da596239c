//! sevm: a syscall-emulation virtual machine.
//!
//! Runs Linux ELF programs built for aarch64 and x86_64 without a guest kernel: a CPU backend ([`cpu`]) executes
//! user-mode instructions, every system call instruction stops it, and a Linux kernel written in Rust ([`kernel`])
//! answers the call through one table ([`syscalls`]). [`machine`] holds the loop that ties them together.
//!
//! # Running a program
//!
//! [`vm::Vm`] is the front door. Here an aarch64 program of eight instructions runs, which is made on the spot; its output
//! is kept, and the instructions are counted:
//!
//! ```
//! use sevm::kernel::ExitStatus;
//! use sevm::vm::Vm;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // write(1, "hello\n", 6); exit(7)
//! let code: [u32; 8] =
//!     [0xd280_0808, 0xd280_0020, 0x1000_00c1, 0xd280_00c2, 0xd400_0001, 0xd280_0ba8, 0xd280_00e0, 0xd400_0001];
//! # let mut elf = vec![0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 183, 0, 1, 0, 0, 0];
//! # let word = |elf: &mut Vec<u8>, v: u64| elf.extend(v.to_le_bytes());
//! # for v in [0x40_0078, 64, 0] { word(&mut elf, v); } // entry, program headers, section headers
//! # elf.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0]);
//! # elf.extend([1, 0, 0, 0, 5, 0, 0, 0]); // PT_LOAD, readable and executable
//! # for v in [0, 0x40_0000, 0x40_0000, 158, 158, 0x1000] { word(&mut elf, v); }
//! # elf.extend(code.iter().flat_map(|w| w.to_le_bytes()));
//! # elf.extend(b"hello\n");
//! # let dir = tempfile::tempdir()?;
//! # let path = dir.path().join("hello");
//! # std::fs::write(&path, elf)?;
//! # use std::os::unix::fs::PermissionsExt;
//! # std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
//! // ... with an ELF header before it, in the file `path` ...
//! let finished = Vm::builder(&path).deterministic(0).capture().build()?.run()?;
//!
//! assert_eq!(finished.stdout, b"hello\n");
//! assert_eq!(finished.status, ExitStatus::Code(7));
//! assert_eq!(finished.stats.instructions["aarch64"], 8);
//! # Ok(())
//! # }
//! ```
//!
//! [`vm::Builder`] also takes another [`host`], observers ([`trace::Sink`]) and limits ([`kernel::Limits`]); the programs
//! in `examples/` show them.

#![deny(unsafe_code)]

pub mod abi;
pub mod arch;
pub mod cli;
pub mod cpu;
mod error;
#[doc(hidden)]
pub mod fuzz;
pub mod host;
pub mod inject;
pub mod kernel;
pub mod loader;
pub mod machine;
pub mod mem;
pub mod report;
pub mod symbols;
pub mod syscalls;
pub mod trace;
pub mod vm;

pub use error::Error;
