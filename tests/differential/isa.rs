//! What the test must know of an instruction set, and a case of it.

use std::fmt::Debug;

use sevm::arch::{self, Arch};
use sevm::cpu::{Cpu, Exit};

use super::random::Random;

/// What a run leaves behind.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<I: Isa> {
    pub exit: Exit,
    pub retired: u64,
    pub regs: I::Regs,
    pub memory: Vec<u8>,
}

/// A sequence and what it begins with.
#[derive(Clone, Debug)]
pub struct Case<I: Isa> {
    /// Without the system call behind it.
    pub words: Vec<I::Word>,
    pub regs: I::Regs,
    /// Which of the fillings of the scratch area it gets.
    pub filling: usize,
    /// Whether the second backend runs it in slices of so many instructions.
    pub slice: Option<u64>,
}

/// Registers that hold addresses in a case, as a mask: other sets of registers keep them.
pub type Keep = u32;

/// A slice for some cases.
pub fn slice(random: &mut Random) -> Option<u64> {
    random.one_in(8).then(|| 1 + random.below(6))
}

/// Who says what is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Oracle {
    /// Unicorn, which cannot judge everything.
    Unicorn,
    /// qemu-aarch64 7.2, which cannot either.
    Qemu,
    /// One that can.
    Other,
}

impl Oracle {
    /// Of two sides with these names.
    pub fn of(names: &[String; 2]) -> Oracle {
        match names {
            names if names.iter().any(|name| name == "unicorn") => Oracle::Unicorn,
            names if names.iter().any(|name| name == "qemu") => Oracle::Qemu,
            _ => Oracle::Other,
        }
    }
}

/// One of several ways to make a case simpler.
pub type Step<I> = Box<dyn Fn(&mut Case<I>)>;

/// One value that two outcomes differ in, perhaps: its name, and both as text.
pub type Pair = (String, String, String);

/// Something other than a backend that runs cases.
pub trait Runner<I: Isa> {
    /// Runs a case whose scratch area begins with `memory`.
    ///
    /// # Errors
    /// It could not.
    fn run(&mut self, case: &Case<I>, memory: &[u8]) -> Result<Outcome<I>, String>;

    /// Takes over from `found` what this runner does not tell.
    fn complete(&self, _wanted: &mut Outcome<I>, _found: &Outcome<I>, _case: &Case<I>) {}
}

/// Makes cases of one class.
pub trait Generate<I: Isa> {
    /// What comes now depends on the seed only, but for what has been learned to be undefined.
    fn reseed(&mut self, seed: u64);
    /// A new case at `pc`, and the registers that hold addresses in it.
    fn case(&mut self, pc: u64) -> (Case<I>, Keep);
    /// Another set of registers for a case: those that are no addresses change.
    fn vary(&mut self, case: &Case<I>, keep: Keep) -> Case<I>;
    /// Notes that an instruction is undefined, so that it comes rarely from now on: it ends its sequence.
    fn learn_undefined(&mut self, word: I::Word);
}

/// An instruction set.
pub trait Isa: Clone + Debug + PartialEq + 'static {
    const ARCH: Arch;
    /// Bytes between the starts of two cases; no divisor of a page, so that some lie across a border.
    const STRIDE: u64;
    /// The system call instruction.
    const CALL: &'static [u8];
    /// Whether instructions may be moved when a case is made small.
    const MOVABLE: bool;
    /// The disassembler and its options.
    const OBJDUMP: &'static [&'static str];
    /// One instruction.
    type Word: Copy + Debug + PartialEq + Ord + 'static;
    type Regs: Clone + Debug + PartialEq;

    /// The bytes of an instruction.
    fn bytes(word: &Self::Word) -> Vec<u8>;
    /// What does nothing and is as long.
    fn nop(word: &Self::Word) -> Self::Word;
    /// Tells like failures from others.
    fn key(word: &Self::Word) -> Self::Word;
    fn wrap(regs: &Self::Regs) -> arch::Regs;
    fn unwrap(regs: arch::Regs) -> Option<Self::Regs>;
    fn set_pc(regs: &mut Self::Regs, pc: u64);
    /// Opens a backend.
    fn open(name: &str) -> Result<Box<dyn Cpu>, sevm::Error>;
    /// Another side than a backend, by its name.
    fn runner(name: &str, fillings: &[u8]) -> Option<Result<Box<dyn Runner<Self>>, String>>;
    /// Takes over from `found` what the manuals leave open, or say otherwise than the oracle does.
    fn settle(wanted: &mut Outcome<Self>, found: &Outcome<Self>, case: &Case<Self>, oracle: Oracle);
    /// Whether the oracle, which says that a case ends so, is known to be wrong about it when it differs.
    fn excused(case: &Case<Self>, wanted: Exit, oracle: Oracle) -> bool;
    /// All registers of two outcomes.
    fn pairs(x: &Self::Regs, y: &Self::Regs) -> Vec<Pair>;
    /// Simpler registers, one at a time.
    fn simpler() -> Vec<Step<Self>>;
    /// Registers that are not zero, for people.
    fn state(regs: &Self::Regs) -> String;
}

impl<I: Isa> Case<I> {
    /// The address of an instruction, or of the end.
    pub fn address(&self, index: usize) -> u64 {
        let len: usize = self.words.iter().take(index).map(|w| I::bytes(w).len()).sum();
        I::wrap(&self.regs).pc() + len as u64
    }

    /// The instruction at an address.
    pub fn word_at(&self, pc: u64) -> Option<I::Word> {
        (0..self.words.len()).find(|i| self.address(*i) == pc).map(|i| self.words[i])
    }
}
