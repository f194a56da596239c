//! What io_submit(2) and io_getevents(2) take and give (include/uapi/linux/aio_abi.h).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `struct iocb`.
#[allow(missing_docs, reason = "named as in the header, without aio_")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct Iocb {
    pub data: u64,
    pub key: u32,
    pub rw_flags: i32,
    pub opcode: u16,
    pub reqprio: i16,
    pub fildes: u32,
    pub buf: u64,
    pub nbytes: u64,
    pub offset: i64,
    pub reserved2: u64,
    pub flags: u32,
    pub resfd: u32,
}

/// `struct io_event`.
#[allow(missing_docs, reason = "named as in the header")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct IoEvent {
    pub data: u64,
    pub obj: u64,
    pub res: i64,
    pub res2: i64,
}

/// `struct __aio_sigset`: the mask of io_pgetevents(2).
#[allow(missing_docs, reason = "a pointer and a size in bytes")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct AioSigset {
    pub set: u64,
    pub size: u64,
}
