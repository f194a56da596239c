//! struct iovec (uapi/linux/uio.h).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A piece of guest memory.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct IoVec {
    /// Address.
    pub base: u64,
    /// Bytes.
    pub len: u64,
}
