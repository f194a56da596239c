//! Emitters, by class of instructions. See [`super::emitter`] for how to write one.

mod atomic;
pub mod branch;
pub mod fp;
mod fp_convert;
mod fp_flush;
mod fp_half;
mod fp_ops;
mod fp_vector;
pub mod integer;
pub mod memory;
pub mod simd;
mod structure;
pub mod system;

use super::decode::Insn;
use super::emitter::{Emitted, Emitter, Reason};

/// Emits one instruction.
pub fn instruction(e: &mut Emitter<'_>, insn: Insn) -> Emitted {
    match insn {
        Insn::Integer(insn) => integer::emit(e, insn),
        Insn::Memory(insn) => memory::emit(e, insn),
        Insn::Branch(insn) => branch::emit(e, insn),
        Insn::System(insn) => system::emit(e, insn),
        Insn::Vector(word) => match fp::emit(e, word) {
            Emitted::Unhandled => simd::emit(e, word),
            Emitted::Done => Emitted::Done,
        },
        Insn::Undefined => {
            e.end_at(Reason::Illegal);
            Emitted::Done
        }
    }
}
