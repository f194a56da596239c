//! An assembler for the part of x86_64 that translators emit: one method a form, operands by type.
//!
//! Code goes to a buffer whose final address is known, so that calls and jumps to fixed places are encoded at once. The
//! assembler notes which instructions change the arithmetic flags ([`Asm::take_clobbered`]), so that a front end that
//! keeps guest flags in them can check itself.
//!
//! Encodings are those of the Intel 64 manual, volume 2; tests decode every form with iced-x86.

mod arithmetic;
mod operands;
mod vector;

use std::fmt;

pub use operands::*;

/// A place in the code being emitted, to jump to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(u32);

/// Where a jump's 32-bit distance stands in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JumpSite(pub u32);

/// The assembler.
pub struct Asm {
    code: Vec<u8>,
    /// Address at which the code will run.
    base: u64,
    /// Offsets of labels; `u32::MAX` while they are not bound.
    labels: Vec<u32>,
    /// Distances to be filled in: offset, label.
    waiting: Vec<(u32, u32)>,
    clobbered: bool,
    /// What operands in [`Segment::Data`] are relative to.
    anchor: u64,
    /// Bytes of the instruction that is being emitted that stand behind its memory operand.
    tail: u8,
}

impl fmt::Debug for Asm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Asm({} bytes at {:#x})", self.code.len(), self.base)
    }
}

/// A state of the assembler to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    len: usize,
    labels: usize,
    waiting: usize,
}

const REX_W: u8 = 8;
const F3: Option<u8> = Some(0xf3);

impl Asm {
    /// An empty buffer for code that will run at `base`.
    pub fn new(base: u64) -> Asm {
        let code = Vec::with_capacity(1024);
        Asm { code, base, labels: Vec::new(), waiting: Vec::new(), clobbered: false, anchor: base, tail: 0 }
    }

    /// Sets the address that operands in [`Segment::Data`] are relative to; it must stay within 2 GiB of the code.
    pub fn set_anchor(&mut self, anchor: u64) {
        self.anchor = anchor;
    }

    /// Empties the buffer, for code at another place.
    pub fn reset(&mut self, base: u64) {
        self.code.clear();
        self.labels.clear();
        self.waiting.clear();
        self.base = base;
        self.clobbered = false;
    }

    /// Bytes emitted so far.
    pub fn len(&self) -> usize {
        self.code.len()
    }

    /// Whether nothing has been emitted.
    pub fn is_empty(&self) -> bool {
        self.code.is_empty()
    }

    /// The address of the next instruction.
    pub fn here(&self) -> u64 {
        self.base + self.code.len() as u64
    }

    /// The code, with every label filled in.
    pub fn finish(&mut self) -> &[u8] {
        for (at, label) in std::mem::take(&mut self.waiting) {
            let target = self.labels[label as usize];
            debug_assert_ne!(target, u32::MAX, "a label was not bound");
            let distance = target.wrapping_sub(at + 4);
            self.code[at as usize..at as usize + 4].copy_from_slice(&distance.to_le_bytes());
        }
        &self.code
    }

