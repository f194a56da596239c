//! Data processing with immediates and with registers.

mod bits;
mod condition;
mod multiply;

use crate::cpu::translate::a64::decode::integer::{AddSub, Flags, Insn, Logic, MoveWide};
use crate::cpu::translate::a64::decode::{Extend, Reg, Shift, Width};
use crate::cpu::translate::a64::emitter::{Emitted, Emitter, Inverted};
use crate::cpu::translate::a64::flags::Style;
use crate::cpu::translate::a64::regs::{SP, place};
use crate::cpu::translate::asm::{self, Alu, Gpr, Mem, Rm, ShiftX, Size};

use Gpr::{Rax, Rcx, Rdx};

/// The register number for [`place`] of a field where 31 is SP.
pub(super) fn or_sp(reg: Reg) -> u8 {
    if reg == 31 { SP } else { reg }
}

/// The assembler's name of a width.
pub(super) fn host(width: Width) -> asm::Width {
    match width {
        Width::W => asm::Width::W32,
        Width::X => asm::Width::W64,
    }
}

const W64: asm::Width = asm::Width::W64;
const W32: asm::Width = asm::Width::W32;

/// Emits one instruction.
pub fn emit(e: &mut Emitter<'_>, insn: Insn) -> Emitted {
    e.integer(insn);
    Emitted::Done
}
/// `rm` may be both a source and overwritten by a first move to the target.
fn is(rm: Rm, reg: Gpr) -> bool {
    match rm {
        Rm::Reg(r) => r == reg,
        Rm::Mem(m) => m.base == reg || m.index.is_some_and(|(i, _)| i == reg),
    }
}

