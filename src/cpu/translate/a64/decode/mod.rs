//! A64 instruction words to typed instructions (Arm ARM, chapter C4). One file a class; a word that is not allocated, or
//! that user mode may not execute, has none.

pub mod branch;
pub mod fp;
mod fp_vector;
pub mod integer;
pub mod memory;
pub mod simd;
pub mod system;

use super::soft;

/// A general register number, 0 to 31; the instruction says whether 31 is SP or the zero register.
pub type Reg = u8;

/// A typed instruction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Insn {
    /// Data processing on general registers.
    Integer(integer::Insn),
    /// Loads and stores of general and vector registers.
    Memory(memory::Insn),
    /// Jumps and exceptions.
    Branch(branch::Insn),
    /// Hints, barriers, system registers, cache maintenance.
    System(system::Insn),
    /// A word in the space of scalar floating point and AdvSIMD data processing, which its own decoders take apart.
    Vector(u32),
    /// UNDEFINED at EL0 on the machine that HWCAP shows.
    Undefined,
}

/// What a word is.
pub fn decode(word: u32) -> Insn {
    let insn = match word >> 25 & 0xf {
        0b1000 | 0b1001 => integer::decode_immediate(word).map(Insn::Integer),
        0b0101 | 0b1101 => integer::decode_register(word).map(Insn::Integer),
        0b0100 | 0b0110 | 0b1100 | 0b1110 => memory::decode(word).map(Insn::Memory),
        0b1010 | 0b1011 => match word >> 22 {
            0b11_0101_0100 => system::decode(word).map(Insn::System),
            _ => branch::decode(word).map(Insn::Branch),
        },
        0b0111 | 0b1111 => (fp::decode(word).is_some() || soft::knows(word)).then_some(Insn::Vector(word)),
        _ => None,
    };
    insn.unwrap_or(Insn::Undefined)
}

/// Bits `low` to `low + count - 1` of a word.
pub(super) const fn bits(word: u32, low: u32, count: u32) -> u32 {
    word >> low & ((1 << count) - 1)
}

/// Bit `n` of a word.
pub(super) const fn bit(word: u32, n: u32) -> bool {
    word >> n & 1 != 0
}

/// A register field.
pub(super) const fn reg(word: u32, low: u32) -> Reg {
    (word >> low & 31) as Reg
}

/// Bits `low` to `low + count - 1` as a signed number.
pub(super) const fn signed(word: u32, low: u32, count: u32) -> i64 {
    ((word << (32 - low - count)) as i32 >> (32 - count)) as i64
}

/// The operand width of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 32 bits; a result clears the upper half of its register.
    W,
    /// 64 bits.
    X,
}

impl Width {
    pub(super) const fn of(sixty_four: bool) -> Width {
        if sixty_four { Width::X } else { Width::W }
    }

    /// 32 or 64.
    pub const fn bits(self) -> u32 {
        match self {
            Width::W => 32,
            Width::X => 64,
        }
    }
}

/// A condition (Arm ARM, C1.2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the architecture's names")]
pub enum Cond {
    Eq,
    Ne,
    Cs,
    Cc,
    Mi,
    Pl,
    Vs,
    Vc,
    Hi,
    Ls,
    Ge,
    Lt,
    Gt,
    Le,
    /// Always; encoding 15 means the same.
    Al,
}

impl Cond {
    /// The condition of a four-bit field.
    pub const fn of(field: u32) -> Cond {
        use Cond::*;
        const ALL: [Cond; 16] = [Eq, Ne, Cs, Cc, Mi, Pl, Vs, Vc, Hi, Ls, Ge, Lt, Gt, Le, Al, Al];
        ALL[(field & 15) as usize]
    }

    /// The condition that holds when this one does not; `Al` stays.
    pub const fn inverted(self) -> Cond {
        match self {
            Cond::Al => Cond::Al,
            other => Cond::of(other as u32 ^ 1),
        }
    }
}

/// How a register operand is shifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// To the left.
    Lsl,
    /// To the right, zeros in.
    Lsr,
    /// To the right, sign bits in.
    Asr,
    /// Rotated to the right.
    Ror,
}

impl Shift {
    pub(super) const fn of(field: u32) -> Shift {
        match field & 3 {
            0 => Shift::Lsl,
            1 => Shift::Lsr,
            2 => Shift::Asr,
            _ => Shift::Ror,
        }
    }
}

/// How a register operand is extended to the width of the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extend {
    /// Sign bits are copied upwards, instead of zeros.
    pub signed: bool,
    /// 8, 16, 32 or 64 bits of the register are taken.
    pub bits: u8,
}

impl Extend {
    pub(super) const fn of(option: u32) -> Extend {
        Extend { signed: option & 4 != 0, bits: 8 << (option & 3) }
    }
}

/// The keys of pointer authentication for addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the architecture's names")]
pub enum Key {
    Ia,
    Ib,
    Da,
    Db,
}

impl Key {
    pub(super) const fn of(field: u32) -> Key {
        match field & 3 {
            0 => Key::Ia,
            1 => Key::Ib,
            2 => Key::Da,
            _ => Key::Db,
        }
    }
}
