//! The x86_64 front end: guest instructions run as they are, as far as they can.
//!
//! Guest registers are in the host registers of the same names while translated code runs, `rsp`, flags, vector registers and
//! the x87 stack included. What cannot be copied is rewritten, without changing any register or flag that the guest does not change:
//! - Memory operands get a `gs` prefix, since the base of `gs` is that of the window. The stack pointer is the guest's, so pushes, pops,
//!   calls and returns are rewritten as moves.
//! - [`state::State`] lies at a fixed distance of the code and is addressed relative to `rip`, so no register is needed for it.
//! - `xmm15` holds the budget; blocks that use the guest's exchange the two (`block.rs`).
//! - Nothing is ever pushed on the guest's stack; signal handlers of this process run on a stack of their own.
//!
//! `out.rs` is what rewriting writes to and how it says what a fault must undo, `rewrite/` rewrites single instructions, `system/` does
//! outside of translated code what cannot be rewritten, `block.rs` makes blocks of them and writes their ends, `common.rs` is the code
//! that all blocks share.

mod block;
mod common;
mod ends;
mod features;
mod flags;
mod front;
pub mod out;
mod rewrite;
pub mod state;
mod system;
mod wanted;
mod x87;

pub use front::X64;
