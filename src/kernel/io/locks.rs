//! Locks: flock(2) and the record locks of fcntl(2).
//!
//! They are the host's locks, so that guests and host programs respect each other. Record locks of a process belong to
//! the sevm process on the host. A lock that another program holds cannot be waited for without stopping the machine:
//! such a call looks again from time to time.

use super::*;
use crate::abi::Flock;
use crate::abi::consts::{fcntl, flock_type};
use crate::host::RecordLock;
use crate::mem::GuestAddr;
use crate::syscalls::args;
use std::rc::Rc;

/// How long a call that waits for a lock sleeps between two looks, in nanoseconds.
const LOOK_AGAIN_NS: u64 = 5_000_000;

/// flock(2).
pub fn flock(ctx: &mut Ctx, a: &args::Flock) -> SysResult {
    use crate::abi::consts::flock::{LOCK_EX, LOCK_MAND, LOCK_NB, LOCK_SH, LOCK_UN};
    // Mandatory locks are accepted without effect, as in Linux since 5.15.
    if a.operation & LOCK_MAND != 0 {
        return Ok(0);
    }
    let kind = a.operation & !LOCK_NB;
    if !matches!(kind, LOCK_SH | LOCK_EX | LOCK_UN) {
        return Err(Errno::EINVAL.into());
    }
    let file = usable(ctx, a.fd)?;
    if kind != LOCK_UN && !file.can_read() && !file.can_write() {
        return Err(Errno::EBADF.into());
    }
    // Nobody disputes a file that lives inside the machine, such as a pipe.
    let Some(fd) = file.host_fd() else { return Ok(0) };
    match ctx.kernel.host.flock(fd, kind) {
        Err(Errno::EAGAIN) if a.operation & LOCK_NB == 0 => Err(look_again(ctx)),
        result => Ok(result.map(|()| 0)?),
    }
}

fn look_again(ctx: &mut Ctx) -> Stop {
    let now = ctx.kernel.monotonic_ns();
    ctx.wait(Wait::until(now + LOOK_AGAIN_NS), Errno::ERESTARTSYS)
}

/// The lock commands of fcntl(2).
pub(super) fn record_lock(ctx: &mut Ctx, file: &Rc<File>, cmd: u32, arg: GuestAddr) -> SysResult {
    let l: Flock = ctx.mem().copy_in(arg)?;
    let mut lock = RecordLock { kind: l.kind, whence: l.whence, start: l.start, len: l.len, pid: l.pid };
    let fd = file.host_fd().ok_or(Errno::EINVAL)?;
    let kind = l.kind as u32;
    match cmd {
        fcntl::F_GETLK | fcntl::F_OFD_GETLK => {
            ctx.kernel.host.record_lock(fd, cmd, &mut lock)?;
            let RecordLock { kind, whence, start, len, pid } = lock;
            ctx.mem().copy_out(arg, &Flock { kind, whence, start, len, pid, ..l })?;
            return Ok(0);
        }
        _ if kind == flock_type::F_RDLCK && !file.can_read() => return Err(Errno::EBADF.into()),
        _ if kind == flock_type::F_WRLCK && !file.can_write() => return Err(Errno::EBADF.into()),
        _ => {}
    }
    let (try_it, waits) = match cmd {
        fcntl::F_SETLKW => (fcntl::F_SETLK, true),
        fcntl::F_OFD_SETLKW => (fcntl::F_OFD_SETLK, true),
        cmd => (cmd, false),
    };
    match ctx.kernel.host.record_lock(fd, try_it, &mut lock) {
        Err(Errno::EAGAIN | Errno::EACCES) if waits => Err(look_again(ctx)),
        Err(e) => Err(e.into()),
        Ok(()) => {
            if try_it == fcntl::F_SETLK {
                file.has_record_locks.set(true);
                ctx.kernel.has_locked_records = true;
            }
            Ok(0)
        }
    }
}

/// Closing any descriptor of a file gives up the process's record locks on it.
pub(super) fn release(ctx: &mut Ctx, file: &Rc<File>) {
    if file.has_record_locks.replace(false)
        && let Some(fd) = file.host_fd()
    {
        let mut all = RecordLock { kind: flock_type::F_UNLCK as i16, whence: 0, start: 0, len: 0, pid: 0 };
        // Nothing can be done about a host that does not unlock.
        let _ = ctx.kernel.host.record_lock(fd, fcntl::F_SETLK, &mut all);
    }
}
