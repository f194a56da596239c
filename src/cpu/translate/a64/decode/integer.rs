//! Data processing with immediates and with registers (Arm ARM, C4.1.92 and C4.1.95).

use super::{Cond, Extend, Key, Reg, Shift, Width, bit, bits, reg, signed};

/// An addition or a subtraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum AddSub {
    Add,
    Sub,
}

/// Whether NZCV is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flags {
    /// NZCV stays.
    Keep,
    /// NZCV is set from the result.
    Set,
}

/// A bitwise operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Logic {
    And,
    Orr,
    Eor,
    /// And, setting the flags.
    Ands,
}

/// The move-wide instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveWide {
    /// The inverse of the shifted immediate.
    Not,
    /// The shifted immediate.
    Zero,
    /// 16 bits replaced.
    Keep,
}

/// The bit-field moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bitfield {
    /// The rest is filled with the sign.
    Signed,
    /// The rest of the target stays.
    Insert,
    /// The rest is zero.
    Unsigned,
}

/// What a conditional select does to its second operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Select {
    Plain,
    Increment,
    Invert,
    Negate,
}

/// Operations on one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unary {
    /// Bits reversed.
    Rbit,
    /// Bytes reversed in each half-word.
    Rev16,
    /// Bytes reversed in each word.
    Rev32,
    /// Bytes reversed in the register (64-bit form only; of 32 bits it is `Rev32`).
    Rev64,
    /// Leading zeros.
    Clz,
    /// Leading bits that equal the sign, without it.
    Cls,
}

/// The second operand of a conditional compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum Rhs {
    Reg(Reg),
    Imm(u8),
}

/// What happens to a pointer with its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auth {
    /// The code is inserted.
    Sign,
    /// The code is checked and removed.
    Check,
}

/// A data-processing instruction. Register 31 is the zero register unless a field says SP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the architecture's names")]
pub enum Insn {
    /// ADD, SUB and their flag-setting forms; `rn` may be SP, and `rd` too if no flags are set.
    AddSubImm { op: AddSub, flags: Flags, width: Width, rd: Reg, rn: Reg, imm: u32 },
    /// With a shifted register.
    AddSubShift { op: AddSub, flags: Flags, width: Width, rd: Reg, rn: Reg, rm: Reg, shift: Shift, amount: u8 },
    /// With an extended register; `rn` may be SP, and `rd` too if no flags are set.
    AddSubExtend { op: AddSub, flags: Flags, width: Width, rd: Reg, rn: Reg, rm: Reg, extend: Extend, amount: u8 },
    /// ADC, SBC.
    AddSubCarry { op: AddSub, flags: Flags, width: Width, rd: Reg, rn: Reg, rm: Reg },
    /// `rd` may be SP if no flags are set.
    LogicImm { op: Logic, width: Width, rd: Reg, rn: Reg, imm: u64 },
    /// `invert` inverts the shifted operand.
    LogicShift { op: Logic, invert: bool, width: Width, rd: Reg, rn: Reg, rm: Reg, shift: Shift, amount: u8 },
    /// MOVN, MOVZ, MOVK.
    MoveWide { op: MoveWide, width: Width, rd: Reg, imm: u16, shift: u8 },
    /// ADR; ADRP where `page` is set.
    Adr { rd: Reg, page: bool, offset: i64 },
    /// SBFM, BFM, UBFM.
    Bitfield { op: Bitfield, width: Width, rd: Reg, rn: Reg, immr: u8, imms: u8 },
    /// EXTR.
    Extract { width: Width, rd: Reg, rn: Reg, rm: Reg, lsb: u8 },
    /// CCMP, CCMN.
    CondCompare { op: AddSub, width: Width, rn: Reg, rhs: Rhs, cond: Cond, nzcv: u8 },
    /// CSEL, CSINC, CSINV, CSNEG.
    CondSelect { op: Select, width: Width, rd: Reg, rn: Reg, rm: Reg, cond: Cond },
    /// LSLV, LSRV, ASRV, RORV.
    ShiftReg { op: Shift, width: Width, rd: Reg, rn: Reg, rm: Reg },
    /// UDIV, SDIV.
    Divide { signed: bool, width: Width, rd: Reg, rn: Reg, rm: Reg },
    /// MADD, MSUB.
    Multiply { op: AddSub, width: Width, rd: Reg, rn: Reg, rm: Reg, ra: Reg },
    /// SMADDL, SMSUBL, UMADDL, UMSUBL.
    MultiplyLong { op: AddSub, signed: bool, rd: Reg, rn: Reg, rm: Reg, ra: Reg },
    /// SMULH, UMULH.
    MultiplyHigh { signed: bool, rd: Reg, rn: Reg, rm: Reg },
    /// CRC32, CRC32C of `1 << size` bytes.
    Crc32 { castagnoli: bool, size: u8, rd: Reg, rn: Reg, rm: Reg },
    /// RBIT and so on.
    Unary { op: Unary, width: Width, rd: Reg, rn: Reg },
    /// PACIA and so on; `rn` is SP at 31, no register (modifier 0) if `None`.
    Auth { op: Auth, key: Key, rd: Reg, rn: Option<Reg> },
    /// XPACI, XPACD.
    Strip { data: bool, rd: Reg },
    /// PACGA; `rm` may be SP.
    GenericCode { rd: Reg, rn: Reg, rm: Reg },
    /// RMIF: flags from a rotated register.
    RotateFlags { rn: Reg, amount: u8, mask: u8 },
    /// SETF8, SETF16.
    SetFlags { bits: u8, rn: Reg },
}

