//! inotify(7): the host's, with the guest's names.
//!
//! The queue and the numbers of its watches are the host's own: a guest cannot tell them from others. Files that the
//! kernel makes up never change by themselves and so have nothing to tell.

use super::*;
use crate::abi::consts::inotify::{IN_DONT_FOLLOW, IN_MASK_ADD, IN_MASK_CREATE, IN_ONLYDIR};
use crate::abi::consts::inotify_init::{IN_CLOEXEC, IN_NONBLOCK};
use crate::abi::consts::open::O_RDONLY;
use crate::abi::consts::poll::POLLIN;
use crate::host::{HostFd, Transfer, Waiting};
use crate::kernel::file::{Access, Buffer, File, FileKind, FileOps, Readiness};
use crate::kernel::fs::path::{self, AT_FDCWD, Follow, Target};
use crate::mem::GuestAddr;
use crate::syscalls::args;
use std::any::Any;
use std::rc::Rc;

/// Every bit that a watch may ask for (ALL_INOTIFY_BITS).
const KNOWN: u32 = 0xf700_0fff | 0x0000_e000;

/// A queue of changes.
#[derive(Debug)]
struct Inotify(HostFd);

impl FileOps for Inotify {
    fn kind(&self) -> FileKind {
        FileKind::Anonymous
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        // The host's queue is non-blocking.
        let how = Transfer { at: None, flags: 0, waiting: Waiting::Allowed };
        let result = match buf.own() {
            Some(own) => ctx.kernel.host.read_bytes(&self.0, own, how),
            None => ctx.kernel.host.read(&self.0, &buf.spans_out()?, how),
        };
        match result {
            Ok(n) => {
                buf.advance(n);
                Ok(n)
            }
            Err(Errno::EAGAIN) => Err(Stop::Block(Wait::fd(&self.0, POLLIN as i16))),
            Err(e) => Err(e.into()),
        }
    }

    fn readiness(&self, _ctx: &mut Ctx, _file: &File, _events: i16) -> Readiness {
        Readiness { host: Some(self.0.clone()), ..Readiness::default() }
    }

    fn seek(&self, _ctx: &mut Ctx, _file: &File, _offset: i64, _whence: u32) -> Result<u64, Errno> {
        // noop_llseek
        Ok(0)
    }

    fn stat(&self, _ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(anonymous_stat())
    }

    fn ioctl(&self, ctx: &mut Ctx, _file: &File, request: u32, arg: u64) -> SysResult {
        if request != crate::abi::consts::ioctl::FIONREAD {
            return Err(Errno::ENOTTY.into());
        }
        let mut count = [0; 4];
        ctx.kernel.host.ioctl_bytes(&self.0, request, &mut count)?;
        ctx.mem().write(GuestAddr(arg), &count)?;
        Ok(0)
    }
}

fn create(ctx: &mut Ctx, flags: u32) -> SysResult {
    if flags & !(IN_CLOEXEC | IN_NONBLOCK) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let queue = ctx.kernel.host.watch_queue()?;
    install(ctx, Inotify(queue), b"anon_inode:inotify", O_RDONLY, flags)
}

/// inotify_init(2).
pub fn inotify_init(ctx: &mut Ctx, _: &args::InotifyInit) -> SysResult {
    create(ctx, 0)
}

/// inotify_init1(2).
pub fn inotify_init1(ctx: &mut Ctx, a: &args::InotifyInit1) -> SysResult {
    create(ctx, a.flags)
}

fn queue(ctx: &Ctx, fd: i32) -> Result<HostFd, Errno> {
    let file: Rc<File> = ctx.file(fd)?;
    if file.is_path_only() {
        return Err(Errno::EBADF);
    }
    file.downcast::<Inotify>().map(|i| i.0.clone()).ok_or(Errno::EINVAL)
}

/// inotify_add_watch(2).
pub fn inotify_add_watch(ctx: &mut Ctx, a: &args::InotifyAddWatch) -> SysResult {
    if a.mask & KNOWN == 0 {
        return Err(Errno::EINVAL.into());
    }
    ctx.file(a.fd)?;
    if a.mask & (IN_MASK_ADD | IN_MASK_CREATE) == IN_MASK_ADD | IN_MASK_CREATE {
        return Err(Errno::EINVAL.into());
    }
    let queue = queue(ctx, a.fd)?;
    let name = ctx.path(a.path)?;
    let follow = if a.mask & IN_DONT_FOLLOW != 0 { Follow::No } else { Follow::Yes };
    let target = path::resolve(ctx, AT_FDCWD, &name, follow)?;
    let is_dir = FileKind::of_mode(target.stat(ctx)?.mode) == FileKind::Directory;
    if a.mask & IN_ONLYDIR != 0 && !is_dir {
        return Err(Errno::ENOTDIR.into());
    }
    let Some(handle) = target.host_fd() else {
        // Nothing tells of changes there.
        return Err(if matches!(target, Target::Made(_)) { Errno::EACCES } else { Errno::EINVAL }.into());
    };
    // The name is resolved: the host follows the handle.
    let mask = a.mask & !(IN_DONT_FOLLOW | IN_ONLYDIR);
    Ok(ctx.kernel.host.watch(&queue, handle, mask)? as u64)
}

/// inotify_rm_watch(2).
pub fn inotify_rm_watch(ctx: &mut Ctx, a: &args::InotifyRmWatch) -> SysResult {
    let queue = queue(ctx, a.fd)?;
    ctx.kernel.host.unwatch(&queue, a.wd)?;
    Ok(0)
}
