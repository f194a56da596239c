//! Inline forms of simd instructions.

use crate::cpu::translate::a64::emitter::{Emitted, Emitter};

/// Emits one instruction.
pub fn emit(e: &mut Emitter<'_>, word: u32) -> Emitted {
    let _ = (e, word);
    Emitted::Unhandled
}
