//! String instructions with 32-bit addresses or a segment that has a base: an element at a time.

use std::sync::atomic::Ordering;

use iced_x86::{Mnemonic, OpKind, Register};

use super::{Done, Exit, One};
use crate::arch::x86_64::{RAX, RDI, RSI};
use crate::cpu::STOP_REQUESTED;

/// Elements between looks at whether to stop.
const POLL: u64 = 1 << 12;

/// The direction flag.
const DIRECTION: u64 = 1 << 10;
const ZERO: u64 = 1 << 6;
/// The six arithmetic flags.
const ARITHMETIC: u64 = 0x8d5;

impl One<'_> {
    pub(super) fn string(&mut self) -> Done {
        let narrow = self.insn.op_kinds().any(|k| matches!(k, OpKind::MemorySegESI | OpKind::MemoryESEDI));
        let compares = matches!(
            self.insn.mnemonic(),
            Mnemonic::Cmpsb
                | Mnemonic::Cmpsw
                | Mnemonic::Cmpsd
                | Mnemonic::Cmpsq
                | Mnemonic::Scasb
                | Mnemonic::Scasw
                | Mnemonic::Scasd
                | Mnemonic::Scasq
        );
        if !self.insn.has_rep_prefix() && !self.insn.has_repne_prefix() {
            return self.element(narrow);
        }
        let count = if narrow { Register::ECX } else { Register::RCX };
        let mut done = 0u64;
        while self.gpr(count) != 0 {
            done += 1;
            if done.is_multiple_of(POLL) && STOP_REQUESTED.load(Ordering::Relaxed) {
                return Err(Exit::Budget);
            }
            self.element(narrow)?;
            let left = self.gpr(count) - 1;
            self.set_gpr(count, left);
            let equal = self.regs.rflags & ZERO != 0;
            if compares && equal == self.insn.has_repne_prefix() {
                break;
            }
        }
        Ok(())
    }

    /// One element; the registers move on.
    fn element(&mut self, narrow: bool) -> Done {
        use Mnemonic::*;
        let len = self.insn.memory_size().size();
        match self.insn.mnemonic() {
            Movsb | Movsw | Movsd | Movsq => {
                let value = self.source(narrow, len)?;
                self.write(self.target(narrow), &value.to_le_bytes()[..len])?;
                self.step(RSI, narrow, len);
                self.step(RDI, narrow, len);
            }
            Stosb | Stosw | Stosd | Stosq => {
                let value = self.regs.gpr[RAX].to_le_bytes();
                self.write(self.target(narrow), &value[..len])?;
                self.step(RDI, narrow, len);
            }
            Lodsb | Lodsw | Lodsd | Lodsq => {
                let value = self.source(narrow, len)?;
                self.step(RSI, narrow, len);
                let keep = if len < 4 { u64::MAX << (8 * len) } else { 0 };
                self.regs.gpr[RAX] = self.regs.gpr[RAX] & keep | value;
            }
            Cmpsb | Cmpsw | Cmpsd | Cmpsq => {
                let (a, b) = (self.source(narrow, len)?, self.read_number(self.target(narrow), len)?);
                self.compare(a, b, len);
                self.step(RSI, narrow, len);
                self.step(RDI, narrow, len);
            }
            _ => {
                let b = self.read_number(self.target(narrow), len)?;
                self.compare(self.regs.gpr[RAX], b, len);
                self.step(RDI, narrow, len);
            }
        }
        Ok(())
    }

    fn pointer(&self, register: usize, narrow: bool) -> u64 {
        self.regs.gpr[register] & if narrow { 0xffff_ffff } else { u64::MAX }
    }

    fn source(&self, narrow: bool, len: usize) -> Result<u64, Exit> {
        let base = match self.insn.segment_prefix() {
            Register::FS => self.regs.fs_base,
            Register::GS => self.regs.gs_base,
            _ => 0,
        };
        self.read_number(base.wrapping_add(self.pointer(RSI, narrow)), len)
    }

    fn target(&self, narrow: bool) -> u64 {
        self.pointer(RDI, narrow)
    }

    fn step(&mut self, register: usize, narrow: bool, len: usize) {
        let bytes = len as u64;
        let by = if self.regs.rflags & DIRECTION != 0 { bytes.wrapping_neg() } else { bytes };
        let next = self.regs.gpr[register].wrapping_add(by);
        self.regs.gpr[register] = if narrow { next & 0xffff_ffff } else { next };
    }

    /// The flags of `a - b`.
    fn compare(&mut self, a: u64, b: u64, len: usize) {
        let shift = 64 - 8 * len as u32;
        let (high_a, high_b) = (a << shift, b << shift);
        let (result, borrow) = high_a.overflowing_sub(high_b);
        let overflow = (high_a as i64).overflowing_sub(high_b as i64).1;
        let low = (result >> shift) as u8;
        let bit = |on: bool, at: u32| u64::from(on) << at;
        let flags = bit(borrow, 0)
            | bit(low.count_ones().is_multiple_of(2), 2)
            | bit((a as u8 & 15) < (b as u8 & 15), 4)
            | bit(result == 0, 6)
            | bit((result as i64) < 0, 7)
            | bit(overflow, 11);
        self.regs.rflags = self.regs.rflags & !ARITHMETIC | flags;
    }
}
