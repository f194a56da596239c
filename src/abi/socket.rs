//! Layouts of the socket calls (uapi/linux/socket.h, uapi/linux/un.h). Both architectures share them.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// struct user_msghdr: a message for sendmsg(2) and recvmsg(2).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct MsgHdr {
    /// Address of the socket address.
    pub name: u64,
    /// Bytes of the socket address.
    pub name_len: i32,
    /// Padding.
    pub pad: u32,
    /// Address of the iovec array.
    pub iov: u64,
    /// Its entries.
    pub iov_len: u64,
    /// Address of the control messages.
    pub control: u64,
    /// Their bytes.
    pub control_len: u64,
    /// MSG_* bits of what was received.
    pub flags: u32,
    /// Padding.
    pub pad2: u32,
}

/// struct mmsghdr: an entry of sendmmsg(2) and recvmmsg(2).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct MMsgHdr {
    /// The message.
    pub hdr: MsgHdr,
    /// Bytes sent or received.
    pub len: u32,
    /// Padding.
    pub pad: u32,
}

/// struct cmsghdr: what begins a control message.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct CMsgHdr {
    /// Bytes, this header included.
    pub len: u64,
    /// SOL_* level.
    pub level: u32,
    /// Type within the level.
    pub kind: u32,
}

/// struct ucred: who sent a message, or who is at the other end.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct UCred {
    /// Process.
    pub pid: i32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}
