//! Queues of signals that have been sent and not yet taken.

use super::*;

/// Signals that an instruction causes; they are taken before all others.
pub(super) const SYNCHRONOUS: SigSet = SigSet(
    1 << (Signal::SIGSEGV.0 - 1)
        | 1 << (Signal::SIGBUS.0 - 1)
        | 1 << (Signal::SIGILL.0 - 1)
        | 1 << (Signal::SIGTRAP.0 - 1)
        | 1 << (Signal::SIGFPE.0 - 1)
        | 1 << (Signal::SIGSYS.0 - 1),
);

/// Signals that have been sent and not yet delivered.
#[derive(Clone, Debug, Default)]
pub struct Pending {
    /// Which.
    pub set: SigSet,
    /// With what, in order of arrival. A signal may be in the set without an entry, when the queue was full.
    pub queue: Vec<SigInfo>,
}

impl Pending {
    /// Adds a signal; `room` says whether the limit of queued signals permits an entry.
    pub(super) fn add(&mut self, info: SigInfo, room: bool) {
        self.set.insert(info.signal);
        if room {
            self.queue.push(info);
        }
    }

    /// The signal to take next among those not in `blocked`.
    pub(super) fn next(&self, blocked: SigSet) -> Option<Signal> {
        let ready = self.set.without(blocked);
        let synchronous = ready.intersection(SYNCHRONOUS);
        let from = if synchronous.is_empty() { ready } else { synchronous };
        from.iter().next()
    }

    /// Takes the oldest entry of `signal`, which is in the set.
    pub(super) fn take(&mut self, signal: Signal) -> SigInfo {
        let mut entries = self.queue.iter().enumerate().filter(|(_, i)| i.signal == signal).map(|(n, _)| n);
        let (first, second) = (entries.next(), entries.next());
        if second.is_none() {
            self.set.remove(signal);
        }
        match first {
            Some(n) => self.queue.remove(n),
            // The queue was full when it was sent: nothing is known about its origin.
            None => SigInfo::kill(signal, 0, 0),
        }
    }

    /// Takes the oldest signal that an instruction caused, if it is not in `blocked`.
    pub(super) fn take_synchronous(&mut self, blocked: SigSet) -> Option<SigInfo> {
        if self.set.without(blocked).intersection(SYNCHRONOUS).is_empty() {
            return None;
        }
        let n = self.queue.iter().position(|i| i.is_synchronous() && !blocked.contains(i.signal))?;
        let info = self.queue.remove(n);
        if !self.queue.iter().any(|i| i.signal == info.signal) {
            self.set.remove(info.signal);
        }
        Some(info)
    }

    /// Drops all signals of a set.
    pub(super) fn flush(&mut self, signals: SigSet) {
        self.set = self.set.without(signals);
        self.queue.retain(|i| !signals.contains(i.signal));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(signal: Signal, pid: Pid) -> SigInfo {
        SigInfo::kill(signal, pid, 0)
    }

    #[test]
    fn lowest_number_first_and_same_number_in_order() {
        let mut p = Pending::default();
        for (s, pid) in [(Signal(40), 1), (Signal(34), 2), (Signal(40), 3), (Signal::SIGUSR2, 4)] {
            p.add(info(s, pid), true);
        }
        let mut got = Vec::new();
        while let Some(s) = p.next(SigSet(0)) {
            got.push(p.take(s));
        }
        let want = [info(Signal::SIGUSR2, 4), info(Signal(34), 2), info(Signal(40), 1), info(Signal(40), 3)];
        assert_eq!(got, want);
        assert!(p.set.is_empty());
    }

    #[test]
    fn faults_before_lower_numbers() {
        let mut p = Pending::default();
        p.add(info(Signal::SIGHUP, 1), true);
        p.add(info(Signal::SIGSEGV, 1), true);
        assert_eq!(p.next(SigSet(0)), Some(Signal::SIGSEGV));
        assert_eq!(p.take_synchronous(SigSet(0)), None, "a process sent it");
        p.add(SigInfo::fault(Signal::SIGFPE, 1, 16), true);
        assert_eq!(p.take_synchronous(SigSet(0)).map(|i| i.signal), Some(Signal::SIGFPE));
        assert_eq!(p.next(SigSet(Signal::SIGSEGV.bit())), Some(Signal::SIGHUP));
    }

    #[test]
    fn a_full_queue_keeps_the_bit() {
        let mut p = Pending::default();
        p.add(info(Signal(50), 7), false);
        assert_eq!(p.next(SigSet(0)), Some(Signal(50)));
        assert_eq!(p.take(Signal(50)), info(Signal(50), 0));
        assert_eq!(p.next(SigSet(0)), None);
    }
}
