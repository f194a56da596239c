//! Transfers between two files: sendfile(2), copy_file_range(2), splice(2), tee(2), vmsplice(2).

use super::transfer::{MAX_RW, limit_size, pieces};
use super::*;
use crate::abi::consts::open::O_APPEND;
use crate::abi::consts::poll::{POLLIN, POLLOUT};
use crate::abi::consts::splice::*;
use crate::kernel::pipe::PipeEnd;
use crate::mem::GuestAddr;
use crate::syscalls::args;
use std::rc::Rc;

/// Bytes moved in one step.
const STEP: u64 = 1 << 18;
const SPLICE_ALL: u32 = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | SPLICE_F_MORE | SPLICE_F_GIFT;

/// An offset that a call takes and gives back in guest memory.
struct Offset {
    addr: GuestAddr,
    at: Option<u64>,
}

impl Offset {
    fn take(ctx: &Ctx, addr: GuestAddr) -> Result<Offset, Errno> {
        if addr.is_null() {
            return Ok(Offset { addr, at: None });
        }
        let at: i64 = ctx.mem().copy_in(addr)?;
        Ok(Offset { addr, at: Some(u64::try_from(at).map_err(|_| Errno::EINVAL)?) })
    }

    fn give(&self, ctx: &Ctx) -> Result<(), Errno> {
        match self.at {
            Some(at) => ctx.mem().copy_out(self.addr, &at),
            None => Ok(()),
        }
    }
}

/// Both files, the first open for reading and the second for writing.
fn both(ctx: &Ctx, from: i32, to: i32) -> Result<(Rc<File>, Rc<File>), Errno> {
    let (from, to) = (usable(ctx, from)?, usable(ctx, to)?);
    if from.can_read() && to.can_write() { Ok((from, to)) } else { Err(Errno::EBADF) }
}

/// sendfile(2).
pub fn sendfile(ctx: &mut Ctx, a: &args::Sendfile) -> SysResult {
    let mut offset = Offset::take(ctx, a.offset)?;
    let from = usable(ctx, a.in_fd)?;
    if !from.can_read() {
        return Err(Errno::EBADF.into());
    }
    if offset.at.is_some() && !from.ops().is_seekable() {
        return Err(Errno::ESPIPE.into());
    }
    let to = usable(ctx, a.out_fd)?;
    if !to.can_write() {
        return Err(Errno::EBADF.into());
    }
    if i64::try_from(a.count).is_err() || !from.ops().is_seekable() || to.appends() {
        return Err(Errno::EINVAL.into());
    }
    if from.kind() == FileKind::Directory {
        return Err(Errno::EINVAL.into());
    }
    let done = ctx.call_state(|_| 0u64);
    let start = *done.borrow();
    // What was sent before a wait is in the guest's memory already.
    let result = send(ctx, &from, &to, &mut offset, a.count.min(MAX_RW) - start);
    let (sent, stop) = result;
    *done.borrow_mut() += sent;
    let total = start + sent;
    offset.give(ctx)?;
    match stop {
        None => Ok(total),
        Some(Stop::Block(wait)) if to.is_nonblocking() => {
            drop(wait);
            if total > 0 { Ok(total) } else { Err(Errno::EAGAIN.into()) }
        }
        Some(Stop::Block(wait)) => match ctx.wait(wait, Errno::ERESTARTSYS) {
            Stop::Errno(_) if total > 0 => Ok(total),
            stop => Err(stop),
        },
        Some(Stop::Errno(e)) => {
            if e == Errno::EPIPE {
                ctx.raise(Signal::SIGPIPE);
            }
            if total > 0 { Ok(total) } else { Err(e.into()) }
        }
        Some(stop) => Err(stop),
    }
}

/// Sends up to `count` bytes; gives how many went, and why not more.
fn send(ctx: &mut Ctx, from: &Rc<File>, to: &Rc<File>, offset: &mut Offset, count: u64) -> (u64, Option<Stop>) {
    let mut sent = 0;
    while sent < count {
        match send_step(ctx, from, to, offset, (count - sent).min(STEP)) {
            Ok(0) => break,
            Ok(n) => sent += n,
            Err(stop) => return (sent, Some(stop)),
        }
    }
    (sent, None)
}

