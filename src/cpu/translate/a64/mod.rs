//! The aarch64 front end: what it knows of the guest.

mod block;
mod common;
mod constants;
pub mod decode;
pub mod emit;
pub mod emitter;
pub mod features;
pub mod flags;
mod front;
pub mod regs;
pub mod soft;
pub mod state;
mod wanted;

pub use front::A64;

/// Executes one instruction on the state, for emitted code. Words that `soft` does not know are never given to it.
pub(crate) extern "C" fn soft_helper(state: &mut state::State, word: u64) -> u64 {
    state.unpack_flags();
    let done = soft::execute(word as u32, state);
    debug_assert!(done.is_ok());
    state.pack_flags();
    0
}
