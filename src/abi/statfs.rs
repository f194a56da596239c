//! struct statfs (uapi/asm-generic/statfs.h) and struct ustat (ustat(2)).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// struct statfs; both architectures share it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct StatFs {
    /// Magic number of its kind.
    pub kind: u64,
    /// Preferred size of a transfer in bytes.
    pub block_size: u64,
    /// Size, in blocks.
    pub blocks: u64,
    /// Free blocks.
    pub free: u64,
    /// Free blocks for everybody.
    pub available: u64,
    /// Inodes.
    pub files: u64,
    /// Free inodes.
    pub files_free: u64,
    /// Its id.
    pub id: [i32; 2],
    /// Longest name in bytes.
    pub name_len: u64,
    /// Unit of the block counts in bytes.
    pub fragment_size: u64,
    /// ST_* mount flags.
    pub flags: u64,
    pub(crate) spare: [u64; 4],
}

/// struct ustat of x86_64.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Ustat {
    /// Free blocks.
    pub free: i32,
    pub(crate) pad: u32,
    /// Free inodes.
    pub inodes: u64,
    pub(crate) name: [u8; 6],
    pub(crate) pack: [u8; 6],
    pub(crate) tail: u32,
}
