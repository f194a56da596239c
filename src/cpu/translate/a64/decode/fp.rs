//! Decoding of floating-point data processing instructions, scalar and vector (Arm ARM C4.1.96, "Data Processing:
//! Scalar Floating-Point and Advanced SIMD"): what `soft` executes and `emit` translates.

use super::{bit, bits, fp_vector, reg};
use crate::cpu::translate::a64::soft::arith::NanSignals;
use crate::cpu::translate::a64::soft::convert::{Exactness, Signedness};
use crate::cpu::translate::a64::soft::float::{BF16, DOUBLE, Format, HALF, Rounding, SINGLE};

/// The elements of a register that an instruction works on. One element is a scalar. What is above them in the
/// destination becomes zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// Format of an element.
    pub format: Format,
    /// How many there are.
    pub count: u32,
}

impl Lanes {
    /// A scalar.
    pub const fn scalar(format: Format) -> Lanes {
        Lanes { format, count: 1 }
    }

    /// A whole vector, or its lower half without `q`; a vector of one double does not exist.
    pub(super) fn vector(format: Format, q: bool) -> Option<Lanes> {
        let count = (if q { 128 } else { 64 }) / format.bits();
        (count > 1).then_some(Lanes { format, count })
    }
}

/// Operations of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names of the instructions")]
pub enum Binary {
    Add,
    Sub,
    Mul,
    MulX,
    NegMul,
    Div,
    AbsDiff,
    Max,
    Min,
    MaxNum,
    MinNum,
    RecipStep,
    RsqrtStep,
}

/// Operations of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// `fmov`.
    Mov,
    /// `fabs`.
    Abs,
    /// `fneg`.
    Neg,
    /// `fsqrt`.
    Sqrt,
    /// `frintn` and so on; no rounding mode means FPCR's.
    RoundInt(Option<Rounding>, Exactness),
    /// `frint32z` and so on: the width, the rounding mode.
    RoundIntN(u32, Option<Rounding>),
    /// `frecpe`.
    RecipEstimate,
    /// `frsqrte`.
    RsqrtEstimate,
    /// `frecpx`.
    RecipExponent,
    /// `urecpe`, on integers.
    UnsignedRecip,
    /// `ursqrte`, on integers.
    UnsignedRsqrt,
}

/// Comparisons that make a mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `fcmeq`.
    Equal,
    /// `fcmge`.
    GreaterEqual,
    /// `fcmgt`.
    Greater,
    /// `fcmle` (with zero).
    LessEqual,
    /// `fcmlt` (with zero).
    Less,
    /// `facge`.
    AbsGreaterEqual,
    /// `facgt`.
    AbsGreater,
}

/// Where the integer of a conversion lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntegerPlace {
    /// A general register, of this width in bits.
    General(u32),
    /// An element as wide as the floating-point one.
    Element,
}

/// What part of a vector register `fmov` to and from general registers moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The lowest bits, so many.
    Low(u32),
    /// Bits 64 to 127.
    Top,
}

