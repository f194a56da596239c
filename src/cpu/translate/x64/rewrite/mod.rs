//! Rewrites single instructions that do not end a block.

use iced_x86::Instruction;

use super::out::{Out, Rewritten};
use crate::cpu::translate::front::Reason;

/// Emits an instruction: `bytes` are its own. Control flow (what ends blocks: branches, calls, returns, `loop`, `syscall`, `int`) never comes
/// here.
///
/// # Errors
/// What is wrong with the rewriting itself.
pub(super) fn rewrite(out: &mut Out<'_>, instruction: &Instruction, bytes: &[u8]) -> Result<Rewritten, String> {
    if instruction.is_invalid() {
        return Ok(Rewritten::Leave(Reason::Illegal));
    }
    let memory = (0..instruction.op_count()).any(|i| instruction.op_kind(i) == iced_x86::OpKind::Memory);
    let stack = instruction.stack_pointer_increment() != 0;
    if stack || instruction.is_string_instruction() || memory && instruction.memory_base() == iced_x86::Register::RIP {
        return Ok(Rewritten::Leave(Reason::Fallback));
    }
    if memory {
        out.bytes(&[0x65]);
    }
    out.bytes(bytes);
    Ok(Rewritten::Next)
}
