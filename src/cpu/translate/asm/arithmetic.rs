//! Integer arithmetic. All of it changes flags, unless it says otherwise.

use super::*;

impl Asm {
    /// `op dst, src`.
    pub fn alu(&mut self, op: Alu, width: Width, dst: Gpr, src: impl Into<Rm>) {
        self.clobbered = true;
        self.op(None, width, &[(op as u8) << 3 | 3], dst as u8, src.into());
    }

    /// `op [mem], src`.
    pub fn alu_mem(&mut self, op: Alu, width: Width, dst: Mem, src: Gpr) {
        self.clobbered = true;
        self.op(None, width, &[(op as u8) << 3 | 1], src as u8, Rm::Mem(dst));
    }

    /// `op dst, imm` (sign-extended).
    pub fn alu_imm(&mut self, op: Alu, width: Width, dst: impl Into<Rm>, value: i32) {
        self.clobbered = true;
        let dst = dst.into();
        if let Ok(small) = i8::try_from(value) {
            self.tail = 1;
            self.op(None, width, &[0x83], op as u8, dst);
            self.byte(small as u8);
        } else {
            self.tail = 4;
            self.op(None, width, &[0x81], op as u8, dst);
            self.dword(value);
        }
    }

    /// `lock op [mem], src` of any size; `op` is not `Cmp`.
    pub fn lock_alu(&mut self, op: Alu, size: Size, dst: Mem, src: Gpr) {
        self.clobbered = true;
        self.byte(0xf0);
        let (prefix, width, opcode) = sized(size, (op as u8) << 3);
        self.op_bytes(prefix, width, &[opcode], src as u8, Rm::Mem(dst), size == Size::B1 && src as u8 >= 4);
    }

    /// `test a, b`.
    pub fn test(&mut self, width: Width, a: impl Into<Rm>, b: Gpr) {
        self.clobbered = true;
        self.op(None, width, &[0x85], b as u8, a.into());
    }

    /// `test a, imm` (sign-extended).
    pub fn test_imm(&mut self, width: Width, a: impl Into<Rm>, value: i32) {
        self.clobbered = true;
        self.tail = 4;
        self.op(None, width, &[0xf7], 0, a.into());
        self.dword(value);
    }

    /// `bt a, bit`: the bit goes to CF; other flags are undefined.
    pub fn bt_imm(&mut self, width: Width, a: impl Into<Rm>, bit: u8) {
        self.clobbered = true;
        self.tail = 1;
        self.op(None, width, &[0x0f, 0xba], 4, a.into());
        self.byte(bit);
    }

    /// `not`, `neg`, `mul`, `imul`, `div`, `idiv`.
    pub fn unary(&mut self, op: Unary, width: Width, rm: impl Into<Rm>) {
        self.clobbered |= op != Unary::Not;
        self.op(None, width, &[0xf7], op as u8, rm.into());
    }

    /// `imul dst, src`.
    pub fn imul(&mut self, width: Width, dst: Gpr, src: impl Into<Rm>) {
        self.clobbered = true;
        self.op(None, width, &[0x0f, 0xaf], dst as u8, src.into());
    }

    /// `imul dst, src, imm`.
    pub fn imul_imm(&mut self, width: Width, dst: Gpr, src: impl Into<Rm>, value: i32) {
        self.clobbered = true;
        self.tail = 4;
        self.op(None, width, &[0x69], dst as u8, src.into());
        self.dword(value);
    }

    /// `cdq` or `cqo`: the sign of `rax` to `rdx`; no flags.
    pub fn sign_to_rdx(&mut self, width: Width) {
        self.bytes(if width == Width::W64 { &[0x48, 0x99] } else { &[0x99] });
    }

    /// Shift or rotation by a constant (masked by the width); a count of 0 leaves flags alone.
    pub fn shift_imm(&mut self, op: Shift, width: Width, rm: impl Into<Rm>, count: u8) {
        self.clobbered = true;
        self.tail = 1;
        self.op(None, width, &[0xc1], op as u8, rm.into());
        self.byte(count);
    }

    /// Shift or rotation by `cl`.
    pub fn shift_cl(&mut self, op: Shift, width: Width, rm: impl Into<Rm>) {
        self.clobbered = true;
        self.op(None, width, &[0xd3], op as u8, rm.into());
    }

    /// `shrd dst, high, count`: `dst` gets the low part of `high:dst >> count`.
    pub fn shrd(&mut self, width: Width, dst: Gpr, high: Gpr, count: u8) {
        self.clobbered = true;
        self.op(None, width, &[0x0f, 0xac], high as u8, Rm::Reg(dst));
        self.byte(count);
    }

    /// `shrd dst, high, cl`.
    pub fn shrd_cl(&mut self, width: Width, dst: Gpr, high: Gpr) {
        self.clobbered = true;
        self.op(None, width, &[0x0f, 0xad], high as u8, Rm::Reg(dst));
    }

    /// `popcnt`, `lzcnt`, `tzcnt`, `bsf`, `bsr`.
    pub fn count(&mut self, op: Count, width: Width, dst: Gpr, src: impl Into<Rm>) {
        self.clobbered = true;
        let (prefix, opcode) = match op {
            Count::Popcnt => (F3, 0xb8),
            Count::Lzcnt => (F3, 0xbd),
            Count::Tzcnt => (F3, 0xbc),
            Count::Bsf => (None, 0xbc),
            Count::Bsr => (None, 0xbd),
        };
        self.op(prefix, width, &[0x0f, opcode], dst as u8, src.into());
    }

    /// `crc32 dst, src`: CRC-32C of `size` bytes; no flags.
    pub fn crc32(&mut self, size: Size, dst: Gpr, src: impl Into<Rm>) {
        let src = src.into();
        let (opcode, width) = match size {
            Size::B1 => (0xf0, Width::W32),
            Size::B2 | Size::B4 => (0xf1, Width::W32),
            Size::B8 => (0xf1, Width::W64),
        };
        self.segment(&src);
        if size == Size::B2 {
            self.byte(0x66);
        }
        self.byte(0xf2);
        let force = size == Size::B1 && byte_needs_rex(&src);
        self.rex(width == Width::W64, dst as u8, &src, force);
        self.bytes(&[0x0f, 0x38, opcode]);
        self.modrm(dst as u8, &src);
    }

    /// `[lock] xchg|xadd|cmpxchg [mem], src` of any size. `Xchg` alone leaves flags.
    pub fn atomic(&mut self, op: Atomic, size: Size, mem: Mem, src: Gpr) {
        let rm = Rm::Mem(mem);
        let force = size == Size::B1 && src as u8 >= 4;
        let opcode: &[u8] = match op {
            Atomic::Xchg => &[0x86],
            Atomic::Xadd => &[0x0f, 0xc0],
            Atomic::Cmpxchg => &[0x0f, 0xb0],
        };
        if op != Atomic::Xchg {
            self.clobbered = true;
            self.byte(0xf0);
        }
        let (prefix, width, last) = sized(size, opcode[opcode.len() - 1]);
        let opcode: &[u8] = if opcode.len() == 2 { &[0x0f, last] } else { &[last] };
        self.op_bytes(prefix, width, opcode, src as u8, rm, force);
    }

    /// `lock cmpxchg8b` or `cmpxchg16b [mem]`: compares `edx:eax` with memory, stores `ecx:ebx`.
    pub fn cmpxchg_pair(&mut self, width: Width, mem: Mem) {
        self.clobbered = true;
        self.byte(0xf0);
        self.op(None, width, &[0x0f, 0xc7], 1, Rm::Mem(mem));
    }
}
