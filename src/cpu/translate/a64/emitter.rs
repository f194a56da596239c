//! What emitters of instructions work with.
//!
//! # How to write an emitter
//!
//! `emit/CLASS.rs` has `pub fn emit(e: &mut Emitter, word: u32) -> Emitted`. It decodes the word and either emits host code that
//! does exactly what the instruction does and returns [`Emitted::Done`], or returns [`Emitted::Unhandled`]; whatever it
//! had emitted is then taken back, and `soft::execute` or another backend does the instruction.
//!
//! **Registers.** `rax`, `rcx` and `xmm0` ... `xmm3` are free within an instruction. `rdx` holds addresses between
//! instructions: take it with [`Emitter::take_rdx`]. All other host registers are guest registers, the budget, the state
//! and the stack: never write one except as the guest register that the instruction writes. Guest registers are named by
//! number: 0 ... 30, 31 for the zero register, [`SP`] for the stack pointer.
//! - [`Emitter::rm`]: the register as an operand to read (a host register, or memory of the state; both work in nearly
//!   every instruction). [`Emitter::read`]: in a host register that must not be changed. [`Emitter::copy`]: a copy to change.
//! - [`Emitter::target`] gives the host register to compute a result in, [`Emitter::write`] completes it. Results of 32-bit
//!   operations must have zeros above, as 32-bit x86 instructions leave them. A source may be the target's register:
//!   read all sources before the target is changed. Register 31 as a target is a scratch whose value is dropped.
//! - Vector registers alike: [`Emitter::vm`], [`Emitter::read_v`], [`Emitter::target_v`], [`Emitter::write_v`]. A write is of all 128
//!   bits; [`Emitter::write_v_low`] clears what lies above.
//!
//! **Faults.** An instruction that accesses guest memory must not have changed any guest register before its last access.
//! A fault may come at any access through `gs`; the guest's registers are then taken as they stand.
//!
//! **Addresses.** Guest memory is reached only by the operands that [`Emitter::address`] and [`Emitter::address_indexed`]
//! give; they use `rdx`, and the operand is good until the instruction ends or `take_rdx` is called. Call them outside of
//! code that is jumped over. Nothing else may make a `gs` operand.
//!
//! **NZCV.** The x86 flags may hold the guest's flags between instructions.
//! - Call [`Emitter::clobber_flags`] *first* if the code changes x86 flags without setting NZCV (it may use `rax`).
//! - An instruction that sets all of NZCV ends with [`Emitter::flags_set`], after which it changes no x86 flag. If
//!   [`Emitter::flags_dead`] says so, nobody will ask: any code without flags does (then do call `clobber_flags` if it changes x86 flags).
//! - [`Emitter::cond`] gives the x86 test of a condition; [`Emitter::carry`] makes CF the guest's C. Both may use `rax`.
//! - [`Emitter::nzcv_to`] and [`Emitter::nzcv_from`] move them from and to general registers.
//!
//! The engine checks after each instruction that x86 flags were not changed under the guest's.
//!
//! **Helpers.** [`Emitter::soft`] does the whole instruction by `soft::execute`; [`Emitter::soft_path`] does so out of line for rare
//! cases; [`Emitter::call`] calls a Rust function with the state. The state is exact in a helper except for `pc`.
//!
//! **Ends.** An instruction after which execution does not simply go on calls one of the `end_*` methods last.

mod address;
mod ends;
mod nzcv;

use super::decode::{Cond, Extend};
use super::flags::{self, Style, Test};
use super::regs::{BUDGET, STATE, field, pinned, pinned_v, place, place_v, slot, slot_v};
use super::state::State;
use crate::cpu::translate::asm::{Alu, Asm, Cc, Gpr, Label, Map, Mem, Pp, Rm, Size, Vex, Width, Xm, Xmm};

use self::address::Places;
pub use super::regs::SP;
pub use crate::cpu::translate::front::Reason;
use crate::cpu::translate::front::{Addresses, Entry, LinkSite};

/// What an emitter did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emitted {
    /// The instruction is emitted.
    Done,
    /// Not by this emitter.
    Unhandled,
}

/// What is the same for all code of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Mode {
    /// FPCR asks for something that only `soft` does (flush to zero, default NaN, traps...).
    pub soft_fp: bool,
}

