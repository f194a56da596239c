//! The guest's condition flags in the x86 flags and in the state.

use super::*;

impl Emitter<'_> {
    /// Whether nobody will ask for the flags that this instruction leaves.
    pub fn flags_dead(&self) -> bool {
        self.dead
    }

    /// Whether what a conditional comparison skips may go to the branch behind it at once.
    pub fn fuses(&self) -> bool {
        self.fuses
    }

    /// Before x86 flags are changed by code that does not set NZCV. May use `rax`.
    pub fn clobber_flags(&mut self) {
        self.store_flags();
        self.flags = FlagsAt { live: None, stored: true };
    }

    /// The x86 flags are NZCV now, in the given style. In the style [`Style::Float`] AF, SF and OF must be clear, as
    /// `vucomiss` leaves them.
    pub fn flags_set(&mut self, style: Style) {
        self.flags = FlagsAt { live: Some(style), stored: false };
        self.asm.take_clobbered();
        if self.dead {
            self.flags = FlagsAt { live: None, stored: true };
        }
    }

    /// All of NZCV is in [`State::flags`] now: the code stored it there.
    pub fn flags_stored(&mut self) {
        self.flags = FlagsAt { live: None, stored: true };
    }

    /// Puts live flags to the state. Uses `rax`; the x86 flags still hold them, in a style that may have changed.
    pub(super) fn store_flags(&mut self) {
        let Some(style) = self.flags.live.filter(|_| !self.flags.stored) else { return };
        match style {
            Style::Float => {
                self.asm.lahf();
                self.asm.load_zx(Size::B2, Gpr::Rax, Gpr::Rax);
                self.store_float_flags();
                self.flags = FlagsAt { live: Some(style), stored: true };
                return;
            }
            Style::Add => self.asm.cmc(),
            Style::Sub => {}
        }
        self.asm.lahf();
        self.asm.setcc(Cc::O, Gpr::Rax);
        self.asm.store(Size::B4, Mem::host(STATE, field!(flags)), Gpr::Rax);
        self.flags = FlagsAt { live: Some(Style::Sub), stored: true };
        self.asm.take_clobbered();
    }

    /// Stores NZCV as a constant (in bits 31 ... 28), on one of several ways that meet before [`Emitter::flags_stored`].
    pub fn flags_to_state(&mut self, nzcv: u32) {
        let mut state = State::new();
        state.nzcv = nzcv;
        state.pack_flags();
        self.asm.store_imm(Width::W32, Mem::host(STATE, field!(flags)), state.flags as i32);
    }

    /// Stores NZCV of the comparison that `vucomis` has just made, likewise. Uses `rax`.
    pub fn compared_to_state(&mut self) {
        self.asm.lahf();
        self.asm.load_zx(Size::B2, Gpr::Rax, Gpr::Rax);
        self.store_float_flags();
    }

    /// `ah` has the x86 flags of a comparison: stores NZCV. Changes no flags.
    pub(super) fn store_float_flags(&mut self) {
        // AH: ZF is bit 14, PF 10, CF 8 of ax.
        let mask = self.constant(1 << 14 | 1 << 10 | 1 << 8);
        self.asm.pext(Width::W32, Gpr::Rax, Gpr::Rax, mask);
        let Some(table) = self.constants.place(float_flags()) else {
            // Constants that every block may need are placed when the front end is made.
            return;
        };
        self.asm.load_zx(Size::B2, Gpr::Rax, Mem::host(STATE, table).indexed(Gpr::Rax, 1));
        self.asm.store(Size::B4, Mem::host(STATE, field!(flags)), Gpr::Rax);
    }

    /// Makes sure that the x86 flags are NZCV and gives their style. May use `rax`.
    pub fn load_flags(&mut self) -> Style {
        if let Some(style) = self.flags.live {
            return style;
        }
        self.asm.mov(Width::W32, Gpr::Rax, Mem::host(STATE, field!(flags)));
        self.asm.add_al(0x7f);
        self.asm.sahf();
        self.asm.take_clobbered();
        self.flags = FlagsAt { live: Some(Style::Sub), stored: true };
        Style::Sub
    }

    /// The x86 test of an A64 condition. May use `rax`.
    pub fn cond(&mut self, condition: Cond) -> Test {
        if condition == Cond::Al {
            return Test::Always;
        }
        let style = self.load_flags();
        match flags::test(condition, style) {
            Some(test) => test,
            None => {
                self.asm.cmc();
                self.asm.take_clobbered();
                self.flags.live = Some(Style::Sub);
                flags::test(condition, Style::Sub).unwrap_or(Test::Always)
            }
        }
    }

    /// Makes CF the guest's C or its opposite, for `adc` or `sbb`. May use `rax`. The other flags are void then: the caller
    /// sets NZCV or has called [`Emitter::keep_flags`] before.
    pub fn carry(&mut self, inverted: Inverted) {
        let style = match self.load_flags() {
            Style::Float => {
                // C is set unless less: stored, its form is that of a subtraction.
                self.store_flags();
                self.flags.live = None;
                self.load_flags()
            }
            style => style,
        };
        let is_inverted = style == Style::Sub;
        if is_inverted != (inverted == Inverted::Yes) {
            self.asm.cmc();
            self.flags.live = Some(if is_inverted { Style::Add } else { Style::Sub });
        }
        self.asm.take_clobbered();
    }

    /// Puts the flags to the state, so that the x86 flags may be read and then changed. May use `rax`.
    pub fn keep_flags(&mut self) {
        self.store_flags();
    }

    /// After [`Emitter::keep_flags`]: the x86 flags are no longer the guest's.
    pub fn flags_gone(&mut self) {
        debug_assert!(self.flags.stored, "flags lost at {:#x}", self.pc);
        self.flags = FlagsAt { live: None, stored: true };
    }

    /// NZCV in bits 31 ... 28 of `to` (not `rax`), zeros elsewhere. Uses `rax`; changes x86 flags.
    pub fn nzcv_to(&mut self, to: Gpr) {
        self.clobber_flags();
        let mask = self.constant(1 << 15 | 1 << 14 | 1 << 8 | 1);
        self.asm.mov(Width::W32, Gpr::Rax, Mem::host(STATE, field!(flags)));
        self.asm.alu_imm(Alu::Xor, Width::W32, Gpr::Rax, 1 << 8);
        self.asm.pext(Width::W32, to, Gpr::Rax, mask);
        self.asm.shift_imm(crate::cpu::translate::asm::Shift::Shl, Width::W32, to, 28);
    }

    /// NZCV from bits 31 ... 28 of `from`, which is not `rax`. Uses `rax`; changes x86 flags.
    pub fn nzcv_from(&mut self, from: Gpr) {
        let mask = self.constant(1 << 15 | 1 << 14 | 1 << 8 | 1);
        self.asm.mov(Width::W32, Gpr::Rax, from);
        self.asm.shift_imm(crate::cpu::translate::asm::Shift::Shr, Width::W32, Gpr::Rax, 28);
        self.asm.pdep(Width::W32, Gpr::Rax, Gpr::Rax, mask);
        self.asm.alu_imm(Alu::Xor, Width::W32, Gpr::Rax, 1 << 8);
        self.asm.store(Size::B4, Mem::host(STATE, field!(flags)), Gpr::Rax);
        self.flags_stored();
    }

    /// `dst` = `yes` if the test holds, else `no`. `dst` is neither operand, unless it is `no`'s register. No flags are changed.
    pub fn select(&mut self, test: Test, width: Width, dst: Gpr, yes: impl Into<Rm>, no: impl Into<Rm>) {
        let (yes, no) = (yes.into(), no.into());
        match test {
            Test::Always => self.asm.mov(width, dst, yes),
            Test::One(cc) => {
                self.asm.mov(width, dst, no);
                self.asm.cmov(cc, width, dst, yes);
            }
            Test::Or(a, b) => {
                self.asm.mov(width, dst, no);
                self.asm.cmov(a, width, dst, yes);
                self.asm.cmov(b, width, dst, yes);
            }
            Test::And(a, b) => {
                debug_assert_ne!(no, Rm::Reg(dst));
                self.asm.mov(width, dst, yes);
                self.asm.cmov(a.opposite(), width, dst, no);
                self.asm.cmov(b.opposite(), width, dst, no);
            }
        }
    }

    /// Jumps to `label` if the test holds.
    pub fn jump_if(&mut self, test: Test, label: Label) {
        match test {
            Test::Always => self.asm.jmp(label),
            Test::One(cc) => self.asm.jcc(cc, label),
            Test::Or(a, b) => {
                self.asm.jcc(a, label);
                self.asm.jcc(b, label);
            }
            Test::And(a, b) => {
                let past = self.asm.label();
                self.asm.jcc(a.opposite(), past);
                self.asm.jcc(b, label);
                self.asm.bind(past);
            }
        }
    }
}
