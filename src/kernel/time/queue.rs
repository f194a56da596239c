//! The timers of all processes by the moment they are due, and what a process keeps of its own.

use super::itimer::IntervalTimer;
use super::posix::PosixTimer;
use super::*;
use std::collections::BTreeMap;

/// Names a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKey {
    /// ITIMER_REAL of a process.
    Real(Pid),
    /// A timer of timer_create(2): process and id.
    Posix(Pid, i32),
    /// A timer of timerfd_create(2), by its object.
    File(u64),
}

/// Timers by due time on the monotonic clock; those due at the same moment fire in the order of their keys.
#[derive(Debug, Default)]
pub(in crate::kernel) struct Queue {
    due: BTreeMap<(u64, TimerKey), ()>,
    when: BTreeMap<TimerKey, u64>,
}

impl Queue {
    /// Whether there is one.
    #[inline]
    pub(super) fn has_any(&self) -> bool {
        !self.due.is_empty()
    }

    /// When the first is due.
    pub(super) fn next_ns(&self) -> Option<u64> {
        self.due.keys().next().map(|(ns, _)| *ns)
    }

    /// Sets or, with `None`, stops a timer.
    pub(super) fn set(&mut self, key: TimerKey, due_ns: Option<u64>) {
        if let Some(old) = self.when.remove(&key) {
            self.due.remove(&(old, key));
        }
        if let Some(ns) = due_ns {
            self.when.insert(key, ns);
            self.due.insert((ns, key), ());
        }
    }

    /// When a timer is due.
    pub(super) fn due_ns(&self, key: TimerKey) -> Option<u64> {
        self.when.get(&key).copied()
    }

    /// Takes out the first timer if it is due, with the moment it was.
    pub(super) fn pop(&mut self, now_ns: u64) -> Option<(TimerKey, u64)> {
        let (ns, key) = *self.due.keys().next()?;
        if ns > now_ns {
            return None;
        }
        self.set(key, None);
        Some((key, ns))
    }
}

/// Interval and POSIX timers of a process.
#[derive(Debug, Default)]
pub struct ProcessTimers {
    /// Nanoseconds between expirations of ITIMER_REAL; when it is due stands in the queue.
    pub(super) real_interval_ns: u64,
    /// ITIMER_VIRTUAL, by user CPU time.
    pub(super) virtual_: IntervalTimer,
    /// ITIMER_PROF, by CPU time.
    pub(super) prof: IntervalTimer,
    /// Of timer_create(2), by id.
    pub(super) posix: BTreeMap<i32, PosixTimer>,
    /// The id of the next one.
    pub(super) next_posix_id: i32,
    /// When SIGXCPU is due next, in seconds of CPU time beyond the soft RLIMIT_CPU.
    pub(super) cpu_warnings: u64,
}

impl Kernel {
    /// Stops and forgets all timers of a process: it has ended or runs a new program. ITIMER_REAL and the others of
    /// setitimer(2) stay over execve(2).
    pub fn drop_posix_timers(&mut self, pid: Pid) {
        let Some(p) = self.processes.get_mut(&pid) else { return };
        for id in std::mem::take(&mut p.timers.posix).into_keys() {
            self.time.queue.set(TimerKey::Posix(pid, id), None);
        }
    }

    /// Stops every timer of a process that has ended.
    pub fn drop_timers(&mut self, pid: Pid) {
        self.drop_posix_timers(pid);
        self.time.queue.set(TimerKey::Real(pid), None);
        if let Some(p) = self.processes.get_mut(&pid) {
            p.timers = ProcessTimers::default();
        }
    }

    /// Fires the timers that are due at `now_ns` of the monotonic clock.
    pub fn fire_timers(&mut self, now_ns: u64) {
        while let Some((key, due_ns)) = self.time.queue.pop(now_ns) {
            match key {
                TimerKey::Real(pid) => self.fire_real(pid, due_ns, now_ns),
                TimerKey::Posix(pid, id) => self.fire_posix(pid, id, due_ns, now_ns),
                TimerKey::File(id) => self.fire_timer_file(id, due_ns),
            }
        }
    }
}

/// The expirations of a timer that was due at `due_ns` and is looked at only now: how many there were in all, and when
/// the next one is, if it repeats.
pub(in crate::kernel) fn expirations(due_ns: u64, interval_ns: u64, now_ns: u64) -> (u64, Option<u64>) {
    if interval_ns == 0 {
        return (1, None);
    }
    let missed = now_ns.saturating_sub(due_ns) / interval_ns;
    (missed + 1, due_ns.checked_add((missed + 1).saturating_mul(interval_ns)))
}