/// A floating-point instruction. Register fields are numbers 0 to 31.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "register fields and self-evident parameters")]
pub enum Fp {
    /// `rd[i] = op(rn[i], rm[i])`, or with an index `op(rn[i], rm[index])`.
    Binary { op: Binary, lanes: Lanes, rd: u8, rn: u8, rm: u8, index: Option<u8> },
    /// The same on pairs of neighbours in `rm:rn`.
    Pairwise { op: Binary, lanes: Lanes, rd: u8, rn: u8, rm: u8 },
    /// All elements of a register reduced to one.
    Across { op: Binary, lanes: Lanes, rd: u8, rn: u8 },
    /// `±ra ± rn * rm` with one rounding. The vector forms have `ra == rd`.
    MulAdd { lanes: Lanes, rd: u8, rn: u8, rm: u8, ra: u8, index: Option<u8>, neg_product: bool, neg_addend: bool },
    /// `fmlal` and so on: `count` single precision sums of half precision products from the half `upper` of rn, rm.
    MulAddLong { count: u32, rd: u8, rn: u8, rm: u8, index: Option<u8>, upper: bool, neg_product: bool },
    /// `rd[i] = op(rn[i])`.
    Unary { op: Unary, lanes: Lanes, rd: u8, rn: u8 },
    /// A mask of ones where the relation holds; without `rm`, with zero.
    CompareMask { relation: Relation, lanes: Lanes, rd: u8, rn: u8, rm: Option<u8> },
    /// `fcmp`, `fcmpe`; without `rm`, with zero.
    Compare { format: Format, rn: u8, rm: Option<u8>, signals: NanSignals },
    /// `fccmp`, `fccmpe`.
    CondCompare { format: Format, rn: u8, rm: u8, signals: NanSignals, cond: u8, nzcv: u8 },
    /// `fcsel`.
    Select { format: Format, rd: u8, rn: u8, rm: u8, cond: u8 },
    /// `fmov` of a constant to all elements.
    Immediate { lanes: Lanes, rd: u8, value: u64 },
    /// `fmov` to a general register of `width` bits.
    ToGeneral { part: Part, width: u32, rd: u8, rn: u8 },
    /// `fmov` from a general register. `Part::Top` keeps the low half.
    FromGeneral { part: Part, rd: u8, rn: u8 },
    /// `fcvtzs` and so on, with `fraction` bits of fraction.
    ToInteger {
        lanes: Lanes,
        place: IntegerPlace,
        signedness: Signedness,
        fraction: u32,
        rounding: Rounding,
        rd: u8,
        rn: u8,
    },
    /// `fjcvtzs`.
    ToIntegerJs { rd: u8, rn: u8 },
    /// `scvtf`, `ucvtf`.
    FromInteger { lanes: Lanes, place: IntegerPlace, signedness: Signedness, fraction: u32, rd: u8, rn: u8 },
    /// `fcvt`, `bfcvt`, and `fcvtxn` on a scalar; no rounding mode means FPCR's.
    Convert { from: Format, to: Format, rounding: Option<Rounding>, rd: u8, rn: u8 },
    /// `fcvtn`, `fcvtxn`, `bfcvtn`: to the lower half of rd (upper becomes zero), or to the upper (lower stays).
    Narrow { from: Format, to: Format, rounding: Option<Rounding>, upper: bool, rd: u8, rn: u8 },
    /// `fcvtl`: from a half of rn.
    Lengthen { from: Format, to: Format, upper: bool, rd: u8, rn: u8 },
    /// `fcadd`, rotated by 270 degrees or 90.
    ComplexAdd { lanes: Lanes, rot270: bool, rd: u8, rn: u8, rm: u8 },
    /// `fcmla`, rotated by `quarters` * 90 degrees; the index counts pairs.
    ComplexMulAdd { lanes: Lanes, quarters: u8, rd: u8, rn: u8, rm: u8, index: Option<u8> },
    /// `bfdot`; the index counts pairs.
    Bf16Dot { lanes: Lanes, rd: u8, rn: u8, rm: u8, index: Option<u8> },
    /// `bfmmla`.
    Bf16Matrix { rd: u8, rn: u8, rm: u8 },
    /// `bfmlalb`, `bfmlalt`.
    Bf16MulAddLong { top: bool, rd: u8, rn: u8, rm: u8, index: Option<u8> },
}

pub(super) const fn rd(word: u32) -> u8 {
    reg(word, 0)
}

pub(super) const fn rn(word: u32) -> u8 {
    reg(word, 5)
}

pub(super) const fn rm(word: u32) -> u8 {
    reg(word, 16)
}

pub(super) const fn signedness(unsigned: bool) -> Signedness {
    if unsigned { Signedness::Unsigned } else { Signedness::Signed }
}

/// Decodes a floating-point instruction; `None` if the word is none, or not allocated.
pub fn decode(word: u32) -> Option<Fp> {
    match bits(word, 24, 7) & 0x5f {
        0x1e if bits(word, 29, 1) == 0 => scalar(word),
        0x1f if !bit(word, 31) && !bit(word, 29) => mul_add(word),
        0x0e | 0x0f | 0x4e | 0x4f if !bit(word, 31) => fp_vector::vector(word),
        0x5e | 0x5f if !bit(word, 31) => fp_vector::scalar(word),
        _ => None,
    }
}

