//! Sending and receiving one message.

use super::calls::{MAX_ADDRESS, read_address, write_address};
use super::wait::{Progress, Way, begin, patience, wait};
use super::*;
use crate::abi::consts::msg::*;
use crate::abi::{IoVec, MsgHdr};
use crate::syscalls::args;
use std::cell::RefCell;

/// The most bytes of one transfer (MAX_RW_COUNT).
const MAX_RW: u64 = 0x7fff_f000;
/// The most pieces of one message (UIO_MAXIOV).
const IOV_MAX: u64 = 1024;
/// Control messages are not longer (net.core.optmem_max).
const CONTROL_MAX: u64 = 131_072;

/// sendto(2).
pub fn sendto(ctx: &mut Ctx, a: &args::Sendto) -> SysResult {
    let mut buf = piece(ctx, a.buf, a.len)?;
    let progress = begin(ctx, a.fd)?;
    let to = if a.addr.is_null() { None } else { Some(read_address(ctx, a.addr, a.addrlen)?) };
    send_all(ctx, &progress, Outgoing { buf: &mut buf, to, with: Ancillary::default(), flags: a.flags })
}

/// sendmsg(2).
pub fn sendmsg(ctx: &mut Ctx, a: &args::Sendmsg) -> SysResult {
    let progress = begin(ctx, a.fd)?;
    send_message(ctx, &progress, a.msg, a.flags)
}

/// recvfrom(2).
pub fn recvfrom(ctx: &mut Ctx, a: &args::Recvfrom) -> SysResult {
    let mut buf = piece(ctx, a.buf, a.len)?;
    let progress = begin(ctx, a.fd)?;
    let mut message = Incoming::new(&mut buf, a.flags, 0);
    let n = receive_all(ctx, &progress, &mut message)?;
    if !a.addr.is_null() {
        write_address(ctx, &message.from, a.addr, a.addrlen)?;
    }
    Ok(n)
}

/// recvmsg(2).
pub fn recvmsg(ctx: &mut Ctx, a: &args::Recvmsg) -> SysResult {
    let progress = begin(ctx, a.fd)?;
    receive_message(ctx, &progress, a.msg, a.flags)
}

/// One stretch of guest memory.
fn piece(ctx: &Ctx, addr: GuestAddr, len: u64) -> Result<Buffer, Errno> {
    let len = len.min(MAX_RW);
    if !ctx.mem().access_ok(addr, len) {
        return Err(Errno::EFAULT);
    }
    Ok(Buffer::guest(ctx.space(), vec![(addr, len)]))
}

/// A message header from guest memory, with its address length within bounds, and the memory that it describes.
fn read_header(ctx: &Ctx, addr: GuestAddr) -> Result<(MsgHdr, Buffer), Errno> {
    let mut header: MsgHdr = ctx.mem().copy_in(addr)?;
    if header.name == 0 {
        header.name_len = 0;
    }
    if header.name_len < 0 {
        return Err(Errno::EINVAL);
    }
    header.name_len = header.name_len.min(MAX_ADDRESS as i32);
    if header.iov_len > IOV_MAX {
        return Err(Errno::EMSGSIZE);
    }
    let mem = ctx.mem();
    let list: Vec<IoVec> = mem.copy_in_array(GuestAddr(header.iov), header.iov_len as usize)?;
    let (mut pieces, mut room) = (Vec::with_capacity(list.len()), MAX_RW);
    for v in list {
        if v.len > i64::MAX as u64 {
            return Err(Errno::EINVAL);
        }
        if !mem.access_ok(GuestAddr(v.base), v.len) {
            return Err(Errno::EFAULT);
        }
        let len = v.len.min(room);
        room -= len;
        pieces.push((GuestAddr(v.base), len));
    }
    drop(mem);
    Ok((header, Buffer::guest(ctx.space(), pieces)))
}

/// Sends the message whose header is at `addr`.
pub(super) fn send_message(ctx: &mut Ctx, progress: &Rc<RefCell<Progress>>, addr: GuestAddr, flags: u32) -> SysResult {
    let (header, mut buf) = read_header(ctx, addr)?;
    let to = match header.name_len {
        0 => None,
        len => Some(read_address(ctx, GuestAddr(header.name), len)?),
    };
    let with = if header.control_len == 0 {
        Ancillary::default()
    } else {
        if header.control_len > CONTROL_MAX {
            return Err(Errno::ENOBUFS.into());
        }
        let mut bytes = vec![0; header.control_len as usize];
        ctx.mem().read(GuestAddr(header.control), &mut bytes)?;
        let file = Rc::clone(&progress.borrow().file);
        control::parse(ctx, socket_of(&file)?.protocol().domain(), &bytes)?
    };
    send_all(ctx, progress, Outgoing { buf: &mut buf, to, with, flags })
}

