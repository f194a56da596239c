//! struct pollfd (uapi/asm-generic/poll.h) and fd_set (uapi/linux/posix_types.h).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A descriptor to poll.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct PollFd {
    /// Descriptor; negative: ignored.
    pub fd: i32,
    /// POLL* bits asked for.
    pub events: i16,
    /// POLL* bits that hold.
    pub revents: i16,
}

/// The last argument of pselect6(2).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SigsetArg {
    /// Address of the signal set, or 0.
    pub set: u64,
    /// Bytes in it.
    pub size: u64,
}
