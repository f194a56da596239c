//! An assembler for the part of x86_64 that translators emit: one method a form, operands by type.
//!
//! Code goes to a buffer whose final address is known, so that calls and jumps to fixed places are encoded at once. The
//! assembler notes which instructions change the arithmetic flags ([`Asm::take_clobbered`]), so that a front end that
//! keeps guest flags in them can check itself.
//!
//! Encodings are those of the Intel 64 manual, volume 2; tests decode every form with iced-x86.

use std::fmt;

/// A general register.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the registers")]
pub enum Gpr {
    Rax,
    Rcx,
    Rdx,
    Rbx,
    Rsp,
    Rbp,
    Rsi,
    Rdi,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
}

/// A vector register, 0 to 15; used as xmm or ymm as the instruction says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Xmm(pub u8);

/// The size of a general operation. 32-bit results clear the upper half of the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 32 bits.
    W32,
    /// 64 bits.
    W64,
}

/// The size of a memory access by general registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Size {
    /// 1 byte.
    B1,
    /// 2 bytes.
    B2,
    /// 4 bytes.
    B4,
    /// 8 bytes.
    B8,
}

/// What an address is relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// sevm's own memory.
    Host,
    /// The guest's window: a `gs` prefix.
    Guest,
}

/// A memory operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mem {
    /// Base register.
    pub base: Gpr,
    /// Index register (not `rsp`) and log2 of its factor.
    pub index: Option<(Gpr, u8)>,
    /// Displacement in bytes.
    pub disp: i32,
    /// What it is relative to.
    pub segment: Segment,
}

impl Mem {
    /// `[base + disp]` in sevm's own memory.
    pub fn host(base: Gpr, disp: i32) -> Mem {
        Mem { base, index: None, disp, segment: Segment::Host }
    }

    /// `gs:[base + disp]`, in the guest's window; `base` must hold a safe guest address.
    pub fn guest(base: Gpr, disp: i32) -> Mem {
        Mem { base, index: None, disp, segment: Segment::Guest }
    }

    /// The same with an index register times 2^`scale`.
    pub fn indexed(self, index: Gpr, scale: u8) -> Mem {
        debug_assert!(index != Gpr::Rsp && scale < 4);
        Mem { index: Some((index, scale)), ..self }
    }

    /// The address `bytes` further on.
    pub fn plus(self, bytes: i32) -> Mem {
        Mem { disp: self.disp + bytes, ..self }
    }
}

/// A general register or memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Rm {
    Reg(Gpr),
    Mem(Mem),
}

impl From<Gpr> for Rm {
    fn from(reg: Gpr) -> Rm {
        Rm::Reg(reg)
    }
}

impl From<Mem> for Rm {
    fn from(mem: Mem) -> Rm {
        Rm::Mem(mem)
    }
}

/// A vector register or memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Xm {
    Reg(Xmm),
    Mem(Mem),
}

impl From<Xmm> for Xm {
    fn from(reg: Xmm) -> Xm {
        Xm::Reg(reg)
    }
}

impl From<Mem> for Xm {
    fn from(mem: Mem) -> Xm {
        Xm::Mem(mem)
    }
}

/// A condition, with its encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub enum Cc {
    O,
    No,
    B,
    Ae,
    E,
    Ne,
    Be,
    A,
    S,
    Ns,
    P,
    Np,
    L,
    Ge,
    Le,
    G,
}

impl Cc {
    const ALL: [Cc; 16] = {
        use Cc::*;
        [O, No, B, Ae, E, Ne, Be, A, S, Ns, P, Np, L, Ge, Le, G]
    };

    /// The opposite.
    pub fn not(self) -> Cc {
        Cc::ALL[self as usize ^ 1]
    }
}

/// The eight classic operations. All but `Cmp` write their first operand; all change flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub enum Alu {
    Add,
    Or,
    Adc,
    Sbb,
    And,
    Sub,
    Xor,
    Cmp,
}