/// Sends a message; of a stream everything, unless it must not wait.
fn send_all(ctx: &mut Ctx, progress: &Rc<RefCell<Progress>>, mut message: Outgoing<'_>) -> SysResult {
    let file = Rc::clone(&progress.borrow().file);
    let protocol = socket_of(&file)?.protocol();
    let stream = protocol.kind() == Kind::Stream;
    message.buf.advance(progress.borrow().done as usize);
    if message.buf.done() > 0 {
        // What goes with the message went with its first bytes.
        message.with = Ancillary::default();
    }
    if message.flags & MSG_OOB != 0 && protocol.domain() == AF_UNIX {
        return Err(Errno::EOPNOTSUPP.into());
    }
    loop {
        let result = protocol.send(ctx, &mut message);
        let done = message.buf.done();
        progress.borrow_mut().done = done;
        let stop = match result {
            Ok(_) if stream && message.buf.left() > 0 => {
                message.with = Ancillary::default();
                continue;
            }
            Ok(n) => return Ok(if stream { done } else { n as u64 }),
            Err(Stop::Block(until)) => {
                let patience = patience(&file, message.flags);
                wait(ctx, progress, Way::Send, until, (patience, Errno::EAGAIN, Errno::EAGAIN))
            }
            Err(stop) => stop,
        };
        return match stop {
            Stop::Errno(_) if stream && done > 0 => Ok(done),
            Stop::Errno(Errno::EPIPE) => {
                if stream && message.flags & MSG_NOSIGNAL == 0 {
                    ctx.raise(Signal::SIGPIPE);
                }
                Err(Errno::EPIPE.into())
            }
            stop => Err(stop),
        };
    }
}

/// Receives a message into what the header at `addr` describes.
pub(super) fn receive_message(
    ctx: &mut Ctx,
    progress: &Rc<RefCell<Progress>>,
    addr: GuestAddr,
    flags: u32,
) -> SysResult {
    let (header, mut buf) = read_header(ctx, addr)?;
    let room = if header.control == 0 { 0 } else { header.control_len.min(CONTROL_MAX) as usize };
    let mut message = Incoming::new(&mut buf, flags, room);
    let n = receive_all(ctx, progress, &mut message)?;
    let Incoming { from, with, mut found, .. } = message;
    let written = control::deliver(ctx, with, (GuestAddr(header.control), room), flags, &mut found)?;
    if header.name != 0 {
        let shown = from.len().min(header.name_len as usize);
        ctx.mem().write(GuestAddr(header.name), &from[..shown])?;
        let at = addr.0 + std::mem::offset_of!(MsgHdr, name_len) as u64;
        ctx.mem().copy_out(GuestAddr(at), &(from.len() as u32))?;
    }
    let at = addr.0 + std::mem::offset_of!(MsgHdr, flags) as u64;
    ctx.mem().copy_out(GuestAddr(at), &found)?;
    let at = addr.0 + std::mem::offset_of!(MsgHdr, control_len) as u64;
    ctx.mem().copy_out(GuestAddr(at), &(written as u64))?;
    Ok(n)
}

/// Receives; with MSG_WAITALL a stream fills the whole buffer.
fn receive_all(ctx: &mut Ctx, progress: &Rc<RefCell<Progress>>, message: &mut Incoming<'_>) -> SysResult {
    let file = Rc::clone(&progress.borrow().file);
    let protocol = socket_of(&file)?.protocol();
    message.buf.advance(progress.borrow().done as usize);
    let goes_on = protocol.kind() == Kind::Stream && message.flags & MSG_WAITALL != 0 && message.flags & MSG_PEEK == 0;
    loop {
        let result = protocol.receive(ctx, message);
        let done = message.buf.done();
        let stop = match result {
            Ok(n) if !goes_on => return Ok(n as u64),
            Ok(n) if n == 0 || message.buf.left() == 0 || !message.with.files.is_empty() => return Ok(done),
            Ok(_) => {
                progress.borrow_mut().done = done;
                continue;
            }
            Err(Stop::Block(until)) => {
                let patience = patience(&file, message.flags);
                wait(ctx, progress, Way::Receive, until, (patience, Errno::EAGAIN, Errno::EAGAIN))
            }
            Err(stop) => stop,
        };
        return match stop {
            Stop::Errno(_) if goes_on && done > 0 => Ok(done),
            stop => Err(stop),
        };
    }
}
