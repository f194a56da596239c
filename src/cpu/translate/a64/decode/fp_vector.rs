//! Decoding of floating-point instructions in the AdvSIMD encoding groups, vector and scalar.

use super::fp::{Binary, Fp, IntegerPlace, Lanes, Relation, Unary, expand_immediate, rd, rm, rn, signedness};
use super::{bit, bits};
use crate::cpu::translate::a64::soft::convert::Exactness;
use crate::cpu::translate::a64::soft::float::{BF16, DOUBLE, Format, HALF, Rounding, SINGLE};

/// How an encoding group says which elements there are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Vector,
    Scalar,
}

impl Kind {
    fn lanes(self, word: u32, format: Format) -> Option<Lanes> {
        match self {
            Kind::Vector => Lanes::vector(format, bit(word, 30)),
            Kind::Scalar => Some(Lanes::scalar(format)),
        }
    }
}

/// Single or double, as bit 22 says.
fn single_or_double(word: u32) -> Format {
    if bit(word, 22) { DOUBLE } else { SINGLE }
}

/// Decodes words of the AdvSIMD vector groups.
pub(super) fn vector(word: u32) -> Option<Fp> {
    if bit(word, 24) {
        return match (bit(word, 10), bits(word, 19, 5)) {
            (false, _) => by_element(word, Kind::Vector),
            (true, 0) => immediate(word),
            (true, 1..16) => shift_immediate(word, Kind::Vector),
            _ => None,
        };
    }
    match (bit(word, 21), bit(word, 10)) {
        (true, true) => three_same(word, Kind::Vector),
        (false, true) if bit(word, 15) => three_same_extra(word),
        (false, true) => three_same_half(word, Kind::Vector),
        (true, false) => match (bits(word, 17, 4), bit(word, 11)) {
            (0b0000, true) => two_misc(word, Kind::Vector),
            (0b1100, true) => two_misc_half(word, Kind::Vector),
            (0b1000, true) => across(word),
            _ => None,
        },
        _ => None,
    }
}

/// Decodes words of the AdvSIMD scalar groups.
pub(super) fn scalar(word: u32) -> Option<Fp> {
    if bit(word, 24) {
        return match (bit(word, 10), bits(word, 19, 5)) {
            (false, _) => by_element(word, Kind::Scalar),
            (true, 1..16) => shift_immediate(word, Kind::Scalar),
            _ => None,
        };
    }
    match (bit(word, 21), bit(word, 10)) {
        (true, true) => three_same(word, Kind::Scalar),
        (false, true) => three_same_half(word, Kind::Scalar),
        (true, false) => match (bits(word, 17, 4), bit(word, 11)) {
            (0b0000, true) => two_misc(word, Kind::Scalar),
            (0b1100, true) => two_misc_half(word, Kind::Scalar),
            (0b1000, true) => pair(word),
            _ => None,
        },
        _ => None,
    }
}

/// Three registers of the same type: single and double, and the widening `fmlal`.
fn three_same(word: u32, kind: Kind) -> Option<Fp> {
    let opcode = bits(word, 11, 5);
    if opcode < 0b11000 {
        return None;
    }
    let (u, a) = (bit(word, 29), bit(word, 23));
    if kind == Kind::Vector && !bit(word, 22) && matches!((opcode, u), (0b11101, false) | (0b11001, true)) {
        let count = if bit(word, 30) { 4 } else { 2 };
        let (rd, rn, rm) = (rd(word), rn(word), rm(word));
        return Some(Fp::MulAddLong { count, rd, rn, rm, index: None, upper: u, neg_product: a });
    }
    three_same_op(word, opcode & 7, kind, kind.lanes(word, single_or_double(word))?)
}

/// The same in half precision.
fn three_same_half(word: u32, kind: Kind) -> Option<Fp> {
    if !bit(word, 22) || bits(word, 14, 2) != 0 {
        return None;
    }
    three_same_op(word, bits(word, 11, 3), kind, kind.lanes(word, HALF)?)
}

