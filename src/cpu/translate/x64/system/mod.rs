//! Instructions that are done outside of translated code: those that show or change what the host's registers do not hold for the guest,
//! and forms of others that no compiler makes.
//!
//! They work on [`Regs`] and the [`Space`]; what they tell is the guest's processor ([`Cpuid`]) and Linux's segments, never the host's.

mod segment;
mod stack;
mod string;
mod xsave;

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::state::State;
use super::wanted::decode;
use crate::arch::cpuid::Cpuid;
use crate::arch::x86_64::{RAX, RBX, RCX, RDX, Regs, is_canonical};
use crate::cpu::{Access, Exit, FaultKind};
use crate::mem::{GuestAddr, Space};

/// #GP.
const PROTECTION: Exit = Exit::Illegal { privileged: true };
/// #UD.
const UNDEFINED: Exit = Exit::Illegal { privileged: false };

/// An instruction at work: done, or the exit that it ends in, with no register changed.
type Done = Result<(), Exit>;

/// Does the instruction in `bytes`, at the pc, and goes behind it. If it cannot, the exit says why.
pub(super) fn help(regs: &mut Regs, space: &mut Space, bytes: &[u8], cpuid: Cpuid) -> Option<Exit> {
    let Some(insn) = decode(bytes, regs.rip) else { return Some(UNDEFINED) };
    let mut after = regs.clone();
    after.rip = insn.next_ip();
    let mut one = One { insn: &insn, regs: &mut after, space, cpuid };
    let exit = one.execute().err();
    match exit {
        None => *regs = after,
        // What has been repeated stays done.
        Some(_) if insn.is_string_instruction() => *regs = Regs { rip: regs.rip, ..after },
        Some(_) => {}
    }
    exit
}

/// Does `rdtsc` or `rdtscp` with this value of the counter. The processor that runs has the number 0.
pub(super) fn read_counter(state: &mut State, bytes: &[u8], value: u64) {
    let Some(insn) = decode(bytes, state.pc) else { return };
    state.gpr[RAX] = value & 0xffff_ffff;
    state.gpr[RDX] = value >> 32;
    if insn.mnemonic() == Mnemonic::Rdtscp {
        state.gpr[RCX] = 0;
    }
    state.pc = insn.next_ip();
}

/// One instruction, with registers that count only if it is done.
struct One<'a> {
    insn: &'a Instruction,
    regs: &'a mut Regs,
    space: &'a mut Space,
    cpuid: Cpuid,
}

