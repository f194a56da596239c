//! What memory an instruction wanted, computed again after it has faulted.

use super::decode::memory::{Address, Atomic, Data, Direction, Elements, Insn};
use super::decode::system;
use super::decode::{self, Extend};
use super::regs::SP;
use super::soft::pointer;
use super::state::State;
use crate::cpu::Access;
use crate::cpu::translate::front::Wanted;

/// The range of bytes that the instruction at the pc accesses. `None` if it accesses none.
pub(super) fn wanted(word: u32, state: &State) -> Option<Wanted> {
    match decode::decode(word) {
        decode::Insn::Memory(insn) => of_memory(insn, state),
        decode::Insn::System(system::Insn::ZeroBlock { rt }) => {
            // The line lies in one page, and the address that faults is the register's (D7.2.40, FAR_EL1).
            Some(Wanted { addr: read(state, rt), len: 1, access: Access::Write })
        }
        decode::Insn::System(system::Insn::CleanData { rt } | system::Insn::InvalidateInstructions { rt }) => {
            Some(Wanted { addr: read(state, rt), len: 1, access: Access::Read })
        }
        _ => None,
    }
}

/// x0 ... x30, 31 for zero, or [`SP`].
fn read(state: &State, reg: u8) -> u64 {
    match reg {
        SP => state.sp,
        31 => 0,
        _ => state.x[usize::from(reg & 31)],
    }
}

fn base(state: &State, rn: u8) -> u64 {
    read(state, if rn == 31 { SP } else { rn })
}

fn of_direction(direction: Direction) -> Access {
    match direction {
        Direction::Load => Access::Read,
        Direction::Store => Access::Write,
    }
}

fn extended(value: u64, extend: Extend) -> u64 {
    let unused = 64 - u32::from(extend.bits);
    match extend.signed {
        true => ((value << unused) as i64 >> unused) as u64,
        false => value << unused >> unused,
    }
}

fn address(state: &State, address: Address) -> u64 {
    let plus = |rn: u8, offset: i32| base(state, rn).wrapping_add_signed(i64::from(offset));
    match address {
        Address::Offset { rn, offset } | Address::PreIndex { rn, offset } => plus(rn, offset),
        Address::PostIndex { rn, .. } => base(state, rn),
        Address::Register { rn, rm, extend, shift } => {
            base(state, rn).wrapping_add(extended(read(state, rm), extend) << shift)
        }
        Address::Literal { offset } => state.pc.wrapping_add_signed(i64::from(offset)),
    }
}

fn of_memory(insn: Insn, state: &State) -> Option<Wanted> {
    let bytes = |data: Data| 1u64 << data.size();
    let at = |rn: u8, len: u64, access: Access| Some(Wanted { addr: base(state, rn), len, access });
    match insn {
        Insn::Single { direction, data, address: place, .. } => {
            Some(Wanted { addr: address(state, place), len: bytes(data), access: of_direction(direction) })
        }
        Insn::Pair { direction, data, address: place, .. } => {
            Some(Wanted { addr: address(state, place), len: 2 * bytes(data), access: of_direction(direction) })
        }
        Insn::Authenticated { key, rn, offset, .. } => {
            let addr = pointer::check(base(state, rn), 0, key);
            Some(Wanted { addr: addr.wrapping_add_signed(i64::from(offset)), len: 8, access: Access::Read })
        }
        Insn::Prefetch => None,
        Insn::LoadExclusive { size, rt2, rn, .. } => at(rn, (1 << size) << u32::from(rt2.is_some()), Access::Read),
        Insn::StoreExclusive { size, rt2, rn, .. } => at(rn, (1 << size) << u32::from(rt2.is_some()), Access::Write),
        Insn::CompareSwap { size, rn, .. } => at(rn, 1 << size, Access::Write),
        Insn::CompareSwapPair { size, rn, .. } => at(rn, 2 << size, Access::Write),
        Insn::Atomic { op, size, rn, .. } => {
            let _: Atomic = op;
            at(rn, 1 << size, Access::Write)
        }
        Insn::Structure { direction, elements, size, quad, rn, .. } => {
            let len = match elements {
                Elements::Multiple { registers, .. } => u64::from(registers) * if quad { 16 } else { 8 },
                Elements::Single { structure, .. } | Elements::Replicate { structure } => u64::from(structure) << size,
            };
            at(rn, len, of_direction(direction))
        }
    }
}
