//! Exact semantics of every floating-point, AdvSIMD and cryptographic instruction on a [`State`]: what emitted code
//! calls for instructions, values and FPCR modes that it has no inline form for, and the oracle of those it has.
//!
//! An instruction reads and writes only v, x, sp, nzcv and fpsr, and reads fpcr. Loads and stores are not here.

pub mod arith;
pub mod convert;
pub mod crypto;
pub mod estimate;
pub mod flags;
pub mod float;
pub mod fp;
pub mod pointer;
pub mod simd;

use super::state::State;

/// The word is no instruction that this module knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undefined;

/// Executes the instruction `word`; pc does not move.
///
/// # Errors
/// The word is not a floating-point, AdvSIMD or cryptographic data processing instruction; nothing has changed.
pub fn execute(word: u32, state: &mut State) -> Result<(), Undefined> {
    // Scalar floating point has two values of bits 24 to 28 and 30 to itself.
    match (word >> 24) & 0x5e {
        0x1e => fp::execute(word, state),
        _ => simd::execute(word, state).or_else(|Undefined| fp::execute(word, state)),
    }
}

/// Whether it executes a word; all others of this space are UNDEFINED.
pub fn knows(word: u32) -> bool {
    execute(word, &mut State::new()).is_ok()
}
