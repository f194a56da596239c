//! How a read or write of any file goes on: checks, waiting, progress.

use super::*;
use crate::abi::IoVec;
use crate::abi::consts::poll::{POLLIN, POLLOUT};
use crate::mem::GuestAddr;
use std::cell::RefCell;
use std::rc::Rc;

/// The most that one call transfers (MAX_RW_COUNT).
pub(super) const MAX_RW: u64 = 0x7fff_f000;
/// The most pieces of one transfer (UIO_MAXIOV).
const IOV_MAX: u64 = 1024;
const RLIMIT_FSIZE: usize = consts::rlimit::RLIMIT_FSIZE as usize;

/// A transfer that waits: the file it began with, whatever becomes of the descriptor, and the bytes done.
struct Waiting {
    file: Rc<File>,
    done: u64,
    /// When the file's own time limit is over, in kernel-monotonic nanoseconds.
    deadline_ns: Option<u64>,
}

/// Direction of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dir {
    /// From the file.
    Read,
    /// To the file.
    Write,
}

/// The file behind `fd`, open for `dir`; when the call goes on after a wait, the file that it waits for.
///
/// # Errors
/// `EBADF`.
pub(super) fn open_for(ctx: &mut Ctx, fd: i32, dir: Dir) -> Result<Rc<File>, Errno> {
    if let Some(waiting) = resumed(ctx) {
        return Ok(Rc::clone(&waiting.borrow().file));
    }
    let file = ctx.file(fd)?;
    let allowed = match dir {
        Dir::Read => file.can_read(),
        Dir::Write => file.can_write(),
    };
    if allowed { Ok(file) } else { Err(Errno::EBADF) }
}

fn resumed(ctx: &mut Ctx) -> Option<Rc<RefCell<Waiting>>> {
    ctx.thread().call_state.clone()?.downcast().ok()
}

/// One stretch of guest memory for a transfer.
///
/// # Errors
/// `EFAULT`: it leaves the address space.
pub(super) fn one_piece(ctx: &Ctx, addr: GuestAddr, count: u64) -> Result<Buffer, Errno> {
    if !ctx.mem().access_ok(addr, count) {
        return Err(Errno::EFAULT);
    }
    Ok(Buffer::guest(ctx.space(), vec![(addr, count.min(MAX_RW))]))
}

/// The guest memory that an iovec array describes.
///
/// # Errors
/// `EINVAL`: too many pieces or a negative length. `EFAULT`: the array cannot be read or a piece leaves the address
/// space.
pub(super) fn pieces(ctx: &Ctx, iov: GuestAddr, count: u64) -> Result<Buffer, Errno> {
    if count > IOV_MAX {
        return Err(Errno::EINVAL);
    }
    let mem = ctx.mem();
    let vec: Vec<IoVec> = mem.copy_in_array(iov, count as usize)?;
    if vec.iter().any(|v| v.len > i64::MAX as u64) {
        return Err(Errno::EINVAL);
    }
    let (mut pieces, mut room) = (Vec::with_capacity(vec.len()), MAX_RW);
    for v in vec {
        if !mem.access_ok(GuestAddr(v.base), v.len) {
            return Err(Errno::EFAULT);
        }
        let len = v.len.min(room);
        room -= len;
        pieces.push((GuestAddr(v.base), len));
    }
    drop(mem);
    Ok(Buffer::guest(ctx.space(), pieces))
}

/// Reads once, waiting if the file has nothing yet.
pub(super) fn read_file(ctx: &mut Ctx, file: &Rc<File>, buf: &mut Buffer, how: Access) -> SysResult {
    match file.ops().read(ctx, file, buf, how) {
        Ok(n) => {
            let io = &mut ctx.process().io;
            io.reads += 1;
            io.read_bytes += n as u64;
            Ok(n as u64)
        }
        Err(Stop::Block(wait)) => Err(wait_or_again(ctx, file, (0, POLLIN), how, wait)),
        Err(stop) => Err(stop),
    }
}

