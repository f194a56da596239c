//! The guest's binary interface: errno, signals, flag constants, and the layouts of structs that system calls take.
//!
//! Generated from `syscall-tables/` where it is a list, written here where it is a layout. Constants are in x86_64's
//! numbering; where aarch64's differs, handlers convert with [`crate::syscalls::Set::to_canonical`].

mod aio;
mod clone;
mod errno;
mod flock;
mod fs;
mod futex;
mod iovec;
mod ipc;
mod poll;
pub mod sigframe;
pub mod siginfo;
mod signal;
mod socket;
mod stat;
mod statfs;
mod system;
mod termios;
mod time;

pub use aio::{AioSigset, IoEvent, Iocb};
pub use clone::CloneArgs;
pub use errno::Errno;
pub use flock::{Flock, OwnerEx};
pub use fs::{FileCloneRange, OpenHow};
pub use futex::FutexWaitv;
pub use iovec::IoVec;
pub use ipc::{
    IpcPerm, MqAttr, MsgInfo, MsqidDs, SemInfo, Sembuf, SemidDsAarch64, SemidDsX86_64, ShmInfo, ShmInfo64, ShmidDs,
};
pub use poll::{PollFd, SigsetArg};
pub use siginfo::SignalfdSiginfo;
pub use signal::{DefaultAction, SigSet, Signal};
pub use socket::{CMsgHdr, MMsgHdr, MsgHdr, UCred};
pub use stat::{StatAarch64, StatX86_64, Statx, StatxTime};
pub use statfs::{StatFs, Ustat};
pub use system::{CapData, CapHeader, Rlimit, RseqCs, Rusage, SchedAttr, Sysinfo, Utsname};
pub use termios::{Termio, Termios, Termios2, WinSize};
pub use time::{Itimerspec, Itimerval, Sigevent, Timespec, Timeval, Timex, Timezone, Tms};

/// Flag and enum constants, one module for each set of `flags.tbl`.
#[allow(non_upper_case_globals, reason = "names are the uapi's")]
pub mod consts {
    include!(concat!(env!("OUT_DIR"), "/consts.rs"));
}
