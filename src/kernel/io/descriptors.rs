//! close(2), dup(2) and their kin.

use super::*;
use crate::abi::consts::close_range::{CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE};
use crate::abi::consts::open::O_CLOEXEC;
use crate::syscalls::{args, sets};
use std::rc::Rc;

/// The file behind a descriptor, unless it was opened with O_PATH.
///
/// # Errors
/// `EBADF`.
pub(super) fn usable(ctx: &Ctx, fd: i32) -> Result<Rc<File>, Errno> {
    let file = ctx.file(fd)?;
    if file.is_path_only() { Err(Errno::EBADF) } else { Ok(file) }
}

impl Ctx<'_> {
    /// Gives an open file the lowest free descriptor.
    ///
    /// # Errors
    /// `EMFILE`.
    pub fn install(&mut self, file: Rc<File>, close_on_exec: bool) -> Result<i32, Errno> {
        self.install_from(file, 0, close_on_exec)
    }

    /// Gives an open file the lowest free descriptor that is at least `min`.
    ///
    /// # Errors
    /// `EMFILE`; `EINVAL` if `min` is beyond RLIMIT_NOFILE.
    pub fn install_from(&mut self, file: Rc<File>, min: usize, close_on_exec: bool) -> Result<i32, Errno> {
        let limit = open_limit(self);
        self.files().insert(file, min, limit, close_on_exec)
    }
}

fn open_limit(ctx: &mut Ctx) -> u64 {
    ctx.process().limits[consts::rlimit::RLIMIT_NOFILE as usize].soft
}

/// What close(2) does to a file besides giving back the descriptor.
pub(in crate::kernel) fn closed(ctx: &mut Ctx, file: Rc<File>) {
    super::locks::release(ctx, &file);
    file.ops().closed(ctx);
}

/// close(2).
pub fn close(ctx: &mut Ctx, a: &args::Close) -> SysResult {
    let file = ctx.files().remove(a.fd)?;
    closed(ctx, file);
    Ok(0)
}

/// close_range(2).
pub fn close_range(ctx: &mut Ctx, a: &args::CloseRange) -> SysResult {
    if a.flags & !(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) != 0 || a.first > a.last {
        return Err(Errno::EINVAL.into());
    }
    if a.flags & CLOSE_RANGE_UNSHARE != 0 {
        ctx.unshare_files();
    }
    let within = |fd: i32| (a.first..=a.last).contains(&(fd as u32));
    if a.flags & CLOSE_RANGE_CLOEXEC != 0 {
        let open: Vec<i32> = ctx.files().iter().map(|(fd, _)| fd).filter(|fd| within(*fd)).collect();
        for fd in open {
            ctx.files().set_close_on_exec(fd, true)?;
        }
        return Ok(0);
    }
    let files = ctx.files().take_if(|fd, _| within(fd));
    files.into_iter().for_each(|file| closed(ctx, file));
    Ok(0)
}

/// dup(2).
pub fn dup(ctx: &mut Ctx, a: &args::Dup) -> SysResult {
    let file = ctx.file(a.oldfd)?;
    Ok(ctx.install(file, false)? as u64)
}

/// dup2(2).
pub fn dup2(ctx: &mut Ctx, a: &args::Dup2) -> SysResult {
    if a.oldfd == a.newfd {
        ctx.file(a.oldfd)?;
        return Ok(a.newfd as u64);
    }
    duplicate_to(ctx, a.oldfd, a.newfd, false)
}

/// dup3(2).
pub fn dup3(ctx: &mut Ctx, a: &args::Dup3) -> SysResult {
    let flags = sets::OPEN.to_canonical(ctx.arch, u64::from(a.flags)) as u32;
    if flags & !O_CLOEXEC != 0 || a.oldfd == a.newfd {
        return Err(Errno::EINVAL.into());
    }
    duplicate_to(ctx, a.oldfd, a.newfd, flags & O_CLOEXEC != 0)
}

fn duplicate_to(ctx: &mut Ctx, from: i32, to: i32, close_on_exec: bool) -> SysResult {
    if u64::from(to as u32) >= open_limit(ctx) {
        return Err(Errno::EBADF.into());
    }
    let file = ctx.file(from)?;
    let old = ctx.files().replace(to, file, close_on_exec)?;
    if let Some(old) = old {
        closed(ctx, old);
    }
    Ok(to as u64)
}
