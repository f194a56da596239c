//! Products, quotients and CRC-32.

use super::{SIZES, W32, W64, host};
use crate::cpu::translate::a64::decode::Width;
use crate::cpu::translate::a64::decode::integer::AddSub;
use crate::cpu::translate::a64::emitter::Emitter;
use crate::cpu::translate::a64::regs::{pinned, place};
use crate::cpu::translate::asm::{self, Alu, Gpr, Map, Mem, Pp, Rm, Size, Vex, Xmm};

use Gpr::{Rax, Rcx, Rdx};

impl Emitter<'_> {
    pub(super) fn divide(&mut self, signed: bool, width: Width, rd: u8, rn: u8, rm: u8) {
        if rd == 31 {
            return;
        }
        if rn == 31 {
            return self.set_constant(rd, 0);
        }
        self.clobber_flags();
        self.take_rdx();
        let wide = host(width);
        let (special, done) = (self.asm.label(), self.asm.label());
        self.asm.mov(wide, Rcx, place(rm));
        self.asm.mov(wide, Rax, place(rn));
        if signed {
            // 0 and -1: x86 traps on both, the latter with the smallest number.
            self.asm.lea(wide, Rdx, Mem::host(Rcx, 1));
            self.asm.alu_imm(Alu::Cmp, wide, Rdx, 1);
            self.asm.jcc(asm::Cc::Be, special);
            self.asm.sign_to_rdx(wide);
            self.asm.unary(asm::Unary::Idiv, wide, Rcx);
            self.asm.jmp(done);
            self.asm.bind(special);
            // By -1 it is the negation, by 0 it is 0: a multiplication by the divisor.
            self.asm.imul(wide, Rax, Rcx);
        } else {
            self.asm.test(wide, Rcx, Rcx);
            self.asm.jcc(asm::Cc::E, special);
            self.asm.alu(Alu::Xor, W32, Rdx, Rdx);
            self.asm.unary(asm::Unary::Div, wide, Rcx);
            self.asm.jmp(done);
            self.asm.bind(special);
            self.asm.mov_imm(Rax, 0);
        }
        self.asm.bind(done);
        self.write(rd, Rax);
    }

    pub(super) fn multiply(&mut self, op: AddSub, width: Width, rd: u8, rn: u8, rm: u8, ra: u8) {
        if rd == 31 {
            return;
        }
        self.clobber_flags();
        let wide = host(width);
        if let (AddSub::Add, 31, Some(r)) = (op, ra, pinned(rd)) {
            let (first, second) = if rd == rm { (rm, rn) } else { (rn, rm) };
            if place(first) != Rm::Reg(r) {
                self.asm.mov(wide, r, place(first));
            }
            self.asm.imul(wide, r, place(second));
            return self.write(rd, r);
        }
        self.asm.mov(wide, Rax, place(rn));
        self.asm.imul(wide, Rax, place(rm));
        self.accumulate(op, width, rd, ra);
    }

    /// `rd = ra + rax`, or minus.
    pub(super) fn accumulate(&mut self, op: AddSub, width: Width, rd: u8, ra: u8) {
        let wide = host(width);
        match (op, ra) {
            (AddSub::Add, 31) => self.write(rd, Rax),
            (AddSub::Add, _) => {
                let target = self.target(rd, Rax);
                match place(ra) {
                    Rm::Reg(r) => self.asm.lea(wide, target, Mem::host(r, 0).indexed(Rax, 0)),
                    mem => {
                        self.asm.mov(wide, Rcx, mem);
                        self.asm.lea(wide, target, Mem::host(Rcx, 0).indexed(Rax, 0));
                    }
                }
                self.write(rd, target);
            }
            (AddSub::Sub, _) => {
                self.asm.mov(wide, Rcx, place(ra));
                self.asm.alu(Alu::Sub, wide, Rcx, Rax);
                self.write(rd, Rcx);
            }
        }
    }

    pub(super) fn crc32(&mut self, castagnoli: bool, size: u8, rd: u8, rn: u8, rm: u8) {
        if rd == 31 {
            return;
        }
        let bytes = SIZES[usize::from(size)];
        if !castagnoli {
            self.clobber_flags();
        }
        self.asm.mov(W32, Rax, place(rn));
        if castagnoli {
            self.asm.crc32(bytes, Rax, place(rm));
            return self.write(rd, Rax);
        }
        self.crc32_ieee(bytes, rm);
        self.write(rd, Rax);
    }

    /// `eax` = CRC-32 (IEEE 802.3) of `eax` and the low bytes of `rm`.
    ///
    /// With the data at the top of a 64-bit polynomial `a` and the zeros below it harmless, `a` divided by the generator G
    /// leaves `(a * 1/G mod x^64) * G / x^64`; both factors are bit-reflected, as the data is.
    pub(super) fn crc32_ieee(&mut self, size: Size, rm: u8) {
        let bits = 8u8 << (size as u8);
        self.asm.mov(W64, Rcx, place(rm));
        self.asm.alu(Alu::Xor, W64, Rcx, Rax);
        if bits < 64 {
            self.asm.shift_imm(asm::Shift::Shl, W64, Rcx, 64 - bits);
        }
        let (inverse, generator) = (self.constant(u128::from(IEEE_INVERSE)), self.constant(u128::from(IEEE)));
        self.asm.vex2_gpr(VMOVQ_FROM, Xmm(0), Rcx);
        self.asm.vex3i(VPCLMULQDQ, Xmm(0), Xmm(0), inverse, 0);
        self.asm.vex3i(VPCLMULQDQ, Xmm(0), Xmm(0), generator, 0);
        self.asm.vex2i_gpr(VPEXTRQ, Xmm(0), Rcx, 1);
        if bits < 32 {
            self.asm.shift_imm(asm::Shift::Shr, W32, Rax, bits);
            self.asm.alu(Alu::Xor, W32, Rax, Rcx);
        } else {
            self.asm.mov(W32, Rax, Rcx);
        }
    }
}

const VMOVQ_FROM: Vex = Vex::new(Map::M0f, Pp::P66, 0x6e).w1();
const VPCLMULQDQ: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x44);
const VPEXTRQ: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x16).w1();

/// The generator of CRC-32, reflected, its highest term at bit 0.
const IEEE: u64 = 0x1_db71_0641;
/// Its inverse modulo x^64.
const IEEE_INVERSE: u64 = {
    let (mut inverse, mut product, mut i) = (0u64, 0u64, 0);
    while i < 64 {
        // Make bit i of the product that of 1.
        if product >> i & 1 != (i == 0) as u64 {
            inverse |= 1 << i;
            product ^= IEEE << i;
        }
        i += 1;
    }
    inverse
};
