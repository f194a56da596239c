//! Making and removing names: directories, nodes, unlink, rename.

use super::links::{Change, writable_dir};
use super::open::shown_name;
use super::path::{AT_FDCWD, Dir};
use super::*;
use crate::abi::consts::at::AT_REMOVEDIR;
use crate::abi::consts::rename::{RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT};
use crate::host::Remove;
use crate::kernel::file::File;

/// mkdir(2).
pub fn mkdir(ctx: &mut Ctx, a: &args::Mkdir) -> SysResult {
    make_dir(ctx, AT_FDCWD, a.path, a.mode)
}

/// mkdirat(2).
pub fn mkdirat(ctx: &mut Ctx, a: &args::Mkdirat) -> SysResult {
    make_dir(ctx, a.dirfd, a.path, a.mode)
}

fn make_dir(ctx: &mut Ctx, dirfd: i32, path: GuestAddr, mode: u32) -> SysResult {
    let name = ctx.path(path)?;
    let at = path::parent(ctx, dirfd, &name)?;
    let dir = writable_dir(ctx, &at, Change::Make)?;
    let umask = context(ctx).borrow().umask;
    ctx.kernel.host.make_dir(&dir, &at.name, mode & 0o1777 & !umask)?;
    Ok(0)
}

/// rmdir(2).
pub fn rmdir(ctx: &mut Ctx, a: &args::Rmdir) -> SysResult {
    remove(ctx, AT_FDCWD, a.path, Remove::Directory)
}

/// unlink(2).
pub fn unlink(ctx: &mut Ctx, a: &args::Unlink) -> SysResult {
    remove(ctx, AT_FDCWD, a.path, Remove::File)
}

/// unlinkat(2).
pub fn unlinkat(ctx: &mut Ctx, a: &args::Unlinkat) -> SysResult {
    if a.flags & !AT_REMOVEDIR != 0 {
        return Err(Errno::EINVAL.into());
    }
    remove(ctx, a.dirfd, a.path, if a.flags == AT_REMOVEDIR { Remove::Directory } else { Remove::File })
}

fn remove(ctx: &mut Ctx, dirfd: i32, path: GuestAddr, what: Remove) -> SysResult {
    let name = ctx.path(path)?;
    let at = path::parent(ctx, dirfd, &name)?;
    let dir = writable_dir(ctx, &at, Change::Remove(what))?;
    ctx.kernel.host.remove(&dir, &at.name, what)?;
    let shown = shown_name(ctx, dirfd, &name);
    ctx.kernel.with_open_files(&shown, File::lose_name);
    Ok(0)
}

/// rename(2).
pub fn rename(ctx: &mut Ctx, a: &args::Rename) -> SysResult {
    move_name(ctx, (AT_FDCWD, a.oldpath), (AT_FDCWD, a.newpath), 0)
}

/// renameat(2).
pub fn renameat(ctx: &mut Ctx, a: &args::Renameat) -> SysResult {
    move_name(ctx, (a.olddirfd, a.oldpath), (a.newdirfd, a.newpath), 0)
}

/// renameat2(2).
pub fn renameat2(ctx: &mut Ctx, a: &args::Renameat2) -> SysResult {
    move_name(ctx, (a.olddirfd, a.oldpath), (a.newdirfd, a.newpath), a.flags)
}

fn move_name(ctx: &mut Ctx, from: (i32, GuestAddr), to: (i32, GuestAddr), flags: u32) -> SysResult {
    let exclusive = flags & (RENAME_NOREPLACE | RENAME_WHITEOUT) != 0 && flags & RENAME_EXCHANGE != 0;
    if exclusive || flags & !(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (old_name, new_name) = (ctx.path(from.1)?, ctx.path(to.1)?);
    let old = path::parent(ctx, from.0, &old_name)?;
    let new = path::parent(ctx, to.0, &new_name)?;
    if matches!(old.dir, Dir::Made(_)) != matches!(new.dir, Dir::Made(_)) {
        return Err(Errno::EXDEV.into());
    }
    if let (Dir::Host(from), Dir::Host(to)) = (&old.dir, &new.dir)
        && from.mount() != to.mount()
    {
        return Err(Errno::EXDEV.into());
    }
    let old_dir = writable_dir(ctx, &old, Change::Rename)?;
    let new_dir = writable_dir(ctx, &new, Change::Rename)?;
    ctx.kernel.host.rename((&old_dir, &old.name), (&new_dir, &new.name), flags)?;
    if flags & RENAME_EXCHANGE == 0 {
        let (was, is) = (shown_name(ctx, from.0, &old_name), shown_name(ctx, to.0, &new_name));
        if was != is {
            ctx.kernel.with_open_files(&is, File::lose_name);
            ctx.kernel.with_open_files(&was, |file| file.set_path(&is));
        }
    }
    Ok(0)
}

/// mknod(2).
pub fn mknod(ctx: &mut Ctx, a: &args::Mknod) -> SysResult {
    make_node(ctx, AT_FDCWD, a.path, a.mode, a.dev)
}

/// mknodat(2).
pub fn mknodat(ctx: &mut Ctx, a: &args::Mknodat) -> SysResult {
    make_node(ctx, a.dirfd, a.path, a.mode, a.dev)
}

fn make_node(ctx: &mut Ctx, dirfd: i32, path: GuestAddr, mode: u32, dev: u32) -> SysResult {
    const REGULAR: u32 = 0o100000;
    match mode & 0o170000 {
        0 | REGULAR | 0o020000 | 0o060000 | 0o010000 | 0o140000 => {}
        0o040000 => return Err(Errno::EPERM.into()),
        _ => return Err(Errno::EINVAL.into()),
    }
    let name = ctx.path(path)?;
    let at = path::parent(ctx, dirfd, &name)?;
    let dir = writable_dir(ctx, &at, Change::Make)?;
    let umask = context(ctx).borrow().umask;
    let kind = if mode & 0o170000 == 0 { REGULAR } else { mode & 0o170000 };
    ctx.kernel.host.make_node(&dir, &at.name, kind | (mode & 0o7777 & !umask), dev.into())?;
    Ok(0)
}