/// The immediate of a logical instruction (Arm ARM, DecodeBitMasks), `None` where reserved.
pub fn logical_immediate(n: u32, immr: u32, imms: u32) -> Option<u64> {
    let length = 31u32.checked_sub((n << 6 | (!imms & 0x3f)).leading_zeros())?;
    if length == 0 {
        return None;
    }
    let size = 1u32 << length;
    let (ones, rotate) = (imms & (size - 1), immr & (size - 1));
    if ones == size - 1 {
        return None;
    }
    let element = (1u64 << (ones + 1)) - 1;
    let mask = u64::MAX >> (64 - size);
    let rotated = if rotate == 0 { element } else { (element >> rotate | element << (size - rotate)) & mask };
    // Copies of the element: a multiplication by 1 at each multiple of its size.
    Some(rotated.wrapping_mul(u64::MAX / mask))
}

/// Decodes data processing with an immediate.
pub(super) fn decode_immediate(word: u32) -> Option<Insn> {
    let width = Width::of(bit(word, 31));
    let (rd, rn) = (reg(word, 0), reg(word, 5));
    let (immr, imms) = (bits(word, 16, 6), bits(word, 10, 6));
    let flags = if bit(word, 29) { Flags::Set } else { Flags::Keep };
    let small = width == Width::W;
    match bits(word, 23, 3) {
        0 | 1 => {
            let page = bit(word, 31);
            let imm = signed(word, 5, 19) << 2 | i64::from(bits(word, 29, 2));
            Some(Insn::Adr { rd, page, offset: if page { imm << 12 } else { imm } })
        }
        2 => {
            let op = if bit(word, 30) { AddSub::Sub } else { AddSub::Add };
            let imm = bits(word, 10, 12) << if bit(word, 22) { 12 } else { 0 };
            Some(Insn::AddSubImm { op, flags, width, rd, rn, imm })
        }
        4 => {
            if small && bit(word, 22) {
                return None;
            }
            let imm = logical_immediate(bits(word, 22, 1), immr, imms)?;
            let imm = if small { imm & 0xffff_ffff } else { imm };
            Some(Insn::LogicImm { op: logic(word), width, rd, rn, imm })
        }
        5 => {
            let op = match bits(word, 29, 2) {
                0 => MoveWide::Not,
                2 => MoveWide::Zero,
                3 => MoveWide::Keep,
                _ => return None,
            };
            let shift = bits(word, 21, 2) as u8 * 16;
            (!small || shift < 32).then_some(Insn::MoveWide { op, width, rd, imm: bits(word, 5, 16) as u16, shift })
        }
        6 => {
            let op = match bits(word, 29, 2) {
                0 => Bitfield::Signed,
                1 => Bitfield::Insert,
                2 => Bitfield::Unsigned,
                _ => return None,
            };
            let valid = bit(word, 22) != small && !(small && (immr | imms) & 32 != 0);
            valid.then_some(Insn::Bitfield { op, width, rd, rn, immr: immr as u8, imms: imms as u8 })
        }
        7 => {
            let valid =
                bits(word, 29, 2) == 0 && !bit(word, 21) && bit(word, 22) != small && !(small && imms & 32 != 0);
            valid.then_some(Insn::Extract { width, rd, rn, rm: reg(word, 16), lsb: imms as u8 })
        }
        // ADDG and SUBG belong to memory tagging.
        _ => None,
    }
}

fn logic(word: u32) -> Logic {
    match bits(word, 29, 2) {
        0 => Logic::And,
        1 => Logic::Orr,
        2 => Logic::Eor,
        _ => Logic::Ands,
    }
}

/// Decodes data processing with registers.
pub(super) fn decode_register(word: u32) -> Option<Insn> {
    let width = Width::of(bit(word, 31));
    let (rd, rn, rm) = (reg(word, 0), reg(word, 5), reg(word, 16));
    let op = if bit(word, 30) { AddSub::Sub } else { AddSub::Add };
    let flags = if bit(word, 29) { Flags::Set } else { Flags::Keep };
    if bit(word, 28) {
        return decode_other(word, width, op, flags);
    }
    let amount = bits(word, 10, 6) as u8;
    let shift = Shift::of(bits(word, 22, 2));
    let in_range = width == Width::X || amount < 32;
    if !bit(word, 24) {
        let insn = Insn::LogicShift { op: logic(word), invert: bit(word, 21), width, rd, rn, rm, shift, amount };
        in_range.then_some(insn)
    } else if !bit(word, 21) {
        (in_range && shift != Shift::Ror).then_some(Insn::AddSubShift { op, flags, width, rd, rn, rm, shift, amount })
    } else {
        let (extend, amount) = (Extend::of(bits(word, 13, 3)), bits(word, 10, 3) as u8);
        let valid = bits(word, 22, 2) == 0 && amount <= 4;
        valid.then_some(Insn::AddSubExtend { op, flags, width, rd, rn, rm, extend, amount })
    }
}

