//! struct flock and struct f_owner_ex (uapi/asm-generic/fcntl.h).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// A record lock.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Flock {
    /// F_RDLCK, F_WRLCK or F_UNLCK.
    pub kind: i16,
    /// What `start` counts from.
    pub whence: i16,
    pub(crate) pad: u32,
    /// First byte.
    pub start: i64,
    /// Bytes; 0: to the end.
    pub len: i64,
    /// Who holds it.
    pub pid: i32,
    pub(crate) tail: u32,
}

/// Who gets signals about a file.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct OwnerEx {
    /// F_OWNER_TID, F_OWNER_PID or F_OWNER_PGRP.
    pub kind: i32,
    /// Thread, process or group.
    pub id: i32,
}
