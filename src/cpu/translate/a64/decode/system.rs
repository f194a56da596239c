//! Hints, barriers, system registers and cache maintenance, as far as EL0 may use them under Linux (Arm ARM, C4.1.93).

use super::integer::Auth;
use super::{Key, Reg, bit, bits, reg};

/// A system register that EL0 can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SysReg {
    /// NZCV
    Nzcv,
    /// FPCR
    Fpcr,
    /// FPSR
    Fpsr,
    /// TPIDR_EL0
    Tpidr,
    /// CNTVCT_EL0, CNTVCTSS_EL0: the counter.
    Counter,
    /// A register that never changes, by its value.
    Constant(u64),
}

/// A system instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the architecture's names")]
pub enum Insn {
    /// A hint without effect, or a barrier that one host thread needs not.
    Nop,
    /// CLREX.
    ClearExclusive,
    /// ISB: instructions that follow are fetched anew.
    InstructionBarrier,
    /// PACIASP and the like: X`rd`, modifier X`rn` (31 is SP) or zero.
    Auth { op: Auth, key: Key, rd: Reg, rn: Option<Reg> },
    /// XPACLRI.
    StripLr,
    /// CFINV.
    InvertCarry,
    /// XAFLAG.
    FlagsFromExternal,
    /// AXFLAG.
    FlagsToExternal,
    /// MRS; the zero register at 31.
    Read { register: SysReg, rt: Reg },
    /// MSR with a register, of what EL0 can write.
    Write { register: SysReg, rt: Reg },
    /// DC ZVA.
    ZeroBlock { rt: Reg },
    /// DC CVAC, CVAU, CVAP, CVADP, CIVAC: no effect but the fault.
    CleanData { rt: Reg },
    /// IC IVAU: instructions of the line are fetched anew.
    InvalidateInstructions { rt: Reg },
}

/// Bytes that DC ZVA clears.
pub const ZVA_BYTES: u64 = 64;

/// CTR_EL0: lines of 64 bytes for data and instructions, PIPT; neither IDC nor DIC, so that programs maintain caches.
const CTR: u64 = 1 << 31 | 4 << 24 | 4 << 20 | 4 << 16 | 3 << 14 | 4;
/// DCZID_EL0: `DC ZVA` is allowed, for 16 words.
const DCZID: u64 = 4;
/// CNTFRQ_EL0 in Hz.
const FREQUENCY: u64 = 1_000_000_000;

/// Decodes what has bits 31 to 22 of the system class.
pub(super) fn decode(word: u32) -> Option<Insn> {
    let (rt, op1, crn, crm, op2) =
        (reg(word, 0), bits(word, 16, 3), bits(word, 12, 4), bits(word, 8, 4), bits(word, 5, 3));
    let load = bit(word, 21);
    match bits(word, 19, 2) {
        0 if load || rt != 31 => None,
        0 => match (op1, crn) {
            (3, 2) => Some(hint(crm << 3 | op2)),
            (3, 3) => match op2 {
                2 => Some(Insn::ClearExclusive),
                4 | 5 => Some(Insn::Nop),
                6 => Some(Insn::InstructionBarrier),
                7 if crm == 0 => Some(Insn::Nop),
                _ => None,
            },
            (0, 4) if crm == 0 => match op2 {
                0 => Some(Insn::InvertCarry),
                1 => Some(Insn::FlagsFromExternal),
                2 => Some(Insn::FlagsToExternal),
                _ => None,
            },
            _ => None,
        },
        1 if load || op1 != 3 || crn != 7 => None,
        1 => match (crm, op2) {
            (4, 1) => Some(Insn::ZeroBlock { rt }),
            (5, 1) => Some(Insn::InvalidateInstructions { rt }),
            (10..=14, 1) => Some(Insn::CleanData { rt }),
            _ => None,
        },
        2 => None,
        _ => {
            let register = register(op1, crn, crm, op2)?;
            if load {
                return Some(Insn::Read { register, rt });
            }
            let writable = !matches!(register, SysReg::Counter | SysReg::Constant(_));
            writable.then_some(Insn::Write { register, rt })
        }
    }
}

fn hint(number: u32) -> Insn {
    let auth = |op, key, rd, rn| Insn::Auth { op, key, rd, rn };
    let op = if number & 4 == 0 { Auth::Sign } else { Auth::Check };
    let key = if number & 2 == 0 { Key::Ia } else { Key::Ib };
    match number {
        7 => Insn::StripLr,
        8 | 10 | 12 | 14 => auth(op, key, 17, Some(16)),
        24 | 26 | 28 | 30 => auth(op, key, 30, None),
        25 | 27 | 29 | 31 => auth(op, key, 30, Some(31)),
        _ => Insn::Nop,
    }
}

fn register(op1: u32, crn: u32, crm: u32, op2: u32) -> Option<SysReg> {
    Some(match (op1, crn, crm, op2) {
        (3, 4, 2, 0) => SysReg::Nzcv,
        (3, 4, 4, 0) => SysReg::Fpcr,
        (3, 4, 4, 1) => SysReg::Fpsr,
        (3, 13, 0, 2) => SysReg::Tpidr,
        // TPIDRRO_EL0: Linux keeps it zero for 64-bit programs.
        (3, 13, 0, 3) => SysReg::Constant(0),
        (3, 0, 0, 1) => SysReg::Constant(CTR),
        (3, 0, 0, 7) => SysReg::Constant(DCZID),
        (3, 14, 0, 0) => SysReg::Constant(FREQUENCY),
        (3, 14, 0, 2 | 6) => SysReg::Counter,
        (0, 0, crm, op2) => SysReg::Constant(super::super::features::id_register(crm, op2)?),
        _ => return None,
    })
}
