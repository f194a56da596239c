//! Execution of floating-point instructions, scalar and vector.

use super::Undefined;
use crate::cpu::translate::a64::state::State;

/// Executes a floating-point instruction.
///
/// # Errors
/// The word is not a floating-point instruction; nothing has changed.
pub fn execute(_word: u32, _state: &mut State) -> Result<(), Undefined> {
    Err(Undefined)
}