/// Addresses of code that all blocks share.
#[derive(Clone, Copy, Debug, Default)]
pub struct Thunks {
    /// Leaves at the guest address in `rax` for the reason in `edx`, and gives `ecx` back to the budget.
    pub leave: u64,
    /// The same for [`Reason::Budget`].
    pub budget: u64,
    /// Leaves with [`Reason::Wild`] of the block at `rax`, `edx` bytes behind it, and gives `ecx` back to the budget.
    pub wild: u64,
    /// Leaves with [`Reason::Link`] of the link whose number is in `ecx`.
    pub link: u64,
    /// Leaves with [`Reason::Lookup`] of the guest address in `rax`.
    pub miss: u64,
    /// Calls the function in `rax` with the state and `rcx`; keeps all guest registers and `rdx`; the result is in `rax`.
    pub call: u64,
}

/// Code that is emitted behind a block's main line.
#[derive(Debug)]
pub(super) enum Cold {
    /// Leave, with the first `done` instructions of the block retired.
    Exit { label: Label, reason: Reason, pc: u64, done: u32 },
    /// Do an instruction by `soft` and go back.
    Soft { label: Label, back: Label, word: u32 },
    /// Leave for good: the block is to be translated anew, for any addresses.
    Wild { label: Label, pc: u64, done: u32 },
    /// A direct jump to be linked.
    Link { label: Label, at: u32, target: u64 },
}

/// A way out of line for rare cases of one instruction.
#[derive(Clone, Copy, Debug)]
pub struct SoftPath {
    /// Jump here while no guest register has been changed.
    pub label: Label,
    back: Label,
}

/// Where NZCV is. At least one of the two says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlagsAt {
    /// In the x86 flags.
    pub live: Option<Style>,
    /// In [`State::flags`].
    pub stored: bool,
}

/// `ah` and `al` of [`State::flags`] by {ZF, PF, CF} of `vucomisd`: index CF | PF << 1 | ZF << 2.
const FLOAT_FLAGS: [u16; 8] = {
    let mut table = [0u16; 8];
    let mut i = 0;
    while i < 8 {
        let (cf, pf, zf) = (i & 1, i >> 1 & 1, i >> 2 & 1);
        let less = cf & (pf ^ 1) & (zf ^ 1);
        let equal = zf & (pf ^ 1);
        table[i as usize] = less << 15 | equal << 14 | less << 8 | pf;
        i += 1;
    }
    table
};

/// [`FLOAT_FLAGS`] as a constant.
fn float_flags() -> u128 {
    FLOAT_FLAGS.iter().rev().fold(0, |sum, f| sum << 16 | u128::from(*f))
}

/// Makes sure that the constants which every block may need find room.
pub(super) fn place_common(constants: &mut super::constants::Constants) {
    for value in [float_flags(), 1 << 15 | 1 << 14 | 1 << 8 | 1, 1 << 14 | 1 << 10 | 1 << 8] {
        constants.place(value);
    }
}

const VMOVDQA_LOAD: Vex = Vex::new(Map::M0f, Pp::P66, 0x6f);
const VMOVDQA_STORE: Vex = Vex::new(Map::M0f, Pp::P66, 0x7f);
const VMOVQ: Vex = Vex::new(Map::M0f, Pp::Pf3, 0x7e);
const VINSERTPS: Vex = Vex::new(Map::M0f3a, Pp::P66, 0x21);
const VPAND: Vex = Vex::new(Map::M0f, Pp::P66, 0xdb);

/// Emits one block.
pub struct Emitter<'a> {
    /// The assembler, for the instructions themselves.
    pub asm: &'a mut Asm,
    thunks: Thunks,
    mode: Mode,
    pc: u64,
    /// Instructions of the block before the current one.
    index: u32,
    word: u32,
    flags: FlagsAt,
    dead: bool,
    places: Places,
    /// How addresses are made safe.
    addresses: Addresses,
    /// Address of the block.
    start: u64,
    /// A register that the instruction with this index made a constant.
    known: Option<(u32, u8, u64)>,
    cold: &'a mut Vec<Cold>,
    /// Ways on which a conditional comparison was not made, to the branch behind it: NZCV on each.
    pub(super) skips: Vec<(Label, u8)>,
    /// Whether only conditional comparisons stand between this instruction and a conditional branch.
    fuses: bool,
    /// Once the block has ended: how many instructions it charges.
    ended: Option<u32>,
    constants: &'a mut super::constants::Constants,
}

