//! Arguments of calls on files: struct open_how (uapi/linux/openat2.h), struct file_clone_range (uapi/linux/fs.h); the
//! same on both architectures.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// How openat2(2) opens.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct OpenHow {
    /// O_* flags.
    pub flags: u64,
    /// Permission bits of a file that is made.
    pub mode: u64,
    /// RESOLVE_* flags.
    pub resolve: u64,
}

/// The argument of FICLONERANGE.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct FileCloneRange {
    /// Descriptor to take the content from.
    pub src_fd: i64,
    /// First byte of it.
    pub src_offset: u64,
    /// Bytes; 0: to the end.
    pub src_length: u64,
    /// Where it goes.
    pub dest_offset: u64,
}
