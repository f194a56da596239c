//! Data processing with immediates and with registers.

use crate::cpu::translate::a64::decode::integer::{AddSub, Bitfield, Flags, Insn, Logic, MoveWide, Rhs, Select, Unary};
use crate::cpu::translate::a64::decode::{Cond, Extend, Reg, Shift, Width};
use crate::cpu::translate::a64::emitter::{Emitted, Emitter, Inverted};
use crate::cpu::translate::a64::flags::{self, Style, Test};
use crate::cpu::translate::a64::regs::{SP, pinned, place};
use crate::cpu::translate::asm::{self, Alu, Count, Gpr, Map, Mem, Pp, Rm, ShiftX, Size, Vex, Xmm};

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

    fn bitfield(&mut self, op: Bitfield, width: Width, rd: u8, rn: u8, immr: u8, imms: u8) {
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
    fn field(&mut self, width: Width, dst: Gpr, src: Rm, left: u8, right: u8, signed: bool) {
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

    fn bitfield_insert(&mut self, width: Width, rd: u8, rn: u8, immr: u8, imms: u8) {
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

    fn extract(&mut self, width: Width, rd: u8, rn: u8, rm: u8, lsb: u8) {
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

    fn cond_compare(&mut self, op: AddSub, width: Width, rn: u8, rhs: Rhs, cond: Cond, nzcv: u8) {
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
    fn join_skips(&mut self, cond: Cond, nzcv: u8) {
        for (label, before) in std::mem::take(&mut self.skips) {
            if flags::holds(cond, before) {
                self.asm.bind(label);
            } else {
                self.skips.push((label, nzcv));
            }
        }
    }

    /// The x86 flags for a constant NZCV.
    fn constant_flags(&mut self, nzcv: u8, style: Style) {
        let bit = |n: u8| u64::from(nzcv >> n & 1);
        let carry = if style == Style::Sub { bit(1) ^ 1 } else { bit(1) };
        let ah = bit(3) << 7 | bit(2) << 6 | carry;
        // `add al, 0x7f` overflows if al is 1.
        self.asm.mov_imm(Rax, ah << 8 | bit(0));
        self.asm.add_al(0x7f);
        self.asm.sahf();
    }

    fn cond_select(&mut self, op: Select, width: Width, rd: u8, rn: u8, rm: u8, cond: Cond) {
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

    fn shift_reg(&mut self, op: Shift, width: Width, rd: u8, rn: u8, rm: u8) {
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

    fn divide(&mut self, signed: bool, width: Width, rd: u8, rn: u8, rm: u8) {
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

    fn multiply(&mut self, op: AddSub, width: Width, rd: u8, rn: u8, rm: u8, ra: u8) {
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
    fn accumulate(&mut self, op: AddSub, width: Width, rd: u8, ra: u8) {
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

    fn unary(&mut self, op: Unary, width: Width, rd: u8, rn: u8) {
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
    fn swap_groups(&mut self, width: Width, bits: u8, mask: u64) {
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

    fn crc32(&mut self, castagnoli: bool, size: u8, rd: u8, rn: u8, rm: u8) {
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
    fn crc32_ieee(&mut self, size: Size, rm: u8) {
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

/// Sizes by their logarithm.
pub(super) const SIZES: [Size; 4] = [Size::B1, Size::B2, Size::B4, Size::B8];

/// A field that begins at bit 0 and is as long as a smaller register.
fn low_part(immr: u8, imms: u8) -> Option<Size> {
    match (immr, imms) {
        (0, 7) => Some(Size::B1),
        (0, 15) => Some(Size::B2),
        (0, 31) => Some(Size::B4),
        _ => None,
    }
}

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
