//! Signals between the guest and the host: what arrives from outside, and stops that the outside shall see.

use super::*;
use crate::abi::consts::{si_code, si_code_chld as cld};
use crate::host::HostSignal;
use crate::kernel::tty::Tty;

/// Whether a thread may go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Going {
    On,
    Stopped,
}

impl Kernel {
    /// Takes in signals that reached sevm from outside and gives them to the guest: to its first process, or, when a
    /// terminal sent them, to the group that has that terminal. Who continues sevm continues the job it was stopped with.
    pub fn take_host_signals(&mut self) {
        for arrived in self.host.take_signals() {
            if arrived.signal == Signal::SIGIO && arrived.code == si_code::SI_KERNEL as i32 {
                self.tell_broken_leases();
                continue;
            }
            for pid in self.takers(&arrived) {
                // RLIMIT_SIGPENDING may refuse a real-time signal; its sender has been told that it was sent.
                let _ = self.send_signal(pid, from_outside(&arrived));
            }
        }
    }

    fn takers(&self, arrived: &HostSignal) -> Vec<Pid> {
        let Some((first, group)) = self.first_process() else { return Vec::new() };
        let (control, foreground) = (self.control_of(Tty::Host), self.outer_foreground());
        let by_terminal = arrived.code == si_code::SI_KERNEL as i32;
        let takes = |p: &&Process| {
            let of_job = p.pgid == foreground || p.pgid == group;
            match arrived.signal {
                Signal::SIGHUP if by_terminal => p.pgid == foreground || p.pid == control.session,
                _ if by_terminal => p.pgid == foreground,
                Signal::SIGCONT => p.pid == first || of_job && p.signals.stopped_by.is_some(),
                _ => p.pid == first,
            }
        };
        self.processes.values().filter(|p| p.exit.is_none()).filter(takes).map(|p| p.pid).collect()
    }

    /// The group in the foreground of the terminal that sevm was started from; the first process's where there is none.
    fn outer_foreground(&self) -> Pid {
        match self.control_of(Tty::Host).foreground {
            0 => self.first_process().map_or(0, |(_, group)| group),
            group => group,
        }
    }

    /// Stops sevm itself, so that the shell it was started from sees it, once no process of the guest can go on, or
    /// once its first process is stopped and nobody in the foreground of the terminal is left. `pid` stopped last.
    fn stop_outside(&mut self, pid: Pid, signal: Signal) {
        let (foreground, has_terminal) = (self.outer_foreground(), self.control_of(Tty::Host).session != 0);
        let mut living = self.processes.values().filter(|p| p.exit.is_none());
        let stopped = |p: &Process| p.signals.stopped_by.is_some();
        let first_stopped = self.first_process().and_then(|(first, _)| self.processes.get(&first)).is_some_and(stopped);
        let unused = has_terminal && first_stopped && living.clone().filter(|p| p.pgid == foreground).all(stopped);
        if !unused && !living.all(stopped) {
            return;
        }
        if !self.host.stop(signal) {
            // Outside, nobody could continue it: the stop does not take place.
            self.end_stop(pid, Signal::SIGCONT);
        }
        self.take_host_signals();
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
        self.stop_outside(pid, signal);
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