impl Emitter<'_> {
    fn integer(&mut self, insn: Insn) {
        match insn {
            Insn::AddSubImm { op, flags: Flags::Keep, width, rd, rn, imm } => {
                let imm = if op == AddSub::Add { imm as i32 } else { -(imm as i32) };
                match self.noted_constant(or_sp(rn)) {
                    // The second half of `adrp; add`.
                    Some(base) if width == Width::X => {
                        let value = base.wrapping_add_signed(i64::from(imm));
                        self.set_constant(or_sp(rd), value);
                        self.note_constant(or_sp(rd), value);
                    }
                    _ => self.add_imm(width, or_sp(rd), or_sp(rn), imm),
                }
            }
            Insn::AddSubImm { op, flags: Flags::Set, width, rd, rn, imm } => {
                self.add_sub_imm(op, width, rd, or_sp(rn), imm)
            }
            Insn::AddSubShift { op, flags, width, rd, rn, rm, shift, amount } => {
                if flags == Flags::Keep && op == AddSub::Add && shift == Shift::Lsl && amount <= 3 {
                    return self.add_scaled(width, rd, rn, rm, amount);
                }
                self.begin_flags(flags);
                let rhs = self.shifted(width, rm, shift, amount, Rcx);
                self.add_sub(op, flags, width, rd, rn, rhs);
            }
            Insn::AddSubExtend { op, flags, width, rd, rn, rm, extend, amount } => {
                let rd = if flags == Flags::Keep { or_sp(rd) } else { rd };
                if flags == Flags::Keep && op == AddSub::Add && amount <= 3 {
                    return self.add_extended(width, rd, or_sp(rn), rm, extend, amount);
                }
                self.begin_flags(flags);
                let rhs = self.extended_rhs(width, rm, extend, amount, Rcx);
                self.add_sub(op, flags, width, rd, or_sp(rn), rhs);
            }
            Insn::AddSubCarry { op, flags, width, rd, rn, rm } => self.add_sub_carry(op, flags, width, rd, rn, rm),
            Insn::LogicImm { op, width, rd, rn, imm } => self.logic_imm(op, width, rd, rn, imm),
            Insn::LogicShift { op, invert, width, rd, rn, rm, shift, amount } => {
                if op == Logic::Orr && rn == 31 && !invert && amount == 0 {
                    return self.move_reg(width, rd, rm);
                }
                self.begin_flags(if op == Logic::Ands { Flags::Set } else { Flags::Keep });
                if op != Logic::Ands && (op != Logic::Orr || rn != 31) {
                    self.clobber_flags();
                }
                let mut rhs = self.shifted(width, rm, shift, amount, Rcx);
                if invert {
                    self.asm.mov(host(width), Rcx, rhs);
                    self.asm.unary(asm::Unary::Not, host(width), Rcx);
                    rhs = Rm::Reg(Rcx);
                }
                self.logic(op, width, rd, rn, rhs);
            }
            Insn::MoveWide { op, width, rd, imm, shift } => self.move_wide(op, width, rd, imm, shift),
            Insn::Adr { rd, page, offset } => {
                let base = if page { self.pc() & !0xfff } else { self.pc() };
                let value = base.wrapping_add_signed(offset);
                self.set_constant(rd, value);
                self.note_constant(rd, value);
            }
            Insn::Bitfield { op, width, rd, rn, immr, imms } => self.bitfield(op, width, rd, rn, immr, imms),
            Insn::Extract { width, rd, rn, rm, lsb } => self.extract(width, rd, rn, rm, lsb),
            Insn::CondCompare { op, width, rn, rhs, cond, nzcv } => self.cond_compare(op, width, rn, rhs, cond, nzcv),
            Insn::CondSelect { op, width, rd, rn, rm, cond } => self.cond_select(op, width, rd, rn, rm, cond),
            Insn::ShiftReg { op, width, rd, rn, rm } => self.shift_reg(op, width, rd, rn, rm),
            Insn::Divide { signed, width, rd, rn, rm } => self.divide(signed, width, rd, rn, rm),
            Insn::Multiply { op, width, rd, rn, rm, ra } => self.multiply(op, width, rd, rn, rm, ra),
            Insn::MultiplyLong { op, signed, rd, rn, rm, ra } => {
                self.clobber_flags();
                for (scratch, reg) in [(Rax, rn), (Rcx, rm)] {
                    match signed {
                        true => self.asm.load_sx(Size::B4, W64, scratch, place(reg)),
                        false => self.asm.load_zx(Size::B4, scratch, place(reg)),
                    }
                }
                self.asm.imul(W64, Rax, Rcx);
                self.accumulate(op, Width::X, rd, ra);
            }
            Insn::MultiplyHigh { signed, rd, rn, rm } => {
                self.clobber_flags();
                self.take_rdx();
                self.asm.mov(W64, Rax, place(rn));
                self.asm.unary(if signed { asm::Unary::Imul } else { asm::Unary::Mul }, W64, place(rm));
                self.write(rd, Rdx);
            }
            Insn::Crc32 { castagnoli, size, rd, rn, rm } => self.crc32(castagnoli, size, rd, rn, rm),
            Insn::Unary { op, width, rd, rn } => self.unary(op, width, rd, rn),
            Insn::Auth { op, key, rd, rn } => super::system::authenticate(self, op, key, rd, rn.map(or_sp)),
            Insn::Strip { rd, .. } => super::system::strip(self, rd),
            Insn::GenericCode { rd, rn, rm } => super::system::generic_code(self, rd, rn, or_sp(rm)),
            Insn::RotateFlags { .. } | Insn::SetFlags { .. } => super::system::flag_helper(self),
        }
    }

    /// Gives a guest register a constant.
    pub(super) fn set_constant(&mut self, reg: u8, value: u64) {
        match (place(reg), i32::try_from(value as i64)) {
            _ if reg == 31 => {}
            (Rm::Reg(r), _) => {
                self.asm.mov_imm(r, value);
                self.write(reg, r);
            }
            (Rm::Mem(m), Ok(small)) => {
                self.asm.store_imm(W64, m, small);
                self.written(reg);
            }
            (Rm::Mem(_), Err(_)) => {
                self.asm.mov_imm(Rax, value);
                self.write(reg, Rax);
            }
        }
        self.note_address(reg, value);
    }

    /// Whether the x86 flags are NZCV and code that leaves them alone is better.
    fn keeps_flags(&self) -> bool {
        self.flags_at().live.is_some()
    }

    /// If all of NZCV will be set, what it was need not be kept.
    fn begin_flags(&mut self, flags: Flags) {
        if flags == Flags::Set {
            self.flags_stored();
        }
    }

    fn move_reg(&mut self, width: Width, rd: u8, rn: u8) {
        if rd == 31 {
            return;
        }
        let place_before = if width == Width::X { self.place_of(rn) } else { None };
        if rn == 31 {
            return self.set_constant(rd, 0);
        }
        let target = self.target(rd, Rax);
        match (width, place(rn)) {
            (Width::X, Rm::Reg(r)) => self.write(rd, r),
            (_, rm) => {
                self.asm.mov(host(width), target, rm);
                self.write(rd, target);
            }
        }
        self.note_sum(rd, place_before, 0);
    }

    /// `rd = rn + imm`; no flags.
    pub(super) fn add_imm(&mut self, width: Width, rd: u8, rn: u8, imm: i32) {
        if imm == 0 {
            return self.move_reg(width, rd, rn);
        }
        if rd == 31 {
            return;
        }
        if width == Width::X && rd == rn {
            return self.add_to_base(rd, i64::from(imm));
        }
        let before = if width == Width::X { self.place_of(rn) } else { None };
        let base = self.read(rn, Rax);
        let target = self.target(rd, Rax);
        self.asm.lea(host(width), target, Mem::host(base, imm));
        self.write(rd, target);
        self.note_sum(rd, before, i64::from(imm));
    }

    fn add_scaled(&mut self, width: Width, rd: u8, rn: u8, rm: u8, scale: u8) {
        if rd == 31 {
            return;
        }
        if rn == 31 && scale == 0 {
            return self.move_reg(width, rd, rm);
        }
        let base = self.read(rn, Rax);
        let index = self.read(rm, Rcx);
        let target = self.target(rd, Rax);
        self.asm.lea(host(width), target, Mem::host(base, 0).indexed(index, scale));
        self.write(rd, target);
    }

    fn add_extended(&mut self, width: Width, rd: u8, rn: u8, rm: u8, extend: Extend, amount: u8) {
        self.extend_to(width, rm, extend, Rcx);
        let base = self.read(rn, Rax);
        let target = self.target(rd, Rax);
        self.asm.lea(host(width), target, Mem::host(base, 0).indexed(Rcx, amount));
        self.write(rd, target);
    }

    /// The shifted operand: in place where there is no shift, else in `scratch`.
    fn shifted(&mut self, width: Width, rm: u8, shift: Shift, amount: u8, scratch: Gpr) -> Rm {
        if amount == 0 {
            return place(rm);
        }
        let wide = host(width);
        if shift == Shift::Ror {
            self.asm.rorx(wide, scratch, place(rm), amount);
        } else {
            self.shift_by(width, shift, scratch, place(rm), amount);
        }
        Rm::Reg(scratch)
    }

    /// `dst = src shifted by a constant`, not a rotation; leaves flags alone if they are in use.
    fn shift_by(&mut self, width: Width, shift: Shift, dst: Gpr, src: Rm, amount: u8) {
        let wide = host(width);
        if self.keeps_flags() && amount != 0 {
            if let (Shift::Lsl, 1, Rm::Reg(r)) = (shift, amount, src) {
                return self.asm.lea(wide, dst, Mem::host(r, 0).indexed(r, 0));
            }
            let count = self.take_rdx();
            self.asm.mov_imm(count, u64::from(amount));
            return self.asm.shiftx(shiftx(shift), wide, dst, src, count);
        }
        if amount == 0 || src != Rm::Reg(dst) {
            self.asm.mov(wide, dst, src);
        }
        if amount != 0 {
            let op = match shift {
                Shift::Lsl => asm::Shift::Shl,
                Shift::Lsr => asm::Shift::Shr,
                Shift::Asr => asm::Shift::Sar,
                Shift::Ror => asm::Shift::Ror,
            };
            self.asm.shift_imm(op, wide, dst, amount);
        }
    }

    /// The extended operand, in place where the register is taken whole, else in `scratch`.
    fn extended_rhs(&mut self, width: Width, rm: u8, extend: Extend, amount: u8, scratch: Gpr) -> Rm {
        let whole = u32::from(extend.bits) >= width.bits();
        if whole && amount == 0 {
            return place(rm);
        }
        self.extend_to(width, rm, extend, scratch);
        match amount {
            0 => {}
            1 if self.keeps_flags() => self.asm.lea(host(width), scratch, Mem::host(scratch, 0).indexed(scratch, 0)),
            _ if self.keeps_flags() => {
                self.take_rdx();
                self.asm.mov_imm(Rdx, u64::from(amount));
                self.asm.shiftx(ShiftX::Shlx, host(width), scratch, scratch, Rdx);
            }
            _ => self.asm.shift_imm(asm::Shift::Shl, host(width), scratch, amount),
        }
        Rm::Reg(scratch)
    }

    /// `dst` = a register extended to a width.
    pub(super) fn extend_to(&mut self, width: Width, rm: u8, extend: Extend, dst: Gpr) {
        let size = match extend.bits {
            8 => Size::B1,
            16 => Size::B2,
            32 => Size::B4,
            _ => Size::B8,
        };
        match (extend.signed, size) {
            (_, Size::B8) => self.asm.mov(host(width), dst, place(rm)),
            (true, _) => self.asm.load_sx(size, host(width), dst, place(rm)),
            (false, _) => self.asm.load_zx(size, dst, place(rm)),
        }
    }

    fn add_sub_imm(&mut self, op: AddSub, width: Width, rd: u8, rn: u8, imm: u32) {
        let (alu, style) = alu(op);
        let (wide, imm) = (host(width), imm as i32);
        if self.flags_dead() {
            let imm = if op == AddSub::Add { imm } else { -imm };
            return self.add_imm(width, rd, rn, imm);
        }
        match (place(rn), rd) {
            // With 0, `test` gives what a comparison gives.
            (Rm::Reg(r), 31) if imm == 0 && op == AddSub::Sub => self.asm.test(wide, r, r),
            (rm, 31) if op == AddSub::Sub => self.asm.alu_imm(Alu::Cmp, wide, rm, imm),
            (rm, _) => {
                let target = self.target(rd, Rax);
                if rm != Rm::Reg(target) {
                    self.asm.mov(wide, target, rm);
                }
                self.asm.alu_imm(alu, wide, target, imm);
                let before = if width == Width::X { self.place_of(rn) } else { None };
                self.write(rd, target);
                self.note_sum(rd, before, if op == AddSub::Add { i64::from(imm) } else { -i64::from(imm) });
            }
        }
        self.flags_set(style);
    }

    /// With a right operand that is a register, memory, or `rcx`.
    fn add_sub(&mut self, op: AddSub, flags: Flags, width: Width, rd: u8, rn: u8, rhs: Rm) {
        let (alu, style) = alu(op);
        let wide = host(width);
        if flags == Flags::Keep || self.flags_dead() {
            if rd == 31 {
                return;
            }
            if self.keeps_flags() {
                return self.add_sub_quietly(op, width, rd, rn, rhs);
            }
        }
        if rd == 31 && op == AddSub::Sub {
            match place(rn) {
                Rm::Reg(r) => self.asm.alu(Alu::Cmp, wide, r, rhs),
                rm => {
                    self.asm.mov(wide, Rax, rm);
                    self.asm.alu(Alu::Cmp, wide, Rax, rhs);
                }
            }
            return self.flags_set(style);
        }
        self.combine(alu, width, rd, rn, rhs);
        if flags == Flags::Set {
            self.flags_set(style);
        }
    }

    /// `rd = rn op rhs`, where `rhs` may be the place of `rd`.
    fn combine(&mut self, op: Alu, width: Width, rd: u8, rn: u8, rhs: Rm) {
        let wide = host(width);
        let mut target = self.target(rd, Rax);
        if is(rhs, target) && place(rn) != Rm::Reg(target) {
            target = Rax;
        }
        if !(place(rn) == Rm::Reg(target)) {
            self.asm.mov(wide, target, place(rn));
        }
        self.asm.alu(op, wide, target, rhs);
        self.write(rd, target);
    }

    /// An addition or subtraction by `lea` and `not`.
    fn add_sub_quietly(&mut self, op: AddSub, width: Width, rd: u8, rn: u8, rhs: Rm) {
        let base = self.read(rn, Rax);
        let target = self.target(rd, Rax);
        let sum = match (op, rhs) {
            (AddSub::Add, Rm::Reg(r)) => Mem::host(base, 0).indexed(r, 0),
            (AddSub::Add, mem) => {
                self.asm.mov(W64, Rcx, mem);
                Mem::host(base, 0).indexed(Rcx, 0)
            }
            // a - b is a + !b + 1.
            (AddSub::Sub, rhs) => {
                self.asm.mov(W64, Rcx, rhs);
                self.asm.unary(asm::Unary::Not, W64, Rcx);
                Mem::host(base, 1).indexed(Rcx, 0)
            }
        };
        self.asm.lea(host(width), target, sum);
        self.write(rd, target);
    }

    fn add_sub_carry(&mut self, op: AddSub, flags: Flags, width: Width, rd: u8, rn: u8, rm: u8) {
        let (alu, style) = match op {
            AddSub::Add => (Alu::Adc, Style::Add),
            AddSub::Sub => (Alu::Sbb, Style::Sub),
        };
        if flags == Flags::Keep {
            self.keep_flags();
        }
        self.carry(if op == AddSub::Add { Inverted::No } else { Inverted::Yes });
        self.combine(alu, width, rd, rn, place(rm));
        match flags {
            Flags::Set => self.flags_set(style),
            Flags::Keep => self.flags_gone(),
        }
    }

    fn logic_imm(&mut self, op: Logic, width: Width, rd: u8, rn: u8, imm: u64) {
        let wide = host(width);
        let rd = if op == Logic::Ands { rd } else { or_sp(rd) };
        if op == Logic::Orr && rn == 31 {
            return self.set_constant(rd, imm);
        }
        // A sign-extended immediate of 32 bits; for 32-bit operations any will do.
        let small = match width {
            Width::W => Some(imm as u32 as i32),
            Width::X => i32::try_from(imm as i64).ok(),
        };
        if op == Logic::Ands && rd == 31 {
            match small {
                Some(small) => self.asm.test_imm(wide, place(rn), small),
                None => {
                    self.asm.mov_imm(Rax, imm);
                    self.asm.test(wide, place(rn), Rax);
                }
            }
            return self.flags_set(Style::Add);
        }
        let low = match imm {
            0xff => Some(Size::B1),
            0xffff => Some(Size::B2),
            0xffff_ffff => Some(Size::B4),
            _ => None,
        };
        if let (Logic::And, Some(size)) = (op, low) {
            let target = self.target(rd, Rax);
            self.asm.load_zx(size, target, place(rn));
            self.write(rd, target);
            return self.note_most(rd, imm);
        }
        if op != Logic::Ands {
            self.clobber_flags();
        }
        match small {
            Some(small) => {
                let target = self.target(rd, Rax);
                if place(rn) != Rm::Reg(target) {
                    self.asm.mov(wide, target, place(rn));
                }
                self.asm.alu_imm(logic_alu(op), wide, target, small);
                self.write(rd, target);
            }
            None => {
                self.asm.mov_imm(Rcx, imm);
                self.combine(logic_alu(op), width, rd, rn, Rm::Reg(Rcx));
            }
        }
        if matches!(op, Logic::And | Logic::Ands) {
            self.note_most(rd, imm);
        }
        if op == Logic::Ands {
            self.flags_set(Style::Add);
        }
    }

    fn logic(&mut self, op: Logic, width: Width, rd: u8, rn: u8, rhs: Rm) {
        let wide = host(width);
        match op {
            _ if rd == 31 && (op != Logic::Ands || self.flags_dead()) => return,
            Logic::Ands if rd == 31 => {
                let left = self.read(rn, Rax);
                self.asm.test(wide, rhs, left);
            }
            Logic::Orr if rn == 31 => {
                // MVN, and MOV with a shift.
                let target = self.target(rd, Rax);
                self.asm.mov(wide, target, rhs);
                return self.write(rd, target);
            }
            _ => self.combine(logic_alu(op), width, rd, rn, rhs),
        }
        if op == Logic::Ands {
            self.flags_set(Style::Add);
        }
    }

    fn move_wide(&mut self, op: MoveWide, width: Width, rd: u8, imm: u16, shift: u8) {
        let value = u64::from(imm) << shift;
        let hole = 0xffffu64 << shift;
        let whole = match (op, width) {
            (MoveWide::Zero, _) => Some(value),
            (MoveWide::Not, Width::W) => Some(u64::from(!(value as u32))),
            (MoveWide::Not, Width::X) => Some(!value),
            (MoveWide::Keep, Width::X) => self.noted_constant(rd).map(|before| before & !hole | value),
            (MoveWide::Keep, Width::W) => self.noted_constant(rd).map(|before| before & !hole & 0xffff_ffff | value),
        };
        match whole {
            Some(whole) => {
                self.set_constant(rd, whole);
                self.note_constant(rd, whole);
            }
            None if rd == 31 => {}
            None => {
                self.clobber_flags();
                self.asm.mov_imm(Rcx, value);
                let target = self.target(rd, Rax);
                self.asm.mov(host(width), target, place(rd));
                if width == Width::W || shift == 0 {
                    self.asm.alu_imm(Alu::And, host(width), target, !hole as i32);
                } else {
                    self.take_rdx();
                    self.asm.mov_imm(Rdx, !hole);
                    self.asm.alu(Alu::And, W64, target, Rdx);
                }
                self.asm.alu(Alu::Or, W64, target, Rcx);
                self.write(rd, target);
            }
        }
    }
}

/// Sizes by their logarithm.
pub(super) const SIZES: [Size; 4] = [Size::B1, Size::B2, Size::B4, Size::B8];

fn alu(op: AddSub) -> (Alu, Style) {
    match op {
        AddSub::Add => (Alu::Add, Style::Add),
        AddSub::Sub => (Alu::Sub, Style::Sub),
    }
}

fn logic_alu(op: Logic) -> Alu {
    match op {
        Logic::And | Logic::Ands => Alu::And,
        Logic::Orr => Alu::Or,
        Logic::Eor => Alu::Xor,
    }
}

fn shiftx(shift: Shift) -> ShiftX {
    match shift {
        Shift::Lsl => ShiftX::Shlx,
        Shift::Lsr => ShiftX::Shrx,
        _ => ShiftX::Sarx,
    }
}
