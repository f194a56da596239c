//! Sending and receiving several messages in one call.

use super::message::{receive_message, send_message};
use super::wait::begin;
use super::*;
use crate::abi::consts::msg::{MSG_DONTWAIT, MSG_WAITFORONE};
use crate::abi::{MMsgHdr, Timespec};
use crate::syscalls::args;

/// The most messages that are looked at (UIO_MAXIOV).
const MAX_MESSAGES: u64 = 1024;

fn entry(vec: GuestAddr, i: u64) -> GuestAddr {
    GuestAddr(vec.0.wrapping_add(i * size_of::<MMsgHdr>() as u64))
}

fn length_of(entry: GuestAddr) -> GuestAddr {
    GuestAddr(entry.0.wrapping_add(std::mem::offset_of!(MMsgHdr, len) as u64))
}

/// sendmmsg(2).
pub fn sendmmsg(ctx: &mut Ctx, a: &args::Sendmmsg) -> SysResult {
    let progress = begin(ctx, a.fd)?;
    let count = u64::from(a.vlen).min(MAX_MESSAGES);
    loop {
        let done = progress.borrow().messages;
        if done >= count {
            return Ok(done);
        }
        let at = entry(a.msgvec, done);
        let result = send_message(ctx, &progress, at, a.flags).and_then(|n| {
            ctx.mem().copy_out(length_of(at), &(n as u32))?;
            Ok(n)
        });
        match result {
            Ok(_) => {
                let mut progress = progress.borrow_mut();
                (progress.messages, progress.done) = (done + 1, 0);
            }
            Err(Stop::Errno(_)) if done > 0 => return Ok(done),
            Err(stop) => return Err(stop),
        }
    }
}

/// recvmmsg(2). As in Linux, the timeout is looked at after each message only.
pub fn recvmmsg(ctx: &mut Ctx, a: &args::Recvmmsg) -> SysResult {
    let timeout: Option<Timespec> = if a.timeout.is_null() { None } else { Some(ctx.mem().copy_in(a.timeout)?) };
    if timeout.is_some_and(|t| t.tv_sec < 0 || !(0..1_000_000_000).contains(&t.tv_nsec)) {
        return Err(Errno::EINVAL.into());
    }
    let progress = begin(ctx, a.fd)?;
    if let Some(t) = timeout
        && progress.borrow().end_ns.is_none()
    {
        let now = ctx.kernel.monotonic_ns();
        let length = (t.tv_sec as u64).saturating_mul(1_000_000_000).saturating_add(t.tv_nsec as u64);
        progress.borrow_mut().end_ns = Some(now.saturating_add(length));
    }
    let result = receive_messages(ctx, a, &progress);
    if let (Ok(n), Some(end)) = (&result, progress.borrow().end_ns)
        && *n > 0
    {
        let left = end.saturating_sub(ctx.kernel.monotonic_ns());
        let left = Timespec { tv_sec: (left / 1_000_000_000) as i64, tv_nsec: (left % 1_000_000_000) as i64 };
        ctx.mem().copy_out(a.timeout, &left)?;
    }
    result
}

fn receive_messages(
    ctx: &mut Ctx,
    a: &args::Recvmmsg,
    progress: &Rc<std::cell::RefCell<super::wait::Progress>>,
) -> SysResult {
    let (count, end_ns) = (u64::from(a.vlen), progress.borrow().end_ns);
    loop {
        let done = progress.borrow().messages;
        if done >= count {
            return Ok(done);
        }
        if done > 0 && end_ns.is_some_and(|end| ctx.kernel.monotonic_ns() >= end) {
            return Ok(done);
        }
        let at = entry(a.msgvec, done);
        let after_first = if done > 0 && a.flags & MSG_WAITFORONE != 0 { MSG_DONTWAIT } else { 0 };
        let flags = a.flags & !MSG_WAITFORONE | after_first;
        let result = receive_message(ctx, progress, at, flags).and_then(|n| {
            ctx.mem().copy_out(length_of(at), &(n as u32))?;
            Ok(n)
        });
        match result {
            Ok(_) => {
                let mut progress = progress.borrow_mut();
                (progress.messages, progress.done) = (done + 1, 0);
            }
            Err(Stop::Errno(_)) if done > 0 => return Ok(done),
            Err(stop) => return Err(stop),
        }
    }
}
