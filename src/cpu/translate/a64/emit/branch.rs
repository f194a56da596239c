//! Branches and exceptions.

use super::integer::{host, or_sp};
use super::system;
use crate::cpu::translate::a64::decode::Width;
use crate::cpu::translate::a64::decode::branch::{Insn, Link, When};
use crate::cpu::translate::a64::emitter::{Emitted, Emitter, Reason};
use crate::cpu::translate::a64::flags::Test;
use crate::cpu::translate::a64::regs::place;
use crate::cpu::translate::asm::{self, Alu, Cc, Gpr, Mem, Rm};

/// Emits one instruction.
pub fn emit(e: &mut Emitter<'_>, insn: Insn) -> Emitted {
    let target = |offset: i64| e.pc().wrapping_add_signed(offset);
    match insn {
        Insn::Jump { link, offset } => {
            let target = target(offset);
            if link {
                e.set_constant(30, e.pc().wrapping_add(4));
            }
            e.end_jump(target);
        }
        Insn::Conditional { cond, offset } => {
            let target = target(offset);
            e.end_if(cond, target);
        }
        Insn::Compare { when, width, rt, offset } => {
            let target = target(offset);
            e.compare_and_branch(when, width, rt, target);
        }
        Insn::Test { when, rt, bit, offset } => {
            let target = target(offset);
            e.test_and_branch(when, rt, bit, target);
        }
        Insn::Indirect { link, rn, auth } => {
            e.settle();
            match auth {
                Some(auth) => system::authenticated(e, auth.key, rn, auth.modifier.map(or_sp)),
                None => e.copy(rn, Gpr::Rax),
            }
            if link == Link::X30 {
                e.asm.mov_imm(Gpr::Rcx, e.pc().wrapping_add(4));
                e.write(30, Gpr::Rcx);
            }
            e.end_indirect();
        }
        Insn::Supervisor => e.end_after(Reason::Syscall),
        Insn::Breakpoint => e.end_at(Reason::Breakpoint),
    }
    Emitted::Done
}

impl Emitter<'_> {
    fn compare_and_branch(&mut self, when: When, width: Width, rt: u8, target: u64) {
        if rt == 31 {
            return match when {
                When::Zero => self.end_jump(target),
                When::NotZero => self.end_jump(self.pc().wrapping_add(4)),
            };
        }
        self.clobber_flags();
        match place(rt) {
            Rm::Reg(r) => self.asm.test(host(width), r, r),
            mem => self.asm.alu_imm(Alu::Cmp, host(width), mem, 0),
        }
        self.end_branch(Test::One(zero(when)), target);
    }

    fn test_and_branch(&mut self, when: When, rt: u8, bit: u8, target: u64) {
        self.clobber_flags();
        let half = asm::Width::W32;
        match place(rt) {
            _ if bit < 32 => self.asm.test_imm(half, place(rt), 1i32 << bit),
            Rm::Mem(m) => self.asm.test_imm(half, Mem { disp: m.disp + 4, ..m }, 1i32 << (bit - 32)),
            Rm::Reg(r) => {
                self.asm.bt_imm(asm::Width::W64, r, bit);
                let cc = if when == When::Zero { Cc::Ae } else { Cc::B };
                return self.end_branch(Test::One(cc), target);
            }
        }
        self.end_branch(Test::One(zero(when)), target);
    }
}

fn zero(when: When) -> Cc {
    match when {
        When::Zero => Cc::E,
        When::NotZero => Cc::Ne,
    }
}
