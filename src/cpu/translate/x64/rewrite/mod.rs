//! From one guest instruction to host instructions that do the same.
//!
//! Guest registers are in the host's of the same name, `rsp` and the flags too; guest memory is at the `gs` base. So most
//! instructions are copied, with a `gs` prefix if they access memory. The others become sequences that
//! - change no flag that the instruction does not change, and read none that has been changed;
//! - leave all registers as they were until nothing can fault any more, or say in a note how to put them right;
//! - use nothing of sevm's but fields of the state.
//!
//! Control flow is the block's (`ends.rs`); rare and telling instructions are done outside of translated code.

mod address;
pub(super) mod classify;
mod encoding;
#[cfg(test)]
mod oracle;
mod stack;

use classify::Class;
use encoding::Operand;

use iced_x86::{Code, Instruction, Mnemonic, OpKind, Register};

use super::out::{Note, Out, Rewritten};
use super::state::field;
use super::wanted::has_memory;
use crate::cpu::translate::asm::{Gpr, Mem, Unary, Width};
use crate::cpu::translate::front::Reason;
use encoding::{GS, In, Layout, MOST_BYTES, OpSize, emit_in_window, emit_op, has_segment};

/// Selectors of Linux's user mode.
const USER_CS: u16 = 0x33;
const USER_SS: u16 = 0x2b;

/// Spill slot of the register that an instruction puts aside.
const ASIDE: u8 = 3;
/// Spill slot of a register that stands aside while an address is computed, during which nothing faults.
const ASIDE_FOR_ADDRESS: u8 = 4;

const RAX: u8 = 0;
const RBX: u8 = 3;
const RSP: u8 = 4;
const RBP: u8 = 5;
const RSI: u8 = 6;
const RDI: u8 = 7;

/// Opcodes of instructions that sequences are made of.
mod opcode {
    pub(super) const STORE: u8 = 0x89;
    pub(super) const LOAD_BYTE: u8 = 0x8a;
    pub(super) const STORE_BYTE: u8 = 0x88;
    pub(super) const LOAD: u8 = 0x8b;
    pub(super) const LEA: u8 = 0x8d;
    pub(super) const XCHG: u8 = 0x87;
    pub(super) const STORE_IMMEDIATE: u8 = 0xc7;
}

/// General registers by number.
const GPRS: [Gpr; 16] = {
    use Gpr::*;
    [Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15]
};

fn gpr(number: u8) -> Gpr {
    GPRS[usize::from(number & 15)]
}

/// Emits an instruction: `bytes` are its own. Control flow ([`Class::End`]) never comes here.
///
/// # Errors
/// What is wrong with the rewriting itself.
pub(super) fn rewrite(out: &mut Out<'_>, instruction: &Instruction, bytes: &[u8]) -> Result<Rewritten, String> {
    let class = classify::class(instruction);
    let start = out.asm.mark();
    let mut one = One { out, insn: instruction, bytes, aside: None, loaded: None };
    let emitted = match class {
        Class::Copy => one.copy(),
        Class::Nop => Some(()),
        Class::Lea => one.lea(),
        Class::Absolute => one.absolute(),
        Class::Xlat => one.xlat(),
        Class::AtRdi => one.at_rdi(),
        Class::Push => one.push(),
        Class::PushSegment => one.push_constant(0),
        Class::Pop => one.pop(),
        Class::Enter => one.enter(),
        Class::Leave => one.leave(),
        Class::String => one.string(),
        Class::StoreFpuEnvironment => one.store_fpu_environment(),
        Class::ReadBase => one.read_base(),
        Class::ReadPid => one.load_constant(OpSize::Dword, 0),
        Class::ReadSegment => one.read_segment(),
        Class::System => None,
        Class::Counter => return Ok(Rewritten::Leave(Reason::Counter)),
        Class::End => return Err(format!("control flow to be rewritten: {:?}", instruction.code())),
        Class::Undefined => return Ok(Rewritten::Leave(Reason::Illegal)),
        Class::Privileged => return Ok(Rewritten::Leave(Reason::Protection)),
    };
    if emitted.is_none() {
        out.asm.rewind(start);
        return Ok(Rewritten::Leave(Reason::Help));
    }
    Ok(Rewritten::Next)
}

/// Emits a load of the 8 bytes of an instruction's memory operand to a general register whose value is kept elsewhere, but still in it: for
/// targets of jumps and calls. No other register and no flag changes.
pub(super) fn load(out: &mut Out<'_>, instruction: &Instruction, register: Gpr) {
    let mut one = One { out, insn: instruction, bytes: &[], aside: None, loaded: None };
    let operand = one.operand_in(register as u8);
    emit_op(one.out.asm, In::Guest, OpSize::Qword, opcode::LOAD, register as u8, operand);
}

