//! Bit fields, shifts by registers, and what rearranges the bits of one register.

use super::{W64, host, shiftx};
use crate::cpu::translate::a64::decode::integer::{Bitfield, Unary};
use crate::cpu::translate::a64::decode::{Shift, Width};
use crate::cpu::translate::a64::emitter::Emitter;
use crate::cpu::translate::a64::regs::place;
use crate::cpu::translate::asm::{self, Alu, Count, Gpr, Mem, Rm, Size};

use Gpr::{Rax, Rcx, Rdx};

impl Emitter<'_> {
    pub(super) fn bitfield(&mut self, op: Bitfield, width: Width, rd: u8, rn: u8, immr: u8, imms: u8) {
        if rd == 31 {
            return;
        }
        let (wide, bits) = (host(width), width.bits() as u8);
        if op == Bitfield::Insert {
            return self.bitfield_insert(width, rd, rn, immr, imms);
        }
        let target = self.target(rd, Rax);
        let signed = op == Bitfield::Signed;
        if imms < immr {
            // The field (bits 0 to imms) goes to bit `bits - immr`.
            self.field(width, target, place(rn), bits - 1 - imms, immr - imms - 1, signed);
        } else if let Some(size) = low_part(immr, imms) {
            if signed {
                self.asm.load_sx(size, wide, target, place(rn));
            } else {
                self.asm.load_zx(size, target, place(rn));
            }
        } else {
            self.field(width, target, place(rn), bits - 1 - imms, bits - 1 - imms + immr, signed);
        }
        self.write(rd, target);
        if !signed && imms >= immr {
            self.note_most(rd, u64::MAX >> (63 - (imms - immr)));
        }
    }

    /// `dst = src << left >> right`.
    pub(super) fn field(&mut self, width: Width, dst: Gpr, src: Rm, left: u8, right: u8, signed: bool) {
        let to_right = if signed { Shift::Asr } else { Shift::Lsr };
        match (left, right) {
            (_, 0) => self.shift_by(width, Shift::Lsl, dst, src, left),
            (0, _) => self.shift_by(width, to_right, dst, src, right),
            _ => {
                self.shift_by(width, Shift::Lsl, dst, src, left);
                self.shift_by(width, to_right, dst, Rm::Reg(dst), right);
            }
        }
    }

    pub(super) fn bitfield_insert(&mut self, width: Width, rd: u8, rn: u8, immr: u8, imms: u8) {
        let wide = host(width);
        let all = u64::MAX >> (64 - width.bits());
        let ones = |count: u8| u64::MAX >> (64 - count);
        let mask = if imms >= immr { ones(imms - immr + 1) } else { ones(imms + 1) << (width.bits() as u8 - immr) };
        self.clobber_flags();
        // rax: the field in its place, other bits 0.
        self.asm.mov_imm(Rcx, mask);
        if rn == 31 {
            self.asm.mov_imm(Rax, 0);
        } else if imms < immr {
            let source = self.read(rn, Rax);
            self.asm.pdep(wide, Rax, source, Rcx);
        } else {
            self.shift_by(width, Shift::Lsr, Rax, place(rn), immr);
            if mask != all {
                self.asm.alu(Alu::And, wide, Rax, Rcx);
            }
        }
        self.asm.andn(wide, Rcx, Rcx, place(rd));
        let target = self.target(rd, Rcx);
        self.asm.mov(wide, target, Rm::Reg(Rcx));
        self.asm.alu(Alu::Or, wide, target, Rax);
        self.write(rd, target);
    }

    pub(super) fn extract(&mut self, width: Width, rd: u8, rn: u8, rm: u8, lsb: u8) {
        if rd == 31 {
            return;
        }
        let target = self.target(rd, Rax);
        if lsb == 0 {
            return self.move_reg(width, rd, rm);
        }
        if rn == rm {
            self.asm.rorx(host(width), target, place(rm), lsb);
        } else {
            self.shift_by(width, Shift::Lsr, Rax, place(rm), lsb);
            self.shift_by(width, Shift::Lsl, Rcx, place(rn), width.bits() as u8 - lsb);
            self.asm.lea(host(width), target, Mem::host(Rax, 0).indexed(Rcx, 0));
        }
        self.write(rd, target);
    }

    pub(super) fn shift_reg(&mut self, op: Shift, width: Width, rd: u8, rn: u8, rm: u8) {
        if rd == 31 {
            return;
        }
        let target = self.target(rd, Rax);
        if op == Shift::Ror {
            self.clobber_flags();
            self.asm.mov(W64, Rcx, place(rm));
            self.asm.mov(host(width), Rax, place(rn));
            self.asm.shift_cl(asm::Shift::Ror, host(width), Rax);
            return self.write(rd, Rax);
        }
        let count = self.read(rm, Rcx);
        self.asm.shiftx(shiftx(op), host(width), target, place(rn), count);
        self.write(rd, target);
    }

    pub(super) fn unary(&mut self, op: Unary, width: Width, rd: u8, rn: u8) {
        if rd == 31 {
            return;
        }
        let wide = host(width);
        if !matches!(op, Unary::Rev32 | Unary::Rev64) {
            self.clobber_flags();
        }
        let target = self.target(rd, Rax);
        match op {
            Unary::Clz => self.asm.count(Count::Lzcnt, wide, target, place(rn)),
            Unary::Cls => {
                // Bits that differ from their left neighbour; the sign itself never does.
                self.asm.mov(wide, Rax, place(rn));
                self.shift_by(width, Shift::Asr, Rcx, Rm::Reg(Rax), 1);
                self.asm.alu(Alu::Xor, wide, Rax, Rcx);
                self.asm.count(Count::Lzcnt, wide, Rax, Rax);
                self.asm.lea(wide, target, Mem::host(Rax, -1));
            }
            Unary::Rev64 => {
                self.asm.mov(W64, target, place(rn));
                self.asm.bswap(W64, target);
            }
            Unary::Rev32 => {
                self.asm.mov(wide, target, place(rn));
                self.asm.bswap(wide, target);
                if width == Width::X {
                    self.asm.rorx(W64, target, target, 32);
                }
            }
            Unary::Rev16 => {
                self.asm.mov(wide, Rax, place(rn));
                self.swap_groups(width, 8, 0x00ff_00ff_00ff_00ff);
                self.asm.mov(wide, target, Rm::Reg(Rax));
            }
            Unary::Rbit => {
                self.asm.mov(wide, Rax, place(rn));
                self.asm.bswap(wide, Rax);
                self.swap_groups(width, 4, 0x0f0f_0f0f_0f0f_0f0f);
                self.swap_groups(width, 2, 0x3333_3333_3333_3333);
                self.swap_groups(width, 1, 0x5555_5555_5555_5555);
                self.asm.mov(wide, target, Rm::Reg(Rax));
            }
        }
        self.write(rd, target);
    }

    /// Exchanges neighbouring groups of `bits` bits in rax; `mask` has the lower group of each pair.
    pub(super) fn swap_groups(&mut self, width: Width, bits: u8, mask: u64) {
        let wide = host(width);
        let mask = if width == Width::W { mask & 0xffff_ffff } else { mask };
        self.take_rdx();
        self.asm.mov_imm(Rdx, mask);
        self.asm.mov(wide, Rcx, Rm::Reg(Rax));
        self.asm.shift_imm(asm::Shift::Shr, wide, Rcx, bits);
        self.asm.alu(Alu::And, wide, Rcx, Rdx);
        self.asm.alu(Alu::And, wide, Rax, Rdx);
        self.asm.shift_imm(asm::Shift::Shl, wide, Rax, bits);
        self.asm.alu(Alu::Or, wide, Rax, Rcx);
    }
}

/// A field that begins at bit 0 and is as long as a smaller register.
fn low_part(immr: u8, imms: u8) -> Option<Size> {
    match (immr, imms) {
        (0, 7) => Some(Size::B1),
        (0, 15) => Some(Size::B2),
        (0, 31) => Some(Size::B4),
        _ => None,
    }
}
