//! Emission of memory instructions.

use crate::cpu::translate::a64::decode::memory::Insn;
use crate::cpu::translate::a64::emitter::{Emitted, Emitter};

/// Emits one instruction.
pub fn emit(e: &mut Emitter<'_>, insn: Insn) -> Emitted {
    let _ = (e, insn);
    Emitted::Unhandled
}