/// One instruction being rewritten. Methods give `None` for what is done outside of translated code; what they have emitted is void then.
struct One<'a, 'b> {
    out: &'a mut Out<'b>,
    insn: &'a Instruction,
    bytes: &'a [u8],
    /// The register that stands aside.
    aside: Option<u8>,
    /// The register that the instruction replaces, so that it need not be taken back.
    loaded: Option<u8>,
}

impl One<'_, '_> {
    fn copy(&mut self) -> Option<()> {
        if !has_memory(self.insn) {
            self.out.asm.bytes(self.bytes);
            return Some(());
        }
        let plain = !self.insn.is_ip_rel_memory_operand() && !self.insn.has_segment_prefix();
        if plain && self.bytes.len() < MOST_BYTES && !has_segment(self.bytes) {
            self.out.asm.bytes(&[GS]);
            self.out.asm.bytes(self.bytes);
            return Some(());
        }
        let layout = Layout::of(self.bytes)?;
        let start = self.out.asm.mark();
        let operand = self.operand(self.loaded_register())?;
        let length = self.out.asm.len();
        layout.emit(self.out.asm, self.bytes, operand);
        if self.out.asm.len() - length > MOST_BYTES {
            self.out.asm.rewind(start);
            let operand = self.short_operand()?;
            layout.emit(self.out.asm, self.bytes, operand);
        }
        self.restore();
        Some(())
    }

    /// The register that the instruction replaces as a whole by what it loads, and for nothing else: it can hold the address before.
    fn loaded_register(&self) -> Option<u8> {
        let load = matches!(self.insn.mnemonic(), Mnemonic::Mov | Mnemonic::Movzx | Mnemonic::Movsx | Mnemonic::Movsxd);
        let register = self.insn.op0_register();
        (load && (register.is_gpr32() || register.is_gpr64())).then(|| register.number() as u8)
    }

    fn lea(&mut self) -> Option<()> {
        if !self.insn.is_ip_rel_memory_operand() {
            self.out.asm.bytes(self.bytes);
            return Some(());
        }
        let value = self.insn.ip_rel_memory_address();
        let size = OpSize::of_bytes(self.insn.op0_register().size());
        self.load_constant(size, value)
    }

    /// `mov` of a constant to the register that is the first operand.
    fn load_constant(&mut self, size: OpSize, value: u64) -> Option<()> {
        let register = self.insn.op0_register().number() as u8;
        match size {
            OpSize::Word => {
                self.out.asm.bytes(&[encoding::OPERAND_SIZE, 0x40 | register >> 3, 0xb8 | register & 7]);
                self.out.asm.bytes(&(value as u16).to_le_bytes());
            }
            OpSize::Dword => self.out.asm.mov_imm(gpr(register), value & 0xffff_ffff),
            OpSize::Qword => self.out.asm.mov_imm(gpr(register), value),
        }
        Some(())
    }

    fn absolute(&mut self) -> Option<()> {
        let Some(segment) = self.segment_base() else {
            emit_in_window(self.out.asm, self.bytes)?;
            return Some(());
        };
        let store = self.insn.op0_kind() == OpKind::Memory;
        let register = if store { self.insn.op1_register() } else { self.insn.op0_register() };
        let scratch = self.spill_unused()?;
        self.out.asm.mov_imm(gpr(scratch), self.insn.memory_displacement64());
        self.add(scratch, segment);
        let place = Operand::base(scratch);
        let opcode = match (store, register.size()) {
            (true, 1) => opcode::STORE_BYTE,
            (false, 1) => opcode::LOAD_BYTE,
            (true, _) => opcode::STORE,
            (false, _) => opcode::LOAD,
        };
        let size = if register.size() == 1 { OpSize::Dword } else { OpSize::of_bytes(register.size()) };
        emit_op(self.out.asm, In::Guest, size, opcode, RAX, place);
        self.restore();
        Some(())
    }

    fn xlat(&mut self) -> Option<()> {
        let Some(segment) = self.segment_base() else {
            emit_in_window(self.out.asm, self.bytes)?;
            return Some(());
        };
        let scratch = self.spill_unused()?;
        // movzx scratch, al
        self.out.asm.bytes(&[0x0f, 0xb6, 0xc0 | scratch << 3]);
        let narrow = self.insn.memory_base() == Register::EBX;
        let place = Operand { base: Some(RBX), index: Some((scratch, 0)), disp: 0, narrow };
        emit_op(
            self.out.asm,
            In::Host,
            if narrow { OpSize::Dword } else { OpSize::Qword },
            opcode::LEA,
            scratch,
            place,
        );
        self.add(scratch, segment);
        emit_op(self.out.asm, In::Guest, OpSize::Dword, opcode::LOAD_BYTE, RAX, Operand::base(scratch));
        self.restore();
        Some(())
    }