impl One<'_> {
    fn execute(&mut self) -> Done {
        use Mnemonic::*;
        if self.insn.is_string_instruction() {
            return self.string();
        }
        match self.insn.mnemonic() {
            Cpuid => self.cpuid(),
            Xgetbv => self.xgetbv(),
            Wrfsbase | Wrgsbase => self.write_base(),
            Pushf | Pushfq => self.push_flags(),
            Popf | Popfq => self.pop_flags(),
            Pop => self.pop(),
            Enter => self.enter(),
            Leave => self.leave_word(),
            Iretq => self.iret(),
            Iret | Iretd => Err(PROTECTION),
            Retf => self.return_far(),
            Jmp => self.jump_far(),
            Call => self.call_far(),
            Mov | Lfs | Lgs | Lss => self.load_segment_operand(),
            Lsl => self.segment_limit(),
            Sgdt | Sidt => self.store_table(),
            Sldt | Str | Smsw => self.store_machine_word(),
            Fxsave | Fxsave64 => self.fxsave(),
            Fxrstor | Fxrstor64 => self.fxrstor(),
            Xsave | Xsave64 | Xsaveopt | Xsaveopt64 => self.xsave(),
            Xsavec | Xsavec64 => self.xsavec(),
            Xrstor | Xrstor64 => self.xrstor(),
            Maskmovq | Maskmovdqu | Vmaskmovdqu => self.masked_store(),
            _ => Err(UNDEFINED),
        }
    }

    // Operands.

    fn gpr(&self, register: Register) -> u64 {
        let value = self.regs.gpr[register.full_register().number() & 15];
        match register.size() {
            1 => value & 0xff,
            2 => value & 0xffff,
            4 => value & 0xffff_ffff,
            _ => value,
        }
    }

    /// Writes a general register as instructions do: 32 bits clear the rest, fewer leave it alone.
    fn set_gpr(&mut self, register: Register, value: u64) {
        let place = &mut self.regs.gpr[register.full_register().number() & 15];
        *place = match register.size() {
            2 => *place & !0xffff | value & 0xffff,
            4 => value & 0xffff_ffff,
            _ => value,
        };
    }

    /// The linear address of a memory operand.
    fn address(&self, operand: u32) -> Result<u64, Exit> {
        let registers = |register: Register, _: usize, _: usize| {
            Some(match register {
                Register::FS => self.regs.fs_base,
                Register::GS => self.regs.gs_base,
                r if r.is_gpr() => self.gpr(r),
                _ => 0,
            })
        };
        self.insn.virtual_address(operand, 0, registers).ok_or(UNDEFINED)
    }

    // Memory.

    /// Why a range cannot be accessed, if so.
    fn check(&self, addr: u64, len: u64, access: Access) -> Done {
        match super::super::refused_byte(self.space, addr, len, access) {
            Some((addr, _)) if !is_canonical(addr) => {
                Err(Exit::Fault { addr: GuestAddr(addr), access, kind: FaultKind::NonCanonical })
            }
            Some((addr, kind)) => Err(Exit::Fault { addr: GuestAddr(addr), access, kind }),
            None => Ok(()),
        }
    }

    fn read<const N: usize>(&self, addr: u64) -> Result<[u8; N], Exit> {
        let mut bytes = [0; N];
        self.check(addr, N as u64, Access::Read)?;
        let beyond = Exit::Fault { addr: GuestAddr(addr), access: Access::Read, kind: FaultKind::BeyondFile };
        self.space.read(GuestAddr(addr), &mut bytes).map_err(|_| beyond)?;
        Ok(bytes)
    }

    /// Reads an unsigned number of at most 8 bytes.
    fn read_number(&self, addr: u64, len: usize) -> Result<u64, Exit> {
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b));
        match len {
            1 => self.read::<1>(addr).map(|b| number(&b)),
            2 => self.read::<2>(addr).map(|b| number(&b)),
            4 => self.read::<4>(addr).map(|b| number(&b)),
            _ => self.read::<8>(addr).map(|b| number(&b)),
        }
    }

    fn write(&mut self, addr: u64, bytes: &[u8]) -> Done {
        self.check(addr, bytes.len() as u64, Access::Write)?;
        let beyond = Exit::Fault { addr: GuestAddr(addr), access: Access::Write, kind: FaultKind::BeyondFile };
        self.space.write(GuestAddr(addr), bytes).map_err(|_| beyond)
    }

    // The processor.

    fn cpuid(&mut self) -> Done {
        let words = self.cpuid.leaf(self.regs.gpr[RAX] as u32, self.regs.gpr[RCX] as u32);
        for (register, word) in [RAX, RBX, RCX, RDX].into_iter().zip(words) {
            self.regs.gpr[register] = u64::from(word);
        }
        Ok(())
    }

    fn xgetbv(&mut self) -> Done {
        let xcr0 = self.cpuid.xcr0();
        let value = match self.regs.gpr[RCX] as u32 {
            _ if xcr0 == 0 => return Err(UNDEFINED),
            0 => xcr0,
            1 if self.cpuid.features().has("xgetbv1") => xcr0 & xsave::in_use(&self.regs.fpu),
            _ => return Err(PROTECTION),
        };
        self.regs.gpr[RAX] = value & 0xffff_ffff;
        self.regs.gpr[RDX] = value >> 32;
        Ok(())
    }

    fn write_base(&mut self) -> Done {
        let value = self.gpr(self.insn.op0_register());
        if !is_canonical(value) {
            return Err(PROTECTION);
        }
        match self.insn.mnemonic() {
            Mnemonic::Wrfsbase => self.regs.fs_base = value,
            _ => self.regs.gs_base = value,
        }
        Ok(())
    }

    /// `maskmovq`, `maskmovdqu`: stores the bytes whose masks have the highest bit set.
    fn masked_store(&mut self) -> Done {
        let vector = |one: &Self, register: Register| match register.is_mm() {
            true => (one.regs.fpu.st[register.number() & 7] & u128::from(u64::MAX), 8),
            false => (one.regs.fpu.xmm[register.number() & 15], 16),
        };
        let (values, len) = vector(self, self.insn.op1_register());
        let (mask, _) = vector(self, self.insn.op2_register());
        let addr = self.address(0)?;
        let chosen = |i: &usize| mask >> (8 * i + 7) & 1 == 1;
        for i in (0..len).filter(chosen) {
            self.check(addr.wrapping_add(i as u64), 1, Access::Write)?;
        }
        for i in (0..len).filter(chosen) {
            self.write(addr.wrapping_add(i as u64), &[(values >> (8 * i)) as u8])?;
        }
        Ok(())
    }
}

/// Whether the operand is in memory.
fn is_memory(insn: &Instruction, operand: u32) -> bool {
    insn.op_kind(operand) == OpKind::Memory
}
