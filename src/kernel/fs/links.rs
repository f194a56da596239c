//! Hard and symbolic links.

use super::path::{AT_FDCWD, Dir, Empty, Follow, Parent, Target};
use super::*;
use crate::abi::consts::at::{AT_EMPTY_PATH, AT_SYMLINK_FOLLOW};
use crate::abi::consts::open::O_NOFOLLOW;
use crate::host::{HostFd, OpenHow, Remove};
use crate::kernel::procfs;

/// readlink(2).
pub fn readlink(ctx: &mut Ctx, a: &args::Readlink) -> SysResult {
    read_link(ctx, AT_FDCWD, a.path, a.buf, a.bufsiz)
}

/// readlinkat(2).
pub fn readlinkat(ctx: &mut Ctx, a: &args::Readlinkat) -> SysResult {
    read_link(ctx, a.dirfd, a.path, a.buf, a.bufsiz)
}

fn read_link(ctx: &mut Ctx, dirfd: i32, path: GuestAddr, buf: GuestAddr, room: i32) -> SysResult {
    let room = usize::try_from(room).ok().filter(|n| *n > 0).ok_or(Errno::EINVAL)?;
    let name = ctx.path(path)?;
    // An empty name reads the link that the descriptor is a handle of.
    let target = match (name.is_empty(), dirfd) {
        (true, AT_FDCWD) => return Err(Errno::ENOENT.into()),
        _ => path::look_up(ctx, dirfd, &name, Follow::No, Empty::Allowed)?,
    };
    let mut link = match &target {
        Target::Made(made) => made.read_link(ctx)?,
        Target::File(file) => match (file.downcast::<MadeFile>(), file.host_fd()) {
            (Some(made), _) => made.node.clone().read_link(ctx).map_err(|e| empty_name(e, &name))?,
            (None, Some(fd)) => ctx.kernel.host.read_link(fd, b"")?,
            (None, None) => return Err(Errno::ENOENT.into()),
        },
        Target::Host(fd, _) => ctx.kernel.host.read_link(fd, b"").map_err(|e| match e {
            // The host's answer to an empty name for what is no link.
            Errno::ENOENT => Errno::EINVAL,
            e => e,
        })?,
    };
    link.truncate(room);
    ctx.mem().write(buf, &link)?;
    Ok(link.len() as u64)
}

/// readlinkat(2) with an empty name says ENOENT where it says EINVAL for a name.
fn empty_name(e: Errno, name: &[u8]) -> Errno {
    if name.is_empty() && e == Errno::EINVAL { Errno::ENOENT } else { e }
}

/// symlink(2).
pub fn symlink(ctx: &mut Ctx, a: &args::Symlink) -> SysResult {
    make_symlink(ctx, a.target, AT_FDCWD, a.linkpath)
}

/// symlinkat(2).
pub fn symlinkat(ctx: &mut Ctx, a: &args::Symlinkat) -> SysResult {
    make_symlink(ctx, a.target, a.newdirfd, a.linkpath)
}

fn make_symlink(ctx: &mut Ctx, target: GuestAddr, dirfd: i32, path: GuestAddr) -> SysResult {
    let target = ctx.path(target)?;
    if target.is_empty() {
        return Err(Errno::ENOENT.into());
    }
    let name = ctx.path(path)?;
    let at = path::parent(ctx, dirfd, &name)?;
    let dir = writable_dir(ctx, &at, Change::Make)?;
    ctx.kernel.host.make_symlink(&target, &dir, &at.name)?;
    Ok(0)
}

/// link(2).
pub fn link(ctx: &mut Ctx, a: &args::Link) -> SysResult {
    make_link(ctx, (AT_FDCWD, a.oldpath), (AT_FDCWD, a.newpath), 0)
}

/// linkat(2).
pub fn linkat(ctx: &mut Ctx, a: &args::Linkat) -> SysResult {
    make_link(ctx, (a.olddirfd, a.oldpath), (a.newdirfd, a.newpath), a.flags)
}

