//! Addresses of guest memory, and what a block knows of them.
//!
//! A guest address may be used as it is if it lies in the window: a comparison and a branch say so, beside the access and not
//! before it. Whoever fails it (a wild address, or one with a tag) leaves, and the block is translated anew for any addresses: then,
//! and where x86 flags are in use, `pdep` takes an address to where it is safe, which takes the host three cycles more.

use super::*;

/// Displacements up to this are covered by the guards around windows.
const SLACK: i64 = 512 << 10;

/// Addresses below this lie in every window; see `mem/region.rs`.
const ALWAYS: u64 = 1 << 39;

/// Registers that addresses are made of: x0 ... x30, 31 unused, and [`SP`].
const REGS: usize = SP as usize + 1;

/// How `rdx` has a register's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// As it is.
    Copy,
    /// Made safe.
    Safe,
}

/// What `rdx` holds: `reg` as it was, to which `bias` has been added since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Held {
    reg: u8,
    bias: i64,
    form: Form,
}

/// A sum of two registers, the second shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sum {
    base: u8,
    index: u8,
    shift: u8,
}

/// What is known of guest registers as addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    held: Option<Held>,
    /// Set of registers that lay in the window, and what has been added to each since.
    inside: u64,
    biases: [i32; REGS],
    /// Set of registers whose values are small, and the most that each can be.
    small: u64,
    most: [u32; REGS],
    /// A sum that lies in the window.
    sum: Option<Sum>,
}

impl Default for Places {
    fn default() -> Places {
        Places { held: None, inside: 0, biases: [0; REGS], small: 0, most: [0; REGS], sum: None }
    }
}

impl Places {
    /// A register has a new value.
    pub(super) fn written(&mut self, reg: u8) {
        if self.held.is_some_and(|h| h.reg == reg) {
            self.held = None;
        }
        if self.sum.is_some_and(|s| s.base == reg || s.index == reg) {
            self.sum = None;
        }
        self.inside &= !(1 << reg);
        self.small &= !(1 << reg);
    }

    fn bias(&self, reg: u8) -> Option<i64> {
        (self.inside & 1 << reg != 0).then(|| i64::from(self.biases[usize::from(reg)]))
    }

    fn set_bias(&mut self, reg: u8, bias: i64) {
        if bias.abs() <= SLACK {
            self.inside |= 1 << reg;
            self.biases[usize::from(reg)] = bias as i32;
        }
    }

    /// Whether `reg` + `offset` is safe as it is.
    fn reaches(&self, reg: u8, offset: i64) -> bool {
        self.bias(reg).is_some_and(|bias| bias.saturating_add(offset).abs() <= SLACK)
    }

    /// Whether `reg` + (`index` << `shift`) is.
    fn reaches_index(&self, reg: u8, index: u8, shift: u8) -> bool {
        let small = self.small & 1 << index != 0;
        small
            && shift < 4
            && self.reaches(reg, 0)
            && self.reaches(reg, i64::from(self.most[usize::from(index)]) << shift)
    }
}

