//! Signals between the guest and the host: what arrives from outside, and stops that the outside shall see.

use super::*;
use crate::abi::consts::{si_code, si_code_chld as cld};
use crate::host::HostSignal;

/// Whether a thread may go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Going {
    On,
    Stopped,
}

impl Kernel {
    /// Takes in signals that reached sevm from outside and gives them to the guest: to its first process, or, when a
    /// terminal sent them, to that process's group.
    pub fn take_host_signals(&mut self) {
        for arrived in self.host.take_signals() {
            let Some((first, group)) = self.first_process() else { return };
            let by_terminal = arrived.code == si_code::SI_KERNEL as i32;
            let takers: Vec<Pid> = match by_terminal {
                true => {
                    self.processes.values().filter(|p| p.exit.is_none() && p.pgid == group).map(|p| p.pid).collect()
                }
                false => vec![first],
            };
            for pid in takers {
                // RLIMIT_SIGPENDING may refuse a real-time signal; its sender has been told that it was sent.
                let _ = self.send_signal(pid, from_outside(&arrived));
            }
        }
    }

    /// The oldest process that lives, and its group.
    fn first_process(&self) -> Option<(Pid, Pid)> {
        self.processes.values().find(|p| p.exit.is_none()).map(|p| (p.pid, p.pgid))
    }

    /// Stops a process. When it is the only one, sevm itself stops, so that the shell it was started from sees it.
    pub(super) fn stop_process(&mut self, tid: Tid, signal: Signal) {
        let Some(pid) = self.threads.get(&tid).map(|t| t.pid) else { return };
        if !self.processes.values().any(|p| p.pid != pid && p.exit.is_none()) {
            // Comes back when something outside sends SIGCONT, or at once where the host refuses to stop.
            if self.host.stop(signal) {
                self.events.push(Event::Stopped { tid, signal });
            }
            // The SIGCONT that ended the stop interrupts the same call as the stop did.
            self.take_host_signals();
            return;
        }
        let Some(p) = self.processes.get_mut(&pid) else { return };
        p.signals.stopped_by = Some(signal);
        p.signals.unreported = Some(ChildChange::Stopped(signal));
        for other in p.threads.clone() {
            if let Some(t) = self.threads.get_mut(&other) {
                t.interrupted = t.in_call.is_some();
            }
            self.wake(other);
            self.events.push(Event::Stopped { tid: other, signal });
        }
        self.notify_parent(pid, cld::CLD_STOPPED, i32::from(signal.0));
    }

    /// Puts a thread to rest if its process has been stopped.
    pub(super) fn stop_if_told(&mut self, tid: Tid) -> Going {
        let Some(t) = self.threads.get_mut(&tid) else { return Going::Stopped };
        match self.processes.get(&t.pid).and_then(|p| p.signals.stopped_by) {
            Some(_) => {
                t.state = State::Stopped;
                Going::Stopped
            }
            None => Going::On,
        }
    }
}

/// What the guest is told of a signal from outside. Senders are outside its pid namespace, so their pid shows as 0.
fn from_outside(arrived: &HostSignal) -> SigInfo {
    let HostSignal { signal, code, uid, value, .. } = *arrived;
    let fields = match code {
        _ if code == si_code::SI_KERNEL as i32 => return SigInfo::kernel(signal),
        _ if code == si_code::SI_QUEUE as i32 => Fields::Queue { pid: 0, uid, value },
        _ => Fields::Kill { pid: 0, uid },
    };
    SigInfo { signal, code, errno: 0, fields }
}
