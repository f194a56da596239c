//! The table in memory: what `build.rs` makes of `syscall-tables/`.

use crate::abi::Errno;
use crate::arch::Arch;

/// Direction of the data behind a pointer, seen from the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dir {
    /// The kernel reads it.
    In,
    /// The kernel writes it.
    Out,
    /// Both.
    InOut,
}

/// How many elements an array argument has. Argument positions are indexes into [`Entry::args`].
#[expect(missing_docs, reason = "the line above each names its members")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Len {
    /// `args[arg] * mul / div`, rounded up.
    Arg { arg: u8, mul: u32, div: u32 },
    /// The 32-bit integer that `args[arg]` points to.
    Deref { arg: u8 },
    /// The call's result.
    Ret,
    /// A constant.
    Const(u32),
}

/// A plain value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in the table's grammar")]
pub enum Scalar {
    Int,
    Fd,
    Dirfd,
    Pid,
    Sig,
    Uint,
    Uid,
    Gid,
    Mode,
    Dev,
    Hex32,
    Long,
    Off,
    Ulong,
    Size,
    Hex,
    Addr,
    /// Takes a register but means nothing in this form of the call, and is not printed.
    Skip,
}

impl Scalar {
    /// Size in guest memory, in bytes.
    pub fn size(self) -> usize {
        use Scalar::*;
        match self {
            Int | Fd | Dirfd | Pid | Sig | Uint | Uid | Gid | Mode | Dev | Hex32 => 4,
            Long | Off | Ulong | Size | Hex | Addr | Skip => 8,
        }
    }
}

/// What a pointer points to.
#[expect(missing_docs, reason = "the line above each names its members")]
#[derive(Debug, Clone, Copy)]
pub enum Elem {
    /// Uninterpreted bytes.
    Bytes,
    /// A scalar.
    Scalar(Scalar),
    /// Or-ed bits; `wide` ones are 64 bits.
    Flags { set: &'static Set, wide: bool },
    /// One value of an enum.
    Enum { set: &'static Set, wide: bool },
    /// A struct.
    Struct(super::Struct),
}

/// The type of an argument.
#[expect(missing_docs, reason = "the line above each names its members")]
#[derive(Debug, Clone, Copy)]
pub enum Type {
    /// A plain value.
    Scalar(Scalar),
    /// Or-ed bits; `wide` arguments are 64 bits.
    Flags { set: &'static Set, wide: bool },
    /// One value of an enum.
    Enum { set: &'static Set, wide: bool },
    /// A file name.
    Path,
    /// A NUL-terminated string.
    Str,
    /// A NULL-terminated array of strings.
    Strs,
    /// A pointer.
    Ptr { dir: Dir, elem: Elem, len: Option<Len> },
}

impl Type {
    /// Whether the argument is an address that the call reads or writes through.
    pub fn is_pointer(&self) -> bool {
        matches!(self, Type::Path | Type::Str | Type::Strs | Type::Ptr { .. })
    }
}

/// An argument.
#[derive(Debug, Clone, Copy)]
pub struct Arg {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub ty: Type,
    /// NULL is accepted.
    pub nullable: bool,
    /// Bits of the nearest flags argument before it, one of which must be set for it to count; 0: always. Per architecture.
    pub cond: [u64; 2],
}

/// The type of a result.
#[derive(Debug, Clone, Copy)]
pub enum Ret {
    /// 0 on success.
    Zero,
    /// Does not return.
    None,
    /// Seconds since the epoch.
    Time,
    /// A plain value.
    Scalar(Scalar),
    /// Or-ed bits.
    Flags(&'static Set),
    /// One value of an enum.
    Enum(&'static Set),
}

/// A form of a call chosen by the value of one argument.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// Values of the selecting argument, per architecture.
    pub values: &'static [[Option<u64>; 2]],
    /// The arguments of this form.
    pub args: &'static [Arg],
    /// Its result.
    pub ret: Ret,
}

/// How a replay treats a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// Result and outs come from the recording.
    Inject,
    /// The call is carried out again inside sevm.
    Emulate,
    /// It depends on nothing outside.
    Pure,
    /// Not implemented.
    None,
}

/// How complete the implementation of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// All of it.
    Full,
    /// With the exceptions that the note names.
    Partial,
    /// Not there: it gives this errno.
    None(Errno),
}

/// A system call.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Name.
    pub name: &'static str,
    /// Number per architecture.
    pub nr: [Option<u16>; 2],
    /// Arguments in register order.
    pub args: &'static [Arg],
    /// Result.
    pub ret: Ret,
    /// Classes, strace's.
    pub classes: &'static [&'static str],
    /// Treatment at replay.
    pub replay: Replay,
    /// Completeness.
    pub level: Level,
    /// What is missing or why.
    pub note: &'static str,
    /// Handler below `kernel::`, empty if none.
    pub handler: &'static str,
    /// Index of the selecting argument for `variants`.
    pub selector: u8,
    /// Forms by selecting value.
    pub variants: &'static [Variant],
}

impl Entry {
    /// Number on `arch`.
    pub fn number(&self, arch: Arch) -> Option<u16> {
        self.nr[arch.index()]
    }