fn ftype(word: u32) -> Option<Format> {
    match bits(word, 22, 2) {
        0 => Some(SINGLE),
        1 => Some(DOUBLE),
        3 => Some(HALF),
        _ => None,
    }
}

/// `fmadd`, `fmsub`, `fnmadd`, `fnmsub`.
fn mul_add(word: u32) -> Option<Fp> {
    let (o1, o0) = (bit(word, 21), bit(word, 15));
    Some(Fp::MulAdd {
        lanes: Lanes::scalar(ftype(word)?),
        rd: rd(word),
        rn: rn(word),
        rm: rm(word),
        ra: reg(word, 10),
        index: None,
        neg_product: o0 != o1,
        neg_addend: o1,
    })
}

/// Scalar instructions of one and two sources, comparisons, conversions.
fn scalar(word: u32) -> Option<Fp> {
    if !bit(word, 21) {
        return fixed(word);
    }
    if bits(word, 10, 6) == 0 {
        return integer(word);
    }
    if bit(word, 31) {
        return None;
    }
    let (rd, rn, rm) = (rd(word), rn(word), rm(word));
    let cond = bits(word, 12, 4) as u8;
    match bits(word, 10, 2) {
        0 if bits(word, 10, 5) == 0b10000 => one_source(word),
        0 if bits(word, 10, 4) == 0b1000 => compare(word),
        0 if bit(word, 12) => {
            let format = ftype(word).filter(|_| bits(word, 5, 5) == 0)?;
            Some(Fp::Immediate { lanes: Lanes::scalar(format), rd, value: expand_immediate(format, bits(word, 13, 8)) })
        }
        0 => None,
        1 => {
            let signals = if bit(word, 4) { NanSignals::Every } else { NanSignals::Signalling };
            Some(Fp::CondCompare { format: ftype(word)?, rn, rm, signals, cond, nzcv: bits(word, 0, 4) as u8 })
        }
        2 => {
            let op = match bits(word, 12, 4) {
                0 => Binary::Mul,
                1 => Binary::Div,
                2 => Binary::Add,
                3 => Binary::Sub,
                4 => Binary::Max,
                5 => Binary::Min,
                6 => Binary::MaxNum,
                7 => Binary::MinNum,
                8 => Binary::NegMul,
                _ => return None,
            };
            Some(Fp::Binary { op, lanes: Lanes::scalar(ftype(word)?), rd, rn, rm, index: None })
        }
        _ => Some(Fp::Select { format: ftype(word)?, rd, rn, rm, cond }),
    }
}

fn one_source(word: u32) -> Option<Fp> {
    let (rd, rn) = (rd(word), rn(word));
    let format = ftype(word)?;
    let round = |rounding| Unary::RoundInt(rounding, Exactness::Silent);
    let op = match bits(word, 15, 6) {
        0 => Unary::Mov,
        1 => Unary::Abs,
        2 => Unary::Neg,
        3 => Unary::Sqrt,
        opcode @ (4 | 5 | 7) => {
            let to = [SINGLE, DOUBLE, SINGLE, HALF][opcode as usize - 4];
            return (to != format).then_some(Fp::Convert { from: format, to, rounding: None, rd, rn });
        }
        6 if format == DOUBLE => return Some(Fp::Convert { from: SINGLE, to: BF16, rounding: None, rd, rn }),
        8 => round(Some(Rounding::TieEven)),
        9 => round(Some(Rounding::PlusInf)),
        10 => round(Some(Rounding::MinusInf)),
        11 => round(Some(Rounding::Zero)),
        12 => round(Some(Rounding::TieAway)),
        14 => Unary::RoundInt(None, Exactness::Signals),
        15 => round(None),
        opcode @ 16..20 if format != HALF => {
            let rounding = if opcode & 1 == 0 { Some(Rounding::Zero) } else { None };
            Unary::RoundIntN(if opcode < 18 { 32 } else { 64 }, rounding)
        }
        _ => return None,
    };
    Some(Fp::Unary { op, lanes: Lanes::scalar(format), rd, rn })
}

