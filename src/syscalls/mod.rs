//! The system call table: signatures, classes and argument structs, all made from `syscall-tables/` by `build.rs`.
//!
//! Does not know how a call is carried out (that is [`crate::kernel`]) nor how it is printed ([`crate::trace`]).

pub mod outs;
pub mod parse;
pub mod report;
mod sig;

pub use sig::{
    Arg, Const, Dir, Elem, Entry, Len, Level, Name, Replay, Ret, Scalar, Set, Tail, TailKind, Type, Variant,
};

use crate::abi::Errno;
use crate::arch::Arch;

include!(concat!(env!("OUT_DIR"), "/entries.rs"));

/// The sets of `flags.tbl`.
pub mod sets {
    use super::{Const, Name, Set, Tail, TailKind};
    include!(concat!(env!("OUT_DIR"), "/sets.rs"));

    /// The set with this name.
    pub fn by_name(name: &str) -> Option<&'static Set> {
        ALL.iter().copied().find(|s| s.name == name)
    }
}

/// One struct of typed arguments for each call.
#[allow(unused_imports, reason = "which types the fields need depends on the table")]
pub mod args {
    use crate::mem::GuestAddr;
    include!(concat!(env!("OUT_DIR"), "/args.rs"));
}

/// Index into [`ENTRIES`] of call `nr` on `arch`; `None` for a number that Linux does not have.
pub fn lookup(arch: Arch, nr: u64) -> Option<usize> {
    let table: &[u16] = match arch {
        Arch::X86_64 => &X86_64,
        Arch::Aarch64 => &AARCH64,
    };
    let index = *table.get(usize::try_from(nr).ok()?)?;
    (index != u16::MAX).then_some(usize::from(index))
}

/// The entry with this name on `arch`.
pub fn by_name(arch: Arch, name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|e| e.name == name && e.number(arch).is_some())
}

impl Entry {
    /// What the call gives when nothing carries it out.
    pub fn errno(&self) -> Errno {
        match self.level {
            Level::None(e) => e,
            Level::Full | Level::Partial => Errno::ENOSYS,
        }
    }
}
