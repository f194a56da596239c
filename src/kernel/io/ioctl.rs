//! ioctl(2).

use super::*;
use crate::abi::FileCloneRange;
use crate::abi::consts::ioctl::*;
use crate::abi::consts::open::{FASYNC, O_NONBLOCK};
use crate::host::{HostFd, Payload, payload};
use crate::kernel::file::HostFile;
use crate::kernel::tty::{Side, Tty};
use crate::mem::GuestAddr;
use crate::syscalls::{args, sets};
use std::rc::Rc;

/// ioctl(2).
pub fn ioctl(ctx: &mut Ctx, a: &args::Ioctl) -> SysResult {
    let file = usable(ctx, a.fd)?;
    let addr = GuestAddr(a.arg);
    match a.request {
        FIOCLEX | FIONCLEX => {
            ctx.files().set_close_on_exec(a.fd, a.request == FIOCLEX)?;
            Ok(0)
        }
        FIONBIO => switch(ctx, &file, addr, O_NONBLOCK),
        FIOASYNC => switch(ctx, &file, addr, FASYNC),
        FICLONE => {
            let from = usable(ctx, a.arg as i32)?;
            clone_range(ctx, &from, &file, (0, 0, 0))
        }
        FICLONERANGE => {
            let r: FileCloneRange = ctx.mem().copy_in(addr)?;
            let from = usable(ctx, r.src_fd as i32)?;
            clone_range(ctx, &from, &file, (r.src_offset, r.src_length, r.dest_offset))
        }
        FIGETBSZ => {
            let size = file.ops().stat(ctx, &file)?.blksize;
            ctx.mem().copy_out(addr, &size)?;
            Ok(0)
        }
        FIOQSIZE => match file.kind() {
            FileKind::Regular | FileKind::Directory | FileKind::Symlink => {
                // What it occupies, not how long it is.
                let size = file.ops().stat(ctx, &file)?.blocks * 512;
                ctx.mem().copy_out(addr, &size)?;
                Ok(0)
            }
            _ => Err(Errno::ENOTTY.into()),
        },
        _ => file.ops().ioctl(ctx, &file, a.request, a.arg),
    }
}

/// Sets or clears a status flag as the int at `addr` says.
fn switch(ctx: &mut Ctx, file: &Rc<File>, addr: GuestAddr, flag: u32) -> SysResult {
    let on: i32 = ctx.mem().copy_in(addr)?;
    let flags = file.flags() & !flag;
    file.set_flags(if on != 0 { flags | flag } else { flags });
    Ok(0)
}

fn clone_range(ctx: &mut Ctx, from: &File, to: &File, (at, len, dest): (u64, u64, u64)) -> SysResult {
    if !from.can_read() || !to.can_write() || to.appends() {
        return Err(Errno::EBADF.into());
    }
    if from.kind() == FileKind::Directory || to.kind() == FileKind::Directory {
        return Err(Errno::EISDIR.into());
    }
    if from.kind() != FileKind::Regular || to.kind() != FileKind::Regular {
        return Err(Errno::EINVAL.into());
    }
    let (Some(from), Some(to)) = (from.host_fd(), to.host_fd()) else { return Err(Errno::EXDEV.into()) };
    ctx.kernel.host.clone_range(from, to, at, len, dest)?;
    Ok(0)
}

/// Whether the request changes a terminal, which a background process must not do unasked.
fn changes_terminal(request: u32) -> bool {
    matches!(
        request,
        TCSETS
            | TCSETSW
            | TCSETSF
            | TCSETS2
            | TCSETSW2
            | TCSETSF2
            | TCSETA
            | TCSETAW
            | TCSETAF
            | TCXONC
            | TCFLSH
            | TCSBRK
            | TCSBRKP
            | TIOCSBRK
            | TIOCCBRK
            | TIOCSETD
    )
}

impl HostFile {
    /// Requests that go to the host's file, or that concern a terminal's place in the guest's sessions.
    pub(in crate::kernel) fn host_ioctl(
        &self,
        ctx: &mut Ctx,
        file: &File,
        fd: &HostFd,
        request: u32,
        arg: u64,
    ) -> SysResult {
        if self.is_terminal() && changes_terminal(request) {
            ctx.check_foreground(Tty::Host, Signal::SIGTTOU)?;
        }
        match request {
            TIOCGPGRP | TIOCSPGRP | TIOCGSID | TIOCSCTTY | TIOCNOTTY => {
                if !self.is_terminal() {
                    return Err(Errno::ENOTTY.into());
                }
                return ctx.session_request(Tty::Host, Side::Slave, file, request, arg);
            }
            // Linux's default since 6.2 (dev.tty.legacy_tiocsti = 0): nobody puts words into a terminal's mouth.
            TIOCSTI if ctx.kernel.host.is_terminal(fd) => return Err(Errno::EIO.into()),
            FS_IOC_SETFLAGS | FS_IOC_SETVERSION | FS_IOC_FSSETXATTR
                if ctx.kernel.mounts.refuses_writing(fd.mount()) =>
            {
                return Err(Errno::EROFS.into());
            }
            TIOCGPTPEER => {
                let flags = sets::OPEN.to_canonical(ctx.arch, arg) as u32;
                let peer = ctx.kernel.host.pty_peer(fd, flags)?;
                let path = ctx.kernel.host.path_of(&peer);
                let file = File::of_host(&mut *ctx.kernel.host, peer, &path, flags)?;
                let close_on_exec = flags & consts::open::O_CLOEXEC != 0;
                return Ok(ctx.install(file, close_on_exec)? as u64);
            }
            _ => {}
        }
        let addr = GuestAddr(arg);
        let mut bytes = [0u8; 256];
        match payload(request).ok_or(Errno::ENOTTY)? {
            Payload::None => Ok(ctx.kernel.host.ioctl_number(fd, request, 0)? as u64),
            Payload::Number => Ok(ctx.kernel.host.ioctl_number(fd, request, arg)? as u64),
            Payload::In(size) => {
                // A file that does not know the request says so before it looks at the argument.
                if ctx.mem().read(addr, &mut bytes[..size]).is_err() {
                    return Err(self.refusal(ctx, fd, request).into());
                }
                Ok(ctx.kernel.host.ioctl_bytes(fd, request, &mut bytes[..size])? as u64)
            }
            Payload::Out(size) => {
                let result = ctx.kernel.host.ioctl_bytes(fd, request, &mut bytes[..size])?;
                ctx.mem().write(addr, &bytes[..size])?;
                Ok(result as u64)
            }
        }
    }

    /// What a request with an unreadable argument gives: `ENOTTY` from a file that is not of its kind.
    fn refusal(&self, ctx: &mut Ctx, fd: &HostFd, request: u32) -> Errno {
        let terminal_request = request & 0xff00 == 0x5400;
        if terminal_request && !ctx.kernel.host.is_terminal(fd) { Errno::ENOTTY } else { Errno::EFAULT }
    }
}