fn three_same_op(word: u32, opcode: u32, kind: Kind, lanes: Lanes) -> Option<Fp> {
    let (rd, rn, rm) = (rd(word), rn(word), rm(word));
    let (u, a) = (bit(word, 29), bit(word, 23));
    let relation = match (u, a, opcode) {
        (false, false, 4) => Some(Relation::Equal),
        (true, false, 4) => Some(Relation::GreaterEqual),
        (true, true, 4) => Some(Relation::Greater),
        (true, false, 5) => Some(Relation::AbsGreaterEqual),
        (true, true, 5) => Some(Relation::AbsGreater),
        _ => None,
    };
    if let Some(relation) = relation {
        return Some(Fp::CompareMask { relation, lanes, rd, rn, rm: Some(rm) });
    }
    let op = match (u, a, opcode) {
        (false, false, 3) => Binary::MulX,
        (false, false, 7) => Binary::RecipStep,
        (false, true, 7) => Binary::RsqrtStep,
        (true, true, 2) => Binary::AbsDiff,
        // The rest has no scalar form here.
        _ if kind == Kind::Scalar => return None,
        (false, _, 1) => {
            return Some(Fp::MulAdd { lanes, rd, rn, rm, ra: rd, index: None, neg_product: a, neg_addend: false });
        }
        (true, false, 2) => return Some(Fp::Pairwise { op: Binary::Add, lanes, rd, rn, rm }),
        (_, _, 0 | 6) => {
            let op = extreme(a, opcode == 0);
            return Some(match u {
                true => Fp::Pairwise { op, lanes, rd, rn, rm },
                false => Fp::Binary { op, lanes, rd, rn, rm, index: None },
            });
        }
        (false, false, 2) => Binary::Add,
        (false, true, 2) => Binary::Sub,
        (true, false, 3) => Binary::Mul,
        (true, false, 7) => Binary::Div,
        _ => return None,
    };
    Some(Fp::Binary { op, lanes, rd, rn, rm, index: None })
}

const fn extreme(min: bool, num: bool) -> Binary {
    match (min, num) {
        (false, true) => Binary::MaxNum,
        (false, false) => Binary::Max,
        (true, true) => Binary::MinNum,
        (true, false) => Binary::Min,
    }
}

/// Complex numbers and BFloat16.
fn three_same_extra(word: u32) -> Option<Fp> {
    if !bit(word, 29) {
        return None;
    }
    let (rd, rn, rm) = (rd(word), rn(word), rm(word));
    let (size, opcode, q) = (bits(word, 22, 2), bits(word, 11, 4), bit(word, 30));
    match opcode {
        0b1111 if size == 1 => Some(Fp::Bf16Dot { lanes: Lanes::vector(SINGLE, q)?, rd, rn, rm, index: None }),
        0b1111 if size == 3 => Some(Fp::Bf16MulAddLong { top: q, rd, rn, rm, index: None }),
        0b1101 if size == 1 && q => Some(Fp::Bf16Matrix { rd, rn, rm }),
        0b1000..=0b1011 => {
            let lanes = Lanes::vector(sized(size)?, q)?;
            Some(Fp::ComplexMulAdd { lanes, quarters: (opcode & 3) as u8, rd, rn, rm, index: None })
        }
        0b1100 | 0b1110 => {
            let lanes = Lanes::vector(sized(size)?, q)?;
            Some(Fp::ComplexAdd { lanes, rot270: opcode == 0b1110, rd, rn, rm })
        }
        _ => None,
    }
}

/// Element formats as integer instructions number them.
fn sized(size: u32) -> Option<Format> {
    [None, Some(HALF), Some(SINGLE), Some(DOUBLE)][size as usize & 3]
}

/// Two registers: single and double, and conversions between formats.
fn two_misc(word: u32, kind: Kind) -> Option<Fp> {
    let (rd, rn) = (rd(word), rn(word));
    let (u, size, upper) = (bit(word, 29), bits(word, 22, 2), bit(word, 30));
    let (wide, narrow) = if size & 1 == 0 { (SINGLE, HALF) } else { (DOUBLE, SINGLE) };
    match (u, size, bits(word, 12, 5)) {
        (true, 1, 0b10110) => {
            let (from, to, rounding) = (DOUBLE, SINGLE, Some(Rounding::Odd));
            Some(match kind {
                Kind::Scalar => Fp::Convert { from, to, rounding, rd, rn },
                Kind::Vector => Fp::Narrow { from, to, rounding, upper, rd, rn },
            })
        }
        (_, _, 0b10110 | 0b10111) if kind == Kind::Scalar => None,
        (false, 0 | 1, 0b10110) => Some(Fp::Narrow { from: wide, to: narrow, rounding: None, upper, rd, rn }),
        (false, 2, 0b10110) => Some(Fp::Narrow { from: SINGLE, to: BF16, rounding: None, upper, rd, rn }),
        (false, 0 | 1, 0b10111) => Some(Fp::Lengthen { from: narrow, to: wide, upper, rd, rn }),
        _ => two_misc_op(word, kind, single_or_double(word)),
    }
}

