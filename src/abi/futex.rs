//! Layouts of futexes (include/uapi/linux/futex.h).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// struct futex_waitv: one futex of several, and its expected value.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct FutexWaitv {
    /// The expected value.
    pub val: u64,
    /// Address of the word.
    pub uaddr: u64,
    /// FUTEX2_* bits.
    pub flags: u32,
    /// Must be zero.
    pub reserved: u32,
}