/// One step: what the receiver did not take is read again at the next.
fn send_step(ctx: &mut Ctx, from: &Rc<File>, to: &Rc<File>, offset: &mut Offset, count: u64) -> Result<u64, Stop> {
    let position = match offset.at {
        Some(at) => at,
        None => from.ops().seek(ctx, from, 0, consts::whence::SEEK_CUR)?,
    };
    let mut buf = Buffer::kernel(vec![0; count as usize]);
    from.ops().read(ctx, from, &mut buf, Access { at: Some(position), flags: 0 })?;
    let mut buf = Buffer::kernel(buf.into_bytes());
    if buf.left() == 0 {
        return Ok(0);
    }
    if to.kind() == FileKind::Regular {
        limit_size(ctx, to, &mut buf, Access::default())?;
    }
    let n = to.ops().write(ctx, to, &mut buf, Access::default())? as u64;
    match &mut offset.at {
        Some(at) => *at += n,
        None => {
            from.ops().seek(ctx, from, (position + n) as i64, consts::whence::SEEK_SET)?;
        }
    }
    Ok(n)
}

/// copy_file_range(2).
pub fn copy_file_range(ctx: &mut Ctx, a: &args::CopyFileRange) -> SysResult {
    let (from, to) = (usable(ctx, a.fd_in)?, usable(ctx, a.fd_out)?);
    let (mut off_in, mut off_out) = (Offset::take(ctx, a.off_in)?, Offset::take(ctx, a.off_out)?);
    if a.flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    for file in [&from, &to] {
        match file.kind() {
            FileKind::Directory => return Err(Errno::EISDIR.into()),
            FileKind::Regular => {}
            _ => return Err(Errno::EINVAL.into()),
        }
    }
    if !from.can_read() || !to.can_write() || to.flags() & O_APPEND != 0 {
        return Err(Errno::EBADF.into());
    }
    let limit = ctx.process().limits[consts::rlimit::RLIMIT_FSIZE as usize].soft;
    let mut len = a.len.min(MAX_RW);
    if limit != u64::MAX {
        let at = match off_out.at {
            Some(at) => at,
            None => to.ops().seek(ctx, &to, 0, consts::whence::SEEK_CUR)?,
        };
        if at >= limit {
            ctx.raise(Signal::SIGXFSZ);
            return Err(Errno::EFBIG.into());
        }
        len = len.min(limit - at);
    }
    // A file that the kernel makes is on no file system of the host.
    let (Some(in_fd), Some(out_fd)) = (from.host_fd(), to.host_fd()) else { return Err(Errno::EXDEV.into()) };
    let n = ctx.kernel.host.copy_range((in_fd, off_in.at.as_mut()), (out_fd, off_out.at.as_mut()), len)?;
    off_in.give(ctx)?;
    off_out.give(ctx)?;
    Ok(n as u64)
}

/// A pipe inside the machine.
fn inner(file: &File) -> Option<&PipeEnd> {
    file.downcast::<PipeEnd>()
}

