//! Emission of system instructions.

use crate::cpu::translate::a64::decode::system::Insn;
use crate::cpu::translate::a64::emitter::{Emitted, Emitter};

/// Emits one instruction.
pub fn emit(e: &mut Emitter<'_>, insn: Insn) -> Emitted {
    let _ = (e, insn);
    Emitted::Unhandled
}
