//! Whether anybody will ask for the flags that a block begins with.

use iced_x86::{FlowControl, Instruction, Mnemonic, OpKind, Register, RflagsBits};

use super::rewrite::classify::{self, Class};

/// The flags that a check of the budget may change.
const ARITHMETIC: u32 =
    RflagsBits::OF | RflagsBits::SF | RflagsBits::ZF | RflagsBits::AF | RflagsBits::CF | RflagsBits::PF;

/// Whether all arithmetic flags are overwritten before one is read or can be seen: before the first jump, and before what may fault.
pub(super) fn dead_before(instructions: &[Instruction]) -> bool {
    let mut live = ARITHMETIC;
    for instruction in instructions {
        if instruction.rflags_read() & live != 0 || may_fault(instruction) {
            return false;
        }
        if !may_keep(instruction) {
            live &= !instruction.rflags_modified();
        }
        if live == 0 {
            return true;
        }
        if instruction.flow_control() != FlowControl::Next {
            return false;
        }
    }
    false
}

/// Whether an exception or an exit may come at the instruction: at all but computations with general registers.
fn may_fault(instruction: &Instruction) -> bool {
    use Mnemonic::*;
    match classify::class(instruction) {
        Class::Nop | Class::Lea => return false,
        Class::Copy | Class::End => {}
        _ => return true,
    }
    let general = |i| match instruction.op_kind(i) {
        OpKind::Register => instruction.op_register(i).is_gpr(),
        OpKind::Memory => false,
        _ => true,
    };
    match instruction.mnemonic() {
        Div | Idiv => true,
        Cbw | Cwde | Cdqe | Cwd | Cdq | Cqo | Clc | Stc | Cmc => false,
        _ => instruction.op_count() == 0 || !(0..instruction.op_count()).all(general),
    }
}

/// Whether the instruction may leave the flags that it sets alone: shifts by nothing, string instructions repeated not even once.
fn may_keep(instruction: &Instruction) -> bool {
    use Mnemonic::*;
    match instruction.mnemonic() {
        Shl | Shr | Sar | Rol | Ror | Rcl | Rcr | Shld | Shrd => {
            let last = instruction.op_count().saturating_sub(1);
            match instruction.op_kind(last) {
                OpKind::Register => instruction.op_register(last) == Register::CL,
                _ => instruction.immediate8() & 31 == 0,
            }
        }
        _ => instruction.has_rep_prefix() || instruction.has_repne_prefix(),
    }
}
