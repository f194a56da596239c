//! Ends of blocks, and what only the translator of blocks calls.

use super::*;

impl Emitter<'_> {
    // Ends.

    /// Goes on at a constant address.
    pub fn end_jump(&mut self, target: u64) {
        self.settle();
        self.link(None, target);
        self.end(self.index + 1);
    }

    /// Goes on at this instruction, which is not part of the block.
    pub(in super::super) fn end_fall(&mut self) {
        self.settle();
        self.link(None, self.pc);
        self.end(self.index);
    }

    /// Goes on at `target` if the A64 condition holds, else behind this instruction.
    pub fn end_if(&mut self, condition: Cond, target: u64) {
        self.load_flags();
        if self.dead {
            self.flags.stored = true;
        } else {
            self.settle();
        }
        let test = self.cond(condition);
        self.end_tests(test, target);
        for (label, nzcv) in std::mem::take(&mut self.skips) {
            self.asm.bind(label);
            if !self.dead {
                self.flags_to_state(u32::from(nzcv) << 28);
            }
            let to = if flags::holds(condition, nzcv) { target } else { self.pc.wrapping_add(4) };
            self.link(None, to);
        }
    }

    /// Goes on at `target` if the test holds, else behind this instruction. NZCV must be stored (`clobber_flags`).
    pub fn end_branch(&mut self, test: Test, target: u64) {
        debug_assert!(self.flags.stored);
        self.asm.take_clobbered();
        self.end_tests(test, target);
    }

    pub(super) fn end_tests(&mut self, test: Test, target: u64) {
        match test {
            Test::Always => self.link(None, target),
            Test::One(cc) => self.link(Some(cc), target),
            Test::Or(a, b) => {
                self.link(Some(a), target);
                self.link(Some(b), target);
            }
            Test::And(a, b) => {
                let past = self.asm.label();
                self.asm.jcc(a.opposite(), past);
                self.link(Some(b), target);
                self.asm.bind(past);
            }
        }
        if test != Test::Always {
            self.link(None, self.pc.wrapping_add(4));
        }
        self.end(self.index + 1);
    }

    /// Goes on at the address in `rax`.
    pub fn end_indirect(&mut self) {
        debug_assert!(self.flags.stored || self.flags.live.is_none(), "settle first");
        emit_jump(self.asm, self.thunks.miss);
        self.end(self.index + 1);
    }

    /// Before `rax` gets the target of [`Emitter::end_indirect`]: stores the flags.
    pub fn settle(&mut self) {
        self.store_flags();
        self.flags.stored = true;
    }

    /// Leaves behind this instruction, which counts.
    pub fn end_after(&mut self, reason: Reason) {
        self.settle();
        let (pc, done) = (self.pc.wrapping_add(4), self.index + 1);
        self.leave(reason, pc, done);
    }

    /// Leaves at this instruction, which does not count.
    pub fn end_at(&mut self, reason: Reason) {
        self.settle();
        let (pc, done) = (self.pc, self.index);
        self.leave(reason, pc, done);
    }

    pub(super) fn leave(&mut self, reason: Reason, pc: u64, done: u32) {
        let label = self.asm.label();
        self.asm.jmp(label);
        self.cold.push(Cold::Exit { label, reason, pc, done });
        self.end(done);
    }

    pub(super) fn end(&mut self, count: u32) {
        self.asm.take_clobbered();
        self.ended = Some(count);
    }

    pub(super) fn link(&mut self, cc: Option<Cc>, target: u64) {
        let label = self.asm.label();
        match cc {
            Some(cc) => self.asm.jcc(cc, label),
            None => self.asm.jmp(label),
        }
        self.cold.push(Cold::Link { label, at: self.asm.len() as u32 - 4, target });
    }

    // For the translator itself.

    /// Starts an instruction.
    pub(in super::super) fn begin(&mut self, pc: u64, index: u32, word: u32, dead: bool, fuses: bool) {
        self.pc = pc;
        self.index = index;
        self.word = word;
        self.dead = dead;
        self.fuses = fuses;
        self.asm.take_clobbered();
    }

    /// Where NZCV is.
    pub(in super::super) fn flags_at(&self) -> FlagsAt {
        self.flags
    }

    /// What is needed to take an instruction back.
    pub(in super::super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            mark: self.asm.mark(),
            flags: self.flags,
            places: self.places,
            cold: self.cold.len(),
            skips: self.skips.len(),
        }
    }

    /// Takes an instruction back.
    pub(in super::super) fn restore(&mut self, snapshot: Snapshot) {
        self.asm.rewind(snapshot.mark);
        self.flags = snapshot.flags;
        self.places = snapshot.places;
        self.cold.truncate(snapshot.cold);
        self.skips.truncate(snapshot.skips);
        self.ended = None;
        self.asm.take_clobbered();
    }

    /// If the instruction ended the block, how many instructions it charges.
    pub(in super::super) fn ended(&self) -> Option<u32> {
        self.ended
    }

    /// Whether an emitter broke the rule about flags.
    pub(in super::super) fn flags_broken(&mut self) -> bool {
        self.asm.take_clobbered() && self.flags.live.is_some()
    }

    /// The entry of the block: takes `count`, filled in by [`Emitter::finish`], from the budget. Gives the place of `count`.
    pub(in super::super) fn prologue(&mut self) -> usize {
        // sub r15, imm32
        debug_assert_eq!(BUDGET, Gpr::R15);
        self.asm.bytes(&[0x49, 0x81, 0xef, 0, 0, 0, 0]);
        let at = self.asm.len() - 4;
        let label = self.asm.label();
        self.asm.jcc(Cc::B, label);
        self.cold.push(Cold::Exit { label, reason: Reason::Budget, pc: self.pc, done: 0 });
        at
    }

    /// Emits what stands behind the main line; `count` is the number of instructions of the block. Gives its links.
    pub(in super::super) fn finish(&mut self, count: u32) -> Vec<LinkSite> {
        let mut links = Vec::new();
        let mut list = std::mem::take(self.cold);
        for cold in list.drain(..) {
            match cold {
                Cold::Exit { label, reason, pc, done } => {
                    self.asm.bind(label);
                    self.asm.mov_imm(Gpr::Rax, pc);
                    self.asm.mov_imm(Gpr::Rcx, u64::from(count - done));
                    if reason == Reason::Budget {
                        self.asm.jmp_to(self.thunks.budget);
                    } else {
                        self.asm.mov_imm(Gpr::Rdx, reason as u64);
                        self.asm.jmp_to(self.thunks.leave);
                    }
                }
                Cold::Wild { label, pc, done } => {
                    self.asm.bind(label);
                    self.asm.mov_imm(Gpr::Rax, self.start);
                    self.asm.mov_imm(Gpr::Rcx, u64::from(count - done));
                    self.asm.mov_imm(Gpr::Rdx, pc - self.start);
                    self.asm.jmp_to(self.thunks.wild);
                }
                Cold::Soft { label, back, word } => {
                    self.asm.bind(label);
                    self.asm.mov_imm(Gpr::Rcx, u64::from(word));
                    self.asm.mov_imm(Gpr::Rax, crate::cpu::translate::a64::soft_helper as Helper as usize as u64);
                    self.asm.call_to(self.thunks.call);
                    self.asm.jmp(back);
                }
                Cold::Link { label, at, target } => {
                    self.asm.bind(label);
                    let stub = self.asm.len() as u32;
                    // mov ecx, imm32
                    self.asm.bytes(&[0xb9, 0, 0, 0, 0]);
                    let number = self.asm.len() as u32 - 4;
                    self.asm.jmp_to(self.thunks.link);
                    links.push(LinkSite { at, stub, number, target, entry: Entry::Checked });
                }
            }
        }
        *self.cold = list;
        links
    }
}
