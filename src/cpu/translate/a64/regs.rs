//! Where guest registers live while translated code runs.

use super::state::State;
use crate::cpu::translate::asm::{Gpr, Mem, Rm, Xm, Xmm};

/// `rbp` + this is a field of the state.
macro_rules! field {
    ($($path:tt)+) => {
        std::mem::offset_of!(State, $($path)+) as i32 - State::BIAS
    };
}
pub(crate) use field;

/// Instructions that may still retire.
pub const BUDGET: Gpr = Gpr::R15;
/// The state, plus [`State::BIAS`].
pub const STATE: Gpr = Gpr::Rbp;

/// The number of the stack pointer among [`PINNED`] and for [`place`].
pub const SP: u8 = 32;

/// Guest registers in host registers: those that compilers use most. All others are memory operands.
pub const PINNED: [(u8, Gpr); 10] = [
    (0, Gpr::Rdi),
    (1, Gpr::Rsi),
    (2, Gpr::R8),
    (3, Gpr::R9),
    (4, Gpr::R10),
    (5, Gpr::R11),
    (19, Gpr::Rbx),
    (20, Gpr::R12),
    (30, Gpr::R13),
    (SP, Gpr::R14),
];

/// Guest vector registers in host registers. `xmm0` ... `xmm3` are for emitters.
pub const PINNED_V: [(u8, Xmm); 12] = [
    (0, Xmm(4)),
    (1, Xmm(5)),
    (2, Xmm(6)),
    (3, Xmm(7)),
    (4, Xmm(8)),
    (5, Xmm(9)),
    (6, Xmm(10)),
    (7, Xmm(11)),
    (16, Xmm(12)),
    (17, Xmm(13)),
    (18, Xmm(14)),
    (19, Xmm(15)),
];

/// Where a guest register is pinned: x0 ... x30, or [`SP`].
pub const fn pinned(reg: u8) -> Option<Gpr> {
    let mut i = 0;
    while i < PINNED.len() {
        if PINNED[i].0 == reg {
            return Some(PINNED[i].1);
        }
        i += 1;
    }
    None
}

/// Where a guest vector register is pinned.
pub const fn pinned_v(reg: u8) -> Option<Xmm> {
    let mut i = 0;
    while i < PINNED_V.len() {
        if PINNED_V[i].0 == reg {
            return Some(PINNED_V[i].1);
        }
        i += 1;
    }
    None
}

/// The state's place for a guest register: x0 ... x30, 31 for the zero register, or [`SP`].
pub fn slot(reg: u8) -> Mem {
    let disp = match reg {
        31 => field!(zero),
        SP => field!(sp),
        _ => field!(x) + i32::from(reg) * 8,
    };
    Mem::host(STATE, disp)
}

/// The state's place for a vector register.
pub fn slot_v(reg: u8) -> Mem {
    Mem::host(STATE, field!(v) + i32::from(reg) * 16)
}

/// A guest register as an operand: x0 ... x30, 31 for the zero register, or [`SP`].
pub fn place(reg: u8) -> Rm {
    pinned(reg).map_or(Rm::Mem(slot(reg)), Rm::Reg)
}

/// A vector register as an operand.
pub fn place_v(reg: u8) -> Xm {
    pinned_v(reg).map_or(Xm::Mem(slot_v(reg)), Xm::Reg)
}
