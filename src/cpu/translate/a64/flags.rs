//! Conditions, and what instructions do with NZCV.

use super::decode::{Cond, Insn};
use crate::cpu::translate::asm::Cc;

/// How the x86 flags stand for NZCV while they do. ZF is Z, SF is N, OF is V in the first two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// CF is the opposite of C, as after x86's `cmp`, `sub`, `sbb`.
    Sub,
    /// CF is C, as after x86's `add`, `adc`, `test`, `and` (these give C = 0 and V = 0, as A64's logical ones do).
    Add,
    /// The result of `vucomisd a, b` for A64's `fcmp a, b`.
    Float,
}

/// Whether a condition holds for NZCV in bits 3 ... 0.
pub fn holds(condition: Cond, nzcv: u8) -> bool {
    let bit = |n: u8| nzcv >> n & 1 == 1;
    let (n, z, c, v) = (bit(3), bit(2), bit(1), bit(0));
    let number = condition as u32;
    let holds = match Cond::of(number & 14) {
        Cond::Eq => z,
        Cond::Cs => c,
        Cond::Mi => n,
        Cond::Vs => v,
        Cond::Hi => c && !z,
        Cond::Ge => n == v,
        Cond::Gt => n == v && !z,
        // AL and NV.
        _ => return true,
    };
    holds == (number & 1 == 0)
}

/// How to ask the x86 flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// True.
    Always,
    /// One condition.
    One(Cc),
    /// Both.
    And(Cc, Cc),
    /// At least one.
    Or(Cc, Cc),
}

impl Test {
    /// The opposite. Nothing is the opposite of [`Test::Always`], which stays.
    pub fn opposite(self) -> Test {
        match self {
            Test::Always => Test::Always,
            Test::One(cc) => Test::One(cc.opposite()),
            Test::And(a, b) => Test::Or(a.opposite(), b.opposite()),
            Test::Or(a, b) => Test::And(a.opposite(), b.opposite()),
        }
    }
}

/// The question that answers a condition; `None` where the style cannot (HI and LS of [`Style::Add`]).
pub fn test(condition: Cond, style: Style) -> Option<Test> {
    let number = condition as u32;
    let positive = match (Cond::of(number & 14), style) {
        (Cond::Al, _) => return Some(Test::Always),
        (Cond::Eq, Style::Float) => Test::And(Cc::E, Cc::Np),
        (Cond::Cs, Style::Float) => Test::Or(Cc::Ae, Cc::P),
        (Cond::Mi, Style::Float) => Test::And(Cc::B, Cc::Np),
        (Cond::Vs, Style::Float) => Test::One(Cc::P),
        (Cond::Hi, Style::Float) => Test::Or(Cc::A, Cc::P),
        (Cond::Ge, Style::Float) => Test::One(Cc::Ae),
        (_, Style::Float) => Test::One(Cc::A),
        (Cond::Eq, _) => Test::One(Cc::E),
        (Cond::Cs, Style::Sub) => Test::One(Cc::Ae),
        (Cond::Cs, _) => Test::One(Cc::B),
        (Cond::Mi, _) => Test::One(Cc::S),
        (Cond::Vs, _) => Test::One(Cc::O),
        (Cond::Hi, Style::Sub) => Test::One(Cc::A),
        (Cond::Hi, _) => return None,
        (Cond::Ge, _) => Test::One(Cc::Ge),
        _ => Test::One(Cc::G),
    };
    Some(if number & 1 == 0 { positive } else { positive.opposite() })
}

/// What an instruction does that matters for keeping NZCV.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Effects {
    /// It may read some of NZCV, or the flags must be exact before it for another reason.
    pub reads: bool,
    /// It writes all of NZCV, whatever they were.
    pub writes: bool,
    /// It may fault or leave the block, so that the flags can be seen from outside.
    pub visible: bool,
}

/// The effects of an instruction.
pub fn effects(word: u32, insn: &Insn) -> Effects {
    let effects = of_pattern(word);
    if !effects.reads && !effects.visible && *insn == Insn::Undefined {
        return Effects { visible: true, ..Effects::default() };
    }
    effects
}

/// The effects of a word, if it is an instruction.
pub fn of_pattern(word: u32) -> Effects {
    let reads = Effects { reads: true, ..Effects::default() };
    let writes = Effects { writes: true, ..Effects::default() };
    let pure = Effects::default();
    let bits = |mask: u32, value: u32| word & mask == value;
    match word >> 25 & 15 {
        // Data processing (immediate): adds, subs; ands.
        8 | 9 if bits(0x3f80_0000, 0x3100_0000) => writes,
        8 | 9 if bits(0x7f80_0000, 0x7200_0000) => writes,
        8 | 9 => pure,
        // Branches, exceptions, system.
        10 | 11 => branch_effects(word),
        // Data processing (register).
        5 | 13 => register_effects(word, reads, writes, pure),
        // SIMD and FP: compares and selections of the scalar ones.
        7 | 15 if bits(0xff20_fc07, 0x1e20_2000) => writes,
        7 | 15 if bits(0xff20_0c00, 0x1e20_0400) || bits(0xff20_0c00, 0x1e20_0c00) => reads,
        7 | 15 if bits(0xffff_fc00, 0x1e7e_0000) => writes, // fjcvtzs
        7 | 15 => pure,
        // Loads and stores, and what is not allocated.
        _ => Effects { visible: true, ..pure },
    }
}

fn branch_effects(word: u32) -> Effects {
    let conditional = word & 0xff00_0000 == 0x5400_0000;
    let hint = word & 0xffff_f01f == 0xd503_201f;
    if hint {
        return Effects::default();
    }
    Effects { reads: conditional || word & 0xff00_0000 == 0xd500_0000, writes: false, visible: true }
}

fn register_effects(word: u32, reads: Effects, writes: Effects, pure: Effects) -> Effects {
    let sets = word & 1 << 29 != 0;
    match (word >> 24 & 31, word >> 21 & 7) {
        // Logical, shifted register: ands, bics.
        (0b01010, _) if word >> 29 & 3 == 3 => writes,
        // Add and subtract, shifted or extended register.
        (0b01011, _) if sets => writes,
        // adc, sbc, rmif, setf; ccmp, ccmn; csel and such.
        (0b11010, 0 | 2 | 4) => reads,
        _ => pure,
    }
}
