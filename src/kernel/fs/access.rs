//! Permissions and owners.

use super::path::{AT_FDCWD, Empty, Follow, Target};
use super::*;
use crate::abi::consts::at::{AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW};
use crate::abi::consts::faccessat::AT_EACCESS;
use crate::host::{AccessIds, HostFd};
use crate::kernel::devfs::Device;
use crate::kernel::file::FileKind;
use crate::kernel::procfs::Node;
use crate::kernel::tty::{Pty, SlaveEnd};

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
    let target = path::look_up(ctx, dirfd, &name, follow, Empty::from_flags(flags))?;
    match target.host_fd().cloned() {
        Some(fd) => {
            ctx.kernel.host.access(&fd, mode, ids)?;
            let special = |kind| !matches!(kind, FileKind::Regular | FileKind::Directory | FileKind::Symlink);
            if mode & 2 != 0
                && ctx.kernel.mounts.refuses_writing(fd.mount())
                && !special(FileKind::of_mode(target.stat(ctx)?.mode))
            {
                return Err(Errno::EROFS.into());
            }
        }
        None => {
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

/// The host's file of a target whose metadata is to be changed.
///
/// # Errors
/// `EPERM`: the file is made up. `EROFS`.
pub(super) fn changeable(ctx: &mut Ctx, target: &Target) -> Result<HostFd, Errno> {
    let fd = target.host_fd().cloned().ok_or(Errno::EPERM)?;
    if ctx.kernel.mounts.refuses_writing(fd.mount()) { Err(Errno::EROFS) } else { Ok(fd) }
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
    if let Some(pty) = ctx.file(a.fd)?.downcast::<SlaveEnd>() {
        return change_terminal(ctx, &Rc::clone(pty.pty()), (u32::MAX, u32::MAX), Some(a.mode));
    }
    let fd = changeable_fd(ctx, a.fd)?;
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
    if let Some(pty) = terminal_of(ctx, &target) {
        return change_terminal(ctx, &pty, (u32::MAX, u32::MAX), Some(mode));
    }
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
    if let Some(pty) = ctx.file(a.fd)?.downcast::<SlaveEnd>() {
        return change_terminal(ctx, &Rc::clone(pty.pty()), (a.owner, a.group), None);
    }
    let fd = changeable_fd(ctx, a.fd)?;
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
    if let Some(pty) = terminal_of(ctx, &target) {
        return change_terminal(ctx, &pty, ids, None);
    }
    let fd = changeable(ctx, &target)?;
    ctx.kernel.host.change_owner(&fd, ids.0, ids.1)?;
    Ok(0)
}

/// The pseudoterminal of the machine's own that a name or descriptor means.
fn terminal_of(ctx: &Ctx, target: &Target) -> Option<Rc<Pty>> {
    match target {
        Target::Made(Made { content: Node::Device(Device::Pts(n)), .. }) => ctx.kernel.terminals.pty(*n).cloned(),
        Target::File(file) => file.downcast::<SlaveEnd>().map(|end| Rc::clone(end.pty())),
        _ => None,
    }
}

/// Changes owner and permission bits of a pseudoterminal, as its owner and the administrator may.
fn change_terminal(ctx: &mut Ctx, pty: &Rc<Pty>, (uid, gid): (u32, u32), mode: Option<u32>) -> SysResult {
    use crate::abi::consts::cap::{CAP_CHOWN, CAP_FOWNER};
    let credentials = ctx.thread().credentials.clone();
    let stat = pty.stat();
    let owns = credentials.uid[3] == stat.uid;
    let keeps_user = uid == u32::MAX || uid == stat.uid;
    let own_group = gid == u32::MAX || gid == credentials.gid[3] || credentials.groups.contains(&gid);
    let allowed = match mode {
        Some(_) => owns || credentials.has(CAP_FOWNER),
        None => owns && keeps_user && own_group || credentials.has(CAP_CHOWN),
    };
    if !allowed {
        return Err(Errno::EPERM.into());
    }
    let now = ctx.kernel.file_time();
    pty.change(uid, gid, mode, now);
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

/// [`own_fd`] of a file whose metadata is to be changed.
///
/// # Errors
/// As there; `EROFS`.
pub(super) fn changeable_fd(ctx: &mut Ctx, fd: i32) -> Result<HostFd, Errno> {
    let fd = own_fd(ctx, fd)?;
    if ctx.kernel.mounts.refuses_writing(fd.mount()) { Err(Errno::EROFS) } else { Ok(fd) }
}