fn make_link(ctx: &mut Ctx, from: (i32, GuestAddr), to: (i32, GuestAddr), flags: u32) -> SysResult {
    if flags & !(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let old = ctx.path(from.1)?;
    let new = ctx.path(to.1)?;
    if old.is_empty() || flags & AT_SYMLINK_FOLLOW != 0 {
        let target = path::resolve_or_fd(ctx, from.0, &old, Follow::Yes, Empty::from_flags(flags))?;
        let at = path::parent(ctx, to.0, &new)?;
        let dir = writable_dir(ctx, &at, Change::Make)?;
        let handle = target.host_fd().cloned().ok_or(Errno::EXDEV)?;
        same_mount(ctx, &handle, &dir, &at.name)?;
        ctx.kernel.host.link(&handle, &dir, &at.name)?;
        return Ok(0);
    }
    // What is to be linked is looked for before the place for the new name.
    path::resolve(ctx, from.0, &old, Follow::No)?;
    let source = path::parent(ctx, from.0, &old)?;
    let at = path::parent(ctx, to.0, &new)?;
    let source_dir = writable_dir(ctx, &source, Change::LinkFrom)?;
    let dir = writable_dir(ctx, &at, Change::Make)?;
    same_mount(ctx, &source_dir, &dir, &at.name)?;
    ctx.kernel.host.link_name((&source_dir, &source.name), (&dir, &at.name))?;
    Ok(0)
}

/// Whether a file may get the name `name` in `dir`, as far as their mounts go.
fn same_mount(ctx: &mut Ctx, file: &HostFd, dir: &HostFd, name: &[u8]) -> Result<(), Errno> {
    if file.mount() == dir.mount() {
        return Ok(());
    }
    // A name that is there already is noticed first.
    let exists = ctx.kernel.host.open(dir, name, OpenHow::handle(O_NOFOLLOW)).is_ok();
    Err(if exists { Errno::EEXIST } else { Errno::EXDEV })
}

/// What is to happen to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is to be made.
    Make,
    /// It is to be removed, or as a directory.
    Remove(Remove),
    /// It is to get a second one elsewhere.
    LinkFrom,
    /// It is to be given to another file, or taken from this one.
    Rename,
}

/// The host's directory that holds a name which is to change.
///
/// # Errors
/// What Linux's procfs answers, if the directory is made up. `EROFS`, and of mount points `EBUSY`, or `EEXIST` and `EXDEV`.
pub(super) fn writable_dir(ctx: &mut Ctx, at: &Parent, change: Change) -> Result<HostFd, Errno> {
    let name: Vec<u8> = at.name.iter().copied().take_while(|b| *b != b'/').collect();
    let dir = match &at.dir {
        Dir::Host(fd) => {
            may_change(ctx, fd, &name, change)?;
            return Ok(fd.clone());
        }
        Dir::Made(path) => path.clone(),
    };
    let made = Made::find(ctx, &walk::join(&dir, &name));
    let is_dir = name == b"." || name == b".." || made.as_ref().is_some_and(Made::is_dir);
    if made.is_none() && !is_dir {
        return Err(Errno::ENOENT);
    }
    let is_root = ctx.thread().credentials.uid[1] == 0;
    Err(match change {
        Change::Make => Errno::EEXIST,
        Change::LinkFrom | Change::Rename => Errno::EXDEV,
        Change::Remove(_) if !is_root => Errno::EACCES,
        Change::Remove(Remove::File) if is_dir => Errno::EISDIR,
        Change::Remove(Remove::Directory) if !is_dir => Errno::ENOTDIR,
        Change::Remove(_) => Errno::EPERM,
    })
}

/// Whether a name in a directory of the host may change, as far as the machine's mounts go.
fn may_change(ctx: &mut Ctx, dir: &HostFd, name: &[u8], change: Change) -> Result<(), Errno> {
    // The host refuses changes of these first, each call in its own way.
    let is_special = matches!(name, b"" | b"." | b"..");
    if !ctx.kernel.mounts.is_layered() || is_special {
        return Ok(());
    }
    if ctx.kernel.mounts.refuses_writing(dir.mount()) {
        let mut exists = || ctx.kernel.host.open(dir, name, OpenHow::handle(O_NOFOLLOW)).is_ok();
        match change {
            Change::LinkFrom => {}
            Change::Make if exists() => return Err(Errno::EEXIST),
            Change::Make | Change::Remove(_) | Change::Rename => return Err(Errno::EROFS),
        }
    }
    let Some(path) = mounts::machine_name(ctx, dir).map(|dir| walk::join(&dir, name)) else { return Ok(()) };
    let mounts = &ctx.kernel.mounts;
    let (is_mount, is_above) = (mounts.find(&path).is_some() || procfs::is_root(&path), mounts.has_below(&path));
    match change {
        Change::Make if is_mount || is_above => Err(Errno::EEXIST),
        Change::LinkFrom if is_mount => Err(Errno::EXDEV),
        Change::Remove(Remove::File) if is_above => Err(Errno::EISDIR),
        Change::Remove(_) | Change::Rename if is_mount || is_above => Err(Errno::EBUSY),
        _ => Ok(()),
    }
}
