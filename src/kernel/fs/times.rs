//! Times and lengths of files by name.

use super::access::changeable;
use super::path::{AT_FDCWD, Empty, Follow, Target};
use super::*;
use crate::abi::consts::at::{AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW};
use crate::abi::consts::utime_nsec::{UTIME_NOW, UTIME_OMIT};
use crate::host::{FileTime, SetTime};
use crate::kernel::file::{FileKind, Use};

/// Access and modification time to set.
type Times = (SetTime, SetTime);

/// utime(2).
pub fn utime(ctx: &mut Ctx, a: &args::Utime) -> SysResult {
    let times = if a.times.is_null() {
        (SetTime::Now, SetTime::Now)
    } else {
        let [access, modification]: [i64; 2] = ctx.mem().copy_in(a.times)?;
        let whole = |sec| SetTime::To(FileTime { sec, nsec: 0 });
        (whole(access), whole(modification))
    };
    set_named(ctx, AT_FDCWD, a.path, 0, times)
}

/// utimes(2).
pub fn utimes(ctx: &mut Ctx, a: &args::Utimes) -> SysResult {
    let times = from_timevals(ctx, a.times)?;
    set_named(ctx, AT_FDCWD, a.path, 0, times)
}

/// futimesat(2).
pub fn futimesat(ctx: &mut Ctx, a: &args::Futimesat) -> SysResult {
    let times = from_timevals(ctx, a.times)?;
    set_named(ctx, a.dirfd, a.path, 0, times)
}

/// utimensat(2).
pub fn utimensat(ctx: &mut Ctx, a: &args::Utimensat) -> SysResult {
    let times = if a.times.is_null() {
        [None, None]
    } else {
        let [s0, n0, s1, n1]: [i64; 4] = ctx.mem().copy_in(a.times)?;
        if n0 == i64::from(UTIME_OMIT) && n1 == i64::from(UTIME_OMIT) {
            return Ok(0); // Not even the name is looked at.
        }
        [Some((s0, n0)), Some((s1, n1))]
    };
    let valid = |t: &Option<(i64, i64)>| match t {
        None => true,
        Some((_, n)) => (0..1_000_000_000).contains(n) || *n == i64::from(UTIME_NOW) || *n == i64::from(UTIME_OMIT),
    };
    if !times.iter().all(valid) {
        // A name that does not exist is the greater mistake.
        target_of(ctx, a.dirfd, a.path, a.flags)?;
        return Err(Errno::EINVAL.into());
    }
    let [access, modification] = times.map(|t| match t {
        None => SetTime::Now,
        Some((_, n)) if n == i64::from(UTIME_NOW) => SetTime::Now,
        Some((_, n)) if n == i64::from(UTIME_OMIT) => SetTime::Omit,
        Some((sec, n)) => SetTime::To(FileTime { sec, nsec: n as u32 }),
    });
    set_named(ctx, a.dirfd, a.path, a.flags, (access, modification))
}

fn from_timevals(ctx: &mut Ctx, addr: GuestAddr) -> Result<Times, Errno> {
    if addr.is_null() {
        return Ok((SetTime::Now, SetTime::Now));
    }
    let [s0, u0, s1, u1]: [i64; 4] = ctx.mem().copy_in(addr)?;
    let time = |sec, micros: i64| match micros {
        0..1_000_000 => Ok(SetTime::To(FileTime { sec, nsec: micros as u32 * 1000 })),
        _ => Err(Errno::EINVAL),
    };
    Ok((time(s0, u0)?, time(s1, u1)?))
}

/// The file whose times are meant; a name of NULL means the descriptor.
fn target_of(ctx: &mut Ctx, dirfd: i32, addr: GuestAddr, flags: u32) -> Result<Target, Errno> {
    if addr.is_null() && dirfd != AT_FDCWD {
        if flags != 0 {
            return Err(Errno::EINVAL);
        }
        let file = ctx.file(dirfd)?;
        return if file.is_path_only() { Err(Errno::EBADF) } else { Ok(Target::File(file)) };
    }
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL);
    }
    let empty = Empty::from_flags(flags);
    let name = ctx.path(addr)?;
    let follow = if flags & AT_SYMLINK_NOFOLLOW != 0 { Follow::No } else { Follow::Yes };
    path::resolve_or_fd(ctx, dirfd, &name, follow, empty)
}

fn set_named(ctx: &mut Ctx, dirfd: i32, addr: GuestAddr, flags: u32, times: Times) -> SysResult {
    let target = target_of(ctx, dirfd, addr, flags)?;
    let fd = changeable(ctx, &target)?;
    ctx.kernel.host.set_times(&fd, times.0, times.1)?;
    Ok(0)
}

/// truncate(2).
pub fn truncate(ctx: &mut Ctx, a: &args::Truncate) -> SysResult {
    let len = u64::try_from(a.length).map_err(|_| Errno::EINVAL)?;
    let name = ctx.path(a.path)?;
    let target = path::resolve(ctx, AT_FDCWD, &name, Follow::Yes)?;
    match FileKind::of_mode(target.stat(ctx)?.mode) {
        FileKind::Directory => return Err(Errno::EISDIR.into()),
        FileKind::Regular => {}
        _ => return Err(Errno::EINVAL.into()),
    }
    let stat = target.stat(ctx)?;
    ctx.kernel.uses.check(&stat, Use::Written)?;
    let limit = ctx.process().limits[crate::abi::consts::rlimit::RLIMIT_FSIZE as usize].soft;
    if len > limit && len > stat.size {
        ctx.raise(Signal::SIGXFSZ);
        return Err(Errno::EFBIG.into());
    }
    let fd = changeable(ctx, &target)?;
    ctx.kernel.host.set_length(&fd, len)?;
    Ok(0)
}