impl<'a> Emitter<'a> {
    /// An emitter for a block that begins at `pc`.
    pub(super) fn new(
        asm: &'a mut Asm,
        (constants, cold): (&'a mut super::constants::Constants, &'a mut Vec<Cold>),
        thunks: Thunks,
        mode: Mode,
        (pc, addresses): (u64, Addresses),
    ) -> Emitter<'a> {
        let flags = FlagsAt { live: None, stored: true };
        Emitter {
            asm,
            thunks,
            mode,
            pc,
            index: 0,
            word: 0,
            flags,
            dead: false,
            places: Places::default(),
            addresses,
            start: pc,
            known: None,
            cold,
            skips: Vec::new(),
            fuses: false,
            ended: None,
            constants,
        }
    }

    // The instruction.

    /// Its word.
    pub fn word(&self) -> u32 {
        self.word
    }

    /// Its address.
    pub fn pc(&self) -> u64 {
        self.pc
    }

    /// Whether FPCR is such that host instructions do what it asks for (rounding modes are). If not, FP instructions are
    /// [`Emitted::Unhandled`], so that `soft` does them.
    pub fn fp_is_standard(&self) -> bool {
        !self.mode.soft_fp
    }

    // General registers.

    /// A register to read, as an operand.
    pub fn rm(&self, reg: u8) -> Rm {
        place(reg)
    }

    /// A register to read, in a host register: its own, or `scratch`. Changes no flags.
    pub fn read(&mut self, reg: u8, scratch: Gpr) -> Gpr {
        match pinned(reg) {
            Some(host) => host,
            None => {
                self.copy(reg, scratch);
                scratch
            }
        }
    }

    /// Copies a register to `to`. Changes no flags.
    pub fn copy(&mut self, reg: u8, to: Gpr) {
        match reg {
            31 => self.asm.mov_imm(to, 0),
            _ => self.asm.mov(Width::W64, to, place(reg)),
        }
    }

    /// The host register in which to compute the new value of `reg`: its own, or `scratch`. [`Emitter::write`] completes it.
    pub fn target(&mut self, reg: u8, scratch: Gpr) -> Gpr {
        pinned(reg).unwrap_or(scratch)
    }

    /// Notes that `reg` has a new value, which was put to its place by other means than [`Emitter::write`].
    pub fn written(&mut self, reg: u8) {
        self.places.written(reg);
    }

    /// Completes a write of `reg`, whose new value is in `value` (all 64 bits). Changes no flags.
    pub fn write(&mut self, reg: u8, value: Gpr) {
        self.written(reg);
        match pinned(reg) {
            Some(host) => self.asm.mov(Width::W64, host, value),
            None if reg == 31 => {}
            None => self.asm.store(Size::B8, slot(reg), value),
        }
    }

    /// Remembers for the next instruction that this one made a register a constant.
    pub fn note_constant(&mut self, reg: u8, value: u64) {
        self.known = Some((self.index, reg, value));
    }

    /// The value of a register that the instruction before this one made a constant.
    pub fn noted_constant(&self, reg: u8) -> Option<u64> {
        self.known.filter(|k| k.0 + 1 == self.index && k.1 == reg).map(|k| k.2)
    }

    // Vector registers.

    /// A vector register to read, as an operand (16 bytes; a smaller access reads its low part).
    pub fn vm(&self, reg: u8) -> Xm {
        place_v(reg)
    }

    /// A vector register to read, in a host register: its own, or `scratch`.
    pub fn read_v(&mut self, reg: u8, scratch: Xmm) -> Xmm {
        match pinned_v(reg) {
            Some(host) => host,
            None => {
                self.asm.vex2(VMOVDQA_LOAD, scratch, slot_v(reg));
                scratch
            }
        }
    }

    /// Copies a vector register to `to`.
    pub fn copy_v(&mut self, reg: u8, to: Xmm) {
        self.asm.vex2(VMOVDQA_LOAD, to, place_v(reg));
    }

    /// The host register in which to compute the new value of a vector register: its own, or `scratch`.
    pub fn target_v(&mut self, reg: u8, scratch: Xmm) -> Xmm {
        pinned_v(reg).unwrap_or(scratch)
    }

    /// Completes a write of all 128 bits.
    pub fn write_v(&mut self, reg: u8, value: Xmm) {
        match pinned_v(reg) {
            Some(host) if host == value => {}
            Some(host) => self.asm.vex2(VMOVDQA_LOAD, host, value),
            None => self.asm.vex2(VMOVDQA_STORE, value, slot_v(reg)),
        }
    }

    /// Writes a vector register with the low `bytes` (1, 2, 4, 8, 16) of `value` and zeros above; `value` may be changed if it
    /// is a scratch.
    pub fn write_v_low(&mut self, reg: u8, value: Xmm, bytes: u32) {
        let target = self.target_v(reg, value);
        match bytes {
            16 => return self.write_v(reg, value),
            8 => self.asm.vex2(VMOVQ, target, value),
            // Keeps element 0 and clears the others.
            4 => self.asm.vex3i(VINSERTPS, target, value, value, 0b1110),
            _ => {
                let mask = self.constant((1 << (bytes * 8)) - 1);
                self.asm.vex3(VPAND, target, value, mask);
            }
        }
        self.write_v(reg, target);
    }

    /// The place of a constant, 16-byte aligned. If there are too many of them it is made in the state on the spot, by `rax`.
    pub fn constant(&mut self, value: u128) -> Mem {
        match self.constants.place(value) {
            Some(offset) => Mem::host(STATE, offset),
            None => {
                for (half, at) in [(value as u64, 0), ((value >> 64) as u64, 8)] {
                    self.asm.mov_imm(Gpr::Rax, half);
                    self.asm.store(Size::B8, Mem::host(STATE, field!(spill) + at), Gpr::Rax);
                }
                Mem::host(STATE, field!(spill))
            }
        }
    }

    // Helpers.

    /// Calls a Rust function with the state and `arg`. Its result is in `rax`. `rcx` and `xmm0` ... `xmm3` are lost.
    pub fn call(&mut self, helper: Helper, arg: u64) {
        self.clobber_flags();
        self.asm.mov_imm(Gpr::Rcx, arg);
        self.asm.mov_imm(Gpr::Rax, helper as usize as u64);
        self.asm.call_to(self.thunks.call);
        self.asm.take_clobbered();
    }

    /// Does the whole instruction by `soft::execute`.
    pub fn soft(&mut self) {
        let word = self.word;
        self.call(super::soft_helper, u64::from(word));
        // It may have written any register.
        self.places = Places::default();
    }

    /// A way out to `soft::execute` for this instruction, to which the code may jump until it changes a guest register. Calls
    /// [`Emitter::clobber_flags`]. The code must end with [`Emitter::soft_path_ends`].
    pub fn soft_path(&mut self) -> SoftPath {
        self.clobber_flags();
        let path = SoftPath { label: self.asm.label(), back: self.asm.label() };
        self.cold.push(Cold::Soft { label: path.label, back: path.back, word: self.word });
        path
    }

    /// The end of an instruction with a soft path: here the two meet.
    pub fn soft_path_ends(&mut self, path: SoftPath) {
        self.asm.bind(path.back);
    }

    /// Leaves for good at this instruction, which does not count, if the x86 condition holds: for [`Reason::Illegal`], for
    /// [`Reason::Alignment`], whose argument must be in `exit_arg` by then, and the like. NZCV must be stored (`clobber_flags`).
    pub fn leave_if(&mut self, cc: Cc, reason: Reason) {
        let label = self.asm.label();
        self.asm.jcc(cc, label);
        self.cold.push(Cold::Exit { label, reason, pc: self.pc, done: self.index });
    }
}

