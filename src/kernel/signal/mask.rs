//! Blocked and pending signals: sigprocmask(2), sigpending(2), and the masks that a call sets for its own time.

use super::*;
use crate::abi::consts::sigprocmask as how;
use crate::syscalls::args;

impl Ctx<'_> {
    /// Sets the mask of the calling thread (SIGKILL and SIGSTOP stay unblocked).
    pub(super) fn set_mask(&mut self, mask: SigSet) {
        let pid = self.pid;
        let t = self.thread();
        let old = t.signals.mask;
        t.signals.mask = mask.without(SigSet::UNBLOCKABLE);
        let more = t.signals.mask.without(old);
        self.kernel.retarget(pid, more);
    }

    /// Sets a mask for the time of the running call only (sigsuspend(2), ppoll(2), pselect(2), epoll_pwait(2)). The old
    /// one comes back when the call ends, or, if a signal interrupts it, when that signal's handler returns. It may be
    /// called each time the handler of the waiting call is run again.
    pub fn set_temporary_mask(&mut self, mask: SigSet) {
        let t = self.thread();
        if t.signals.saved_mask.is_none() {
            t.signals.saved_mask = Some(t.signals.mask);
            self.set_mask(mask);
        }
    }

    /// A sigset_t argument whose size must be that of the kernel's.
    ///
    /// # Errors
    /// `EINVAL`, `EFAULT`.
    pub fn read_sigset(&self, addr: GuestAddr, size: u64) -> Result<SigSet, Errno> {
        if size != 8 {
            return Err(Errno::EINVAL);
        }
        Ok(SigSet(self.mem().copy_in::<u64>(addr)?))
    }
}

impl Thread {
    /// At the end of a call: puts the mask back that the call has replaced, unless a signal is to be taken under the
    /// call's own mask.
    pub(in crate::kernel) fn restore_mask_unless_interrupted(&mut self, result: Result<u64, Errno>) {
        let interrupted = matches!(result, Err(e) if e.is_restart() || e == Errno::EINTR);
        if !interrupted && let Some(mask) = self.signals.saved_mask.take() {
            self.signals.mask = mask;
        }
    }
}

/// rt_sigprocmask(2).
pub fn rt_sigprocmask(ctx: &mut Ctx, a: &args::RtSigprocmask) -> SysResult {
    if a.sigsetsize != 8 {
        return Err(Errno::EINVAL.into());
    }
    let old = ctx.thread().signals.mask;
    if !a.set.is_null() {
        let set = ctx.read_sigset(a.set, a.sigsetsize)?;
        let mask = match a.how {
            how::SIG_BLOCK => old.union(set),
            how::SIG_UNBLOCK => old.without(set),
            how::SIG_SETMASK => set,
            _ => return Err(Errno::EINVAL.into()),
        };
        ctx.set_mask(mask);
    }
    if !a.oldset.is_null() {
        ctx.mem().copy_out(a.oldset, &old.0)?;
    }
    Ok(0)
}

/// rt_sigpending(2). Unlike the other calls it takes any size up to the kernel's.
pub fn rt_sigpending(ctx: &mut Ctx, a: &args::RtSigpending) -> SysResult {
    if a.sigsetsize > 8 {
        return Err(Errno::EINVAL.into());
    }
    let shared = ctx.process().pending.set;
    let own = &ctx.thread().signals;
    let set = own.pending.set.union(shared).intersection(own.mask);
    ctx.mem().write(a.set, &set.0.to_le_bytes()[..a.sigsetsize as usize])?;
    Ok(0)
}
