//! `rep movs` and `rep stos` of x86_64 in one go. Unicorn does an element at a time, each as a block; C libraries copy
//! and clear whole buffers with them.

#![expect(unsafe_code, reason = "guest memory is copied in the window")]

use iced_x86::{Instruction, Mnemonic, Register};

use crate::mem::{Area, AreaName, GuestAddr, Prot, Space};

/// Bytes to do at most before asking whether to stop.
const CHUNK: u64 = 1 << 20;
/// Fewer elements than this are left to Unicorn.
const WORTH: u64 = 8;

/// What a repeated string instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Copy,
    Fill,
}

/// A repeated string instruction that can be done at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StringOp {
    operation: Operation,
    /// Bytes of an element.
    size: u64,
}

impl StringOp {
    /// `rep movs` and `rep stos` with 64-bit addresses and no segment of their own.
    pub(super) fn of(instruction: &Instruction) -> Option<StringOp> {
        let (operation, size) = match instruction.mnemonic() {
            Mnemonic::Movsb => (Operation::Copy, 1),
            Mnemonic::Movsw => (Operation::Copy, 2),
            Mnemonic::Movsd => (Operation::Copy, 4),
            Mnemonic::Movsq => (Operation::Copy, 8),
            Mnemonic::Stosb => (Operation::Fill, 1),
            Mnemonic::Stosw => (Operation::Fill, 2),
            Mnemonic::Stosd => (Operation::Fill, 4),
            Mnemonic::Stosq => (Operation::Fill, 8),
            _ => return None,
        };
        let wide = |register| matches!(register, Register::None | Register::RSI | Register::RDI);
        let plain = instruction.segment_prefix() == Register::None && (0..2).all(|i| wide(memory_base(instruction, i)));
        (plain && instruction.is_string_instruction()).then_some(StringOp { operation, size })
    }
}

/// The address register of a string operand, if the operand is one.
fn memory_base(instruction: &Instruction, operand: u32) -> Register {
    use iced_x86::OpKind;
    match instruction.try_op_kind(operand) {
        Ok(OpKind::MemorySegRSI) => Register::RSI,
        Ok(OpKind::MemoryESRDI) => Register::RDI,
        Ok(OpKind::Register) => Register::None,
        _ => Register::AX,
    }
}

/// The registers of a string instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StringRegs {
    pub(super) count: u64,
    pub(super) source: u64,
    pub(super) target: u64,
    pub(super) value: u64,
}

/// Does most of the elements that are left, upwards, and gives the registers after that. At least one element stays to be
/// done, and all those that need care: other than private anonymous memory, code, overlaps. `may_store` tells whether
/// a range of host addresses is free of code.
pub(super) fn advance(
    op: StringOp,
    regs: StringRegs,
    space: &Space,
    base: u64,
    may_store: impl Fn(u64, u64) -> bool,
) -> Option<StringRegs> {
    let room = |addr: u64, usable: &dyn Fn(&Area) -> bool| {
        let area = space.area_at(GuestAddr(addr)).filter(|a| is_plain(a) && usable(a))?;
        Some(area.end.0 - addr)
    };
    let wanted = regs.count.checked_sub(1)?.min(CHUNK / op.size) * op.size;
    let mut bytes = wanted.min(room(regs.target, &|a| a.prot.contains(Prot::WRITE))?);
    if op.operation == Operation::Copy {
        bytes = bytes.min(room(regs.source, &|a| !a.prot.is_empty())?);
    }
    let elements = bytes / op.size;
    let bytes = elements * op.size;
    let target = base + regs.target;
    if elements < WORTH || !may_store(target, bytes) {
        return None;
    }
    let mut after = StringRegs { count: regs.count - elements, target: regs.target + bytes, ..regs };
    match op.operation {
        Operation::Copy => {
            if regs.source < regs.target && regs.target < regs.source + bytes {
                return None;
            }
            let source = base + regs.source;
            // SAFETY: both ranges lie in areas of the window that permit the access and are private anonymous memory, and
            // no reference into guest memory exists.
            unsafe { std::ptr::copy(source as *const u8, target as *mut u8, bytes as usize) };
            after.source = regs.source + bytes;
        }
        Operation::Fill => {
            let value = regs.value.to_le_bytes();
            for i in 0..elements {
                let place = (target + i * op.size) as *mut u8;
                // SAFETY: as above; a place takes the low bytes of the value.
                unsafe { std::ptr::copy_nonoverlapping(value.as_ptr(), place, op.size as usize) };
            }
        }
    }
    Some(after)
}

/// Memory that the host can neither take away nor share.
fn is_plain(area: &Area) -> bool {
    !area.shared && matches!(area.name, AreaName::Heap | AreaName::Stack | AreaName::Anon)
}
