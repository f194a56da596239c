//! Stack instructions. `rsp` is the guest's, so what they do with memory is written out: first the access, which may fault, then
//! what changes registers.

use iced_x86::{Code, OpKind};

use super::encoding::{In, OpSize, Operand, emit_op};
use super::{One, RBP, RSP, opcode};

/// `[rsp + disp]`.
fn at_stack(disp: i32) -> Operand {
    Operand { disp, ..Operand::base(RSP) }
}

impl One<'_, '_> {
    /// The size of what a `push` or `pop` moves.
    fn stack_size(&self) -> OpSize {
        OpSize::of_bytes(self.insn.stack_pointer_increment().unsigned_abs() as usize)
    }

    fn move_stack(&mut self, bytes: i32) {
        emit_op(self.out.asm, In::Host, OpSize::Qword, opcode::LEA, RSP, at_stack(bytes));
    }

    pub(super) fn push(&mut self) -> Option<()> {
        match self.insn.op0_kind() {
            OpKind::Register => self.push_register(),
            OpKind::Memory => self.push_memory(),
            _ => self.push_constant(self.insn.immediate(0) as i32),
        }
    }

    fn push_register(&mut self) -> Option<()> {
        let size = self.stack_size();
        let register = self.insn.op0_register().number() as u8;
        emit_op(self.out.asm, In::Guest, size, opcode::STORE, register, at_stack(-size.bytes()));
        self.move_stack(-size.bytes());
        Some(())
    }

    /// Pushes a constant, which is sign-extended.
    pub(super) fn push_constant(&mut self, value: i32) -> Option<()> {
        let size = self.stack_size();
        emit_op(self.out.asm, In::Guest, size, opcode::STORE_IMMEDIATE, 0, at_stack(-size.bytes()));
        let bytes = value.to_le_bytes();
        self.out.asm.bytes(if size == OpSize::Word { &bytes[..2] } else { &bytes });
        self.move_stack(-size.bytes());
        Some(())
    }

    fn push_memory(&mut self) -> Option<()> {
        let size = self.stack_size();
        let operand = self.operand(None)?;
        let value = match self.aside {
            Some(register) => register,
            None => self.spill_unused()?,
        };
        emit_op(self.out.asm, In::Guest, size, opcode::LOAD, value, operand);
        emit_op(self.out.asm, In::Guest, size, opcode::STORE, value, at_stack(-size.bytes()));
        self.restore();
        self.move_stack(-size.bytes());
        Some(())
    }

    pub(super) fn pop(&mut self) -> Option<()> {
        if self.insn.op0_kind() != OpKind::Register {
            return None;
        }
        let size = self.stack_size();
        let register = self.insn.op0_register().number() as u8;
        if register == RSP && size == OpSize::Word {
            return None;
        }
        emit_op(self.out.asm, In::Guest, size, opcode::LOAD, register, at_stack(0));
        if register != RSP {
            self.move_stack(size.bytes());
        }
        Some(())
    }

    /// `enter` without nesting: the only form that compilers use.
    pub(super) fn enter(&mut self) -> Option<()> {
        const LEVELS: u8 = 31;
        let level = self.insn.immediate8_2nd() & LEVELS;
        if level != 0 || self.insn.code() != Code::Enterq_imm16_imm8 {
            return None;
        }
        emit_op(self.out.asm, In::Guest, OpSize::Qword, opcode::STORE, RBP, at_stack(-8));
        emit_op(self.out.asm, In::Host, OpSize::Qword, opcode::LEA, RBP, at_stack(-8));
        let room = -i32::from(self.insn.immediate16());
        let top = Operand { disp: room, ..Operand::base(RBP) };
        emit_op(self.out.asm, In::Host, OpSize::Qword, opcode::LEA, RSP, top);
        Some(())
    }

    pub(super) fn leave(&mut self) -> Option<()> {
        if self.insn.code() != Code::Leaveq {
            return None;
        }
        // The new rbp comes to rsp, the new rsp to rbp: only the load can fault, and changes nothing then.
        emit_op(self.out.asm, In::Guest, OpSize::Qword, opcode::LOAD, RSP, Operand::base(RBP));
        let above = Operand { disp: 8, ..Operand::base(RBP) };
        emit_op(self.out.asm, In::Host, OpSize::Qword, opcode::LEA, RBP, above);
        self.out.asm.bytes(&[0x48, opcode::XCHG, 0xc0 | RSP << 3 | RBP]);
        Some(())
    }
}