fn decode_other(word: u32, width: Width, op: AddSub, flags: Flags) -> Option<Insn> {
    let (rd, rn, rm) = (reg(word, 0), reg(word, 5), reg(word, 16));
    let cond = Cond::of(bits(word, 12, 4));
    let keeps = flags == Flags::Keep;
    match bits(word, 21, 4) {
        0 => {
            if bits(word, 10, 6) == 0 {
                return Some(Insn::AddSubCarry { op, flags, width, rd, rn, rm });
            }
            decode_flags(word)
        }
        2 => {
            let rhs = if bit(word, 11) { Rhs::Imm(rm) } else { Rhs::Reg(rm) };
            let valid = !keeps && !bit(word, 10) && !bit(word, 4);
            valid.then_some(Insn::CondCompare { op, width, rn, rhs, cond, nzcv: bits(word, 0, 4) as u8 })
        }
        4 => {
            let select = match (op, bits(word, 10, 2)) {
                (AddSub::Add, 0) => Select::Plain,
                (AddSub::Add, 1) => Select::Increment,
                (AddSub::Sub, 0) => Select::Invert,
                (AddSub::Sub, 1) => Select::Negate,
                _ => return None,
            };
            keeps.then_some(Insn::CondSelect { op: select, width, rd, rn, rm, cond })
        }
        6 if !keeps => None,
        6 if op == AddSub::Add => decode_two_sources(word, width),
        6 => decode_one_source(word, width),
        8.. => decode_multiply(word, width),
        _ => None,
    }
}

/// RMIF, SETF8, SETF16.
fn decode_flags(word: u32) -> Option<Insn> {
    let rn = reg(word, 5);
    if word & 0xffe0_7c10 == 0xba00_0400 {
        return Some(Insn::RotateFlags { rn, amount: bits(word, 15, 6) as u8, mask: bits(word, 0, 4) as u8 });
    }
    let bits = if bit(word, 14) { 16 } else { 8 };
    (word & 0xffff_bc1f == 0x3a00_080d).then_some(Insn::SetFlags { bits, rn })
}

fn decode_two_sources(word: u32, width: Width) -> Option<Insn> {
    let (rd, rn, rm) = (reg(word, 0), reg(word, 5), reg(word, 16));
    let opcode = bits(word, 10, 6);
    match opcode {
        2 | 3 => Some(Insn::Divide { signed: opcode == 3, width, rd, rn, rm }),
        8..=11 => Some(Insn::ShiftReg { op: Shift::of(opcode), width, rd, rn, rm }),
        12 if width == Width::X => Some(Insn::GenericCode { rd, rn, rm }),
        16..=23 => {
            let size = bits(opcode, 0, 2) as u8;
            let valid = (size == 3) == (width == Width::X);
            valid.then_some(Insn::Crc32 { castagnoli: bit(opcode, 2), size, rd, rn, rm })
        }
        _ => None,
    }
}

fn decode_one_source(word: u32, width: Width) -> Option<Insn> {
    let (rd, rn, opcode) = (reg(word, 0), reg(word, 5), bits(word, 10, 6));
    match bits(word, 16, 5) {
        0 => {
            let op = match opcode {
                0 => Unary::Rbit,
                1 => Unary::Rev16,
                2 => Unary::Rev32,
                3 if width == Width::X => Unary::Rev64,
                4 => Unary::Clz,
                5 => Unary::Cls,
                _ => return None,
            };
            Some(Insn::Unary { op, width, rd, rn })
        }
        1 if width == Width::X => {
            let op = if bit(opcode, 2) { Auth::Check } else { Auth::Sign };
            match opcode {
                0..=7 => Some(Insn::Auth { op, key: Key::of(opcode), rd, rn: Some(rn) }),
                8..=15 if rn == 31 => Some(Insn::Auth { op, key: Key::of(opcode), rd, rn: None }),
                16 | 17 if rn == 31 => Some(Insn::Strip { data: opcode == 17, rd }),
                _ => None,
            }
        }
        _ => None,
    }
}

fn decode_multiply(word: u32, width: Width) -> Option<Insn> {
    let (rd, rn, rm, ra) = (reg(word, 0), reg(word, 5), reg(word, 16), reg(word, 10));
    if bits(word, 29, 2) != 0 {
        return None;
    }
    let op = if bit(word, 15) { AddSub::Sub } else { AddSub::Add };
    let opcode = bits(word, 21, 3);
    match (opcode, width) {
        (0, _) => Some(Insn::Multiply { op, width, rd, rn, rm, ra }),
        (1 | 5, Width::X) => Some(Insn::MultiplyLong { op, signed: opcode == 1, rd, rn, rm, ra }),
        (2 | 6, Width::X) if op == AddSub::Add => Some(Insn::MultiplyHigh { signed: opcode == 2, rd, rn, rm }),
        _ => None,
    }
}
