//! Memory operands of guest instructions as operands in the window.

use iced_x86::{Instruction, InstructionInfoFactory, OpKind, Register};

use super::encoding::{In, OpSize, Operand, emit_op};
use super::{ASIDE, ASIDE_FOR_ADDRESS, Note, One, RAX, RBX, RDI, RSI, RSP, field, gpr, opcode};
use crate::cpu::translate::asm::{Asm, Gpr, Mem, Width};

/// Registers that are encoded without a prefix.
const LOW: [u8; 6] = [RDI, RSI, RBX, 2, 1, RAX];
/// Those of them that only string instructions, `syscall` and masked stores use without naming them, which ask for none.
const NEVER_IMPLIED: [u8; 2] = [RDI, RSI];

impl Operand {
    /// As the instruction has it, with registers only.
    fn of(insn: &Instruction) -> Operand {
        let number = |register: Register| (register != Register::None).then(|| register.number() as u8);
        let (base, index) = (insn.memory_base(), insn.memory_index());
        Operand {
            base: number(base),
            index: number(index).map(|i| (i, insn.memory_index_scale().trailing_zeros() as u8)),
            disp: insn.memory_displacement64() as i32,
            narrow: is_narrow(insn),
        }
    }
}

/// Whether the address is cut to 32 bits.
fn is_narrow(insn: &Instruction) -> bool {
    let (base, index) = (insn.memory_base(), insn.memory_index());
    base.is_gpr32() || index.is_gpr32() || base == Register::EIP || {
        // Without registers only the size of the displacement tells.
        base == Register::None && index == Register::None && insn.memory_displ_size() == 4
    }
}

/// The operand for a constant address, if one can be encoded without a register.
fn constant_operand(address: u64) -> Option<Operand> {
    let disp = u32::try_from(address).ok()? as i32;
    // Sign extension is undone by cutting the address to 32 bits.
    Some(Operand { base: None, index: None, disp, narrow: disp < 0 })
}

impl One<'_, '_> {
    /// Where the base of the instruction's segment is, if that is one with a base.
    pub(super) fn segment_base(&self) -> Option<Mem> {
        match self.insn.segment_prefix() {
            Register::FS => Some(field!(fs_base)),
            Register::GS => Some(field!(gs_base)),
            _ => None,
        }
    }

    /// Puts a register aside for the instruction.
    pub(super) fn spill(&mut self, register: u8) {
        self.out.spill(gpr(register), ASIDE);
        self.out.note(Note::NONE.aside(gpr(register), ASIDE));
        self.aside = Some(register);
    }

    /// Puts a register aside that the instruction does not use.
    pub(super) fn spill_unused(&mut self) -> Option<u8> {
        let register = match NEVER_IMPLIED.into_iter().find(|&number| !self.names(number)) {
            Some(register) => register,
            None => self.unused()?,
        };
        self.spill(register);
        Some(register)
    }

    /// Whether an operand is a part of a general register, or has it in its address.
    fn names(&self, number: u8) -> bool {
        let insn = self.insn;
        let is = |register| is_gpr(register, number);
        let operand = |i| insn.op_kind(i) == OpKind::Register && is(insn.op_register(i));
        is(insn.memory_base()) || is(insn.memory_index()) || (0..insn.op_count()).any(operand)
    }

    /// A register that the instruction does not use, looking at all that it uses.
    fn unused(&self) -> Option<u8> {
        let mut factory = InstructionInfoFactory::new();
        let used = factory.info(self.insn).used_registers();
        let free = |&number: &u8| used.iter().all(|u| !is_gpr(u.register(), number));
        LOW.into_iter().find(free)
    }

    /// Takes back the register that was put aside, if one was and the instruction has not loaded it.
    pub(super) fn restore(&mut self) {
        if let Some(register) = self.aside
            && self.loaded != Some(register)
        {
            self.out.reload(gpr(register), ASIDE);
        }
    }

    /// Adds what is at a place to a register, leaving flags and all others alone.
    pub(super) fn add(&mut self, register: u8, place: Mem) {
        let other = if register == RAX { Gpr::Rbx } else { Gpr::Rax };
        self.out.spill(other, ASIDE_FOR_ADDRESS);
        self.out.asm.mov(Width::W64, other, place);
        self.out.asm.lea(Width::W64, gpr(register), Mem::host(gpr(register), 0).indexed(other, 0));
        self.out.reload(other, ASIDE_FOR_ADDRESS);
    }