impl Emitter<'_> {
    /// Adds a constant to an address register, as write-back does: what is known of it stays useful. Changes no flags; may use
    /// `rax`.
    pub fn add_to_base(&mut self, reg: u8, value: i64) {
        let held = self.places.held.filter(|h| h.reg == reg);
        let bias = self.places.bias(reg);
        let host = self.read(reg, Gpr::Rax);
        let target = self.target(reg, Gpr::Rax);
        match i32::try_from(value) {
            Ok(disp) => self.asm.lea(Width::W64, target, Mem::host(host, disp)),
            Err(_) => {
                // No A64 instruction does this; it is right all the same.
                self.asm.mov(Width::W64, Gpr::Rax, host);
                self.asm.mov_imm(Gpr::Rcx, value as u64);
                self.asm.lea(Width::W64, target, Mem::host(Gpr::Rax, 0).indexed(Gpr::Rcx, 0));
            }
        }
        self.write(reg, target);
        if let Some(held) = held {
            self.places.held = Some(Held { bias: held.bias.saturating_add(value), ..held });
        }
        if let Some(bias) = bias {
            self.places.set_bias(reg, bias.saturating_add(value));
        }
    }

    /// Notes that `to` has just become `from` + `offset`, where `from` had this [`Emitter::place_of`] before.
    pub fn note_sum(&mut self, to: u8, place: Option<i64>, offset: i64) {
        if let Some(bias) = place.filter(|_| to != 31) {
            self.places.set_bias(to, bias.saturating_add(offset));
        }
    }

    /// What is known of a register as an address, for [`Emitter::note_sum`].
    pub fn place_of(&self, reg: u8) -> Option<i64> {
        self.places.bias(reg)
    }

    /// Notes that a register has just become a constant.
    pub fn note_address(&mut self, reg: u8, value: u64) {
        if value < ALWAYS && reg != 31 {
            self.places.set_bias(reg, 0);
        }
    }

    /// Notes that a register has just got a value that is at most `most`.
    pub fn note_most(&mut self, reg: u8, most: u64) {
        if most <= SLACK as u64 && reg != 31 {
            self.places.small |= 1 << reg;
            self.places.most[usize::from(reg)] = most as u32;
        }
    }

    /// Makes `rdx` free for this instruction; operands from [`Emitter::address`] are void.
    pub fn take_rdx(&mut self) -> Gpr {
        self.places.held = None;
        Gpr::Rdx
    }

    /// Whether a comparison may be emitted here.
    fn may_compare(&self) -> bool {
        self.addresses == Addresses::Plain && self.flags.live.is_none()
    }

    /// A register in a host register: its own, or `rdx`, with what is to be added to that.
    fn base(&mut self, reg: u8) -> (Gpr, i64) {
        if let Some(host) = pinned(reg) {
            return (host, 0);
        }
        if let Some(held) = self.places.held.filter(|h| h.reg == reg && h.form == Form::Copy) {
            return (Gpr::Rdx, held.bias);
        }
        self.copy(reg, Gpr::Rdx);
        self.places.held = Some(Held { reg, bias: 0, form: Form::Copy });
        (Gpr::Rdx, 0)
    }

    /// Leaves if the address in `host` lies outside of the window.
    fn compare(&mut self, host: Gpr, label: Label) {
        self.asm.alu(Alu::Cmp, Width::W64, host, Mem::host(STATE, field!(address_limit)));
        self.asm.jcc(Cc::Ae, label);
    }

    fn compare_here(&mut self, host: Gpr) {
        let label = self.asm.label();
        self.compare(host, label);
        self.cold.push(Cold::Wild { label, pc: self.pc, done: self.index });
    }

    /// At the entry of a block: makes sure that these registers (a set) lie in the window.
    pub(in super::super) fn check_bases(&mut self, bases: u64) {
        if bases == 0 || !self.may_compare() {
            return;
        }
        let label = self.asm.label();
        for reg in (0..REGS as u8).filter(|reg| bases & 1 << reg != 0) {
            let (host, _) = self.base(reg);
            self.compare(host, label);
            self.places.set_bias(reg, 0);
        }
        self.cold.push(Cold::Wild { label, pc: self.start, done: 0 });
    }

    /// The operand for an access of guest memory at `base` + `offset`, `base` being 0 ... 30 or [`SP`]. Changes no register but
    /// `rdx`, and no flags that are the guest's.
    pub fn address(&mut self, base: u8, offset: i64) -> Mem {
        if let Some(held) = self.places.held.filter(|h| h.reg == base && h.form == Form::Safe) {
            let disp = offset.saturating_add(held.bias);
            if disp.abs() <= SLACK {
                return Mem::guest(Gpr::Rdx, disp as i32);
            }
        }
        if !self.places.reaches(base, offset) && self.may_compare() && offset.abs() <= SLACK {
            let (host, bias) = self.base(base);
            if bias != 0 {
                self.places.held = None;
                return self.address(base, offset);
            }
            self.compare_here(host);
            self.places.set_bias(base, 0);
        }
        if self.places.reaches(base, offset) {
            let (host, bias) = self.base(base);
            return Mem::guest(host, (offset + bias) as i32);
        }
        let host = self.read(base, Gpr::Rdx);
        self.places.held = None;
        if offset.abs() <= SLACK {
            self.make_safe(Gpr::Rdx, host);
            self.places.held = Some(Held { reg: base, bias: 0, form: Form::Safe });
            return Mem::guest(Gpr::Rdx, offset as i32);
        }
        self.asm.mov_imm(Gpr::Rcx, offset as u64);
        self.asm.lea(Width::W64, Gpr::Rdx, Mem::host(host, 0).indexed(Gpr::Rcx, 0));
        self.make_safe(Gpr::Rdx, Gpr::Rdx);
        Mem::guest(Gpr::Rdx, 0)
    }

    /// The operand for an access at `base` + (`index` extended, shifted left by `shift`). Uses `rcx` and `rdx`, which must not be
    /// changed before the access; changes no flags that are the guest's.
    pub fn address_indexed(&mut self, base: u8, index: u8, extend: Extend, shift: u8) -> Mem {
        if self.places.small & 1 << index != 0
            && !self.places.reaches(base, 0)
            && self.may_compare()
            && extend.bits >= 32
        {
            self.places.held = None;
            let (host, _) = self.base(base);
            self.compare_here(host);
            self.places.set_bias(base, 0);
        }
        if self.places.reaches_index(base, index, shift) {
            // What is small is the same whatever it is extended from, unless that is less than it may have.
            if extend.bits >= 32 {
                let index = self.read(index, Gpr::Rcx);
                let (host, bias) = self.base(base);
                return Mem::guest(host, bias as i32).indexed(index, shift);
            }
        }
        let sum = Sum { base, index, shift };
        let direct = pinned(base).zip(pinned(index)).filter(|_| extend.bits == 64 && shift < 4);
        if let Some((host, index)) = direct
            && self.places.sum == Some(sum)
        {
            return Mem::guest(host, 0).indexed(index, shift);
        }
        self.places.held = None;
        let scaled = self.extended(index, extend, Gpr::Rcx);
        let host = self.read(base, Gpr::Rdx);
        if shift < 4 {
            self.asm.lea(Width::W64, Gpr::Rdx, Mem::host(host, 0).indexed(scaled, shift));
        } else {
            self.asm.mov(Width::W64, Gpr::Rcx, scaled);
            // Doubled by lea, which leaves the flags alone.
            for _ in 0..shift {
                self.asm.lea(Width::W64, Gpr::Rcx, Mem::host(Gpr::Rcx, 0).indexed(Gpr::Rcx, 0));
            }
            self.asm.lea(Width::W64, Gpr::Rdx, Mem::host(host, 0).indexed(Gpr::Rcx, 0));
        }
        if !self.may_compare() {
            self.make_safe(Gpr::Rdx, Gpr::Rdx);
            return Mem::guest(Gpr::Rdx, 0);
        }
        self.compare_here(Gpr::Rdx);
        match direct {
            // The access need not wait for the sum in rdx.
            Some((host, index)) => {
                self.places.sum = Some(sum);
                Mem::guest(host, 0).indexed(index, shift)
            }
            None => Mem::guest(Gpr::Rdx, 0),
        }
    }

    /// The operand for an access at the guest address in a host register, which is `rdx` or is not changed. For literal
    /// loads use [`Emitter::address_constant`].
    pub fn address_in(&mut self, address: Gpr) -> Mem {
        self.places.held = None;
        self.make_safe(Gpr::Rdx, address);
        Mem::guest(Gpr::Rdx, 0)
    }

    /// The operand for an access at a constant guest address.
    pub fn address_constant(&mut self, address: u64) -> Mem {
        self.places.held = None;
        self.asm.mov_imm(Gpr::Rdx, address);
        if address >= ALWAYS {
            self.make_safe(Gpr::Rdx, Gpr::Rdx);
        }
        Mem::guest(Gpr::Rdx, 0)
    }

    /// A register extended to 64 bits, in its own host register or in `scratch`. Changes no flags.
    pub fn extended(&mut self, reg: u8, extend: Extend, scratch: Gpr) -> Gpr {
        let size = match extend.bits {
            8 => Size::B1,
            16 => Size::B2,
            32 => Size::B4,
            _ => return self.read(reg, scratch),
        };
        match extend.signed {
            true => self.asm.load_sx(size, Width::W64, scratch, place(reg)),
            false => self.asm.load_zx(size, scratch, place(reg)),
        }
        scratch
    }

    /// The place of a field of the state, by its offset (`std::mem::offset_of!(State, tpidr)`).
    pub fn state(&self, offset: usize) -> Mem {
        Mem::host(STATE, offset as i32 - State::BIAS)
    }

    /// A wild address becomes one that faults: the top byte is dropped, and bits behind the window's end go to where they
    /// make it non-canonical. No flags.
    fn make_safe(&mut self, to: Gpr, from: Gpr) {
        self.asm.pdep(Width::W64, to, from, Mem::host(STATE, field!(address_mask)));
    }
}
