//! Permissions and owners.

use super::path::{AT_FDCWD, Empty, Follow, Target};
use super::*;
use crate::abi::consts::at::{AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW};
use crate::abi::consts::faccessat::AT_EACCESS;
use crate::host::{AccessIds, HostFd};
use crate::kernel::file::FileKind;

/// access(2).
pub fn access(ctx: &mut Ctx, a: &args::Access) -> SysResult {
    check(ctx, AT_FDCWD, a.path, a.mode, 0)
}

/// faccessat(2), which as a system call has no flags.
pub fn faccessat(ctx: &mut Ctx, a: &args::Faccessat) -> SysResult {
    check(ctx, a.dirfd, a.path, a.mode, 0)
}

/// faccessat2(2).
pub fn faccessat2(ctx: &mut Ctx, a: &args::Faccessat2) -> SysResult {
    check(ctx, a.dirfd, a.path, a.mode, a.flags)
}

fn check(ctx: &mut Ctx, dirfd: i32, path: GuestAddr, mode: u32, flags: u32) -> SysResult {
    if mode & !7 != 0 || flags & !(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let name = ctx.path(path)?;
    let follow = if flags & AT_SYMLINK_NOFOLLOW != 0 { Follow::No } else { Follow::Yes };
    let ids = if flags & AT_EACCESS != 0 { AccessIds::Effective } else { AccessIds::Real };
    let target = path::resolve_or_fd(ctx, dirfd, &name, follow, Empty::from_flags(flags))?;
    match changeable(ctx, &target) {
        Ok(fd) => ctx.kernel.host.access(&fd, mode, ids)?,
        Err(_) => {
            let uid = ctx.thread().credentials.uid[if ids == AccessIds::Real { 0 } else { 1 }];
            match target {
                Target::Made(made) => made.access(ctx, mode, uid)?,
                Target::File(file) => {
                    if let Some(made) = file.downcast::<MadeFile>() {
                        made.node.access(ctx, mode, uid)?;
                    }
                }
                Target::Host(..) => {}
            }
        }
    }
    Ok(0)
}

/// The host's file of a target whose metadata is to be used or changed.
///
/// # Errors
/// `EPERM`: the file is made up.
pub(super) fn changeable(_ctx: &mut Ctx, target: &Target) -> Result<HostFd, Errno> {
    target.host_fd().cloned().ok_or(Errno::EPERM)
}

/// chmod(2).
pub fn chmod(ctx: &mut Ctx, a: &args::Chmod) -> SysResult {
    change_mode(ctx, AT_FDCWD, a.path, a.mode, 0)
}

/// fchmodat(2), which as a system call has no flags.
pub fn fchmodat(ctx: &mut Ctx, a: &args::Fchmodat) -> SysResult {
    change_mode(ctx, a.dirfd, a.path, a.mode, 0)
}

/// fchmodat2(2).
pub fn fchmodat2(ctx: &mut Ctx, a: &args::Fchmodat2) -> SysResult {
    change_mode(ctx, a.dirfd, a.path, a.mode, a.flags)
}

/// fchmod(2).
pub fn fchmod(ctx: &mut Ctx, a: &args::Fchmod) -> SysResult {
    let fd = own_fd(ctx, a.fd)?;
    ctx.kernel.host.change_mode(&fd, a.mode & 0o7777)?;
    Ok(0)
}

fn change_mode(ctx: &mut Ctx, dirfd: i32, path: GuestAddr, mode: u32, flags: u32) -> SysResult {
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let name = ctx.path(path)?;
    let follow = if flags & AT_SYMLINK_NOFOLLOW != 0 { Follow::No } else { Follow::Yes };
    let target = path::resolve_or_fd(ctx, dirfd, &name, follow, Empty::from_flags(flags))?;
    let fd = changeable(ctx, &target)?;
    if FileKind::of_mode(ctx.kernel.host.stat(&fd)?.mode) == FileKind::Symlink {
        return Err(Errno::EOPNOTSUPP.into());
    }
    ctx.kernel.host.change_mode(&fd, mode & 0o7777)?;
    Ok(0)
}

/// chown(2).
pub fn chown(ctx: &mut Ctx, a: &args::Chown) -> SysResult {
    change_owner(ctx, AT_FDCWD, a.path, (a.owner, a.group), 0)
}

/// lchown(2).
pub fn lchown(ctx: &mut Ctx, a: &args::Lchown) -> SysResult {
    change_owner(ctx, AT_FDCWD, a.path, (a.owner, a.group), AT_SYMLINK_NOFOLLOW)
}

/// fchownat(2).
pub fn fchownat(ctx: &mut Ctx, a: &args::Fchownat) -> SysResult {
    change_owner(ctx, a.dirfd, a.path, (a.owner, a.group), a.flags)
}

/// fchown(2).
pub fn fchown(ctx: &mut Ctx, a: &args::Fchown) -> SysResult {
    let fd = own_fd(ctx, a.fd)?;
    ctx.kernel.host.change_owner(&fd, a.owner, a.group)?;
    Ok(0)
}

fn change_owner(ctx: &mut Ctx, dirfd: i32, path: GuestAddr, ids: (u32, u32), flags: u32) -> SysResult {
    if flags & !(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let name = ctx.path(path)?;
    let follow = if flags & AT_SYMLINK_NOFOLLOW != 0 { Follow::No } else { Follow::Yes };
    let target = path::resolve_or_fd(ctx, dirfd, &name, follow, Empty::from_flags(flags))?;
    let fd = changeable(ctx, &target)?;
    ctx.kernel.host.change_owner(&fd, ids.0, ids.1)?;
    Ok(0)
}

/// The host's file of a descriptor that is good for more than its place.
///
/// # Errors
/// `EBADF`; `EPERM`: the file is made up.
pub(super) fn own_fd(ctx: &mut Ctx, fd: i32) -> Result<HostFd, Errno> {
    let file = ctx.file(fd)?;
    if file.is_path_only() {
        return Err(Errno::EBADF);
    }
    file.host_fd().cloned().ok_or(Errno::EPERM)
}