fn two_misc_half(word: u32, kind: Kind) -> Option<Fp> {
    if bit(word, 22) { two_misc_op(word, kind, HALF) } else { None }
}

fn two_misc_op(word: u32, kind: Kind, format: Format) -> Option<Fp> {
    let (rd, rn) = (rd(word), rn(word));
    let (u, a, opcode) = (bit(word, 29), bit(word, 23), bits(word, 12, 5));
    if a && opcode == 0b11100 {
        // On 32-bit integers.
        let op = if u { Unary::UnsignedRsqrt } else { Unary::UnsignedRecip };
        let single = kind == Kind::Vector && format == SINGLE;
        return if single { Some(Fp::Unary { op, lanes: kind.lanes(word, SINGLE)?, rd, rn }) } else { None };
    }
    let lanes = kind.lanes(word, format)?;
    let relation = match (u, a, opcode) {
        (false, true, 0b01100) => Some(Relation::Greater),
        (false, true, 0b01101) => Some(Relation::Equal),
        (false, true, 0b01110) => Some(Relation::Less),
        (true, true, 0b01100) => Some(Relation::GreaterEqual),
        (true, true, 0b01101) => Some(Relation::LessEqual),
        _ => None,
    };
    if let Some(relation) = relation {
        return Some(Fp::CompareMask { relation, lanes, rd, rn, rm: None });
    }
    let place = IntegerPlace::Element;
    let to_integer = match (a, opcode) {
        (false, 0b11010) => Some(Rounding::TieEven),
        (false, 0b11011) => Some(Rounding::MinusInf),
        (false, 0b11100) => Some(Rounding::TieAway),
        (true, 0b11010) => Some(Rounding::PlusInf),
        (true, 0b11011) => Some(Rounding::Zero),
        _ => None,
    };
    if let Some(rounding) = to_integer {
        return Some(Fp::ToInteger { lanes, place, signedness: signedness(u), fraction: 0, rounding, rd, rn });
    }
    let op = match (u, a, opcode) {
        (_, false, 0b11101) => {
            return Some(Fp::FromInteger { lanes, place, signedness: signedness(u), fraction: 0, rd, rn });
        }
        (false, true, 0b11101) => Unary::RecipEstimate,
        (true, true, 0b11101) => Unary::RsqrtEstimate,
        (false, true, 0b11111) if kind == Kind::Scalar => Unary::RecipExponent,
        _ if kind == Kind::Scalar => return None,
        (false, true, 0b01111) => Unary::Abs,
        (true, true, 0b01111) => Unary::Neg,
        (true, true, 0b11111) => Unary::Sqrt,
        (_, _, 0b11000 | 0b11001) => {
            let (rounding, exactness) = match (u, a, opcode & 1) {
                (false, false, 0) => (Some(Rounding::TieEven), Exactness::Silent),
                (false, false, _) => (Some(Rounding::MinusInf), Exactness::Silent),
                (false, true, 0) => (Some(Rounding::PlusInf), Exactness::Silent),
                (false, true, _) => (Some(Rounding::Zero), Exactness::Silent),
                (true, false, 0) => (Some(Rounding::TieAway), Exactness::Silent),
                (true, false, _) => (None, Exactness::Signals),
                (true, true, 0) => return None,
                (true, true, _) => (None, Exactness::Silent),
            };
            Unary::RoundInt(rounding, exactness)
        }
        (_, false, 0b11110 | 0b11111) if format != HALF => {
            Unary::RoundIntN(if opcode & 1 == 0 { 32 } else { 64 }, (!u).then_some(Rounding::Zero))
        }
        _ => return None,
    };
    Some(Fp::Unary { op, lanes, rd, rn })
}

/// `fmaxv` and so on.
fn across(word: u32) -> Option<Fp> {
    let (u, sz) = (bit(word, 29), bit(word, 22));
    let format = if u { SINGLE } else { HALF };
    let lanes = Lanes::vector(format, bit(word, 30)).filter(|l| !sz && l.count >= 4)?;
    let op = match bits(word, 12, 5) {
        0b01100 => extreme(bit(word, 23), true),
        0b01111 => extreme(bit(word, 23), false),
        _ => return None,
    };
    Some(Fp::Across { op, lanes, rd: rd(word), rn: rn(word) })
}

