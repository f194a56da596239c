//! The instructions that end blocks: control flow.

use iced_x86::{Code, Instruction, OpKind};

use super::block::Block;
use super::common::{GPRS, JUMP_ENTRY, JUMP_TAG, JUMP_TARGET, emit_jump};
use super::out::Note;
use super::rewrite;
use crate::cpu::translate::asm::{Gpr, Mem, Size, Width};
use crate::cpu::translate::front::Reason;

/// Whether the instruction itself is charged with its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charge {
    Counted,
    /// It has not retired when the block is left.
    NotCounted,
}

/// Emits the end of a block.
///
/// # Errors
/// What is wrong with the rewriting itself.
pub(super) fn emit(block: &mut Block<'_>, instruction: &Instruction, bytes: &[u8]) -> Result<Charge, String> {
    use Code::*;
    let next = instruction.next_ip();
    match instruction.code() {
        Jmp_rel8_64 | Jmp_rel32_64 => block.jump(instruction.near_branch_target()),
        _ if is_fork(instruction) => {
            block.jump_if(condition(instruction, bytes), instruction.near_branch_target());
            block.jump(next);
        }
        _ if (instruction.is_loop() || instruction.is_loopcc() || instruction.is_jcx_short())
            && instruction.op0_kind() == OpKind::NearBranch64 =>
        {
            // As it is, over a jump to the next instruction.
            let (_, rest) = bytes.split_last().ok_or("an instruction without bytes")?;
            block.out.bytes(rest);
            block.out.bytes(&[5]);
            block.jump(next);
            block.jump(instruction.near_branch_target());
        }
        Call_rel32_64 => {
            push_constant(block, next, Note::NONE);
            block.jump(instruction.near_branch_target());
        }
        Jmp_rm64 | Call_rm64 => indirect(block, instruction),
        Retnq | Retnq_imm16 => ret(block, instruction),
        Syscall => block.leave(Reason::Syscall, next),
        _ => return Ok(refuse(block, instruction)),
    }
    Ok(Charge::Counted)
}

/// Whether the instruction is a conditional jump by flags, behind which a block can go on.
pub(super) fn is_fork(instruction: &Instruction) -> bool {
    instruction.is_jcc_short_or_near() && instruction.op0_kind() == OpKind::NearBranch64
}

/// Its condition, the low bits of which stand in the opcode, before a distance of one or four bytes.
pub(super) fn condition(instruction: &Instruction, bytes: &[u8]) -> u8 {
    bytes.iter().rev().nth(if instruction.is_jcc_short() { 1 } else { 4 }).copied().unwrap_or(0)
}

/// Leaves at the instruction.
fn refuse(block: &mut Block<'_>, instruction: &Instruction) -> Charge {
    use Code::*;
    let reason = match instruction.code() {
        // There is one segment to go to: the one that the program is in.
        Iretw | Iretd | Iretq | Retfw | Retfd | Retfq | Retfw_imm16 | Retfd_imm16 | Retfq_imm16 => Reason::Help,
        Call_m1616 | Call_m1632 | Call_m1664 | Jmp_m1616 | Jmp_m1632 | Jmp_m1664 => Reason::Help,
        // Other gates are closed to user mode.
        Sysretd | Sysretq | Sysexitd | Sysexitq => Reason::Protection,
        Int3 => Reason::Breakpoint,
        Int_imm8 if instruction.immediate8() == 3 => Reason::Breakpoint,
        Int_imm8 => Reason::Protection,
        Ud0 | Ud0_r16_rm16 | Ud0_r32_rm32 | Ud0_r64_rm64 | Ud1_r16_rm16 | Ud1_r32_rm32 | Ud1_r64_rm64 | Ud2 => {
            Reason::Illegal
        }
        // Transactions, virtual machines, `sysenter`: CPUID does not show them.
        _ if !is_near(instruction) => Reason::Illegal,
        _ => Reason::Fallback,
    };
    block.leave(reason, instruction.ip());
    Charge::NotCounted
}

/// Near control flow with an operand size that compilers do not use.
fn is_near(instruction: &Instruction) -> bool {
    use iced_x86::FlowControl::*;
    let flow = matches!(
        instruction.flow_control(),
        UnconditionalBranch | IndirectBranch | ConditionalBranch | Return | Call | IndirectCall
    );
    flow && !matches!(
        instruction.code(),
        Code::Sysenter | Code::Vmcall | Code::Vmlaunch | Code::Vmresume | Code::Vmmcall
    )
}

/// Puts the registers of an indirect jump aside.
fn put_aside(block: &mut Block<'_>) -> Note {
    let mut note = Note::NONE;
    for (reg, slot) in [JUMP_TARGET, JUMP_TAG, JUMP_ENTRY] {
        block.out.spill(reg, slot);
        note = note.aside(reg, slot);
    }
    note
}

/// Pushes a constant on the guest's stack. `note` is what a fault must undo besides.
fn push_constant(block: &mut Block<'_>, value: u64, note: Note) {
    let place = Mem::guest(Gpr::Rsp, -8);
    block.out.note(note);
    match i32::try_from(value as i64) {
        Ok(short) => block.out.asm.store_imm(Width::W64, place, short),
        Err(_) => {
            let (reg, slot) = JUMP_ENTRY;
            let already = note != Note::NONE;
            if !already {
                block.out.spill(reg, slot);
            }
            block.out.asm.mov_imm(reg, value);
            block.out.note(if already { note } else { note.aside(reg, slot) });
            block.out.asm.store(Size::B8, place, reg);
            if !already {
                block.out.reload(reg, slot);
            }
        }
    }
    block.out.asm.lea(Width::W64, Gpr::Rsp, Mem::host(Gpr::Rsp, -8));
}

/// `jmp` and `call` through a register or memory.
fn indirect(block: &mut Block<'_>, instruction: &Instruction) {
    let note = put_aside(block);
    block.out.note(note);
    match instruction.op0_kind() {
        OpKind::Register => {
            let from = GPRS[instruction.op0_register().number() & 15];
            block.out.asm.mov(Width::W64, JUMP_TARGET.0, from);
        }
        _ => {
            rewrite::load(&mut block.out, instruction, JUMP_TARGET.0);
        }
    }
    if instruction.code() == Code::Call_rm64 {
        push_constant(block, instruction.next_ip(), note);
    }
    emit_jump(block.out.asm, block.thunks);
}

/// `ret`, and the form that takes arguments off the stack.
fn ret(block: &mut Block<'_>, instruction: &Instruction) {
    let more = if instruction.code() == Code::Retnq_imm16 { i32::from(instruction.immediate16()) } else { 0 };
    put_aside(block);
    block.out.asm.mov(Width::W64, JUMP_TARGET.0, Mem::guest(Gpr::Rsp, 0));
    block.out.asm.lea(Width::W64, Gpr::Rsp, Mem::host(Gpr::Rsp, 8 + more));
    emit_jump(block.out.asm, block.thunks);
}