/// Shifts and rotations that change flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub enum Shift {
    Rol = 0,
    Ror = 1,
    Rcl = 2,
    Rcr = 3,
    Shl = 4,
    Shr = 5,
    Sar = 7,
}

/// Flag-free shifts by a register (BMI2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub enum ShiftX {
    Shlx,
    Shrx,
    Sarx,
}

/// `F6`/`F7` group: one operand, `rdx:rax` implied where the manual says so. `Not` alone leaves flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub enum Unary {
    Not = 2,
    Neg = 3,
    Mul = 4,
    Imul = 5,
    Div = 6,
    Idiv = 7,
}

/// Bit counts: `dst, src`; all change flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub enum Count {
    Popcnt,
    Lzcnt,
    Tzcnt,
    Bsf,
    Bsr,
}

/// Read-modify-write forms, always with a lock where the operand is memory (`Xchg` has one by itself).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the manual's")]
pub enum Atomic {
    Xchg,
    Xadd,
    /// Compares with `rax`.
    Cmpxchg,
}

/// Opcode maps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Map {
    /// `0F`.
    M0f = 1,
    /// `0F 38`.
    M0f38 = 2,
    /// `0F 3A`, an immediate byte follows.
    M0f3a = 3,
}

/// The mandatory prefix of a vector instruction (`pp` of VEX).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the bytes")]
pub enum Pp {
    None = 0,
    P66 = 1,
    Pf3 = 2,
    Pf2 = 3,
}

/// A VEX-encoded instruction: what the manual's line `VEX.L.pp.map.W opcode` says. Make a constant of each that is
/// used:
/// `const VPADDD: Vex = Vex::new(Map::M0f, Pp::P66, 0xfe);`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vex {
    map: Map,
    pp: Pp,
    opcode: u8,
    w: bool,
    l256: bool,
    flags: bool,
}

impl Vex {
    /// With W and L zero, leaving the flags alone.
    pub const fn new(map: Map, pp: Pp, opcode: u8) -> Vex {
        Vex { map, pp, opcode, w: false, l256: false, flags: false }
    }

    /// With W = 1.
    pub const fn w1(self) -> Vex {
        Vex { w: true, ..self }
    }

    /// With L = 1 (256 bits).
    pub const fn l1(self) -> Vex {
        Vex { l256: true, ..self }
    }

