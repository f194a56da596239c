//! Operands and names of operations.

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
    /// The same; the displacement alone is the address.
    GuestAt,
    /// The assembler's anchor, which the displacement alone is relative to: no register is used.
    Data,
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

    /// `gs:[addr]`, in the guest's window.
    pub fn guest_at(addr: i32) -> Mem {
        Mem { base: Gpr::Rax, index: None, disp: addr, segment: Segment::GuestAt }
    }

    /// What lies `disp` bytes behind the assembler's anchor. Behind such an operand, instructions with an immediate must come from
    /// methods that know of it.
    pub fn data(disp: i32) -> Mem {
        Mem { base: Gpr::Rax, index: None, disp, segment: Segment::Data }
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
    pub(super) const ALL: [Cc; 16] = {
        use Cc::*;
        [O, No, B, Ae, E, Ne, Be, A, S, Ns, P, Np, L, Ge, Le, G]
    };

    /// The opposite.
    pub fn opposite(self) -> Cc {
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
    pub(super) map: Map,
    pub(super) pp: Pp,
    pub(super) opcode: u8,
    pub(super) w: bool,
    pub(super) l256: bool,
    pub(super) flags: bool,
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