    /// Overwrites 4 bytes.
    pub fn patch(&mut self, at: usize, value: u32) {
        self.code[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// Makes the distance of an operand in [`Segment::Data`], with nothing behind it in its instruction, one to another place.
    pub fn patch_data(&mut self, at: u32, disp: i32) {
        let end = self.base + u64::from(at) + 4;
        let distance = self.anchor.wrapping_add_signed(i64::from(disp)).wrapping_sub(end);
        self.patch(at as usize, distance as u32);
    }

    /// Whether an instruction since the last question changed the arithmetic flags.
    pub fn take_clobbered(&mut self) -> bool {
        std::mem::take(&mut self.clobbered)
    }

    /// Where the assembler stands.
    pub fn mark(&self) -> Mark {
        Mark { len: self.code.len(), labels: self.labels.len(), waiting: self.waiting.len() }
    }

    /// Takes back all that was emitted since.
    pub fn rewind(&mut self, mark: Mark) {
        self.code.truncate(mark.len);
        self.labels.truncate(mark.labels);
        self.waiting.truncate(mark.waiting);
    }

    /// Raw bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.code.extend_from_slice(bytes);
    }

    fn byte(&mut self, byte: u8) {
        self.code.push(byte);
    }

    fn dword(&mut self, value: i32) {
        self.bytes(&value.to_le_bytes());
    }

    // Encoding.

    fn rex(&mut self, w: bool, reg: u8, rm: &Rm, force: bool) {
        let (x, b) = extension(rm);
        let rex = (u8::from(w) * REX_W) | ((reg >> 3) << 2) | (x << 1) | b;
        if rex != 0 || force {
            self.byte(0x40 | rex);
        }
    }

    fn segment(&mut self, rm: &Rm) {
        if let Rm::Mem(Mem { segment: Segment::Guest | Segment::GuestAt, .. }) = rm {
            self.byte(0x65);
        }
    }

    fn modrm(&mut self, reg: u8, rm: &Rm) {
        let reg = (reg & 7) << 3;
        let tail = std::mem::take(&mut self.tail);
        let mem = match rm {
            Rm::Reg(r) => return self.byte(0xc0 | reg | *r as u8 & 7),
            Rm::Mem(mem) => mem,
        };
        match mem.segment {
            Segment::Host | Segment::Guest => {}
            Segment::GuestAt => {
                self.bytes(&[reg | 4, 0x25]);
                return self.dword(mem.disp);
            }
            Segment::Data => {
                self.byte(reg | 5);
                let end = self.here() + 4 + u64::from(tail);
                let distance = self.anchor.wrapping_add_signed(i64::from(mem.disp)).wrapping_sub(end) as i64;
                debug_assert!(i32::try_from(distance).is_ok(), "too far");
                return self.dword(distance as i32);
            }
        }
        let base = mem.base as u8 & 7;
        let kind = match mem.disp {
            0 if base != 5 => 0,
            -128..=127 => 1,
            _ => 2,
        };
        match mem.index {
            None if base != 4 => self.byte(kind << 6 | reg | base),
            None => self.bytes(&[kind << 6 | reg | 4, 0x24]),
            Some((index, scale)) => self.bytes(&[kind << 6 | reg | 4, scale << 6 | (index as u8 & 7) << 3 | base]),
        }
        match kind {
            0 => {}
            1 => self.byte(mem.disp as u8),
            _ => self.dword(mem.disp),
        }
    }

    /// `[segment] [prefix] [rex] opcode... modrm`.
    fn op(&mut self, prefix: Option<u8>, width: Width, opcode: &[u8], reg: u8, rm: Rm) {
        self.op_bytes(prefix, width, opcode, reg, rm, false);
    }

    fn op_bytes(&mut self, prefix: Option<u8>, width: Width, opcode: &[u8], reg: u8, rm: Rm, force: bool) {
        self.segment(&rm);
        if let Some(prefix) = prefix {
            self.byte(prefix);
        }
        self.rex(width == Width::W64, reg, &rm, force);
        self.bytes(opcode);
        self.modrm(reg, &rm);
    }

    // Moves. None changes flags.

    /// `mov dst, src`; nothing for a 64-bit move of a register to itself.
    pub fn mov(&mut self, width: Width, dst: Gpr, src: impl Into<Rm>) {
        let src = src.into();
        if width == Width::W64 && src == Rm::Reg(dst) {
            return;
        }
        self.op(None, width, &[0x8b], dst as u8, src);
    }

    /// `mov [mem], src` of any size.
    pub fn store(&mut self, size: Size, mem: Mem, src: Gpr) {
        let rm = Rm::Mem(mem);
        match size {
            Size::B1 => self.op_bytes(None, Width::W32, &[0x88], src as u8, rm, src as u8 >= 4),
            Size::B2 => self.op(Some(0x66), Width::W32, &[0x89], src as u8, rm),
            Size::B4 => self.op(None, Width::W32, &[0x89], src as u8, rm),
            Size::B8 => self.op(None, Width::W64, &[0x89], src as u8, rm),
        }
    }

    /// `mov [mem], imm` of 4 or 8 bytes (the latter sign-extended).
    pub fn store_imm(&mut self, width: Width, mem: Mem, value: i32) {
        self.tail = 4;
        self.op(None, width, &[0xc7], 0, Rm::Mem(mem));
        self.dword(value);
    }

    /// Load or move with zero extension to 64 bits.
    pub fn load_zx(&mut self, size: Size, dst: Gpr, src: impl Into<Rm>) {
        let src = src.into();
        match size {
            Size::B1 => self.op_bytes(None, Width::W32, &[0x0f, 0xb6], dst as u8, src, byte_needs_rex(&src)),
            Size::B2 => self.op(None, Width::W32, &[0x0f, 0xb7], dst as u8, src),
            Size::B4 => self.op(None, Width::W32, &[0x8b], dst as u8, src),
            Size::B8 => self.mov(Width::W64, dst, src),
        }
    }

    /// Load or move with sign extension to `width` (and zeros above 32 bits if that is 32).
    pub fn load_sx(&mut self, size: Size, width: Width, dst: Gpr, src: impl Into<Rm>) {
        let src = src.into();
        match (size, width) {
            (Size::B1, _) => self.op_bytes(None, width, &[0x0f, 0xbe], dst as u8, src, byte_needs_rex(&src)),
            (Size::B2, _) => self.op(None, width, &[0x0f, 0xbf], dst as u8, src),
            (Size::B4, Width::W64) => self.op(None, width, &[0x63], dst as u8, src),
            _ => self.mov(width, dst, src),
        }
    }

    /// Any constant, by the shortest form that leaves flags alone.
    pub fn mov_imm(&mut self, dst: Gpr, value: u64) {
        let reg = dst as u8;
        if let Ok(low) = u32::try_from(value) {
            self.rex(false, 0, &Rm::Reg(dst), false);
            self.byte(0xb8 | reg & 7);
            self.dword(low as i32);
        } else if let Ok(low) = i32::try_from(value as i64) {
            self.op(None, Width::W64, &[0xc7], 0, Rm::Reg(dst));
            self.dword(low);
        } else {
            self.rex(true, 0, &Rm::Reg(dst), false);
            self.byte(0xb8 | reg & 7);
            self.bytes(&value.to_le_bytes());
        }
    }

    /// `lea dst, [mem]`; the segment is ignored by the processor.
    pub fn lea(&mut self, width: Width, dst: Gpr, mem: Mem) {
        let segment = if mem.segment == Segment::Guest { Segment::Host } else { mem.segment };
        self.op(None, width, &[0x8d], dst as u8, Rm::Mem(Mem { segment, ..mem }));
    }

    /// `movbe`: load with the bytes reversed.
    pub fn load_be(&mut self, width: Width, dst: Gpr, mem: Mem) {
        self.op(None, width, &[0x0f, 0x38, 0xf0], dst as u8, Rm::Mem(mem));
    }

    /// `bswap`.
    pub fn bswap(&mut self, width: Width, reg: Gpr) {
        self.rex(width == Width::W64, 0, &Rm::Reg(reg), false);
        self.bytes(&[0x0f, 0xc8 | reg as u8 & 7]);
    }

    /// `xchg` of two registers.
    pub fn xchg(&mut self, width: Width, a: Gpr, b: Gpr) {
        self.op(None, width, &[0x87], a as u8, Rm::Reg(b));
    }

    // Flags.

    /// `setcc dst8`: the low byte only.
    pub fn setcc(&mut self, cc: Cc, dst: impl Into<Rm>) {
        let dst = dst.into();
        self.op_bytes(None, Width::W32, &[0x0f, 0x90 | cc as u8], 0, dst, byte_needs_rex(&dst));
    }

    /// `cmovcc dst, src`; memory is read in any case.
    pub fn cmov(&mut self, cc: Cc, width: Width, dst: Gpr, src: impl Into<Rm>) {
        self.op(None, width, &[0x0f, 0x40 | cc as u8], dst as u8, src.into());
    }

    /// `lahf`: SF, ZF, AF, PF, CF to `ah`.
    pub fn lahf(&mut self) {
        self.byte(0x9f);
    }

    /// `sahf`: those flags from `ah`; OF stays.
    pub fn sahf(&mut self) {
        self.clobbered = true;
        self.byte(0x9e);
    }

    /// `cmc`: inverts CF, nothing else.
    pub fn cmc(&mut self) {
        self.clobbered = true;
        self.byte(0xf5);
    }

    /// `clc`.
    pub fn clc(&mut self) {
        self.clobbered = true;
        self.byte(0xf8);
    }

    /// `stc`.
    pub fn stc(&mut self) {
        self.clobbered = true;
        self.byte(0xf9);
    }

    /// `add al, imm8`.
    pub fn add_al(&mut self, value: i8) {
        self.clobbered = true;
        self.bytes(&[0x04, value as u8]);
    }

    /// `and`, `or`, `xor`... of low bytes: `op dst8, src8`.
    pub fn alu8(&mut self, op: Alu, dst: Gpr, src: impl Into<Rm>) {
        self.clobbered = true;
        let src = src.into();
        let force = dst as u8 >= 4 || byte_needs_rex(&src);
        self.op_bytes(None, Width::W32, &[(op as u8) << 3 | 2], dst as u8, src, force);
    }

    // Jumps.

    /// A new label, to be bound later.
    pub fn label(&mut self) -> Label {
        self.labels.push(u32::MAX);
        Label(self.labels.len() as u32 - 1)
    }

    /// Binds a label to the next instruction.
    pub fn bind(&mut self, label: Label) {
        self.labels[label.0 as usize] = self.code.len() as u32;
    }

    /// `jcc label`.
    pub fn jcc(&mut self, cc: Cc, label: Label) {
        self.bytes(&[0x0f, 0x80 | cc as u8]);
        self.wait_for(label);
    }

    /// `jmp label`.
    pub fn jmp(&mut self, label: Label) {
        self.byte(0xe9);
        self.wait_for(label);
    }

    fn wait_for(&mut self, label: Label) {
        self.waiting.push((self.code.len() as u32, label.0));
        self.dword(0);
    }

    /// `jmp address`, within 2 GiB.
    pub fn jmp_to(&mut self, address: u64) -> JumpSite {
        self.byte(0xe9);
        self.distance(address)
    }

    /// `jcc address`, within 2 GiB.
    pub fn jcc_to(&mut self, cc: Cc, address: u64) -> JumpSite {
        self.bytes(&[0x0f, 0x80 | cc as u8]);
        self.distance(address)
    }

    /// `call address`, within 2 GiB.
    pub fn call_to(&mut self, address: u64) {
        self.byte(0xe8);
        self.distance(address);
    }

    fn distance(&mut self, address: u64) -> JumpSite {
        let site = JumpSite(self.code.len() as u32);
        let distance = address.wrapping_sub(self.here() + 4) as i64;
        debug_assert!(i32::try_from(distance).is_ok(), "too far");
        self.dword(distance as i32);
        site
    }

    /// `jmp rm`.
    pub fn jmp_rm(&mut self, rm: impl Into<Rm>) {
        self.op(None, Width::W32, &[0xff], 4, rm.into());
    }

    /// `call rm`.
    pub fn call_rm(&mut self, rm: impl Into<Rm>) {
        self.op(None, Width::W32, &[0xff], 2, rm.into());
    }

    /// `ret`.
    pub fn ret(&mut self) {
        self.byte(0xc3);
    }

    /// `push`.
    pub fn push(&mut self, reg: Gpr) {
        self.rex(false, 0, &Rm::Reg(reg), false);
        self.byte(0x50 | reg as u8 & 7);
    }

    /// `pop`.
    pub fn pop(&mut self, reg: Gpr) {
        self.rex(false, 0, &Rm::Reg(reg), false);
        self.byte(0x58 | reg as u8 & 7);
    }

    /// `ud2`.
    pub fn ud2(&mut self) {
        self.bytes(&[0x0f, 0x0b]);
    }

    /// `mfence`.
    pub fn mfence(&mut self) {
        self.bytes(&[0x0f, 0xae, 0xf0]);
    }

    /// `lfence`.
    pub fn lfence(&mut self) {
        self.bytes(&[0x0f, 0xae, 0xe8]);
    }

    /// An instruction of the group `0F AE` with 64-bit operand size: `fxsave64`, `fxrstor64` and so on, by their number.
    pub fn wide_0fae(&mut self, number: u8, mem: Mem) {
        self.op(None, Width::W64, &[0x0f, 0xae], number, Rm::Mem(mem));
    }

    /// `ldmxcsr [mem]`.
    pub fn ldmxcsr(&mut self, mem: Mem) {
        self.op(None, Width::W32, &[0x0f, 0xae], 2, Rm::Mem(mem));
    }

    /// `stmxcsr [mem]`.
    pub fn stmxcsr(&mut self, mem: Mem) {
        self.op(None, Width::W32, &[0x0f, 0xae], 3, Rm::Mem(mem));
    }
}

/// Prefix, width and opcode of an operation whose byte form is `opcode`.
fn sized(size: Size, opcode: u8) -> (Option<u8>, Width, u8) {
    match size {
        Size::B1 => (None, Width::W32, opcode),
        Size::B2 => (Some(0x66), Width::W32, opcode | 1),
        Size::B4 => (None, Width::W32, opcode | 1),
        Size::B8 => (None, Width::W64, opcode | 1),
    }
}

/// REX.X and REX.B of an operand.
fn extension(rm: &Rm) -> (u8, u8) {
    match rm {
        Rm::Reg(r) => (0, *r as u8 >> 3),
        Rm::Mem(Mem { segment: Segment::GuestAt | Segment::Data, .. }) => (0, 0),
        Rm::Mem(m) => (m.index.map_or(0, |(i, _)| i as u8 >> 3), m.base as u8 >> 3),
    }
}

/// `spl`, `bpl`, `sil` and `dil` need a REX prefix, without which the encodings mean `ah` and so on.
fn byte_needs_rex(rm: &Rm) -> bool {
    matches!(rm, Rm::Reg(r) if (4..8).contains(&(*r as u8)))
}

/// Vector registers are numbered as general ones are.
fn as_rm(xm: Xm) -> Rm {
    const BY_NUMBER: [Gpr; 16] = {
        use Gpr::*;
        [Rax, Rcx, Rdx, Rbx, Rsp, Rbp, Rsi, Rdi, R8, R9, R10, R11, R12, R13, R14, R15]
    };
    match xm {
        Xm::Reg(x) => Rm::Reg(BY_NUMBER[usize::from(x.0 & 15)]),
        Xm::Mem(m) => Rm::Mem(m),
    }
}

#[cfg(test)]
mod tests;