/// Goes on at the guest address in `rax`: by the jump table, or through `miss`.
pub(super) fn emit_jump(asm: &mut Asm, miss: u64) {
    // An entry is 16 bytes and is found by the address divided by 4.
    asm.mov(Width::W32, Gpr::Rcx, Gpr::Rax);
    asm.alu_imm(Alu::And, Width::W32, Gpr::Rcx, ((1 << super::front::JUMPS.bits) - 1) << super::front::JUMPS.shift);
    asm.mov(Width::W64, Gpr::Rdx, Mem::host(STATE, field!(jumps)));
    let entry = Mem::host(Gpr::Rdx, 0).indexed(Gpr::Rcx, 2);
    asm.alu(Alu::Cmp, Width::W64, Gpr::Rax, entry);
    asm.jcc_to(Cc::Ne, miss);
    asm.jmp_rm(entry.plus(8));
}

/// A Rust function that translated code calls: the state and a constant; gives what goes to `rax`.
pub type Helper = extern "C" fn(&mut State, u64) -> u64;

/// Whether CF is wanted as the guest's C or as its opposite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inverted {
    /// CF = !C, for `sbb`.
    Yes,
    /// CF = C, for `adc`.
    No,
}

/// What [`Emitter::restore`] goes back to.
pub(super) struct Snapshot {
    mark: crate::cpu::translate::asm::Mark,
    flags: FlagsAt,
    places: Places,
    cold: usize,
    skips: usize,
}
