//! The timers of all processes by the moment they are due, and what a process keeps of its own.

use super::*;
use std::collections::BTreeMap;

/// Names a timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TimerKey {
    /// ITIMER_REAL of a process.
    Real(Pid),
    /// A timer of timer_create(2): process and id.
    Posix(Pid, i32),
}

/// Timers by due time on the monotonic clock; those due at the same moment fire in the order of their keys.
#[derive(Debug, Default)]
pub(in crate::kernel) struct Queue {
    due: BTreeMap<(u64, TimerKey), ()>,
    when: BTreeMap<TimerKey, u64>,
}

impl Queue {
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
pub struct ProcessTimers {}
