//! Where handlers run: the alternate stack (sigaltstack(2)).

use super::*;
use crate::abi::consts::sigaltstack as ss;
use crate::abi::sigframe;
use crate::abi::siginfo::RawStack;
use crate::syscalls::args;

/// An alternate signal stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AltStack {
    /// Its lowest address.
    pub sp: GuestAddr,
    /// Its size in bytes; 0: there is none.
    pub size: u64,
    /// SS_AUTODISARM, and the mode it was set with.
    pub flags: u32,
}

impl AltStack {
    fn autodisarm(&self) -> bool {
        self.flags & ss::SS_AUTODISARM != 0
    }

    /// Whether a stack pointer lies on it.
    pub(super) fn holds(&self, sp: u64) -> bool {
        sp > self.sp.0 && sp - self.sp.0 <= self.size
    }

    /// Whether the thread runs on it. With SS_AUTODISARM it never does: entering it forgets it.
    pub(super) fn is_active(&self, sp: u64) -> bool {
        !self.autodisarm() && self.holds(sp)
    }

    /// The address just behind it, if a handler should go there now.
    pub(super) fn top_if_free(&self, sp: u64) -> Option<u64> {
        (self.size != 0 && !self.is_active(sp)).then(|| self.sp.0.wrapping_add(self.size))
    }

    /// As signal frames keep it.
    pub(super) fn saved(&self) -> RawStack {
        RawStack { sp: self.sp.0, flags: self.flags, pad: 0, size: self.size }
    }

    /// As sigaltstack(2) reports it.
    fn reported(&self, sp: u64) -> RawStack {
        let mode = match () {
            () if self.size == 0 => ss::SS_DISABLE,
            () if self.is_active(sp) => ss::SS_ONSTACK,
            () => 0,
        };
        RawStack { sp: self.sp.0, flags: mode | self.flags & ss::SS_AUTODISARM, pad: 0, size: self.size }
    }

    /// Forgets it on the way into a handler, if it is so set.
    pub(super) fn entered(&mut self) {
        if self.autodisarm() {
            *self = AltStack { flags: ss::SS_DISABLE, ..AltStack::default() };
        }
    }

    /// Sets it, for a thread whose stack pointer is `sp`.
    ///
    /// # Errors
    /// `EPERM`: the thread runs on it. `EINVAL`: unknown flags. `ENOMEM`: too small.
    pub(super) fn change(&mut self, new: &RawStack, sp: u64, arch: Arch) -> Result<(), Errno> {
        if self.is_active(sp) {
            return Err(Errno::EPERM);
        }
        let mode = new.flags & !ss::SS_AUTODISARM;
        if !matches!(mode, 0 | ss::SS_ONSTACK | ss::SS_DISABLE) {
            return Err(Errno::EINVAL);
        }
        if (new.sp, new.size, new.flags) == (self.sp.0, self.size, self.flags) {
            return Ok(());
        }
        if mode == ss::SS_DISABLE {
            *self = AltStack { flags: new.flags, ..AltStack::default() };
            return Ok(());
        }
        if new.size < minimum(arch) {
            return Err(Errno::ENOMEM);
        }
        *self = AltStack { sp: GuestAddr(new.sp), size: new.size, flags: new.flags };
        Ok(())
    }
}

/// MINSIGSTKSZ of the architecture: what sigaltstack(2) asks for.
fn minimum(arch: Arch) -> u64 {
    match arch {
        Arch::X86_64 => 2048,
        Arch::Aarch64 => 5120,
    }
}

/// Bytes of stack that delivering a signal needs at most, for AT_MINSIGSTKSZ.
/// `xcr0` is what an x86_64 CPU keeps beyond general registers.
pub fn min_stack(arch: Arch, xcr0: u64) -> u64 {
    match arch {
        Arch::X86_64 => frame_x86_64::max_size(xcr0),
        // The frame, the frame record, and what alignment may cost.
        Arch::Aarch64 => sigframe::aarch64::FRAME_SIZE + 16 + 16,
    }
}

/// sigaltstack(2).
pub fn sigaltstack(ctx: &mut Ctx, a: &args::Sigaltstack) -> SysResult {
    let (sp, arch) = (ctx.port.sp(), ctx.arch);
    let new = match a.ss.is_null() {
        true => None,
        false => Some(ctx.mem().copy_in::<RawStack>(a.ss)?),
    };
    let old = ctx.thread().signals.alt_stack.reported(sp);
    if let Some(new) = new {
        ctx.thread().signals.alt_stack.change(&new, sp, arch)?;
    }
    if !a.old_ss.is_null() {
        ctx.mem().copy_out(a.old_ss, &old)?;
    }
    Ok(0)
}
