//! struct stat and struct statx (uapi/asm/stat.h of each architecture, uapi/linux/stat.h).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// struct stat of x86_64.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct StatX86_64 {
    /// Device that holds it.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
    /// Hard links.
    pub nlink: u64,
    /// Type and permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    pub(crate) pad: u32,
    /// Device that it is.
    pub rdev: u64,
    /// Bytes.
    pub size: i64,
    /// Preferred size of a transfer.
    pub blksize: i64,
    /// Units of 512 bytes.
    pub blocks: i64,
    /// Last access: seconds, nanoseconds.
    pub atime: [i64; 2],
    /// Last change of content.
    pub mtime: [i64; 2],
    /// Last change of the inode.
    pub ctime: [i64; 2],
    pub(crate) unused: [i64; 3],
}

/// struct stat of aarch64 (asm-generic).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct StatAarch64 {
    /// Device that holds it.
    pub dev: u64,
    /// Inode number.
    pub ino: u64,
    /// Type and permission bits.
    pub mode: u32,
    /// Hard links.
    pub nlink: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device that it is.
    pub rdev: u64,
    pub(crate) pad1: u64,
    /// Bytes.
    pub size: i64,
    /// Preferred size of a transfer.
    pub blksize: i32,
    pub(crate) pad2: u32,
    /// Units of 512 bytes.
    pub blocks: i64,
    /// Last access: seconds, nanoseconds.
    pub atime: [i64; 2],
    /// Last change of content.
    pub mtime: [i64; 2],
    /// Last change of the inode.
    pub ctime: [i64; 2],
    pub(crate) unused: [u32; 2],
}

/// struct statx_timestamp.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct StatxTime {
    /// Seconds.
    pub sec: i64,
    /// Nanoseconds.
    pub nsec: u32,
    pub(crate) pad: u32,
}

/// struct statx.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Statx {
    /// Which members hold something.
    pub mask: u32,
    /// Preferred size of a transfer.
    pub blksize: u32,
    /// STATX_ATTR_* bits.
    pub attributes: u64,
    /// Hard links.
    pub nlink: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Type and permission bits.
    pub mode: u16,
    pub(crate) spare0: u16,
    /// Inode number.
    pub ino: u64,
    /// Bytes.
    pub size: u64,
    /// Units of 512 bytes.
    pub blocks: u64,
    /// Which attributes the file system knows.
    pub attributes_mask: u64,
    /// Last access.
    pub atime: StatxTime,
    /// Creation.
    pub btime: StatxTime,
    /// Last change of the inode.
    pub ctime: StatxTime,
    /// Last change of content.
    pub mtime: StatxTime,
    /// Device that it is: major and minor number.
    pub rdev: [u32; 2],
    /// Device that holds it.
    pub dev: [u32; 2],
    /// Id of the mount.
    pub mnt_id: u64,
    /// Alignment of memory and offsets for direct transfers.
    pub dio_align: [u32; 2],
    pub(crate) spare: [u64; 12],
}
