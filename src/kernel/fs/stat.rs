//! The stat family.

use super::path::{AT_FDCWD, Empty, Follow};
use super::*;
use crate::abi::consts::at::{AT_EMPTY_PATH, AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW};
use crate::abi::consts::statx as x;
use crate::abi::consts::statx_flags::{AT_STATX_DONT_SYNC, AT_STATX_FORCE_SYNC};
use crate::abi::{StatAarch64, StatX86_64, Statx, StatxTime};
use crate::arch::Arch;
use crate::host::{FileStat, FileTime};
use crate::kernel::procfs;

/// stat(2).
pub fn stat(ctx: &mut Ctx, a: &args::Stat) -> SysResult {
    let name = ctx.path(a.path)?;
    let stat = path::look_up(ctx, AT_FDCWD, &name, Follow::Yes, Empty::Refused)?.stat(ctx)?;
    put(ctx, a.statbuf, &stat)
}

/// lstat(2).
pub fn lstat(ctx: &mut Ctx, a: &args::Lstat) -> SysResult {
    let name = ctx.path(a.path)?;
    let stat = path::look_up(ctx, AT_FDCWD, &name, Follow::No, Empty::Refused)?.stat(ctx)?;
    put(ctx, a.statbuf, &stat)
}

/// fstat(2).
pub fn fstat(ctx: &mut Ctx, a: &args::Fstat) -> SysResult {
    let file = ctx.file(a.fd)?;
    let stat = file.ops().stat(ctx, &file)?;
    put(ctx, a.statbuf, &stat)
}

/// newfstatat(2).
pub fn newfstatat(ctx: &mut Ctx, a: &args::Newfstatat) -> SysResult {
    if a.flags & !(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let stat = stat_at(ctx, a.dirfd, a.path, a.flags)?;
    put(ctx, a.statbuf, &stat)
}

/// statx(2). Deviation: nothing beyond STATX_BASIC_STATS, STATX_BTIME and STATX_MNT_ID is given.
pub fn statx(ctx: &mut Ctx, a: &args::Statx) -> SysResult {
    const SYNC: u32 = AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC;
    if a.mask & x::STATX__RESERVED != 0
        || a.flags & SYNC == SYNC
        || a.flags & !(AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | SYNC) != 0
    {
        return Err(Errno::EINVAL.into());
    }
    let s = stat_at(ctx, a.dirfd, a.path, a.flags)?;
    let time = |t: FileTime| StatxTime { sec: t.sec, nsec: t.nsec, ..StatxTime::default() };
    let btime = s.btime.filter(|_| a.mask & x::STATX_BTIME != 0);
    let out = Statx {
        mask: x::STATX_BASIC_STATS | x::STATX_MNT_ID | if btime.is_some() { x::STATX_BTIME } else { 0 },
        blksize: s.blksize,
        attributes: s.attributes,
        nlink: s.nlink,
        uid: s.uid,
        gid: s.gid,
        mode: s.mode as u16,
        ino: s.ino,
        size: s.size,
        blocks: s.blocks,
        attributes_mask: s.attributes_mask,
        atime: time(s.atime),
        btime: btime.map(time).unwrap_or_default(),
        ctime: time(s.ctime),
        mtime: time(s.mtime),
        rdev: [rustix::fs::major(s.rdev), rustix::fs::minor(s.rdev)],
        dev: [rustix::fs::major(s.dev), rustix::fs::minor(s.dev)],
        mnt_id: s.mnt_id,
        ..Statx::default()
    };
    ctx.mem().copy_out(a.statxbuf, &out)?;
    Ok(0)
}

/// What the calls with a descriptor, a name and AT_* flags do. A name of NULL counts as empty when AT_EMPTY_PATH allows
/// that (Linux 6.11).
fn stat_at(ctx: &mut Ctx, dirfd: i32, addr: GuestAddr, flags: u32) -> Result<FileStat, Errno> {
    let empty = Empty::from_flags(flags);
    let name = if addr.is_null() && empty == Empty::Allowed { Vec::new() } else { ctx.path(addr)? };
    let follow = if flags & AT_SYMLINK_NOFOLLOW != 0 { Follow::No } else { Follow::Yes };
    let target = path::look_up(ctx, dirfd, &name, follow, empty)?;
    let stat = target.stat(ctx)?;
    let mnt_id = target.host_fd().map_or(stat.mnt_id, |fd| procfs::mounts::shown_id(ctx.kernel, fd, stat.mnt_id));
    Ok(FileStat { mnt_id, ..stat })
}

/// Writes struct stat as the caller's architecture has it.
fn put(ctx: &mut Ctx, addr: GuestAddr, s: &FileStat) -> SysResult {
    let time = |t: FileTime| [t.sec, i64::from(t.nsec)];
    let (atime, mtime, ctime) = (time(s.atime), time(s.mtime), time(s.ctime));
    match ctx.arch {
        Arch::X86_64 => {
            let out = StatX86_64 {
                dev: s.dev,
                ino: s.ino,
                nlink: s.nlink.into(),
                mode: s.mode,
                uid: s.uid,
                gid: s.gid,
                rdev: s.rdev,
                size: s.size as i64,
                blksize: s.blksize.into(),
                blocks: s.blocks as i64,
                atime,
                mtime,
                ctime,
                ..StatX86_64::default()
            };
            ctx.mem().copy_out(addr, &out)?;
        }
        Arch::Aarch64 => {
            let out = StatAarch64 {
                dev: s.dev,
                ino: s.ino,
                mode: s.mode,
                nlink: s.nlink,
                uid: s.uid,
                gid: s.gid,
                rdev: s.rdev,
                size: s.size as i64,
                blksize: s.blksize as i32,
                blocks: s.blocks as i64,
                atime,
                mtime,
                ctime,
                ..StatAarch64::default()
            };
            ctx.mem().copy_out(addr, &out)?;
        }
    }
    Ok(0)
}
