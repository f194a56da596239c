//! Conditional comparisons and selections.

use super::{alu, host};
use crate::cpu::translate::a64::decode::integer::{AddSub, Rhs, Select};
use crate::cpu::translate::a64::decode::{Cond, Width};
use crate::cpu::translate::a64::emitter::Emitter;
use crate::cpu::translate::a64::flags::{self, Style, Test};
use crate::cpu::translate::a64::regs::place;
use crate::cpu::translate::asm::{self, Alu, Gpr, Mem, Rm, Size};

use Gpr::{Rax, Rcx};

impl Emitter<'_> {
    pub(super) fn cond_compare(&mut self, op: AddSub, width: Width, rn: u8, rhs: Rhs, cond: Cond, nzcv: u8) {
        if self.flags_dead() {
            return;
        }
        let (alu, style) = alu(op);
        let wide = host(width);
        let test = self.cond(cond);
        let (unequal, done) = (self.asm.label(), self.asm.label());
        if test != Test::Always {
            self.jump_if(test.opposite(), unequal);
        }
        self.join_skips(cond, nzcv);
        let alu = if alu == Alu::Sub { Alu::Cmp } else { alu };
        match (rhs, alu) {
            (Rhs::Imm(imm), Alu::Cmp) => self.asm.alu_imm(alu, wide, place(rn), i32::from(imm)),
            (Rhs::Imm(imm), _) => {
                self.asm.mov(wide, Rax, place(rn));
                self.asm.alu_imm(alu, wide, Rax, i32::from(imm));
            }
            (Rhs::Reg(rm), Alu::Cmp) => {
                let left = self.read(rn, Rax);
                self.asm.alu(alu, wide, left, place(rm));
            }
            (Rhs::Reg(rm), _) => {
                self.asm.mov(wide, Rax, place(rn));
                self.asm.alu(alu, wide, Rax, place(rm));
            }
        }
        if self.fuses() && test != Test::Always {
            self.skips.push((unequal, nzcv));
            return self.flags_set(style);
        }
        if test != Test::Always {
            self.asm.jmp(done);
        }
        self.asm.bind(unequal);
        if test != Test::Always {
            self.constant_flags(nzcv, style);
        }
        self.asm.bind(done);
        self.flags_set(style);
    }

    /// Ways that skipped comparisons before this one: where its condition holds for their flags they come to it, others
    /// skip it too.
    pub(super) fn join_skips(&mut self, cond: Cond, nzcv: u8) {
        for (label, before) in std::mem::take(&mut self.skips) {
            if flags::holds(cond, before) {
                self.asm.bind(label);
            } else {
                self.skips.push((label, nzcv));
            }
        }
    }

    /// The x86 flags for a constant NZCV.
    pub(super) fn constant_flags(&mut self, nzcv: u8, style: Style) {
        let bit = |n: u8| u64::from(nzcv >> n & 1);
        let carry = if style == Style::Sub { bit(1) ^ 1 } else { bit(1) };
        let ah = bit(3) << 7 | bit(2) << 6 | carry;
        // `add al, 0x7f` overflows if al is 1.
        self.asm.mov_imm(Rax, ah << 8 | bit(0));
        self.asm.add_al(0x7f);
        self.asm.sahf();
    }

    pub(super) fn cond_select(&mut self, op: Select, width: Width, rd: u8, rn: u8, rm: u8, cond: Cond) {
        let wide = host(width);
        let test = self.cond(cond);
        if rd == 31 {
            return;
        }
        // CSET, CSETM.
        if let (31, 31, Test::One(cc), Select::Increment) = (rn, rm, test, op) {
            self.asm.setcc(cc.opposite(), Rax);
            let target = self.target(rd, Rax);
            self.asm.load_zx(Size::B1, target, Rax);
            return self.write(rd, target);
        }
        // The second operand to rax.
        match op {
            Select::Increment if rm == 31 => self.asm.mov_imm(Rax, 1),
            Select::Invert if rm == 31 => self.asm.mov_imm(Rax, if width == Width::X { u64::MAX } else { 0xffff_ffff }),
            _ if rm == 31 => self.asm.mov_imm(Rax, 0),
            Select::Increment => {
                let source = self.read(rm, Rax);
                self.asm.lea(wide, Rax, Mem::host(source, 1));
            }
            Select::Invert | Select::Negate => {
                self.asm.mov(wide, Rax, place(rm));
                self.asm.unary(asm::Unary::Not, wide, Rax);
                if op == Select::Negate {
                    self.asm.lea(wide, Rax, Mem::host(Rax, 1));
                }
            }
            Select::Plain => {
                if let (Rm::Reg(r), Test::One(cc)) = (place(rd), test) {
                    // Conditional moves right into the target.
                    if rd == rn {
                        self.asm.cmov(cc.opposite(), wide, r, place(rm));
                    } else {
                        if rd != rm {
                            self.asm.mov(wide, r, place(rm));
                        }
                        self.asm.cmov(cc, wide, r, place(rn));
                    }
                    return self.write(rd, r);
                }
                self.asm.mov(wide, Rax, place(rm));
            }
        }
        match test {
            Test::Always => self.asm.mov(wide, Rax, place(rn)),
            Test::One(cc) => self.asm.cmov(cc, wide, Rax, place(rn)),
            Test::Or(a, b) => {
                self.asm.cmov(a, wide, Rax, place(rn));
                self.asm.cmov(b, wide, Rax, place(rn));
            }
            Test::And(a, b) => {
                // Neither of the opposites: start from rn and take rax where one holds.
                self.asm.mov(wide, Rcx, place(rn));
                self.asm.cmov(a.opposite(), wide, Rcx, Rax);
                self.asm.cmov(b.opposite(), wide, Rcx, Rax);
                return self.write(rd, Rcx);
            }
        }
        self.write(rd, Rax);
    }
}
