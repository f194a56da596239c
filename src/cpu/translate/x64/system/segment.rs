//! Segment registers, and what describes segments, as Linux has it for 64-bit programs (arch/x86/kernel/cpu/common.c, umip.c).

use iced_x86::{Mnemonic, Register};

use super::{Done, One, PROTECTION, is_memory};

/// The code segment of a 64-bit program.
pub(super) const USER_CS: u16 = 0x33;
/// Its data segment.
pub(super) const USER_SS: u16 = 0x2b;
/// The code segment of a 32-bit program: readable, so it may be in a data segment register.
const USER32_CS: u16 = 0x23;
/// The segment whose limit is the number of the processor, which is 0.
const PROCESSOR: u16 = 0x7b;
/// Bits that say with what privilege a selector is used.
const PRIVILEGE: u16 = 3;

const ZERO_FLAG: u64 = 1 << 6;

impl One<'_> {
    /// Loads a segment register. Only the bases of `fs` and `gs` come of it: segments in the table have base 0.
    pub(super) fn load_segment(&mut self, register: Register, selector: u16) -> Done {
        let readable = [USER_SS, USER_CS, USER32_CS].map(|s| s & !PRIVILEGE).contains(&(selector & !PRIVILEGE));
        let allowed = match register {
            Register::SS => selector == USER_SS,
            Register::CS => false,
            _ => selector & !PRIVILEGE == 0 || readable,
        };
        match register {
            _ if !allowed => return Err(PROTECTION),
            Register::FS => self.regs.fs_base = 0,
            Register::GS => self.regs.gs_base = 0,
            _ => {}
        }
        Ok(())
    }

    /// `mov` to a segment register; `lfs`, `lgs`, `lss`.
    pub(super) fn load_segment_operand(&mut self) -> Done {
        let (register, offset) = match self.insn.mnemonic() {
            Mnemonic::Lfs => (Register::FS, true),
            Mnemonic::Lgs => (Register::GS, true),
            Mnemonic::Lss => (Register::SS, true),
            _ => (self.insn.op0_register(), false),
        };
        let selector = match is_memory(self.insn, 1) {
            false => self.gpr(self.insn.op1_register()),
            true => {
                let target = self.insn.op0_register();
                let len = if offset { target.size() } else { 0 };
                let addr = self.address(1)?;
                let selector = self.read_number(addr.wrapping_add(len as u64), 2)?;
                if offset {
                    let value = self.read_number(addr, len)?;
                    self.set_gpr(target, value);
                }
                selector
            }
        };
        self.load_segment(register, selector as u16)
    }

    /// `lsl`: the limit of a segment, if it may be seen.
    pub(super) fn segment_limit(&mut self) -> Done {
        let selector = match is_memory(self.insn, 1) {
            true => self.read_number(self.address(1)?, 2)?,
            false => self.gpr(self.insn.op1_register()),
        };
        const FLAT: u64 = 0xffff_ffff;
        let limit = match selector as u16 | PRIVILEGE {
            USER_SS | USER_CS | USER32_CS => Some(FLAT),
            PROCESSOR => Some(0),
            _ => None,
        };
        self.regs.rflags &= !ZERO_FLAG;
        if let Some(limit) = limit {
            self.regs.rflags |= ZERO_FLAG;
            self.set_gpr(self.insn.op0_register(), limit);
        }
        Ok(())
    }

    /// `sgdt`, `sidt`: what Linux shows where the processor forbids them.
    pub(super) fn store_table(&mut self) -> Done {
        let base: u64 = match self.insn.mnemonic() {
            Mnemonic::Sgdt => 0xffff_ffff_fffe_0000,
            _ => 0xffff_ffff_ffff_0000,
        };
        let mut bytes = [0; 10];
        bytes[2..].copy_from_slice(&base.to_le_bytes());
        self.write(self.address(0)?, &bytes)
    }

    /// `sldt`, `str`, `smsw`: the same.
    pub(super) fn store_machine_word(&mut self) -> Done {
        let value: u64 = match self.insn.mnemonic() {
            Mnemonic::Sldt => 0,
            Mnemonic::Str => 0x40,
            // CR0: PG, AM, WP, NE, ET, MP, PE.
            _ => 0x8005_0033,
        };
        if is_memory(self.insn, 0) {
            return self.write(self.address(0)?, &value.to_le_bytes()[..2]);
        }
        self.set_gpr(self.insn.op0_register(), value);
        Ok(())
    }
}