fn compare(word: u32) -> Option<Fp> {
    if bits(word, 14, 2) != 0 || bits(word, 0, 3) != 0 {
        return None;
    }
    let signals = if bit(word, 4) { NanSignals::Every } else { NanSignals::Signalling };
    let rm = (!bit(word, 3)).then_some(rm(word));
    Some(Fp::Compare { format: ftype(word)?, rn: rn(word), rm, signals })
}

const RMODES: [Rounding; 4] = [Rounding::TieEven, Rounding::PlusInf, Rounding::MinusInf, Rounding::Zero];

/// Conversions from and to integers in general registers, `fmov` between register files.
fn integer(word: u32) -> Option<Fp> {
    let (rd, rn) = (rd(word), rn(word));
    let width = if bit(word, 31) { 64 } else { 32 };
    let (rmode, opcode) = (bits(word, 19, 2), bits(word, 16, 3));
    if opcode >= 6 {
        return move_general(word, width, rmode, opcode == 6);
    }
    let lanes = Lanes::scalar(ftype(word)?);
    let place = IntegerPlace::General(width);
    let signedness = signedness(opcode & 1 != 0);
    let rounding = match (opcode, rmode) {
        (0 | 1, _) => RMODES[rmode as usize],
        (4 | 5, 0) => Rounding::TieAway,
        (2 | 3, 0) => return Some(Fp::FromInteger { lanes, place, signedness, fraction: 0, rd, rn }),
        _ => return None,
    };
    Some(Fp::ToInteger { lanes, place, signedness, fraction: 0, rounding, rd, rn })
}

fn move_general(word: u32, width: u32, rmode: u32, to_general: bool) -> Option<Fp> {
    let (rd, rn) = (rd(word), rn(word));
    let part = match (bits(word, 22, 2), rmode, width) {
        (0, 0, 32) => Part::Low(32),
        (1, 0, 64) => Part::Low(64),
        (2, 1, 64) => Part::Top,
        (3, 0, _) => Part::Low(16),
        (1, 3, 32) if to_general => return Some(Fp::ToIntegerJs { rd, rn }),
        _ => return None,
    };
    Some(match to_general {
        true => Fp::ToGeneral { part, width, rd, rn },
        false => Fp::FromGeneral { part, rd, rn },
    })
}

/// Conversions from and to fixed point in general registers.
fn fixed(word: u32) -> Option<Fp> {
    let (rd, rn) = (rd(word), rn(word));
    let width = if bit(word, 31) { 64 } else { 32 };
    let fraction = 64 - bits(word, 10, 6);
    if fraction > width {
        return None;
    }
    let lanes = Lanes::scalar(ftype(word)?);
    let place = IntegerPlace::General(width);
    let opcode = bits(word, 16, 3);
    let signedness = signedness(opcode & 1 != 0);
    match (bits(word, 19, 2), opcode) {
        (0, 2 | 3) => Some(Fp::FromInteger { lanes, place, signedness, fraction, rd, rn }),
        (3, 0 | 1) => Some(Fp::ToInteger { lanes, place, signedness, fraction, rounding: Rounding::Zero, rd, rn }),
        _ => None,
    }
}

/// `VFPExpandImm`: an 8-bit constant as a number.
pub(super) fn expand_immediate(format: Format, imm8: u32) -> u64 {
    let imm8 = u64::from(imm8);
    let exp = format.exp_bits;
    let repeated = if imm8 & 0x40 != 0 { (1 << (exp - 3)) - 1 } else { 1 << (exp - 3) };
    let field = (repeated << 2) | (imm8 >> 4) & 3;
    format.zero(imm8 & 0x80 != 0) | (field << format.frac_bits) | ((imm8 & 0xf) << (format.frac_bits - 4))
}
