//! What clone3(2) takes.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// `struct clone_args` (include/uapi/linux/sched.h), 88 bytes; older programs pass its first 64 or 80.
#[allow(missing_docs, reason = "named as in clone(2)")]
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct CloneArgs {
    pub flags: u64,
    pub pidfd: u64,
    pub child_tid: u64,
    pub parent_tid: u64,
    pub exit_signal: u64,
    pub stack: u64,
    pub stack_size: u64,
    pub tls: u64,
    pub set_tid: u64,
    pub set_tid_size: u64,
    pub cgroup: u64,
}
