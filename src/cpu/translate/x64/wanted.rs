//! What memory an instruction wanted, computed again after a general protection fault.

use iced_x86::{Decoder, DecoderOptions, Instruction, OpAccess, OpKind, Register};

use super::state::State;
use crate::cpu::Access;
use crate::cpu::translate::front::Wanted;

/// The instruction in `bytes`, if it is one.
pub(super) fn decode(bytes: &[u8], pc: u64) -> Option<Instruction> {
    let instruction = Decoder::with_ip(64, bytes, pc, DecoderOptions::NONE).decode();
    (!instruction.is_invalid()).then_some(instruction)
}

/// Ranges that the instruction accesses, in the order of its operands.
pub(super) fn wanted(instruction: &Instruction, state: &State) -> Vec<Wanted> {
    let mut info = iced_x86::InstructionInfoFactory::new();
    let info = info.info(instruction);
    let mut all = Vec::new();
    for memory in info.used_memory() {
        let registers = |register: Register, _: usize, _: usize| Some(value(register, state));
        let Some(addr) = memory.virtual_address(0, registers) else { continue };
        let access = match memory.access() {
            OpAccess::None | OpAccess::NoMemAccess => continue,
            OpAccess::Read | OpAccess::CondRead => Access::Read,
            _ => Access::Write,
        };
        all.push(Wanted { addr, len: memory.memory_size().size().max(1) as u64, access });
    }
    all
}

/// A register of an address.
fn value(register: Register, state: &State) -> u64 {
    match register {
        Register::FS => state.fs_base,
        Register::GS => state.gs_base,
        _ if register.is_gpr() => {
            let value = state.gpr[register.full_register().number() & 15];
            match register.size() {
                4 => value & 0xffff_ffff,
                2 => value & 0xffff,
                1 => value & 0xff,
                _ => value,
            }
        }
        _ if register.is_vector_register() => state.ymm[register.number() & 15][0],
        _ => 0,
    }
}

/// Whether the instruction has an operand in memory.
pub(super) fn has_memory(instruction: &Instruction) -> bool {
    (0..instruction.op_count()).any(|i| instruction.op_kind(i) == OpKind::Memory)
}
