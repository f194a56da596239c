//! signalfd(2): taking signals by reading a file.
//!
//! As on Linux the file has no signals of its own: who reads it takes from what is pending for itself and its process,
//! also when another process has made the file.

use super::*;
use crate::abi::SignalfdSiginfo;
use crate::abi::consts::open::O_RDWR;
use crate::abi::consts::poll::{POLLIN, POLLRDNORM};
use crate::abi::consts::signalfd::{SFD_CLOEXEC, SFD_NONBLOCK};
use crate::host::FileStat;
use crate::kernel::event::{anonymous_stat, install};
use crate::kernel::file::{Access, Buffer, File, FileKind, FileOps, Readiness};
use crate::syscalls::args;
use std::cell::Cell;
use zerocopy::IntoBytes;

/// A set of signals to take.
#[derive(Debug)]
struct SignalFile {
    id: u64,
    set: Cell<SigSet>,
}

impl SignalFile {
    /// What a reader in process `pid` waits for: a signal for it, or another set.
    fn keys(&self, pid: Pid) -> Vec<WaitKey> {
        vec![WaitKey::Signals(pid), WaitKey::Object(self.id)]
    }
}

impl FileOps for SignalFile {
    fn kind(&self) -> FileKind {
        FileKind::Anonymous
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn read(&self, ctx: &mut Ctx, _file: &File, buf: &mut Buffer, _how: Access) -> Result<usize, Stop> {
        const SIZE: usize = size_of::<SignalfdSiginfo>();
        if (buf.left() as usize) < SIZE {
            return Err(Errno::EINVAL.into());
        }
        let mut total = 0;
        while buf.left() as usize >= SIZE
            && let Some(info) = ctx.take_awaited(self.set.get())
        {
            match buf.put_all(describe(&info).as_bytes()) {
                Ok(()) => total += SIZE,
                // The signal is lost, as on Linux.
                Err(_) if total > 0 => break,
                Err(e) => return Err(e.into()),
            }
        }
        if total == 0 {
            return Err(Stop::Block(Wait { keys: self.keys(ctx.pid), ..Wait::default() }));
        }
        Ok(total)
    }

    fn readiness(&self, ctx: &mut Ctx, _file: &File, _events: i16) -> Readiness {
        let shared = ctx.process().pending.set;
        let pending = ctx.thread().signals.pending.set.union(shared);
        let ready = if pending.intersection(self.set.get()).is_empty() { 0 } else { POLLIN | POLLRDNORM };
        Readiness { ready: ready as i16, keys: self.keys(ctx.pid), ..Readiness::default() }
    }

    fn seek(&self, _ctx: &mut Ctx, _file: &File, _offset: i64, _whence: u32) -> Result<u64, Errno> {
        // noop_llseek
        Ok(0)
    }

    fn stat(&self, _ctx: &mut Ctx, _file: &File) -> Result<FileStat, Errno> {
        Ok(anonymous_stat())
    }

    fn fdinfo(&self) -> String {
        format!("sigmask:\t{:016x}\n", self.set.get().0)
    }
}

/// A signal as a reader sees it (`signalfd_copyinfo` of Linux).
fn describe(info: &SigInfo) -> SignalfdSiginfo {
    let base = SignalfdSiginfo {
        signo: info.signal.0.into(),
        errno: info.errno,
        code: info.code,
        ..SignalfdSiginfo::default()
    };
    let value = |v: u64| (v as i32, v);
    match info.fields {
        Fields::Kill { pid, uid } => SignalfdSiginfo { pid: pid as u32, uid, ..base },
        Fields::Queue { pid, uid, value: v } => {
            let (int, ptr) = value(v);
            SignalfdSiginfo { pid: pid as u32, uid, int, ptr, ..base }
        }
        Fields::Timer { id, overrun, value: v } => {
            let (int, ptr) = value(v);
            SignalfdSiginfo { tid: id as u32, overrun: overrun as u32, int, ptr, ..base }
        }
        Fields::Child { pid, uid, status, utime, stime } => {
            SignalfdSiginfo { pid: pid as u32, uid, status, utime: utime as u64, stime: stime as u64, ..base }
        }
        Fields::Fault { addr } => SignalfdSiginfo { addr: addr.0, ..base },
        Fields::Poll { band, fd } => SignalfdSiginfo { band: band as u32, fd, ..base },
        Fields::Syscall { addr, nr, arch } => SignalfdSiginfo { syscall: nr, call_addr: addr.0, arch, ..base },
        Fields::None => base,
    }
}

/// Makes a file, or gives an existing one another set.
fn create(ctx: &mut Ctx, fd: i32, mask: GuestAddr, size: u64, flags: u32) -> SysResult {
    let set = ctx.read_sigset(mask, size)?.without(SigSet::UNBLOCKABLE);
    if flags & !(SFD_CLOEXEC | SFD_NONBLOCK) != 0 {
        return Err(Errno::EINVAL.into());
    }
    if fd != -1 {
        let file = ctx.file(fd)?;
        let known: &SignalFile = file.downcast().ok_or(Errno::EINVAL)?;
        known.set.set(set);
        ctx.kernel.wake_all(WaitKey::Object(known.id));
        return Ok(fd as u64);
    }
    let file = SignalFile { id: ctx.kernel.new_object(), set: Cell::new(set) };
    install(ctx, file, b"anon_inode:[signalfd]", O_RDWR, flags)
}

/// signalfd(2), the first form, without flags.
pub fn signalfd(ctx: &mut Ctx, a: &args::Signalfd) -> SysResult {
    create(ctx, a.fd, a.mask, a.sizemask, 0)
}

/// signalfd4(2).
pub fn signalfd4(ctx: &mut Ctx, a: &args::Signalfd4) -> SysResult {
    create(ctx, a.fd, a.mask, a.sizemask, a.flags)
}