    /// Whether sevm carries the call out.
    pub fn is_implemented(&self) -> bool {
        !matches!(self.level, Level::None(_))
    }

    /// The arguments and result as this particular call has them.
    pub fn form(&self, arch: Arch, args: &[u64; 6]) -> (&'static [Arg], Ret) {
        if self.variants.is_empty() {
            return (self.args, self.ret);
        }
        let selector = usize::from(self.selector);
        let raw = args[selector];
        // Of a set with an enum in its low bits (futex), that enum selects.
        let value = match self.args[selector].ty {
            Type::Flags { set, wide: false } if set.mask != 0 => u64::from(raw as u32) & set.mask,
            Type::Flags { wide: false, .. } | Type::Enum { wide: false, .. } => u64::from(raw as u32),
            _ => raw,
        };
        for v in self.variants {
            if v.values.iter().any(|x| x[arch.index()] == Some(value)) {
                return (v.args, v.ret);
            }
        }
        (self.args, self.ret)
    }
}

/// A set of named constants.
#[derive(Debug)]
pub struct Set {
    /// Name in `flags.tbl`.
    pub name: &'static str,
    /// One value, not or-ed bits.
    pub is_enum: bool,
    /// Low bits that are an enum within a flag set.
    pub mask: u64,
    /// Placeholder for unknown values, such as `O_???`.
    pub prefix: &'static str,
    /// Bits that are a number.
    pub tails: &'static [Tail],
    /// Constants in printing order.
    pub consts: &'static [Const],
}

impl Set {
    /// The bits that are numbers.
    pub fn numbers(&self) -> u64 {
        self.tails.iter().fold(0, |bits, tail| bits | tail.mask)
    }

    /// Whether its values are several numbers even where nothing is named.
    pub fn has_parts(&self) -> bool {
        self.numbers() != 0 && !self.is_enum || self.name == "personality"
    }
}

/// Bits of a set that hold a number, printed behind the names.
#[derive(Debug, Clone, Copy)]
pub struct Tail {
    /// The bits.
    pub mask: u64,
    /// How the number is printed.
    pub kind: TailKind,
}

/// How a number among flags is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TailKind {
    /// As permissions, 0 too: `|0644`.
    Octal,
    /// `|5`.
    Decimal,
    /// `|21<<MAP_HUGE_SHIFT`.
    Shifted(&'static str),
}

/// Where the name of a constant stands among all names. There are thousands: as references, they would all have to be put right
/// whenever sevm is loaded.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    pub(super) at: u32,
    pub(super) len: u8,
}

/// A named constant.
#[derive(Debug)]
pub struct Const {
    pub(super) name: Name,
    /// Value per architecture.
    pub value: [Option<u64>; 2],
}

impl Const {
    /// Its name.
    pub fn name(&self) -> &'static str {
        let at = self.name.at as usize;
        super::sets::NAMES.get(at..at + usize::from(self.name.len)).unwrap_or_default()
    }
}

impl Set {
    /// The name of exactly this value.
    pub fn name_of(&self, arch: Arch, value: u64) -> Option<&'static str> {
        self.consts.iter().find(|c| c.value[arch.index()] == Some(value)).map(Const::name)
    }

    /// The value of a constant.
    pub fn value_of(&self, arch: Arch, name: &str) -> Option<u64> {
        self.consts.iter().find(|c| c.name() == name).and_then(|c| c.value[arch.index()])
    }

    /// All bits that have a name on `arch`.
    pub fn all_bits(&self, arch: Arch) -> u64 {
        self.consts.iter().filter_map(|c| c.value[arch.index()]).fold(self.mask, |a, b| a | b)
    }

    /// Turns bits as `arch` numbers them into x86_64's numbering, in which the kernel's own code thinks.
    /// Bits without a name are kept as they are.
    pub fn to_canonical(&self, arch: Arch, bits: u64) -> u64 {
        self.renumber(bits, arch, Arch::X86_64)
    }

    /// The inverse of [`Set::to_canonical`].
    pub fn from_canonical(&self, arch: Arch, bits: u64) -> u64 {
        self.renumber(bits, Arch::X86_64, arch)
    }

    fn renumber(&self, bits: u64, from: Arch, to: Arch) -> u64 {
        if from == to {
            return bits;
        }
        let (mut left, mut out) = (bits, 0);
        for c in self.consts {
            let [f, t] = [c.value[from.index()], c.value[to.index()]];
            if let (Some(f), Some(t)) = (f, t)
                && f != 0
                && bits & f == f
            {
                out |= t;
                left &= !f;
            }
        }
        out | left
    }
}