/// splice(2).
pub fn splice(ctx: &mut Ctx, a: &args::Splice) -> SysResult {
    if a.len == 0 {
        return Ok(0);
    }
    if a.flags & !SPLICE_ALL != 0 {
        return Err(Errno::EINVAL.into());
    }
    let (from, to) = (usable(ctx, a.fd_in)?, usable(ctx, a.fd_out)?);
    let (from_pipe, to_pipe) = (from.kind() == FileKind::Fifo, to.kind() == FileKind::Fifo);
    if from_pipe && !a.off_in.is_null() || to_pipe && !a.off_out.is_null() {
        return Err(Errno::ESPIPE.into());
    }
    let (mut off_in, mut off_out) = (Offset::take(ctx, a.off_in)?, Offset::take(ctx, a.off_out)?);
    if !from.can_read() || !to.can_write() {
        return Err(Errno::EBADF.into());
    }
    let same = matches!((inner(&from), inner(&to)), (Some(a), Some(b)) if a.is_same_pipe(b));
    let unplaced = off_in.at.is_some() && !from.ops().is_seekable() || off_out.at.is_some() && !to.ops().is_seekable();
    if same || unplaced || !to_pipe && (!from_pipe || to.appends()) {
        return Err(Errno::EINVAL.into());
    }
    let len = a.len.min(STEP);
    let result = match (inner(&from), inner(&to)) {
        (Some(pipe), _) => from_inner(ctx, pipe, &to, &mut off_out, len),
        (None, Some(pipe)) => to_inner(ctx, &from, &mut off_in, (&to, pipe), len),
        (None, None) => between_host_files(ctx, &from, &mut off_in, &to, &mut off_out, len),
    };
    let nonblocking =
        a.flags & SPLICE_F_NONBLOCK != 0 || from_pipe && from.is_nonblocking() || to_pipe && to.is_nonblocking();
    let n = settle(ctx, result, nonblocking)?;
    off_in.give(ctx)?;
    off_out.give(ctx)?;
    Ok(n)
}

/// Turns what a transfer gave into the call's result.
fn settle(ctx: &mut Ctx, result: Result<u64, Stop>, nonblocking: bool) -> SysResult {
    match result {
        Err(Stop::Block(_)) if nonblocking => Err(Errno::EAGAIN.into()),
        Err(Stop::Block(wait)) => Err(ctx.wait(wait, Errno::ERESTARTSYS)),
        Err(Stop::Errno(Errno::EPIPE)) => {
            ctx.raise(Signal::SIGPIPE);
            Err(Errno::EPIPE.into())
        }
        result => result,
    }
}

/// From a pipe of the machine to any file.
fn from_inner(ctx: &mut Ctx, pipe: &PipeEnd, to: &Rc<File>, offset: &mut Offset, len: u64) -> Result<u64, Stop> {
    let mut buf = Buffer::kernel(pipe.peek(len as usize));
    if buf.left() == 0 {
        return if pipe.has_writers() { Err(Stop::Block(pipe.wait())) } else { Ok(0) };
    }
    let how = Access { at: offset.at, flags: 0 };
    if to.kind() == FileKind::Regular {
        limit_size(ctx, to, &mut buf, how)?;
    }
    let n = to.ops().write(ctx, to, &mut buf, how)?;
    pipe.consume(ctx.kernel, n);
    if let Some(at) = &mut offset.at {
        *at += n as u64;
    }
    Ok(n as u64)
}

/// From any file but a pipe of the machine to one.
fn to_inner(
    ctx: &mut Ctx,
    from: &Rc<File>,
    offset: &mut Offset,
    (to, pipe): (&Rc<File>, &PipeEnd),
    len: u64,
) -> Result<u64, Stop> {
    if !pipe.has_readers() {
        return Err(Errno::EPIPE.into());
    }
    let room = (pipe.room() as u64).min(len);
    if room == 0 {
        return Err(Stop::Block(pipe.wait()));
    }
    let mut buf = Buffer::kernel(vec![0; room as usize]);
    let n = from.ops().read(ctx, from, &mut buf, Access { at: offset.at, flags: 0 })?;
    let mut buf = Buffer::kernel(buf.into_bytes());
    // There is room for all of it.
    while buf.left() > 0 {
        to.ops().write(ctx, to, &mut buf, Access::default())?;
    }
    if let Some(at) = &mut offset.at {
        *at += n as u64;
    }
    Ok(n as u64)
}

/// Between files of the host, of which one is a pipe.
fn between_host_files(
    ctx: &mut Ctx,
    from: &Rc<File>,
    off_in: &mut Offset,
    to: &Rc<File>,
    off_out: &mut Offset,
    len: u64,
) -> Result<u64, Stop> {
    let (Some(in_fd), Some(out_fd)) = (from.host_fd(), to.host_fd()) else {
        return copy(ctx, from, off_in, to, off_out, len);
    };
    match ctx.kernel.host.splice((in_fd, off_in.at.as_mut()), (out_fd, off_out.at.as_mut()), len) {
        Err(Errno::EAGAIN) => Err(Stop::Block(both_ready(ctx, in_fd, out_fd)?)),
        result => Ok(result? as u64),
    }
}