    /// The instruction's memory operand in the window. A register may be put aside for it: `loaded` if there is one and the operand does
    /// not need it, for which no value has to be taken back, or one that the instruction does not use.
    pub(super) fn operand(&mut self, loaded: Option<u8>) -> Option<Operand> {
        let segment = self.segment_base();
        if segment.is_none() {
            let known = match self.insn.is_ip_rel_memory_operand() {
                true => constant_operand(self.insn.ip_rel_memory_address()),
                false => Some(Operand::of(self.insn)),
            };
            if known.is_some() {
                return known;
            }
        }
        let operand = Operand::of(self.insn);
        if self.insn.is_vsib() && operand.narrow {
            return None;
        }
        let uses = |register| operand.base == Some(register) || operand.index.is_some_and(|(i, _)| i == register);
        let scratch = match loaded.filter(|&register| register != RSP) {
            Some(register) if self.insn.is_ip_rel_memory_operand() || !uses(register) => {
                self.loaded = Some(register);
                self.spill(register);
                register
            }
            _ => self.spill_unused()?,
        };
        Some(self.compute(scratch, segment))
    }

    /// The same by a register in any case, so that the operand is as short as can be.
    pub(super) fn short_operand(&mut self) -> Option<Operand> {
        let (segment, scratch) = (self.segment_base(), self.spill_unused()?);
        self.loaded = None;
        Some(self.compute(scratch, segment))
    }

    /// The same for an operand that is loaded to a register whose value need not be kept: that one is used.
    pub(super) fn operand_in(&mut self, register: u8) -> Operand {
        let segment = self.segment_base();
        if self.insn.is_ip_rel_memory_operand() {
            let address = self.insn.ip_rel_memory_address();
            if let (None, Some(operand)) = (segment, constant_operand(address)) {
                return operand;
            }
            self.out.asm.mov_imm(gpr(register), address);
        } else {
            let operand = Operand::of(self.insn);
            if segment.is_none() {
                return operand;
            }
            emit_address(self.out.asm, register, operand);
        }
        if let Some(segment) = segment {
            self.add(register, segment);
        }
        Operand::base(register)
    }

    /// Makes an operand with `scratch`, which the operand does not use, as its base.
    fn compute(&mut self, scratch: u8, segment: Option<Mem>) -> Operand {
        if self.insn.is_ip_rel_memory_operand() {
            let address = self.insn.ip_rel_memory_address();
            let Some(segment) = segment else {
                self.out.asm.mov_imm(gpr(scratch), address);
                return Operand::base(scratch);
            };
            if let Ok(disp) = i32::try_from(address) {
                self.out.asm.mov(Width::W64, gpr(scratch), segment);
                return Operand { disp, ..Operand::base(scratch) };
            }
            self.out.asm.mov_imm(gpr(scratch), address);
            self.add(scratch, segment);
            return Operand::base(scratch);
        }
        let operand = Operand::of(self.insn);
        let Some(segment) = segment else { return operand };
        let constant = operand.base.is_none() && operand.index.is_none() && operand.disp >= 0;
        if operand.narrow && !constant {
            emit_address(self.out.asm, scratch, operand);
            self.add(scratch, segment);
            return Operand::base(scratch);
        }
        self.out.asm.mov(Width::W64, gpr(scratch), segment);
        if let Some(base) = operand.base {
            let sum = Operand { index: Some((scratch, 0)), ..Operand::base(base) };
            emit_op(self.out.asm, In::Host, OpSize::Qword, opcode::LEA, scratch, sum);
        }
        Operand { base: Some(scratch), narrow: false, ..operand }
    }
}

/// `lea`, cutting the address if it is to be.
fn emit_address(asm: &mut Asm, register: u8, operand: Operand) {
    let size = if operand.narrow { OpSize::Dword } else { OpSize::Qword };
    emit_op(asm, In::Host, size, opcode::LEA, register, operand);
}

/// Whether a register is a part of this general register.
fn is_gpr(register: Register, number: u8) -> bool {
    let full = register.full_register();
    full.is_gpr64() && full.number() == usize::from(number)
}