/// `faddp` and so on of the two lowest elements.
fn pair(word: u32) -> Option<Fp> {
    let (a, sz) = (bit(word, 23), bit(word, 22));
    let format = match (bit(word, 29), sz) {
        (true, _) => single_or_double(word),
        (false, false) => HALF,
        (false, true) => return None,
    };
    let op = match (a, bits(word, 12, 5)) {
        (_, 0b01100) => extreme(a, true),
        (_, 0b01111) => extreme(a, false),
        (false, 0b01101) => Binary::Add,
        _ => return None,
    };
    Some(Fp::Across { op, lanes: Lanes { format, count: 2 }, rd: rd(word), rn: rn(word) })
}

/// `fmov` of a constant to each element.
fn immediate(word: u32) -> Option<Fp> {
    let (op, q) = (bit(word, 29), bit(word, 30));
    if bits(word, 12, 4) != 0b1111 {
        return None;
    }
    let format = match (op, bit(word, 11)) {
        (false, false) => SINGLE,
        (false, true) => HALF,
        (true, false) => DOUBLE,
        (true, true) => return None,
    };
    let imm8 = bits(word, 16, 3) << 5 | bits(word, 5, 5);
    let lanes = Lanes::vector(format, q)?;
    Some(Fp::Immediate { lanes, rd: rd(word), value: expand_immediate(format, imm8) })
}

/// Conversions from and to fixed point.
fn shift_immediate(word: u32, kind: Kind) -> Option<Fp> {
    let (rd, rn) = (rd(word), rn(word));
    let immhb = bits(word, 16, 7);
    let format = match immhb >> 3 {
        8.. => DOUBLE,
        4..8 => SINGLE,
        2..4 => HALF,
        _ => return None,
    };
    let lanes = kind.lanes(word, format)?;
    let fraction = 2 * format.bits() - immhb;
    let (place, signedness) = (IntegerPlace::Element, signedness(bit(word, 29)));
    match bits(word, 11, 5) {
        0b11100 => Some(Fp::FromInteger { lanes, place, signedness, fraction, rd, rn }),
        0b11111 => {
            let rounding = Rounding::Zero;
            Some(Fp::ToInteger { lanes, place, signedness, fraction, rounding, rd, rn })
        }
        _ => None,
    }
}

/// The second operand is one element.
fn by_element(word: u32, kind: Kind) -> Option<Fp> {
    let (rd, rn) = (rd(word), rn(word));
    let (u, size, opcode, q) = (bit(word, 29), bits(word, 22, 2), bits(word, 12, 4), bit(word, 30));
    let (h, l, m) = (bits(word, 11, 1), bits(word, 21, 1), bits(word, 20, 1));
    let (rm4, rm5) = (bits(word, 16, 4) as u8, rm(word));
    let (hlm, hl) = ((h << 2 | l << 1 | m) as u8, (h << 1 | l) as u8);
    if kind == Kind::Vector {
        match (u, size, opcode) {
            (false, 2, 0b0000 | 0b0100) | (true, 2, 0b1000 | 0b1100) => {
                let (count, neg_product) = (if q { 4 } else { 2 }, opcode & 4 != 0);
                return Some(Fp::MulAddLong { count, rd, rn, rm: rm4, index: Some(hlm), upper: u, neg_product });
            }
            (false, 1, 0b1111) => {
                let lanes = Lanes::vector(SINGLE, q)?;
                return Some(Fp::Bf16Dot { lanes, rd, rn, rm: rm5, index: Some(hl) });
            }
            (false, 3, 0b1111) => return Some(Fp::Bf16MulAddLong { top: q, rd, rn, rm: rm4, index: Some(hlm) }),
            (true, 1 | 2, 1 | 3 | 5 | 7) => {
                let lanes = Lanes::vector(sized(size)?, q)?;
                let index = match size {
                    1 if q || h == 0 => hl,
                    2 if q && l == 0 => h as u8,
                    _ => return None,
                };
                let quarters = (opcode >> 1) as u8;
                return Some(Fp::ComplexMulAdd { lanes, quarters, rd, rn, rm: rm5, index: Some(index) });
            }
            _ => {}
        }
    }
    let (format, index, rm) = match size {
        0 => (HALF, hlm, rm4),
        2 => (SINGLE, hl, rm5),
        3 if l == 0 => (DOUBLE, h as u8, rm5),
        _ => return None,
    };
    let lanes = kind.lanes(word, format)?;
    let index = Some(index);
    match (u, opcode) {
        (false, 0b0001 | 0b0101) => {
            let neg_product = opcode & 4 != 0;
            Some(Fp::MulAdd { lanes, rd, rn, rm, ra: rd, index, neg_product, neg_addend: false })
        }
        (_, 0b1001) => Some(Fp::Binary { op: if u { Binary::MulX } else { Binary::Mul }, lanes, rd, rn, rm, index }),
        _ => None,
    }
}