    /// Changing the arithmetic flags.
    pub const fn sets_flags(self) -> Vex {
        Vex { flags: true, ..self }
    }
}

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
        Asm { code: Vec::with_capacity(1024), base, labels: Vec::new(), waiting: Vec::new(), clobbered: false }
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
        let rex = u8::from(w) * REX_W | (reg >> 3) << 2 | x << 1 | b;
        if rex != 0 || force {
            self.byte(0x40 | rex);
        }
    }

    fn segment(&mut self, rm: &Rm) {
        if let Rm::Mem(Mem { segment: Segment::Guest, .. }) = rm {
            self.byte(0x65);
        }
    }

    fn modrm(&mut self, reg: u8, rm: &Rm) {
        let reg = (reg & 7) << 3;
        let mem = match rm {
            Rm::Reg(r) => return self.byte(0xc0 | reg | *r as u8 & 7),
            Rm::Mem(mem) => mem,
        };
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
        self.op(None, width, &[0x8d], dst as u8, Rm::Mem(Mem { segment: Segment::Host, ..mem }));
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

    // Arithmetic. All of it changes flags, unless it says otherwise.

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
            self.op(None, width, &[0x83], op as u8, dst);
            self.byte(small as u8);
        } else {
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
        self.op(None, width, &[0xf7], 0, a.into());
        self.dword(value);
    }

    /// `bt a, bit`: the bit goes to CF; other flags are undefined.
    pub fn bt_imm(&mut self, width: Width, a: impl Into<Rm>, bit: u8) {
        self.clobbered = true;
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

    /// `ldmxcsr [mem]`.
    pub fn ldmxcsr(&mut self, mem: Mem) {
        self.op(None, Width::W32, &[0x0f, 0xae], 2, Rm::Mem(mem));
    }

    /// `stmxcsr [mem]`.
    pub fn stmxcsr(&mut self, mem: Mem) {
        self.op(None, Width::W32, &[0x0f, 0xae], 3, Rm::Mem(mem));
    }

    // VEX.

    fn vex(&mut self, op: Vex, reg: u8, v: u8, x: u8, b: u8) {
        self.clobbered |= op.flags;
        let last = u8::from(op.w) << 7 | (!v & 15) << 3 | u8::from(op.l256) << 2 | op.pp as u8;
        let not_r = (reg >> 3 ^ 1) << 7;
        if x == 0 && b == 0 && !op.w && op.map == Map::M0f {
            self.bytes(&[0xc5, not_r | last]);
        } else {
            self.bytes(&[0xc4, not_r | (x ^ 1) << 6 | (b ^ 1) << 5 | op.map as u8, last]);
        }
        self.byte(op.opcode);
    }

    fn vex_rm(&mut self, op: Vex, reg: u8, v: u8, rm: Rm) {
        self.segment(&rm);
        let (x, b) = extension(&rm);
        self.vex(op, reg, v, x, b);
        self.modrm(reg, &rm);
    }

    /// `op dst, a, b` on vector registers; for two-operand forms see [`Asm::vex2`].
    pub fn vex3(&mut self, op: Vex, dst: Xmm, a: Xmm, b: impl Into<Xm>) {
        self.vex_rm(op, dst.0, a.0, as_rm(b.into()));
    }

    /// `op dst, a, b, imm8`; also for the forms with a fourth register (`imm8 = reg << 4`).
    pub fn vex3i(&mut self, op: Vex, dst: Xmm, a: Xmm, b: impl Into<Xm>, imm: u8) {
        self.vex_rm(op, dst.0, a.0, as_rm(b.into()));
        self.byte(imm);
    }

    /// `op dst, src` (or `op [mem], src` for store forms, with the register first).
    pub fn vex2(&mut self, op: Vex, reg: Xmm, rm: impl Into<Xm>) {
        self.vex_rm(op, reg.0, 0, as_rm(rm.into()));
    }

    /// `op dst, src, imm8`.
    pub fn vex2i(&mut self, op: Vex, reg: Xmm, rm: impl Into<Xm>, imm: u8) {
        self.vex_rm(op, reg.0, 0, as_rm(rm.into()));
        self.byte(imm);
    }

    /// `op dst, src, imm8` where the instruction is chosen by `/digit` and `dst` stands in `vvvv` (shifts by constants).
    pub fn vex_shift(&mut self, op: Vex, digit: u8, dst: Xmm, src: Xmm, imm: u8) {
        self.vex_rm(op, digit, dst.0, as_rm(Xm::Reg(src)));
        self.byte(imm);
    }

    /// `op xmm, rm` with a general register or memory as the source (`vmovd`, `vcvtsi2sd` has [`Asm::vex3_gpr`]).
    pub fn vex2_gpr(&mut self, op: Vex, reg: Xmm, rm: impl Into<Rm>) {
        self.vex_rm(op, reg.0, 0, rm.into());
    }

    /// `op dst, a, rm` with a general register or memory as the last source.
    pub fn vex3_gpr(&mut self, op: Vex, dst: Xmm, a: Xmm, rm: impl Into<Rm>) {
        self.vex_rm(op, dst.0, a.0, rm.into());
    }

    /// The same with an immediate byte (`vpinsr*`).
    pub fn vex3i_gpr(&mut self, op: Vex, dst: Xmm, a: Xmm, rm: impl Into<Rm>, imm: u8) {
        self.vex_rm(op, dst.0, a.0, rm.into());
        self.byte(imm);
    }

    /// `op gpr, xmm|mem` (`vcvttsd2si`, `vpmovmskb`, `vmovmskps`).
    pub fn vex_to_gpr(&mut self, op: Vex, dst: Gpr, src: impl Into<Xm>) {
        self.vex_rm(op, dst as u8, 0, as_rm(src.into()));
    }

    /// `op rm, xmm, imm8` with the vector register in `reg` (`vpextr*`).
    pub fn vex2i_gpr(&mut self, op: Vex, reg: Xmm, rm: impl Into<Rm>, imm: u8) {
        self.vex_rm(op, reg.0, 0, rm.into());
        self.byte(imm);
    }

    fn vex_general(&mut self, op: Vex, width: Width, reg: Gpr, v: Gpr, rm: Rm) {
        let op = Vex { w: width == Width::W64, ..op };
        self.vex_rm(op, reg as u8, v as u8, rm);
    }

    /// `shlx|shrx|sarx dst, src, count`: no flags.
    pub fn shiftx(&mut self, op: ShiftX, width: Width, dst: Gpr, src: impl Into<Rm>, count: Gpr) {
        let pp = match op {
            ShiftX::Shlx => Pp::P66,
            ShiftX::Shrx => Pp::Pf2,
            ShiftX::Sarx => Pp::Pf3,
        };
        self.vex_general(Vex::new(Map::M0f38, pp, 0xf7), width, dst, count, src.into());
    }

    /// `rorx dst, src, count`: no flags.
    pub fn rorx(&mut self, width: Width, dst: Gpr, src: impl Into<Rm>, count: u8) {
        self.vex_general(Vex::new(Map::M0f3a, Pp::Pf2, 0xf0), width, dst, Gpr::Rax, src.into());
        self.byte(count);
    }

    /// `pdep dst, src, mask`: no flags.
    pub fn pdep(&mut self, width: Width, dst: Gpr, src: Gpr, mask: impl Into<Rm>) {
        self.vex_general(Vex::new(Map::M0f38, Pp::Pf2, 0xf5), width, dst, src, mask.into());
    }

    /// `pext dst, src, mask`: no flags.
    pub fn pext(&mut self, width: Width, dst: Gpr, src: Gpr, mask: impl Into<Rm>) {
        self.vex_general(Vex::new(Map::M0f38, Pp::Pf3, 0xf5), width, dst, src, mask.into());
    }

    /// `mulx high, low, src`: `rdx` times `src`, no flags.
    pub fn mulx(&mut self, width: Width, high: Gpr, low: Gpr, src: impl Into<Rm>) {
        self.vex_general(Vex::new(Map::M0f38, Pp::Pf2, 0xf6), width, high, low, src.into());
    }

    /// `andn dst, a, b`: `!a & b`; changes flags.
    pub fn andn(&mut self, width: Width, dst: Gpr, a: Gpr, b: impl Into<Rm>) {
        self.clobbered = true;
        self.vex_general(Vex::new(Map::M0f38, Pp::None, 0xf2), width, dst, a, b.into());
    }

    /// Legacy SSE forms that VEX does not have (`sha256rnds2` and such): `[pp] 0F.. opcode reg, rm`.
    pub fn sse(&mut self, map: Map, pp: Pp, opcode: u8, reg: Xmm, rm: impl Into<Xm>) {
        let rm = as_rm(rm.into());
        let prefix = match pp {
            Pp::None => None,
            Pp::P66 => Some(0x66),
            Pp::Pf3 => F3,
            Pp::Pf2 => Some(0xf2),
        };
        match map {
            Map::M0f => self.op(prefix, Width::W32, &[0x0f, opcode], reg.0, rm),
            Map::M0f38 => self.op(prefix, Width::W32, &[0x0f, 0x38, opcode], reg.0, rm),
            Map::M0f3a => self.op(prefix, Width::W32, &[0x0f, 0x3a, opcode], reg.0, rm),
        }
    }

    /// The immediate byte of a legacy form.
    pub fn imm8(&mut self, imm: u8) {
        self.byte(imm);
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
#[path = "asm_tests.rs"]
mod tests;
