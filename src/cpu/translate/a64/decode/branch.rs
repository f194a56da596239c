//! Branches and exception-generating instructions (Arm ARM, C4.1.93).

use super::{Cond, Key, Reg, Width, bit, bits, reg, signed};

/// Whether a branch is taken when the tested value is zero or when it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names say it")]
pub enum When {
    Zero,
    NotZero,
}

/// Where an indirect branch leaves the return address, if anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// A jump.
    None,
    /// A call: X30 takes the address of the next instruction.
    X30,
    /// A return: predicted as such.
    Return,
}

/// How the target of an indirect branch is authenticated first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// With which key.
    pub key: Key,
    /// The modifier: a register (31 is SP), or zero if `None`.
    pub modifier: Option<Reg>,
}

/// A branch. Offsets are in bytes from the instruction itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the architecture's names")]
pub enum Insn {
    /// B, BL.
    Jump { link: bool, offset: i64 },
    /// B.cond.
    Conditional { cond: Cond, offset: i64 },
    /// CBZ, CBNZ.
    Compare { when: When, width: Width, rt: Reg, offset: i64 },
    /// TBZ, TBNZ.
    Test { when: When, rt: Reg, bit: u8, offset: i64 },
    /// BR, BLR, RET and their authenticated forms.
    Indirect { link: Link, rn: Reg, auth: Option<Authenticated> },
    /// SVC.
    Supervisor,
    /// BRK.
    Breakpoint,
}

/// Decodes a branch or an exception.
pub(super) fn decode(word: u32) -> Option<Insn> {
    let rt = reg(word, 0);
    let offset = signed(word, 5, 19) << 2;
    let when = if bit(word, 24) { When::NotZero } else { When::Zero };
    match bits(word, 29, 3) {
        0 | 4 => Some(Insn::Jump { link: bit(word, 31), offset: signed(word, 0, 26) << 2 }),
        1 | 5 if !bit(word, 25) => Some(Insn::Compare { when, width: Width::of(bit(word, 31)), rt, offset }),
        1 | 5 => {
            let number = bits(word, 31, 1) << 5 | bits(word, 19, 5);
            Some(Insn::Test { when, rt, bit: number as u8, offset: signed(word, 5, 14) << 2 })
        }
        // Bit 4 is BC.cond of FEAT_HBC, which HWCAP2 does not show.
        2 if bits(word, 24, 2) == 0 && !bit(word, 4) => Some(Insn::Conditional { cond: Cond::of(word), offset }),
        6 if bit(word, 25) => decode_indirect(word),
        6 if !bit(word, 24) => match (bits(word, 21, 3), bits(word, 0, 5)) {
            (0, 1) => Some(Insn::Supervisor),
            (1, 0) => Some(Insn::Breakpoint),
            // HVC, SMC, HLT and DCPS are UNDEFINED at EL0.
            _ => None,
        },
        _ => None,
    }
}

fn decode_indirect(word: u32) -> Option<Insn> {
    let (rn, op3, op4) = (reg(word, 5), bits(word, 10, 6), reg(word, 0));
    if bits(word, 16, 5) != 31 {
        return None;
    }
    let opcode = bits(word, 21, 4);
    let link = match opcode & 7 {
        0 => Link::None,
        1 => Link::X30,
        2 => Link::Return,
        // ERET and DRPS are UNDEFINED at EL0.
        _ => return None,
    };
    let key = if op3 & 1 == 0 { Key::Ia } else { Key::Ib };
    match (opcode, op3) {
        (0..=2, 0) if op4 == 0 => Some(Insn::Indirect { link, rn, auth: None }),
        (0 | 1, 2 | 3) if op4 == 31 => {
            Some(Insn::Indirect { link, rn, auth: Some(Authenticated { key, modifier: None }) })
        }
        (2, 2 | 3) if op4 == 31 && rn == 31 => {
            Some(Insn::Indirect { link, rn: 30, auth: Some(Authenticated { key, modifier: Some(31) }) })
        }
        (8 | 9, 2 | 3) => Some(Insn::Indirect { link, rn, auth: Some(Authenticated { key, modifier: Some(op4) }) }),
        _ => None,
    }
}
