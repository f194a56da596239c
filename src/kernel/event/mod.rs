//! Waiting for many files at once, and files that tell of events: poll(2), select(2), epoll(7), eventfd(2),
//! timerfd_create(2), inotify(7).

mod epoll;
mod eventfd;
mod inotify;
mod poll;
mod timerfd;
mod watch;

pub(in crate::kernel) use epoll::epoll_target;
pub use epoll::{epoll_create, epoll_create1, epoll_ctl, epoll_pwait, epoll_pwait2, epoll_wait};
pub use eventfd::{eventfd, eventfd2};
pub use inotify::{inotify_add_watch, inotify_init, inotify_init1, inotify_rm_watch};
pub use poll::{poll, ppoll, pselect6, select};
pub use timerfd::{TimerFiles, timerfd_create, timerfd_gettime, timerfd_settime};
pub use watch::Watchers;

use super::*;
use crate::abi::consts::open::{O_CLOEXEC, O_NONBLOCK};
use crate::host::FileStat;

/// The device number of the file system that such files are in, 0:15, and their common inode there.
const ANONYMOUS: (u64, u64) = (15, 1);

/// What stat(2) says of a file without a name or a kind (anon_inode_getfile).
pub(in crate::kernel) fn anonymous_stat() -> FileStat {
    FileStat { dev: ANONYMOUS.0, ino: ANONYMOUS.1, mode: 0o600, nlink: 1, blksize: 4096, ..FileStat::default() }
}

/// Gives a new file of this kind a descriptor. Its `flags` are the bits O_CLOEXEC and O_NONBLOCK of the call, which have
/// the same values in all these calls on both architectures.
pub(in crate::kernel) fn install(
    ctx: &mut Ctx,
    ops: impl file::FileOps + 'static,
    name: &[u8],
    access: u32,
    flags: u32,
) -> SysResult {
    let file = file::File::new(ops, name, access | flags & O_NONBLOCK);
    Ok(ctx.install(file, flags & O_CLOEXEC != 0)? as u64)
}
