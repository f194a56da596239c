//! Threads: what Linux calls tasks.

use super::*;
use crate::abi::SigSet;
use crate::arch::Regs;
use crate::mem::{GuestAddr, Space};
use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

/// What a thread is doing.
#[derive(Debug)]
pub enum State {
    /// It runs or could run.
    Runnable,
    /// It waits in a call.
    Blocked(Wait),
    /// A stop signal has stopped it.
    Stopped,
}

/// The call that a thread is in.
#[derive(Clone, Copy, Debug)]
pub struct InCall {
    /// Number and arguments.
    pub raw: RawCall,
    /// Index in [`ENTRIES`].
    pub index: Option<usize>,
    /// Address behind the call instruction.
    pub pc: u64,
}

/// A thread. What clone(2) can share with another thread is behind an `Rc`.
pub struct Thread {
    /// Its id.
    pub tid: Tid,
    /// Its process's id.
    pub pid: Pid,
    /// The architecture of its program.
    pub arch: Arch,
    /// Its registers while it is not on a CPU.
    pub regs: Regs,
    /// Its memory.
    pub space: Rc<RefCell<Space>>,
    /// Its descriptors.
    pub files: Rc<RefCell<FdTable>>,
    /// Its root, working directory and umask.
    pub fs: Rc<RefCell<FsContext>>,
    /// The actions for signals.
    pub actions: Rc<RefCell<signal::Actions>>,
    /// Its mask, pending signals and alternate stack.
    pub signals: signal::ThreadSignals,
    /// Its ids and capabilities.
    pub credentials: Credentials,
    /// Its name, at most 15 bytes (prctl(2), PR_SET_NAME).
    pub comm: Vec<u8>,
    /// Address to clear and wake at exit (set_tid_address(2)).
    pub clear_child_tid: GuestAddr,
    /// Head and length of the robust futex list (set_robust_list(2)).
    pub robust_list: (GuestAddr, u64),
    /// What it is doing.
    pub state: State,
    /// The call it is in, while it waits.
    pub in_call: Option<InCall>,
    /// A signal has arrived while it waited: the call gives up its wait.
    pub interrupted: bool,
    /// A call that ended with a restart code, for signal delivery to decide about.
    pub restart: Option<(InCall, Errno)>,
    /// What the handler of the call it is in remembers ([`Ctx::call_state`]).
    pub call_state: Option<Rc<dyn Any>>,
    /// Instructions it has retired.
    pub retired: u64,
    /// CPU time it has used up to the beginning of its turn.
    pub cpu: time::CpuTime,
    /// How it is scheduled: policy, nice value, affinity.
    pub sched: task::Scheduling,
    /// Which calls it may make.
    pub seccomp: task::Seccomp,
    /// Its restartable sequences area (rseq(2)).
    pub rseq: task::Rseq,
}

impl Thread {
    /// Forgets the call it was in.
    pub fn end_call(&mut self) {
        self.in_call = None;
        self.interrupted = false;
        self.call_state = None;
        self.signals.awaited = SigSet::default();
    }

    /// Whether it is in a call that a tracer sees return before a signal that is ignored: wait4(2), waitid(2), vfork(2),
    /// and any call that only has to be carried out to its end.
    pub fn is_about_to_return(&self) -> bool {
        let child = |k: &WaitKey| *k == WaitKey::Child(self.pid) || matches!(k, WaitKey::Vfork(_));
        match &self.state {
            State::Blocked(w) => w.keys.iter().any(child),
            State::Runnable => self.in_call.is_some(),
            _ => false,
        }
    }

    /// The signals it does not take now.
    pub fn blocked_signals(&self) -> SigSet {
        self.signals.mask
    }
}
