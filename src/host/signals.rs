//! Signals that reach sevm and are meant for the guest.

use super::sys;
use crate::abi::{SigSet, Signal};

/// A signal from outside, with what its siginfo_t told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostSignal {
    /// Which.
    pub signal: Signal,
    /// `si_code`: SI_USER, SI_KERNEL, SI_QUEUE, ...
    pub code: i32,
    /// The sender's pid on the host.
    pub pid: i32,
    /// The sender's user.
    pub uid: u32,
    /// The value sent with it (SI_QUEUE).
    pub value: u64,
}

/// Signals as sevm was started with them, which its guest inherits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InheritedSignals {
    /// Ignored ones.
    pub ignored: SigSet,
    /// Blocked ones.
    pub blocked: SigSet,
}

/// Signals from and to the outside.
pub trait Signals {
    /// Signals that arrived at sevm for the guest since last asked.
    fn take_signals(&mut self) -> Vec<HostSignal>;

    /// What the guest inherits.
    fn inherited_signals(&self) -> InheritedSignals;

    /// Stops sevm as `signal` (SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU) does by default, so that its parent sees it; comes
    /// back after SIGCONT. Gives whether it could stop: for an orphaned process group there is nobody to continue it.
    fn stop(&mut self, signal: Signal) -> bool;
}

/// The guest gets these from its own kernel; on the host they would end sevm.
pub(super) fn ignore_io_signals() {
    sys::ignore(libc::SIGPIPE);
    sys::ignore(libc::SIGXFSZ);
}

/// Begins to note the signals that are meant for the guest, all but those that tell of sevm's own faults, and gives how
/// sevm was started.
pub(super) fn collect() -> InheritedSignals {
    const STANDARD: [i32; 19] = [
        libc::SIGHUP,
        libc::SIGINT,
        libc::SIGQUIT,
        libc::SIGUSR1,
        libc::SIGUSR2,
        libc::SIGALRM,
        libc::SIGTERM,
        libc::SIGSTKFLT,
        libc::SIGCHLD,
        libc::SIGCONT,
        libc::SIGTSTP,
        libc::SIGTTIN,
        libc::SIGTTOU,
        libc::SIGURG,
        libc::SIGXCPU,
        libc::SIGVTALRM,
        libc::SIGPROF,
        libc::SIGWINCH,
        libc::SIGPWR,
    ];
    let mut ignored = SigSet::default();
    // The C library keeps the first real-time signals for itself.
    for signo in STANDARD.into_iter().chain([libc::SIGIO]).chain(libc::SIGRTMIN()..=libc::SIGRTMAX()) {
        if let (true, Some(signal)) = (sys::catch(signo), Signal::new(signo)) {
            ignored.insert(signal);
        }
    }
    ignore_io_signals();
    InheritedSignals { ignored, blocked: sys::unblock_all() }
}
