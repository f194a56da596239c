//! What a process does on each signal: sigaction(2).

use super::*;
use crate::abi::DefaultAction;
use crate::abi::consts::{sig_handler, sigaction as sa};
use crate::abi::siginfo::RawSigAction;
use crate::syscalls::args;

/// The flags that Linux knows (UAPI_SA_FLAGS); it drops the others, which is how a program finds out about them.
const KNOWN_FLAGS: u64 = sa::SA_NOCLDSTOP as u64
    | sa::SA_NOCLDWAIT as u64
    | sa::SA_SIGINFO as u64
    | sa::SA_ONSTACK as u64
    | sa::SA_RESTART as u64
    | sa::SA_NODEFER as u64
    | sa::SA_RESETHAND as u64
    | sa::SA_EXPOSE_TAGBITS as u64
    | sa::SA_RESTORER as u64;

/// What to do on a signal (sigaction(2)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// SIG_DFL (0), SIG_IGN (1) or the handler's address.
    pub handler: u64,
    /// SA_* flags.
    pub flags: u64,
    /// Address of the code that calls rt_sigreturn (SA_RESTORER).
    pub restorer: u64,
    /// Signals blocked while the handler runs.
    pub mask: SigSet,
}

impl Action {
    /// SIG_IGN.
    pub const IGNORE: Action = Action { handler: sig_handler::SIG_IGN, flags: 0, restorer: 0, mask: SigSet(0) };

    /// Whether this SA_* flag is set.
    pub fn has(&self, flag: u32) -> bool {
        self.flags & u64::from(flag) != 0
    }

    /// Whether the signal is ignored explicitly.
    pub fn is_ignore(&self) -> bool {
        self.handler == Action::IGNORE.handler
    }

    /// Whether the default action is taken.
    pub fn is_default(&self) -> bool {
        self.handler == 0
    }

    /// Whether `signal` has no effect with this action. SIGCONT counts: what it does, it does when it is sent.
    pub fn drops(&self, signal: Signal) -> bool {
        let harmless = matches!(signal.default_action(), DefaultAction::Ignore | DefaultAction::Continue);
        self.is_ignore() || self.is_default() && harmless
    }
}

/// The actions for all 64 signals.
#[derive(Clone, Debug)]
pub struct Actions(pub [Action; 64]);

impl Default for Actions {
    fn default() -> Actions {
        Actions([Action::default(); 64])
    }
}

impl Actions {
    /// The actions of a program that is started with these signals ignored and all others at their defaults.
    pub fn ignoring(ignored: SigSet) -> Actions {
        let mut actions = Actions::default();
        for signal in ignored.without(SigSet::UNBLOCKABLE).iter() {
            *actions.get_mut(signal) = Action::IGNORE;
        }
        actions
    }

    /// The action for a signal.
    pub fn get(&self, signal: Signal) -> &Action {
        &self.0[slot(signal)]
    }

    /// The action for a signal, to be changed.
    pub fn get_mut(&mut self, signal: Signal) -> &mut Action {
        &mut self.0[slot(signal)]
    }

    /// What execve(2) leaves of them: handlers become defaults, ignored stays ignored.
    pub fn after_exec(&self) -> Actions {
        Actions(self.0.map(|a| if a.is_ignore() { Action::IGNORE } else { Action::default() }))
    }
}

/// Index of a signal's action; the numbers are 1 to 64.
fn slot(signal: Signal) -> usize {
    usize::from(signal.0.wrapping_sub(1) & 63)
}

/// rt_sigaction(2).
pub fn rt_sigaction(ctx: &mut Ctx, a: &args::RtSigaction) -> SysResult {
    if a.sigsetsize != 8 {
        return Err(Errno::EINVAL.into());
    }
    let new = match a.act.is_null() {
        true => None,
        false => Some(ctx.mem().copy_in::<RawSigAction>(a.act)?),
    };
    let signal = Signal::new(a.signum).ok_or(Errno::EINVAL)?;
    if new.is_some() && SigSet::UNBLOCKABLE.contains(signal) {
        return Err(Errno::EINVAL.into());
    }
    let actions = Rc::clone(&ctx.thread().actions);
    let old = *actions.borrow().get(signal);
    if let Some(new) = new {
        let action = Action {
            handler: new.handler,
            flags: new.flags & KNOWN_FLAGS,
            restorer: new.restorer,
            mask: SigSet(new.mask).without(SigSet::UNBLOCKABLE),
        };
        *actions.borrow_mut().get_mut(signal) = action;
        if action.drops(signal) {
            // POSIX: ignoring a pending signal discards it, whether it is blocked or not.
            ctx.kernel.flush_signals(ctx.pid, SigSet(signal.bit()));
        }
    }
    if !a.oldact.is_null() {
        let raw = RawSigAction { handler: old.handler, flags: old.flags, restorer: old.restorer, mask: old.mask.0 };
        ctx.mem().copy_out(a.oldact, &raw)?;
    }
    Ok(0)
}
