//! What the rewriting of an instruction writes to.

use iced_x86::{Encoder, Instruction};

use super::state::spill_slot;
use crate::cpu::translate::asm::{Asm, Gpr, Width};
use crate::cpu::translate::front::{Mark, Reason};

/// What must be undone when a host instruction faults: registers that stand aside, addresses that have been made host ones. The fault
/// exit has stored all registers as the host had them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Note(pub u32);

impl Note {
    /// All registers are the guest's, as before the instruction.
    pub const NONE: Note = Note(0);
    /// `rsi` has the window's base added: it must be taken off.
    pub const RSI_HOST: Note = Note(1 << 24);
    /// `rdi` has.
    pub const RDI_HOST: Note = Note(1 << 25);
    /// Guest flags are in spill slot 7, as `pushfq` or `rflags` has them.
    pub const FLAGS_ASIDE: Note = Note(1 << 26);

    /// How many registers can stand aside.
    const ASIDE: u32 = 3;

    /// The same, and `reg` stands aside in spill slot `slot`. At most three at a time. Slots 0 to 2 are those of the ends of blocks, the
    /// others of rewritten instructions; at the end of a block too, an instruction may be rewritten to load the target.
    pub fn aside(self, reg: Gpr, slot: u8) -> Note {
        let entry = 0x80 | u32::from(slot & 7) << 4 | reg as u32;
        let free = (0..Note::ASIDE).find(|i| self.0 >> (8 * i) & 0x80 == 0);
        debug_assert!(free.is_some(), "too many registers aside");
        Note(self.0 | free.map_or(0, |i| entry << (8 * i)))
    }

    /// Both.
    pub fn and(self, other: Note) -> Note {
        Note(self.0 | other.0)
    }

    /// Whether a flag is set.
    pub fn has(self, flag: Note) -> bool {
        self.0 & flag.0 == flag.0
    }

    /// Numbers of the registers that stand aside, with their slots.
    pub fn registers_aside(self) -> impl Iterator<Item = (usize, usize)> {
        (0..Note::ASIDE).map(move |i| self.0 >> (8 * i) & 0xff).filter(|e| e & 0x80 != 0).map(|e| {
            let (reg, slot) = (e & 15, e >> 4 & 7);
            (reg as usize, slot as usize)
        })
    }
}

/// What rewriting an instruction has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rewritten {
    /// Its code has been emitted; the next one follows.
    Next,
    /// Nothing has been emitted: the block ends before it, with this reason and the pc at it. [`Reason::Illegal`],
    /// [`Reason::Protection`], [`Reason::Fallback`], [`Reason::Counter`] (`rdtsc`, `rdtscp`) and [`Reason::Help`], upon which `system::help` does it.
    Leave(Reason),
}

/// Iced's encoder, whose tables are large and made when it is first wanted.
#[derive(Default)]
pub struct LazyEncoder(Option<Encoder>);

impl LazyEncoder {
    fn get(&mut self) -> &mut Encoder {
        self.0.get_or_insert_with(|| Encoder::new(64))
    }
}

/// The assembler with what else rewriting needs.
pub struct Out<'a> {
    /// Where code goes. Its anchor is the state, so that `field!` makes operands.
    pub asm: &'a mut Asm,
    encoder: &'a mut LazyEncoder,
    marks: Vec<Mark>,
    /// The instruction's number in its block, and its address relative to the block's.
    index: u32,
    guest: u32,
}

impl<'a> Out<'a> {
    /// For a block.
    pub(super) fn new(asm: &'a mut Asm, encoder: &'a mut LazyEncoder) -> Out<'a> {
        Out { asm, encoder, marks: Vec::new(), index: 0, guest: 0 }
    }

    /// Begins a guest instruction.
    pub(super) fn begin(&mut self, index: u32, guest: u32) {
        (self.index, self.guest) = (index, guest);
        self.note(Note::NONE);
    }

    /// The marks of the block.
    pub(super) fn take_marks(&mut self) -> Vec<Mark> {
        std::mem::take(&mut self.marks)
    }

    /// From here on, a fault is to be undone so. At the beginning of each guest instruction: [`Note::NONE`].
    pub fn note(&mut self, note: Note) {
        let host = self.asm.len() as u32;
        let mark = Mark { host, guest: self.guest, index: self.index, charged: 0, note: note.0 };
        match self.marks.last_mut() {
            Some(last) if last.host == host => *last = mark,
            _ => self.marks.push(mark),
        }
    }

    /// Puts a register aside: what follows may use it, with `Note::aside(reg, slot)` in its notes.
    pub fn spill(&mut self, reg: Gpr, slot: u8) {
        self.asm.store(crate::cpu::translate::asm::Size::B8, spill_slot(slot), reg);
    }

    /// Takes it back.
    pub fn reload(&mut self, reg: Gpr, slot: u8) {
        self.asm.mov(Width::W64, reg, spill_slot(slot));
    }

    /// Bytes as they are.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.asm.bytes(bytes);
    }

    /// An instruction by iced's encoder (slow: for what is rare). Memory operands relative to `rip` name host addresses.
    ///
    /// # Errors
    /// It cannot be encoded.
    pub fn encode(&mut self, instruction: &Instruction) -> Result<(), String> {
        let bytes = self.encoded(instruction, self.asm.here())?;
        self.asm.bytes(&bytes);
        Ok(())
    }

    /// The bytes of an instruction at an address.
    pub(super) fn encoded(&mut self, instruction: &Instruction, at: u64) -> Result<Vec<u8>, String> {
        let encoder = self.encoder.get();
        // By number: the names of all instructions are much data to be put right when sevm is loaded.
        encoder.encode(instruction, at).map_err(|e| format!("{e}: iced's code {}", instruction.code() as u32))?;
        Ok(encoder.take_buffer())
    }
}
