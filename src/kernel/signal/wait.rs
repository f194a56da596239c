//! Waiting for signals: pause(2), sigsuspend(2), sigtimedwait(2).

use super::*;
use crate::syscalls::args;

/// struct timespec, as 64-bit architectures have it: seconds, nanoseconds.
type Timespec = [i64; 2];

/// pause(2).
pub fn pause(ctx: &mut Ctx, _: &args::Pause) -> SysResult {
    let key = WaitKey::Signal(ctx.tid);
    Err(ctx.wait(Wait::key(key), Errno::ERESTARTNOHAND))
}

/// rt_sigsuspend(2).
pub fn rt_sigsuspend(ctx: &mut Ctx, a: &args::RtSigsuspend) -> SysResult {
    if ctx.thread().signals.saved_mask.is_none() {
        let mask = ctx.read_sigset(a.mask, a.sigsetsize)?;
        ctx.set_temporary_mask(mask);
    }
    let key = WaitKey::Signal(ctx.tid);
    Err(ctx.wait(Wait::key(key), Errno::ERESTARTNOHAND))
}

/// rt_sigtimedwait(2).
pub fn rt_sigtimedwait(ctx: &mut Ctx, a: &args::RtSigtimedwait) -> SysResult {
    let set = ctx.read_sigset(a.set, a.sigsetsize)?.without(SigSet::UNBLOCKABLE);
    let timeout = match a.timeout.is_null() {
        true => None,
        false => Some(timeout_ns(ctx.mem().copy_in::<Timespec>(a.timeout)?)?),
    };
    ctx.thread().signals.awaited = SigSet(0);
    if let Some(info) = ctx.take_awaited(set) {
        if !a.info.is_null() {
            ctx.mem().copy_out(a.info, &info.to_raw())?;
        }
        return Ok(u64::from(info.signal.0));
    }
    if timeout == Some(0) {
        return Err(Errno::EAGAIN.into());
    }
    let deadline = ctx.call_state(|ctx| timeout.map(|ns| ctx.kernel.monotonic_ns().saturating_add(ns)));
    let deadline = *deadline.borrow();
    if deadline.is_some_and(|d| d <= ctx.kernel.monotonic_ns()) {
        return Err(Errno::EAGAIN.into());
    }
    let stop = ctx.wait(Wait::key(WaitKey::Signal(ctx.tid)).or_until(deadline), Errno::EINTR);
    if matches!(stop, Stop::Block(_)) {
        ctx.thread().signals.awaited = set;
    }
    Err(stop)
}

/// A relative timeout in nanoseconds.
fn timeout_ns([sec, nsec]: Timespec) -> Result<u64, Errno> {
    if sec < 0 || !(0..1_000_000_000).contains(&nsec) {
        return Err(Errno::EINVAL);
    }
    Ok((sec as u64).saturating_mul(1_000_000_000).saturating_add(nsec as u64))
}

impl Ctx<'_> {
    /// Takes a pending signal of the set, blocked or not: the thread's own before the process's.
    pub(super) fn take_awaited(&mut self, set: SigSet) -> Option<SigInfo> {
        let others = SigSet(!set.0);
        let own = &mut self.thread().signals.pending;
        if let Some(signal) = own.next(others) {
            return Some(own.take(signal));
        }
        let shared = &mut self.process().pending;
        shared.next(others).map(|signal| shared.take(signal))
    }
}
