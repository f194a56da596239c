//! Open files of the host.

use super::*;
use crate::host::{Transfer, Waiting};
use crate::kernel::tty::Tty;

/// A file, directory, device, FIFO or socket of the host.
#[derive(Debug)]
pub struct HostFile {
    fd: HostFd,
    kind: FileKind,
    waiting: Waiting,
    seekable: bool,
    /// It is the terminal that sevm was started from.
    terminal: bool,
    device: (u32, u32),
}

impl HostFile {
    /// Takes over an open file of the host, which `stat` describes.
    pub fn new(host: &mut dyn Host, fd: HostFd, stat: &FileStat) -> HostFile {
        let kind = FileKind::of_mode(stat.mode);
        // Character devices with major number 1 (null, zero, urandom, ...) never make anybody wait.
        let is_memory_device = kind == FileKind::Character && stat.device().0 == 1;
        let waiting = match kind {
            FileKind::Character if !is_memory_device => Waiting::Never,
            FileKind::Fifo | FileKind::Socket | FileKind::Anonymous => Waiting::Never,
            _ => Waiting::Allowed,
        };
        let seekable = match kind {
            FileKind::Regular | FileKind::Directory | FileKind::Block => true,
            FileKind::Character => host.seek(&fd, 0, 1).is_ok(),
            _ => false,
        };
        let terminal = waiting == Waiting::Never && kind == FileKind::Character && host.is_controlling_terminal(&fd);
        HostFile { fd, kind, waiting, seekable, terminal, device: stat.device() }
    }

    /// Whether it is the terminal that sevm was started from.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Whether programs in the background are kept from writing (TOSTOP).
    fn stops_background(&self, ctx: &mut Ctx) -> bool {
        use crate::abi::consts::{c_lflag::TOSTOP, ioctl::TCGETS};
        let mut settings = [0; 36];
        let known = ctx.kernel.host.ioctl_bytes(&self.fd, TCGETS, &mut settings).is_ok();
        known && u32::from_ne_bytes([settings[12], settings[13], settings[14], settings[15]]) & TOSTOP != 0
    }

    fn transfer(&self, how: Access) -> Transfer {
        Transfer { at: how.at, flags: how.flags, waiting: self.waiting }
    }

    /// `EAGAIN` of a file that must not wait on the host becomes a wait in the kernel.
    fn or_wait(&self, result: Result<usize, Errno>, events: u32) -> Result<usize, Stop> {
        match result {
            Err(Errno::EAGAIN) if self.waiting == Waiting::Never => Err(Stop::Block(Wait::fd(&self.fd, events as i16))),
            result => Ok(result?),
        }
    }
}

impl FileOps for HostFile {
    fn label(&self) -> Option<Label> {
        let (major, minor) = self.device;
        match self.kind {
            FileKind::Character => Some(Label::Character(major, minor)),
            FileKind::Block => Some(Label::Block(major, minor)),
            _ => None,
        }
    }

    fn kind(&self) -> FileKind {
        self.kind
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn host_fd(&self) -> Option<&HostFd> {
        Some(&self.fd)
    }

    fn is_seekable(&self) -> bool {
        self.seekable
    }

    fn read(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, how: Access) -> Result<usize, Stop> {
        if self.kind == FileKind::Directory {
            return Err(Errno::EISDIR.into());
        }
        if self.terminal {
            ctx.check_foreground(Tty::Host, Signal::SIGTTIN)?;
        }
        let (host, how) = (&mut ctx.kernel.host, self.transfer(how));
        let result = match buf.own() {
            Some(own) => host.read_bytes(&self.fd, own, how),
            None => host.read(&self.fd, &buf.spans_out()?, how),
        };
        let n = self.or_wait(result, crate::abi::consts::poll::POLLIN)?;
        buf.advance(n);
        Ok(n)
    }

    fn write(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, how: Access) -> Result<usize, Stop> {
        if self.terminal && self.stops_background(ctx) {
            ctx.check_foreground(Tty::Host, Signal::SIGTTOU)?;
        }
        let (host, how) = (&mut ctx.kernel.host, self.transfer(how));
        let result = match buf.own() {
            Some(own) => host.write_bytes(&self.fd, own, how),
            None => host.write(&self.fd, &buf.spans_in()?, how),
        };
        let n = self.or_wait(result, crate::abi::consts::poll::POLLOUT)?;
        buf.advance(n);
        Ok(n)
    }

    fn seek(&self, ctx: &mut Ctx, _file: &File, offset: i64, whence: u32) -> Result<u64, Errno> {
        ctx.kernel.host.seek(&self.fd, offset, whence)
    }

    fn readiness(&self, _ctx: &mut Ctx, _file: &File, _events: i16) -> Readiness {
        Readiness { host: Some(self.fd.clone()), ..Readiness::default() }
    }

    fn stat(&self, ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        ctx.kernel.host.stat(&self.fd)
    }

    fn truncate(&self, ctx: &mut Ctx, _file: &File, len: u64) -> Result<(), Errno> {
        ctx.kernel.host.truncate(&self.fd, len)
    }

    fn ioctl(&self, ctx: &mut Ctx, file: &File, request: u32, arg: u64) -> SysResult {
        self.host_ioctl(ctx, file, &self.fd, request, arg)
    }

    fn pipe_size(&self, ctx: &mut Ctx, new: Option<u32>) -> SysResult {
        use crate::abi::consts::fcntl::{F_GETPIPE_SZ, F_SETPIPE_SZ};
        let (cmd, arg) = new.map_or((F_GETPIPE_SZ, 0), |n| (F_SETPIPE_SZ, n as i32));
        Ok(ctx.kernel.host.control(&self.fd, cmd, arg)? as u64)
    }

    fn set_flags(&self, ctx: &mut Ctx, _file: &File, flags: u32) -> Result<(), Errno> {
        ctx.kernel.host.set_status_flags(&self.fd, flags)
    }
}