/// Until the one that is not ready is.
fn both_ready(ctx: &mut Ctx, from: &crate::host::HostFd, to: &crate::host::HostFd) -> Result<Wait, Errno> {
    let mut readable = [crate::host::PollFd { fd: from.clone(), events: POLLIN as i16, revents: 0 }];
    let ready = ctx.kernel.host.poll(&mut readable, Some(0))? > 0;
    Ok(if ready { Wait::fd(to, POLLOUT as i16) } else { Wait::fd(from, POLLIN as i16) })
}

/// From a file that the kernel makes to a pipe of the host.
fn copy(
    ctx: &mut Ctx,
    from: &Rc<File>,
    off_in: &mut Offset,
    to: &Rc<File>,
    off_out: &Offset,
    len: u64,
) -> Result<u64, Stop> {
    if off_out.at.is_some() || !from.ops().is_seekable() {
        return Err(Errno::EINVAL.into());
    }
    send_step(ctx, from, to, off_in, len)
}

/// tee(2).
pub fn tee(ctx: &mut Ctx, a: &args::Tee) -> SysResult {
    if a.flags & !SPLICE_ALL != 0 {
        return Err(Errno::EINVAL.into());
    }
    if a.len == 0 {
        return Ok(0);
    }
    let (from, to) = both(ctx, a.fd_in, a.fd_out)?;
    let nonblocking = a.flags & SPLICE_F_NONBLOCK != 0 || from.is_nonblocking() || to.is_nonblocking();
    let result = match (inner(&from), inner(&to), from.host_fd(), to.host_fd()) {
        (Some(source), Some(pipe), ..) if !source.is_same_pipe(pipe) => tee_inner(ctx, source, (&to, pipe), a.len),
        (None, None, Some(in_fd), Some(out_fd)) => match ctx.kernel.host.tee(in_fd, out_fd, a.len.min(STEP)) {
            Err(Errno::EAGAIN) => Err(Stop::Block(both_ready(ctx, in_fd, out_fd)?)),
            result => Ok(result? as u64),
        },
        _ => return Err(Errno::EINVAL.into()),
    };
    settle(ctx, result, nonblocking)
}

fn tee_inner(ctx: &mut Ctx, source: &PipeEnd, (to, pipe): (&Rc<File>, &PipeEnd), len: u64) -> Result<u64, Stop> {
    if !pipe.has_readers() {
        return Err(Errno::EPIPE.into());
    }
    let bytes = source.peek(len.min(pipe.room() as u64) as usize);
    if bytes.is_empty() {
        let source_empty = source.available() == 0;
        if source_empty && !source.has_writers() {
            return Ok(0);
        }
        return Err(Stop::Block(if source_empty { source.wait() } else { pipe.wait() }));
    }
    let mut buf = Buffer::kernel(bytes);
    while buf.left() > 0 {
        to.ops().write(ctx, to, &mut buf, Access::default())?;
    }
    Ok(buf.done())
}

/// vmsplice(2). Pages are copied, which nobody can tell except by changing them later (SPLICE_F_GIFT forbids it).
pub fn vmsplice(ctx: &mut Ctx, a: &args::Vmsplice) -> SysResult {
    if a.flags & !SPLICE_ALL != 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = usable(ctx, a.fd)?;
    if file.kind() != FileKind::Fifo {
        return Err(Errno::EBADF.into());
    }
    let mut buf = pieces(ctx, a.iov, a.nr_segs)?;
    if buf.left() == 0 {
        return Ok(0);
    }
    let result = if file.can_write() {
        file.ops().write(ctx, &file, &mut buf, Access::default())
    } else {
        file.ops().read(ctx, &file, &mut buf, Access::default())
    };
    let nonblocking = a.flags & SPLICE_F_NONBLOCK != 0 || file.is_nonblocking();
    settle(ctx, result.map(|n| n as u64), nonblocking)
}
