//! Signals: actions, masks, sending, delivery and return.
//!
//! `send` puts a signal into a queue and wakes who shall take it, `deliver` acts on it when a thread is about to
//! go back to its program: it ends or stops the process or builds the handler's frame (`frame_x86_64`,
//! `frame_aarch64`), and settles whether an interrupted call is made again. `fault` turns what a CPU could not
//! do into a signal. Does not know which CPU runs the program.

mod action;
mod deliver;
mod fault;
mod frame_aarch64;
mod frame_x86_64;
mod host;
mod info;
mod mask;
mod pending;
mod send;
mod signalfd;
mod stack;
mod wait;

pub use action::{Action, Actions, rt_sigaction};
pub use deliver::{restart_syscall, rt_sigreturn};
pub use info::{Fields, SigInfo};
pub use mask::{rt_sigpending, rt_sigprocmask};
pub use pending::Pending;
pub use send::{Scope, kill, rt_sigqueueinfo, rt_tgsigqueueinfo, tgkill, tkill};
pub use signalfd::{signalfd, signalfd4};
pub use stack::{AltStack, min_stack, sigaltstack};
pub use wait::{pause, rt_sigsuspend, rt_sigtimedwait};

use super::*;
use crate::abi::SigSet;
use crate::mem::GuestAddr;
use std::any::Any;
use std::rc::Rc;

/// A thread's own part of signal handling.
#[derive(Clone, Debug, Default)]
pub struct ThreadSignals {
    /// Blocked signals.
    pub mask: SigSet,
    /// Mask to put back after sigsuspend and its kin.
    pub saved_mask: Option<SigSet>,
    /// Signals that it waits for in rt_sigtimedwait(2), which end that wait although they are blocked.
    pub awaited: SigSet,
    /// Sent to this thread.
    pub pending: Pending,
    /// Alternate stack (sigaltstack(2)).
    pub alt_stack: AltStack,
    /// What the last fault left behind for the frames of this and later signals.
    pub trap: Trap,
    /// Ignored signals that came during a wait for children: observers hear of them behind that call, as a tracer does.
    pub dropped: Vec<SigInfo>,
    /// The call that restart_syscall(2) goes on with.
    pub restart_block: Option<RestartBlock>,
}

/// A change of a child that wait4(2) reports and that is not its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildChange {
    /// This signal has stopped it.
    Stopped(Signal),
    /// SIGCONT has made it go on.
    Continued,
}

/// What a process as a whole has of signal handling, besides its queue.
#[derive(Clone, Debug, Default)]
pub struct ProcessSignals {
    /// The signal that has stopped it, until SIGCONT.
    pub stopped_by: Option<Signal>,
    /// What a waiting parent has not heard of yet: a stop, or that it goes on.
    pub unreported: Option<ChildChange>,
    /// Address of the code that calls rt_sigreturn for handlers without SA_RESTORER (in the vDSO); 0: none.
    pub trampoline: GuestAddr,
}

/// The processor's description of a fault, as signal frames show it. Linux keeps the last one of each thread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trap {
    /// The faulting address: cr2, or aarch64's `fault_address`.
    pub addr: u64,
    /// The error code of a page fault (x86_64), or the exception syndrome (aarch64).
    pub code: u64,
    /// The exception's number (x86_64).
    pub number: u64,
}

/// An interrupted call that continues where it was, with what its handler remembers (a deadline, usually).
#[derive(Clone, Debug)]
pub struct RestartBlock {
    /// The call.
    pub call: InCall,
    /// What its handler keeps ([`Ctx::call_state`]).
    pub state: Option<Rc<dyn Any>>,
}

impl ThreadSignals {
    /// What a new program starts with: an inherited mask and nothing else.
    pub fn with_mask(mask: SigSet) -> ThreadSignals {
        ThreadSignals { mask: mask.without(SigSet::UNBLOCKABLE), ..ThreadSignals::default() }
    }
}
