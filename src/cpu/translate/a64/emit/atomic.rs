//! Exclusive and atomic accesses.
//!
//! All guest threads run on one host thread, so the exclusive monitor is an address and the value that was loaded from
//! it. A store-exclusive of another size than the load, which is CONSTRAINED UNPREDICTABLE, compares what it has of that
//! value. Host atomics are used all the same: memory may be shared with other programs of the host.

use std::mem::offset_of;

use super::integer::{SIZES, or_sp};
use super::memory::{VMOVDQU_LOAD, VMOVDQU_STORE, VMOVQ_FROM_GPR, VMOVQ_TO_GPR, VPEXTRQ, VPINSRQ};
use crate::cpu::translate::a64::decode::memory::{Atomic, Direction, Insn};
use crate::cpu::translate::a64::emitter::{Emitter, Reason};
use crate::cpu::translate::a64::regs::place;
use crate::cpu::translate::a64::state::State;
use crate::cpu::translate::asm::{self, Alu, Cc, Gpr, Mem, Shift, Size, Width, Xmm};

use Gpr::{Rax, Rcx};

const W32: Width = Width::W32;
const W64: Width = Width::W64;

/// Emits one instruction of those that this file knows.
pub(super) fn emit(e: &mut Emitter<'_>, insn: Insn) {
    match insn {
        Insn::LoadExclusive { size, rt, rt2: None, rn } => e.load_exclusive(size, rt, or_sp(rn)),
        Insn::LoadExclusive { size, rt, rt2: Some(rt2), rn } => e.load_exclusive_pair(size, rt, rt2, or_sp(rn)),
        Insn::StoreExclusive { size, rs, rt, rt2, rn } => e.store_exclusive(size, rs, rt, rt2, or_sp(rn)),
        Insn::CompareSwap { size, rs, rt, rn } => e.compare_swap(size, rs, rt, or_sp(rn)),
        Insn::CompareSwapPair { size: 2, rs, rt, rn } => e.compare_swap_words(rs, rt, or_sp(rn)),
        Insn::CompareSwapPair { rs, rt, rn, .. } => e.compare_swap_quads(rs, rt, or_sp(rn)),
        Insn::Atomic { op, size, rs, rt, rn } => e.atomic(op, size, rs, rt, or_sp(rn)),
        _ => {}
    }
}

/// Which accesses are alignment faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alignment {
    /// Those that are not aligned to their size.
    Size,
    /// Those that leave a block of 16 bytes (FEAT_LSE2).
    Block,
}

/// Leaves with an alignment fault if an access that demands order leaves its block of 16 bytes. Changes x86 flags.
pub(super) fn check_within_block(e: &mut Emitter<'_>, base: u8, offset: i32, bytes: i32, direction: Direction) {
    check(e, base, offset, bytes, direction, Alignment::Block);
}

fn check(e: &mut Emitter<'_>, base: u8, offset: i32, bytes: i32, direction: Direction, alignment: Alignment) {
    e.clobber_flags();
    if bytes == 1 {
        return;
    }
    let fine = e.asm.label();
    let register = e.read(base, Rcx);
    if offset % bytes == 0 {
        e.asm.test_imm(W32, register, bytes - 1);
    } else {
        e.asm.lea(W32, Rax, Mem::host(register, offset));
        e.asm.test_imm(W32, Rax, bytes - 1);
    }
    e.asm.jcc(Cc::E, fine);
    let mut wrong = Cc::Ne;
    if alignment == Alignment::Block {
        e.asm.lea(W32, Rax, Mem::host(register, offset));
        e.asm.alu_imm(Alu::And, W32, Rax, 15);
        e.asm.alu_imm(Alu::Cmp, W32, Rax, 16 - bytes);
        wrong = Cc::A;
    }
    e.asm.lea(W64, Rax, Mem::host(register, offset));
    let (address, access) = (e.state(offset_of!(State, exit_arg)), e.state(offset_of!(State, spill) + 7 * 8));
    e.asm.store(Size::B8, address, Rax);
    e.asm.store_imm(W64, access, i32::from(direction == Direction::Store));
    e.leave_if(wrong, Reason::Alignment);
    e.asm.bind(fine);
}

