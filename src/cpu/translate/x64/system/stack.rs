//! Flags on the stack, frames, and far control flow within the one code segment that programs have.

use iced_x86::{Code, OpKind, Register};

use super::segment::{USER_CS, USER_SS};
use super::{Done, Exit, One, PROTECTION};
use crate::arch::x86_64::{RBP, RSP, is_canonical};

/// Flags that a program can change: CF PF AF ZF SF TF DF OF NT AC ID.
const CHANGEABLE: u64 = 0x24_4dd5;
/// The resume flag, which `pushf` does not show.
const RESUME: u64 = 1 << 16;

impl One<'_> {
    /// The bytes that a push or pop moves.
    fn stack_bytes(&self) -> usize {
        if self.insn.stack_pointer_increment().unsigned_abs() == 2 { 2 } else { 8 }
    }

    fn push_value(&mut self, value: u64, len: usize) -> Done {
        let sp = self.regs.gpr[RSP].wrapping_sub(len as u64);
        self.write(sp, &value.to_le_bytes()[..len])?;
        self.regs.gpr[RSP] = sp;
        Ok(())
    }

    fn pop_value(&mut self, len: usize) -> Result<u64, Exit> {
        let value = self.read_number(self.regs.gpr[RSP], len)?;
        self.regs.gpr[RSP] = self.regs.gpr[RSP].wrapping_add(len as u64);
        Ok(value)
    }

    pub(super) fn push_flags(&mut self) -> Done {
        self.push_value(self.regs.rflags & !RESUME, self.stack_bytes())
    }

    pub(super) fn pop_flags(&mut self) -> Done {
        let len = self.stack_bytes();
        let value = self.pop_value(len)?;
        self.set_flags(value, if len == 2 { CHANGEABLE & 0xffff } else { CHANGEABLE });
        Ok(())
    }

    fn set_flags(&mut self, value: u64, changeable: u64) {
        self.regs.rflags = self.regs.rflags & !changeable & !RESUME | value & changeable;
    }

    pub(super) fn pop(&mut self) -> Done {
        let len = self.stack_bytes();
        let value = self.pop_value(len)?;
        match self.insn.op0_kind() {
            OpKind::Register if self.insn.op0_register().is_segment_register() => {
                self.load_segment(self.insn.op0_register(), value as u16)
            }
            OpKind::Register => {
                self.set_gpr(self.insn.op0_register(), value);
                Ok(())
            }
            // The address is computed with the stack pointer behind the value.
            _ => self.write(self.address(0)?, &value.to_le_bytes()[..len]),
        }
    }

    /// `enter`: pushes the frame pointer and those of the enclosing functions.
    pub(super) fn enter(&mut self) -> Done {
        let len = if self.insn.code() == Code::Enterw_imm16_imm8 { 2 } else { 8 };
        let set_bp = |one: &mut Self, value| one.set_gpr(if len == 2 { Register::BP } else { Register::RBP }, value);
        let level = self.insn.immediate8_2nd() & 31;
        let mut outer = self.regs.gpr[RBP];
        self.push_value(outer, len)?;
        let frame = self.regs.gpr[RSP];
        for _ in 1..level {
            outer = outer.wrapping_sub(len as u64);
            let pointer = self.read_number(outer, len)?;
            self.push_value(pointer, len)?;
        }
        if level > 0 {
            self.push_value(frame, len)?;
        }
        set_bp(self, frame);
        let room = u64::from(self.insn.immediate16());
        self.regs.gpr[RSP] = self.regs.gpr[RSP].wrapping_sub(room);
        Ok(())
    }

    /// `leave` with a 16-bit frame pointer.
    pub(super) fn leave_word(&mut self) -> Done {
        self.regs.gpr[RSP] = self.regs.gpr[RBP];
        let value = self.pop_value(2)?;
        self.set_gpr(Register::BP, value);
        Ok(())
    }

    /// Goes to an address in a code segment.
    fn go(&mut self, selector: u64, target: u64) -> Done {
        if selector as u16 != USER_CS || !is_canonical(target) {
            return Err(PROTECTION);
        }
        self.regs.rip = target;
        Ok(())
    }

    pub(super) fn iret(&mut self) -> Done {
        let [target, selector, flags, sp, stack] =
            [self.pop_value(8)?, self.pop_value(8)?, self.pop_value(8)?, self.pop_value(8)?, self.pop_value(8)?];
        if stack as u16 != USER_SS {
            return Err(PROTECTION);
        }
        self.go(selector, target)?;
        self.set_flags(flags, CHANGEABLE);
        self.regs.gpr[RSP] = sp;
        Ok(())
    }

    pub(super) fn return_far(&mut self) -> Done {
        let len = match self.insn.code() {
            Code::Retfw | Code::Retfw_imm16 => 2,
            Code::Retfd | Code::Retfd_imm16 => 4,
            _ => 8,
        };
        let (target, selector) = (self.pop_value(len)?, self.pop_value(len)?);
        self.go(selector, target)?;
        let more = if self.insn.op_count() == 1 { u64::from(self.insn.immediate16()) } else { 0 };
        self.regs.gpr[RSP] = self.regs.gpr[RSP].wrapping_add(more);
        Ok(())
    }

    /// Bytes, offset and selector of the far pointer that is the first operand.
    fn far_pointer(&self) -> Result<(usize, u64, u64), Exit> {
        let len = match self.insn.code() {
            Code::Jmp_m1616 | Code::Call_m1616 => 2,
            Code::Jmp_m1632 | Code::Call_m1632 => 4,
            _ => 8,
        };
        let addr = self.address(0)?;
        Ok((len, self.read_number(addr, len)?, self.read_number(addr.wrapping_add(len as u64), 2)?))
    }

    pub(super) fn jump_far(&mut self) -> Done {
        let (_, target, selector) = self.far_pointer()?;
        self.go(selector, target)
    }

    pub(super) fn call_far(&mut self) -> Done {
        let next = self.regs.rip;
        let (len, target, selector) = self.far_pointer()?;
        self.go(selector, target)?;
        self.push_value(u64::from(USER_CS), len)?;
        self.push_value(next, len)
    }
}