    /// `maskmovdqu` and its like.
    fn at_rdi(&mut self) -> Option<()> {
        if let Some(segment) = self.segment_base() {
            if has_kind(self.insn, |kind| kind == OpKind::MemorySegEDI) {
                return None;
            }
            self.spill(RDI);
            self.add(RDI, segment);
        }
        emit_in_window(self.out.asm, self.bytes)?;
        self.restore();
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        use OpKind::{MemoryESEDI, MemoryESRDI, MemorySegESI, MemorySegRSI};
        // The operand at `rsi` can be in another segment; the one at `rdi` has none but the one without a base.
        let rare =
            has_kind(self.insn, |kind| matches!(kind, MemoryESEDI | MemorySegESI)) || self.segment_base().is_some();
        if rare {
            return None;
        }
        if !has_kind(self.insn, |kind| kind == MemoryESRDI) {
            emit_in_window(self.out.asm, self.bytes)?;
            return Some(());
        }
        // With a segment override for the operand at `rsi`, processors move element by element: both addresses are made host ones.
        let (pointers, note): (&[Gpr], Note) = match has_kind(self.insn, |kind| kind == MemorySegRSI) {
            true => (&[Gpr::Rdi, Gpr::Rsi], Note::RDI_HOST.and(Note::RSI_HOST)),
            false => (&[Gpr::Rdi], Note::RDI_HOST),
        };
        // No string instruction uses rbx.
        self.spill(RBX);
        let asm = &mut self.out.asm;
        asm.mov(Width::W64, Gpr::Rbx, field!(window));
        for &pointer in pointers {
            asm.lea(Width::W64, pointer, Mem::host(pointer, 0).indexed(Gpr::Rbx, 0));
        }
        self.out.note(note.aside(Gpr::Rbx, ASIDE));
        let asm = &mut self.out.asm;
        asm.bytes(self.bytes);
        asm.mov(Width::W64, Gpr::Rbx, field!(window));
        // The negative, less 1; flags stay.
        asm.unary(Unary::Not, Width::W64, Gpr::Rbx);
        for &pointer in pointers {
            asm.lea(Width::W64, pointer, Mem::host(pointer, 1).indexed(Gpr::Rbx, 0));
        }
        self.restore();
        Some(())
    }

    /// Where the last x87 instruction stood is a host address: 0 is stored instead, and for its opcode and operand too.
    fn store_fpu_environment(&mut self) -> Option<()> {
        let layout = Layout::of(self.bytes)?;
        let operand = self.operand(None)?;
        let (size, pointers) = match self.insn.code() {
            Code::Fnstenv_m14byte | Code::Fnsave_m94byte => (OpSize::Word, [6, 8, 10]),
            _ => (OpSize::Dword, [12, 16, 20]),
        };
        layout.emit(self.out.asm, self.bytes, operand);
        for at in pointers {
            emit_op(self.out.asm, In::Guest, size, opcode::STORE_IMMEDIATE, 0, operand.plus(at)?);
            self.out.asm.bytes(&[0; 4][..size.bytes() as usize]);
        }
        self.restore();
        Some(())
    }

    fn read_base(&mut self) -> Option<()> {
        let place = match self.insn.mnemonic() {
            Mnemonic::Rdfsbase => field!(fs_base),
            _ => field!(gs_base),
        };
        let register = self.insn.op0_register();
        let number = register.number() as u8;
        self.out.asm.mov(Width::W64, gpr(number), place);
        if register.is_gpr32() {
            self.out.asm.mov(Width::W32, gpr(number), gpr(number));
        }
        Some(())
    }

    fn read_segment(&mut self) -> Option<()> {
        let selector: u16 = match self.insn.op1_register() {
            Register::CS => USER_CS,
            Register::SS => USER_SS,
            _ => 0,
        };
        if self.insn.op0_kind() == OpKind::Register {
            let size = OpSize::of_bytes(self.insn.op0_register().size());
            return self.load_constant(size, u64::from(selector));
        }
        let operand = self.operand(None)?;
        emit_op(self.out.asm, In::Guest, OpSize::Word, opcode::STORE_IMMEDIATE, 0, operand);
        self.out.asm.bytes(&selector.to_le_bytes());
        self.restore();
        Some(())
    }
}

fn has_kind(insn: &Instruction, test: impl Fn(OpKind) -> bool) -> bool {
    insn.op_kinds().any(test)
}