impl Emitter<'_> {
    pub(super) fn clear_monitor(&mut self) {
        let monitor = self.state(offset_of!(State, monitor));
        self.asm.store_imm(W64, monitor, State::NO_MONITOR as i32);
    }

    /// The address of an operand to `rcx`.
    fn monitored(&mut self, mem: Mem) {
        self.asm.lea(W64, Rcx, mem);
    }

    /// Watches the address in `rcx`, with the value in `rax` and zeros above it.
    fn set_monitor(&mut self) {
        let (monitor, value) = (self.state(offset_of!(State, monitor)), self.state(offset_of!(State, monitor_value)));
        self.asm.store(Size::B8, monitor, Rcx);
        self.asm.store(Size::B8, value, Rax);
        self.asm.store_imm(W64, value.plus(8), 0);
    }

    fn load_exclusive(&mut self, size: u8, rt: u8, rn: u8) {
        let bytes = 1 << size;
        check(self, rn, 0, bytes, Direction::Load, Alignment::Size);
        let mem = self.address(rn, 0);
        self.asm.load_zx(SIZES[usize::from(size)], Rax, mem);
        self.monitored(mem);
        self.set_monitor();
        self.write(rt, Rax);
    }

    fn load_exclusive_pair(&mut self, size: u8, rt: u8, rt2: u8, rn: u8) {
        let bytes = 2 << size;
        check(self, rn, 0, bytes, Direction::Load, Alignment::Size);
        let mem = self.address(rn, 0);
        let value = self.state(offset_of!(State, monitor_value));
        if size == 2 {
            self.asm.mov(W64, Rax, mem);
            self.monitored(mem);
            self.set_monitor();
            self.asm.mov(W32, Rcx, Rax);
            self.asm.shift_imm(Shift::Shr, W64, Rax, 32);
        } else {
            self.asm.vex2(VMOVDQU_LOAD, Xmm(0), mem);
            self.monitored(mem);
            self.set_monitor();
            self.asm.vex2(VMOVDQU_STORE, Xmm(0), value);
            self.asm.vex2_gpr(VMOVQ_TO_GPR, Xmm(0), Rcx);
            self.asm.vex2i_gpr(VPEXTRQ, Xmm(0), Rax, 1);
        }
        self.write(rt, Rcx);
        self.write(rt2, Rax);
    }

    fn store_exclusive(&mut self, size: u8, rs: u8, rt: u8, rt2: Option<u8>, rn: u8) {
        let bytes = if rt2.is_some() { 2 << size } else { 1 << size };
        check(self, rn, 0, bytes, Direction::Store, Alignment::Size);
        let mem = self.address(rn, 0);
        let (failed, done) = (self.asm.label(), self.asm.label());
        let monitor = self.state(offset_of!(State, monitor));
        let value = self.state(offset_of!(State, monitor_value));
        self.monitored(mem);
        self.asm.alu(Alu::Cmp, W64, Rcx, monitor);
        self.asm.jcc(Cc::Ne, failed);
        match rt2 {
            None => {
                let source = self.read(rt, Rcx);
                self.asm.mov(W64, Rax, value);
                self.asm.atomic(asm::Atomic::Cmpxchg, SIZES[usize::from(size)], mem, source);
                self.asm.jcc(Cc::Ne, failed);
            }
            Some(rt2) if size == 2 => {
                self.words(Rcx, rt, rt2);
                self.asm.mov(W64, Rax, value);
                self.asm.atomic(asm::Atomic::Cmpxchg, Size::B8, mem, Rcx);
                self.asm.jcc(Cc::Ne, failed);
            }
            Some(rt2) => {
                for half in [0, 8] {
                    self.asm.mov(W64, Rax, mem.plus(half));
                    self.asm.alu(Alu::Cmp, W64, Rax, value.plus(half));
                    self.asm.jcc(Cc::Ne, failed);
                }
                self.store_quads(mem, rt, rt2);
            }
        }
        self.asm.mov_imm(Rax, 0);
        self.asm.jmp(done);
        self.asm.bind(failed);
        self.asm.mov_imm(Rax, 1);
        self.asm.bind(done);
        self.clear_monitor();
        self.write(rs, Rax);
    }

    /// `to` (`rcx` or `rax`) = two 32-bit registers, the first below. Uses the other of the two.
    fn words(&mut self, to: Gpr, low: u8, high: u8) {
        let other = if to == Rax { Rcx } else { Rax };
        self.asm.mov(W32, to, place(high));
        self.asm.shift_imm(Shift::Shl, W64, to, 32);
        self.asm.mov(W32, other, place(low));
        self.asm.alu(Alu::Or, W64, to, other);
    }

    /// Two 64-bit registers by one store of 16 bytes. The host makes it at once if it is aligned.
    fn store_quads(&mut self, mem: Mem, low: u8, high: u8) {
        self.asm.vex2_gpr(VMOVQ_FROM_GPR, Xmm(0), place(low));
        self.asm.vex3i_gpr(VPINSRQ, Xmm(0), Xmm(0), place(high), 1);
        self.asm.vex2(VMOVDQU_STORE, Xmm(0), mem);
    }

    fn compare_swap(&mut self, size: u8, rs: u8, rt: u8, rn: u8) {
        check(self, rn, 0, 1 << size, Direction::Store, Alignment::Block);
        let bytes = SIZES[usize::from(size)];
        let mem = self.address(rn, 0);
        self.asm.mov(W64, Rax, place(rs));
        let source = self.read(rt, Rcx);
        self.asm.atomic(asm::Atomic::Cmpxchg, bytes, mem, source);
        if size < 3 {
            self.asm.load_zx(bytes, Rax, Rax);
        }
        self.write(rs, Rax);
    }

    fn compare_swap_words(&mut self, rs: u8, rt: u8, rn: u8) {
        check(self, rn, 0, 8, Direction::Store, Alignment::Block);
        let mem = self.address(rn, 0);
        let spill = self.state(offset_of!(State, spill));
        self.words(Rcx, rt, rt + 1);
        self.asm.store(Size::B8, spill, Rcx);
        self.words(Rax, rs, pair(rs));
        self.asm.mov(W64, Rcx, spill);
        self.asm.atomic(asm::Atomic::Cmpxchg, Size::B8, mem, Rcx);
        self.asm.mov(W32, Rcx, Rax);
        self.asm.shift_imm(Shift::Shr, W64, Rax, 32);
        self.write(rs, Rcx);
        self.write(pair(rs), Rax);
    }

    /// 16 bytes: `cmpxchg16b` would need four fixed registers, two of them the guest's; so this is a comparison and one
    /// store, which nothing of the guest comes between.
    fn compare_swap_quads(&mut self, rs: u8, rt: u8, rn: u8) {
        check(self, rn, 0, 16, Direction::Store, Alignment::Size);
        let mem = self.address(rn, 0);
        let differ = self.asm.label();
        let spill = self.state(offset_of!(State, spill));
        // It needs leave to write even if the comparison fails, as the host's instructions do for the others.
        self.asm.mov_imm(Rax, 0);
        self.asm.lock_alu(Alu::Or, Size::B8, mem, Rax);
        self.asm.vex2(VMOVDQU_LOAD, Xmm(1), mem);
        self.asm.vex2(VMOVDQU_STORE, Xmm(1), spill);
        for (half, reg) in [(0, rs), (8, pair(rs))] {
            self.asm.mov(W64, Rax, place(reg));
            self.asm.alu(Alu::Cmp, W64, Rax, spill.plus(half));
            self.asm.jcc(Cc::Ne, differ);
        }
        self.store_quads(mem, rt, pair(rt));
        self.asm.bind(differ);
        for (half, reg) in [(0, rs), (8, pair(rs))] {
            self.asm.mov(W64, Rax, spill.plus(half));
            self.write(reg, Rax);
        }
    }

    fn atomic(&mut self, op: Atomic, size: u8, rs: u8, rt: u8, rn: u8) {
        check(self, rn, 0, 1 << size, Direction::Store, Alignment::Block);
        let bytes = SIZES[usize::from(size)];
        let mem = self.address(rn, 0);
        match op {
            Atomic::Add => {
                self.copy(rs, Rax);
                self.asm.atomic(asm::Atomic::Xadd, bytes, mem, Rax);
            }
            Atomic::Swap => {
                self.copy(rs, Rax);
                self.asm.atomic(asm::Atomic::Xchg, bytes, mem, Rax);
            }
            Atomic::Clear | Atomic::Set | Atomic::Eor if rt == 31 => {
                self.copy(rs, Rax);
                if op == Atomic::Clear {
                    self.asm.unary(asm::Unary::Not, W64, Rax);
                }
                let alu = match op {
                    Atomic::Clear => Alu::And,
                    Atomic::Set => Alu::Or,
                    _ => Alu::Xor,
                };
                return self.asm.lock_alu(alu, bytes, mem, Rax);
            }
            _ => self.modify(op, bytes, mem, rs),
        }
        if size < 3 {
            self.asm.load_zx(bytes, Rax, Rax);
        }
        self.write(rt, Rax);
    }

    /// A loop around `cmpxchg`; the old value to `rax`.
    fn modify(&mut self, op: Atomic, size: Size, mem: Mem, rs: u8) {
        let signed = matches!(op, Atomic::SignedMax | Atomic::SignedMin);
        let again = self.asm.label();
        self.asm.bind(again);
        // Comparisons are of 64 bits, of extended values.
        if signed {
            self.asm.load_sx(size, W64, Rax, mem);
            self.asm.load_sx(size, W64, Rcx, place(rs));
        } else {
            self.asm.load_zx(size, Rax, mem);
            self.asm.load_zx(size, Rcx, place(rs));
        }
        let take_old = match op {
            Atomic::Clear => {
                self.asm.andn(W64, Rcx, Rcx, Rax);
                None
            }
            Atomic::Eor | Atomic::Set => {
                self.asm.alu(if op == Atomic::Eor { Alu::Xor } else { Alu::Or }, W64, Rcx, Rax);
                None
            }
            Atomic::SignedMax => Some(Cc::G),
            Atomic::SignedMin => Some(Cc::L),
            Atomic::UnsignedMax => Some(Cc::A),
            _ => Some(Cc::B),
        };
        if let Some(cc) = take_old {
            self.asm.alu(Alu::Cmp, W64, Rax, Rcx);
            self.asm.cmov(cc, W64, Rcx, Rax);
        }
        self.asm.atomic(asm::Atomic::Cmpxchg, size, mem, Rcx);
        self.asm.jcc(Cc::Ne, again);
    }
}

/// The second register of a pair that begins at an even one; 31 (of 30) is the zero register.
fn pair(reg: u8) -> u8 {
    reg + 1
}