/// Writes, all of it if the file is one that waits for room.
pub(super) fn write_file(ctx: &mut Ctx, file: &Rc<File>, buf: &mut Buffer, how: Access) -> SysResult {
    let result = write_all(ctx, file, buf, how);
    if let Ok(n) = &result {
        let io = &mut ctx.process().io;
        io.writes += 1;
        io.written_bytes += n;
    }
    result
}

fn write_all(ctx: &mut Ctx, file: &Rc<File>, buf: &mut Buffer, how: Access) -> SysResult {
    if let Some(waiting) = resumed(ctx) {
        buf.advance(waiting.borrow().done as usize);
    } else if file.kind() == FileKind::Regular && file.ops().is_seekable() {
        limit_size(ctx, file, buf, how)?;
    }
    let goes_on = matches!(file.kind(), FileKind::Fifo | FileKind::Socket | FileKind::Character);
    loop {
        match file.ops().write(ctx, file, buf, how) {
            Ok(0) => return Ok(buf.done()),
            Ok(_) if !goes_on || buf.left() == 0 => return Ok(buf.done()),
            Ok(_) => {}
            Err(Stop::Block(wait)) => {
                return match wait_or_again(ctx, file, (buf.done(), POLLOUT), how, wait) {
                    Stop::Errno(_) if buf.done() > 0 => Ok(buf.done()),
                    stop => Err(stop),
                };
            }
            Err(Stop::Errno(e)) => {
                // A socket knows by itself: only streams break so.
                if e == Errno::EPIPE && file.kind() != FileKind::Socket {
                    ctx.raise(Signal::SIGPIPE);
                }
                return if buf.done() > 0 { Ok(buf.done()) } else { Err(e.into()) };
            }
            Err(stop) => return Err(stop),
        }
    }
}

/// Waits, or gives `EAGAIN` if the caller does not want to, or a restart code when a signal has ended the wait.
fn wait_or_again(ctx: &mut Ctx, file: &Rc<File>, (done, events): (u64, u32), how: Access, wait: Wait) -> Stop {
    if file.is_nonblocking() || how.flags & consts::rwf::RWF_NOWAIT != 0 {
        return Errno::EAGAIN.into();
    }
    let limit = file.ops().timeout_ns(events as i16);
    let now_ns = if limit.is_some() { ctx.kernel.monotonic_ns() } else { 0 };
    let state = ctx.call_state(|_| Waiting {
        file: Rc::clone(file),
        done,
        deadline_ns: limit.map(|ns| now_ns.saturating_add(ns)),
    });
    state.borrow_mut().done = done;
    let deadline = state.borrow().deadline_ns;
    match deadline {
        None => ctx.wait(wait, Errno::ERESTARTSYS),
        Some(at) if now_ns >= at => Errno::EAGAIN.into(),
        // With a limit the call is not made again after a signal (sock_intr_errno()).
        Some(_) => ctx.wait(wait.or_until(deadline), Errno::EINTR),
    }
}

/// Keeps a write within RLIMIT_FSIZE.
///
/// # Errors
/// `EFBIG`, and the caller gets SIGXFSZ.
pub(super) fn limit_size(ctx: &mut Ctx, file: &Rc<File>, buf: &mut Buffer, how: Access) -> Result<(), Errno> {
    let limit = ctx.process().limits[RLIMIT_FSIZE].soft;
    if limit == u64::MAX || buf.left() == 0 {
        return Ok(());
    }
    let at = match how.at {
        Some(at) if !file.appends() => at,
        None if !file.appends() => file.ops().seek(ctx, file, 0, consts::whence::SEEK_CUR)?,
        _ => file.ops().stat(ctx, file)?.size,
    };
    if at >= limit {
        ctx.raise(Signal::SIGXFSZ);
        return Err(Errno::EFBIG);
    }
    buf.limit(limit - at);
    Ok(())
}
